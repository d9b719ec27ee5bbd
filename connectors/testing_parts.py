"""What the conformance suite counts and changes: keys that are alive, records in recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connectors.deletes import FlagDeletes
from connectors.manifest import Manifest, Stream
from connectors.page import Page
from connectors.paths import compile_path


class Ledger:
    """The keys that are alive after pages have landed, as the warehouse lands them."""

    def __init__(self, alive: Sequence[str] = ()) -> None:
        self.alive = set(alive)
        self._marked: dict[str, set[str]] = {}

    def land(self, pages: Sequence[Page]) -> Ledger:
        """Rows come, tombstones go; a complete pass takes along what it did not show."""
        for page in pages:
            keys = {row.key for row in page.rows}
            self.alive = (self.alive | keys) - set(page.tombstones)
            if page.snapshot is not None:
                marked = self._marked.setdefault(page.snapshot.pass_id, set())
                marked |= keys
                if page.snapshot.is_complete:
                    self.alive &= marked
        return self


def keys_of(pages: Sequence[Page]) -> list[str]:
    """The keys of all rows, in the order of reading."""
    return [row.key for page in pages for row in page.rows]


def records_in(stream: Stream, data: Any) -> list[dict[str, Any]]:
    """The records of an answer's body, to be changed in place."""
    paths = (stream.records,) if isinstance(stream.records, str) else stream.records or ()
    present = ([value for value in compile_path(path).all(data) if value is not None] for path in paths)
    found = next((values for values in present if values), []) if paths else [data]
    lists = [
        one
        for value in found
        for one in (value.values() if stream.shape == "map" and isinstance(value, dict) else [value])
    ]
    records = [one for item in lists for one in (item if isinstance(item, list) else [item])]
    wants_list = stream.shape == "list" and not any("[]" in path for path in paths)
    if wants_list and not any(isinstance(item, list) for item in lists):
        return []
    return [record for record in records if isinstance(record, dict)]


def json_of(answer: httpx.Response) -> Any:
    """The JSON value of an answer; None if it is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def headers_of(answer: httpx.Response) -> Mapping[str, str]:
    """The headers that stay when the body is replaced."""
    return {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}


def names_needed(stream: Stream, manifest: Manifest | None) -> set[str]:
    """Fields that the reading itself looks at."""
    paths = [stream.updated_at or "", getattr(stream.paging, "key", None) or ""]
    paths += [stream.key] if isinstance(stream.key, str) else list(stream.key or ())
    paths += [text for rule in stream.deletes if isinstance(rule, FlagDeletes) for text in (rule.path, rule.key or "")]
    for child in manifest.streams.values() if manifest else ():
        if child.parent is not None:
            paths += [*child.parent.values.values(), *child.parent.carry.values(), *child.parent.where]
    return {path.strip("'\"").partition(".")[0].partition("[")[0] for path in paths}

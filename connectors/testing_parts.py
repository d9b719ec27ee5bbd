"""What the conformance suite counts and changes: keys that are alive, records in recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connectors.deletes import FlagDeletes
from connectors.manifest import Manifest, Stream
from connectors.page import Page, Scope
from connectors.paths import compile_path


class Ledger:
    """The records that are alive after pages have landed, as the warehouse lands them."""

    def __init__(self) -> None:
        self._records: dict[str, Any] = {}
        self._marked: dict[str, set[str]] = {}

    @property
    def alive(self) -> set[str]:
        """Their keys."""
        return set(self._records)

    def land(self, pages: Sequence[Page]) -> Ledger:
        """Rows come, tombstones go; a complete pass takes along what it did not show, within its scope."""
        for page in pages:
            self._records |= {row.key: json.loads(row.payload) for row in page.rows}
            for key in page.tombstones:
                self._records.pop(key, None)
            if page.snapshot is not None:
                marked = self._marked.setdefault(page.snapshot.pass_id, set())
                marked |= {row.key for row in page.rows} | set(page.snapshot.shown or ())
                if page.snapshot.is_complete:
                    self._sweep(marked, page.snapshot.scope)
        return self

    def _sweep(self, shown: set[str], scope: Scope | None) -> None:
        for key, record in list(self._records.items()):
            if key not in shown and (scope is None or scope.holds(record)):
                del self._records[key]


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

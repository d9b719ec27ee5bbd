"""`--out`: golden rows and the crosswalk as a workbook; every text a text, none a formula."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from onefold.configuration.attributes import STANDARD
from onefold.export.excel import Sheet, write_sheets

if TYPE_CHECKING:
    from onefold.trying.findings import Places
    from onefold.trying.kernel import Resolved


def write_merged(path: Path, found: Resolved, places: Places) -> None:
    """A sheet of clients with their golden values, and one that tells of each row which client it belongs to."""
    golden = found.golden
    values = [json.loads(text) for text in golden["attributes"].to_pylist()]
    there = {name for one in values for name in one}
    names = [name for name in STANDARD if name in there] + sorted(there - set(STANDARD))
    by_client = _places_of_clients(found, places)
    write_sheets(
        path,
        (
            Sheet(
                "clients",
                ("client_id", "kind", "name", "rows", "files", *names),
                _clients(found, values, names, by_client),
            ),
            Sheet("crosswalk", ("client_id", "file", "row", "key", "client"), _crosswalk(found, places)),
        ),
    )


def _places_of_clients(found: Resolved, places: Places) -> dict[str, list[str]]:
    """Client -> the files it stands in."""
    made: dict[str, dict[str, None]] = {}
    for record, client in zip(*(found.crosswalk[name].to_pylist() for name in ("record_id", "client_id")), strict=True):
        made.setdefault(client, {})[places.title(record)] = None
    return {client: list(titles) for client, titles in made.items()}


def _clients(
    found: Resolved, values: Sequence[dict[str, Any]], names: Sequence[str], by_client: dict[str, list[str]]
) -> Iterator[tuple[Any, ...]]:
    heads = (found.golden[name].to_pylist() for name in ("client_id", "kind", "display_name", "record_count"))
    for client, kind, name, count, golden in zip(*heads, values, strict=True):
        cells = (golden.get(attribute) for attribute in names)
        texts = ("; ".join(cell) if isinstance(cell, list) else cell for cell in cells)
        yield client, kind, name, count, ", ".join(by_client.get(client, ())), *texts


def _crosswalk(found: Resolved, places: Places) -> Iterator[tuple[Any, ...]]:
    at = pc.index_in(found.crosswalk["client_id"], found.golden["client_id"].combine_chunks())
    names = found.golden["display_name"].combine_chunks().take(at.combine_chunks())
    columns = (found.crosswalk["record_id"], found.crosswalk["client_id"], names)
    for record, client, name in zip(*(column.to_pylist() for column in columns), strict=True):
        yield client, places.title(record), places.row(record), places.key(record), name

"""The rows of one page on their way into `raw`: their ids, and the arrays in which one statement takes them.

Needs no connection, so that whoever reads a page can get it ready while the page before it lands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Final, NamedTuple, TypeAlias

from warehouse import calls
from warehouse.keys import record_id_list

PIECE: Final = 8 * 1024 * 1024
"""Bytes of payloads that travel together; a longer payload travels alone."""

RowTuple: TypeAlias = tuple[str, bytes, bytes, datetime | None]
"""key, canonical JSON, 16-byte digest, when the source says that it changed (aware)."""


class PageRow(NamedTuple):
    """A row with its id."""

    record_id: int
    key: str
    payload: bytes
    digest: bytes
    updated_at: datetime | None
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """What of a page can be known before it is landed."""

    rows: Mapping[int, PageRow]
    """By id; empty where a key is refused or stands twice, or two keys have one id."""
    arrays: Mapping[str, bytes] | None = None
    """All of them as `arrays_of` makes them; None where that is not worth while."""


def prepare(source: str, stream: str, rows: Sequence[RowTuple], *, is_news: bool) -> Prepared:
    """The ids of a page's rows; with `is_news`, of a page that is thought to hold nothing known, the arrays too."""
    made = plain_rows(source, stream, rows)
    arrays = arrays_of(list(made.values())) if is_news and made and weight(made.values()) <= PIECE else None
    return Prepared(made, arrays)


def plain_rows(source: str, stream: str, rows: Sequence[RowTuple]) -> dict[int, PageRow]:
    """All the rows by id, made together; empty where a key is refused or stands twice, or two keys have one id."""
    if not rows:
        return {}
    keys, payloads, digests, times = zip(*rows, strict=True)
    try:
        encoded = list(map(str.encode, keys))
    except UnicodeEncodeError:
        return {}
    ids = record_id_list(source, stream, encoded)
    found = dict(zip(ids, map(PageRow, ids, keys, payloads, digests, times, repeat(False)), strict=True))
    return found if len(found) == len(rows) and "\x00" not in "".join(keys) else {}


def weight(rows: Iterable[PageRow]) -> int:
    """Bytes of their payloads."""
    return sum(len(row.payload) for row in rows)


def arrays_of(rows: Sequence[PageRow]) -> dict[str, bytes]:
    """The parameters of `landing.store` that hold rows."""
    ids, keys, payloads, hashes, times, flags = zip(*rows, strict=True) if rows else ((),) * 6
    return {
        "record_ids": calls.bigints(ids),
        "keys": calls.texts(list(map(str.encode, keys))),
        "payloads": calls.jsons(payloads),
        "hashes": calls.uuids(hashes),
        "times": calls.timestamps(times),
        "flags": calls.booleans(flags),
    }


NO_ROWS: Final = arrays_of(())

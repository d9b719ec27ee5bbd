"""References to other records: the key at a path becomes the record's id, whether it has landed or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from connectors.rows import join_key, key_text
from onefold.configuration.sources import Reference, WorksAt
from onefold.mapping.dates import MomentReader
from onefold.mapping.origins import compile_text
from onefold.mapping.paths import compile_reader
from warehouse.keys import record_ids

Many = Callable[[Any], list[int]]
RelationshipRow = tuple[int, int, int, str, str | None, int | None, int | None]


def compile_reference(reference: Reference, source: str) -> Many:
    """`payload -> record ids` that a reference names: none, one or several."""
    ids = lru_cache(maxsize=50_000)(record_ids(reference.source or source, reference.stream))
    readers = [compile_reader(path) for path in reference.key]
    if len(readers) == 1:
        read = readers[0]

        def many(payload: Any) -> list[int]:
            value = read(payload)
            values = value if isinstance(value, list) else (value,)
            keys = dict.fromkeys(text for one in values if (text := key_text(one)) is not None)
            return [ids(key) for key in keys]

        return many

    def composite(payload: Any) -> list[int]:
        parts = [key_text(_first(reader(payload))) for reader in readers]
        return [] if None in parts else [ids(join_key([part for part in parts if part is not None]))]

    return composite


def compile_one(reference: Reference | None, source: str) -> Callable[[Any], int | None]:
    """`payload -> record id`, the first that the reference names, or None."""
    if reference is None:
        return lambda _payload: None
    many = compile_reference(reference, source)

    def one(payload: Any) -> int | None:
        found = many(payload)
        return found[0] if found else None

    return one


def compile_first(references: Sequence[Reference], source: str) -> Callable[[Any], int | None]:
    """`payload -> record id` of the first reference that names a record: a deal's company, else its contact."""
    readers = [compile_one(reference, source) for reference in references]
    if len(readers) == 1:
        return readers[0]
    return lambda payload: next((found for read in readers if (found := read(payload)) is not None), None)


def compile_relationship(
    link: WorksAt, type_: str, source: str, moment: MomentReader
) -> Callable[[Any, int], list[RelationshipRow]]:
    """`payload, record id -> relationship rows` to the records that the link names. Raises Unreadable."""
    targets, role = compile_reference(link, source), compile_text(link.role)
    day_from, day_to = compile_day(link.valid_from, moment), compile_day(link.valid_to, moment)

    def rows(payload: Any, record_id: int) -> list[RelationshipRow]:
        found = targets(payload)
        if not found:
            return []
        said, begin, end = role(payload), day_from(payload), day_to(payload)
        return [(record_id, record_id, target, type_, said, begin, end) for target in found if target != record_id]

    return rows


def compile_day(path: str | None, moment: MomentReader) -> Callable[[Any], int | None]:
    """`payload -> days since 1970` of the date at a path. Raises Unreadable."""
    if path is None:
        return lambda _payload: None
    read = compile_reader(path)

    def day(payload: Any) -> int | None:
        found = moment(read(payload))
        return None if found is None else found.day

    return day


def _first(value: Any) -> Any:
    return next((one for one in value if one is not None), None) if isinstance(value, list) else value

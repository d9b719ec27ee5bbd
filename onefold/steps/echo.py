"""How a sync knows a record that only brings back what the hub wrote: the echo makes no new version and no work."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from connectors.canonical import decode
from connectors.page import WritesBack
from connectors.paths import as_text, compile_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.page import Connector, StreamRequest
    from connectors.paths import Path
    from warehouse.echoes import Echo, EchoTest

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ROW: Final = re.compile(r".*\[[^\]=]+=[^\]]*\]")


def echo_test(connector: Connector, request: StreamRequest) -> EchoTest | None:
    """The test for a stream that has fields of the hub's; None for all others."""
    if not request.owned or not isinstance(connector, WritesBack):
        return None
    writing = connector.writing(request, request.owned)
    if writing is None:
        return None
    paths = {field: compile_path(path) for field, path in writing.paths.items()}
    marks = [compile_path(path) for path in writing.marks]

    def test(landed: str, read: bytes, written: str) -> Echo:
        return compare(decode(landed), decode(read), decode(written), paths, marks)

    return test


def compare(
    landed: Any, read: Any, written: Sequence[Mapping[str, Any]], paths: Mapping[str, Path], marks: Sequence[Path]
) -> Echo:
    """What a record that was read says of what was written to it: see `warehouse.echoes.Echo`."""
    last: dict[str, Any] = {}
    for fields in written:
        last |= fields
    if not all(field in paths and same(paths[field].get(read), value) for field, value in last.items()):
        return "other"
    # A field of the hub's that was not written is no part of the echo: who changed it is to be looked at.
    own = [_place(paths[field]) for field in last]
    return "echo" if _without(landed, [*own, *marks]) == _without(read, [*own, *marks]) else "seen"


def same(there: Any, ours: Any) -> bool:
    """The system holds our value, in its own spelling: numbers by worth, a day with its midnight, texts trimmed; a
    field that was emptied as null, as an empty text, or (Odoo) as false."""
    theirs, own = as_text(there), as_text(ours)
    if ours is None:
        return there is False or not (theirs or "").strip()
    if theirs is None or own is None:
        return theirs == own
    if theirs.strip() == own.strip() or (_DAY.fullmatch(own) and theirs.startswith(f"{own}T")):
        return True
    if isinstance(ours, bool) or not isinstance(ours, int | Decimal):
        return False
    try:
        return Decimal(theirs) == ours
    except InvalidOperation:
        return False


def _place(path: Path) -> Path:
    """What comes and goes with a value: of one that stands in a row by its key, the row."""
    row = _ROW.match(path.text)
    return compile_path(row.group()) if row else path


def _without(record: Any, paths: Sequence[Path]) -> Any:
    for path in paths:
        record = path.without(record)
    return _filled(record)


def _filled(value: Any) -> Any:
    """Without what is null or empty: a list that was not there before has come with the row."""
    if isinstance(value, dict):
        kept = {name: _filled(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in ({}, [], None)}
    if isinstance(value, list):
        return [one for one in map(_filled, value) if one not in ({}, [], None)]
    return value

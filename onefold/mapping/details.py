"""The detail of an interaction in the types that its type's registry entry states.

Numbers become exact decimals, dates `YYYY-MM-DD`, moments UTC in ISO 8601, so that the typed views read them all. What
cannot be read so stays as the source wrote it, and is reported: the view's column is null, nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.paths import as_text
from identity.standard.values import boolean
from onefold.configuration.interactions import DetailType, InteractionType
from onefold.mapping.dates import MomentReader
from onefold.mapping.transforms import Unreadable

DetailReader = Callable[[Any], Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)


def detail_readers(
    types: Mapping[str, InteractionType],
    amount: Callable[[Any], tuple[str, str | None] | None],
    moment: MomentReader,
) -> dict[str, dict[str, DetailReader]]:
    """Type -> field -> how its value is read; fields that are kept as they come are left out. Readers raise
    Unreadable."""
    readers: dict[DetailType, DetailReader] = {
        "number": lambda value: _number(amount, value),
        "boolean": _boolean,
        "date": lambda value: _day(moment, value),
        "timestamp": lambda value: _moment(moment, value),
        "list": lambda value: value if isinstance(value, list) else [value],
    }
    return {
        code: {name: readers[field.type] for name, field in one.detail.items() if field.type in readers}
        for code, one in types.items()
    }


def _number(amount: Callable[[Any], tuple[str, str | None] | None], value: Any) -> Decimal | None:
    found = amount(value)
    return None if found is None else Decimal(found[0])


def _boolean(value: Any) -> bool | None:
    text = as_text(value)
    if text is None or not text.strip():
        return None
    form = boolean(text)
    if form.value is None:
        raise Unreadable("unreadable-boolean", "the value is neither yes nor no")
    return form.value == "true"


def _day(moment: MomentReader, value: Any) -> str | None:
    found = moment(value)
    return None if found is None else (_EPOCH_DAY + timedelta(days=found.day)).isoformat()


def _moment(moment: MomentReader, value: Any) -> str | None:
    found = moment(value)
    return None if found is None else (_EPOCH + timedelta(microseconds=found.micros)).isoformat()

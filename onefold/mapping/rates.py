"""Exchange rates: what so many units of one currency cost in another, from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from onefold.configuration.sources import Defaults, Rate
from onefold.mapping.amounts import DECIMAL_POINT, amount_text
from onefold.mapping.batch import Mapped, Reject, table
from onefold.mapping.dates import MONTH_FIRST, moment_reader
from onefold.mapping.facts import DecodedRow, compile_currency
from onefold.mapping.paths import compile_reader
from onefold.mapping.transforms import Unreadable
from warehouse.shapes import RATE

Value = TypeVar("Value")


class RateMapper:
    """Maps one stream's records to exchange rates; one that lacks a part is kept out and reported."""

    needs_children = False

    def __init__(self, source: str, name: str, rate: Rate, defaults: Defaults) -> None:
        self._source, self._name = source, name
        self._from, self._to = compile_currency(rate.from_), compile_currency(rate.to)
        self._default_to = defaults.currency
        self._moment = moment_reader(defaults.timezone or "UTC", defaults.country in MONTH_FIRST)
        self._on = [compile_reader(path) for path in rate.on]
        self._value = compile_reader(rate.value)
        self._nominal = compile_reader(rate.nominal) if rate.nominal else None
        self._decimal_point = defaults.country in DECIMAL_POINT

    def map(self, rows: Sequence[DecodedRow], mapped: Mapped) -> None:
        """Fill `mapped.rates` from decoded rows."""
        made: list[tuple[Any, ...]] = []
        for record_id, key, payload, _updated_at, _children in rows:
            path = "rate"
            try:
                path = "rate.from"
                begin = _there(self._from(payload), "the currency is not named")
                path = "rate.to"
                end = _there(self._to(payload) or self._default_to, "the currency of the price is not named")
                path = "rate.on"
                day = _there(self._day(payload), "the day is not named")
                path = "rate.value"
                value = _positive(self._amount(self._value(payload)))
                path = "rate.nominal"
                nominal = _positive(self._amount(self._nominal(payload)) or "1") if self._nominal else "1"
            except Unreadable as error:
                mapped.rejects.append(Reject(record_id, error.reason, str(error), path))
                continue
            made.append((record_id, self._source, self._name, key, begin, end, day, value, nominal))
        if made:
            mapped.rates = table(RATE, list(zip(*made, strict=True)))

    def _day(self, payload: Any) -> int | None:
        found = next((one for read in self._on if (one := self._moment(read(payload))) is not None), None)
        return None if found is None else found.day

    def _amount(self, value: Any) -> str | None:
        found = amount_text(value, decimal_point=self._decimal_point)
        return None if found is None else found[0]


def _there(value: Value | None, message: str) -> Value:
    if value is None:
        raise Unreadable("missing-value", message)
    return value


def _positive(text: str | None) -> str:
    if Decimal(_there(text, "the value is empty")) <= 0:
        raise Unreadable("unreadable-amount", "a rate and its nominal are more than nothing")
    return str(text)

"""Interactions with their lines and promises, and relationships that are streams of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from onefold.configuration.base import When
from onefold.configuration.interactions import InteractionType
from onefold.configuration.sources import CHANNELS, DIRECTIONS, Defaults, Lines, Promise, StreamConfiguration, Sum
from onefold.mapping.amounts import DECIMAL_POINT, added_up, amount_text, currency_code
from onefold.mapping.batch import Mapped, Reject, table
from onefold.mapping.dates import MONTH_FIRST, Moment, MomentReader, moment_reader
from onefold.mapping.details import detail_readers
from onefold.mapping.origins import (
    KEY_FIELD,
    Children,
    Origin,
    compile_origin,
    compile_text,
    compile_when,
    compile_where,
)
from onefold.mapping.paths import compile_all, compile_reader, first_text
from onefold.mapping.references import RelationshipRow, compile_day, compile_first, compile_one
from onefold.mapping.transforms import Unreadable
from warehouse.shapes import INTERACTION, INTERACTION_LINE, PROMISE, RELATIONSHIP

Text = Callable[[Any], str | None]
DecodedRow = tuple[int, str, Any, Any, Children]
_encode: Final = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


class InteractionMapper:
    """Maps one stream's records to interactions."""

    def __init__(
        self,
        source: str,
        name: str,
        stream: StreamConfiguration,
        types: Mapping[str, InteractionType],
        defaults: Defaults,
    ) -> None:
        self._source, self._name = source, name
        self._zone = defaults.timezone or "UTC"
        self._moment = moment_reader(self._zone, defaults.country in MONTH_FIRST)
        self._directions = {code: one.direction for code, one in types.items()}
        self._type = compile_when(stream.type) if isinstance(stream.type, When) else None
        self._fixed_type = stream.type if isinstance(stream.type, str) else None
        self._party = compile_first(stream.party or [], source)
        self._parent, self._reverses = (
            compile_one(stream.parent, source),
            compile_one(stream.reverses, source),
        )
        self._occurred = [compile_reader(path) for path in stream.occurred_at or []]
        self._channel = compile_text(stream.channel, CHANNELS)
        self._direction = compile_text(stream.direction, DIRECTIONS)
        self._number, self._summary = compile_text(stream.document_number), compile_text(stream.summary)
        self._amount_read = partial(amount_text, decimal_point=defaults.country in DECIMAL_POINT)
        value = stream.amount.value if stream.amount else None
        self._value, self._value_read = None, self._amount_read
        if isinstance(value, Sum):
            self._value, self._value_read = compile_all(value.sum), partial(added_up, self._amount_read)
        elif value is not None:
            self._value = compile_reader(value) if isinstance(value, str) else compile_all(value)
        self._currency = compile_currency(stream.amount.currency if stream.amount else None)
        self._default_currency = defaults.currency
        self._url = stream.url
        self._detail = [(key, compile_origin(spec)) for key, spec in (stream.detail or {}).items()]
        self._detail_types = detail_readers(types, self._amount_read, self._moment)
        self._lines = _LineReader(stream.lines, self._amount_read) if stream.lines else None
        self._promises = [_PromiseReader(promise, self._moment) for promise in stream.promise or []]
        self.needs_children = stream.lines is not None and stream.lines.stream is not None

    def map(self, rows: Sequence[DecodedRow], mapped: Mapped) -> None:
        """Fill `mapped` from decoded rows (record id, key, payload object, updated at, children)."""
        made: list[tuple[Any, ...]] = []
        lines: list[tuple[Any, ...]] = []
        promises: list[tuple[Any, ...]] = []
        for record_id, key, payload, _updated_at, children in rows:
            try:
                type_ = self._fixed_type or (self._type(payload) if self._type else None)
                if type_ is None:
                    raise Unreadable("unknown-type", "the value that chooses the type is none of those configured")
            except Unreadable as error:
                mapped.rejects.append(Reject(record_id, error.reason, str(error), "type"))
                continue
            try:
                moment = self._when(payload)
            except Unreadable as error:
                mapped.rejects.append(Reject(record_id, error.reason, str(error), "occurred_at"))
                continue
            attempt = _Attempt(record_id, mapped)
            own_lines = self._lines.read(attempt, payload, children) if self._lines else []
            own_promises = [one for reader in self._promises if (one := reader.read(attempt, payload)) is not None]
            row = self._row(attempt, key, payload, children, type_, moment)
            digest = blake2b(_encode([row, own_lines, own_promises]), digest_size=16).digest()
            made.append((*row, str(UUID(bytes=digest))))
            lines.extend(own_lines)
            promises.extend(own_promises)
        mapped.interactions = _table(INTERACTION, made)
        mapped.lines = _table(INTERACTION_LINE, lines)
        mapped.promises = _table(PROMISE, promises)

    def _when(self, payload: Any) -> Moment | None:
        for read in self._occurred:
            found = self._moment(read(payload))
            if found is not None:
                return found
        return None

    def _row(
        self, attempt: _Attempt, key: str, payload: Any, children: Children, type_: str, moment: Moment | None
    ) -> tuple[Any, ...]:
        amount = attempt.amount("amount.value", self._value_read, self._value, payload)
        currency = attempt("amount.currency", self._currency, payload) if amount is not None else None
        detail: dict[str, Any] = {}
        typed = self._detail_types.get(type_, {})
        for name, origin in self._detail:
            value = attempt(f"detail.{name}", partial(_with_children, origin, children), payload)
            if value is not None and value != "":
                read = typed.get(name)
                found = value if read is None else attempt(f"detail.{name}", read, value)
                detail[name] = _plain_number(value if found is None else found)
        return (
            attempt.record_id,
            self._source,
            self._name,
            key,
            type_,
            attempt("party", self._party, payload),
            moment.micros if moment else None,
            moment.day if moment else None,
            self._zone if moment else None,
            moment.precision if moment else None,
            attempt("channel", self._channel, payload),
            self._directed(attempt, payload, type_),
            attempt("document_number", self._number, payload),
            attempt("summary", self._summary, payload),
            amount,
            (currency or self._default_currency) if amount is not None else None,
            attempt("parent", self._parent, payload),
            attempt("reverses", self._reverses, payload),
            self._url.replace("{key}", quote(key, safe="")) if self._url else None,
            _encode(detail).decode(),
        )

    def _directed(self, attempt: _Attempt, payload: Any, type_: str) -> str | None:
        found = attempt("direction", self._direction, payload)
        if found is not None and found not in DIRECTIONS:
            attempt.reject("unknown-direction", f"the value is none of {', '.join(DIRECTIONS)}", "direction")
            found = None
        return found or self._directions.get(type_)


class _Attempt:
    """Reads the parts of one record; what cannot be read becomes a partial reject and None."""

    def __init__(self, record_id: int, mapped: Mapped) -> None:
        self.record_id, self._mapped = record_id, mapped

    def __call__(self, path: str, read: Callable[[Any], Any], payload: Any) -> Any:
        try:
            return read(payload)
        except Unreadable as error:
            self.reject(error.reason, str(error), path)
            return None

    def amount(
        self,
        path: str,
        parse: Callable[[Any], tuple[str, str | None] | None],
        read: Callable[[Any], Any] | None,
        payload: Any,
    ) -> str | None:
        if read is None:
            return None
        found = self(path, lambda one: parse(read(one)), payload)
        if found is None:
            return None
        text, repair = found
        if repair is not None:
            self._mapped.repairs[repair] += 1
        return str(text)

    def reject(self, reason: str, detail: str, path: str) -> None:
        self._mapped.rejects.append(Reject(self.record_id, reason, detail, path, True))


class _LineReader:
    """An interaction's lines, from rows inside the record or from child records."""

    def __init__(self, lines: Lines, amount_read: Callable[[Any], tuple[str, str | None] | None]) -> None:
        self._each = compile_reader(lines.each) if lines.each else None
        self._stream = lines.stream
        self._holds = compile_where(lines.where) if lines.where else None
        self._texts = [compile_text(spec) for spec in (lines.item_code, lines.item_name)]
        self._unit = compile_text(lines.unit)
        self._numbers = {
            name: compile_reader(path)
            for name, path in (
                ("quantity", lines.quantity),
                ("unit_price", lines.unit_price),
                ("amount", lines.amount),
            )
            if path is not None
        }
        self._position = compile_reader(lines.position) if lines.position else None
        self._amount_read = amount_read

    def read(self, attempt: _Attempt, payload: Any, children: Children) -> list[tuple[Any, ...]]:
        rows = self._rows(payload, children)
        if self._position is not None:
            place = self._position
            rows = sorted(rows, key=lambda row: _rank(first_text(place(row))))
        return [self._line(attempt, number, row) for number, row in enumerate(rows, start=1)]

    def _rows(self, payload: Any, children: Children) -> list[Any]:
        if self._stream is not None:
            key = children[KEY_FIELD][0] if KEY_FIELD in children else None
            holds = self._holds or (lambda _row, _key: True)
            return [row for row in children.get(self._stream, ()) if holds(row, key)]
        found = self._each(payload) if self._each else None
        return [row for row in (found if isinstance(found, list) else [found]) if row is not None]

    def _line(self, attempt: _Attempt, number: int, row: Any) -> tuple[Any, ...]:
        def amount(name: str) -> str | None:
            return attempt.amount(f"lines[{number}].{name}", self._amount_read, self._numbers.get(name), row)

        code, title = (attempt(f"lines[{number}]", read, row) for read in self._texts)
        unit = attempt(f"lines[{number}].unit", self._unit, row)
        return (
            attempt.record_id,
            number,
            code,
            title,
            amount("quantity"),
            unit,
            amount("unit_price"),
            amount("amount"),
        )


class _PromiseReader:
    """A promise: due and actual date, or due and actual value. Nothing promised gives no row."""

    def __init__(self, promise: Promise, moment: MomentReader) -> None:
        self._kind = promise.kind
        self._due, self._actual = compile_day(promise.due, moment), compile_day(promise.actual, moment)
        self._due_value, self._actual_value = (
            compile_text(promise.due_value),
            compile_text(promise.actual_value),
        )

    def read(self, attempt: _Attempt, payload: Any) -> tuple[Any, ...] | None:
        due = attempt("promise.due", self._due, payload)
        due_value = attempt("promise.due_value", self._due_value, payload)
        if due is None and due_value is None:
            return None
        actual = attempt("promise.actual", self._actual, payload)
        actual_value = attempt("promise.actual_value", self._actual_value, payload)
        return (attempt.record_id, self._kind, due, actual, due_value, actual_value)


class RelationshipMapper:
    """Maps one stream's records to relationships between other records."""

    needs_children = False

    def __init__(self, source: str, stream: StreamConfiguration, defaults: Defaults) -> None:
        moment = moment_reader(defaults.timezone or "UTC", defaults.country in MONTH_FIRST)
        self._type = compile_when(stream.type) if isinstance(stream.type, When) else None
        self._fixed_type = stream.type if isinstance(stream.type, str) else None
        self._from, self._to = compile_one(stream.from_, source), compile_one(stream.to, source)
        self._role = compile_text(stream.role)
        self._valid_from, self._valid_to = (
            compile_day(stream.valid_from, moment),
            compile_day(stream.valid_to, moment),
        )

    def map(self, rows: Sequence[DecodedRow], mapped: Mapped) -> None:
        """Fill `mapped.relationships` from decoded rows."""
        made: list[RelationshipRow] = []
        for record_id, _key, payload, _updated_at, _children in rows:
            attempt = _Attempt(record_id, mapped)
            begin, end = attempt("from", self._from, payload), attempt("to", self._to, payload)
            type_ = self._fixed_type or (attempt("type", self._type, payload) if self._type else None)
            if begin is None or end is None:
                path = "from" if begin is None else "to"
                mapped.rejects.append(Reject(record_id, "missing-key", "the record that it relates is not named", path))
                continue
            if type_ is None:
                detail = "the value that chooses the type is none of those configured"
                mapped.rejects.append(Reject(record_id, "unknown-type", detail, "type"))
                continue
            days = [
                attempt(path, read, payload)
                for path, read in (("valid_from", self._valid_from), ("valid_to", self._valid_to))
            ]
            made.append((record_id, begin, end, type_, attempt("role", self._role, payload), days[0], days[1]))
        mapped.relationships = _table(RELATIONSHIP, made)


def compile_currency(spec: Any) -> Text:
    """`payload -> ISO 4217 code` of a fixed code or of what stands at a path. The reader raises Unreadable."""
    if isinstance(spec, str) and re.fullmatch(r"[A-Z]{3}", spec):
        return lambda _payload: spec
    read = compile_text(spec)

    def code(payload: Any) -> str | None:
        text = read(payload)
        return None if text is None else currency_code(text)

    return code


def _with_children(origin: Origin, children: Children, payload: Any) -> Any:
    return origin(payload, children)


def _rank(text: str | None) -> tuple[int, Decimal, str]:
    try:
        return (0, Decimal(text or "x"), "")
    except ArithmeticError:
        return (1, Decimal(0), text or "")


def _plain_number(value: Any) -> Any:
    """Detail keeps what the source says; a number beyond JSON's habit stays its text."""
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value)
    return value


def _table(schema: Any, rows: Sequence[tuple[Any, ...]]) -> Any:
    return table(schema, list(zip(*rows, strict=True))) if rows else schema.empty_table()

"""Writes to an HTTP source as a stream's `write` says: a request for a batch, a receipt for each change.

A batch that is refused as a whole is halved until the rows that the source does not take stand alone: values are set,
so that sending the others again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from connectors.errors import SourceConfigurationError
from connectors.http import Answer, Call
from connectors.manifest import Stream
from connectors.page import Change, Receipt, StreamRequest, Writing
from connectors.paths import as_text, compile_path, compile_paths
from connectors.rest.asking import Asking
from connectors.templates import fill, render
from connectors.write import InOrder, Look, Told, Write

MESSAGE = 200
"""Characters of a source's words that are kept."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one stream. `asking` is how the stream is read: its place, its engine, its names."""

    asking: Asking
    rule: Write

    def describe(self, request: StreamRequest, fields: Sequence[str]) -> Writing:
        """How these fields are written. Raises SourceConfigurationError for one that cannot be."""
        for field in fields:
            if not self.rule.may_write(field):
                hint = f"Names of fields that can: {self.rule.fields}"
                message = f"the field {field!r} cannot be written"
                raise self.asking.error(SourceConfigurationError, message, hint=hint)
        own = self.asking.stream
        times = [path for path in (request.updated_at, own.updated_at) if path]
        marks = tuple(dict.fromkeys([*times, *self.rule.marks, *own.volatile, *request.volatile]))
        paths = {field: self.rule.path_of(field) for field in fields}
        return Writing(self.rule.batch, paths, marks, self.rule.look is not None, self.rule.can_empty)

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """A receipt for each change, in their order. Raises a ConnectorError where nothing can be said."""
        if not changes:
            return []
        tables = self._tables(changes)
        answer = self._fetch(self._call(changes, tables))
        if answer.refusal is None:
            return self._receipts(changes, answer)
        if len(changes) > 1:
            middle = len(changes) // 2
            return self.send(changes[:middle]) + self.send(changes[middle:])
        return [self._refused_whole(changes[0], answer)]

    def look(self, keys: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What stands in the fields now, by key; what is gone is missing."""
        getters = {field: compile_path(self.rule.path_of(field)).get for field in fields}
        return {
            key: {field: get(record) for field, get in getters.items()}
            for key, record in self._records(keys, fields).items()
        }

    def _records(self, keys: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        look = self.rule.look
        if look is None:
            return {}
        found: dict[str, dict[str, Any]] = {}
        for first in range(0, len(keys), self.rule.batch):
            some = [self._key(key) for key in keys[first : first + self.rule.batch]]
            found |= self._asked(look, {"key": some[0], "keys": some, "names": list(fields)})
        return {key: found[key] for key in keys if key in found}

    def _asked(self, look: Look, names: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        own = self.asking.stream
        question = Stream.model_validate({**look.model_dump(), "headers": own.headers, "encoding": own.encoding})
        asking = replace(self.asking, stream=question)
        call = replace(asking.call({}, names, 1), keeps_errors=True)
        answer = self._fetch(call)
        if answer.refusal is not None and answer.status == 404:
            return {}
        if answer.refusal is not None:
            raise asking.error(SourceConfigurationError, answer.refusal, call.place)
        key = compile_path(own.key if isinstance(own.key, str) else "id").get
        records = [record for record in asking.records(answer, call.place) if isinstance(record, dict)]
        return {text: record for record in records if (text := as_text(key(record))) is not None}

    def _tables(self, changes: Sequence[Change]) -> dict[str, list[Any]]:
        """The tables of the changed records as they stand now, for those with fields that are rows of it."""
        table = self.rule.table
        wanted = [one.key for one in changes if any(map(self.rule.is_in_table, one.fields))]
        if table is None or not wanted:
            return {}
        get = compile_path(table.into).get
        return {key: list(get(record) or []) for key, record in self._records(wanted, [table.into]).items()}

    def _call(self, changes: Sequence[Change], tables: Mapping[str, list[Any]]) -> Call:
        rows = [self._row(change, tables.get(change.key, [])) for change in changes]
        names: dict[str, Any] = {**rows[0], "rows": rows, "token": _token(changes)}
        own = self.rule
        question = Stream.model_validate(
            {name: getattr(own, name) for name in ("path", "params", "headers", "body", "encoding", "weight")}
        ).model_copy(update={"method": own.method})
        asking = replace(self.asking, stream=question)

        def made() -> Call:
            return replace(asking.call({}, names, 1), keeps_errors=True, again=made)

        return made()

    def _row(self, change: Change, table: list[Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        pairs: list[dict[str, Any]] = []
        rule = self.rule
        for field, value in change.fields.items():
            written = rule.empty if value is None else as_text(value) if rule.as_text else value
            if rule.table is not None and rule.is_in_table(field):
                table = _with_row(table, rule.table.key, field, rule.table.value, written, rule.table.row)
                fields[rule.table.into] = table
            else:
                fields[field] = written
            pairs.append({"field": int(field) if rule.field_type == "number" else field, "value": written})
        return {"key": self._key(change.key), "fields": fields, "pairs": pairs, "token": change.token}

    def _key(self, key: str) -> Any:
        return int(key) if self.rule.key_type == "number" and key.isdecimal() else key

    def _fetch(self, call: Call) -> Answer:
        return self.asking.engine.fetch(call, self.asking.pause)

    # -- what the answer says -------------------------------------------------------------------------------------

    def _receipts(self, changes: Sequence[Change], answer: Answer) -> list[Receipt]:
        rule = self.rule.answer
        if rule.in_order is not None:
            return list(self._in_order(rule.in_order, changes, answer))
        refused = dict(_told(rule.refused, answer.data)) if rule.refused else {}
        accepted = {name for name, _ in _told(rule.accepted, answer.data)} if rule.accepted else None
        receipts = []
        for change in changes:
            name = fill(rule.named, {"key": change.key})
            if name in refused:
                receipts.append(self._refused(change, refused[name], rule.refused, answer))
            elif accepted is None or name in accepted:
                receipts.append(Receipt(change.key, "accepted", str(answer.status)))
            else:
                receipts.append(Receipt(change.key, "unknown", str(answer.status), "the answer does not name the row"))
        return receipts

    def _in_order(self, rule: InOrder, changes: Sequence[Change], answer: Answer) -> Iterator[Receipt]:
        found = compile_path(rule.rows).get(answer.data) if rule.rows else answer.data
        rows = found if isinstance(found, list) and len(found) == len(changes) else [None] * len(changes)
        is_ok = compile_path(rule.ok).get
        for change, row in zip(changes, rows, strict=True):
            if row is None:
                yield Receipt(change.key, "unknown", str(answer.status), "the answer has no row for it")
            elif is_ok(row) is True:
                yield Receipt(change.key, "accepted", str(answer.status))
            else:
                yield self._refused(change, row, rule, answer)

    def _refused(self, change: Change, row: Any, rule: Told | InOrder | None, answer: Answer) -> Receipt:
        code = _text_at(rule.code if rule else None, row) or str(answer.status)
        status = "unknown" if code in self.rule.answer.busy else "refused"
        return Receipt(change.key, status, code, self._words(_text_at(rule.message if rule else None, row), change))

    def _refused_whole(self, change: Change, answer: Answer) -> Receipt:
        code = _text_at(self.rule.answer.code, answer.data) or (str(answer.status) if answer.status >= 400 else "error")
        status = "unknown" if code in self.rule.answer.busy else "refused"
        return Receipt(change.key, status, code, self._words(answer.refusal, change))

    def _words(self, text: str | None, change: Change) -> str | None:
        """The source's words without secrets and without the values, which are a client's data."""
        if not text:
            return None
        text = self.asking.engine.scrub(text)
        for value in sorted((as_text(one) or "" for one in change.fields.values()), key=len, reverse=True):
            if len(value) > 2:
                text = text.replace(value, "***")
        return text[:MESSAGE]


def _told(rule: Told | None, data: Any) -> Iterator[tuple[str, Any]]:
    """Name and row of each row that is told of."""
    if rule is None:
        return
    found = compile_path(rule.rows).get(data) if rule.rows else data
    if rule.shape == "map":
        # PHP writes an empty object as an empty list.
        yield from ((str(name), row) for name, row in (found.items() if isinstance(found, Mapping) else ()))
        return
    paths = compile_paths(rule.key or ())
    for row in found if isinstance(found, list) else ():
        for one in (value for path in paths for value in path.all(row)):
            for name in one if isinstance(one, list) else [one]:
                if (text := as_text(name)) is not None:
                    yield text, row


def _with_row(table: list[Any], key: str, field: str, member: str, value: Any, new: Mapping[str, Any]) -> list[Any]:
    """The table with the value in its row, which stands at its end if there was none."""
    if any(isinstance(row, Mapping) and row.get(key) == field for row in table):
        return [{**row, member: value} if row.get(key) == field else row for row in table]
    row = {key: field, member: value, **render(new, {"field": field, "value": value})}
    number = "LineNumber"
    return [*table, {number: str(len(table) + 1), **row} if any(number in one for one in table) else row]


def _text_at(path: str | None, data: Any) -> str | None:
    return as_text(compile_path(path).get(data)) if path is not None else None


def _token(changes: Sequence[Change]) -> str:
    """The idempotence key of a batch: that of its only change, or made of all."""
    if len(changes) == 1:
        return changes[0].token
    return blake2b("\n".join(one.token for one in changes).encode(), digest_size=16).hexdigest()

"""Records of persons and organisations: heads, values in long form, and where they work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from identity.schema import HEAD, VALUE
from onefold.configuration.attributes import Attribute
from onefold.configuration.base import When
from onefold.configuration.sources import Defaults, StreamConfiguration
from onefold.mapping.batch import Mapped, Reject, table
from onefold.mapping.dates import MONTH_FIRST, moment_reader
from onefold.mapping.origins import Children, compile_origin, compile_when, needs_children
from onefold.mapping.references import RelationshipRow, compile_relationship
from onefold.mapping.transforms import Unreadable
from onefold.mapping.values import Cleaned, cleaner, plain
from warehouse.shapes import RELATIONSHIP

NAME_OF_KIND = {"person": "full_name", "organisation": "legal_name"}


class FieldPlan(NamedTuple):
    """How one attribute is filled."""

    attribute: str
    read: Callable[[Any], Any] | None
    """For a single path: the quick way."""
    origins: tuple[Callable[[Any, Children], Any], ...]
    is_multi: bool
    clean: Callable[[Any], Cleaned] | None


class PartyMapper:
    """Maps one stream's records to heads, values and relationships."""

    def __init__(
        self,
        source: str,
        name: str,
        stream: StreamConfiguration,
        attributes: Mapping[str, Attribute],
        defaults: Defaults,
    ) -> None:
        self._source, self._name, self._country = source, name, defaults.country
        as_ = stream.as_
        self._kind: Callable[[Any], Any] | None = compile_when(as_) if isinstance(as_, When) else None
        self._fixed_kind = as_ if isinstance(as_, str) else None
        self._role = _role(stream.role)
        self._plans = [
            _plan(attribute, origins, attributes[attribute]) for attribute, origins in (stream.fields or {}).items()
        ]
        self.needs_children = any(needs_children(origins) for origins in (stream.fields or {}).values())
        moment = moment_reader(defaults.timezone or "UTC", defaults.country in MONTH_FIRST)
        self._links = [
            (f"works_at[{i}]", compile_relationship(link, "works_at", source, moment))
            for i, link in enumerate(stream.works_at or [])
        ] + [
            (f"relationships[{i}]", compile_relationship(link, link.type, source, moment))
            for i, link in enumerate(stream.relationships or [])
        ]

    def map(self, rows: Sequence[tuple[int, str, Any, datetime | None, Children]], mapped: Mapped) -> None:
        """Fill `mapped` from decoded rows (record id, key, payload object, updated at, children)."""
        ids: list[int] = []
        keys: list[str] = []
        kinds: list[str] = []
        roles: list[str] = []
        updated: list[datetime | None] = []
        values = _Values(mapped.rejects, mapped.repairs)
        links: list[RelationshipRow] = []
        for record_id, key, payload, updated_at, children in rows:
            kind = self._fixed_kind or (self._kind(payload) if self._kind else None)
            if kind is None:
                detail = "the value that chooses between person and organisation is none of those configured"
                mapped.rejects.append(Reject(record_id, "unknown-kind", detail, "as"))
                continue
            values.begin(len(ids), record_id)
            ids.append(record_id)
            keys.append(key)
            kinds.append(kind)
            roles.append(self._role(payload) or "client")
            updated.append(updated_at)
            values.fill(self._plans, payload, children, kind)
            for path, relationships in self._links:
                try:
                    links.extend(relationships(payload, record_id))
                except Unreadable as error:
                    mapped.rejects.append(Reject(record_id, error.reason, str(error), path, True))
        count = len(ids)
        columns: list[Sequence[object]] = [
            ids,
            [self._source] * count,
            [self._name] * count,
            keys,
            kinds,
            roles,
            [self._country] * count,
            updated,
        ]
        mapped.head = table(HEAD, columns)
        mapped.values = values.table()
        if links:
            mapped.relationships = table(RELATIONSHIP, list(zip(*links, strict=True)))


class _Values:
    """The VALUE table in the making."""

    def __init__(self, rejects: list[Reject], repairs: Counter[str]) -> None:
        self._rows: list[int] = []
        self._attributes: list[str] = []
        self._values: list[str] = []
        self._repairs: list[str | None] = []
        self._rejects, self._counted = rejects, repairs
        self._row = self._record_id = 0

    def begin(self, row: int, record_id: int) -> None:
        self._row, self._record_id = row, record_id

    def fill(self, plans: Sequence[FieldPlan], payload: Any, children: Children, kind: str) -> None:
        row = self._row
        add_row, add_attribute = self._rows.append, self._attributes.append
        add_value, add_repair = self._values.append, self._repairs.append
        for attribute, read, origins, is_multi, clean in plans:
            try:
                if read is not None:
                    value = read(payload)
                    if value is None:
                        continue
                    if clean is None and type(value) is str:
                        value = value.strip()
                        if value:
                            add_row(row)
                            add_attribute(attribute if attribute != "name" else NAME_OF_KIND[kind])
                            add_value(value)
                            add_repair(None)
                        continue
                    found = value if isinstance(value, list) else (value,)
                else:
                    found = _collect(origins, payload, children)
            except Unreadable as error:
                self._reject(attribute, error)
                continue
            self._slow(attribute if attribute != "name" else NAME_OF_KIND[kind], found, is_multi, clean or plain)

    def _slow(self, attribute: str, found: Sequence[Any], is_multi: bool, clean: Callable[[Any], Cleaned]) -> None:
        seen: set[str] = set()
        for value in found:
            if value is None:
                continue
            try:
                cleaned = clean(value)
            except Unreadable as error:
                self._reject(attribute, error)
                continue
            if cleaned is None or cleaned[0] in seen:
                continue
            text, repair = cleaned
            seen.add(text)
            self._rows.append(self._row)
            self._attributes.append(attribute)
            self._values.append(text)
            self._repairs.append(repair)
            if repair is not None:
                self._counted[repair] += 1
            if not is_multi:
                return

    def _reject(self, attribute: str, error: Unreadable) -> None:
        self._rejects.append(Reject(self._record_id, error.reason, str(error), f"fields.{attribute}", True))

    def table(self) -> pa.Table:
        return table(VALUE, [self._rows, self._attributes, self._values, self._repairs])


def _plan(attribute: str, specs: Sequence[object], known: Attribute) -> FieldPlan:
    clean = cleaner(known.type)
    if len(specs) == 1 and isinstance(specs[0], str):
        from onefold.mapping.paths import compile_reader

        return FieldPlan(attribute, compile_reader(specs[0]), (), known.multi, clean)
    return FieldPlan(attribute, None, tuple(compile_origin(spec) for spec in specs), known.multi, clean)


def _collect(origins: Sequence[Callable[[Any, Children], Any]], payload: Any, children: Children) -> list[Any]:
    found: list[Any] = []
    for origin in origins:
        value = origin(payload, children)
        if value is None:
            continue
        if isinstance(value, list):
            found.extend(value)
        else:
            found.append(value)
    return found


def _role(rule: object) -> Callable[[Any], str | None]:
    if isinstance(rule, When):
        return compile_when(rule)
    word = rule if isinstance(rule, str) else "client"
    return lambda _payload: word

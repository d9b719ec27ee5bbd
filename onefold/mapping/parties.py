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

_TEXT = {str, type(None)}
NAME_OF_KIND = {"person": "full_name", "organisation": "legal_name"}


class FieldPlan(NamedTuple):
    """How one attribute is filled."""

    attribute: str
    read: Callable[[Any], Any] | None
    """For a single path: the quick way."""
    origins: tuple[Callable[[Any, Children], Any], ...]
    is_multi: bool
    clean: Callable[[Any], Cleaned] | None
    top_level: str | None = None
    """The field of the payload, when it is nothing more: read for all records at once."""


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
        read: list[tuple[Any, Children]] = []
        links: list[RelationshipRow] = []
        for record_id, key, payload, updated_at, children in rows:
            kind = self._fixed_kind or (self._kind(payload) if self._kind else None)
            if kind is None:
                detail = "the value that chooses between person and organisation is none of those configured"
                mapped.rejects.append(Reject(record_id, "unknown-kind", detail, "as"))
                continue
            ids.append(record_id)
            keys.append(key)
            kinds.append(kind)
            roles.append(self._role(payload) or "client")
            updated.append(updated_at)
            read.append((payload, children))
            for path, relationships in self._links:
                try:
                    links.extend(relationships(payload, record_id))
                except Unreadable as error:
                    mapped.rejects.append(Reject(record_id, error.reason, str(error), path, True))
        values = _Values(ids, mapped.rejects, mapped.repairs)
        for plan in self._plans:
            values.fill(plan, read, kinds)
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
    """The VALUE table in the making, attribute after attribute."""

    def __init__(self, record_ids: Sequence[int], rejects: list[Reject], repairs: Counter[str]) -> None:
        self._parts: list[pa.Table] = []
        self._record_ids, self._rejects, self._counted = record_ids, rejects, repairs

    def fill(self, plan: FieldPlan, read: Sequence[tuple[Any, Children]], kinds: Sequence[str]) -> None:
        """One attribute of all records."""
        if plan.top_level is not None:
            name = plan.top_level
            column = [payload.get(name) for payload, _ in read]
            if set(map(type, column)) <= _TEXT:
                self._fill_texts(plan, column, kinds)
                return
        self._fill_one_by_one(plan, read, kinds)

    def _fill_texts(self, plan: FieldPlan, column: Sequence[str | None], kinds: Sequence[str]) -> None:
        """One attribute of which every record has one text, or none."""
        if plan.clean is None:
            stripped = [text.strip() or None if text else None for text in column]
            rows = [row for row, text in enumerate(stripped) if text]
            self._add(plan, kinds, rows, [text for text in stripped if text], None)
            return
        found: list[tuple[int, str, str | None]] = []
        for row, value in enumerate(column):
            if value is None:
                continue
            try:
                cleaned = plan.clean(value)
            except Unreadable as error:
                self._reject(row, plan.attribute, error)
                continue
            if cleaned is not None:
                found.append((row, *cleaned))
        rows = [row for row, _, _ in found]
        repairs = [repair for _, _, repair in found]
        mended = [repair for repair in repairs if repair is not None]
        self._counted.update(mended)
        self._add(plan, kinds, rows, [text for _, text, _ in found], repairs if mended else None)

    def _fill_one_by_one(self, plan: FieldPlan, read: Sequence[tuple[Any, Children]], kinds: Sequence[str]) -> None:
        rows: list[int] = []
        texts: list[str] = []
        repairs: list[str | None] = []
        needs_no_cleaning = plan.clean is None
        for row, (payload, children) in enumerate(read):
            try:
                if plan.read is not None:
                    value = plan.read(payload)
                    if value is None:
                        continue
                    if needs_no_cleaning and type(value) is str:
                        if text := value.strip():
                            rows.append(row)
                            texts.append(text)
                            repairs.append(None)
                        continue
                    found = value if isinstance(value, list) else (value,)
                else:
                    found = _collect(plan.origins, payload, children)
            except Unreadable as error:
                self._reject(row, plan.attribute, error)
                continue
            for text, repair in self._cleaned(row, plan, found):
                rows.append(row)
                texts.append(text)
                repairs.append(repair)
        self._add(plan, kinds, rows, texts, repairs if self._counted else None)

    def _add(
        self,
        plan: FieldPlan,
        kinds: Sequence[str],
        rows: Sequence[int],
        texts: Sequence[str],
        repairs: Sequence[str | None] | None,
    ) -> None:
        if plan.attribute == "name":
            attributes = pa.array([NAME_OF_KIND[kinds[row]] for row in rows], pa.string())
        else:
            attributes = pa.repeat(pa.scalar(plan.attribute, pa.string()), len(rows))
        mended = pa.nulls(len(rows), pa.string()) if repairs is None else pa.array(repairs, pa.string())
        columns = [pa.array(rows, pa.int32()), attributes, pa.array(texts, pa.string()), mended]
        self._parts.append(pa.Table.from_arrays(columns, schema=VALUE))

    def _cleaned(self, row: int, plan: FieldPlan, found: Sequence[Any]) -> list[tuple[str, str | None]]:
        """The distinct values of one record, of a single attribute the first."""
        clean = plan.clean or plain
        kept: dict[str, str | None] = {}
        for value in found:
            if value is None:
                continue
            try:
                cleaned = clean(value)
            except Unreadable as error:
                self._reject(row, plan.attribute, error)
                continue
            if cleaned is None or cleaned[0] in kept:
                continue
            text, repair = cleaned
            kept[text] = repair
            if repair is not None:
                self._counted[repair] += 1
            if not plan.is_multi:
                break
        return list(kept.items())

    def _reject(self, row: int, attribute: str, error: Unreadable) -> None:
        path = f"fields.{attribute}"
        self._rejects.append(Reject(self._record_ids[row], error.reason, str(error), path, True))

    def table(self) -> pa.Table:
        """All values; those of one record and attribute in their order."""
        return pa.concat_tables(self._parts) if self._parts else VALUE.empty_table()


def _plan(attribute: str, specs: Sequence[object], known: Attribute) -> FieldPlan:
    clean = cleaner(known.type)
    if len(specs) == 1 and isinstance(specs[0], str):
        from onefold.mapping.paths import compile_reader, top_level_name

        read = compile_reader(specs[0])
        return FieldPlan(attribute, read, (), known.multi, clean, top_level_name(specs[0]))
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

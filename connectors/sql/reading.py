"""One pass over a relation, cut into pages that can be resumed.

A *full* pass goes by key; a pass of *changes* goes by (time of change, key) from `since` less the lookback
up to the highest
time that stood there when the pass began, and then over rows without a time. Rows without a key come last
in a full pass,
so that they are told of. State:

    {"reading": hash, "pass": n, "since": mark, "swept_at": ISO time,
     "at": {"kind": "full" | "changes", "phase": ..., "after": [marks], "upper": mark, "from": mark}}     #
     within a pass
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connectors.canonical import NotStorable, canonical, canonical_sorted, plain, plain_row
from connectors.page import Page, SnapshotMark
from connectors.rest.flags import flagged
from connectors.rows import Assembled, Assembler, RowMaker, lot_size, reject
from connectors.sql.bulk import BulkMaker
from connectors.sql.marks import earlier, freeze, not_after, thaw
from connectors.sql.relation import Relation
from connectors.sql.settings import SqlOptions

_FLAT = frozenset({dict, list, tuple, set})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pass needs to know."""

    connection: sa.Connection
    relation: Relation
    maker: RowMaker
    options: SqlOptions
    timezone: str
    stream: str

    def pages(self, before: dict[str, Any], now: datetime) -> Iterator[Page]:
        """Pages from `before` on; the last one carries the state of the next pass."""
        at = before.get("at")
        if at and not self.relation.key and at["kind"] == "full":
            at = None  # Keyless rows have no order to resume in; their pass begins anew.
        resumed = at is not None
        at = dict(at) if at else self._begin(before, now)
        # Only passes that mark what they saw are counted, so that a run without news leaves the state as it
        # is.
        number = int(before.get("pass", 0)) + (1 if at["kind"] == "full" and not resumed else 0)
        state = {**before, "pass": number, "at": at}
        # The time makes it unlike any pass of an earlier, forgotten state.
        pass_id = f"{self.stream}-{number}-{at['began']}"
        is_full = at["kind"] == "full"
        held: Page | None = None
        for page in self._phases(at):
            if held is not None:
                yield held
            mark = SnapshotMark(pass_id, is_complete=False) if is_full else None
            held = replace(page, state={**state, "at": dict(at)}, snapshot=mark)
        final = {key: value for key, value in state.items() if key != "at"}
        if at["upper"] is not None:
            final["since"] = freeze(not_after(thaw(at["upper"]), now, self.timezone))
        if is_full and not isinstance(self.options.sweep, bool):
            final["swept_at"] = at["began"]
        complete = SnapshotMark(pass_id, is_complete=True) if is_full else None
        last = held or Page((), {})
        known = {key: value for key, value in before.items() if key != "at"} | {"pass": number}
        if held is not None or is_full or final != known:
            yield replace(last, state=final, snapshot=complete)

    def _begin(self, before: dict[str, Any], now: datetime) -> dict[str, Any]:
        upper, column = None, self.relation.updated_at
        if column:
            upper = self.connection.execute(sa.select(sa.func.max(self.relation.column(column)))).scalar()
        is_full = column is None or "since" not in before or self._is_sweep_due(before, now)
        first = "keyed" if is_full else "dated"
        since = None
        if not is_full and before.get("since") is not None:
            since = earlier(thaw(before["since"]), self.options.lookback, self.timezone)
        return {
            "kind": "full" if is_full else "changes", "phase": first, "after": None,
            "upper": freeze(upper), "from": freeze(since), "began": now.isoformat(),
        }  # fmt: skip

    def _is_sweep_due(self, before: dict[str, Any], now: datetime) -> bool:
        every = self.options.sweep
        if isinstance(every, bool):
            return every
        swept = before.get("swept_at")
        return swept is None or now - datetime.fromisoformat(swept) >= every

    def _phases(self, at: dict[str, Any]) -> Iterator[Page]:
        relation = self.relation
        order = {"full": ["keyed", "unkeyed"], "changes": ["dated", "undated"]}[at["kind"]]
        for phase in order[order.index(at["phase"]) :]:
            if phase != at["phase"]:
                at |= {"phase": phase, "after": None}
            statement, names = self._statement(phase, at)
            if statement is not None:
                yield from self._run(statement, names, at, relation)

    def _statement(self, phase: str, at: dict[str, Any]) -> tuple[sa.Select[Any] | None, tuple[str, ...]]:
        relation = self.relation
        statement, key = relation.select(), relation.key
        if phase == "unkeyed":
            loose = [relation.column(name).is_(None) for name in key if name in relation.nullable]
            return (statement.where(sa.or_(*loose)), ()) if loose else (None, ())
        if phase == "dated":
            assert relation.updated_at is not None
            changed = relation.column(relation.updated_at)
            if at["upper"] is None:
                return None, ()
            statement = statement.where(changed <= thaw(at["upper"]))
            if at["from"] is not None:
                statement = statement.where(changed >= thaw(at["from"]))
            names: tuple[str, ...] = (
                relation.updated_at,
                *(name for name in key if name != relation.updated_at),
            )
        else:
            names = key
            if phase == "undated":
                assert relation.updated_at is not None
                if relation.updated_at not in relation.nullable:
                    return None, ()
                statement = statement.where(relation.column(relation.updated_at).is_(None))
            else:
                present = [relation.column(name).is_not(None) for name in key if name in relation.nullable]
                statement = statement.where(*present) if present else statement
        if at["after"] is not None:
            statement = statement.where(relation.after(names, [thaw(value) for value in at["after"]]))
        return statement.order_by(*(relation.column(name) for name in names)), names

    def _run(
        self, statement: sa.Select[Any], names: tuple[str, ...], at: dict[str, Any], relation: Relation
    ) -> Iterator[Page]:
        columns = relation.columns
        places = [columns.index(name) for name in names]
        bulk = self._bulk()
        number = 0
        streaming = {"stream_results": True, "max_row_buffer": self.options.page_size}
        with self.connection.execute(statement, execution_options=streaming) as result:
            gone = flagged(self.options.deleted) if self.options.deleted else None
            page, count = Assembler(self.maker, lambda place: f"row {place}", is_deleted=gone), 0
            last: Any = None
            while rows := result.fetchmany(lot_size(self.options.page_size)):
                made = bulk.rows(rows) if bulk is not None else None
                if made is not None:
                    page.add_rows(range(number + 1, number + 1 + len(made)), made)
                else:
                    self._add(page, rows, number)
                number += len(rows)
                last, count = rows[-1], count + len(rows)
                if count >= self.options.page_size:
                    at["after"] = [freeze(last[place]) for place in places] or None
                    yield _page(page.finish())
                    count = 0
            if count:
                at["after"] = [freeze(last[place]) for place in places] or None
                yield _page(page.finish())

    def _bulk(self) -> BulkMaker | None:
        relation = self.relation
        if not relation.key or self.maker.has_volatile or self.options.deleted:
            return None
        return BulkMaker(relation.columns, relation.key, relation.updated_at, self.timezone)

    def _add(self, page: Assembler, rows: Sequence[Sequence[Any]], number: int) -> None:
        """Rows behind the `number`-th, each looked at by itself."""
        columns = self.relation.columns
        records: list[tuple[int, dict[str, Any]]] = []
        is_flat = True
        for row in rows:
            number += 1
            try:
                values = plain_row(tuple(row))
            except NotStorable as error:
                values = [_tolerated(value) for value in row]
                record = dict(zip(columns, values, strict=True))
                page.reject([(number, reject(record, "not-storable", str(error), ""))])
                continue
            if values.__class__ is list and is_flat:
                is_flat = _FLAT.isdisjoint(map(type, values))
            records.append((number, dict(zip(columns, values, strict=True))))
        page.add(records, canonical_sorted if is_flat else canonical)


def _page(made: Assembled) -> Page:
    return Page(made.rows, {}, made.tombstones, made.rejects, None, sum(len(row.payload) for row in made.rows))


def _tolerated(value: Any) -> Any:
    try:
        return plain(value)
    except NotStorable:
        return str(value)


def utc_now() -> datetime:
    """The clock of a pass; tests give their own."""
    return datetime.now(UTC)

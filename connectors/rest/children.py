"""Streams that are asked for parent by parent: the contacts of each company, in batches where the source takes lists.

The parents are asked anew in each pass (those that changed, where they can say so). State within a pass: "at" as in
`reading.py`, and "above": {"position": ..., "page": n, "index": n}, the parents that are done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.errors import SourceDataError
from connectors.manifest import Parent
from connectors.page import Page
from connectors.paths import as_text, compile_path
from connectors.rest.asking import Asking
from connectors.rest.changes import began_at, bounds
from connectors.rest.reading import Pass, Phase, State, assemble
from connectors.rows import Assembled, RowMaker
from connectors.times import as_timestamp

ENOUGH = 500
"""Records that make a page: one answer a parent would be a transaction a parent."""


class ChildPass(Pass):
    """One pass over the children of a stream's records."""

    def __init__(self, asking: Asking, maker: RowMaker, above: Asking, before: State, now: datetime) -> None:
        assert asking.stream.parent is not None
        self.parent: Parent = asking.stream.parent
        self.above = above
        self._getters = {name: compile_path(path).get for name, path in self.parent.values.items()}
        self._carried = {name: compile_path(path).get for name, path in self.parent.carry.items()}
        self._wanted = [(compile_path(path).get, text) for path, text in self.parent.where.items()]
        changed = compile_path(above.stream.updated_at).get if above.stream.updated_at else None
        self._parent_changed = changed
        super().__init__([Phase(asking, maker)], before, now)
        self.at.setdefault("above", {"position": above.stream.paging.start(), "page": 1, "index": 0})

    @property
    def _follows_parents(self) -> bool:
        """What changed is known by the parents' times."""
        return self.asking.stream.filter is None and self.parent.changed_only and self.above.stream.filter is not None

    def _begin(self) -> State:
        began = super()._begin()
        since = self.before.get("since")
        if self._follows_parents and since is not None and not self._is_sweep_due():
            began |= {"full": False, "since": since}
        return began

    def _final(self) -> State:
        final = super()._final()
        if self._follows_parents:
            marks = [text for text in (self.at["high"], self.before.get("since")) if text]
            if self._parent_changed is None:
                final["since"] = self.at["began"]
            elif marks:
                final["since"] = min(
                    [max(marks, key=datetime.fromisoformat), self.at["began"]], key=datetime.fromisoformat
                )
        return final

    def pages(self) -> Iterator[Page]:
        """Pages from the checkpoint to the end."""
        made, size = Assembled([], [], []), 0
        for found, read, is_last in self._answers():
            made.rows += found.rows
            made.tombstones += found.tombstones
            made.rejects += found.rejects
            size += read
            if is_last or len(made.rows) + len(made.rejects) >= ENOUGH:
                page = self._page(_last_of_each(made), is_last, size, None)
                if page is not None:
                    yield page
                made, size = Assembled([], [], []), 0

    def samples(self) -> Iterator[list[Any]]:
        """Records of the first parents' children."""
        for _, records, values, _ in self._groups():
            asking, position = self.asking, self.asking.stream.paging.start()
            call, answer = asking.fetch(position, {**self._own_moments(), **values}, 1)
            yield self._carry(asking.records(answer, call.place), records)

    def _answers(self) -> Iterator[tuple[Assembled, int, bool]]:
        """What each request brought, with the state moved behind it; the last is empty and says so."""
        asking, paging, number = self.asking, self.asking.stream.paging, int(self.at["page"])
        for done, parents, values, after in self._groups():
            position = self.at["position"] or paging.start()
            self._seen.clear()
            while position is not None:
                self._refuse_repeated([position], "a cursor or address", f"page {number}", "Check `paging`")
                call, answer = asking.fetch(position, {**self._own_moments(), **values}, number)
                records = self._carry(asking.records(answer, call.place), parents)
                made = assemble(self.maker, asking.stream.flags, records, f"{asking.stream.path} page {number}")
                try:
                    position = paging.advance(position, answer, records)
                except SourceDataError as error:
                    raise asking.error(SourceDataError, str(error), call.place) from None
                number += 1
                where = done if position is not None else after
                high = self.at["high"] if self._follows_parents else self._higher(made.rows)
                self.at = {**self.at, "position": position, "page": number, "above": where, "high": high}
                yield made, answer.size, False
        self.at["began"] = self.at["began"] or self.now.isoformat()
        yield Assembled([], [], []), 0, True

    def _groups(self) -> Iterator[tuple[State, list[Any], dict[str, Any], State]]:
        """Groups of parents with their values: where the group stands, and what stands behind it."""
        above, paging = self.above, self.above.stream.paging
        place = dict(self.at["above"])
        while place["position"] is not None:
            call, answer = above.fetch(place["position"], self._parent_moments(), place["page"])
            self.at["began"] = self.at["began"] or began_at(self.now, answer.headers.get("date"))
            records = above.records(answer, call.place)
            following = paging.advance(place["position"], answer, records)
            parents = [record for record in records if isinstance(record, dict) and self._is_wanted(record)]
            step = self.parent.batch or 1
            for index in range(int(place["index"]), len(parents), step):
                group = parents[index : index + step]
                values = self._values_of(group)
                if self._follows_parents:
                    self._raise_by(group)
                if values is not None:
                    yield {**place, "index": index}, group, values, {**place, "index": index + step}
            place = {"position": following, "page": place["page"] + 1, "index": 0}

    def _is_wanted(self, record: Mapping[str, Any]) -> bool:
        return all(as_text(get(record)) == text for get, text in self._wanted)

    def _values_of(self, group: list[Any]) -> dict[str, Any] | None:
        """{names} for the request; None where a parent has nothing to ask by."""
        found = {
            name: [value for record in group if (value := get(record)) is not None]
            for name, get in self._getters.items()
        }
        if any(not values for values in found.values()):
            return None
        return found if self.parent.batch else {name: values[0] for name, values in found.items()}

    def _carry(self, records: list[Any], group: list[Any]) -> list[Any]:
        if not self._carried:
            return records
        extra = {name: get(group[0]) for name, get in self._carried.items()}
        return [{**record, **extra} if isinstance(record, dict) else record for record in records]

    def _raise_by(self, group: list[Any]) -> None:
        for record in group:
            moment = as_timestamp(self._parent_changed(record), self.above.timezone) if self._parent_changed else None
            high = self.at["high"]
            if moment is not None and (high is None or moment > datetime.fromisoformat(high)):
                self.at["high"] = moment.isoformat()

    def _own_moments(self) -> dict[str, Any]:
        changes = self.asking.stream.filter
        return bounds(changes, self.at["since"], self.at["until"], self.asking.timezone) if changes else {}

    def _parent_moments(self) -> dict[str, Any]:
        changes = self.above.stream.filter
        if changes is None:
            return {}
        since = self.at["since"] if self._follows_parents else None
        return bounds(changes, since, self.at["until"], self.above.timezone)


def _last_of_each(made: Assembled) -> Assembled:
    """Several answers may hold one child; the last stands."""
    rows = {row.key: row for row in made.rows}
    return Assembled(list(rows.values()), list(dict.fromkeys(made.tombstones)), made.rejects)

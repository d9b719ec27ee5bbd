"""One pass over a stream of an HTTP source: its records, then the feeds of its deletions. State:

{"reading": hash, "pass": n, "since": ISO time, "swept_at": ISO time, "delta": {"url" | "token": ...},
 "at": {"full": bool, "since": ..., "until": ..., "began": ..., "high": ..., "phase": n, "position": {...}, "page": n,
        "span": [from, until], "count": n, "next": {...}}    # within a pass
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from connectors.canonical import canonical
from connectors.deletes import FlagDeletes
from connectors.errors import SourceDataError
from connectors.http import Answer, DeltaExpired
from connectors.manifest import Stream
from connectors.page import Page, RejectedRow, Row, SnapshotMark
from connectors.paging import Position
from connectors.paths import as_text, compile_path
from connectors.rest.ahead import Ahead
from connectors.rest.asking import Asking
from connectors.rest.beside import lay_beside
from connectors.rest.changes import began_at, bounds, lower_bound, next_since, written
from connectors.rest.flags import flagged, key_reader, plain_test
from connectors.rest.windows import first_span, halved, next_span
from connectors.rows import Assembled, Assembler, RowMaker, reject

log = logging.getLogger(__name__)

State = dict[str, Any]

PATIENCE = 10.0
"""Seconds that a reader who is closed waits for the answer that is under way."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A question of a pass: the stream itself, or a feed of its deletions."""

    asking: Asking
    maker: RowMaker
    is_feed: bool = False
    where: FlagDeletes | None = None
    """Of a feed: which of its records are deletions."""
    is_keys: bool = False
    """Of a feed: it gives the keys of all that is alive."""


class Pass:
    """One pass: where it stands, and the pages from there on."""

    def __init__(self, phases: Sequence[Phase], before: State, now: datetime) -> None:
        self.phases, self.before, self.now = phases, before, now
        self.asking, self.maker = phases[0].asking, phases[0].maker
        resumed = before.get("at")
        # What was begun by an earlier version of this package is begun anew.
        resumed = resumed if resumed and "phase" in resumed else None
        self._is_resumed = resumed is not None
        self.at: State = dict(resumed) if resumed else self._begin()
        self.marks = self._is_marking()
        # Only passes that mark what they saw are counted, so that a run without news leaves the state as it is.
        self.number = int(before.get("pass", 0)) + (1 if self._sweeps and not resumed else 0)
        self._seen: set[bytes] = set()
        self._living: set[str] = set()
        """Keys that this pass has shown, where it asks for changes only."""
        self._saved = before
        self._is_unfiltered = False
        self._ahead = Ahead()

    def _is_marking(self) -> bool:
        stream = self.asking.stream
        return bool(self.at["full"] and (stream.sweep is not None or stream.delta is not None))

    @property
    def _sweeps(self) -> bool:
        """This pass sees everything, by its records or by keys alone."""
        return self.marks or bool(self.at.get("by_keys"))

    def _begin(self) -> State:
        stream, since = self.asking.stream, self.before.get("since")
        delta = self.before.get("delta") if stream.delta else None
        is_first = delta is None if stream.delta else since is None or self._is_too_old(since)
        is_due = self._is_sweep_due()
        by_keys = is_due and not is_first and self.phases[-1].is_keys
        is_full = is_first or (is_due and not by_keys)
        at = {
            "full": is_full or stream.changes is None,
            "since": None if is_full else since,
            "until": self.now.isoformat(),
            "began": None,
            "high": None,
            "page": 1,
            "count": 0,
        }
        if delta and not is_full:
            at["delta"] = delta
        if by_keys:
            at["by_keys"] = True
        return {**at, **self._enter(at, 0)}

    def _enter(self, at: State, phase: int) -> State:
        """What the state says at the start of a phase."""
        stream = self.phases[phase].asking.stream
        started: State = {"phase": phase, "position": stream.paging.start(), "span": None, "count": 0}
        if phase == 0 and "url" in (at.get("delta") or {}):
            started["position"] = {"url": at["delta"]["url"]}
        if stream.filter is not None and stream.filter.is_windowed:
            low = lower_bound(stream.filter, at["since"])
            assert low is not None  # the manifest saw to it
            started["span"] = first_span(stream.filter, low, at["until"])
        return started

    def _is_sweep_due(self) -> bool:
        sweep, swept = self.asking.stream.sweep, self.before.get("swept_at")
        if sweep is None:
            return False
        return swept is None or self.now - datetime.fromisoformat(swept) >= sweep.every

    def _is_too_old(self, since: str) -> bool:
        """The source, or one of its feeds, no longer knows what changed so long ago."""
        known: list[timedelta] = [
            phase.asking.stream.filter.oldest
            for phase in self.phases
            if phase.asking.stream.filter and phase.asking.stream.filter.oldest
        ]
        return any(self.now - datetime.fromisoformat(since) > oldest for oldest in known)

    @property
    def pass_id(self) -> str:
        """The time makes it unlike any pass of an earlier, forgotten state."""
        return f"{self.asking.name}-{self.number}-{self.at['until']}"

    def pages(self) -> Iterator[Page]:
        """Pages from the checkpoint to the end; the last one carries the state of the next pass."""
        is_over = False
        try:
            while not is_over:
                try:
                    page, is_over = self._step()
                except DeltaExpired:
                    self._read_anew()
                    continue
                if page is not None:
                    yield page
        finally:
            self._ahead.forget(PATIENCE)

    def samples(self) -> Iterator[list[Any]]:
        """The records of page after page of the stream itself, as they come; no state."""
        position: Position | None = self.at["position"]
        number = 1
        while position is not None:
            call, answer = self.asking.fetch(position, self._moments(self.asking), number)
            records = self.asking.records(answer, call.place)
            lay_beside(self.asking, records, call.place)
            yield records
            position = self.asking.stream.paging.advance(position, answer, records)
            number += 1

    def told_total(self) -> int | None:
        """How many records the first page says that there are."""
        _, answer = self.asking.fetch(self.at["position"], self._moments(self.asking), 1)
        return self.asking.stream.paging.total_of(answer)

    def _read_anew(self) -> None:
        if self.at["full"] and not self._is_resumed:
            raise self.asking.error(SourceDataError, "the source refuses its delta token, though everything was asked")
        # A cursor that a checkpoint kept may be too old by now: the pass is begun once more.
        self._is_resumed = False
        log.warning("%s:%s: the token has expired; the pass begins anew", self.asking.source, self.asking.name)
        self.before = {name: value for name, value in self.before.items() if name not in ("delta", "at")}
        self.at = self._begin()
        self.marks = self._is_marking()
        self.number = int(self.before.get("pass", 0)) + (1 if self._sweeps else 0)
        self.maker.restart()
        self._seen.clear()
        self._living.clear()

    def _step(self) -> tuple[Page | None, bool]:
        """One page, None where it brings nothing new, and whether it is the last."""
        phase = self.phases[self.at["phase"]]
        asking, position, number = phase.asking, self.at["position"], int(self.at["page"])
        self._refuse_repeated([position], "a cursor or address", f"page {number}", "Check `paging`")
        moments = self._moments(asking)
        call, answer = self._ahead.take((asking, position, moments, number))
        began = self.at["began"] or began_at(self.now, answer.headers.get("date"))
        records = asking.records(answer, call.place)
        lay_beside(asking, records, call.place)
        try:
            following = asking.stream.paging.advance(position, answer, records)
        except SourceDataError as error:
            raise asking.error(SourceDataError, str(error), call.place) from None
        if following is not None and not self._may_split(asking):
            self._ahead.ask((asking, following, moments, number + 1))
        made = self._made(phase, records, number)
        if not phase.is_feed:
            self._verify(asking, made.rows)
        if (made.rows and not self.maker.is_keyless) or made.shown:
            hint = "Check `paging`: does the source know its parameters, and how does it end?"
            # With what is deleted: behind it an overlap may bring the page's one living record again.
            seen = [*(row.digest.hex() for row in made.rows), *made.tombstones, *(made.shown or ()), len(records)]
            self._refuse_repeated(seen, "the same page", call.place, hint)
        if following is not None and "back" in following:  # the set has shifted: pages come again
            self._seen.clear()
        self.at = {
            **self.at,
            "began": began,
            "high": self._higher(made.rows),
            "position": following,
            "page": number + 1,
            "count": self.at["count"] + len(records),
        }
        if not phase.is_feed and asking.stream.delta is not None and following is None:
            self.at["next"] = self._delta_of(asking.stream, answer)
        is_last = not self._go_on(asking, asking.stream.paging.total_of(answer), call.place)
        return self._page(made, is_last, answer.size, asking.stream.paging.total_of(answer)), is_last

    def _verify(self, asking: Asking, rows: Sequence[Row]) -> None:
        """Say once when the source has not filtered: nothing is lost, but every pass reads everything."""
        changes, since = asking.stream.filter, self.at["since"]
        if changes is None or not changes.verify or since is None or self._is_unfiltered:
            return
        low = datetime.fromisoformat(since) - changes.lookback - timedelta(seconds=1)
        if any(row.updated_at is not None and row.updated_at < low for row in rows):
            self._is_unfiltered = True
            message = "%s:%s: the source ignores the filter on the time of change; every pass reads everything"
            log.warning(message, asking.source, asking.name)

    def _page(self, made: Assembled, is_last: bool, size: int, total: int | None) -> Page | None:
        state = self._final() if is_last else {**self.before, "pass": self.number, "at": dict(self.at)}
        sees = self.marks or made.shown is not None
        mark = SnapshotMark(self.pass_id, is_last, shown=made.shown) if sees else None
        # A run without news leaves the state as it is; a state within a pass must not stay behind.
        if made.rows or made.tombstones or made.rejects or mark or (is_last and state != self._saved):
            self._saved = state
            return Page(made.rows, state, made.tombstones, made.rejects, mark, size, total)
        return None

    def _moments(self, asking: Asking) -> dict[str, Any]:
        changes, span = asking.stream.filter, self.at.get("span")
        if changes is not None and span is not None:
            low, high = (datetime.fromisoformat(text) for text in span)
            return {
                "since": written(low, changes.format, asking.timezone),
                "until": written(high, changes.format, asking.timezone),
            }
        if changes is not None:
            return bounds(changes, self.at["since"], self.at["until"], asking.timezone)
        delta = self.at.get("delta")
        return {} if delta is None else {"is_delta": True, "delta": delta.get("token")}

    def _may_split(self, asking: Asking) -> bool:
        """What is asked next depends on how much came."""
        changes = asking.stream.filter
        return changes is not None and changes.cap is not None and self.at.get("span") is not None

    def _go_on(self, asking: Asking, total: int | None, place: str) -> bool:
        """Move to the next question where this one is answered; False: there is none."""
        changes, span = asking.stream.filter, self.at.get("span")
        cap = changes.cap if changes is not None else None
        if span is not None and cap is not None and (self.at["count"] >= cap or (total or 0) > cap):
            half = halved(span)
            if half is None:
                message = f"{cap} records or more changed within one second, the most that one question brings"
                raise asking.error(SourceDataError, message, place, "Use a paging by keyset")
            self._ask_anew(asking, half)
            return True
        if self.at["position"] is not None:
            return True
        if changes is not None and span is not None:
            following = next_span(changes, span, self.at["until"])
            if following is not None:
                self._ask_anew(asking, following)
                return True
        phase = int(self.at["phase"]) + 1
        # A pass that sees everything needs no feed.
        if phase >= len(self.phases) or self.marks or (self.phases[phase].is_keys and not self.at.get("by_keys")):
            return False
        self._seen.clear()
        self.at = {**self.at, **self._enter(self.at, phase)}
        return True

    def _ask_anew(self, asking: Asking, span: list[str]) -> None:
        self._seen.clear()
        self.at = {**self.at, "span": span, "position": asking.stream.paging.start(), "count": 0}

    def _made(self, phase: Phase, records: list[Any], number: int) -> Assembled:
        path = phase.asking.stream.path
        if phase.is_keys:
            return Assembled([], [], [], self._shown(phase, records, f"{path} page {number}"))
        if phase.is_feed:
            gone = _gone(phase, records, f"{path} page {number}")
            # Names are given again (ERPNext): that one was deleted before it was made anew. One that went since it was
            # shown is told once more by the next pass, which begins no later than this one.
            gone.tombstones[:] = [key for key in gone.tombstones if key not in self._living]
            return gone
        made = assemble(phase.maker, phase.asking.stream.flags, records, f"{path} page {number}")
        if not self.at["full"] and len(self.phases) > 1:
            self._living.update(row.key for row in made.rows)
        return made

    def _shown(self, phase: Phase, records: list[Any], place: str) -> list[str]:
        """Keys. Raises SourceDataError for a record without one: what it is would count as deleted."""
        keys = [phase.maker.key_of(record) for record in records]
        found = [key for key in keys if key is not None]
        if len(found) < len(keys):
            hint = "Check `deletes.keys` and `key`: the question must bring the key"
            raise phase.asking.error(SourceDataError, "a sweep by keys brings records without their key", place, hint)
        return found

    def _final(self) -> State:
        stream = self.asking.stream
        kept = {name: value for name, value in self.before.items() if name not in ("at", "delta")}
        final = kept | {"pass": self.number}
        if stream.filter is not None:
            since = next_since(
                self.at["high"], self.before.get("since"), self.at["began"], has_times=self.maker.has_times
            )
            if since is not None:
                final["since"] = since
        if stream.delta is not None and self.at.get("next"):
            final["delta"] = self.at["next"]
        if self._sweeps and stream.sweep is not None and stream.sweep.every:
            final["swept_at"] = self.at["until"]
        return final

    def _delta_of(self, stream: Stream, answer: Answer) -> State | None:
        """Where the next pass begins."""
        assert stream.delta is not None
        found = as_text(compile_path(stream.delta.link or stream.delta.token or "").get(answer.data))
        if not found:
            log.warning("%s:%s: the last page holds no delta token", self.asking.source, self.asking.name)
            return None
        return {"url": str(answer.url.join(found))} if stream.delta.link else {"token": found}

    def _higher(self, rows: Sequence[Row]) -> str | None:
        high: str | None = self.at["high"]
        latest = max((row.updated_at for row in rows if row.updated_at is not None), default=None)
        if latest is not None and (high is None or latest > datetime.fromisoformat(high)):
            return latest.isoformat()
        return high

    def _refuse_repeated(self, what: list[Any], name: str, place: str, hint: str) -> None:
        mark = blake2b(canonical([name, *what]), digest_size=8).digest()
        if mark in self._seen:
            message = f"the source gave {name} a second time; reading on would never end"
            raise self.asking.error(SourceDataError, message, place, hint)
        self._seen.add(mark)


def assemble(maker: RowMaker, rules: Sequence[FlagDeletes], records: Sequence[Any], place: str) -> Assembled:
    """A page's rows, and tombstones for records that say they are deleted."""
    own_key = key_reader(rules)
    assembler = Assembler(maker, lambda number: f"{place} record {number}", is_deleted=plain_test(rules))
    numbered = enumerate(records, start=1)
    gone: list[str] = []
    if own_key is None:
        assembler.add(numbered)
    else:
        keyed = [(number, record, own_key(record)) for number, record in numbered]
        assembler.add((number, record) for number, record, key in keyed if key is None)
        gone += [key for _, _, key in keyed if key is not None]
    made = assembler.finish()
    made.tombstones.extend(gone)
    return made


def _gone(phase: Phase, records: Sequence[Any], place: str) -> Assembled:
    """The keys that a feed says are deleted."""
    test = flagged(phase.where) if phase.where else None
    keys: dict[str, None] = {}
    rejects: list[RejectedRow] = []
    for number, record in enumerate(records, start=1):
        if test is not None and not test(record):
            continue
        key = phase.maker.key_of(record)
        if key is None:
            detail = "a deletion without the key of what was deleted"
            rejects.append(reject(record, "missing-key", detail, f"{place} record {number}"))
        else:
            keys[key] = None
    return Assembled([], list(keys), rejects)


def phases_of(asking: Asking, maker: RowMaker, key: str | Sequence[str]) -> list[Phase]:
    """The questions of a stream's pass."""
    found = [Phase(asking, maker)]
    for feed, where in asking.stream.feeds():
        own = feed.key if feed.key is not None and feed.key != asking.stream.key else key
        feed_maker = RowMaker(own, source=asking.source, stream=asking.name)
        found.append(Phase(replace(asking, stream=feed), feed_maker, True, where))
    alone = asking.stream.keys_alone()
    if alone is not None:
        found.append(Phase(replace(asking, stream=alone), maker, True, is_keys=True))
    return found

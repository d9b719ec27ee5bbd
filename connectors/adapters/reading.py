"""Cuts a package's messages into pages: rows, tombstones, the last checkpoint, and the passes that show deletions.

State (what the package itself says stands under `state`, and is given back to it unread):

    {"reading": hash of key and options, "state": ..., "passes": n, "swept_at": time, "version": active table version,
     "pass": {"id": ..., "version": ..., "activated": ..., "spoiled": ...}}      # only within a pass
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from connectors.canonical import canonical
from connectors.errors import SourceDataError
from connectors.page import Page, RejectedRow, Row, SnapshotMark, State, StreamRequest
from connectors.rows import RowMaker

log = logging.getLogger(__name__)

MAX_BYTES = 32 * 1024 * 1024
"""Payload of one page, give or take a record: what is kept in memory."""

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream is read."""

    page_size: int
    is_whole: bool
    """The package reads the whole stream on every run."""
    sweep: bool | timedelta | None
    deleted: str
    """The field that says, when it is filled, that the record is deleted."""
    noise: frozenset[str]
    """Fields that the package adds and that change without the record's doing."""
    options: Any = None
    """What else changes the meaning of a row or checkpoint, as JSON."""


class Cutter:
    """The pages of one run over one stream. A protocol feeds it; full pages stand in `ready`."""

    def __init__(self, source: str, request: StreamRequest, before: State | None, plan: Plan, now: datetime) -> None:
        self.source, self.request, self._plan, self._now = source, request, plan, now
        self._names = (source, request.name)
        self.ready: deque[Page] = deque()
        self._maker: RowMaker | None = None
        self._noise = plan.noise - {request.updated_at}
        self._rows: dict[str, Row] = {}
        self._deleted: dict[str, None] = {}
        self._rejects: list[RejectedRow] = []
        self._count = self._bytes = self._number = 0
        self._cut_at = time.monotonic()
        self._key: tuple[str, ...] | None = None
        self._landed: dict[str, Any] = dict(before or {})
        self._state = self._begin(dict(before or {}))

    def _begin(self, before: dict[str, Any]) -> dict[str, Any]:
        request = self.request
        what = [request.key, request.updated_at, list(request.volatile), request.timezone, self._plan.options]
        reading = blake2b(canonical(what), digest_size=8).hexdigest()
        if before.get("reading") != reading:
            before = {"reading": reading, "passes": before.get("passes", 0)}
        if before.get("pass") and before.get("state"):
            return before  # a pass that was interrupted goes on where the package can
        before.pop("pass", None)
        if self._is_due(before):
            number = int(before.get("passes", 0)) + 1
            return {**before, "state": None, "passes": number, "pass": {"id": str(number)}}
        return before

    def _is_due(self, before: Mapping[str, Any]) -> bool:
        sweep, swept = self._plan.sweep, before.get("swept_at")
        if isinstance(sweep, timedelta):
            return swept is None or datetime.fromisoformat(swept) + sweep <= self._now
        return self._plan.is_whole if sweep is None else sweep

    @property
    def resume(self) -> Any:
        """The package's own checkpoint to go on from; None: from the beginning."""
        return self._state.get("state")

    @property
    def generation(self) -> int:
        """How many whole passes were begun, this one included; at least 1."""
        return max(1, int(self._state.get("passes", 0)))

    @property
    def is_pass(self) -> bool:
        """This run shows the whole stream, and what it does not show is deleted."""
        return "pass" in self._state

    def keys(self, key: Sequence[str]) -> None:
        """What the package says the key is. Raises SourceDataError when it changes under rows that are read."""
        if not key and self._key:
            return  # the catalogue knew one
        if self._maker is None or not self._number:
            self._key = tuple(key)
            self._maker = RowMaker.for_request(self.request, self._key or ("content",), None, self.source)
        elif self.request.key is None and tuple(key) != self._key and self._number:
            raise SourceDataError(
                f"the key changed from {', '.join(self._key or ()) or 'none'} to {', '.join(key) or 'none'} while "
                "records were read",
                source=self.source,
                stream=self.request.name,
                hint="Set `key` in the source's file, then `onefold sync --full`",
            )

    def record(self, record: Any, size: int, version: Any = None) -> None:
        """One record; a later one of the same key replaces it, as in any feed of changes."""
        if version is not None:
            self._version(version)
        if self._maker is None:
            self.keys(())
            assert self._maker is not None
        self._number += 1
        self._count += 1
        self._bytes += size
        gone = False
        if type(record) is dict:
            gone = record.get(self._plan.deleted) not in (None, "", False)
            for name in self._noise & record.keys():
                del record[name]
        made = self._maker.make(record, f"record {self._number}")
        if isinstance(made, RejectedRow):
            self._rejects.append(made)
        elif gone:
            self._rows.pop(made.key, None)
            self._deleted[made.key] = None
        else:
            self._deleted.pop(made.key, None)
            self._rows.pop(made.key, None)
            self._rows[made.key] = made
        # A package that seldom says where it stands must not fill the memory; the page bears the older state.
        if self._count >= 4 * self._plan.page_size or self._bytes >= MAX_BYTES:
            self._cut()

    def broken(self, line: bytes, reason: str, detail: str) -> None:
        """A line that cannot be read: it may have been a record, so this pass cannot tell what is deleted."""
        self._number += 1
        self._count += 1
        self._rejects.append(RejectedRow(line, reason, detail, f"record {self._number}"))
        if "pass" in self._state:
            self._state["pass"] = {**self._state["pass"], "spoiled": True}

    def checkpoint(self, state: Any) -> None:
        """Everything before this is covered by `state`; a page ends here when there is enough for one."""
        self._state = {**self._state, "state": state}
        if self._count >= self._plan.page_size or (self._count and time.monotonic() - self._cut_at > _PATIENCE):
            self._cut()

    def activate(self, version: Any) -> None:
        """Records of other table versions are to go, once this run has ended well."""
        self._version(version)
        if self._state.get("pass", {}).get("version") == version:
            self._state["pass"] = {**self._state["pass"], "activated": True}

    def _version(self, version: Any) -> None:
        if version == self._state.get("version") or self._plan.sweep is False:
            return
        current = self._state.get("pass")
        if current is None or current.get("version") not in (version, None):
            self._cut()  # rows before belong to no pass, or to another one
            self._state["pass"] = {"id": f"v{version}", "version": version}
        elif current.get("version") is None:
            # A run that reads everything anyway: its own pass is good for the version, too.
            self._state["pass"] = {**current, "version": version, "activated": True}

    def _cut(self) -> None:
        if self._count:
            self.ready.append(self._page(is_complete=False))

    def _page(self, *, is_complete: bool) -> Page:
        current = self._state.get("pass")
        mark = SnapshotMark(current["id"], is_complete) if current else None
        if is_complete and current:
            done = {"version": current.get("version", self._state.get("version")), "swept_at": self._now.isoformat()}
            kept = {name: value for name, value in self._state.items() if name != "pass"}
            self._state = {**kept, **{name: value for name, value in done.items() if value is not None}}
        page = Page(list(self._rows.values()), dict(self._state), list(self._deleted), self._rejects, mark, self._bytes)
        self._rows, self._deleted, self._rejects = {}, {}, []
        self._count = self._bytes = 0
        self._cut_at = time.monotonic()
        self._landed = dict(page.state)
        return page

    def rest(self) -> Iterator[Page]:
        """What is left when the package failed: landed with the last checkpoint, and the pass stays open."""
        self._cut()
        yield from self.drain()

    def finish(self, *, is_complete: bool = True) -> Iterator[Page]:
        """The last pages after a good end; a complete pass closes, unless a line of it was lost."""
        current = self._state.get("pass")
        if current and is_complete and current.get("spoiled"):
            log.warning("%s:%s: a line was lost, so this pass does not tell what is deleted", *self._names)
            self._cut()
            self._state = {name: value for name, value in self._state.items() if name != "pass"}
            current = None
        if current and is_complete and ("version" not in current or current.get("activated")):
            self.ready.append(self._page(is_complete=True))
        elif self._count or self._state != self._landed:
            self.ready.append(self._page(is_complete=False))
        yield from self.drain()

    def drain(self) -> Iterator[Page]:
        """The pages that are ready."""
        while self.ready:
            yield self.ready.popleft()

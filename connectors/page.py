"""What passes from a connector to its runner: streams, and pages of rows, tombstones, rejects and the next
state.

The runner lands a page's rows and its state in one transaction, so that a reader killed anywhere resumes at
a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

State = Mapping[str, Any]
"""A JSON-able checkpoint. Only its connector reads it; an absent state means a full read."""


class Row(NamedTuple):
    """One source record as the source says it, in canonical JSON."""

    key: str
    payload: bytes
    """Canonical JSON (UTF-8, sorted keys, no spaces, every number as the source wrote its digits)."""
    digest: bytes
    """16-byte BLAKE2b of the canonical JSON without the stream's volatile paths."""
    updated_at: datetime | None
    """When the source says that it changed (aware), or None."""


class RejectedRow(NamedTuple):
    """Something that cannot become a row: kept with its bytes, told, never fatal to its neighbours."""

    payload: bytes
    reason: str
    """A short code in kebab-case, e.g. `missing-key`, `malformed-row`, `bad-encoding`, `not-storable`."""
    detail: str
    """One sentence for a data engineer; holds no client data."""
    place: str
    """Where it stands: `contacts.csv:17`, `page 3`, `sheet Clients!A17`."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, tombstones and the state to resume from once they are landed."""

    rows: Sequence[Row]
    state: State
    tombstones: Sequence[str] = ()
    """Keys that the source itself says are deleted."""
    rejects: Sequence[RejectedRow] = ()
    snapshot: SnapshotMark | None = None
    """Set when these rows belong to a complete pass over the stream (see `SnapshotMark`)."""
    bytes_read: int = 0
    total_rows: int | None = None
    """The stream's size, when the source told it: for the progress bar."""
    prepared: object = None
    """What the runner made of it beforehand (see `StreamRequest.finish`)."""


@dataclass(frozen=True, slots=True)
class SnapshotMark:
    """Rows of one pass over the whole stream; keys that a *complete* pass did not show are deleted at the
    source.

    `pass_id` stays the same through one pass and is part of the state, so that a resumed pass goes on
    marking.
    """

    pass_id: str
    is_complete: bool
    """True on the pass's last page only."""
    scope: Scope | None = None
    """What the pass was over, where it was not the whole stream."""
    shown: Sequence[str] | None = None
    """Of a pass that asks for keys alone: those on this page, which come without their records."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a stream: records with the members of `match` whose `member` has one of `values`.

    Without a `member` all records that match. What stands outside is untouched by a pass over it.
    """

    match: Mapping[str, str]
    member: str | None = None
    values: Sequence[str] = ()
    origin: str = ""
    """The file or page whose rejects the pass shows: how their places begin."""

    def holds(self, record: Mapping[str, Any]) -> bool:
        """The record is part of it."""
        if any(record.get(name) != value for name, value in self.match.items()):
            return False
        return self.member is None or record.get(self.member) in self.values

    def overlaps(self, other: Scope) -> bool:
        """A record may be part of both."""
        return self.match == other.match and (
            self.member is None or other.member is None or not set(self.values).isdisjoint(other.values)
        )

    def covers(self, other: Scope) -> bool:
        """Every record of the other is part of it."""
        return self.match == other.match and (
            self.member is None or (other.member is not None and set(other.values) <= set(self.values))
        )


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What the configuration asks of one stream."""

    name: str
    key: str | Sequence[str] | None = None
    """Path(s) of the source key; `content` for keyless rows; None: the stream's own."""
    updated_at: str | None = None
    volatile: Sequence[str] = ()
    """Paths kept in the payload but outside the digest."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of this stream, read by the connector (a file pattern, a table, a request)."""
    timezone: str = "UTC"
    """How the source's naive times are meant (IANA name)."""
    owned: Sequence[str] = ()
    """Fields that the hub writes: read along where the source gives only what is asked for."""
    finish: Callable[[Page], Page] | None = None
    """The runner's own part of making a page. A connector that reads ahead in a thread of its own calls it there; a
    page may come without."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field seen at the source."""

    path: str
    type: str
    """text | number | boolean | date | timestamp | object | list."""
    label: str | None = None
    """The label that users see in the source's own interface, when it tells one."""
    samples: Sequence[str] = ()
    filled: float | None = None
    """Share of the sampled records that have it (0..1)."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that a connector offers."""

    name: str
    key: str | Sequence[str] | None
    fields: Sequence[FieldInfo] = ()
    updated_at: str | None = None
    deletes: str = "none"
    """flag | tombstones | archived | delta | sweep | snapshot | none; several with commas between."""
    rows: int | None = None
    mapping: Mapping[str, Any] = field(default_factory=dict)
    """The ready mapping of a system that is known: what a stream has in `config/sources/NAME.yaml`."""
    title: str | Mapping[str, str] | None = None
    changes: str | None = None
    """How a pass asks only for what changed: a field, `delta token`, `files`; None: it reads everything."""
    is_installed: bool = True
    """False: the system knows such a stream, but this installation of it has no app or module for it."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `check` found: reachable, credentials good, and what it says about itself."""

    message: str
    streams: Sequence[str] = ()
    volumes: Mapping[str, int] = field(default_factory=dict)
    """How many records the configured streams have, where the source can tell."""
    absent: Sequence[str] = ()
    """Configured streams that this installation of the system lacks: their app or module is not installed."""


class Connector(Protocol):
    """Reads one source. Construct with `registry.open_connector`; close when done (a context manager)."""

    def check(self) -> CheckResult:
        """Reach the source with these settings; raises one of `connectors.errors` and says what to do."""

    def discover(self) -> Sequence[StreamInfo]:
        """The streams on offer with their fields, types and samples."""

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages from `state` on; None reads everything. Lazy: a page is fetched when it is asked for."""

    def close(self) -> None:
        """Release what is held open."""


@dataclass(frozen=True, slots=True)
class Change:
    """Values for one record that the source has."""

    key: str
    fields: Mapping[str, Any]
    """Field of the system -> value. None empties it: only where `Writing.can_empty`, and only to take back a value that
    was written where nothing had stood."""
    token: str
    """The same for the same change, however often it is sent: a source that knows idempotence keys takes it once."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a change."""

    key: str
    status: str
    """accepted | refused | unknown (the source did not say, or not now)."""
    code: str | None = None
    """The source's own code, else the status of its answer."""
    message: str | None = None
    """The source's own words, without the values that were written and without secrets."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a stream is written."""

    batch: int
    """Changes that go together at most."""
    paths: Mapping[str, str]
    """Field -> its path in a record as it is read."""
    marks: Sequence[str] = ()
    """Paths in a record as it is read that every write changes: its time, its version."""
    can_look: bool = False
    """`look` tells what stands in the source."""
    can_empty: bool = False
    """A field can be told to hold nothing."""


@runtime_checkable
class WritesBack(Protocol):
    """A connector that can write to its source. Only the named fields of records that exist are ever set."""

    def writing(self, stream: StreamRequest, fields: Sequence[str]) -> Writing | None:
        """How these fields are written; None: this stream is not. Asks nothing.

        Raises SourceConfigurationError for a field that cannot be written.
        """

    def write(self, stream: StreamRequest, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Send one batch; a receipt for each change. Raises a ConnectorError where the source as a whole cannot be
        written: of what was sent nothing is known then."""

    def look(
        self, stream: StreamRequest, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """What stands in the fields of these records now, by key; a record that is gone is missing."""


@runtime_checkable
class TellsVolumes(Protocol):
    """A connector of a system that can say how many records there are without sending them."""

    def volumes(self, streams: Sequence[str]) -> Mapping[str, int]:
        """Records by stream, deleted and archived ones as the system counts them; streams of which it does not tell
        are missing. Raises nothing for a stream that cannot be asked."""


@runtime_checkable
class TellsHow(Protocol):
    """A connector that knows without asking how a stream is read."""

    def how(self, stream: StreamRequest) -> StreamInfo:
        """The stream without its fields. Raises SourceConfigurationError for one that is not known."""


@runtime_checkable
class TellsAbsent(Protocol):
    """A connector of a system of apps or modules, of which an installation may lack some."""

    def absent(self, streams: Sequence[str]) -> Sequence[str]:
        """Those of these streams that this installation does not have."""


Tell = Callable[[float, str], None]
"""What is told of a wait before it begins: its seconds, and why. May be called from a connector's own thread."""


@runtime_checkable
class TellsWaits(Protocol):
    """A connector that tells what it waits for."""

    def tell_waits(self, tell: Tell) -> None:
        """Call `tell` before every wait from now on."""

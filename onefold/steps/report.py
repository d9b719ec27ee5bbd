"""What steps return: frozen counts and ids, JSON-able; they travel through XCom and `--json`, rows never do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """Common to all steps."""

    def as_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary, nested reports included."""
        return asdict(self)


def worst(statuses: Iterable[str]) -> str:
    """failed, held, deferred or done, in this order."""
    found = set(statuses)
    return next((status for status in ("failed", "held", "deferred") if status in found), "done")


@dataclass(frozen=True, slots=True)
class StreamReport(Report):
    """What one stream's sync did."""

    stream: str
    pages: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    echoed: int = 0
    """Those of `unchanged` that only brought back what the hub had written."""
    suppressed: int = 0
    """Rows of persons who were erased: not landed."""
    bytes_read: int = 0
    looked_at: int = 0
    """Records of which the names of fields are in `columns`: the first of each page."""
    columns: tuple[str, ...] = ()
    status: str = "done"
    """done | failed | deferred (the source asked to come back later) | held (it would change too much)."""
    error: str | None = None
    error_class: str | None = None
    retry_at: str | None = None


@dataclass(frozen=True, slots=True)
class HoldReport(Report):
    """What of a run is held, and waits for a person."""

    run_id: int
    """As people name it: `onefold release RUN`."""
    cause: str
    """records: what the syncs landed is aside, and all stands as before; rules: configuration or model, and nothing is
    published until somebody decides."""
    findings: tuple[Mapping[str, Any], ...]
    message: str


@dataclass(frozen=True, slots=True)
class SyncReport(Report):
    """What the sync of one source did."""

    source: str
    run_id: int
    seconds: float
    streams: tuple[StreamReport, ...]

    @property
    def status(self) -> str:
        """failed if any stream failed, else held if any changes too much, else deferred or done."""
        return worst(stream.status for stream in self.streams)

    @property
    def rows(self) -> int:
        """Rows seen, changed or not."""
        return sum(s.inserted + s.updated + s.unchanged for s in self.streams)

    @property
    def changed(self) -> int:
        """Records inserted, updated or deleted."""
        return sum(s.inserted + s.updated + s.deleted for s in self.streams)


@dataclass(frozen=True, slots=True)
class WriteStreamReport(Report):
    """What one stream's write-back found and did."""

    stream: str
    records: int = 0
    """Records with a client that were compared: all but those of which nothing changed since they were written."""
    changes: int = 0
    """Records that differ from their client in a field of the hub's, and are written (or would be)."""
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    """Sent, and the source did not say: the next run looks and sends again."""
    changed_back: int = 0
    """Left alone: the source had taken the value, and somebody changed it there."""
    refused_before: int = 0
    """Left alone: the source has refused just this."""
    left: int = 0
    """Of a run that is taken back: what cannot be, for a reason that is told."""
    status: str = "done"
    """done | failed | deferred (the source asked to come back later)."""
    error: str | None = None
    error_class: str | None = None
    retry_at: str | None = None


@dataclass(frozen=True, slots=True)
class WriteBackReport(Report):
    """What the write-back of one source found and did."""

    source: str
    run_id: int | None
    """None: a dry run."""
    seconds: float
    streams: tuple[WriteStreamReport, ...]
    undo_of: int | None = None
    """The run that was taken back."""

    @property
    def status(self) -> str:
        """failed if any stream failed, else deferred if any has to wait, else done."""
        return worst(stream.status for stream in self.streams)


@dataclass(frozen=True, slots=True)
class StandardiseReport(Report):
    """What standardise did with the records in its queue."""

    run_id: int | None
    seconds: float
    records: int = 0
    parties_changed: int = 0
    parties_removed: int = 0
    interactions_changed: int = 0
    rejected: int = 0
    suppressed: int = 0
    """Records of persons who were erased: redacted again, and not taken in."""
    remapped_streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolveReport(Report):
    """What resolve did with the records in its queue."""

    run_id: int | None
    seconds: float
    records: int = 0
    compared: int = 0
    """Records that were clustered anew: those that changed, and all that hang together with them."""
    candidate_pairs: int = 0
    plausible_pairs: int = 0
    clients: int = 0
    moved: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    """Ledger events by kind: mint, redirect, retire, revive."""
    cases_open: int = 0
    cases_opened: int = 0
    cases_closed: int = 0
    refused_blocks: tuple[Mapping[str, Any], ...] = ()
    divided: tuple[Mapping[str, Any], ...] = ()
    """Where more records hang together by plausible pairs than `component_bound`, the largest first: their kind, how
    many (those that are alike in everything as one), the first of them, and the bits from which on a pair counted there
    so that no part was larger."""
    model_version: int | None = None
    model_note: str | None = None
    """When matching.yaml has changed since the model in use was trained: what that means."""
    weights: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of a run that compared all records: per kind how many plausible pairs lie in each half of a bit."""
    spread: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per kind how plausible pairs of what was clustered anew lie to the thresholds (`identity.evaluation.spread`)."""
    held: HoldReport | None = None
    """What would have changed too much, and is not done."""


@dataclass(frozen=True, slots=True)
class PublishReport(Report):
    """What publish wrote."""

    run_id: int | None
    seconds: float
    clients: int = 0
    created: int = 0
    changed: int = 0
    retired: int = 0
    revived: int = 0
    redirected: int = 0
    links_moved: int = 0
    change_events: int = 0
    documents_linked: int = 0
    """Documents that were looked at for others of the same business event."""
    documents_changed: int = 0
    """Documents whose event, or whether they count in it, is another now."""
    held: HoldReport | None = None
    """What would have changed too much, and is not done."""


@dataclass(frozen=True, slots=True)
class RunReport(Report):
    """What a whole run did."""

    seconds: float
    syncs: tuple[SyncReport, ...]
    standardise: StandardiseReport
    resolve: ResolveReport
    publish: PublishReport

    @property
    def status(self) -> str:
        """The worst of the syncs and steps: failed, held, deferred or done."""
        held = ("held" for step in (self.resolve, self.publish) if step.held is not None)
        return worst((*(sync.status for sync in self.syncs), *held))


@dataclass(frozen=True, slots=True)
class DueSource(Report):
    """When a source is to be read."""

    source: str
    schedule: str | None
    """Its own or the hub's; None: whenever it is asked."""
    last_sync: str | None
    due_since: str | None
    """None: it is not due."""
    next: str | None
    """The next moment of the schedule, or when the source asked to come back."""


@dataclass(frozen=True, slots=True)
class NoticesReport(Report):
    """What there is to be told, and whether it was."""

    opened: tuple[str, ...] = ()
    """Keys of what came up since the last run."""
    closed: tuple[str, ...] = ()
    """Keys of what is over."""
    told: Mapping[str, int] = field(default_factory=dict)
    """Channel -> how many notices it took."""
    errors: tuple[str, ...] = ()
    """Channels that took none, and why; they are tried again with the next run."""


@dataclass(frozen=True, slots=True)
class DueReport(Report):
    """What a scheduled run did."""

    run_id: int
    seconds: float
    sources: tuple[DueSource, ...]
    run: RunReport | None
    """None: nothing was due."""
    notices: NoticesReport

    @property
    def status(self) -> str:
        """That of the run; done where nothing was due."""
        return self.run.status if self.run else "done"


@dataclass(frozen=True, slots=True)
class Miss(Report):
    """An expectation that does not hold."""

    expected: str
    """same_client, different_clients, values or counts."""
    place: str
    """File and line."""
    message: str
    because: str | None


@dataclass(frozen=True, slots=True)
class CheckReport(Report):
    """What was checked of expectations.yaml, and what does not hold."""

    checked: int
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class PlanReport(Report):
    """What the configuration as it stands would do to the stored data; or (`apply`) what it did."""

    seconds: float
    waiting: Mapping[str, int]
    """Records in the queues, by step: news that the plan takes in as well."""
    remapped: tuple[Mapping[str, Any], ...] = ()
    """By source and stream: records changed, new, gone."""
    clients_before: int = 0
    clients_after: int = 0
    links_moved: int = 0
    """Records that would belong to another client."""
    merged: int = 0
    split: int = 0
    largest_merged: tuple[Mapping[str, Any], ...] = ()
    """client_id, display_name, clients (of now that it would hold), records, names."""
    largest_split: tuple[Mapping[str, Any], ...] = ()
    values: tuple[Mapping[str, Any], ...] = ()
    """By attribute: golden values changed, filled, emptied, of clients that stay."""
    examples: tuple[Mapping[str, Any], ...] = ()
    """client_id, attribute, before, after."""
    cases_opened: int = 0
    cases_closed: int = 0
    check: CheckReport = CheckReport(0, ())

    @property
    def changes(self) -> bool:
        """Anything at all would be another."""
        return bool(
            self.remapped
            or self.links_moved
            or self.values
            or self.cases_opened
            or self.cases_closed
            or self.clients_before != self.clients_after
        )


@dataclass(frozen=True, slots=True)
class ModelEffect(Report):
    """What the stored records would make with another model than the one in use. Nothing was written to learn it."""

    model_before: int
    model_after: int
    clients_before: int
    clients_after: int
    unchanged: int
    merged: int
    """Clients of now that would become one with others."""
    split: int
    """Clients of now that would fall apart."""
    regrouped: int
    """Clients of now that would exchange records."""
    pairs_joined: int
    """Pairs of records that would newly stand together, and (`pairs_parted`) no longer."""
    pairs_parted: int
    cases_opened: int
    cases_closed: int
    largest: tuple[Mapping[str, Any], ...] = ()
    """Those with most pairs: change, before and after (sizes), pairs; of the strongest pair left, right, bits_before
    and bits_after (null: not plausible), and the bits from which a pair alone links: link_before, link_after."""


@dataclass(frozen=True, slots=True)
class UseReport(Report):
    """A model made current, and what that moved."""

    version: int
    """The version in use now; of priors the one of the settings in force."""
    kind: str
    former: int
    resolve: ResolveReport
    publish: PublishReport


@dataclass(frozen=True, slots=True)
class TrainReport(Report):
    """A new version of the model and what it would change."""

    version: int
    kind: str
    """em (no labels) or supervised (corrected by judgements)."""
    is_new: bool
    """False: training gave a version that was saved before."""
    seconds: float
    records: Mapping[str, int]
    """Records by kind."""
    at_priors: tuple[str, ...]
    """Kinds with too few records, whose weights are the shipped ones."""
    effect: ModelEffect
    judgements: tuple[Mapping[str, Any], ...] = ()
    """With judgements, per kind: status (better, not_better, too_few), same, not_same, pairs, and the cross-validated
    measures of the unsupervised and the supervised weights."""
    used: UseReport | None = None

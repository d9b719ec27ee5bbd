"""What would be written back: the hub's values beside what stands in the source, record by record. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from connectors.canonical import canonical, decode
from connectors.errors import SourceConfigurationError
from connectors.page import StreamRequest, WritesBack, Writing
from connectors.paths import compile_path
from onefold.configuration.write_back import CLIENT_VALUES, DERIVED, WriteBack, WriteValue, derived, reads
from onefold.steps.echo import same

if TYPE_CHECKING:
    from connectors.page import Connector
    from onefold.configuration.sources import StreamConfiguration
    from warehouse.write_receipts import Candidate, Written


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one record, as a dry run shows it."""

    record: str
    """source:stream:key"""
    client_id: str
    field: str
    now: Any
    new: Any
    note: str = ""
    """`again`: sent before, and no answer came. Left alone: `changed back`, `refused before`, `gone: ...`."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be written to one record."""

    candidate: Candidate | Written
    fields: Mapping[str, Any]
    before: Mapping[str, Any]
    payload_hash: str
    idempotence_key: str
    resumed: int | None = None
    """The receipt of a change that was sent before, and of which nothing is known."""
    undoes: int | None = None
    """The receipt of the change that this one takes back."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one record found. At most one of the counts is above zero."""

    planned: Planned | None = None
    left: Mapping[str, Any] = field(default_factory=dict)
    """Fields that differ and are left alone."""
    now: Mapping[str, Any] = field(default_factory=dict)
    overruled: bool = False
    """Somebody changed the fields back since the source had taken them."""
    refused: bool = False
    """The source has refused just this before."""
    stuck: Mapping[str, Any] = field(default_factory=dict)
    """Fields that hold what the client has no more, and that the source cannot be told to empty."""


@dataclass(frozen=True)
class Plan:
    """What is written to one stream."""

    source: str
    stream: str
    rule: WriteBack
    writing: Writing
    again: bool = False
    """Also what was refused, and what was changed back at the source."""

    @property
    def is_derived(self) -> bool:
        """It writes what changes without the golden record, so that no receipt settles a record."""
        return bool(derived(self.rule))

    @cached_property
    def _derived_fields(self) -> list[str]:
        known = derived(self.rule)
        return [name for name, one in self.rule.fields.items() if one.value in known]

    @cached_property
    def _getters(self) -> dict[str, Any]:
        return {name: compile_path(path).get for name, path in self.writing.paths.items()}

    @cached_property
    def plan_hash(self) -> str:
        """Differs when something else is to be written, or elsewhere."""
        told = [{name: value.model_dump() for name, value in self.rule.fields.items()}, dict(self.writing.paths)]
        return fingerprint(told)

    def look(self, candidate: Candidate) -> Looked:
        """What is to be written to one record, and what is left alone."""
        wanted = wanted_values(self.rule.fields, candidate)
        receipts = decode(candidate.receipts) if candidate.receipts else []
        now = self._now(candidate, receipts)
        differs = {name: value for name, value in wanted.items() if not same(now[name], value)}
        gone = {
            name: None for name in self._derived_fields if name not in wanted and _is_ours(receipts, name, now[name])
        }
        stuck = {} if self.writing.can_empty else gone
        differs |= {name: None for name in gone if name not in stuck}
        if not differs:
            return Looked(now=now, stuck=stuck)
        back = {} if self.again else {n: v for n, v in differs.items() if n not in gone and _was_taken(receipts, n, v)}
        fields = {name: value for name, value in differs.items() if name not in back}
        if not fields:
            return Looked(left=back, now=now, overruled=True, stuck=stuck)
        last, payload_hash = receipts[-1] if receipts else None, fingerprint(fields)
        is_same = last is not None and last["payload_hash"].replace("-", "") == payload_hash
        if last is not None and is_same and last["status"] == "refused" and not self.again:
            return Looked(left=fields, now=now, refused=True, stuck=stuck)
        resumed = last if last is not None and is_same and last["status"] in ("unknown", "sent") else None
        key = (
            resumed["idempotence_key"].replace("-", "")
            if resumed
            else fingerprint([candidate.record_id, payload_hash, candidate.number])
        )
        before = {name: now[name] for name in fields}
        return Looked(
            Planned(candidate, fields, before, payload_hash, key, resumed["receipt_id"] if resumed else None),
            left=back,
            now=now,
            stuck=stuck,
        )

    def _now(self, candidate: Candidate, receipts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What stands in the fields: as landed, under what was taken since and did not come back yet."""
        landed = decode(candidate.payload)
        now = {name: get(landed) for name, get in self._getters.items()}
        for receipt in receipts:
            if _is_awaited(receipt, candidate.landed_at):
                now |= {name: value for name, value in receipt["fields"].items() if name in now}
        return now

    def differences(self, looked: Looked, candidate: Candidate) -> Iterator[Difference]:
        """The look at a record as rows for people."""
        record = f"{self.source}:{self.stream}:{candidate.source_key}"
        planned = looked.planned
        note = "again" if planned is not None and planned.resumed is not None else ""
        for name, value in planned.fields.items() if planned is not None else ():
            yield Difference(record, candidate.client_id, name, looked.now[name], value, note)
        for name, value in looked.left.items():
            why = "refused before" if looked.refused else "changed back"
            yield Difference(record, candidate.client_id, name, looked.now[name], value, why)
        for name, value in looked.stuck.items():
            yield Difference(record, candidate.client_id, name, looked.now[name], value, "gone: empty it there")


def make_plan(
    connector: Connector, request: StreamRequest, stream: StreamConfiguration, source: str, *, again: bool
) -> Plan:
    """The plan of a stream that has `write_back`.

    Raises SourceConfigurationError where the connector cannot write it, or where the mapping reads a field that the
    hub would own.
    """
    rule = stream.write_back
    assert rule is not None
    writing = connector.writing(request, list(rule.fields)) if isinstance(connector, WritesBack) else None
    if writing is None:
        hint = "Add `write` to the stream in its manifest, or take `write_back` out"
        raise SourceConfigurationError(
            "the connector cannot write this stream", source=source, stream=request.name, hint=hint
        )
    for name, path in writing.paths.items():
        if (reader := reads(stream, path)) is not None:
            message = f"`write_back` may not own the field {name!r}, which the mapping reads (`{reader}`)"
            hint = "The hub would take its own words for evidence; write to a field of its own"
            raise SourceConfigurationError(message, source=source, stream=request.name, hint=hint)
    return Plan(source, request.name, rule, writing, again)


def wanted_values(fields: Mapping[str, WriteValue], candidate: Candidate) -> dict[str, Any]:
    """Field -> the client's value, for those that it has."""
    attributes = decode(candidate.attributes)
    found: dict[str, Any] = {}
    for name, rule in fields.items():
        kind, _, known = rule.value.rpartition(".")
        if kind in DERIVED:
            value = ((decode(candidate.derived) if candidate.derived else {}).get(kind) or {}).get(known)
        else:
            value = getattr(candidate, rule.value) if rule.value in CLIENT_VALUES else attributes.get(rule.value)
        if isinstance(value, list):
            filled = [one for one in value if one not in (None, "")]
            value = rule.join.join(map(str, filled)) if rule.join is not None else next(iter(filled), None)
        if value not in (None, ""):
            found[name] = value
    return found


def fingerprint(value: Any) -> str:
    """32 hexadecimal digits over a JSON value."""
    return blake2b(canonical(value), digest_size=16).hexdigest()


def _is_awaited(receipt: Mapping[str, Any], landed_at: datetime) -> bool:
    """Taken by the source after the record was read last."""
    sent_at = datetime.fromisoformat(receipt["sent_at"])
    return receipt["status"] == "accepted" and receipt["echoed_at"] is None and sent_at >= landed_at


def _was_taken(receipts: Sequence[Mapping[str, Any]], name: str, value: Any) -> bool:
    """The last that was written to the field is this value, and the source had taken it; or people took it back."""
    for receipt in reversed(receipts):
        if name in receipt["fields"] and receipt["status"] != "refused":
            if receipt.get("undoes") is not None and same(receipt["before"].get(name), value):
                return True
            return receipt["status"] == "accepted" and same(receipt["fields"][name], value)
    return False


def _is_ours(receipts: Sequence[Mapping[str, Any]], name: str, now: Any) -> bool:
    """In the field stands what was last written to it; or it was emptied, and no answer came."""
    for receipt in reversed(receipts):
        if name in receipt["fields"] and receipt["status"] != "refused":
            if receipt.get("undoes") is not None:
                return False
            written = receipt["fields"][name]
            return receipt["status"] != "accepted" if written is None else same(now, written)
    return False

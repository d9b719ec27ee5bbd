"""One compiled mapper per stream of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from connectors.paths import compile_path
from connectors.rows import key_text
from onefold.configuration.model import Configuration
from onefold.configuration.sources import ChildField, SourceConfiguration, StreamConfiguration
from onefold.mapping.batch import Mapped, RawRow, Reject, table
from onefold.mapping.facts import InteractionMapper, RelationshipMapper
from onefold.mapping.origins import KEY_FIELD, Children, compile_where, decode, key_path
from onefold.mapping.parties import PartyMapper
from onefold.mapping.rates import RateMapper
from warehouse.keys import record_ids
from warehouse.shapes import CHILD_LINK

_NO_CHILDREN: Children = {}


Inner = PartyMapper | InteractionMapper | RelationshipMapper | RateMapper


class StreamMapper:
    """Maps raw rows of one stream; compiled once, holds no state between batches."""

    def __init__(
        self,
        source: str,
        name: str,
        stream: StreamConfiguration,
        inner: Inner | None,
        parents: Sequence[_ParentLink],
    ) -> None:
        self.source, self.stream = source, name
        self.kind = stream.kind
        """party | interaction | relationship | rate | None (landed only)."""
        self.as_ = stream.as_ if isinstance(stream.as_, str) else ("party" if stream.as_ is not None else None)
        """person | organisation | party (chosen per record) | interaction | relationship | rate | None."""
        self.url_template = stream.url
        """The card in its own system, `{key}` to be replaced by the percent-encoded key; or None."""
        self.child_streams: frozenset[str] = frozenset(_child_streams(stream))
        """Streams of the same source whose records this one's fields or lines are read from."""
        self.is_mapped = inner is not None
        """False: the stream is landed only, and at most feeds others."""
        self.feeds_others = bool(parents)
        """True for a child stream: its records' fields feed records of another stream."""
        self._inner = inner
        self._parents = parents
        self._children = {child: _links(source, name, stream, child) for child in self.child_streams}
        self._filter = compile_where(stream.where) if stream.where else None

    def parent_keys(self, child_stream: str, payload: bytes) -> list[str]:
        """Keys in this stream of the records that a payload of `child_stream` feeds."""
        links = self._children.get(child_stream, ())
        if not links:
            return []
        try:
            record = decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []
        return list(dict.fromkeys(key for link in links if (key := link.key(record)) is not None))

    def map_batch(self, rows: Sequence[RawRow]) -> Mapped:
        """The batch mapped. Never raises for data: what cannot be mapped is in `rejects`."""
        mapped = Mapped()
        decoded: list[tuple[int, str, Any, datetime | None, Children]] = []
        child_ids: list[int] = []
        parent_ids: list[int] = []
        needs_children = self._inner is not None and self._inner.needs_children
        for row in rows:
            try:
                payload = decode(row.payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                mapped.rejects.append(Reject(row.record_id, "not-json", "the payload is not JSON", ""))
                continue
            if type(payload) is not dict:
                mapped.rejects.append(
                    Reject(row.record_id, "not-an-object", "the payload is not an object with fields", "")
                )
                continue
            for link in self._parents:
                if (parent := link.record_id(payload)) is not None:
                    child_ids.append(row.record_id)
                    parent_ids.append(parent)
            if self._inner is None:
                continue
            if self._filter is not None and not self._filter(payload, row.source_key):
                mapped.left_out.append(row.record_id)
                continue
            children = _children(row) if needs_children else _NO_CHILDREN
            decoded.append((row.record_id, row.source_key, payload, row.source_updated_at, children))
        if child_ids:
            pairs = sorted(set(zip(child_ids, parent_ids, strict=True)))
            mapped.child_links = table(CHILD_LINK, list(zip(*pairs, strict=True)))
        if self._inner is not None:
            self._inner.map(decoded, mapped)
        return mapped


class _ParentLink:
    """How a child record tells its parent in one stream."""

    def __init__(self, source: str, parent_stream: str, where: Mapping[str, Any]) -> None:
        self.stream = parent_stream
        self._get = compile_path(key_path(where)).get
        self._holds = compile_where({path: wanted for path, wanted in where.items() if wanted != "$key"})
        self._ids = record_ids(source, parent_stream)

    def key(self, payload: Any) -> str | None:
        """The parent's key, or None when this child feeds no parent there."""
        return key_text(self._get(payload)) if self._holds(payload, None) else None

    def record_id(self, payload: Any) -> int | None:
        """The parent's record id, or None."""
        key = self.key(payload)
        return None if key is None else self._ids(key)


def compile_source(source: SourceConfiguration, configuration: Configuration) -> dict[str, StreamMapper]:
    """A mapper for every configured stream of a source, mapped or not."""
    made: dict[str, StreamMapper] = {}
    for name, stream in source.streams.items():
        parents = [
            link
            for parent, parent_stream in source.streams.items()
            for link in _links(source.source, parent, parent_stream, name)
        ]
        made[name] = StreamMapper(
            source.source, name, stream, _inner(configuration, source.source, name, stream), parents
        )
    return made


def _inner(configuration: Configuration, source: str, name: str, stream: StreamConfiguration) -> Inner | None:
    defaults = configuration.defaults(source, name)
    if stream.kind == "party":
        return PartyMapper(source, name, stream, configuration.attributes, defaults)
    if stream.kind == "interaction":
        return InteractionMapper(source, name, stream, configuration.interaction_types, defaults)
    if stream.kind == "relationship":
        return RelationshipMapper(source, stream, defaults)
    if stream.kind == "rate" and stream.rate is not None:
        return RateMapper(source, name, stream.rate, defaults)
    return None


def _child_specs(stream: StreamConfiguration) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = [
        (origin.stream, origin.where)
        for origins in (stream.fields or {}).values()
        for origin in origins
        if isinstance(origin, ChildField)
    ]
    if stream.lines is not None and stream.lines.stream is not None and stream.lines.where is not None:
        found.append((stream.lines.stream, stream.lines.where))
    return found


def _child_streams(stream: StreamConfiguration) -> set[str]:
    return {child for child, _ in _child_specs(stream)}


def _links(source: str, parent: str, stream: StreamConfiguration, child: str) -> list[_ParentLink]:
    """How records of `child` tell their parents in one stream: one link for each distinct condition."""
    found: list[Mapping[str, Any]] = []
    for name, where in _child_specs(stream):
        if name == child and where not in found:
            found.append(where)
    return [_ParentLink(source, parent, where) for where in found]


def _children(row: RawRow) -> Children:
    made: dict[str, list[Any]] = {KEY_FIELD: [row.source_key]}
    given = row.children or ()
    if isinstance(given, Mapping):
        pairs = [(stream, payload) for stream, payloads in given.items() for payload in payloads]
    else:
        pairs = [(child.stream, child.payload) for child in given]
    for stream, payload in pairs:
        try:
            made.setdefault(stream, []).append(decode(payload))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the child's own mapping reports it
    return made

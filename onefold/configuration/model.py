"""A whole configuration folder, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.configuration.attributes import Attribute, OpenAttribute
from onefold.configuration.concerns import ConcernsFile
from onefold.configuration.hub import HubConfiguration
from onefold.configuration.interactions import InteractionType
from onefold.configuration.metrics import Metric, MetricsFile, NoValue
from onefold.configuration.mirror import Outcome
from onefold.configuration.needs import NeedsFile
from onefold.configuration.records import Authority, ExpectationsFile
from onefold.configuration.segments import SegmentsFile
from onefold.configuration.shipped import shipped_metrics, shipped_outcomes
from onefold.configuration.sources import Defaults, SourceConfiguration
from onefold.configuration.tree import Document, Place

if TYPE_CHECKING:
    from identity.documents.settings import DocumentSettings
    from identity.settings import MatchingSettings
    from identity.survive.settings import SurvivorshipSettings


@dataclass(frozen=True)
class Configuration:
    """Everything that `config/` says; frozen. Sources stand in the order of their names."""

    folder: Path
    hub: HubConfiguration
    sources: Mapping[str, SourceConfiguration]
    attributes: Mapping[str, Attribute]
    """Standard and open attributes by name."""
    open_attributes: Mapping[str, OpenAttribute]
    interaction_types: Mapping[str, InteractionType]
    """Shipped types and those of interactions.yaml, by code."""
    matching: MatchingSettings
    """matching.yaml over the shipped rules: complete."""
    document_rules: DocumentSettings
    """documents.yaml: how documents of different registers are found to be one event."""
    own_survivorship: SurvivorshipSettings | None = None
    """What survivorship.yaml says; see `survivorship`."""
    authority: tuple[Authority, ...] = ()
    expectations: ExpectationsFile = field(default_factory=ExpectationsFile)
    needs: NeedsFile = field(default_factory=NeedsFile)
    segments: SegmentsFile = field(default_factory=SegmentsFile)
    own_metrics: MetricsFile = field(default_factory=lambda: MetricsFile(no_value=None))
    """What metrics.yaml says; see `metrics`."""
    concerns: ConcernsFile | None = None
    """None: without the file nothing is asked, not even what is shipped."""
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False)
    """By source name, and by file name for the other files: where each setting stands."""

    @cached_property
    def survivorship(self) -> SurvivorshipSettings:
        """survivorship.yaml over the shipped rules: complete."""
        from identity.survive.settings import default_settings

        shipped = default_settings()
        return shipped if self.own_survivorship is None else self.own_survivorship.over(shipped)

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """Shipped definitions and those of metrics.yaml, by name."""
        every = {**shipped_metrics().metrics, **self.own_metrics.metrics}
        return {name: one for name, one in sorted(every.items()) if one is not None}

    @cached_property
    def no_value(self) -> NoValue:
        """What tells greetings and mailings."""
        return self.own_metrics.no_value or shipped_metrics().no_value or NoValue()

    @cached_property
    def mirror_outcomes(self) -> Mapping[str, Outcome]:
        """What the mirror compares: shipped, and of segments.yaml."""
        return {**shipped_outcomes(), **self.segments.mirror.outcomes}

    def interaction_rows(self) -> list[dict[str, Any]]:
        """The registry as rows of core.interaction_type, by code."""
        return [
            {
                "code": code,
                "department": one.department,
                "label_en": one.labels.get("en") or next(iter(one.labels.values()), code),
                "label_ru": one.labels.get("ru"),
                "direction": one.direction,
                "detail_schema": {
                    name: {"type": field.type, **({"labels": dict(field.labels)} if field.labels else {})}
                    for name, field in one.detail.items()
                },
                "money": one.money,
                "tax": one.tax,
                "has_lines": code in self._types_with_lines,
            }
            for code, one in sorted(self.interaction_types.items())
        ]

    @cached_property
    def _types_with_lines(self) -> frozenset[str]:
        streams = [stream for source in self.sources.values() for stream in source.streams.values()]
        return frozenset(code for stream in streams if stream.lines is not None for code in stream.type_codes)

    def defaults(self, source: str, stream: str | None = None) -> Defaults:
        """The defaults of a stream: its own over its source's over the hub's."""
        configured = self.sources[source]
        found = configured.defaults.over(self.hub.defaults)
        own = configured.streams[stream].defaults if stream is not None else None
        return own.over(found) if own is not None else found

    def place(self, document: str, *path: str | int) -> tuple[str, Place]:
        """File, and line with column, of a key; `document` is a source's name or a file's."""
        found = self.documents[document]
        return found.file, found.key_place(path)

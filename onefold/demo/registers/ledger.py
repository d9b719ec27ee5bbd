"""What a writer of a register notes down: whose a record is, and which event a document records."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from onefold.demo.society import TODAY


@dataclass(slots=True)
class Ledger:
    """The truth about one register. Record ids are `source:stream:key`."""

    source: str
    parties: dict[str, str] = field(default_factory=dict)
    """Record id -> entity."""
    keys: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """(stream, entity) -> source keys, the main one first."""
    documents: dict[str, str] = field(default_factory=dict)
    """Record id -> business event, for documents that count as turnover."""
    interactions: Counter[str] = field(default_factory=Counter)
    """Stream -> number of its interactions."""
    of_entity: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(stream, entity) -> number of its interactions."""

    def party(self, stream: str, key: str, entity: str) -> None:
        """A record of a client."""
        self.parties[f"{self.source}:{stream}:{key}"] = entity
        self.keys[stream, entity].append(key)

    def interaction(self, stream: str, key: str, entity: str, event: str | None = None) -> None:
        """A document or contact with a client."""
        self.interactions[stream] += 1
        self.of_entity[stream, entity] += 1
        if event:
            self.documents[f"{self.source}:{stream}:{key}"] = event


def moment(rng: Random, day: date) -> datetime:
    """Some working hour of the day, without a zone."""
    return datetime.combine(day, time(rng.randint(8, 18), rng.randint(0, 59), rng.randint(0, 59)))


def last_edit(rng: Random) -> datetime:
    """When a record was last touched: more often lately, never after `TODAY`."""
    return moment(rng, TODAY - timedelta(days=int(700 * rng.random() ** 2)))

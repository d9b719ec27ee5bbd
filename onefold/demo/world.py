"""What is known about a generated world: the truth that the pipeline's result is held against."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

TRUTH = "truth.csv"
DOCUMENTS = "documents.csv"
WORLD = "world.json"


@dataclass(frozen=True, slots=True)
class Story:
    """The client whose story is told: it stands in all five registers."""

    entity_id: str
    name: str
    records: dict[str, tuple[str, ...]]
    """Register -> its records of this client, as `source:stream:key`."""
    interactions: dict[str, int]
    """`source:stream` -> number of interactions with this client."""
    turnover: Decimal
    """Its true turnover in roubles."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Records that `change` acts on, as `source:stream:key`; chosen so that the effect can be seen."""

    apart: tuple[str, str]
    """Two CRM contacts of one person with nothing in common but the name, until a telephone is added."""
    leaver: str
    """A CRM contact that is archived; its person stands in no other record."""
    closed: str
    """An ERP customer without orders that is deleted; it stands in no other record."""
    mended: str
    """A counterparty whose INN Excel mangled and that is typed in anew; an empty text in a tiny world."""


@dataclass(frozen=True, slots=True)
class World:
    """A generated world: what was planted, in numbers. Kept in `world.json` beside the registers."""

    folder: Path
    seed: int
    scale: float
    records: dict[str, int]
    """`source:stream` -> records of persons and organisations."""
    interactions: dict[str, int]
    """`source:stream` -> orders, invoices, tickets and so on."""
    entities: dict[str, int]
    """How many true persons, organisations, and in all, stand in the registers."""
    roles: dict[str, int]
    """True entities by role: client (and prospect), supplier, staff, own."""
    overlap: dict[str, dict[str, int]]
    """Register -> register -> true entities that stand in both (in the register at all, on the diagonal)."""
    orders: int
    mirrored_orders: int
    planted_turnover: dict[str, Decimal]
    """Currency -> true turnover: every business event once, cancelled ones not at all."""
    namesakes: int
    """Pairs of persons who share a full name and are not the same."""
    story: Story
    plot: Plot

    @property
    def truth(self) -> Path:
        """CSV of record_id (`source:stream:key`) and entity_id; every record of a client once."""
        return self.folder / TRUTH

    @property
    def documents(self) -> Path:
        """CSV of record_id and event_id: orders, won deals and invoices of one business event share it."""
        return self.folder / DOCUMENTS

    def save(self) -> None:
        """Write `world.json`."""
        values = asdict(self)
        del values["folder"]
        text = json.dumps(values, ensure_ascii=False, indent=1, default=str)
        (self.folder / WORLD).write_text(text + "\n", encoding="utf-8")


def load_world(folder: Path) -> World:
    """The world generated under `folder`. Raises FileNotFoundError if there is none."""
    values: dict[str, Any] = json.loads((folder / WORLD).read_text(encoding="utf-8"))
    story, plot = values.pop("story"), values.pop("plot")
    story["records"] = {register: tuple(keys) for register, keys in story["records"].items()}
    story["turnover"] = Decimal(story["turnover"])
    values["planted_turnover"] = {name: Decimal(text) for name, text in values["planted_turnover"].items()}
    plot["apart"] = tuple(plot["apart"])
    return World(folder=folder, story=Story(**story), plot=Plot(**plot), **values)


def write_truth(folder: Path, parties: dict[str, str]) -> None:
    """Write `truth.csv`, sorted by record id."""
    _write(folder / TRUTH, ("record_id", "entity_id"), parties)


def write_documents(folder: Path, documents: dict[str, str]) -> None:
    """Write `documents.csv`, sorted by record id."""
    _write(folder / DOCUMENTS, ("record_id", "event_id"), documents)


def read_truth(folder: Path) -> dict[str, str]:
    """Record id -> entity."""
    with (folder / TRUTH).open(encoding="utf-8", newline="") as file:
        return {row["record_id"]: row["entity_id"] for row in csv.DictReader(file)}


def read_documents(folder: Path) -> dict[str, str]:
    """Record id -> business event."""
    with (folder / DOCUMENTS).open(encoding="utf-8", newline="") as file:
        return {row["record_id"]: row["event_id"] for row in csv.DictReader(file)}


def _write(path: Path, columns: tuple[str, str], rows: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(sorted(rows.items()))

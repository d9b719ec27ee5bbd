"""What the fictional company's clients need, as it truly is, and how it shows in what they order and ask."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final

from onefold.demo.society import STORY, Society

FILE: Final = "needs.csv"
NEEDS: Final = ("urgency", "advice", "papers")
NEEDY: Final = 0.6
"""Share of clients that have one of the needs."""
_SHOWN, _BY_CHANCE = 0.8, 0.05
REMARKS: Final = {
    "urgency": ("Срочно, у нас линия стоит", "Очень срочный заказ, цех встал", "Urgent, the line is down"),
    "advice": (
        "Подберите, пожалуйста, замену старому насосу",
        "Не уверены в выборе, подскажите",
        "Please advise which one",
    ),
    "papers": ("К каждой позиции нужен паспорт", "Просим сертификаты вместе с накладной", "Certificates are required"),
}
SUBJECTS: Final = {
    "urgency": "Линия стоит, нужен срочный выезд",
    "advice": "Подскажите, какой насос подобрать",
    "papers": "Нет сертификата на комплект",
}


def plant_needs(seed: int, society: Society) -> dict[str, str]:
    """Client -> its need; who is not in it has none. Nothing else of the world depends on it."""
    rng = Random(f"{seed}:needs")
    clients = sorted({*society.knows("erp", "O"), *society.knows("erp", "P"), *society.knows("service_desk", "O")})
    planted = {}
    for client in clients:
        need = rng.choice(NEEDS)
        if rng.random() < NEEDY and client not in society.own | society.suppliers | society.staff:
            planted[client] = need
    return planted | {STORY: "urgency"}


def order_traits(rng: Random, need: str | None) -> tuple[str, str | None]:
    """How an order is to be shipped, and what the client remarks on it."""
    shipping = "express" if rng.random() < (_SHOWN if need == "urgency" else _BY_CHANCE) else "standard"
    return shipping, _one(rng, need, REMARKS)


def ticket_subject(rng: Random, need: str | None) -> str | None:
    """What a request is about where it has to do with a need; None: with something else."""
    return _one(rng, need, {name: (text,) for name, text in SUBJECTS.items()})


def write_needs(folder: Path, planted: dict[str, str]) -> None:
    """Write `needs.csv`: entity_id and need, sorted."""
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("entity_id", "need"))
        writer.writerows(sorted(planted.items()))


def read_needs(folder: Path) -> dict[str, str]:
    """Entity -> need."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return {row["entity_id"]: row["need"] for row in csv.DictReader(file)}


def _one(rng: Random, need: str | None, texts: Mapping[str, tuple[str, ...]]) -> str | None:
    # Its own need first, so that what chance adds does not hide it.
    order = sorted(NEEDS, key=lambda name: name != need)
    shown = [name for name in order if rng.random() < (_SHOWN if name == need else _BY_CHANCE)]
    return rng.choice(texts[shown[0]]) if shown else None

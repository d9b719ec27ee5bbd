"""Pins that hold no longer. Apart from the other judgements, because a run that finds none loads no Arrow for it."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import psycopg

from warehouse.sql import sql


class ExpiredPin(NamedTuple):
    """A pin in force whose last day is over (`is_over`), or whose record says something else than it did then."""

    judgement_id: int
    record_ids: list[int]
    until: date | None
    is_over: bool


def expired_pins(conn: psycopg.Connection[Any], today: date) -> list[ExpiredPin]:
    """The pins in force that hold no longer on the day `today`, oldest first."""
    return [ExpiredPin(*row) for row in conn.execute(sql("judgements.expired_pins"), {"today": today})]

"""What pages tell of a client's needs: what speaks for each and against it, in which dealings, by whose word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg

from onefold.configuration import Configuration
from onefold.web.masking import BLANK, Masks
from warehouse import need_pages

LONGEST: Final = 240
"""Characters of a text that are told of a sighting, around what was found; its entry has the whole."""


def needs_and_segments(
    conn: psycopg.Connection[Any], client_id: str, configuration: Configuration, masks: Masks | None
) -> dict[str, Any]:
    """What the page of a client tells: whether the hub `knows_needs`, `needs` as `by_need` has them, `segments`."""
    found = need_pages.of_client(conn, client_id)
    return {
        "knows_needs": found["knows"],
        "needs": by_need(found, configuration, masks),
        "segments": found["segments"],
    }


def by_need(found: Mapping[str, Any], configuration: Configuration, masks: Masks | None) -> list[dict[str, Any]]:
    """The needs of `need_pages.of_client`, each with its `origins`, what speaks `pro` and `contra` with the latest
    `sightings`, its `lift`; the strongest first, and last those that are `is_idle`: not held, nor
    spoken of by the client."""
    latest: dict[int, list[dict[str, Any]]] = {}
    for row in found["latest"]:
        latest.setdefault(row["signal_key"], []).append(row)
    needs: dict[str, dict[str, Any]] = {}
    for row in found["needs"]:
        kept = ("need", "label_en", "label_ru", "job_en", "job_ru", "dimension", "is_disputed", "dealings")
        one = needs.setdefault(
            row["need"], {**{name: row[name] for name in kept}, "origins": [], "pro": [], "contra": []}
        )
        one["origins"].append(row)
    for signal in found["signals"]:
        if signal["need"] in needs:
            rows = latest.get(signal["signal_key"], ())
            seen = [{**row, "said": said_in(configuration, {**signal, **row}, masks)} for row in rows]
            needs[signal["need"]]["contra" if signal["is_against"] else "pro"].append({**signal, "seen": seen})
    for one in needs.values():
        lifts = {row["origin"]: row["lift"] for row in one["origins"] if row["expected_for"] is not None}
        one["lift"] = lifts.get("observed", lifts.get("inferred"))
        is_held = any(row["is_held"] for row in one["origins"])
        says_so = any(row["origin"] == "declared" for row in one["origins"])
        one["is_idle"] = not (is_held or one["is_disputed"] or says_so)
    return sorted(needs.values(), key=lambda one: (one["is_idle"], -(one["lift"] or 0.0), one["need"]))


def said_in(configuration: Configuration, row: Mapping[str, Any], masks: Masks | None) -> list[str]:
    """What the dealing `row` holds where its signal looks: texts in which its words may stand, and values of fields.
    People write freely there: it is masked whole."""
    need = configuration.needs.needs.get(row["need"])
    signal = None if need is None else need.signals.get(row["signal"])
    if signal is None:
        found = [_around(text, 0) for text in _texts(row, ["summary"])]
    else:
        texts = _texts(row, signal.look_in) if signal.words else []
        places = [(text, _first(text.lower().replace("ё", "е"), row["word_starts"] or "")) for text in texts]
        said = [_around(text, place) for text, place in places if place >= 0]
        found = said + [_around(text, 0) for text in _texts(row, sorted(signal.when))]
    return found if masks is None else [BLANK for _ in found]


def _first(text: str, starts: str) -> int:
    """Where the first of the beginnings (with | between them) stands; -1: none does."""
    return min((place for start in starts.split("|") if (place := text.find(start)) >= 0), default=-1)


def _around(text: str, place: int) -> str:
    """At most LONGEST characters of the text, with what stands at the place in the middle."""
    first = max(0, min(place - LONGEST // 2, len(text) - LONGEST))
    part = text[first : first + LONGEST]
    return f"{'…' if first else ''}{part.strip()}{'…' if first + LONGEST < len(text) else ''}"


def _texts(row: Mapping[str, Any], looked: Iterable[str]) -> list[str]:
    found = []
    for name in looked:
        value: Any = row
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and value != "":
            found.append(str(value))
    return found

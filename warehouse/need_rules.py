"""The rules by which needs are recognised, as plain values, and what they are in SQL on a dealing called `i`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse.sql import sql

_NUMBERS: Final = ("amount", "reporting_amount")
_NUMERIC: Final = SQL(r"^\s*-?\d+(\.\d+)?\s*$")
_NONE: Final = SQL("NULL::integer[]")
_MOST_LOOKED_FOR: Final = 50
"""Beginnings beyond which it is cheaper to take every text apart (.07 microseconds each, and 3)."""
Forms = Callable[[str], Sequence[Sequence[str]]]
"""From a phrase to its words in their order, each with all its forms."""
Stems = Mapping[str, Sequence[str]]


class Search(NamedTuple):
    """How the words of a signal are looked for."""

    starts: str
    """The beginnings one of which has to stand in the text, with | between them."""
    query: str
    """A text search."""


Searches = Mapping[int, Search]
"""Signal -> its search."""


class EmptyWordsError(Exception):
    """Words of needs.yaml of which nothing is left: they are so common that no search looks for them."""

    exit_code = 3

    def __init__(self, signal: Signal, phrase: str) -> None:
        super().__init__(
            f"needs.yaml: `{phrase}` of {signal.need}.{signal.code} consists of words that every text holds: it would"
            " be found nowhere. Name a word with a meaning of its own."
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold of one value of a dealing."""

    looked: str
    """A column, or `detail.NAME`."""
    is_: Sequence[Any] = ()
    not_: Sequence[Any] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    present: bool | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """By what a need is recognised. `key` is its number."""

    key: int
    need: str
    code: str
    origin: str
    is_against: bool
    weight: float
    half_life_days: float | None
    types: Sequence[str]
    conditions: Sequence[Condition] = ()
    words: Sequence[str] = ()
    """Phrases, of which one has to stand in the text."""
    look_in: Sequence[str] = ("summary",)
    label_en: str = ""
    label_ru: str | None = None

    @property
    def ageing(self) -> float:
        """By how much the logarithm of its weight falls in a day."""
        return 0.0 if self.half_life_days is None else log(2) / self.half_life_days


@dataclass(frozen=True, slots=True)
class Rules:
    """needs.yaml as the warehouse takes it."""

    needs: Sequence[Mapping[str, Any]]
    """Rows of core.need."""
    signals: Sequence[Signal]
    held_lift: float
    held_sightings: int

    @property
    def types(self) -> list[str]:
        """All interaction types that are looked at."""
        return sorted({type_ for signal in self.signals for type_ in signal.types})

    @property
    def dealing_types(self) -> list[str]:
        """Those that count as dealings: in which something may be observed, and not only said."""
        return sorted({t for signal in self.signals if signal.origin != "declared" for t in signal.types})

    @property
    def counted(self) -> list[tuple[str, float]]:
        """The dealings that are counted: of which type, and aged how."""
        return sorted(
            {(t, signal.ageing) for signal in self.signals if signal.origin != "declared" for t in signal.types}
        )

    @property
    def channels(self) -> list[tuple[str, str]]:
        """Need and origin of what is seen: first what is expected to be seen, and then what is declared."""
        return sorted(
            {(signal.need, signal.origin) for signal in self.signals}, key=lambda one: (one[1] == "declared", one)
        )

    def channel_of(self, need: str, origin: str) -> int | None:
        """The place among `channels`; None: nothing is seen there."""
        place = (need, origin)
        return self.channels.index(place) if place in self.channels else None


def searches(conn: psycopg.Connection[Any], rules: Rules, forms: Forms) -> dict[int, Search]:
    """The searches of all signals with words. Raises EmptyWordsError for a phrase of which nothing is left."""
    phrases = {phrase: forms(phrase) for signal in rules.signals for phrase in signal.words}
    every = sorted({form for words in phrases.values() for word in words for form in word})
    known: dict[str, list[str]] = dict(conn.execute(sql("needs.lexemes"), {"forms": every}).fetchall())
    found = {}
    for signal in rules.signals:
        for phrase in signal.words:
            if not any(known[form] for word in phrases[phrase] for form in word):
                raise EmptyWordsError(signal, phrase)
        if signal.words:
            said = [phrases[phrase] for phrase in signal.words]
            starts = sorted({start for words in said for start in _starts(words, known)})
            query = " | ".join(f"({_query(words, known)})" for words in said)
            found[signal.key] = Search("|".join(starts), query)
    return found


@dataclass(frozen=True)
class Look:
    """How signals are looked for in a dealing `i`, in three steps, so that each text is taken apart once."""

    columns: Composable
    """What is looked at beside client, record, type and day; all columns would take as long as the words do."""
    texts: Composable
    """Further columns of `i`: what it says, in lower case."""
    words: Composable
    """Further columns of an `i` with these: the stems of what it says, where one of the words may stand there."""
    seen: Composable
    """Of an `i` with both the keys of the signals that are seen, an array; of its type alone."""


def look_for(signals: Sequence[Signal], known: Searches) -> Look:
    """How `signals` are looked for; `known` has the searches of their words."""
    places = sorted({tuple(signal.look_in) for signal in signals if signal.words})
    here = [[one for one in signals if one.words and tuple(one.look_in) == place] for place in places]
    texts = [SQL(", {} AS {}").format(_text(place), _said(at)) for at, place in enumerate(places)]
    words = [SQL(", {} AS {}").format(_taken_apart(at, of, known), _stems(at)) for at, of in enumerate(here)]
    by_type: dict[str, list[Signal]] = {}
    for signal in signals:
        for type_ in signal.types:
            by_type.setdefault(type_, []).append(signal)
    cases = [
        SQL("WHEN {} THEN {}").format(literal(of), _keys(mine, places, known)) for of, mine in sorted(by_type.items())
    ]
    seen = SQL("CASE i.type {} END").format(SQL(" ").join(cases)) if cases else _NONE
    looked = {one.looked for signal in signals for one in signal.conditions} | {name for of in places for name in of}
    columns = sorted({name.split(".")[0] for name in looked} - {"client_id", "record_id", "type", "occurred_on"})
    also = [SQL(", i.{}").format(Identifier(name)) for name in columns]
    return Look(SQL("").join(also), SQL("").join(texts), SQL("").join(words), seen)


def _keys(signals: Sequence[Signal], places: Sequence[tuple[str, ...]], known: Searches) -> Composable:
    """The keys of those that are seen. Most dealings show none, for which no array is made."""
    plain = [one for one in signals if not one.words]
    parts = [_those(plain, 0, known, SQL(" OR ").join(_shows(one, 0, known) for one in plain))] if plain else []
    for at, place in enumerate(places):
        if here := [one for one in signals if one.words and tuple(one.look_in) == place]:
            parts.append(_those(here, at, known, SQL("i.{} IS NOT NULL").format(_stems(at))))
    return SQL(" || ").join(parts)


def _those(signals: Sequence[Signal], at: int, known: Searches, may: Composable) -> Composable:
    keys = SQL(", ").join(
        SQL("CASE WHEN {} THEN {} END").format(_shows(one, at, known), Literal(one.key)) for one in signals
    )
    return SQL("CASE WHEN {} THEN array_remove(ARRAY[{}], NULL) END").format(may, keys)


def _said(at: int) -> Identifier:
    return Identifier(f"said_{at}")


def _stems(at: int) -> Identifier:
    return Identifier(f"stems_{at}")


def _taken_apart(at: int, signals: Sequence[Signal], known: Searches) -> Composable:
    """The stems of a text of the types of `signals`. Most texts hold none of the words, which a cheap look tells."""
    text = SQL("i.{}").format(_said(at))
    types = sorted({type_ for signal in signals for type_ in signal.types})
    starts = _shortest({start for signal in signals for start in known[signal.key].starts.split("|")})
    some = starts if len(starts) <= _MOST_LOOKED_FOR else [""]
    may = SQL(" OR ").join(SQL("strpos({}, {}) > 0").format(text, literal(start)) for start in some)
    return SQL("CASE WHEN i.type = ANY ({}::text[]) AND ({}) THEN to_tsvector('russian', {}) END").format(
        literal(types), may, text
    )


def _shortest(starts: set[str]) -> list[str]:
    """Without those in which another one stands: where they are, it is too."""
    return sorted(one for one in starts if not any(other in one for other in starts - {one}))


def _shows(signal: Signal, at: int, known: Searches) -> Composable:
    """Whether a signal is seen; `at`: the text in which its words are looked for."""
    parts = [meets(one) for one in signal.conditions]
    if signal.words:
        parts.append(SQL("i.{} @@ {}::tsquery").format(_stems(at), literal(known[signal.key].query)))
    return SQL(" AND ").join(parts) if parts else SQL("true")


def _value(looked: str) -> Composable:
    if looked.startswith("detail."):
        path = looked.split(".")[1:]
        return SQL("(i.detail #>> {}::text[])").format(literal(path))
    return SQL("i.{}").format(SQL(looked)) if looked in _NUMBERS else SQL("i.{}::text").format(SQL(looked))


def meets(one: Condition) -> Composable:
    """Whether `i` meets a condition."""
    value = _value(one.looked)
    parts: list[Composable] = []
    if one.present is not None:
        parts.append(SQL("{} IS {}").format(value, SQL("NOT NULL" if one.present else "NULL")))
    if one.is_:
        parts.append(SQL("lower({}::text) = ANY ({}::text[])").format(value, literal(_texts(one.is_))))
    if one.not_:
        parts.append(SQL("lower({}::text) <> ALL ({}::text[])").format(value, literal(_texts(one.not_))))
    number = value
    if one.looked not in _NUMBERS and (one.at_least is not None or one.at_most is not None):
        # What is no number holds no bound, and stops nothing.
        number = SQL("(CASE WHEN {0} ~ '{1}' THEN {0}::numeric END)").format(value, _NUMERIC)
    if one.at_least is not None:
        parts.append(SQL("{} >= {}").format(number, Literal(one.at_least)))
    if one.at_most is not None:
        parts.append(SQL("{} <= {}").format(number, Literal(one.at_most)))
    return SQL("coalesce({}, false)").format(SQL(" AND ").join(parts))


def literal(value: str | Sequence[str]) -> Literal:
    """A constant of a statement that takes parameters: there `%` stands for itself when it is written twice."""
    return Literal(value.replace("%", "%%") if isinstance(value, str) else [one.replace("%", "%%") for one in value])


def _texts(values: Sequence[Any]) -> list[str]:
    return [str(value).lower() for value in values]


def _text(look_in: Sequence[str]) -> Composable:
    """What stands there, in lower case, ё written as е."""
    values = [_value(one) for one in look_in]
    text = values[0] if len(values) == 1 else SQL("concat_ws(' ', {})").format(SQL(", ").join(values))
    return SQL("replace(lower({}), 'ё', 'е')").format(text)


def _query(words: Sequence[Sequence[str]], known: Stems) -> str:
    """As a text search is written. What every text holds has no stem, and is a gap."""
    made, gap = "", 1
    for word in words:
        found = sorted({stem for form in word for stem in known[form]})
        if not found:
            gap += 1
            continue
        either = " | ".join("'" + stem.replace("\\", "\\\\").replace("'", "''") + "'" for stem in found)
        made += f" <{gap}> ({either})" if made else f"({either})"
        gap = 1
    return made


def _starts(words: Sequence[Sequence[str]], known: Stems) -> set[str]:
    """Beginnings one of which has to stand in the text: of the word whose shortest is longest."""
    by_word = [{_start(stem) for form in word for stem in known[form]} for word in words]
    return max((found for found in by_word if found), key=lambda found: min(map(len, found)))


def _start(stem: str) -> str:
    """What every form of a stem begins with. English rewrites ends (happy, happi) and, in a few words, all but the
    first letter (dying, die)."""
    if stem.isascii() and stem.isalpha():
        stem = stem[:1] if len(stem) <= 3 else stem[:-1]
    return stem

"""The rules by which needs are recognised, as plain values, and what they are in SQL on a dealing called `i`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.sql import SQL, Composable, Literal

from warehouse.sql import sql

_NUMBERS: Final = ("amount", "reporting_amount")
_NUMERIC: Final = SQL(r"^\s*-?\d+(\.\d+)?\s*$")
_NONE: Final = SQL("NULL::integer[]")
_NOTHING: Final = SQL("ARRAY[]::integer[]")
Forms = Callable[[str], Sequence[Sequence[str]]]
"""From a phrase to its words in their order, each with all its forms."""
Stems = Mapping[str, Sequence[str]]


class Search(NamedTuple):
    """How the words of a signal are looked for."""

    starts: str
    """A regular expression: the beginnings one of which has to stand in the text."""
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
    def ageings(self) -> list[float]:
        """The different ways to age, in order."""
        return sorted({signal.ageing for signal in self.signals})

    @property
    def channels(self) -> list[tuple[str, str]]:
        """Need and origin of what is seen, without what is declared."""
        return sorted({(signal.need, signal.origin) for signal in self.signals if signal.origin != "declared"})


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


def seen(signals: Iterable[Signal], known: Searches) -> Composable:
    """The signals that are seen in `i`, an array of their keys, those of its type alone; `known` has the searches of
    their words. Most texts hold none of the words: one look tells so for all of them."""
    by_type: dict[str, list[Signal]] = {}
    for signal in signals:
        for type_ in signal.types:
            by_type.setdefault(type_, []).append(signal)
    cases = [SQL("WHEN {} THEN {}").format(literal(of), _keys(here, known)) for of, here in sorted(by_type.items())]
    return SQL("CASE i.type {} END").format(SQL(" ").join(cases)) if cases else _NONE


def _keys(signals: Sequence[Signal], known: Searches) -> Composable:
    """The keys of those that are seen."""
    by_text: dict[tuple[str, ...], list[Signal]] = {}
    for signal in signals:
        by_text.setdefault(tuple(signal.look_in) if signal.words else (), []).append(signal)
    parts = []
    for look_in, here in by_text.items():
        keys = SQL("array_remove(ARRAY[{}], NULL)").format(
            SQL(", ").join(SQL("CASE WHEN {} THEN {} END").format(_shows(one, known), Literal(one.key)) for one in here)
        )
        if look_in and len(here) > 1:
            starts = "|".join(sorted({known[one.key].starts for one in here}))
            keys = SQL("CASE WHEN {} ~ {} THEN {} ELSE {} END").format(_text(look_in), literal(starts), keys, _NOTHING)
        parts.append(keys)
    return SQL(" || ").join(parts)


def _shows(signal: Signal, known: Searches) -> Composable:
    parts = [meets(one) for one in signal.conditions] or [SQL("true")]
    # CASE: the words are looked for last, and only where all else holds.
    words = _says(signal, known) if signal.words else SQL("true")
    return SQL("CASE WHEN {} THEN {} ELSE false END").format(SQL(" AND ").join(parts), words)


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


def _says(signal: Signal, known: Searches) -> Composable:
    """A cheap look for the beginnings of the stems first: texts are taken apart only where one stands."""
    search = known[signal.key]
    return SQL("CASE WHEN {0} ~ {1} THEN to_tsvector('russian', {0}) @@ {2}::tsquery ELSE false END").format(
        _text(signal.look_in), literal(search.starts), literal(search.query)
    )


def _text(look_in: Iterable[str]) -> Composable:
    """What stands there, in lower case."""
    return SQL("translate(lower(concat_ws(' ', {})), 'ё', 'е')").format(SQL(", ").join(map(_value, look_in)))


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
    return re.escape(stem)

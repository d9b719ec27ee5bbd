"""How the words of needs are looked for in what dealings say."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from onefold.steps.word_forms import phrase_forms
from warehouse.need_rules import Condition, Rules, Search, Signal, look_for, searches

RARE = [f"{a}{b}{c}клизатор" for a in "бвгдж" for b in "аеиоу" for c in "вгд"]
TEXTS = {
    1: ("order", "Тёплый приём", {}),
    2: ("order", "НАСОС ТЕПЛЕЕ", {"remark": "urgent BREAKDOWN of it"}),
    3: ("order", None, {"remark": "линии стоят"}),
    4: ("ticket", "тёплый", {"remark": "линия стоит"}),
    5: ("order", "urgent. It was a breakdown", {"rush": "yes"}),
    6: ("order", "", {"rush": "YES", "remark": "Абвклизатор"}),
}


def signal(key: int, words: Sequence[str], **other: object) -> Signal:
    given: dict[str, object] = {"types": ["order"], "look_in": ("summary", "detail.remark"), **other}
    return Signal(key, "need", f"s{key}", "observed", False, 1.0, None, words=words, **given)  # type: ignore[arg-type]


def found(conn: psycopg.Connection, signals: Sequence[Signal]) -> dict[int, list[int]]:
    """Of each text the signals that are seen in it."""
    rules = Rules(needs=(), signals=signals, held_lift=1, held_sightings=1)
    known: dict[int, Search] = searches(conn, rules, phrase_forms)
    how = look_for(signals, known)
    values = SQL(", ").join(
        SQL("({}, {}, {}, {}::jsonb)").format(*map(Literal, (key, type_, said, psycopg.types.json.Jsonb(detail))))
        for key, (type_, said, detail) in TEXTS.items()
    )
    statement = SQL(
        "SELECT i.key, {seen} FROM (SELECT i.key, i.type{columns}{words} FROM (SELECT i.key, i.type{columns}{texts}"
        " FROM (VALUES {values}) AS i (key, type, summary, detail)) AS i) AS i"
    ).format(seen=how.seen, columns=how.columns, words=how.words, texts=how.texts, values=values)
    return {key: sorted(keys or ()) for key, keys in conn.execute(statement, {})}


@pytest.mark.parametrize("more", [(), RARE], ids=["few", "many"])
def test_words_are_found_in_any_form_and_only_where_they_are_looked_for(
    conn: psycopg.Connection, more: Sequence[str]
) -> None:
    rush = Condition("detail.rush", is_=("yes",))
    signals = [
        signal(1, ["теплый"], look_in=("summary",)),
        signal(2, ["urgent breakdown", *more]),
        signal(3, ["линия стоит"], types=["order", "ticket"]),
        signal(4, [], conditions=[rush]),
        signal(5, ["breakdown"], conditions=[rush]),
    ]
    assert found(conn, signals) == {1: [1], 2: [1, 2], 3: [3], 4: [3], 5: [4, 5], 6: [4]}


def test_one_text_may_hold_the_word_of_another_in_longer_form(conn: psycopg.Connection) -> None:
    assert found(conn, [signal(1, ["breakdown"]), signal(2, ["break"])]) == {
        1: [], 2: [1], 3: [], 4: [], 5: [1], 6: []
    }  # fmt: skip

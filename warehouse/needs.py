"""What clients need: found in their dealings, weighed against what so many dealings let expect, and stored.

A client's needs are a function of its published interactions, the rules, and the rates (how often each signal is seen
in dealings of a type), which are frozen when they are measured. Ageing is reckoned back from the client's own last
dealing: who is silent loses no need by it, and nothing changes because a day has passed. So only clients with news are
looked at again, with the outcome of looking at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse import arrow
from warehouse.need_rules import Forms, Rules, Search, literal, look_for, searches
from warehouse.sql import sql

_ALL: Final = SQL("core.published_interaction AS i")
_TOUCHED: Final = SQL("need_client AS c JOIN core.published_interaction AS i ON i.client_id = c.client_id")
_NOUGHT: Final = SQL("0::double precision")
_ONE: Final = SQL("1000000::double precision")
TABLES: Final = ("need_last", "need_count", "need_found", "need_expected", "need_word", "need_weight")


@dataclass(frozen=True, slots=True)
class Written:
    """What a look changed: rows of clients' needs, and sightings."""

    needs: int = 0
    sightings: int = 0


def store_catalogue(conn: psycopg.Connection[Any], rules: Rules, forms: Forms) -> None:
    """Make `rules` the catalogue; what was found by others is looked for anew by the caller. Raises EmptyWordsError."""
    found = searches(conn, rules, forms)
    conn.execute(sql("needs.forget_catalogue"))
    conn.execute(sql("needs.forget_signals"))
    with conn.cursor() as cursor:
        cursor.executemany(sql("needs.store_need"), list(rules.needs))
        names = ("need", "code", "origin", "is_against", "weight", "label_en", "label_ru")
        cursor.executemany(
            sql("needs.store_signal"),
            [
                {
                    "signal_key": s.key,
                    **{name: getattr(s, name) for name in names},
                    "starts": found[s.key].starts if s.key in found else None,
                    "query": found[s.key].query if s.key in found else None,
                }
                for s in rules.signals
            ],
        )


def touch(conn: psycopg.Connection[Any], after: int) -> int:
    """Note who has news since the change event `after`, in the temporary table need_client; how many."""
    count = conn.execute(sql("needs.touched"), {"after": after}).rowcount
    conn.execute(sql("needs.analyse_touched"))
    return count


def look(conn: psycopg.Connection[Any], rules: Rules, *, touched: bool, measure: bool) -> None:
    """Count the dealings of all clients, or of those `touched`, and find what they show; `measure` the rates anew.

    Leaves the temporary tables of TABLES until the transaction ends.
    """
    source = _TOUCHED if touched else _ALL
    if not touched:
        conn.execute(sql("needs.much_memory"))
        conn.execute(sql("needs.all_cores"))
        conn.execute(sql("needs.by_hash"))
    known = {key: Search(*said) for key, *said in conn.execute(sql("needs.searches"))}
    types = {"types": rules.types}
    conn.execute(sql("needs.last").format(dealings=source), types)
    conn.execute(sql("needs.analyse_last"))
    if not touched:
        conn.execute(sql("needs.by_choice"))
    dealing_types = {"types": rules.dealing_types}
    conn.execute(sql("needs.counts").format(dealings=source, ages=_ages(rules)), dealing_types)
    how = look_for(rules.signals, known)
    found = sql("needs.found").format(
        dealings=source, columns=how.columns, texts=how.texts, words=how.words, seen=how.seen, aged=_aged(rules)
    )
    signals = {
        "keys": [signal.key for signal in rules.signals],
        "channels": [rules.channel_of(signal.need, signal.origin) for signal in rules.signals],
        "against": [signal.is_against for signal in rules.signals],
        "weights": [signal.weight for signal in rules.signals],
    }
    conn.execute(found, {**types, **signals})
    conn.execute(sql("needs.analyse_found"))
    if measure:
        counted = [signal.key for signal in rules.signals if signal.origin != "declared"]
        conn.execute(sql("needs.drop_rates"))
        statement = sql("needs.rates").format(dealings_of=_of_signal(rules), totals=_totals(rules))
        conn.execute(statement, {"counted": counted})
    conn.execute(sql("needs.expected").format(sums=_sums(rules, rates(conn))))
    declared = [at for at, (_, origin) in enumerate(rules.channels) if origin == "declared"]
    conn.execute(sql("needs.words"), {"declared": declared})
    conn.execute(sql("needs.analyse_words"))
    conn.execute(sql("needs.weights"))
    conn.execute(sql("needs.analyse_weights"))


def store(conn: psycopg.Connection[Any], rules: Rules, *, touched: bool) -> Written:
    """Bring the stored needs and sightings up to what `look` found; only differences are written."""
    return Written(_store_needs(conn, rules, touched=touched), _store_sightings(conn, touched=touched))


def _store_needs(conn: psycopg.Connection[Any], rules: Rules, *, touched: bool) -> int:
    expected = {f"expected_{side}": _of_channel(rules, side) for side in ("for", "against")}
    rows = sql("needs.rows").format(**expected)
    parameters = {
        "sightings": rules.held_sightings,
        "lift": rules.held_lift,
        "needs": [need for need, _ in rules.channels],
        "origins": [origin for _, origin in rules.channels],
        "observed": [
            rules.channel_of(need, "observed") if origin == "declared" else None for need, origin in rules.channels
        ],
    }
    with arrow.indexes_rebuilt(conn, ["core.client_need"], wanted=not touched, anew=True):
        if arrow.is_empty(conn, "core.client_need"):
            return conn.execute(sql("needs.add_needs").format(rows=SQL("({})").format(rows)), parameters).rowcount
        conn.execute(sql("needs.new_needs").format(rows=rows), parameters)
        conn.execute(sql("needs.index_new_needs"))
        written = conn.execute(sql("needs.drop_needs").format(**_scope(touched=touched))).rowcount
        written += conn.execute(sql("needs.change_needs")).rowcount
        written += conn.execute(sql("needs.add_needs").format(rows=SQL("new_need"))).rowcount
        conn.execute(sql("needs.drop_new_needs"))
    return written


def _store_sightings(conn: psycopg.Connection[Any], *, touched: bool) -> int:
    written = 0
    with arrow.indexes_rebuilt(conn, ["core.client_need_evidence"], wanted=not touched, anew=True):
        if not arrow.is_empty(conn, "core.client_need_evidence"):
            written += conn.execute(sql("needs.drop_evidence").format(**_scope(touched=touched))).rowcount
            written += conn.execute(sql("needs.change_evidence")).rowcount
        return written + conn.execute(sql("needs.add_evidence")).rowcount


def _scope(*, touched: bool) -> dict[str, Composable]:
    """Whose rows are brought up to date."""
    if touched:
        return {"scope": SQL("need_client AS s"), "in_scope": SQL("s.client_id = t.client_id")}
    return {"scope": SQL("(VALUES (true)) AS s (every)"), "in_scope": SQL("s.every")}


def looked_at(conn: psycopg.Connection[Any]) -> int:
    """Of how many clients `look` knows dealings."""
    row = conn.execute(sql("needs.looked_at")).fetchone()
    return int(row[0]) if row else 0


def drop_temporary(conn: psycopg.Connection[Any]) -> None:
    """Take away what `look` left, before the transaction ends."""
    conn.execute(SQL("DROP TABLE {}").format(SQL(", ").join(map(Identifier, TABLES))))


def clear(conn: psycopg.Connection[Any]) -> None:
    """Forget the catalogue and all that was found: there is no needs.yaml any more."""
    for table in ("client_need_evidence", "client_need", "need_rate", "need_signal", "need"):
        conn.execute(SQL("DELETE FROM core.{}").format(Identifier(table)))


def rates(conn: psycopg.Connection[Any]) -> dict[tuple[int, str], float]:
    """(signal, type) -> how often it is seen in a dealing of that type."""
    return {(key, type_): rate for key, type_, rate in conn.execute(sql("needs.rates_of"))}


def of_client(conn: psycopg.Connection[Any], client_id: str) -> list[dict[str, Any]]:
    """What is known of a client's needs, by need and origin; weights in sightings."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("needs.of_client"), {"client_id": client_id}).fetchall()


def evidence_of(
    conn: psycopg.Connection[Any], client_id: str, *, need: str | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """A client's sightings, the newest first, each with its interaction."""
    parameters = {"client_id": client_id, "need": need, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("needs.evidence_of"), parameters).fetchall()


def overview(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The catalogue, each need with how many clients have it by which origin."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("needs.overview")).fetchall()


def _column(rules: Rules, type_: str, ageing: float) -> Identifier:
    """The aged weight of a client's dealings of that type."""
    return Identifier(f"n{rules.counted.index((type_, ageing))}")


def _ages(rules: Rules) -> Composable:
    """The aged weight of dealings `i` of each type, by each way to age: n0, n1 ..."""
    made: list[Composable] = []
    for type_, ageing in rules.counted:
        one = _weight(SQL("1"), Literal(ageing), SQL("i.occurred_on"))
        text = (
            "coalesce(sum({}) FILTER (WHERE i.type = {}), 0)"
            if ageing
            else "count(*) FILTER (WHERE i.type = {1}) * {0}"
        )
        summed = SQL(text).format(one if ageing else _ONE, literal(type_))
        made.append(SQL(", {} AS {}").format(summed, _column(rules, type_, ageing)))
    return SQL("").join(made)


def _aged(rules: Rules) -> Composable:
    """The weight of a sighting `f` of signal `s`."""
    cases = SQL(" ").join(
        SQL("WHEN {} THEN {}").format(Literal(s.key), Literal(s.ageing)) for s in rules.signals if s.ageing
    )
    is_aged = any(s.ageing for s in rules.signals)
    ageing = SQL("(CASE f.signal_key {} ELSE 0 END)").format(cases) if is_aged else SQL("0")
    return _weight(SQL("s.weight::double precision"), ageing, SQL("f.occurred_on"))


def _weight(weight: Composable, ageing: Composable, day: Composable) -> Composable:
    # A day that nobody knows is taken for the last one. Of e^-50 nothing is left of the heaviest sighting when it is
    # rounded; smaller powers are not asked for, since the server refuses those that underflow.
    text = "round(1000000 * {} * exp(greatest(-{}::double precision * coalesce(l.last_on - {}, 0), -50)))"
    return SQL(text).format(weight, ageing, day)


def _totals(rules: Rules) -> Composable:
    columns = [_column(rules, *one) for one in rules.counted]
    return SQL(", ").join(SQL("sum(n.{0}) AS {0}").format(one) for one in columns) if columns else SQL("NULL AS none")


def _of_signal(rules: Rules) -> Composable:
    """The weight of all dealings of the type of `f`, aged as its signal is."""
    cases = [
        SQL("WHEN f.signal_key = {} AND f.type = {} THEN n.{}").format(
            Literal(s.key), literal(type_), _column(rules, type_, s.ageing)
        )
        for s in rules.signals
        if s.origin != "declared"
        for type_ in s.types
    ]
    return SQL("(CASE {} END)").format(SQL(" ").join(cases)) if cases else SQL("NULL::double precision")


def _sums(rules: Rules, known: Mapping[tuple[int, str], float]) -> Composable:
    """What is expected by each channel, for (e0_for ...) and against it, of the dealings `n`."""
    made: list[Composable] = []
    for at, channel in enumerate(rules.channels):
        for side in ("for", "against"):
            by_type: dict[tuple[str, float], float] = {}
            for s in rules.signals:
                if (s.need, s.origin) == channel and s.origin != "declared" and s.is_against == (side == "against"):
                    for type_ in s.types:
                        place = (type_, s.ageing)
                        by_type[place] = by_type.get(place, 0.0) + known.get((s.key, type_), 0.0)
            parts = [
                SQL("round({}::double precision * coalesce(n.{}, 0))").format(Literal(rate), _column(rules, *place))
                for place, rate in sorted(by_type.items())
            ]
            total = SQL(" + ").join(parts) if parts else _NOUGHT
            made.append(SQL(", {} AS {}").format(total, Identifier(f"e{at}_{side}")))
    return SQL("").join(made)


def _of_channel(rules: Rules, side: str) -> Composable:
    """What is expected by the channel of `t`; nothing is by what is declared."""
    cases = [
        SQL("WHEN {} THEN e.{}").format(Literal(at), Identifier(f"e{at}_{side}"))
        for at, (_, origin) in enumerate(rules.channels)
        if origin != "declared"
    ]
    return SQL("(CASE t.channel {} END)").format(SQL(" ").join(cases)) if cases else SQL("NULL::double precision")

"""What follows from facts: chains over parents, reversals both ways, frozen rates; whatever the order of arrival."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.integration.warehouse.hub_rows import NOW, interaction, rid, rows
from warehouse import derived_facts, facts, golden, rates, shapes, standard
from warehouse.clock import hub_lock, next_as_of
from warehouse.dump import canonical_dump, row_versions


def order(key: str) -> int:
    return rid(key, "erp", "orders")


def publish(conn: psycopg.Connection, *record_ids: int) -> golden.Published:
    with conn.transaction():
        hub_lock(conn)
        return facts.refresh(conn, record_ids, as_of=next_as_of(conn, lambda: NOW))


def report_in(conn: psycopg.Connection, currency: str = "RUB", days: int = 10) -> None:
    with conn.transaction():
        hub_lock(conn)
        derived_facts.report_in(conn, currency, days)


def store(conn: psycopg.Connection, *entries: dict[str, Any]) -> None:
    """Store and publish."""
    publish(conn, *standard.store_interactions(conn, rows(shapes.INTERACTION, entries), None, None).all)


def linked(key: str, parent: str | None, *, amount: str = "10.50", **columns: Any) -> dict[str, Any]:
    return interaction(key, None, amount, parent_record_id=None if parent is None else order(parent), **columns)


def chains(conn: psycopg.Connection) -> dict[str, str | None]:
    found = conn.execute(
        "SELECT i.source_key, coalesce(t.source_key, 'not come') FROM core.interaction i"
        " LEFT JOIN core.interaction t ON t.record_id = i.chain_id WHERE i.chain_id IS NOT NULL"
    ).fetchall()
    return dict(found)


def state_rates(conn: psycopg.Connection, *stated: tuple[str, str, date, str], nominal: str = "1") -> None:
    entries = [
        {
            "record_id": rid(f"{a}{b}{on}", "bank", "rates"), "source": "bank", "stream": "rates",
            "source_key": f"{a}{b}{on}", "from_currency": a, "to_currency": b, "on_date": on, "rate": rate,
            "nominal": nominal,
        }
        for a, b, on, rate in stated
    ]  # fmt: skip
    publish(conn, *rates.store_rates(conn, rows(shapes.RATE, entries), [e["record_id"] for e in entries]))


def amounts(conn: psycopg.Connection, key: str = "o1") -> tuple[Any, ...] | None:
    return conn.execute(
        "SELECT reporting_amount, rate, rate_on FROM onefold_v1.fct_interaction WHERE source_key = %s", [key]
    ).fetchone()


def seq(conn: psycopg.Connection, key: str) -> int:
    row = conn.execute("SELECT changed_seq FROM core.interaction WHERE source_key = %s", [key]).fetchone()
    assert row is not None and row[0] is not None
    return int(row[0])


def test_a_chain_is_named_by_its_top_and_a_late_parent_moves_it(conn: psycopg.Connection) -> None:
    store(conn, linked("invoice", "delivery"), linked("payment", "invoice"), linked("other", None))
    assert chains(conn) == {"invoice": "not come", "payment": "not come", "other": "other"}
    before = {key: seq(conn, key) for key in ("payment", "other")}
    store(conn, linked("delivery", "order"))
    store(conn, linked("order", None))
    assert chains(conn) == dict.fromkeys(["order", "delivery", "invoice", "payment"], "order") | {"other": "other"}
    assert seq(conn, "payment") > before["payment"] and seq(conn, "other") == before["other"]
    store(conn, linked("delivery", None))
    assert chains(conn) == {
        "order": "order", "delivery": "delivery", "invoice": "delivery", "payment": "delivery", "other": "other"
    }  # fmt: skip


def test_parents_in_a_ring_are_bounded_and_reported(conn: psycopg.Connection) -> None:
    report_in(conn)
    store(conn, linked("a", "c"), linked("b", "a"), linked("behind", "b"), linked("self", "self"))
    store(conn, linked("c", "b"))
    lowest = min("abc", key=order)
    assert chains(conn) == dict.fromkeys(["a", "b", "c", "behind"], lowest) | {"self": "self"}
    failed = conn.execute("SELECT failed_checks FROM onefold_v1.meta_dataset WHERE dataset = 'fct_interaction'")
    assert failed.fetchone() == (["parents_in_a_ring"],)
    store(conn, linked("a", None), linked("self", None))
    assert chains(conn) == dict.fromkeys(["a", "b", "c", "behind"], "a") | {"self": "self"}
    assert failed.fetchone() is None


def test_steps_tell_the_days_and_where_both_are_known_the_hours(conn: psycopg.Connection) -> None:
    at = datetime(2026, 3, 1, 9, tzinfo=NOW.tzinfo)
    minute = {"precision": "minute"}
    store(
        conn,
        linked("order", None, occurred_at=at, occurred_on=at.date(), **minute),
        linked("delivery", "order", type="delivery", occurred_at=at + timedelta(hours=50, minutes=30),
               occurred_on=date(2026, 3, 3), **minute),
        linked("invoice", "delivery", type="invoice", occurred_at=at + timedelta(days=4), occurred_on=date(2026, 3, 5)),
    )  # fmt: skip
    assert conn.execute(
        "SELECT from_type, to_type, days_elapsed, hours_elapsed, days_since_start FROM onefold_v1.fct_chain_step"
        " ORDER BY days_since_start"
    ).fetchall() == [
        ("sales_order", "delivery", 2, Decimal("50.50"), 2),
        ("delivery", "invoice", 2, None, 4),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_gives_the_same_chains_and_reversals(conn: psycopg.Connection, seed: int) -> None:
    report_in(conn)
    chance = random.Random(seed)
    keys = [f"k{n}" for n in range(40)]
    last = {}
    for key in keys:
        parent = chance.choice([None, *keys]) if chance.random() < 0.8 else None
        takes_back = chance.choice(keys) if chance.random() < 0.3 else None
        amount = f"{chance.randint(1, 900)}.00"
        columns = {"amount": amount, "reverses_record_id": None if takes_back is None else order(takes_back)}
        last[key] = linked(key, parent, **columns)
    states = [linked(key, chance.choice(keys)) for key in chance.sample(keys, 20)]
    states += chance.sample(list(last.values()), len(keys))
    while states:
        several = states[: chance.randint(1, 7)]
        states = states[len(several) :]
        unique = {entry["record_id"]: entry for entry in several}
        store(conn, *unique.values())
        if chance.random() < 0.2:
            gone = chance.choice(keys)
            publish(conn, *standard.store_interactions(conn, None, None, None, [order(gone)]).all)
    store(conn, *last.values())
    by_steps = canonical_dump(conn)["core.interaction"]
    conn.execute("TRUNCATE core.interaction")
    store(conn, *last.values())
    assert canonical_dump(conn)["core.interaction"] == by_steps
    versions = row_versions(conn)
    publish(conn, *(order(key) for key in keys))
    assert row_versions(conn) == versions


def test_reversals_are_told_both_ways_and_sums_are_net(conn: psycopg.Connection) -> None:
    def back(key: str, of: str, amount: str | None) -> dict[str, Any]:
        return interaction(key, None, amount, type="credit_note", reverses_record_id=order(of))

    store(conn, back("r1", "i1", "-30.00"), back("r2", "i2", None), back("r4", "nothing", "5.00"))
    store(conn, *(interaction(key, None, "100.00", type="invoice") for key in ("i1", "i2", "i3")))
    store(conn, back("r3", "i1", "20.00"))
    read = "SELECT source_key, is_reversed, cardinality(reversed_by), net_amount FROM onefold_v1.fct_interaction"
    assert conn.execute(f"{read} ORDER BY 1").fetchall() == [
        ("i1", True, 2, Decimal("50.00")), ("i2", True, 1, Decimal("0.00")), ("i3", False, None, Decimal("100.00")),
        ("r1", False, None, 0), ("r2", False, None, None), ("r3", False, None, 0), ("r4", False, None, Decimal("5.00")),
    ]  # fmt: skip
    before = seq(conn, "i1")
    store(conn, back("r1", "i3", "-30.00"))
    assert seq(conn, "i1") > before
    publish(conn, *standard.store_interactions(conn, None, None, None, [order("r2")]).all)
    found = {row[0]: row[1:] for row in conn.execute(read)}
    assert found["i1"] == (True, 1, Decimal("80.00"))
    assert found["i2"] == (False, None, Decimal("100.00"))
    assert found["i3"] == (True, 1, Decimal("70.00"))


def test_an_amount_is_reported_at_the_last_rate_on_its_day_or_before(conn: psycopg.Connection) -> None:
    report_in(conn)
    state_rates(conn, ("EUR", "RUB", date(2026, 2, 20), "90.10"), ("EUR", "RUB", date(2026, 2, 27), "91.2345"))
    state_rates(conn, ("JPY", "RUB", date(2026, 3, 1), "55.5"), nominal="100")
    state_rates(conn, ("RUB", "USD", date(2026, 3, 1), "0.0125"))
    store(
        conn,
        interaction("o1", None, "10.50", currency="EUR"),
        interaction("o2", None, "2000", currency="JPY"),
        interaction("o3", None, "1.00", currency="USD"),
        interaction("o4", None, "99.99"),
        interaction("o5", None, "1.00", currency="EUR", occurred_on=date(2026, 4, 1)),
        interaction("o6", None, None, currency=None),
    )
    assert amounts(conn, "o1") == (Decimal("957.96"), Decimal("91.2345"), date(2026, 2, 27))
    assert amounts(conn, "o2") == (Decimal("1110.00"), Decimal("0.555"), date(2026, 3, 1))
    assert amounts(conn, "o3") == (Decimal("80.00"), Decimal(80), date(2026, 3, 1))
    assert amounts(conn, "o4") == (Decimal("99.99"), Decimal(1), NOW.date())
    assert amounts(conn, "o5") == (None, None, None)
    assert amounts(conn, "o6") == (None, None, None)
    assert derived_facts.missing_rates(conn) == [
        {"currency": "EUR", "interactions": 1, "first_on": "2026-04-01", "last_on": "2026-04-01"}
    ]


def test_a_late_rate_fills_what_waited_and_changes_nothing_that_was_frozen(conn: psycopg.Connection) -> None:
    report_in(conn)
    store(conn, interaction("o1", None, "10.00", currency="EUR"), interaction("o2", None, "10.00", currency="USD"))
    assert amounts(conn) == (None, None, None)
    before = {key: seq(conn, key) for key in ("o1", "o2")}
    state_rates(conn, ("EUR", "RUB", date(2026, 2, 25), "90"))
    assert amounts(conn) == (Decimal("900.00"), Decimal(90), date(2026, 2, 25))
    assert seq(conn, "o1") > before["o1"] and seq(conn, "o2") == before["o2"]
    state_rates(conn, ("EUR", "RUB", date(2026, 3, 1), "95"), ("EUR", "RUB", date(2026, 2, 25), "1"))
    assert amounts(conn) == (Decimal("900.00"), Decimal(90), date(2026, 2, 25))
    store(conn, interaction("o1", None, "10.00", currency="EUR", summary="told better"))
    assert amounts(conn) == (Decimal("900.00"), Decimal(90), date(2026, 2, 25))
    store(conn, interaction("o1", None, "20.00", currency="EUR"))
    assert amounts(conn) == (Decimal("1800.00"), Decimal(90), date(2026, 2, 25))
    store(conn, interaction("o1", None, "20.00", currency="EUR", occurred_on=date(2026, 3, 2)))
    assert amounts(conn) == (Decimal("1900.00"), Decimal(95), date(2026, 3, 1))
    store(conn, interaction("o1", None, "20.00", currency="USD"))
    assert amounts(conn) == (None, None, None)


def test_another_reporting_currency_queues_every_amount(conn: psycopg.Connection) -> None:
    report_in(conn)
    store(conn, interaction("o1", None, "180.00"), interaction("o2", None, "1.00", currency="EUR"))
    state_rates(conn, ("EUR", "RUB", date(2026, 2, 28), "90"))
    report_in(conn, "EUR")
    waiting = [row[0] for row in conn.execute("SELECT record_id FROM ops.pending WHERE step = 'publish'")]
    assert set(waiting) == {order("o1"), order("o2")}
    publish(conn, *waiting)
    assert (amounts(conn, "o1") or ())[0] == Decimal("2.00")
    assert amounts(conn, "o2") == (Decimal("1.00"), Decimal(1), NOW.date())


def test_rates_without_news_are_not_written(conn: psycopg.Connection) -> None:
    report_in(conn)
    state_rates(conn, ("EUR", "RUB", date(2026, 2, 25), "90"))
    before = row_versions(conn)
    state_rates(conn, ("EUR", "RUB", date(2026, 2, 25), "90.000"))
    assert row_versions(conn) == before
    withdrawn = rates.store_rates(conn, None, [rid(f"EURRUB{date(2026, 2, 25)}", "bank", "rates")])
    served = "SELECT rate, is_deleted FROM onefold_v1.dim_exchange_rate"
    assert conn.execute(served).fetchall() == [(Decimal(90), False)]
    publish(conn, *withdrawn)
    assert conn.execute("SELECT is_deleted FROM onefold_v1.dim_exchange_rate").fetchone() == (True,)


def test_no_column_of_money_or_quantity_is_a_float(conn: psycopg.Connection) -> None:
    floats = conn.execute(
        "SELECT c.table_schema, c.table_name, c.column_name FROM information_schema.columns AS c"
        " WHERE c.table_schema IN ('raw', 'core', 'onefold_v1') AND c.data_type IN ('real', 'double precision', 'money')"
    ).fetchall()
    # Probabilities, how often something is expected, and what is estimated with an interval are neither.
    estimates = {"need_rate", "segment_mirror", "loyalty", "loyalty_band"}
    assert [one for one in floats if one[1] not in estimates and not one[2].endswith("probability")] == []

"""A promise that two registers tell is one promise, whoever asks; and today is the same day for all who ask."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from onefold.steps.as_client import as_client
from onefold.steps.concern_examples import try_examples
from onefold.steps.concerns import concern
from onefold.steps.segment_use import segment_list
from tests.support.hub import CRM, ERP, Hub
from warehouse import client_pages, queries
from warehouse.connect import connect

PROMISE = "promise: {kind: delivery_date, due: due, actual: done}"
TYPE = "type: {when: sort, delivery: delivery, call: call, else: sales_order}\n    parent: {stream: orders, key: of}"
INNS = ("7707083893", "5003052454", "7815637228")
SEGMENTS = """
schemes:
  stage:
    basis: lifecycle
    labels: Stage
    segments:
      active: {labels: Active, when: {dealings: {at_least: 1}}}
"""
CONCERNS = """
concerns:
  broken_orders:
    question: Which orders were not sent when they were promised?
    more_than: {count: 0, of: {types: [sales_order, sales_deal, delivery], promise: [missed, overdue]}, within: 90d}
    examples:
      raised: [{interactions: [{type: delivery, days_ago: 10, promise: {due_days_ago: 12}}]}]
      calm: [{interactions: [{type: delivery, days_ago: 10, promise: {due_days_ago: 10, actual_days_ago: 10}}]}]
  broken_deals:
    question: Which deals were not kept?
    missed_and_silent: {promised: {types: sales_deal}, contact: {types: call}}
    examples:
      raised: [{interactions: [{type: sales_deal, days_ago: 10, promise: {due_days_ago: 12}}]}]
      calm: [{interactions: [{type: sales_deal, days_ago: 10, promise: {due_days_ago: 10, actual_days_ago: 10}}]}]
"""


@pytest.fixture
def told_twice(hub: Hub) -> Hub:
    """Of the first firm the CRM says kept and the delivery came late, of the second the other way round; to the third two
    deliveries were due on one day, of which one came late."""
    hub.configure("crm", CRM.replace("amount: {value: sum}", "amount: {value: sum}\n    " + PROMISE))
    hub.configure("erp", ERP.replace("type: sales_order", f"{TYPE}\n    {PROMISE}"))
    (hub.folder / "config" / "segments.yaml").write_text(SEGMENTS, encoding="utf-8")
    (hub.folder / "config" / "concerns.yaml").write_text(CONCERNS, encoding="utf-8")
    (hub.folder / "config" / "metrics.yaml").write_text("metrics: {}\n", encoding="utf-8")
    in_time, late = {"due": "2026-02-10", "done": "2026-02-09"}, {"due": "2026-02-10", "done": "2026-02-14"}
    for at, inn in enumerate(INNS):
        name = ("ООО Ромашка", "ООО Василёк", "ООО Лютик")[at]
        crm, erp = (late, in_time) if at == 1 else (in_time, late)
        amount = ("15321.40", "8007.25", "990.10")[at]
        hub.registers["crm_companies"].append({"id": str(at), "name": name, "inn": inn})
        hub.registers["erp_customers"].append({"code": str(at), "kind": "company", "inn": inn, "name": name})
        deal = {"id": f"D{at}", "company": str(at), "closed": "2026-01-10", "sum": amount, "stage": "won", **crm}
        hub.registers["crm_deals"].append(deal)
        order = {"no": f"SO-{at}", "customer": str(at), "date": "2026-01-12", "total": amount, "sort": "order"}
        delivery = {"no": f"L-{at}", "customer": str(at), "date": erp["done"], "sort": "delivery", "of": f"SO-{at}"}
        hub.registers["erp_orders"] += [order, {**delivery, **erp}]
        if at == 2:
            hub.registers["erp_orders"].append({**delivery, **in_time, "no": "M-2"})
    for name in hub.registers:
        hub.write(name)
    hub.run()
    return hub


def test_a_promise_of_two_registers_is_kept_or_broken_once_for_all_who_ask(told_twice: Hub) -> None:
    clients = [told_twice.client_of(f"erp:customers:{at}") for at in range(3)]
    told = told_twice.query(
        "SELECT p.client_id::text, p.type, p.outcome, o.outcome, o.is_counted, o.counted_by = d.record_id"
        " FROM onefold_v1.fct_promise AS p JOIN onefold_v1.fct_promise_outcome AS o USING (promise_key)"
        " JOIN onefold_v1.fct_interaction AS d ON d.client_id = p.client_id AND d.type = 'delivery'"
    )
    assert {row for row in told if row[0] == clients[0]} == {
        (clients[0], "sales_deal", "kept", "missed", False, True),
        (clients[0], "delivery", "missed", "missed", True, True),
    }
    assert {row for row in told if row[0] == clients[1]} == {
        (clients[1], "sales_deal", "missed", "kept", False, True),
        (clients[1], "delivery", "kept", "kept", True, True),
    }
    # Each of the joined rows stands twice: there are two deliveries.
    third = sorted(row[2] for row in told if row[0] == clients[2] and row[1] == "delivery" and row[4])
    assert third == ["kept", "kept", "missed", "missed"]
    with told_twice.context() as context:
        seen = [as_client(context, one) for one in clients]
        assert [sum(row["kept"] for row in one.promises) for one in seen] == [0, 1, 1]
        assert [one.kept_share for one in seen] == [0, 1, 0.5]
        # As dealings of any kind, the one that tells what came of it; as deals, the deal.
        for name, key in (("broken_orders", "L"), ("broken_deals", "D"), ("broken_without_a_word", "L")):
            found = concern(context, name)
            # Which of the two deliveries the third firm's deal tells of, nobody can say.
            keys = {row["source_key"] for row in found["rows"]} - {"D2"}
            assert keys == ({"D0"} if key == "D" else {"L-0", "L-2"}), name
        assert try_examples(context).failed == ()
        listed = segment_list(context, "active", purpose="upsell", who="ada", how="test")
        assert [one["client_id"] for one in listed.clients] == [clients[1]]
        assert [one["left_out"] for one in listed.left_out] == [["broken_promise"]] * 2
        with context.connection("test") as conn:
            outcomes = []
            for one in clients:
                view = queries.client_view(conn, one, limit=1)
                assert view is not None
                around = client_pages.around(conn, view, today=datetime(2026, 3, 1, tzinfo=UTC).date())
                outcomes.append([(row["outcome"], row["promises"]) for row in around["outcomes"]])
    assert outcomes == [[("missed", 1)], [("kept", 1)], [("kept", 1), ("missed", 1)]]
    told = told_twice.query(
        "SELECT metric, sum(observations), sum(total) FROM core.client_metric_month"
        " WHERE metric IN ('promises_kept', 'on_time_delivery') GROUP BY metric ORDER BY metric"
    )
    assert told == [("on_time_delivery", 4, 2), ("promises_kept", 4, 2)]


def test_today_is_the_hubs_own_day_for_all_who_ask(told_twice: Hub) -> None:
    day = "SELECT today FROM core.hub_day"
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):  # they are never on the same day
        (told_twice.folder / "config" / "hub.yaml").write_text(
            f"defaults: {{country: RU, currency: RUB, timezone: {zone}}}\n", encoding="utf-8"
        )
        told_twice.run()
        assert told_twice.query(day) == [(datetime.now(ZoneInfo(zone)).date(),)]
    told_twice.has_nothing_to_do()
    with connect(told_twice.database_url, application_name="test") as conn:
        open_now = "SELECT count(*) FROM onefold_v1.fct_promise WHERE outcome = 'overdue'"
        conn.execute("UPDATE core.promise SET actual_on = NULL")
        assert conn.execute(open_now).fetchone() == (7,)
        conn.execute("SET onefold.today = '2026-02-10'")
        assert conn.execute(open_now).fetchone() == (0,)
        conn.execute("SET onefold.today = '2026-02-11'")
        assert conn.execute(open_now).fetchone() == (7,)

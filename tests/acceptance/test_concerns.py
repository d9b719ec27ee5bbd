"""Concerns: raised and over with the rows that prove them, tried on their own examples, told once, noted by people."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from onefold.configuration.concerns import Concern
from onefold.configuration.shipped import shipped_concerns
from onefold.context import open_context
from onefold.errors import NothingFound, UsageError
from onefold.steps.as_client import as_client
from onefold.steps.concern_examples import try_examples
from onefold.steps.concerns import acknowledge, ask_anew, concern, concerns, concerns_of
from onefold.steps.erase import erase
from onefold.steps.notify import tell_standing
from onefold.steps.orchestrated import tell
from tests.support.cli import onefold
from tests.support.demo import demo
from tests.support.http_source import Reply, http_source
from tests.support.hub import ERP, START, Hub
from tests.support.served import served, token
from warehouse.connect import connect
from warehouse.dump import row_versions

STREAMS = """
    type: {when: sort, order: sales_order, delivery: delivery, call: call, complaint: complaint, invoice: invoice, else: sales_order}
    promise: {kind: delivery_date, due: due, actual: done}
"""
OWN = """
owner: ada@example.com
concerns:
  orders_of_nobody:
    question: {en: Who ordered and was never called?, ru: "Кто заказал, а ему не звонили?"}
    threshold: 2
    none_of: {of: {types: call}, within: 3d, after: {types: sales_order}}
    examples:
      raised:
        - interactions: [{type: sales_order, days_ago: 9}, {type: sales_order, client: b, days_ago: 9}]
      calm:
        - interactions: [{type: sales_order, days_ago: 9}, {type: sales_order, client: a, days_ago: 8}]
        - interactions: [{type: sales_order, days_ago: 9}, {type: call, days_ago: 7}, {type: sales_order, client: b, days_ago: 9}]
  large:
    question: Who has a large order?
    sql: SELECT i.client_id, i.record_id, i.amount::text AS note FROM onefold_v1.fct_interaction AS i WHERE i.amount > 900 AND NOT i.is_deleted
    examples:
      raised: [{interactions: [{type: sales_order, days_ago: 1, amount: 901}]}]
      calm: [{interactions: [{type: sales_order, days_ago: 1, amount: 900}]}]
"""


@pytest.fixture
def company(hub: Hub) -> Hub:
    """Four customers; deliveries, orders, calls and complaints of the days before the hub's own."""
    stream = ERP.replace("    type: sales_order\n", STREAMS[1:])
    hub.configure("erp", stream)
    (hub.folder / "config" / "concerns.yaml").write_text(OWN, encoding="utf-8")
    hub.registers["erp_customers"] = [
        {"code": f"C{n}", "kind": "person", "person": f"Имя{n} Фамилия{n}", "mail": f"a{n}@ex{n}.example"}
        for n in range(4)
    ]
    for n in range(3):
        add(hub, f"D{n}", "C0", "delivery", 20 - n, due=25, done=20 - n)
    add(hub, "O1", "C1", "order", 20, total=10)
    add(hub, "O2", "C2", "order", 20, total=950)
    add(hub, "K2", "C2", "call", 19)
    add(hub, "O3", "C3", "order", 12, total=10)
    add(hub, "X1", "C3", "complaint", 12)
    for name in ("erp_customers", "erp_orders"):
        hub.write(name)
    return hub


def add(hub: Hub, number: str, customer: str, sort: str, ago: int, **more: Any) -> None:
    """A dealing so many days ago; `due` and `done` are days ago too."""
    days = {key: day(more.pop(key)) for key in ("due", "done") if key in more}
    row = {"no": number, "customer": customer, "date": day(ago), "sort": sort, **days, **more}
    hub.registers["erp_orders"] = [one for one in hub.registers["erp_orders"] if one["no"] != number] + [row]


def day(ago: int) -> str:
    return (START - timedelta(days=ago)).date().isoformat()


def states(hub: Hub) -> dict[str, str]:
    with hub.context() as context:
        return {one["concern"]: one["state"] for one in concerns(context)}


def test_concerns_are_raised_with_their_rows_and_over_when_they_hold_no_more(company: Hub) -> None:
    company.run()
    assert states(company) == {
        "late_deliveries": "raised",
        "broken_without_a_word": "raised",
        "complaints_unanswered": "raised",
        "contacts_only": "calm",
        "registers_drift": "calm",
        "beyond_pressure": "not_available",
        "orders_of_nobody": "raised",
        "large": "raised",
    }
    with company.context() as context:
        late = concern(context, "late_deliveries")
        assert [
            (row["client_id"], row["source_key"]) for row in sorted(late["rows"], key=lambda r: r["source_key"])
        ] == [(company.client_of("erp:customers:C0"), f"D{n}") for n in range(3)]
        assert {row["source_key"] for row in concern(context, "orders_of_nobody")["rows"]} == {"O1", "O3"}
        assert [row["note"] for row in concern(context, "large")["rows"]] == ["950"]
        assert "guards.pressure" in concern(context, "beyond_pressure")["why"]
        theirs = concerns_of(context, company.client_of("erp:customers:C0"))
        assert [one["concern"] for one in theirs] == ["late_deliveries", "broken_without_a_word"]
        page = concern(context, "late_deliveries", limit=2)
        rest = concern(context, "late_deliveries", limit=2, after=page["next"])
        assert len(page["rows"]) == 2 and len(rest["rows"]) == 1 and rest["next"] is None
    served = "SELECT concern, count(*), count(DISTINCT client_id) FROM onefold_v1.concern_row GROUP BY 1 ORDER BY 1"
    assert ("late_deliveries", 3, 1) in company.query(served)

    # Nothing new, nothing written; a day later the same is asked of another day, and no row is touched either.
    before = versions(company)
    company.run()
    assert versions(company) == before
    with company.context() as context:
        assert ask_anew(context).asked == 8
    assert versions(company) == before

    # A person takes note; then the delivery turns out to have been on time, and somebody called.
    with company.context() as context:
        with pytest.raises(UsageError, match="not raised"):
            acknowledge(context, "contacts_only", by="ada", reason="x")
        with pytest.raises(NothingFound):
            acknowledge(context, "late_deliverys", by="ada", reason="x")
        noted = acknowledge(context, "late_deliveries", by="ada", reason="another carrier from Monday")
        assert (noted["acknowledged_by"], noted["acknowledge_reason"]) == ("ada", "another carrier from Monday")
    add(company, "D0", "C0", "delivery", 20, due=20, done=20)
    add(company, "K3", "C3", "call", 11)
    company.write("erp_orders")
    company.run()
    with company.context() as context:
        late = concern(context, "late_deliveries")
        assert (late["state"], late["rows"]) == ("calm", [])
        assert [(one["closed_as"], one["acknowledged_by"]) for one in late["raises"]] == [("calm", "ada")]
        assert concern(context, "orders_of_nobody")["state"] == "calm"  # one is fewer than two

    # Raised again, it is another time, and nobody has taken note of that.
    add(company, "D9", "C0", "delivery", 8, due=10, done=8)
    company.write("erp_orders")
    company.run()
    with company.context() as context:
        late = concern(context, "late_deliveries")
        assert late["state"] == "raised" and late["acknowledged_at"] is None and len(late["raises"]) == 2

    # Of an erased client nothing is told; who proves it is gone, so it is over.
    with company.context() as context:
        erase(context, "erp:customers:C0", reason="request 3", by="ada", ground="kept for audits")
        ask_anew(context)
    assert company.query("SELECT count(*) FROM core.concern_row WHERE concern = 'late_deliveries'") == [(0,)]

    # Asked otherwise, no more, or not at all.
    file = company.folder / "config" / "concerns.yaml"
    file.write_text(
        OWN.replace("amount > 900", "amount > 990").replace("owner:", "shipped: [contacts_only]\nowner:"),
        encoding="utf-8",
    )
    company.run()
    assert states(company) == {"contacts_only": "calm", "orders_of_nobody": "calm", "large": "calm"}
    ends = "SELECT concern, closed_as FROM onefold_v1.concern_raise JOIN LATERAL (SELECT over_as AS closed_as) AS o ON true WHERE closed_at IS NOT NULL"
    assert {("large", "rules"), ("complaints_unanswered", "gone")} <= set(company.query(ends))
    file.unlink()
    company.run()
    assert states(company) == {}
    before = versions(company)
    company.run()
    assert versions(company) == before


def test_a_notice_is_opened_once_by_however_many_and_ends_with_the_concern(company: Hub) -> None:
    company.run()
    errors: list[BaseException] = []

    def tell() -> None:
        try:
            with company.context() as context, context.connection() as conn:
                ask_anew(context)
                tell_standing(context, conn)
        except BaseException as error:  # pragma: no cover - told below
            errors.append(error)

    tellers = [Thread(target=tell) for _ in range(4)]
    for one in tellers:
        one.start()
    for one in tellers:
        one.join(120)
    assert errors == []
    told = "SELECT subject, detail, count(*) FROM ops.notice WHERE kind = 'concern' AND key = 'concern:late_deliveries' GROUP BY 1, 2"
    ((subject, detail, count),) = company.query(told)
    assert subject == "late_deliveries is raised" and "1 clients" in detail and count == 1
    assert "Имя0" not in detail and "For: ada@example.com" in detail
    assert company.query("SELECT count(*) FROM core.concern_raise WHERE concern = 'late_deliveries'") == [(1,)]
    add(company, "D0", "C0", "delivery", 20, due=20, done=20)
    company.write("erp_orders")
    company.run()
    with company.context() as context, context.connection() as conn:
        assert "concern:late_deliveries" in tell_standing(context, conn).closed


def test_a_raised_concern_is_told_once_by_the_channels_and_once_when_it_is_over(company: Hub) -> None:
    company.run()
    settings = company.folder / "config" / "hub.yaml"
    with http_source() as hooks:
        hooks.answers["/T0K3N"] = lambda _: Reply(200)
        (company.folder / ".env").write_text(f"HOOK={hooks.url}/T0K3N\n", encoding="utf-8")
        settings.write_text("notifications: {webhook: '${HOOK}', on: [failure, stopped, stale]}\n", encoding="utf-8")
        with company.context() as context:
            assert (tell(context).told, hooks.asked) == ({}, [])
        settings.write_text("notifications: {webhook: '${HOOK}'}\n", encoding="utf-8")
        with company.context() as context:
            assert tell(context).told["webhook"] >= 3
            assert tell(context).told == {}, "once, however long it lasts"
        add(company, "D0", "C0", "delivery", 20, due=20, done=20)
        company.write("erp_orders")
        company.run()
        with company.context() as context:
            assert tell(context).told == {"webhook": 1}
        raised, over = (json.loads(asked.body) for asked in hooks.asked)
    said = {one["key"]: one["detail"] for one in raised["notices"]}
    assert {one["kind"] for one in raised["notices"]} == {"concern"}
    assert "For: ada@example.com" in said["concern:late_deliveries"] and "concern:large" in said
    assert [(one["key"], one["until"] is None) for one in over["notices"]] == [("concern:late_deliveries", False)]
    assert "Имя" not in raised["text"] and "Фамилия" not in raised["text"], "clients are counted, and never named"


def test_every_concern_is_tried_in_both_directions_by_the_command(company: Hub) -> None:
    company.run()
    tested = onefold(*company.place, "--json", "concerns", "test")
    assert tested.code == 0, tested.said
    found = json.loads(tested.out)
    assert found["failed"] == 0
    tried = {(one["concern"], one["direction"]) for one in found["tried"]}
    names = {*shipped_concerns(), "orders_of_nobody", "large"}
    assert tried == {(name, direction) for name in names for direction in ("raised", "calm")}
    assert company.query("SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()") == [(0,)]

    # Each shipped question sees the difference: with its examples turned round, every one of them fails.
    file = company.folder / "config" / "concerns.yaml"
    turned = OWN.replace("raised:", "x:").replace("calm:", "raised:").replace("x:", "calm:")
    file.write_text(turned, encoding="utf-8")
    with company.context() as context:
        report = try_examples(context, ["orders_of_nobody", "large"])
    assert len(report.failed) == len(report.tried) == 5
    failing = onefold(*company.place, "concerns", "test", "large")
    assert failing.code == 1 and "it was not raised" in failing.out
    unknown = onefold(*company.place, "concerns", "test", "larg")
    assert unknown.code != 0 and "large" in unknown.said


FALLS = """
shipped: false
concerns:
  orders_stop:
    question: Do orders stop?
    drifts_from: {of: {types: sales_order}, window: 30d, before: 180d, by: 0.5}
    examples:
      raised: [{interactions: [{type: sales_order, days_ago: 100, times: 30}]}]
      calm:
        - interactions: [{type: sales_order, days_ago: 100, times: 30}, {type: sales_order, days_ago: 9, times: 5}]
        - interactions: [{type: sales_order, days_ago: 100, times: 19}]
  who_stops:
    question: Who stops?
    threshold: 2
    drifts_from: {of: {types: sales_order}, window: 30d, before: 180d, by: 0.5, per: client, minimum: 5}
    examples:
      raised:
        - interactions: [{type: sales_order, days_ago: 90, times: 6}, {type: sales_order, client: b, days_ago: 90, times: 6}]
      calm:
        - interactions:
            - {type: sales_order, days_ago: 90, times: 6}
            - {type: sales_order, client: b, days_ago: 90, times: 6}
            - {type: sales_order, client: b, days_ago: 9}
  no_orders_behind:
    question: Are there invoices, and no orders any more?
    drifts_from: {of: {types: invoice}, against: {types: sales_order}, window: 30d, before: 180d, by: 3}
    examples:
      raised:
        - interactions:
            - {type: sales_order, days_ago: 100, times: 30}
            - {type: invoice, days_ago: 100, times: 30}
            - {type: invoice, days_ago: 10, times: 30}
      calm:
        - interactions: [{type: sales_order, days_ago: 100, times: 30}, {type: invoice, days_ago: 100, times: 30}]
"""


def test_what_comes_to_nothing_drifts_too(company: Hub) -> None:
    (company.folder / "config" / "concerns.yaml").write_text(FALLS, encoding="utf-8")
    with company.context() as context:
        report = try_examples(context)
    assert len(report.tried) == 7 and report.failed == ()


def test_schedulers_see_by_the_code_what_nobody_has_taken_note_of(company: Hub) -> None:
    file = company.folder / "config" / "concerns.yaml"
    file.write_text("shipped: [late_deliveries]\n", encoding="utf-8")
    company.run()
    assert onefold(*company.place, "concerns", "list").code == 0
    assert onefold(*company.place, "concerns", "list", "--fail").code == 1
    shown = onefold(*company.place, "--json", "concerns", "show", "late_deliveries")
    assert {row["source_key"] for row in json.loads(shown.out)["rows"]} == {"D0", "D1", "D2"}
    assert company.query("SELECT count(*) FROM ops.access_log WHERE how = 'concerns'") == [(1,)]
    said = onefold(*company.place, "concerns", "acknowledge", "late_deliveries", "--reason", "known")
    assert said.code == 0, said.said
    assert onefold(*company.place, "concerns", "list", "--fail").code == 0


def test_a_question_that_cannot_be_asked_says_so_and_leaves_what_was_found(company: Hub) -> None:
    company.run()
    slow = OWN.replace(
        "i.amount > 900", "i.amount / nullif(i.amount - i.amount, 0.1 - 0.1) > 1 OR 1 / (i.amount - i.amount) > 0"
    )
    (company.folder / "config" / "concerns.yaml").write_text(slow, encoding="utf-8")
    company.run()
    with company.context() as context:
        large = concern(context, "large")
    assert large["state"] == "failed" and "DivisionByZero" in large["why"]
    assert len(large["rows"]) == 1 and large["raised_at"] is not None
    lost = OWN.replace("fct_interaction AS i", "fct_interactions AS i")
    (company.folder / "config" / "concerns.yaml").write_text(lost, encoding="utf-8")
    company.run()
    with company.context() as context:
        assert "fct_interactions" in concern(context, "large")["why"]
    # Columns of other types are taken where they are what they should be, and fail alone where not.
    for column, state in (("i.record_id::text", "raised"), ("i.type", "failed")):
        other = OWN.replace("i.client_id, i.record_id", f"i.client_id::text, {column} AS record_id")
        (company.folder / "config" / "concerns.yaml").write_text(other, encoding="utf-8")
        company.run()
        assert states(company)["large"] == state


def test_sql_of_a_concern_reads_served_views_and_does_nothing_else() -> None:
    examples = {"raised": [{}], "calm": [{}]}

    def made(**said: Any) -> Concern:
        return Concern.model_validate({"question": "Q?", "examples": examples, **said})

    assert made(sql="SELECT client_id FROM onefold_v1.dim_client WHERE city = 'a;b'").template == "sql"
    for text, why in {
        "DELETE FROM onefold_v1.dim_client": "one SELECT",
        "SELECT client_id FROM onefold_v1.dim_client; SELECT 1": "one SELECT",
        "SELECT client_id FROM core.client": "reads the views of onefold_v1",
        "SELECT client_id FROM dim_client": "reads the views of onefold_v1",
        "SELECT pg_catalog.pg_sleep(9) AS client_id": "reaches beyond",
        "SELECT client_id FROM onefold_v1.dim_client, pg_ls_dir('.') AS f": "reaches beyond",
        "SELECT set_config('role', 'postgres', true) AS client_id": "reaches beyond",
        "SELECT client_id INTO x FROM onefold_v1.dim_client": "only reads",
        "SELECT client_id FROM onefold_v1.dim_client FOR UPDATE": "only reads",
        "SELECT * FROM onefold_v1.dim_client": "columns are",
        "SELECT city AS note FROM onefold_v1.dim_client": "whom it is about",
    }.items():
        with pytest.raises(ValidationError, match=why):
            made(sql=text)
    with pytest.raises(ValidationError, match="exactly one of"):
        made()
    with pytest.raises(ValidationError, match="calm"):
        Concern.model_validate(
            {"question": "Q?", "sql": "SELECT client_id FROM onefold_v1.dim_client", "examples": {"raised": [{}]}}
        )


def versions(hub: Hub) -> Any:
    with connect(hub.database_url, application_name="test") as conn:
        return row_versions(conn)


@pytest.mark.timeout(280)
def test_the_example_company_worries_about_what_was_planted(tmp_path: Path, database_url: str) -> None:
    """Late deliveries and open complaints of its registers, as of its last day."""
    last_day = date(2025, 12, 31)
    with demo(tmp_path, database_url, scale=0.15) as company:
        settings, folder = company.hub.settings, company.hub.world.folder
        with open_context(
            settings, environ=company.environ, clock=lambda: datetime(2025, 12, 31, 9, tzinfo=UTC)
        ) as context:
            assert try_examples(context).failed == ()
            report = ask_anew(context)
            assert report.failed == () and {one["state"] for one in concerns(context)} <= {"raised", "calm"}
            late = concern(context, "late_deliveries", limit=10_000)
            open_ones = concern(context, "complaints_unanswered", limit=10_000)
            with context.connection("test") as conn:
                client = dict(
                    conn.execute(
                        "SELECT source_key, client_id::text FROM onefold_v1.xref_client_record WHERE source = 'erp'"
                    )
                )
    with closing(sqlite3.connect(folder / "erp.sqlite")) as erp:
        rows = erp.execute(
            "SELECT delivery_no, customer_no FROM deliveries WHERE coalesce(delivered_on, promised_on) BETWEEN ? AND ?"
            " AND coalesce(delivered_on, ?) > promised_on",
            ((last_day - timedelta(days=89)).isoformat(), last_day.isoformat(), last_day.isoformat()),
        ).fetchall()
    found = Counter(client[customer] for _, customer in rows)
    assert {row["source_key"] for row in late["rows"]} == {number for number, who in rows if found[client[who]] > 2}
    entries = [
        json.loads(line) for line in (folder / "service_desk" / "complaints.jsonl").read_text("utf-8").splitlines()
    ]
    planted = {
        one["id"]
        for one in entries
        if (one["closed_at"] is None or one["closed_at"][:10] > one["answer_due"])
        and last_day - timedelta(days=180) <= date.fromisoformat(one["opened_at"][:10]) < last_day - timedelta(days=5)
    }
    told = {row["source_key"] for row in open_ones["rows"]}
    assert told and told <= planted


def test_programs_read_concerns_with_masks_and_take_note_of_them(company: Hub) -> None:
    company.run()
    with served(company.settings) as address:

        def ask(path: str, secret: str, **body: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {secret}"}
            if body:
                return httpx.post(f"{address}/v1{path}", headers=headers, json=body, timeout=60)
            return httpx.get(f"{address}/v1{path}", headers=headers, timeout=60)

        masked = token(company.settings, "masked", ["clients"])
        seeing = token(company.settings, "seeing", ["clients", "values", "judge"])
        assert {one["concern"]: one["state"] for one in ask("/concerns", masked).json()["concerns"]} == states(company)
        page = ask("/concerns/late_deliveries?limit=2", seeing).json()
        rest = ask(f"/concerns/late_deliveries?after={page['next']}", seeing).json()
        assert {row["record"] for row in page["rows"] + rest["rows"]} == {f"erp:orders:D{n}" for n in range(3)}
        assert {row["display_name"] for row in page["rows"]} == {"Имя0 Фамилия0"} and rest["next"] is None
        assert "Имя0" not in ask("/concerns/late_deliveries", masked).text
        assert ask("/concerns/late", masked).status_code == 404
        assert ask("/concerns/late_deliveries/acknowledge", masked, reason="x").status_code == 403
        assert ask("/concerns/contacts_only/acknowledge", seeing, reason="x").status_code == 422
        noted = ask("/concerns/late_deliveries/acknowledge", seeing, reason="another carrier").json()
        assert (noted["acknowledged_by"], noted["state"]) == ("token:seeing", "raised")
        assert noted["acknowledge_reason"] == "another carrier"
        for path in ("/concerns", "/concerns/late_deliveries"):
            assert "another carrier" in ask(path, seeing).text and "another carrier" not in ask(path, masked).text


def test_concerns_are_asked_of_another_day_and_nothing_is_kept_of_it(company: Hub) -> None:
    company.run()
    stored = company.query("SELECT * FROM core.concern ORDER BY concern")
    asked = onefold(*company.place, "--json", "concerns", "list", "--on", START.date().isoformat())
    assert asked.code == 0, asked.said
    assert {one["concern"]: one["state"] for one in json.loads(asked.out)} == states(company)
    long_after = onefold(*company.place, "--json", "concerns", "list", "--on", "2027-01-01")
    told = {one["concern"]: (one["state"], one["clients"]) for one in json.loads(long_after.out)}
    assert told["late_deliveries"] == ("calm", 0) and told["large"][0] == "raised"
    assert company.query("SELECT * FROM core.concern ORDER BY concern") == stored
    assert onefold(*company.place, "concerns", "list", "--on", "2027-01-01", "--fail").code == 2


def test_what_a_client_sees_is_told_in_lists_that_end(company: Hub) -> None:
    for n in range(4):
        add(company, f"X{n + 2}", "C3", "complaint", 40 - n)
    company.write("erp_orders")
    company.run()
    with company.context() as context:
        late, asks = (as_client(context, f"erp:customers:{code}", limit=2) for code in ("C0", "C3"))
        whole = as_client(context, "erp:customers:C0", limit=3)
    assert (
        len(late.broken) == 2
        and late.kept_share == 0
        and late.more["broken"] == 1
        and whole.more["broken"] == 0
        and len(whole.broken) == 3
    )
    assert ([one["document_number"] for one in asks.complaints], asks.more["complaints"]) == (["X1", "X5"], 3)
    shown = onefold(*company.place, "client", "erp:customers:C3", "--as-client", "--limit", "2")
    assert shown.code == 0 and "3 complaints" in shown.said

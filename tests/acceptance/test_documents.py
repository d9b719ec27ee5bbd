"""One sale in three registers counts once: whatever comes in which order, whoever is merged, whatever people say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from identity.documents import instalments
from onefold.context import Context
from onefold.errors import NothingFound
from onefold.steps import link_changed
from onefold.steps.documents import NOT_SAME, SAME, document, document_cases, judge_documents
from onefold.steps.judge import OpposingJudgements, judge, lift
from onefold.steps.publish import publish
from tests.support.hub import Hub

ACCOUNTING = """
source: accounting
department: accounting
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 80
streams:
  parties:
    as: organisation
    key: id
    options: {path: data/acc_parties.jsonl}
    fields: {legal_name: name, inn: inn}
  invoices:
    as: interaction
    type: invoice
    key: no
    options: {path: data/acc_invoices.jsonl}
    party: {stream: parties, key: party}
    occurred_at: date
    amount: {value: sum}
    document_number: no
    parent: {source: erp, stream: orders, key: order}
  payments:
    as: interaction
    type: payment
    key: no
    options: {path: data/acc_payments.jsonl}
    party: {stream: parties, key: party}
    occurred_at: date
    amount: {value: sum}
    parent: {stream: invoices, key: invoice}
"""
INNS = ("7707083893", "5003052454", "7801283931", "7815637228")
FILES = ("crm_companies", "crm_deals", "erp_customers", "erp_orders", "acc_parties", "acc_invoices", "acc_payments")
STATE = (
    "SELECT left_record_id, right_record_id, kind, status, bits, amount, evidence::text FROM core.document_link ORDER BY 1, 2",
    "SELECT * FROM core.document_place ORDER BY record_id, face",
    "SELECT * FROM core.document_open ORDER BY record_id",
    "SELECT record_id, event_id, is_counted, counted_by FROM core.interaction ORDER BY record_id",
)


@pytest.fixture
def trade(hub: Hub) -> Hub:
    """A hub of three registers that know the same four firms."""
    hub.configure("accounting", ACCOUNTING)
    hub.registers |= {name: [] for name in FILES}
    for at, inn in enumerate(INNS):
        name = ("ООО Ромашка", "ООО Василёк", "ООО Пион", "ООО Лютик")[at]
        hub.registers["crm_companies"].append({"id": str(at), "name": name, "inn": inn})
        hub.registers["erp_customers"].append({"code": str(at), "kind": "company", "inn": inn, "legal": name})
        hub.registers["acc_parties"].append({"id": str(at), "name": name, "inn": inn})
    return hub


def deal(number: str, firm: int, on: str, amount: str, stage: str = "won") -> dict[str, Any]:
    return {"id": number, "company": str(firm), "closed": on, "sum": amount, "stage": stage}


def order(number: str, firm: int, on: str, amount: str) -> dict[str, Any]:
    return {"no": number, "customer": str(firm), "date": on, "total": amount}


def invoice(number: str, firm: int, on: str, amount: str, order: str | None = None) -> dict[str, Any]:
    return {"no": number, "party": str(firm), "date": on, "sum": amount, "order": order}


def payment(number: str, firm: int, on: str, amount: str, invoice: str | None = None) -> dict[str, Any]:
    return {"no": number, "party": str(firm), "date": on, "sum": amount, "invoice": invoice}


def run(hub: Hub) -> None:
    for name in FILES:
        hub.write(name)
    hub.run()


def revenue(hub: Hub) -> list[tuple[Any, ...]]:
    return hub.query(
        "SELECT measure, amount, paid_amount, documents FROM onefold_v1.fct_revenue WHERE NOT is_deleted"
        " ORDER BY occurred_on, amount"
    )


def test_a_sale_in_three_registers_counts_once_by_its_invoice(trade: Hub) -> None:
    trade.registers["crm_deals"] = [
        deal("D1", 0, "2026-01-10", "15321.40"),
        deal("D2", 1, "2026-01-11", "800.25", "lost"),
    ]
    trade.registers["erp_orders"] = [
        order("SO-1", 0, "2026-01-12", "15321.40"),
        order("SO-2", 2, "2026-01-20", "990.10"),
    ]
    trade.registers["acc_invoices"] = [invoice("INV-7", 0, "2026-01-13", "15321.40")]
    trade.registers["acc_payments"] = [payment("P1", 0, "2026-01-30", "15321.40")]
    run(trade)
    assert revenue(trade) == [
        ("invoiced", Decimal("15321.40"), Decimal("15321.40"), 4),
        ("ordered", Decimal("990.10"), None, 1),
    ]
    ((counted,),) = trade.query(
        "SELECT source_key FROM onefold_v1.fct_interaction WHERE is_counted AND type = 'invoice'"
    )
    assert counted == "INV-7"
    with trade.context() as context:
        found = document(context, "crm:deals:D1")
        assert [one["record"] for one in found["documents"] if one["is_counted"]] == [
            "accounting:invoices:INV-7",
            "accounting:payments:P1",
        ]
        words = [f["words"]["en"] for link in found["links"] for f in link["findings"]]
        assert "The amounts are equal" in words
        with pytest.raises(NothingFound):
            document(context, "crm:deals:none")
    trade.has_nothing_to_do()


def test_the_register_with_authority_counts(trade: Hub) -> None:
    (trade.folder / "config" / "authority.yaml").write_text("authority:\n  - {document: sales_order, register: erp}\n")
    trade.registers["erp_orders"] = [order("SO-1", 0, "2026-01-12", "15321.40")]
    trade.registers["acc_invoices"] = [invoice("INV-7", 0, "2026-01-13", "15321.40")]
    run(trade)
    assert revenue(trade) == [("ordered", Decimal("15321.40"), None, 2)]


def test_an_order_invoiced_in_parts_counts_what_is_invoiced(trade: Hub) -> None:
    trade.registers["erp_orders"] = [order("SO-1", 0, "2026-01-12", "15000.30")]
    trade.registers["acc_invoices"] = [
        invoice("INV-7", 0, "2026-01-13", "10000.20", "SO-1"),
        invoice("INV-8", 0, "2026-02-13", "5000.10", "SO-1"),
    ]
    run(trade)
    assert revenue(trade) == [("invoiced", Decimal("15000.30"), None, 3)]


def test_payments_that_add_up_to_an_invoice_pay_for_it(trade: Hub) -> None:
    trade.registers["acc_invoices"] = [
        invoice("INV-7", 0, "2026-01-13", "15321.40"),
        invoice("INV-8", 0, "2026-01-14", "777.77"),
    ]
    trade.registers["acc_payments"] = [
        payment("P1", 0, "2026-01-20", "5321.15"),
        payment("P2", 0, "2026-02-20", "6000"),
        payment("P3", 0, "2026-03-20", "4000.25"),
        payment("P4", 0, "2026-03-20", "123.45"),
    ]
    run(trade)
    assert revenue(trade) == [
        ("invoiced", Decimal("15321.40"), Decimal("15321.40"), 4),
        ("invoiced", Decimal("777.77"), None, 1),
        (None, None, Decimal("123.45"), 1),
    ]
    trade.registers["acc_payments"].append(payment("P5", 0, "2026-03-21", "654.32"))
    run(trade)
    assert revenue(trade)[1] == ("invoiced", Decimal("777.77"), Decimal("777.77"), 3)


def test_a_doubtful_payment_that_is_part_of_a_sum_is_linked_once(trade: Hub) -> None:
    trade.registers["acc_invoices"] = [invoice("INV-123456", 0, "2026-01-13", "1234567")]
    trade.registers["acc_payments"] = [
        payment("123456", 0, "2026-01-20", "500000"),
        payment("P2", 0, "2026-02-20", "734567"),
    ]
    run(trade)
    assert trade.query("SELECT kind, status FROM core.document_link") == [("instalment", "linked")] * 2
    assert revenue(trade) == [("invoiced", Decimal("1234567"), Decimal("1234567"), 3)]
    before, since = state(trade), trade.query("SELECT since FROM core.document_link")
    trade.query(
        "INSERT INTO ops.pending (step, record_id) SELECT 'documents', record_id FROM core.interaction RETURNING 1"
    )
    with trade.context() as context:
        publish(context)
    assert (state(trade), trade.query("SELECT since FROM core.document_link")) == (before, since)
    relink(trade)
    assert state(trade) == before


def test_what_readers_saw_before_documents_were_linked_is_kept(trade: Hub) -> None:
    trade.registers["erp_orders"] = [order("SO-1", 0, "2026-01-12", "15321.40")]
    run(trade)
    with psycopg.connect(trade.database_url) as conn:
        conn.execute("TRUNCATE core.document_link, core.document_place, core.interaction_version")
        conn.execute("UPDATE core.interaction SET event_id = NULL, is_counted = NULL, counted_by = NULL")
        conn.execute("DELETE FROM ops.definition WHERE kind = 'rules' AND name = 'documents'")
    with trade.context() as context:
        publish(context)
    ((version, is_open),) = trade.query(
        "SELECT version ->> 'event_id', ended_seq IS NULL FROM core.interaction_version"
    )
    assert (version, is_open) == (None, False)


def test_same_amounts_every_month_stay_one_to_one(trade: Hub) -> None:
    months = range(1, 9)
    trade.registers["erp_orders"] = [order(f"SO-{m}", 0, f"2025-{m:02d}-01", "50000") for m in months]
    trade.registers["acc_invoices"] = [invoice(f"INV-{m}", 0, f"2025-{m:02d}-03", "50000") for m in months]
    trade.registers["acc_payments"] = [payment(f"P-{m}", 0, f"2025-{m:02d}-09", "50000") for m in months]
    trade.registers["acc_invoices"] = [one for one in trade.registers["acc_invoices"] if one["no"] != "INV-5"]
    run(trade)
    held = trade.query(
        "SELECT event_id, source, type, count(*) FROM onefold_v1.fct_interaction WHERE event_id IS NOT NULL"
        " GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    assert held == []
    assert sum(row[1] or 0 for row in revenue(trade)) == 8 * 50000


def test_a_group_pays_for_its_member(trade: Hub) -> None:
    (trade.folder / "config" / "documents.yaml").write_text("weights: {client_differs: -8}\n")
    trade.configure(
        "accounting",
        ACCOUNTING.replace(
            "fields: {legal_name: name, inn: inn}",
            "fields: {legal_name: name, inn: inn}\n    relationships: [{type: member_of, stream: parties, key: group}]",
        ),
    )
    trade.registers["acc_invoices"] = [invoice("INV-7", 0, "2026-01-13", "1321.40")]
    trade.registers["acc_payments"] = [payment("P1", 3, "2026-01-30", "1321.40")]
    run(trade)
    assert [row[1:3] for row in revenue(trade)] == [(Decimal("1321.40"), None), (None, Decimal("1321.40"))]
    trade.registers["acc_parties"][0]["group"] = "3"
    run(trade)
    assert [row[1:3] for row in revenue(trade)] == [(Decimal("1321.40"), Decimal("1321.40"))]
    trade.registers["acc_parties"][0]["group"] = None
    run(trade)
    assert [row[1:3] for row in revenue(trade)] == [(Decimal("1321.40"), None), (None, Decimal("1321.40"))]


def test_people_have_the_last_word_and_may_take_it_back(trade: Hub) -> None:
    trade.registers["erp_orders"] = [order("SO-1", 0, "2026-01-12", "15321.40"), order("SO-2", 1, "2026-01-20", "500")]
    trade.registers["acc_invoices"] = [
        invoice("INV-7", 0, "2026-01-13", "15321.40"),
        invoice("INV-8", 2, "2026-01-25", "500"),
    ]
    run(trade)
    before = revenue(trade)
    with trade.context() as context:
        apart = judge_documents(
            context, NOT_SAME, "erp:orders:SO-1", "accounting:invoices:INV-7", reason="two deliveries", by="t"
        )
        joined = judge_documents(
            context, SAME, "erp:orders:SO-2", "accounting:invoices:INV-8", reason="paid by a friend", by="t"
        )
        with pytest.raises(OpposingJudgements):
            judge_documents(context, SAME, "erp:orders:SO-1", "accounting:invoices:INV-7", reason="", by="t")
    assert [row[1] for row in revenue(trade)] == [Decimal("15321.40"), Decimal("15321.40"), Decimal(500)]
    trade.registers["erp_orders"].append(order("SO-3", 3, "2026-01-12", "15321.40"))
    run(trade)
    relink(trade)
    assert [row[1] for row in revenue(trade)].count(Decimal(500)) == 1
    trade.registers["erp_orders"].pop()
    run(trade)
    with trade.context() as context:
        lift(context, apart.judgement_id, reason="a mistake", by="t")
        lift(context, joined.judgement_id, reason="a mistake", by="t")
    assert revenue(trade) == before


def test_doubtful_documents_wait_for_a_word(trade: Hub) -> None:
    trade.registers["erp_orders"] = [order("SO-1", 0, "2026-01-12", "5010")]
    trade.registers["acc_invoices"] = [invoice("INV-7", 1, "2026-01-13", "5010")]
    (trade.folder / "config" / "documents.yaml").write_text("link_at: 12\nreview_at: -5\n")
    run(trade)
    with trade.context() as context:
        ((case),) = document_cases(context)
        assert {case["left"], case["right"]} == {"erp:orders:SO-1", "accounting:invoices:INV-7"}
        judge_documents(context, SAME, case["left"], case["right"], reason="seen", by="t")
        assert document_cases(context) == []


def test_merging_clients_and_taking_it_back_moves_no_total(trade: Hub) -> None:
    rng = Random(5)
    fill(trade, rng, 40, alike=0)
    run(trade)
    before = revenue(trade)
    total = sum(row[1] or 0 for row in before)
    with trade.context() as context:
        said = [
            judge(context, "same", [f"crm:companies:{a}"], [f"erp:customers:{b}"], reason="a test", by="t").judgement_id
            for a, b in ((0, 1), (2, 3))
        ]
        assert sum(row[1] or 0 for row in revenue(trade)) == total
        for number in reversed(said):
            lift(context, number, reason="", by="t")
    assert revenue(trade) == before


@pytest.mark.timeout(280)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.scale) for seed in (1, 2))])
def test_linking_what_changed_is_linking_everything(trade: Hub, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed)
    # Clients become collective accounts, and are none again.
    limit_clients(monkeypatch, (5_000, 30, 40)[seed])
    (trade.folder / "config" / "documents.yaml").write_text("link_at: 4\nreview_at: 0\nlargest_block: 6\n")
    run(trade)
    fill(trade, rng, 30)
    run(trade)
    said: list[int] = []
    for _ in range(8):
        disturb(trade, rng)
        run(trade)
        with trade.context() as context:
            talk(context, trade, rng, said)
        here = state(trade)
        relink(trade)
        for mine, whole in zip(here, state(trade), strict=True):
            assert set(mine) ^ set(whole) == set()


def limit_clients(monkeypatch: pytest.MonkeyPatch, documents: int) -> None:
    """Take clients with more documents for collective accounts."""
    for module in (instalments, link_changed):
        monkeypatch.setattr(module, "LARGEST_CLIENT", documents)


def test_a_client_that_becomes_a_collective_account_has_no_sums(trade: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_clients(monkeypatch, 6)
    trade.registers["acc_invoices"] = [invoice("INV-7", 0, "2026-01-13", "15321.40")]
    trade.registers["acc_payments"] = [
        payment("P1", 0, "2026-01-20", "5321.15"),
        payment("P2", 0, "2026-02-20", "10000.25"),
    ]
    run(trade)
    assert revenue(trade) == [("invoiced", Decimal("15321.40"), Decimal("15321.40"), 3)]
    several = [order(f"SO-{n}", 0, f"2025-05-{n + 1:02d}", f"{n}37.11") for n in range(1, 5)]
    trade.registers["erp_orders"] = list(several)
    run(trade)
    assert trade.query("SELECT kind FROM core.document_link") == []
    here = state(trade)
    relink(trade)
    assert state(trade) == here
    trade.registers["erp_orders"] = several[:2]
    run(trade)
    assert trade.query("SELECT kind FROM core.document_link") == [("instalment",)] * 2


def fill(hub: Hub, rng: Random, count: int, alike: float = 0.8) -> None:
    """Sales in some of the registers each; a share of them have one of few amounts."""
    for number in range(count):
        firm, month, day = rng.randrange(4), rng.randrange(1, 4), rng.randrange(1, 20)
        amount = f"{rng.randrange(10**4, 10**6)}.{rng.randrange(11, 99)}"
        if rng.random() < alike:
            amount = rng.choice(("100", "250.50", "1234.56", "99999.99"))
        key = f"{number:05d}-{rng.randrange(10**6)}"
        if rng.random() < 0.7:
            hub.registers["crm_deals"].append(deal(key, firm, f"2025-{month:02d}-{day:02d}", amount))
        if rng.random() < 0.7:
            hub.registers["erp_orders"].append(order(f"SO-{key}", firm, f"2025-{month:02d}-{day + 1:02d}", amount))
        if rng.random() < 0.7:
            named = f"SO-{key}" if rng.random() < 0.3 else None
            hub.registers["acc_invoices"].append(
                invoice(f"IN-{key}", firm, f"2025-{month:02d}-{day + 2:02d}", amount, named)
            )
        if rng.random() < 0.7:
            paid = Decimal(amount) if rng.random() < 0.6 else Decimal(amount) / 2
            named = f"IN-{key}" if rng.random() < 0.3 else None
            for part in range(int(Decimal(amount) / paid)):
                on = f"2025-{month + 1:02d}-{day + part:02d}"
                hub.registers["acc_payments"].append(payment(f"P{part}-{key}", firm, on, f"{paid:.2f}", named))


def disturb(hub: Hub, rng: Random) -> None:
    """Add, change and take away some documents and a firm's number."""
    fill(hub, rng, 4)
    for name in ("crm_deals", "erp_orders", "acc_invoices", "acc_payments"):
        rows = hub.registers[name]
        rng.shuffle(rows)
        del rows[: rng.randrange(3)]
        for row in rows[: rng.randrange(3)]:
            amount = "total" if "total" in row else "sum"
            row[amount] = rng.choice(("100", "250.50", "1234.56"))
        for row in rows[3 : 3 + rng.randrange(2)]:
            row["company" if "company" in row else "customer" if "customer" in row else "party"] = str(rng.randrange(4))
    if rng.random() < 0.5:
        rng.choice(hub.registers["acc_parties"])["inn"] = rng.choice((None, *INNS))


def talk(context: Context, hub: Hub, rng: Random, said: list[int]) -> None:
    """Say something about two documents, or take it back."""
    if said and rng.random() < 0.4:
        lift(context, said.pop(rng.randrange(len(said))), reason="", by="t")
        return
    one = rng.choice(hub.registers["erp_orders"])["no"]
    other = rng.choice(hub.registers["acc_invoices"])["no"]
    try:
        made = judge_documents(
            context,
            rng.choice((SAME, NOT_SAME)),
            f"erp:orders:{one}",
            f"accounting:invoices:{other}",
            reason="",
            by="t",
        )
    except OpposingJudgements:
        return
    said.append(made.judgement_id)


def state(hub: Hub) -> list[list[tuple[Any, ...]]]:
    return [hub.query(query) for query in STATE]


def relink(hub: Hub) -> None:
    """Link all documents anew, as after a change of the rules."""
    hub.query("DELETE FROM ops.definition WHERE kind = 'rules' AND name = 'documents' RETURNING 1")
    with hub.context() as context:
        publish(context)


def test_places_of_an_older_version_are_filled_when_all_is_linked_anew(trade: Hub) -> None:
    run(trade)
    fill(trade, Random(3), 30)
    run(trade)
    tables = ("SELECT * FROM core.document_place ORDER BY 1, 2", "SELECT * FROM core.document_open ORDER BY 1")
    before = [trade.query(table) for table in tables]
    assert all(before)
    # As migration 0048 leaves them.
    trade.query(
        "UPDATE core.document_place SET (register_key, amount, currency, number, digits, state)"
        " = (NULL, NULL, NULL, NULL, NULL, NULL) RETURNING 1"
    )
    trade.query(
        "UPDATE core.document_open SET (currency, register_key, event_id, day, worth) = (0, 0, 0, 0, 0) RETURNING 1"
    )
    assert [trade.query(table) for table in tables] != before
    relink(trade)
    assert [trade.query(table) for table in tables] == before


def test_a_reader_of_changes_ends_with_what_a_full_reader_sees(trade: Hub) -> None:
    rng = Random(11)
    fill(trade, rng, 25)
    run(trade)
    columns = "event_id, amount, paid_amount, credited_amount, is_deleted, changed_seq"
    mine: dict[int, tuple[Any, ...]] = {}
    seen = 0
    for _ in range(5):
        for row in trade.query(f"SELECT {columns} FROM onefold_v1.fct_revenue WHERE changed_seq > %s", (seen,)):
            mine[row[0]] = row
        seen = max(row[-1] for row in mine.values())
        full = trade.query(f"SELECT {columns} FROM onefold_v1.fct_revenue WHERE NOT is_deleted")
        assert sorted(row[:4] for row in mine.values() if not row[4]) == sorted(row[:4] for row in full)
        disturb(trade, rng)
        run(trade)


def test_the_overlap_of_registers_is_counted_by_month(trade: Hub, tmp_path: Path) -> None:
    trade.registers["erp_orders"] = [
        order("SO-1", 0, "2026-01-12", "15321.40"),
        order("SO-2", 1, "2026-01-20", "600.10"),
        order("SO-3", 2, "2026-01-21", "700.10"),
    ]
    trade.registers["acc_invoices"] = [
        invoice("INV-7", 0, "2026-01-13", "15321.40"),
        invoice("INV-8", 1, "2026-01-22", "650.10", "SO-2"),
    ]
    run(trade)
    assert trade.query(
        "SELECT register_a, register_b, events_only_a, events_only_b, events_in_both, events_in_conflict, amount_only_b, amount_in_conflict"
        " FROM onefold_v1.report_document_overlap"
    ) == [("accounting", "erp", 0, 1, 2, 1, Decimal("700.10"), Decimal(50))]

"""Documents that two registers keep in parallel speak for one client, and take it back when they go."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from identity.documents.papers import PAPER
from onefold.steps.explain import explain
from onefold.steps.judge import judge
from onefold.steps.publish import publish
from onefold.steps.resolve import resolve
from onefold.steps.share_documents import Work
from tests.support.hub import Hub
from warehouse import in_common

BOOKS = """
source: books
department: accounting
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 80
streams:
  parties:
    as: organisation
    key: id
    limits: {deleted: 1.0}
    options: {path: data/books_parties.jsonl}
    fields: {legal_name: name, inn: inn}
  invoices:
    as: interaction
    type: invoice
    key: no
    limits: {deleted: 1.0}
    options: {path: data/books_invoices.jsonl}
    party: {stream: parties, key: party}
    occurred_at: date
    amount: {value: sum}
    document_number: no
    detail: {state: state}
"""
ERP_PARTY, BOOKS_PARTY = "erp:customers:A", "books:parties:1"
FILES = ("erp_customers", "erp_orders", "books_parties", "books_invoices")
TABLES = (
    "identity.document_key", "identity.document_twin", "identity.shared_document", "identity.blocking_key",
    "identity.key_list", "identity.pair", "identity.point", "identity.refused_block", "identity.crosswalk",
    "identity.review_case",
)  # fmt: skip


LOOKED_AT = "person: {compare: {documents: {}}}\norganisation: {compare: {documents: {}}}\n"


@pytest.fixture
def trade(hub: Hub) -> Hub:
    """Two registers whose cards of one firm are too unlike to be one client by themselves."""
    hub.configure("books", BOOKS)
    (hub.folder / "config" / "matching.yaml").write_text(LOOKED_AT)
    erp = hub.folder / "config" / "sources" / "erp.yaml"
    text = erp.read_text(encoding="utf-8")
    for stream in ("customers", "orders"):
        text = text.replace(f"  {stream}:\n", f"  {stream}:\n    limits: {{deleted: 1.0}}\n")
    erp.write_text(text, encoding="utf-8")
    hub.registers |= {name: [] for name in FILES}
    hub.registers["erp_customers"] = [firm("A", "Ромашка Логистика"), firm("B", "Завод Металлоконструкций")]
    hub.registers["books_parties"] = [party("1", "Ромашка Логистик Сервис Юг"), party("2", "Лютик Кондитерская")]
    return hub


def firm(code: str, name: str, inn: str | None = None) -> dict[str, Any]:
    return {"code": code, "kind": "company", "name": name, "inn": inn}


def party(key: str, name: str, inn: str | None = None) -> dict[str, Any]:
    return {"id": key, "name": name, "inn": inn}


def sale(hub: Hub, number: int, firm: str, party: str, day: int = 1) -> None:
    """An order and its invoice."""
    amount = f"{1_500 + 37 * number}.40"
    hub.registers["erp_orders"].append(
        {"no": f"SO-{4700 + number}", "customer": firm, "date": f"2026-01-{day:02d}", "total": amount}
    )
    hub.registers["books_invoices"].append(
        {"no": f"{4700 + number}", "party": party, "date": f"2026-01-{day + 3:02d}", "sum": amount, "state": "sent"}
    )


def run(hub: Hub) -> None:
    for name in FILES:
        hub.write(name)
    hub.run()


def together(hub: Hub, left: str = ERP_PARTY, right: str = BOOKS_PARTY) -> bool:
    with hub.context() as context:
        return bool(explain(context, left, right)["together"])


def test_documents_in_common_make_one_client_and_take_it_back_when_they_go(trade: Hub) -> None:
    run(trade)
    assert not together(trade)
    for number in range(3):
        sale(trade, number, "A", "1")
    run(trade)
    assert together(trade)
    trade.has_nothing_to_do()
    with trade.context() as context:
        found = explain(context, ERP_PARTY, BOOKS_PARTY)
        (about,) = [one for one in found["findings"] if one["column"] == "documents"]
        assert (about["level"], about["left"], about["right"]) == (
            "several",
            "SO-4700, SO-4701, SO-4702",
            "4700, 4701, 4702",
        )
        assert about["bits"] > 10
        assert about["words"]["ru"] == "общие документы: несколько"
        assert [row["left"] for row in found["documents"]] == [f"erp:orders:SO-{4700 + number}" for number in range(3)]
        assert any(rule["rule"] == "identifier" and rule["outcome"] == "shared" for rule in found["rules"])
    for row in trade.registers["books_invoices"]:
        row["state"] = "cancelled"
    run(trade)
    assert not together(trade)
    assert trade.query("SELECT count(*) FROM identity.shared_document") == [(0,)]
    trade.has_nothing_to_do()


def test_they_are_evidence_where_matching_says_so(trade: Hub) -> None:
    rules = trade.folder / "config" / "matching.yaml"
    rules.unlink()
    for number in range(3):
        sale(trade, number, "A", "1")
    run(trade)
    assert not together(trade)
    trade.has_nothing_to_do()
    rules.write_text(LOOKED_AT)
    run(trade)
    assert together(trade)
    rules.unlink()
    run(trade)
    assert not together(trade)
    assert trade.query("SELECT count(*) FROM identity.document_key") == [(0,)]


def test_a_payer_for_a_firm_of_another_name_is_asked_about_and_not_merged(trade: Hub) -> None:
    for number in range(12):
        sale(trade, number, "B", "2")
    run(trade)
    assert not together(trade, "erp:customers:B", "books:parties:2")
    with trade.context() as context:
        assert explain(context, "erp:customers:B", "books:parties:2")["verdict"] == "review"
    assert trade.query("SELECT kind FROM identity.review_case WHERE status = 'open'") == [("between",)]


def test_a_collective_account_is_nobody(trade: Hub) -> None:
    trade.registers["erp_customers"] += [firm(f"C{at}", "Ромашка Логистика") for at in range(6)]
    for number in range(12):
        sale(trade, number, f"C{number % 6}", "1")
    run(trade)
    assert trade.query("SELECT count(*) FROM identity.document_twin") == [(12,)]
    assert trade.query("SELECT count(*) FROM identity.shared_document") == [(0,)]


def test_contradictions_and_judgements_win(trade: Hub) -> None:
    for number in range(8):
        sale(trade, number, "A", "1")
    trade.registers["erp_customers"][0]["inn"] = "7707083893"
    trade.registers["books_parties"][0]["inn"] = "7736050003"
    run(trade)
    assert not together(trade)
    trade.registers["books_parties"][0]["inn"] = None
    run(trade)
    assert together(trade)
    with trade.context() as context:
        judge(context, "not_same", [ERP_PARTY], [BOOKS_PARTY], reason="a dealer", by="test")
        publish(context)
    assert not together(trade)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.scale) for seed in range(1, 6))])
def test_following_changed_documents_is_looking_at_all(trade: Hub, seed: int) -> None:
    rng = Random(seed)
    names = ("Ромашка Логистика", "Ромашка Логистик Сервис", "Пион", "Завод Пион", "Лютик")
    trade.registers["erp_customers"] = [firm(str(at), rng.choice(names)) for at in range(8)]
    trade.registers["books_parties"] = [party(str(at), rng.choice(names)) for at in range(8)]
    run(trade)
    for number in range(20):
        sale(trade, number, *ends(rng))
    run(trade)
    seen = 0
    for step in range(4):
        disturb(trade, rng, step)
        run(trade)
        here = versions(trade)
        look_at_all(trade)
        assert versions(trade) == here
        seen += len(here["identity.shared_document"])
    assert seen > 10


def ends(rng: Random) -> tuple[str, str]:
    """The cards of a sale: mostly of one number in both registers."""
    firm = rng.randrange(8)
    return str(firm), str(firm if rng.random() < 0.8 else rng.randrange(8))


def disturb(hub: Hub, rng: Random, step: int) -> None:
    """Add, change, move and take away some documents, and a firm."""
    for number in range(3):
        sale(hub, 100 * (step + 1) + number, *ends(rng))
    for name, owner, amount in (("erp_orders", "customer", "total"), ("books_invoices", "party", "sum")):
        rows = hub.registers[name]
        rng.shuffle(rows)
        del rows[: rng.randrange(3)]
        for row in rows[:2]:
            row[owner] = str(rng.randrange(8))
        for row in rows[2:5]:
            row[amount] = rng.choice(("1537.40", "1574.40", "98765.43"))
        for row in rows[5 : 5 + rng.randrange(2)]:
            row["date"] = "2026-01-20"
    if rng.random() < 0.5:
        rng.choice(hub.registers["books_invoices"])["state"] = "cancelled"
    if rng.random() < 0.5:
        hub.registers["books_parties"].pop(rng.randrange(len(hub.registers["books_parties"])))


def versions(hub: Hub) -> dict[str, list[Any]]:
    """What is stored, and where: a row that is written again stands elsewhere."""
    return {table: sorted(hub.query(f"SELECT ctid::text, t::text FROM {table} AS t")) for table in TABLES}


def look_at_all(hub: Hub) -> None:
    """All documents looked at anew, and all records compared."""
    with hub.context() as context:
        with context.connection("test") as conn:
            conn.execute("DELETE FROM ops.definition WHERE kind = 'rules' AND name = 'in_common'")
            conn.commit()
        resolve(context, everything=True)
        publish(context)


def test_all_documents_are_read_piece_by_piece(trade: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        sale(trade, number, "A", "1")
    run(trade)
    with trade.context() as context, context.connection() as conn:
        work = Work(conn, context.configuration.document_rules)
        documents = np.array([row[0] for row in conn.execute("SELECT record_id FROM core.interaction")], np.int64)
        whole = work.keys(documents)
        assert whole.num_rows >= 8
        monkeypatch.setattr(in_common, "PIECE", 64)
        states = {"fields": ["state"], "void": ["cancelled"]}
        assert len(list(in_common.all_papers(conn, PAPER, states))) > 3
        assert work.all_keys().equals(whole)

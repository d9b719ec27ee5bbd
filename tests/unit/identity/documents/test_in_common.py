"""Which documents are one and the same without their clients, and what that says of the clients' records."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa
import pytest

from identity.documents.in_common import LEVELS, SHARED, in_common
from identity.documents.papers import PAPER, common_rules, keys_of
from identity.documents.settings import DocumentSettings
from identity.documents.twins import twins_of

SETTINGS = DocumentSettings()


def paper(record_id: int, source: str, party: int | None, number: str | None = None, **others: Any) -> dict[str, Any]:
    money = {"crm": "quoted", "erp": "ordered", "books": "invoiced", "bank": "paid"}[source]
    plain = {"money": money, "is_net": False, "is_void": False, "day": 100, "amount": 123_456_700, "currency": "RUB"}
    return {"record_id": record_id, "party_id": party, "source": source, "number": number, **plain, **others}


def twins(*papers: dict[str, Any]) -> list[tuple[int, int, int]]:
    found = twins_of(keys_of(pa.Table.from_pylist(list(papers), PAPER), SETTINGS), SETTINGS)
    names = ("left_record_id", "right_record_id", "worth")
    return list(zip(*(found[name].to_pylist() for name in names), strict=True))


def shared(*papers: dict[str, Any]) -> dict[tuple[int, int], str]:
    found = in_common(twins_of(keys_of(pa.Table.from_pylist(list(papers), PAPER), SETTINGS), SETTINGS))
    assert found.schema == SHARED
    rows = {(row["record_id"], row["other_record_id"]): LEVELS[row["level"] - 1] for row in found.to_pylist()}
    assert {(two, one): level for (one, two), level in rows.items()} == rows
    return {ends: level for ends, level in rows.items() if ends[0] < ends[1]}


def sales(count: int, ends: tuple[int, int], first: int = 0) -> list[dict[str, Any]]:
    """So many sales of one client in two registers."""
    return [
        paper(1000 * (at + 1) + side, source, ends[side], f"9{at:04d}", amount=10_000 * (at + 11))
        for at in range(first, first + count)
        for side, source in enumerate(("erp", "books"))
    ]


def test_number_amount_and_period_make_two_documents_one() -> None:
    assert twins(paper(1, "erp", 7, "SO-04711"), paper(2, "books", 8, "4711", day=110)) == [(1, 2, 2)]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 9_990_000, "day": 110},  # another amount
        {"day": 400},  # too late
        {"currency": "EUR", "day": 110},
        {"is_void": True},
        {"party_id": None},
        {"number": "4712", "day": 101},  # a rare amount, but not on the day
        {"source": "bank", "money": "paid"},  # who pays is not always who bought
        {"source": "erp", "money": "ordered"},  # one register says nothing of itself
    ],
)
def test_what_does_not_agree_is_not_one(other: dict[str, Any]) -> None:
    assert twins(paper(1, "erp", 7, "4711"), paper(2, "books", 8, "4711") | other) == []


def test_rounding_and_tax_do_not_hide_a_document() -> None:
    assert twins(paper(1, "erp", 7, "4711"), paper(2, "books", 8, "4711", amount=123_460_000, day=104)) == [(1, 2, 2)]
    net = paper(1, "erp", 7, "4711", amount=100_000_000, is_net=True)
    assert twins(net, paper(2, "books", 8, "4711", amount=120_000_000, day=104)) == [(1, 2, 2)]


def test_a_rare_amount_on_one_day_is_worth_less_and_a_round_one_nothing() -> None:
    assert twins(paper(1, "erp", 7), paper(2, "books", 8)) == [(1, 2, 1)]
    assert twins(paper(1, "erp", 7, amount=50_000_000), paper(2, "books", 8, amount=50_000_000)) == []


def test_what_could_be_two_is_none() -> None:
    three = [paper(1, "erp", 7, "4711"), paper(2, "books", 8, "4711"), paper(3, "books", 9, "4711", day=104)]
    assert twins(*three) == []
    # One whose number agrees as well goes before one of the same amount and day.
    assert twins(*three[:2], paper(3, "books", 9, "5555")) == [(1, 2, 2)]


def test_more_documents_in_common_say_more_up_to_a_bound() -> None:
    found = [shared(*sales(count, (7, 8))).get((7, 8)) for count in (0, 1, 2, 3, 5, 6, 50)]
    assert found == [None, "one", "two", "several", "several", "many", "many"]


def test_an_order_and_an_invoice_of_one_register_are_one_sale() -> None:
    both = [paper(2, "books", 8, "4711"), paper(3, "books", 8, "4711", money="ordered")]
    assert shared(paper(1, "erp", 7, "4711"), *both) == {(7, 8): "one"}


def test_a_collective_account_and_a_payer_have_nothing_in_common_with_each_of_many() -> None:
    account = [one for at in range(5) for one in sales(2, (20 + at, 8), first=2 * at)]
    assert shared(*account) == {}
    # Two for one, and another's next to many of its own: the few do not count.
    assert shared(*sales(6, (7, 8)), *sales(2, (9, 8), first=6)) == {(7, 8): "several"}


def test_twins_are_told_by_what_shares_a_key_with_either() -> None:
    """What share_changed rests on: looking at a document's neighbours and theirs says what looking at all does."""
    rng = Random(5)
    papers = [
        paper(
            at,
            rng.choice(("crm", "erp", "books")),
            rng.randrange(30),
            rng.choice((None, *(f"10{n:02d}" for n in range(25)))),
            day=100 + rng.randrange(3),
            amount=10_000 * rng.choice((12345, 12346, 54321, 500, 777)),
        )
        for at in range(150)
    ]
    keys = keys_of(pa.Table.from_pylist(papers, PAPER), SETTINGS)
    rows = keys.to_pylist()
    everything = {row["left_record_id"] * 1000 + row["right_record_id"] for row in twins_of(keys, SETTINGS).to_pylist()}
    assert len(everything) > 5

    def around(ids: set[int]) -> set[int]:
        mine = [row for row in rows if row["record_id"] in ids]
        near = {(name, row[name]) for row in mine for name in ("number_key", "day_key") if row[name] is not None}
        return ids | {
            row["record_id"] for row in rows if any((name, row[name]) in near for name in ("number_key", "day_key"))
        }

    for at in range(150):
        part = around(around({at}))
        some = pa.Table.from_pylist([row for row in rows if row["record_id"] in part], keys.schema)
        found = {row["left_record_id"] * 1000 + row["right_record_id"] for row in twins_of(some, SETTINGS).to_pylist()}
        mine = {code for code in everything if at in divmod(code, 1000)}
        assert {code for code in found if at in divmod(code, 1000)} == mine


def test_the_shipped_rules_are_in_order() -> None:
    rules = common_rules()
    assert [rules.levels[name] for name in LEVELS] == sorted(rules.levels.values(), reverse=True)

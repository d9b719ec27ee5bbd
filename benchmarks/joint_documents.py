"""Sales of the parties of ru_de.py as two registers keep them: seeded, with what goes wrong in such books.

One sale is a deal or order in the one register and an invoice in the other. Either may miss it; days lie between them;
one of them rounds; the invoice has a number of its own, or one that was given twice; prices come from a list; somebody
booked it on another card. Some firms are paid for by another firm of their group, and who has no card in the invoicing
register is booked on its collective account.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FIRST, SECOND = "erp", "accounting"
MONEY: Mapping[str, str] = {FIRST: "ordered", SECOND: "invoiced"}


@dataclass(frozen=True, slots=True)
class Noise:
    """How often what goes wrong, as a share of documents (of parties where said)."""

    silent: float = 0.15  # parties without a sale
    missing: float = 0.20  # in either register
    own_number: float = 0.40  # the invoice does not repeat the order's number
    reused_number: float = 0.03
    rounded: float = 0.08
    later: float = 0.50  # the invoice is of another day
    list_price: float = 0.30
    wrong_card: float = 0.01
    paid_by_group: float = 0.06  # parties of whose invoices half or all are made out to another party
    collective: float = 0.50  # parties without a card in the invoicing register whose sales are booked all the same


@dataclass(frozen=True, slots=True)
class Paper:
    """One document: the record that it names, as its register writes it."""

    register: str
    party: str
    day: int
    amount: int  # in hundredths
    number: str


def papers(
    records: Sequence[Mapping[str, str]], truth: Mapping[str, str], seed: int = 1, noise: Noise | None = None
) -> list[Paper]:
    """The documents of both registers; the same arguments give the same."""
    rng, how = random.Random(seed), noise or Noise()
    cards: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    every: dict[str, list[str]] = {FIRST: [], SECOND: []}
    for row in records:
        if row["register"] in every:
            cards[truth[row["record_id"]]][row["register"]].append(row["record_id"])
            every[row["register"]].append(row["record_id"])
    prices = [rng.randrange(5, 900) * 1_000 + 90_000 for _ in range(60)]
    found: list[Paper] = []
    collective = every[SECOND][0]
    for entity in sorted(cards):
        if rng.random() < how.silent:
            continue
        mine = cards[entity]
        sellers, billed = mine.get(FIRST, []), mine.get(SECOND, [])
        if not billed and rng.random() < how.collective:
            billed = [collective]
        share = rng.choice((0.5, 1.0)) if rng.random() < how.paid_by_group else 0.0
        payer = rng.choice(every[SECOND])
        for _ in range(min(1 + int(rng.expovariate(0.28)), 40)):
            bill = [payer] if rng.random() < share else billed
            found += _sale(rng, how, (sellers, bill), every, prices)
    rng.shuffle(found)
    return found


def _sale(
    rng: random.Random,
    how: Noise,
    cards: tuple[Sequence[str], Sequence[str]],
    every: Mapping[str, Sequence[str]],
    prices: Sequence[int],
) -> list[Paper]:
    """One sale as the registers that have a card for it write it, if they do."""
    day = 19_000 + rng.randrange(730)
    amount = rng.choice(prices) * rng.randrange(1, 4) if rng.random() < how.list_price else _amount(rng)
    number = str(rng.randrange(10_000, 400_000))
    found = []
    for register, mine in zip((FIRST, SECOND), cards, strict=True):
        if not mine or rng.random() < how.missing:
            continue
        party = rng.choice(every[register]) if rng.random() < how.wrong_card else rng.choice(mine)
        written, dated, much = number, day, amount
        if register == SECOND:
            written = str(rng.randrange(10_000, 400_000)) if rng.random() < how.own_number else number
            dated = day + rng.randrange(1, 15) if rng.random() < how.later else day
            much = (amount + 50) // 100 * 100 if rng.random() < how.rounded else amount
        if rng.random() < how.reused_number:
            written = str(rng.randrange(10_000, 10_400))
        prefix = "SO-" if register == FIRST else ""
        found.append(Paper(register, party, dated, much, f"{prefix}{written}"))
    return found


def _amount(rng: random.Random) -> int:
    """As orders have them: some round, most to the kopek."""
    amount = int(10 ** rng.uniform(5.0, 8.0))
    return amount // 10_000 * 10_000 if rng.random() < 0.25 else amount

"""What happened between the company and its clients: sales with their documents, as they truly were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from onefold.demo import words
from onefold.demo.society import CLOSED, STORY, TODAY, Society

FIRST_DAY: Final = date(2024, 1, 9)
CURRENCIES: Final = {"RU": "RUB", "DE": "EUR", "GB": "GBP"}
_KOPEKS_PER_CENT: Final = {"RUB": 1, "EUR": 92, "GBP": 108}
MIRRORED: Final = 0.60
"""Share of the ERP's orders that also are a won deal in the CRM and an invoice in accounting."""


@dataclass(frozen=True, slots=True)
class Line:
    """One position of an order; money in hundredths."""

    item_code: str
    item_name: str
    quantity: int
    price: int

    @property
    def amount(self) -> int:
        """Quantity times price, in hundredths."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Sale:
    """One business event; the registers hold one document of it each."""

    event_id: str
    buyer: str
    ordered_on: date
    currency: str
    lines: tuple[Line, ...]
    is_cancelled: bool
    promised_on: date
    delivered_on: date | None
    in_erp: bool
    is_mirrored: bool
    """Also a won deal in the CRM and an invoice in accounting."""

    @property
    def cents(self) -> int:
        """Gross amount in hundredths."""
        return sum(line.amount for line in self.lines)

    @property
    def amount(self) -> Decimal:
        """Gross amount."""
        return Decimal(self.cents) / 100


def build_sales(seed: int, scale: float, society: Society) -> tuple[Sale, ...]:
    """All sales by number: orders, 60 % of them mirrored, then service invoices without an order."""
    rng = Random(f"{seed}:trade")
    idle = society.suppliers | society.own | {CLOSED}
    firms = [entity for entity in society.knows("erp", "O") if entity not in idle]
    private = [e for e in society.knows("erp", "P") if e not in society.staff]
    weights = [
        (3.4 if {"crm", "accounting"} <= society.registers[entity] else 0.8) * rng.paretovariate(1.6)
        for entity in firms
    ]
    count = max(40, round(2000 * scale))
    story_orders = 14
    buyers = [STORY] * story_orders
    buyers += rng.choices(firms, weights, k=round((count - story_orders) * 0.88))
    buyers += rng.choices(private, k=count - len(buyers))
    rng.shuffle(buyers)
    days = sorted(rng.randrange((TODAY - FIRST_DAY).days - 12) for _ in buyers)
    cancelled = {index for index, buyer in enumerate(buyers) if buyer != STORY and rng.random() < 0.04}
    eligible = [
        index
        for index, buyer in enumerate(buyers)
        if index not in cancelled and {"crm", "accounting"} <= society.registers[buyer] and buyer[0] == "O"
    ]
    wanted = round(count * MIRRORED)
    # The story's orders come first, so that its papers always show in every register.
    eligible.sort(key=lambda index: (buyers[index] != STORY, rng.random()))
    mirrored = set(eligible[:wanted])
    sales = [
        _sale(
            rng,
            f"E{number:05d}",
            buyer,
            _currency(society, buyer),
            FIRST_DAY + timedelta(days=day),
            is_cancelled=number in cancelled,
            is_mirrored=number in mirrored,
        )
        for number, (buyer, day) in enumerate(zip(buyers, days, strict=True))
    ]
    books = [e for e in society.knows("accounting", "O") if e not in society.suppliers and e not in society.own]
    for number in range(count, count + max(3, round(90 * scale))):
        day = FIRST_DAY + timedelta(days=rng.randrange((TODAY - FIRST_DAY).days - 12))
        sales.append(_service(rng, society, f"E{number:05d}", rng.choice(books), day))
    return tuple(sales)


def turnover(sales: tuple[Sale, ...]) -> dict[str, Decimal]:
    """The true turnover by currency: every business event once, cancelled ones not at all."""
    totals: defaultdict[str, int] = defaultdict(int)
    for sale in sales:
        if not sale.is_cancelled:
            totals[sale.currency] += sale.cents
    return {currency: Decimal(cents) / 100 for currency, cents in sorted(totals.items())}


def _currency(society: Society, buyer: str) -> str:
    party = society.organisations.get(buyer) or society.persons[buyer]
    return CURRENCIES[party.country]


def _sale(
    rng: Random, event_id: str, buyer: str, currency: str, day: date, *, is_cancelled: bool, is_mirrored: bool
) -> Sale:
    lines = []
    for code, name, price in rng.sample(words.ITEMS, rng.choices((1, 2, 3, 5), (40, 32, 20, 8))[0]):
        discount = rng.choice((100, 100, 100, 97, 95, 90))
        unit = max(100, price * discount // 100 // _KOPEKS_PER_CENT[currency])
        quantity = rng.choices((1, 2, 4, 10, 25), (44, 26, 16, 10, 4))[0]
        lines.append(Line(code, name, quantity if buyer[0] == "O" else 1, unit))
    promised = day + timedelta(days=rng.randint(5, 30))
    delivered = promised + timedelta(days=rng.choices((-2, 0, 1, 4, 15), (20, 45, 15, 14, 6))[0])
    return Sale(
        event_id,
        buyer,
        day,
        currency,
        tuple(lines),
        is_cancelled,
        promised,
        None if is_cancelled or delivered > TODAY else max(delivered, day),
        True,
        is_mirrored,
    )


def _service(rng: Random, society: Society, event_id: str, buyer: str, day: date) -> Sale:
    currency = _currency(society, buyer)
    price = rng.randint(90_000, 6_000_000) // _KOPEKS_PER_CENT[currency]
    line = Line("SRV", "Сервисное обслуживание насосов", 1, price)
    return Sale(event_id, buyer, day, currency, (line,), False, day, day, False, False)

"""The ERP: an SQLite database of customers, orders, their lines, and deliveries promised and made."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

from onefold.demo.companies import Organisation, short_name
from onefold.demo.identifiers import phone_as_written
from onefold.demo.needs import order_traits
from onefold.demo.people import Address, Person, write_name
from onefold.demo.registers.ledger import Ledger, last_edit, moment
from onefold.demo.society import STORY, Society
from onefold.demo.spelling import without_umlauts
from onefold.demo.trade import Sale

FILE = "erp.sqlite"

_TABLES = """
CREATE TABLE customers (
    customer_no TEXT PRIMARY KEY, customer_type TEXT NOT NULL, customer_group TEXT NOT NULL,
    name TEXT NOT NULL, tax_no TEXT, kpp TEXT, vat_no TEXT, birth_date TEXT,
    country TEXT, city TEXT, street TEXT, house TEXT,
    postcode TEXT, phone TEXT, email TEXT, updated_at TEXT NOT NULL
);
CREATE TABLE orders (
    order_no TEXT PRIMARY KEY, customer_no TEXT NOT NULL REFERENCES customers, ordered_at TEXT NOT NULL,
    status TEXT NOT NULL, total NUMERIC NOT NULL, currency TEXT NOT NULL, customer_reference TEXT,
    updated_at TEXT NOT NULL, shipping TEXT, remark TEXT
);
CREATE TABLE order_lines (
    line_id INTEGER PRIMARY KEY, order_no TEXT NOT NULL REFERENCES orders, position INTEGER NOT NULL,
    item_code TEXT NOT NULL, item_name TEXT NOT NULL, quantity INTEGER NOT NULL, unit TEXT NOT NULL,
    unit_price NUMERIC NOT NULL, amount NUMERIC NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE deliveries (
    delivery_no TEXT PRIMARY KEY, order_no TEXT NOT NULL REFERENCES orders, customer_no TEXT NOT NULL,
    promised_on TEXT NOT NULL, delivered_on TEXT, carrier TEXT, updated_at TEXT NOT NULL
);
CREATE INDEX order_lines_of_order ON order_lines (order_no);
"""


def write_erp(folder: Path, seed: int, society: Society, sales: tuple[Sale, ...], needs: Mapping[str, str]) -> Ledger:
    """Write `erp.sqlite`: customers of both kinds (staff, suppliers, own firms among them) and all orders."""
    rng, traits = Random(f"{seed}:erp"), Random(f"{seed}:needs:orders")
    ledger = Ledger("erp")
    customers = _customers(rng, society, ledger)
    orders, lines, deliveries = [], [], []
    for number, sale in enumerate((sale for sale in sales if sale.in_erp), 1):
        keys = ledger.keys["customers", sale.buyer]
        customer = keys[0] if len(keys) == 1 or rng.random() < 0.7 else rng.choice(keys[1:])
        order_no = f"SO-{sale.ordered_on.year}-{number:05d}"
        ordered_at = moment(rng, sale.ordered_on)
        touched = ordered_at + timedelta(hours=rng.randint(1, 60))
        status = "cancelled" if sale.is_cancelled else "completed" if sale.delivered_on else "open"
        reference = f"{rng.randint(100, 9999)}/{rng.randint(1, 12)}" if rng.random() < 0.4 else None
        total = sale.cents / 100
        head = (order_no, customer, f"{ordered_at}", status, total, sale.currency, reference, f"{touched}")
        orders.append((*head, *order_traits(traits, needs.get(sale.buyer))))
        ledger.interaction("orders", order_no, sale.buyer, None if sale.is_cancelled else sale.event_id)
        for position, line in enumerate(sale.lines, 1):
            money = (line.price / 100, line.amount / 100)
            lines.append(
                (
                    order_no,
                    position,
                    line.item_code,
                    line.item_name,
                    line.quantity,
                    "шт",
                    *money,
                    f"{touched}",
                )
            )
        if not sale.is_cancelled:
            delivered = sale.delivered_on.isoformat() if sale.delivered_on else None
            delivery_no = f"DN-{number:06d}"
            carrier = rng.choice(("Деловая доставка", "Nordfracht", "самовывоз"))
            deliveries.append(
                (
                    delivery_no,
                    order_no,
                    customer,
                    sale.promised_on.isoformat(),
                    delivered,
                    carrier,
                    f"{touched}",
                )
            )
            ledger.interaction("deliveries", delivery_no, sale.buyer)
    path = folder / FILE
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_TABLES)
        connection.executemany(f"INSERT INTO customers VALUES ({', '.join('?' * 16)})", customers)  # noqa: S608
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", orders)
        connection.executemany("INSERT INTO order_lines VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)
        connection.executemany("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?)", deliveries)
    return ledger


def _customers(rng: Random, society: Society, ledger: Ledger) -> list[tuple[str | None, ...]]:
    drafts: list[tuple[str, tuple[str | None, ...]]] = []
    for entity in society.knows("erp", "O"):
        firm = society.organisations[entity]
        drafts.append((entity, _firm(rng, society, firm, firm.kpp, firm.address)))
        drafts.extend((entity, _firm(rng, society, firm, branch.kpp, branch.address)) for branch in firm.branches)
        if rng.random() < 0.07:
            drafts.append((entity, _firm(rng, society, firm, firm.kpp, firm.address)))
    for entity in society.knows("erp", "P"):
        person = society.persons[entity]
        drafts.extend((entity, _person(rng, society, person)) for _ in range(1 + (rng.random() < 0.08)))
    # The numbers follow the order of entry, which has nothing to do with who is who.
    order = list(range(len(drafts)))
    rng.shuffle(order)
    numbers = {index: f"C{number:06d}" for number, index in enumerate(order, 1001)}
    rows = []
    for index, (entity, values) in enumerate(drafts):
        ledger.party("customers", numbers[index], entity)
        rows.append((numbers[index], *values, f"{last_edit(rng)}"))
    return sorted(rows)


def _group(society: Society, entity: str) -> str:
    if entity in society.own:
        return "INTERCO"
    if entity in society.suppliers:
        return "VENDOR"
    if entity in society.staff:
        return "STAFF"
    return "B2B" if entity[0] == "O" else "B2C"


def _address(address: Address) -> tuple[str, ...]:
    return (address.city.country, address.city.name, address.street, address.house, address.postcode)


def _firm(rng: Random, society: Society, firm: Organisation, kpp: str, where: Address) -> tuple[str | None, ...]:
    sure = firm.entity_id == STORY or firm.entity_id in society.own
    name = short_name(rng, firm)
    if firm.country == "DE" and rng.random() < 0.3:
        name = without_umlauts(name)
    return (
        "ORG",
        _group(society, firm.entity_id),
        name,
        firm.inn if firm.inn and (sure or rng.random() < 0.86) else None,
        kpp if kpp and rng.random() < 0.7 else None,
        firm.vat if firm.vat and rng.random() < 0.8 else None,
        None,
        *_address(where),
        phone_as_written(rng, firm.switchboard) if rng.random() < 0.7 else None,
        firm.email if sure or rng.random() < 0.55 else None,
    )


def _person(rng: Random, society: Society, person: Person) -> tuple[str | None, ...]:
    is_old = rng.random() < 0.3
    name = write_name(rng, person, care=0.82, middle=0.7, is_old=is_old)
    return (
        "PERSON",
        _group(society, person.entity_id),
        name.full(family_first=rng.random() < 0.7),
        person.inn if person.inn and rng.random() < 0.3 else None,
        None,
        None,
        person.birth_date.isoformat() if rng.random() < 0.65 else None,
        *_address(person.address),
        phone_as_written(rng, person.mobile) if rng.random() < 0.8 else None,
        person.email if rng.random() < 0.6 else None,
    )

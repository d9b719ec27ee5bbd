"""Accounting: CSV files as an accounting system exports them: cp1251, semicolons, decimal commas."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from onefold.demo.companies import Organisation, official_name, short_name
from onefold.demo.identifiers import phone_as_written
from onefold.demo.people import Address, Person, write_name
from onefold.demo.registers.ledger import Ledger
from onefold.demo.society import STORY, TODAY, Society
from onefold.demo.spelling import cyrillic, without_umlauts
from onefold.demo.trade import FIRST_DAY, Sale

ENCODING = "cp1251"
COUNTERPARTIES = "Контрагенты.csv"
INVOICES = "Счета.csv"
PAYMENTS = "Платежи.csv"
RATES = "Курсы.csv"

COUNTERPARTY_COLUMNS = (
    "Код", "Наименование", "НаименованиеПолное", "ЮрФизЛицо", "Вид", "ИНН", "КПП", "ОГРН", "ОГРНИП",
    "НомерНДС", "Страна", "Индекс", "Город", "Улица", "Дом", "Телефон", "ЭлектроннаяПочта",
)  # fmt: skip
INVOICE_COLUMNS = ("Номер", "Дата", "КодКонтрагента", "Сумма", "СуммаНДС", "Валюта", "Заказ", "Основание")
PAYMENT_COLUMNS = ("Номер", "Дата", "КодКонтрагента", "Сумма", "Валюта", "Счет", "Назначение")
RATE_COLUMNS = ("Валюта", "Дата", "Курс", "Кратность")
_RATES: Final = {"EUR": 920_000, "GBP": 1_080_000}
"""What one of them cost at first, in ten-thousandths of a rouble."""


def write_accounting(folder: Path, seed: int, society: Society, sales: tuple[Sale, ...]) -> Ledger:
    """Write counterparties (suppliers and own firms among them), invoices, payments, rates under `accounting/`."""
    rng = Random(f"{seed}:accounting")
    ledger = Ledger("accounting")
    (folder / "accounting").mkdir(exist_ok=True)
    write_table(folder, COUNTERPARTIES, COUNTERPARTY_COLUMNS, _counterparties(rng, society, ledger))
    invoices, payments = _documents(rng, sales, ledger)
    write_table(folder, INVOICES, INVOICE_COLUMNS, invoices)
    write_table(folder, PAYMENTS, PAYMENT_COLUMNS, payments)
    write_table(folder, RATES, RATE_COLUMNS, _rates(Random(f"{seed}:rates")))
    return ledger


def write_table(folder: Path, name: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write one export whole; what cp1251 cannot hold is an error of the writer, not of the data."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    (folder / "accounting" / name).write_bytes(text.getvalue().encode(ENCODING))


def read_table(folder: Path, name: str) -> list[tuple[str, ...]]:
    """The rows of one export without its header."""
    text = (folder / "accounting" / name).read_bytes().decode(ENCODING)
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=";")][1:]


def _rates(rng: Random) -> list[tuple[str, ...]]:
    """The central bank's rates, week by week: with four decimals, as they wander."""
    rows: list[tuple[str, ...]] = []
    for currency, first in _RATES.items():
        on, price = FIRST_DAY - timedelta(days=7), first
        while on <= TODAY:
            price += rng.randint(-9_000, 9_000)
            rows.append((currency, day(on), f"{price // 10_000},{price % 10_000:04d}", "1"))
            on += timedelta(days=7)
    return rows


def money(cents: int) -> str:
    """Hundredths with a decimal comma: 123456,78."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d}"


def day(value: date) -> str:
    """A date as Russian documents write it."""
    return f"{value:%d.%m.%Y}"


def _counterparties(rng: Random, society: Society, ledger: Ledger) -> list[tuple[str, ...]]:
    drafts: list[tuple[str, tuple[str, ...]]] = []
    for entity in society.knows("accounting", "O"):
        firm = society.organisations[entity]
        drafts.append((entity, _firm(rng, society, firm, firm.kpp, firm.address)))
        drafts.extend((entity, _firm(rng, society, firm, branch.kpp, branch.address)) for branch in firm.branches)
    drafts.extend((entity, _person(rng, society.persons[entity])) for entity in society.knows("accounting", "P"))
    order = list(range(len(drafts)))
    rng.shuffle(order)
    codes = {index: f"00-{number:06d}" for number, index in enumerate(order, 1)}
    rows = []
    for index, (entity, values) in enumerate(drafts):
        ledger.party("counterparties", codes[index], entity)
        rows.append((codes[index], *values))
    return sorted(rows)


def _through_excel(rng: Random, inn: str) -> str:
    """What is left of an INN that somebody opened in Excel and saved."""
    if inn.startswith("0") and rng.random() < 0.6:
        return inn.lstrip("0")
    if len(inn) == 12 and rng.random() < 0.06:
        return f"{float(inn):.5E}".replace(".", ",")
    return inn


def _address(address: Address) -> tuple[str, ...]:
    texts = (address.city.country, address.postcode, address.city.name, address.street, address.house)
    return tuple(without_umlauts(text) for text in texts)


def _firm(rng: Random, society: Society, firm: Organisation, kpp: str, where: Address) -> tuple[str, ...]:
    kind = "Прочее" if firm.entity_id in society.own else "Покупатель"
    kind = "Поставщик" if firm.entity_id in society.suppliers else kind
    name = official_name(firm)
    short = short_name(rng, firm)
    if firm.country == "DE" and rng.random() < 0.25:
        # The bookkeepers' programme has no umlauts, and some of its users no Latin keyboard.
        short = name = f"{cyrillic(firm.name)} ГмбХ" if firm.form == "GmbH" else cyrillic(firm.name)
    has_number = rng.random() < 0.4
    telephone, email = society.bookkeeper.get(firm.entity_id, ("", ""))
    if not telephone and rng.random() < 0.6:
        telephone = phone_as_written(rng, firm.switchboard)
    if not email and (rng.random() < 0.45 or firm.entity_id == STORY):
        email = firm.email
    return (
        without_umlauts(short),
        without_umlauts(name),
        "ЮрЛицо",
        kind,
        _through_excel(rng, firm.inn) if rng.random() < 0.97 or firm.entity_id == STORY else "",
        kpp if rng.random() < 0.9 else "",
        firm.ogrn if has_number and firm.form != "ИП" else "",
        firm.ogrn if has_number and firm.form == "ИП" else "",
        firm.vat if rng.random() < 0.85 else "",
        *_address(where),
        telephone,
        email,
    )


def _person(rng: Random, person: Person) -> tuple[str, ...]:
    name = write_name(rng, person, care=0.97, middle=0.95)
    full = without_umlauts(name.full(family_first=True))
    return (
        full,
        full,
        "ФизЛицо",
        "Покупатель",
        _through_excel(rng, person.inn) if rng.random() < 0.7 else "",
        "",
        "",
        "",
        "",
        *_address(person.address),
        phone_as_written(rng, person.mobile) if rng.random() < 0.7 else "",
        person.email if rng.random() < 0.3 else "",
    )


def _documents(
    rng: Random, sales: tuple[Sale, ...], ledger: Ledger
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    invoices: list[tuple[str, ...]] = []
    payments: list[tuple[str, ...]] = []
    order_numbers = {}
    number = 0
    for sale in sales:
        if sale.in_erp:
            number += 1
            order_numbers[sale.event_id] = f"SO-{sale.ordered_on.year}-{number:05d}"
    billed = [sale for sale in sales if sale.is_mirrored or not sale.in_erp]
    for serial, sale in enumerate(sorted(billed, key=lambda sale: (sale.ordered_on, sale.event_id)), 1):
        code = rng.choice(ledger.keys["counterparties", sale.buyer])
        on = sale.ordered_on + timedelta(days=rng.choice((0, 1, 1, 2, 3, 6)))
        invoice = f"СФ-{serial:06d}"
        order = order_numbers.get(sale.event_id, "") if rng.random() < 0.55 else ""
        basis = "Договор поставки" if sale.in_erp else "Договор сервисного обслуживания"
        tax = money(sale.cents * 20 // 120)
        invoices.append((invoice, day(on), code, money(sale.cents), tax, sale.currency, order, basis))
        ledger.interaction("invoices", invoice, sale.buyer, sale.event_id)
        for share in _payment_shares(rng, sale.cents):
            paid = on + timedelta(days=rng.randint(0, 35))
            if paid > TODAY:
                continue
            payment = f"ПП-{len(payments) + 1:06d}"
            purpose = f"Оплата по счету {invoice} от {day(on)}"
            payments.append((payment, day(paid), code, money(share), sale.currency, invoice, purpose))
            ledger.interaction("payments", payment, sale.buyer)
    return invoices, payments


def _payment_shares(rng: Random, cents: int) -> tuple[int, ...]:
    draw = rng.random()
    if draw < 0.05:
        return ()
    if draw < 0.14:
        return (cents // 2, cents - cents // 2)
    return (cents,)

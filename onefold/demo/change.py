"""Days later: records are edited, added and deleted at the sources, and the client view must follow."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from onefold.demo.generate import sheet_keys
from onefold.demo.registers import accounting, crm, erp, sales_sheet, service_desk
from onefold.demo.society import STORY, Society, build_society
from onefold.demo.world import World, load_world, read_documents, read_truth, write_documents, write_truth

CHANGED: Final = "changed.json"
CHANGED_AT: Final = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
"""When it all happens: after everything generated, at this hour of each register's own clock."""

NEW_EVENT, NEW_CLIENT = "E99001", "O99001"
NEW_EMAIL: Final = "zakupki@balt-prichal.example"
NEW_TITLE: Final = "директор по закупкам"
ORDER_CENTS: Final = 12_345_67
ORDER_NO, INVOICE_NO, PAYMENT_NO = "SO-2026-90001", "СФ-900001", "ПП-900001"

Effect = Literal["value", "merge", "gone", "interaction", "repair", "new", "none"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done at a source, and what the client view should show for it."""

    record: str
    """`source:stream:key` of the record that was touched."""
    action: Literal["edited", "added", "deleted"]
    effect: Effect
    """value: the client of `record` shows `new` as `attribute`; merge: the clients of `record` and `other`
    become one; gone: the client of `record` disappears; interaction: the client of `other` has this
    interaction, now with `new` as `attribute` if one is named; repair: the identifier `attribute` becomes
    valid; new: a client appears; none: the row is another one, and nobody's client changes."""
    what: dict[str, str]
    """In words, by language (en, ru)."""
    attribute: str = ""
    old: str = ""
    new: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What `change` did. `truth.csv`, `documents.csv` and `world.json` follow it."""

    changes: tuple[Change, ...]
    world: World
    turnover_added: dict[str, Decimal]
    """Currency -> what the true turnover grew by."""

    def count(self, action: Literal["edited", "added", "deleted"]) -> int:
        """How many records were edited, added or deleted."""
        return sum(change.action == action for change in self.changes)


@dataclass(slots=True)
class _Scene:
    """What the changes of one register need to know, and where they note what they did."""

    folder: Path
    world: World
    society: Society
    truth: dict[str, str]
    documents: dict[str, str]
    done: list[Change] = field(default_factory=list)

    def records(self, prefix: str, entity: str) -> list[str]:
        """Records of an entity whose id begins with `source:stream:`, in order of their keys."""
        return sorted(record for record, whose in self.truth.items() if whose == entity and record.startswith(prefix))


def change(folder: Path, seed: int = 7) -> Changes:
    """Edit, add and delete records in all five registers under `folder`; a served CRM follows at once.

    Everything happens on 12 January 2026, whatever the clock says. A world changes once: a second call raises
    RuntimeError, as does another seed than the world's; FileNotFoundError if there is no world.
    """
    world = load_world(folder)
    if world.seed != seed:
        raise RuntimeError(f"this demo world was generated with seed {world.seed}, not {seed}")
    marker = folder / CHANGED
    if marker.exists():
        raise RuntimeError("this demo world has changed already; generate it anew")
    scene = _Scene(folder, world, build_society(seed, world.scale), read_truth(folder), read_documents(folder))
    _change_crm(scene)
    _change_erp(scene)
    _change_accounting(scene)
    _change_service_desk(scene)
    _change_sheet(scene)
    write_truth(folder, scene.truth)
    write_documents(folder, scene.documents)
    added = {"RUB": Decimal(ORDER_CENTS) / 100}
    turnover = {**world.planted_turnover, "RUB": world.planted_turnover["RUB"] + added["RUB"]}
    records = Counter(record.rsplit(":", 1)[0] for record in scene.truth)
    interactions = Counter(world.interactions)
    interactions.update(
        change.record.rsplit(":", 1)[0]
        for change in scene.done
        if change.action == "added" and change.effect == "interaction"
    )
    changed = replace(
        world,
        records=dict(sorted(records.items())),
        interactions=dict(interactions),
        orders=world.orders + 1,
        mirrored_orders=world.mirrored_orders + 1,
        planted_turnover=turnover,
        story=replace(
            world.story,
            turnover=world.story.turnover + added["RUB"],
            records={register: tuple(scene.records(f"{register}:", STORY)) for register in world.story.records},
        ),
    )
    changed.save()
    marker.write_text(json.dumps([change.record for change in scene.done]) + "\n", encoding="utf-8")
    return Changes(tuple(scene.done), changed, added)


def _key(record: str) -> str:
    return record.split(":", 2)[2]


def _change_crm(scene: _Scene) -> None:
    store = crm.load_store(scene.folder)
    contacts = {str(record["id"]): record for record in store["contacts"]}
    companies = {str(record["id"]): record for record in store["companies"]}
    stamp = f"{CHANGED_AT:%Y-%m-%dT%H:%M:%SZ}"

    def touch(record: dict[str, Any], **values: Any) -> None:
        record.update(values, updated_at=stamp)

    card = scene.records("crm:companies:", STORY)[-1]
    old = companies[_key(card)]["email"]
    touch(companies[_key(card)], email=NEW_EMAIL)
    words = {
        "en": f"the CRM has a new e-mail for {scene.world.story.name}",
        "ru": f"в CRM новая почта: {scene.world.story.name}",
    }
    scene.done.append(Change(card, "edited", "value", words, "email", old or "", NEW_EMAIL))

    buyer = scene.records("crm:contacts:", "P00001")[0]
    old = contacts[_key(buyer)]["job_title"]
    for record in scene.records("crm:contacts:", "P00001"):
        touch(contacts[_key(record)], job_title=NEW_TITLE)
    words = {"en": "the story's buyer was promoted", "ru": "закупщица из истории получила повышение"}
    scene.done.append(Change(buyer, "edited", "value", words, "job_title", old or "", NEW_TITLE))

    first, second = scene.world.plot.apart
    touch(contacts[_key(second)], phones=contacts[_key(first)]["phones"])
    words = {
        "en": "two cards of one person now share a telephone",
        "ru": "у двух карточек одного человека общий телефон",
    }
    scene.done.append(Change(second, "edited", "merge", words, "phone", other=first))

    leaver = scene.world.plot.leaver
    touch(contacts[_key(leaver)], archived=True)
    del scene.truth[leaver]
    words = {"en": "a contact was archived in the CRM", "ru": "контакт отправлен в архив CRM"}
    scene.done.append(Change(leaver, "deleted", "gone", words))

    number = max(record["id"] for record in store["companies"]) + 1
    newcomer = {
        **dict.fromkeys(store["companies"][0]),
        "id": number,
        "created_at": stamp,
        "archived": False,
        "name": "Новая Верфь ООО",
        "website": "https://www.novaya-verf.example",
        "email": "info@novaya-verf.example",
        "address": {"country": "RU", "city": "Мурманск", "street": None, "postcode": None},
        "category": "prospect",
    }
    touch(newcomer)
    store["companies"].append(newcomer)
    scene.truth[f"crm:companies:{number}"] = NEW_CLIENT
    words = {"en": "a prospect was entered in the CRM", "ru": "в CRM заведён новый потенциальный клиент"}
    scene.done.append(Change(f"crm:companies:{number}", "added", "new", words))

    deal = {
        **store["deals"][-1],
        "id": max(record["id"] for record in store["deals"]) + 1,
        "created_at": stamp,
        "title": "Поставка насосов, январь",
        "company_id": int(_key(card)),
        "amount": ORDER_CENTS / 100,
        "currency": "RUB",
        "stage": "won",
        "closed_on": f"{CHANGED_AT.date()}",
        "promised_on": "2026-01-30",
        "delivered_on": None,
        "lost_reason": None,
    }
    touch(deal)
    store["deals"].append(deal)
    crm.save_store(scene.folder, store)
    _sold(scene, f"crm:deals:{deal['id']}", card, {"en": "a deal was won", "ru": "сделка выиграна"})


def _sold(scene: _Scene, record: str, party: str, words: dict[str, str]) -> None:
    scene.documents[record] = NEW_EVENT
    scene.done.append(Change(record, "added", "interaction", words, other=party))


def _change_erp(scene: _Scene) -> None:
    customer = scene.records("erp:customers:", STORY)[0]
    closed = scene.world.plot.closed
    now, total = f"{CHANGED_AT:%Y-%m-%d %H:%M:%S}", ORDER_CENTS / 100
    with closing(sqlite3.connect(scene.folder / erp.FILE)) as connection, connection:
        connection.execute("DELETE FROM customers WHERE customer_no = ?", (_key(closed),))
        connection.execute(
            "INSERT INTO orders VALUES (?, ?, ?, 'open', ?, 'RUB', NULL, ?, 'standard', NULL)",
            (ORDER_NO, _key(customer), now, total, now),
        )
        connection.execute(
            "INSERT INTO order_lines VALUES (NULL, ?, 1, 'SEL-KIT', 'Комплект уплотнений', 1, 'шт', ?, ?, ?)",
            (ORDER_NO, total, total, now),
        )
        connection.execute(
            "INSERT INTO deliveries VALUES ('DN-900001', ?, ?, '2026-01-30', NULL, 'самовывоз', ?)",
            (ORDER_NO, _key(customer), now),
        )
        late = connection.execute(
            "SELECT delivery_no, customer_no FROM deliveries"
            " WHERE delivered_on IS NULL AND delivery_no <> 'DN-900001' ORDER BY delivery_no LIMIT 1"
        ).fetchone()
        if late:
            connection.execute(
                "UPDATE deliveries SET delivered_on = '2026-01-11', updated_at = ? WHERE delivery_no = ?",
                (now, late[0]),
            )
    del scene.truth[closed]
    words = {
        "en": "a customer without orders was deleted from the ERP",
        "ru": "клиент без заказов удалён из ERP",
    }
    scene.done.append(Change(closed, "deleted", "gone", words))
    _sold(
        scene,
        f"erp:orders:{ORDER_NO}",
        customer,
        {"en": "the ERP has a new order", "ru": "новый заказ в ERP"},
    )
    words = {"en": "its delivery is promised", "ru": "обещана поставка по нему"}
    scene.done.append(Change("erp:deliveries:DN-900001", "added", "interaction", words, other=customer))
    if late:
        words = {"en": "a delivery arrived", "ru": "доставка состоялась"}
        scene.done.append(
            Change(
                f"erp:deliveries:{late[0]}", "edited", "interaction", words, "actual_on", "", "2026-01-11",
                f"erp:customers:{late[1]}",
            )
        )  # fmt: skip


def _change_accounting(scene: _Scene) -> None:
    code = _key(scene.records("accounting:counterparties:", STORY)[0])
    party = f"accounting:counterparties:{code}"
    invoices = accounting.read_table(scene.folder, accounting.INVOICES)
    on, amount = accounting.day(CHANGED_AT.date()), accounting.money(ORDER_CENTS)
    tax = accounting.money(ORDER_CENTS * 20 // 120)
    invoices.append((INVOICE_NO, on, code, amount, tax, "RUB", ORDER_NO, "Договор поставки"))
    accounting.write_table(scene.folder, accounting.INVOICES, accounting.INVOICE_COLUMNS, invoices)
    _sold(
        scene,
        f"accounting:invoices:{INVOICE_NO}",
        party,
        {"en": "it was invoiced", "ru": "по нему выставлен счёт"},
    )
    payments = accounting.read_table(scene.folder, accounting.PAYMENTS)
    paid = accounting.day(date(2026, 1, 13))
    payments.append((PAYMENT_NO, paid, code, amount, "RUB", INVOICE_NO, f"Оплата по счету {INVOICE_NO}"))
    accounting.write_table(scene.folder, accounting.PAYMENTS, accounting.PAYMENT_COLUMNS, payments)
    words = {"en": "and paid", "ru": "и он оплачен"}
    scene.done.append(Change(f"accounting:payments:{PAYMENT_NO}", "added", "interaction", words, other=party))
    mended = scene.world.plot.mended
    if not mended:
        return
    entity = scene.truth[mended]
    inn = (scene.society.organisations.get(entity) or scene.society.persons[entity]).inn
    place = accounting.COUNTERPARTY_COLUMNS.index("ИНН")
    rows = accounting.read_table(scene.folder, accounting.COUNTERPARTIES)
    old = next(row[place] for row in rows if row[0] == _key(mended))
    rows = [(*row[:place], inn, *row[place + 1 :]) if row[0] == _key(mended) else row for row in rows]
    accounting.write_table(scene.folder, accounting.COUNTERPARTIES, accounting.COUNTERPARTY_COLUMNS, rows)
    words = {"en": "an INN mangled by Excel was typed in anew", "ru": "испорченный в Excel ИНН введён заново"}
    scene.done.append(Change(mended, "edited", "repair", words, "inn", old, inn))


def _change_service_desk(scene: _Scene) -> None:
    path = scene.folder / "service_desk" / service_desk.TICKETS
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    sample = _key(next(r for r in scene.records("service_desk:requesters:", STORY) if ":SD-" in r))
    requester = next(entry["requester"] for entry in entries if entry["id"] == sample)
    stamp = f"{CHANGED_AT:%Y-%m-%dT%H:%M:%S}+03:00"
    entry = {
        **entries[-1],
        "id": "SD-900001",
        "opened_at": stamp,
        "closed_at": None,
        "answer_due": "2026-01-14",
        "channel": "email",
        "priority": "high",
        "subject": "Насос не запускается",
        "requester": {**requester, "email": "info@balt-prichal.example"},
    }
    record = "service_desk:requesters:SD-900001"
    scene.truth[record] = STORY
    words = {"en": "the story's client opened a ticket", "ru": "клиент из истории обратился в поддержку"}
    scene.done.append(Change("service_desk:tickets:SD-900001", "added", "interaction", words, other=record))
    waiting = next((entry for entry in entries if entry["closed_at"] is None), None)
    if waiting:
        waiting["closed_at"] = stamp
        words = {"en": "a ticket was closed", "ru": "обращение закрыто"}
        scene.done.append(
            Change(
                f"service_desk:tickets:{waiting['id']}",
                "edited",
                "interaction",
                words,
                attribute="closed_at",
                new=stamp,
                other=f"service_desk:requesters:{waiting['id']}",
            )
        )
    text = "".join(map(service_desk.json_line, [*entries, entry]))
    path.write_text(text, encoding="utf-8", newline="\n")


def _change_sheet(scene: _Scene) -> None:
    rows = sales_sheet.read_sheet(scene.folder)
    stream = "sales_sheet:offers:"
    before = {key: scene.truth.pop(stream + key) for key in sheet_keys(scene.folder)}
    drafts = list(zip(before.values(), rows, strict=True))
    client = sales_sheet.COLUMNS.index("Клиент")
    offer = sales_sheet.COLUMNS.index("Сумма предложения")
    # A sheet sorted anew holds the same rows: nothing may follow from that.
    drafts.sort(key=lambda draft: str(draft[1][client] or ""))
    sample = next(cells for entity, cells in drafts if entity == STORY)
    visit = [CHANGED_AT.date(), *sample[1:offer], 1_500_000, "Лапина"]
    drafts.insert(0, (STORY, visit))
    edited = next(index for index, draft in enumerate(drafts) if index > 0 and draft[0] == STORY)
    drafts[edited] = (STORY, [*drafts[edited][1][:offer], 777_000, *drafts[edited][1][offer + 1 :]])
    sales_sheet.write_sheet(scene.folder, [cells for _, cells in drafts])
    after = sheet_keys(scene.folder)
    scene.truth |= {stream + key: entity for key, (entity, _) in zip(after, drafts, strict=True)}
    words = {
        "en": "a visit was written above the other rows, and the sheet sorted",
        "ru": "в таблицу сверху добавлен визит, строки пересортированы",
    }
    scene.done.append(
        Change(stream + after[0], "added", "none", words, other=scene.records("crm:companies:", STORY)[-1])
    )
    words = {"en": "an offer's amount was edited", "ru": "исправлена сумма предложения"}
    scene.done.append(Change(stream + after[edited], "edited", "none", words))

"""The CRM's store: contacts, companies, deals and activities, one JSON file that the CRM server serves."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from onefold.demo.companies import Organisation, loose_name
from onefold.demo.identifiers import landline, phone_as_written
from onefold.demo.people import Person, WrittenName, write_name
from onefold.demo.registers.ledger import Ledger, last_edit, moment
from onefold.demo.society import APART, LEAVER, STORY, TODAY, Society
from onefold.demo.trade import FIRST_DAY, Sale

FILE = "crm.json"

Store = dict[str, list[dict[str, Any]]]
"""Stream -> its records in order of their ids."""

_LEFT_OVER = 0.03
"""Share of contacts that carry neither a telephone nor a mailbox, as in life."""


def write_crm(folder: Path, seed: int, scale: float, society: Society, sales: tuple[Sale, ...]) -> Ledger:
    """Write `crm.json`: records with `id`, `created_at`, `updated_at` and `archived`; times are UTC."""
    rng = Random(f"{seed}:crm")
    ledger = Ledger("crm")
    companies = _companies(rng, society, ledger)
    contacts = _contacts(rng, society, ledger)
    deals = _deals(rng, scale, society, sales, ledger)
    activities = _activities(rng, scale, contacts, ledger)
    save_store(
        folder,
        {"contacts": contacts, "companies": companies, "deals": deals, "activities": activities},
    )
    return ledger


def load_store(folder: Path) -> Store:
    """The store as it stands in the file now."""
    store: Store = json.loads((folder / FILE).read_bytes())
    return store


def save_store(folder: Path, store: Store) -> None:
    """Replace the store at once, so that a server that reads meanwhile sees the old or the new one."""
    new = folder / f".{FILE}.new"
    new.write_text(json.dumps(store, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    new.replace(folder / FILE)


def _record(rng: Random, number: int, values: dict[str, Any]) -> dict[str, Any]:
    updated = last_edit(rng)
    created = updated - timedelta(days=rng.randint(0, 400))
    return {
        "id": number,
        "created_at": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{updated:%Y-%m-%dT%H:%M:%SZ}",
        "archived": False,
        **values,
    }


def _companies(rng: Random, society: Society, ledger: Ledger) -> list[dict[str, Any]]:
    drafts: list[tuple[str, bool]] = []
    for entity in society.knows("crm", "O"):
        times = 1 + (rng.random() < 0.13) + (entity == STORY)
        drafts.extend((entity, first) for first in (True, False, False)[:times])
    rng.shuffle(drafts)
    # The main card of a firm gets the lower number.
    drafts.sort(key=lambda draft: not draft[1])
    records = []
    for number, (entity, is_main) in enumerate(drafts, 501):
        firm = society.organisations[entity]
        records.append(_record(rng, number, _company(rng, society, firm, is_main)))
        ledger.party("companies", str(number), entity)
    return records


def _company(rng: Random, society: Society, firm: Organisation, is_main: bool) -> dict[str, Any]:
    sure = (firm.entity_id == STORY and is_main) or firm.entity_id in society.own
    is_client = "erp" in society.registers[firm.entity_id]
    has_tax_no = sure or rng.random() < 0.45
    city = firm.address.city
    has_phone = sure or rng.random() < 0.72
    has_email = sure or rng.random() < 0.5
    has_site = bool(firm.domain) and (sure or rng.random() < 0.66)
    # Whoever enters nothing else at least knows a number to call.
    has_phone = has_phone or not (has_email or has_site)
    return {
        "name": f"{firm.form} «{firm.name}»" if sure else loose_name(rng, firm),
        "inn": firm.inn if has_tax_no and firm.inn else None,
        "vat_id": firm.vat if has_tax_no and firm.vat else None,
        "website": f"https://www.{firm.domain}" if has_site else None,
        "phone": phone_as_written(rng, firm.switchboard) if has_phone else None,
        "email": firm.email if has_email else None,
        "address": {
            "country": firm.country,
            "city": city.name if rng.random() < 0.8 else city.latin,
            "street": firm.address.line() if rng.random() < 0.4 else None,
            "postcode": firm.address.postcode if rng.random() < 0.35 else None,
        },
        "category": "own" if firm.entity_id in society.own else "client" if is_client else "prospect",
        "industry": rng.choice(("Водоканал", "Судоремонт", "Agrar", "Пищевая", "Energy", None)),
    }


def _contacts(rng: Random, society: Society, ledger: Ledger) -> list[dict[str, Any]]:
    drafts: list[tuple[str, bool]] = []
    for entity in society.knows("crm", "P"):
        draw = rng.random()
        times = 1 + (draw < 0.14) + (draw < 0.02) + (entity == "P00001")
        times = {APART: 2, LEAVER: 1}.get(entity, times)
        drafts.extend((entity, first) for first in (True, False, False, False)[:times])
    rng.shuffle(drafts)
    drafts.sort(key=lambda draft: not draft[1])
    records = []
    for number, (entity, is_main) in enumerate(drafts, 10001):
        person = society.persons[entity]
        records.append(_record(rng, number, _contact(rng, society, ledger, person, is_main)))
        ledger.party("contacts", str(number), entity)
    return records


def _contact(rng: Random, society: Society, ledger: Ledger, person: Person, is_main: bool) -> dict[str, Any]:
    name = write_name(rng, person, care=0.62, middle=0.22, is_old=not is_main and rng.random() < 0.5)
    firm = society.organisations.get(person.employer)
    bare = rng.random() < _LEFT_OVER and person.employer != STORY
    has_email = not bare and rng.random() < 0.78
    has_mobile = not bare and (not has_email or rng.random() < 0.66)
    emails = [{"value": person.email, "kind": "work" if firm else "home"}] if has_email else []
    phones = [{"value": phone_as_written(rng, person.mobile), "kind": "mobile"}] if has_mobile else []
    if firm and rng.random() < 0.30:
        phones.append({"value": phone_as_written(rng, firm.switchboard), "kind": "work"})
    if firm and rng.random() < 0.07:
        emails.append({"value": firm.email, "kind": "work"})
    if not firm and rng.random() < 0.08:
        phones.append({"value": phone_as_written(rng, landline(rng, person.address.city)), "kind": "home"})
    cards = ledger.keys["companies", person.employer] if firm else []
    if person.entity_id == APART:
        # One card knows the mobile, the other a mailbox, and neither knows what the other knows.
        emails = [] if is_main else [{"value": person.email, "kind": "home"}]
        phones = [{"value": phone_as_written(rng, person.mobile), "kind": "mobile"}] if is_main else []
        name = WrittenName(person.given, "", person.family)
    is_staff = person.entity_id in society.staff
    is_client = firm is None or "erp" in society.registers[person.employer]
    return {
        "first_name": name.given,
        "middle_name": name.middle or None,
        "last_name": name.family,
        "birthday": person.birth_date.isoformat() if rng.random() < 0.22 and person.entity_id != APART else None,
        "emails": emails,
        "phones": phones,
        "company_ids": [int(rng.choice(cards))] if cards else [],
        "job_title": person.job_title or None,
        "city": person.address.city.name if rng.random() < 0.35 and person.entity_id != APART else None,
        "lifecycle": "employee" if is_staff else "customer" if is_client else "lead",
        "language": {"RU": "ru", "DE": "de"}.get(person.country, "en"),
        "newsletter": rng.random() < 0.4,
    }


def _deals(
    rng: Random, scale: float, society: Society, sales: tuple[Sale, ...], ledger: Ledger
) -> list[dict[str, Any]]:
    drafts: list[tuple[Any, str, str | None, dict[str, Any]]] = []
    for sale in sales:
        if not sale.is_mirrored:
            continue
        closed = sale.ordered_on - timedelta(days=rng.choice((0, 0, 0, 1, 2, 4)))
        values = {
            "amount": sale.cents / 100,
            "currency": sale.currency,
            "stage": "won",
            "closed_on": f"{max(closed, FIRST_DAY)}",
            "promised_on": f"{sale.promised_on}",
            "delivered_on": f"{sale.delivered_on}" if sale.delivered_on else None,
            "lost_reason": None,
        }
        drafts.append((closed, sale.buyer, sale.event_id, values))
    firms = [entity for entity in society.knows("crm", "O") if entity not in society.own]
    for _ in range(round(180 * scale)):
        closed = FIRST_DAY + timedelta(days=rng.randrange((TODAY - FIRST_DAY).days))
        stage = rng.choice(("lost", "lost", "negotiation", "offer"))
        values = {
            "amount": rng.randint(50, 9000) * 100.0,
            "currency": "RUB",
            "stage": stage,
            "closed_on": f"{closed}" if stage == "lost" else None,
            "promised_on": None,
            "delivered_on": None,
            "lost_reason": rng.choice(("цена", "срок поставки", "competitor")) if stage == "lost" else None,
        }
        drafts.append((closed, rng.choice(firms), None, values))
    records = []
    for number, (_, entity, event, values) in enumerate(sorted(drafts, key=lambda draft: draft[:2]), 70001):
        company = rng.choice(ledger.keys["companies", entity])
        title = f"Поставка насосов, сделка {number}"
        records.append(_record(rng, number, {"title": title, "company_id": int(company), **values}))
        ledger.interaction("deals", str(number), entity, event)
    return records


def _activities(rng: Random, scale: float, contacts: list[dict[str, Any]], ledger: Ledger) -> list[dict[str, Any]]:
    entity_of = {key: entity for (stream, entity), keys in ledger.keys.items() if stream == "contacts" for key in keys}
    subjects = (
        "Звонок: уточнили потребность",
        "Встреча на объекте",
        "Call about spare parts",
        "Angebot gesendet",
    )
    records = []
    for number in range(90001, 90001 + round(800 * scale)):
        contact = rng.choice(contacts)
        day = FIRST_DAY + timedelta(days=rng.randrange((TODAY - FIRST_DAY).days))
        values = {
            "kind": rng.choices(("call", "meeting", "email"), (55, 15, 30))[0],
            "contact_id": contact["id"],
            "subject": rng.choice(subjects),
            "happened_at": f"{moment(rng, day):%Y-%m-%dT%H:%M:%SZ}",
            "direction": rng.choice(("inbound", "outbound")),
        }
        records.append(_record(rng, number, values))
        ledger.interaction("activities", str(number), entity_of[str(contact["id"])])
    return records

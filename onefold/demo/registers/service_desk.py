"""The service desk: tickets and complaints as JSON lines; each carries its requester."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from onefold.demo import words
from onefold.demo.companies import Organisation, loose_name
from onefold.demo.identifiers import phone_as_written
from onefold.demo.needs import ticket_subject
from onefold.demo.people import Person, write_name
from onefold.demo.registers.ledger import Ledger, moment
from onefold.demo.society import STORY, TODAY, Society
from onefold.demo.trade import FIRST_DAY

TICKETS = "tickets.jsonl"
COMPLAINTS = "complaints.jsonl"


def write_service_desk(folder: Path, seed: int, scale: float, society: Society, needs: Mapping[str, str]) -> Ledger:
    """Write `tickets.jsonl` and `complaints.jsonl` under `service_desk/`; times carry Moscow's offset."""
    rng, about = Random(f"{seed}:service_desk"), Random(f"{seed}:needs:tickets")
    ledger = Ledger("service_desk")
    (folder / "service_desk").mkdir(exist_ok=True)
    firms, people = society.knows("service_desk", "O"), society.knows("service_desk", "P")
    # Every known requester wrote at least once; some write all the time.
    wanted = max(len(firms) + len(people) + 8, round(680 * scale))
    requesters = firms + people + [STORY, "P00001", "P00002", STORY]
    crowd = firms + people
    weights = [rng.paretovariate(1.3) for _ in crowd]
    requesters += rng.choices(crowd, weights, k=wanted - len(requesters))
    rng.shuffle(requesters)
    # The story has a complaint, so its last request becomes one.
    last = max(index for index, entity in enumerate(requesters) if entity == STORY)
    days = sorted(FIRST_DAY + timedelta(days=rng.randrange((TODAY - FIRST_DAY).days)) for _ in requesters)
    tickets: list[dict[str, Any]] = []
    complaints: list[dict[str, Any]] = []
    for index, (entity, on) in enumerate(zip(requesters, days, strict=True)):
        is_complaint = index == last or (entity != STORY and rng.random() < 0.18)
        if is_complaint:
            key = f"CL-{len(complaints) + 1:05d}"
            complaints.append(_entry(rng, society, entity, key=key, on=on, subjects=words.COMPLAINT_SUBJECTS))
            ledger.interaction("complaints", key, entity)
        else:
            key = f"SD-{len(tickets) + 1:06d}"
            ticket = _entry(rng, society, entity, key=key, on=on, subjects=words.TICKET_SUBJECTS)
            ticket["subject"] = ticket_subject(about, needs.get(entity)) or ticket["subject"]
            tickets.append(ticket)
            ledger.interaction("tickets", key, entity)
        ledger.party("requesters", key, entity)
    for name, entries in ((TICKETS, tickets), (COMPLAINTS, complaints)):
        (folder / "service_desk" / name).write_text("".join(map(json_line, entries)), encoding="utf-8", newline="\n")
    return ledger


def json_line(entry: dict[str, Any]) -> str:
    """One entry as a line."""
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _entry(
    rng: Random, society: Society, entity: str, *, key: str, on: date, subjects: tuple[str, ...]
) -> dict[str, Any]:
    opened = moment(rng, on)
    closed = opened + timedelta(hours=rng.randint(1, 150))
    if entity[0] == "O":
        requester = _firm(rng, society.organisations[entity])
    else:
        requester = _person(rng, society, society.persons[entity])
    return {
        "id": key,
        "opened_at": f"{opened.isoformat()}+03:00",
        "closed_at": f"{closed.isoformat()}+03:00" if closed.date() <= TODAY else None,
        "answer_due": f"{(opened + timedelta(days=2)).date()}",
        "channel": rng.choices(("email", "phone", "portal"), (55, 30, 15))[0],
        "priority": rng.choice(("low", "normal", "normal", "high")),
        "subject": rng.choice(subjects),
        "requester": requester,
    }


def _firm(rng: Random, firm: Organisation) -> dict[str, Any]:
    sure = firm.entity_id == STORY
    has_email = sure or rng.random() < 0.75
    name = loose_name(rng, firm)
    if rng.random() < 0.12 and not sure:
        name = f"{name} ({firm.address.city.name})"
    return {
        "type": "company",
        "name": name,
        "email": firm.email if has_email else None,
        "phone": phone_as_written(rng, firm.switchboard) if not has_email or rng.random() < 0.5 else None,
        "company": None,
    }


def _person(rng: Random, society: Society, person: Person) -> dict[str, Any]:
    name = write_name(rng, person, care=0.66, middle=0.08, is_old=rng.random() < 0.2)
    has_email = rng.random() < 0.88
    firm = society.organisations.get(person.employer)
    return {
        "type": "person",
        "name": name.full(family_first=rng.random() < 0.25),
        "email": person.email if has_email else None,
        "phone": phone_as_written(rng, person.mobile) if not has_email or rng.random() < 0.4 else None,
        "company": loose_name(rng, firm) if firm and rng.random() < 0.6 else None,
    }

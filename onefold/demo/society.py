"""Who exists: clients, prospects, suppliers, staff and own firms, and which registers know them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Final

from onefold.demo import identifiers, words
from onefold.demo.companies import Branch, Organisation, make_organisation, make_proprietor
from onefold.demo.people import Address, Person, employ, make_person

TODAY: Final = date(2025, 12, 31)
"""The last day in the registers; `change` happens after it."""

APART, LEAVER, CLOSED = "P00011", "P00012", "O00003"
"""Entities that `change` acts on: a person on two cards, a card archived, a customer deleted."""

REGISTERS: Final = ("crm", "erp", "accounting", "service_desk", "sales_sheet")
OWN_DOMAIN: Final = "severnaya-liniya.example"
STORY: Final = "O00001"
"""The client whose story is told: it stands in all five registers."""

# Which registers know a client firm, with its share; service desk and sheet are drawn on top.
_FIRM_PATTERNS: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    (("crm", "erp", "accounting"), 42),
    (("erp", "accounting"), 12),
    (("crm",), 22),
    (("crm", "sales_sheet"), 12),
    (("sales_sheet",), 3),
    (("erp",), 6),
    (("accounting",), 3),
)
_COUNTRIES: Final[tuple[tuple[str, int], ...]] = (("RU", 71), ("DE", 17), ("GB", 12))


@dataclass(slots=True)
class Society:
    """The population and its memberships; entities are `O...` (firms) and `P...` (persons)."""

    organisations: dict[str, Organisation] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    registers: dict[str, frozenset[str]] = field(default_factory=dict)
    """Entity -> registers in which it has at least one record of its own."""
    suppliers: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    staff: set[str] = field(default_factory=set)
    contacts: dict[str, list[str]] = field(default_factory=dict)
    """Firm -> its people in the CRM."""
    bookkeeper: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Firm -> telephone and mailbox of the bookkeeping office that it shares with others."""

    def knows(self, register: str, prefix: str) -> list[str]:
        """Entities of the kind (`O` or `P`) that stand in a register, in order of their ids."""
        return sorted(entity for entity, places in self.registers.items() if register in places and entity[0] == prefix)


def own_organisations() -> tuple[Organisation, ...]:
    """The company's own three firms; they don't depend on the seed, because `config/hub.yaml` names them."""
    petersburg, hamburg = words.RU_CITIES[1], words.DE_CITIES[0]
    head = Organisation(
        entity_id="O90000",
        country="RU",
        form="ООО",
        name="Северная линия",
        inn="7801283931",
        kpp="780101001",
        ogrn="1237873234686",
        vat="",
        address=Address(petersburg, "Портовый проезд", "17", "198005"),
        switchboard="+78123400170",
        email=f"office@{OWN_DOMAIN}",
        domain=OWN_DOMAIN,
        branches=(),
        owner="",
    )
    service = replace(
        head,
        entity_id="O90001",
        name="Северная линия Сервис",
        inn="7815637228",
        kpp="781501001",
        ogrn="1167801740644",
        switchboard="+78123400171",
        email=f"service@{OWN_DOMAIN}",
    )
    abroad = replace(
        head,
        entity_id="O90002",
        country="DE",
        form="GmbH",
        name="Nordlinie Pumpen",
        inn="",
        kpp="",
        ogrn="",
        vat="DE421010037",
        address=Address(hamburg, "Speicherstraße", "9", "20457"),
        switchboard="+49403400172",
        email=f"hamburg@{OWN_DOMAIN}",
    )
    return head, service, abroad


def build_society(seed: int, scale: float) -> Society:
    """The population for a seed; `scale` multiplies the numbers of firms and persons."""
    rng = Random(f"{seed}:society")
    society = Society()
    _add_own(rng, society)
    _add_story(rng, society)
    _add_plot(rng, society)
    firms = max(12, round(960 * scale))
    proprietors = max(3, round(80 * scale))
    taken: set[str] = set()
    countries, shares = zip(*_COUNTRIES, strict=True)
    for number in range(10, firms + 10):
        country = rng.choices(countries, shares)[0]
        firm = make_organisation(rng, f"O{number:05d}", country, taken)
        _add_firm(rng, society, firm)
    number = 1000
    for _ in range(max(4, round(380 * scale))):
        number += 1
        _add_private(rng, society, make_person(rng, f"P{number:05d}", rng.choices(countries, (84, 10, 6))[0]))
    for index in range(proprietors):
        number += 1
        owner = make_person(rng, f"P{number:05d}", "RU")
        society.persons[owner.entity_id] = owner
        society.registers[owner.entity_id] = frozenset({"crm"} if rng.random() < 0.4 else ())
        _add_firm(rng, society, make_proprietor(rng, f"O{firms + 10 + index:05d}", owner), contacts=False)
    for firm_id in society.knows("crm", "O"):
        if firm_id in society.own or firm_id in society.contacts:
            continue
        firm = society.organisations[firm_id]
        for _ in range(rng.choices((0, 1, 2, 3), (18, 50, 24, 8))[0]):
            number += 1
            country = firm.country if rng.random() < 0.93 else "RU"
            person = employ(rng, make_person(rng, f"P{number:05d}", country), firm_id, firm.domain)
            _add_contact(rng, society, person)
    _add_namesakes(rng, society, number, max(2, round(30 * scale)))
    _add_suppliers(rng, society, firms + proprietors + 10, max(3, round(70 * scale)), taken)
    _share_bookkeepers(rng, society)
    return society


def _add_own(rng: Random, society: Society) -> None:
    for firm in own_organisations():
        society.organisations[firm.entity_id] = firm
        society.own.add(firm.entity_id)
        society.registers[firm.entity_id] = frozenset({"crm", "erp", "accounting"})
    for number in range(1, 15):
        entity_id = f"P0900{number}" if number < 10 else f"P090{number}"
        person = employ(rng, make_person(rng, entity_id, "RU"), "O90000", OWN_DOMAIN)
        society.persons[entity_id] = replace(person, email=person.email.split("@")[0] + "@" + OWN_DOMAIN)
        society.staff.add(entity_id)
        society.registers[entity_id] = frozenset({"crm", "erp"} if number % 2 else {"crm"})


def _add_story(rng: Random, society: Society) -> None:
    city = words.RU_CITIES[6]
    base = make_organisation(rng, STORY, "RU")
    inn = identifiers.inn_organisation(rng, city.region)
    address = Address(city, "Портовая", "12", "236003")
    svetly = Address(city, "Набережная", "3", "236011")
    society.organisations[STORY] = replace(
        base,
        form="ООО",
        name="Балтийский причал",
        inn=inn,
        kpp=identifiers.kpp(rng, inn),
        ogrn=identifiers.ogrn(rng, city.region),
        address=address,
        switchboard=identifiers.landline(rng, city),
        domain="balt-prichal.example",
        email="info@balt-prichal.example",
        branches=(Branch(identifiers.kpp(rng, inn, branch=True), svetly),),
    )
    society.registers[STORY] = frozenset(REGISTERS)
    people = (("Марина", "Сергеевна", "Воронцова", True), ("Олег", "Игоревич", "Дёмин", False))
    for number, (given, middle, family, is_female) in enumerate(people, 1):
        entity_id = f"P0000{number}"
        person = replace(
            make_person(rng, entity_id, "RU"),
            given=given,
            middle=middle,
            family=family,
            earlier_family="",
            is_female=is_female,
        )
        society.persons[entity_id] = employ(rng, person, STORY, "balt-prichal.example")
        society.registers[entity_id] = frozenset({"crm", "service_desk"})
        society.contacts.setdefault(STORY, []).append(entity_id)


def _add_plot(rng: Random, society: Society) -> None:
    for entity_id, given, middle, family in (
        (APART, "Алексей", "Юрьевич", "Смирнов"),
        (LEAVER, "Глеб", "Матвеевич", "Корельский"),
    ):
        person = make_person(rng, entity_id, "RU")
        society.persons[entity_id] = replace(
            person, given=given, middle=middle, family=family, earlier_family="", is_female=False
        )
        society.registers[entity_id] = frozenset({"crm"})
    firm = make_organisation(rng, CLOSED, "RU")
    society.organisations[CLOSED] = replace(firm, form="ООО", name="Тихая гавань-77", branches=())
    society.registers[CLOSED] = frozenset({"erp"})


def _add_firm(rng: Random, society: Society, firm: Organisation, *, contacts: bool = True) -> None:
    patterns, shares = zip(*_FIRM_PATTERNS, strict=True)
    places = set(rng.choices(patterns, shares)[0])
    if "erp" in places and rng.random() < 0.30:
        places.add("service_desk")
    if len(places) > 2 and rng.random() < 0.30:
        places.add("sales_sheet")
    society.organisations[firm.entity_id] = firm
    society.registers[firm.entity_id] = frozenset(places)
    if not contacts:
        society.contacts[firm.entity_id] = []


def _add_private(rng: Random, society: Society, person: Person) -> None:
    places = {
        place
        for place, share in (("erp", 0.58), ("sales_sheet", 0.36), ("accounting", 0.22), ("crm", 0.45),
                             ("service_desk", 0.25))
        if rng.random() < share
    }  # fmt: skip
    society.persons[person.entity_id] = person
    society.registers[person.entity_id] = frozenset(places or {"crm"})


def _add_contact(rng: Random, society: Society, person: Person) -> None:
    society.persons[person.entity_id] = person
    society.registers[person.entity_id] = frozenset({"crm", "service_desk"} if rng.random() < 0.24 else {"crm"})
    society.contacts.setdefault(person.employer, []).append(person.entity_id)


def _add_namesakes(rng: Random, society: Society, last: int, count: int) -> None:
    """People with the name of somebody else and nothing else in common: they must not merge."""
    originals = rng.sample(sorted(society.persons), count)
    for number, original in enumerate(originals, last + 1):
        if original in society.staff:
            continue
        person = make_person(rng, f"P{number:05d}", "RU", namesake_of=society.persons[original])
        _add_private(rng, society, person)


def _add_suppliers(rng: Random, society: Society, first: int, count: int, taken: set[str]) -> None:
    for number in range(first, first + count):
        firm = make_organisation(rng, f"O{number:05d}", rng.choices(("RU", "DE", "GB"), (75, 17, 8))[0], taken)
        society.organisations[firm.entity_id] = firm
        society.suppliers.add(firm.entity_id)
        society.registers[firm.entity_id] = frozenset({"accounting", "erp"} if rng.random() < 0.4 else {"accounting"})


def _share_bookkeepers(rng: Random, society: Society) -> None:
    """Four offices keep the books of a dozen firms each, with one telephone and one mailbox for all."""
    small = [
        entity
        for entity in society.knows("accounting", "O")
        if society.organisations[entity].country == "RU" and entity not in society.own and entity != STORY
    ]
    for number in range(4):
        telephone = identifiers.landline(rng, words.RU_CITIES[number])
        for entity in rng.sample(small, min(14, len(small))):
            society.bookkeeper[entity] = (telephone, f"buh@uchet-{number + 1}.example")

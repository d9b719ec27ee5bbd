"""Who exists in the generator ru_de.py: firms and persons as they are; records say them with losses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import ru_de_words as words
from ru_de_numbers import birth_date, by_rank, digits, inn10, inn12, ogrn, ogrnip, vat_de
from ru_de_spelling import feminine, latin, masculine, patronymic


@dataclass(slots=True)
class Party:
    """A firm or a person as it is; records say it with losses."""

    kind: str
    country: str
    core: str = ""
    form: str = ""
    family: str = ""
    given: str = ""
    middle: str = ""
    female: bool = False
    born: str = ""
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    vat: str = ""
    email: str = ""
    phone: str = ""
    city: str = ""
    street: str = ""
    house: str = ""
    postcode: str = ""
    situation: str = "plain"
    branches: list[Party] = field(default_factory=list)
    former_core: str = ""


def next_party(rng: random.Random, number: int, accountants: Sequence[Party], previous: Party | None) -> Party:
    """Half firms, half persons; 70 % Russian. Now and then a relative of the person before."""
    country = "RU" if rng.random() < 0.7 else "DE"
    if rng.random() < 0.5:
        return _russian_firm(rng, number, accountants) if country == "RU" else _german_firm(rng, number)
    if previous is not None and previous.kind == "person" and rng.random() < 0.04:
        return _relative(previous, rng)
    return _person(rng, country)


def owner_of(firm: Party, rng: random.Random) -> list[Party]:
    """The person behind a sole proprietor, when the registers also hold them as a person."""
    if firm.form != "ИП" or rng.random() < 0.6:
        return []
    return [replace(firm, kind="person", form="", ogrn="", situation="owner of a sole proprietor")]


def accountant(rng: random.Random, number: int) -> Party:
    made = housed(Party("organisation", "RU"), rng)
    made.email = f"buh@glavbuh{number}.example"
    return made


def _person(rng: random.Random, country: str) -> Party:
    female = rng.random() < 0.5
    if country == "RU":
        family = feminine(by_rank(rng, words.RU_FAMILY)) if female else by_rank(rng, words.RU_FAMILY)
        given = by_rank(rng, words.RU_FEMALE if female else words.RU_MALE)
        middle = patronymic(by_rank(rng, words.RU_MALE), female)
        inn = inn12(rng, rng.choice(words.RU_CITIES)[1])
    else:
        family, given = (
            by_rank(rng, words.DE_FAMILY),
            by_rank(rng, words.DE_FEMALE if female else words.DE_MALE),
        )
        middle = inn = ""
    made = Party(
        "person",
        country,
        family=family,
        given=given,
        middle=middle,
        female=female,
        inn=inn,
        born=birth_date(rng),
    )
    made.email = _mailbox(made, rng)
    return housed(made, rng)


def _mailbox(person: Party, rng: random.Random) -> str:
    name = f"{latin(person.given, 1)}.{latin(person.family, 1)}".lower()
    return f"{name}{rng.randrange(1, 4000)}@mail{rng.randrange(1, 6)}.example"


def _site(core: str, number: int) -> str:
    """A firm's domain."""
    return f"{latin(core, 1).replace(' ', '-').replace('&', 'und').lower()}{number % 977}.example"


def _relative(person: Party, rng: random.Random) -> Party:
    """A child of the same name or a spouse, in the same flat, with a phone of their own."""
    own = _person(rng, person.country)
    same_name = rng.random() < 0.5
    own.city, own.street, own.house, own.postcode = person.city, person.street, person.house, person.postcode
    own.female = person.female if same_name else not person.female
    own.family = person.family
    if own.country == "RU":
        own.given = by_rank(rng, words.RU_FEMALE if own.female else words.RU_MALE)
        own.family = feminine(own.family) if own.female else masculine(own.family)
    else:
        own.given = by_rank(rng, words.DE_FEMALE if own.female else words.DE_MALE)
    if same_name:
        own.given = person.given
    if own.country == "RU":
        father = person.given if same_name and not person.female else by_rank(rng, words.RU_MALE)
        own.middle = patronymic(father, own.female)
    own.email = _mailbox(own, rng)
    own.situation = "relative"
    return own


def _russian_firm(rng: random.Random, number: int, accountants: Sequence[Party]) -> Party:
    draw = rng.random()
    if draw < 0.12:
        owner = _person(rng, "RU")
        made = replace(
            owner,
            kind="organisation",
            form="ИП",
            ogrn=ogrnip(rng, owner.inn[:2]),
            situation="sole proprietor",
        )
        return made
    if draw < 0.45:
        core = by_rank(rng, words.RU_FIRM_WORDS) + rng.choice(words.RU_FIRM_TAILS)
    else:
        core = rng.choice(words.RU_FIRM_STARTS) + rng.choice(words.RU_FIRM_ENDS) + rng.choice(words.RU_FIRM_TAILS)
    if rng.random() < 0.15:
        core = f"{rng.choice(words.RU_TRADES)} {core}"
    form = rng.choices(("ООО", "АО", "ЗАО", "ПАО"), (80, 10, 7, 3))[0]
    made = housed(Party("organisation", "RU", core=core, form=form), rng)
    region = next(city[1] for city in words.RU_CITIES if city[0] == made.city)
    made.inn = inn10(rng, region)
    made.kpp, made.ogrn = made.inn[:4] + "01001", ogrn(rng, region)
    made.email = f"{rng.choice(('info', 'office', 'zakaz', 'mail'))}@{_site(core, number)}"
    draw = rng.random()
    if draw < 0.06:
        made.situation = "shared accountant"
        books = rng.choice(accountants)
        made.phone, made.email = books.phone, books.email
        if rng.random() < 0.5:
            made.city, made.street, made.house = books.city, books.street, books.house
            made.postcode = books.postcode
    elif draw < 0.12:
        made.situation = "branches"
        made.branches = [_branch(made, rng) for _ in range(rng.randrange(1, 4))]
    elif draw < 0.16:
        made.situation = "renamed"
        made.former_core = rng.choice(words.RU_FIRM_STARTS) + rng.choice(words.RU_FIRM_ENDS)
    return made


def _branch(firm: Party, rng: random.Random) -> Party:
    """The same legal entity at another place: same INN, OGRN and domain; another KPP, address and phone."""
    branch = housed(replace(firm, branches=[]), rng)
    region = next(city[1] for city in words.RU_CITIES if city[0] == branch.city)
    branch.kpp = f"{region}{rng.randrange(1, 60):02d}4300{rng.randrange(1, 9)}"
    if rng.random() < 0.5:
        branch.email = f"filial{rng.randrange(1, 90)}@" + firm.email.partition("@")[2]
    return branch


def _german_firm(rng: random.Random, number: int) -> Party:
    draw = rng.random()
    if draw < 0.5:
        core = f"{by_rank(rng, words.DE_FAMILY)} {rng.choice(words.DE_TRADES)}"
    elif draw < 0.65:
        second = rng.choice(("Söhne", "Partner", "Co", by_rank(rng, words.DE_FAMILY)))
        core = f"{by_rank(rng, words.DE_FAMILY)} & {second}"
    else:
        core = rng.choice(words.DE_FIRM_STARTS) + rng.choice(words.DE_FIRM_ENDS)
        core += rng.choice(("", "", f" {rng.choice(words.DE_TRADES)}"))
    form = rng.choices(("GmbH", "GmbH & Co. KG", "AG", "e.K.", "UG (haftungsbeschränkt)", "OHG"), (58, 17, 8, 6, 6, 5))[
        0
    ]
    made = housed(Party("organisation", "DE", core=core, form=form, vat=vat_de(rng)), rng)
    made.email = f"{rng.choice(('info', 'kontakt', 'office', 'vertrieb'))}@{_site(core, number)}"
    if rng.random() < 0.04:
        made.situation, made.former_core = (
            "renamed",
            rng.choice(words.DE_FIRM_STARTS) + rng.choice(words.DE_FIRM_ENDS),
        )
    return made


def housed(party: Party, rng: random.Random) -> Party:
    """With an address and a telephone of its city."""
    if party.country == "RU":
        city, _, dial, post = by_rank(rng, words.RU_CITIES)
        street, postcode = rng.choice(words.RU_STREETS), post + f"{rng.randrange(0, 140):03d}"
        mobile = party.kind == "person" and rng.random() < 0.85
        local = f"9{rng.choice('0123568')}{rng.randrange(10**8):08d}" if mobile else dial + digits(rng, 10 - len(dial))
        phone = "+7" + local
    else:
        city, dial, post = by_rank(rng, words.DE_CITIES)
        street, postcode = rng.choice(words.DE_STREETS), post + f"{rng.randrange(100, 999)}"
        mobile = party.kind == "person" and rng.random() < 0.7
        phone = "+4917" + rng.choice("015") + digits(rng, 7) if mobile else f"+49{dial[1:]}{digits(rng, 7)}"
    return replace(party, city=city, street=street, house=str(rng.randrange(1, 160)), postcode=postcode, phone=phone)

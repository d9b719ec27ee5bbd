"""Organisations of the fictional world, and the many ways in which a firm's name is written."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from onefold.demo import identifiers, spelling, words
from onefold.demo.people import Address, Person, make_address
from onefold.demo.words import pick

_SAME_NAME = 0.15
"""How often a firm may take a name that another has."""

_RU_FORMS = {
    "ООО": ("Общество с ограниченной ответственностью", "LLC"),
    "АО": ("Акционерное общество", "JSC"),
    "ПАО": ("Публичное акционерное общество", "PJSC"),
    "ИП": ("Индивидуальный предприниматель", "IP"),
}


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of a firm with its own registration (KPP) and address; the same client."""

    kpp: str
    address: Address


@dataclass(frozen=True, slots=True)
class Organisation:
    """One legal entity or sole proprietor, whatever the registers say."""

    entity_id: str
    country: str
    form: str
    name: str
    """Without its legal form, in its own alphabet."""
    inn: str
    kpp: str
    ogrn: str
    vat: str
    address: Address
    switchboard: str
    email: str
    """The firm's general mailbox (info@, office@)."""
    domain: str
    branches: tuple[Branch, ...]
    owner: str
    """Entity of the person behind a sole proprietor, or an empty text."""


def make_organisation(rng: Random, entity_id: str, country: str, taken: set[str] | None = None) -> Organisation:
    """A firm of the country; about one Russian firm in twelve has branches.

    A name among `taken` is mostly passed over, and the one that is found is added: firms of one name are
    common in life, but not as common as a short list of words would make them.
    """
    address = make_address(rng, country, home=False)
    name = _name(rng, country)
    while taken is not None and name in taken and rng.random() > _SAME_NAME:
        name = _name(rng, country)
    if taken is not None:
        taken.add(name)
    if country == "RU":
        form = rng.choices(("ООО", "АО", "ПАО"), (82, 16, 2))[0]
        inn = identifiers.inn_organisation(rng, address.city.region)
        kpp, ogrn, vat = identifiers.kpp(rng, inn), identifiers.ogrn(rng, address.city.region), ""
    elif country == "DE":
        form = rng.choices(("GmbH", "GmbH & Co. KG", "AG", "UG"), (70, 16, 8, 6))[0]
        inn, kpp, ogrn, vat = "", "", "", identifiers.vat_de(rng)
    else:
        form = rng.choices(("Ltd", "PLC", "LLP"), (84, 8, 8))[0]
        inn, kpp, ogrn, vat = "", "", "", identifiers.vat_gb(rng)
    branches: tuple[Branch, ...] = ()
    if country == "RU" and rng.random() < 0.08:
        branches = tuple(
            Branch(f"{where.city.region}014300{number}", where)
            for number, where in enumerate((make_address(rng, "RU", home=False) for _ in range(rng.randint(1, 3))), 1)
        )
    number = int(entity_id[1:])
    domain = f"{spelling.slug(name)[:24].strip('-')}-{number}.example" if rng.random() < 0.82 else ""
    box = rng.choice(("info", "office", "zakaz" if country == "RU" else "sales"))
    email = f"{box}@{domain}" if domain else f"{spelling.slug(name)[:16].strip('-')}{number}@pochta.example"
    return Organisation(
        entity_id,
        country,
        form,
        name,
        inn,
        kpp,
        ogrn,
        vat,
        address,
        identifiers.landline(rng, address.city),
        email,
        domain,
        branches,
        "",
    )


def make_proprietor(rng: Random, entity_id: str, owner: Person) -> Organisation:
    """A Russian sole proprietor: an organisation that carries its owner's name, INN and telephone."""
    return Organisation(
        entity_id,
        "RU",
        "ИП",
        " ".join((owner.family, owner.given, owner.middle)),
        owner.inn,
        "",
        identifiers.ogrnip(rng, owner.address.city.region),
        "",
        owner.address,
        owner.mobile,
        owner.email,
        "",
        (),
        owner.entity_id,
    )


def _name(rng: Random, country: str) -> str:
    if country == "RU":
        return _russian_name(rng)
    if country == "DE":
        family = pick(rng, words.DE_FAMILY)
        head = rng.choice((pick(rng, words.DE_FIRM_WORDS), family, f"{family} & Söhne"))
        return f"{head} {pick(rng, words.DE_FIRM_TAILS)}"
    head = rng.choice((pick(rng, words.EN_FIRM_WORDS), pick(rng, words.EN_FAMILY)))
    return f"{head} {pick(rng, words.EN_FIRM_TAILS)}"


def _russian_name(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.18:
        return pick(rng, words.RU_FIRM_WORDS) + (f"-{rng.randint(2, 29)}" if rng.random() < 0.25 else "")
    if draw < 0.62:
        return pick(rng, words.RU_FIRM_WORDS) + pick(rng, words.RU_FIRM_TAILS)
    if draw < 0.86:
        return f"{pick(rng, words.RU_FIRM_WORDS)} {pick(rng, words.RU_FIRM_WORDS)}"
    return f"{pick(rng, words.RU_FIRM_KINDS)} {pick(rng, words.RU_FIRM_WORDS)}"


def official_name(firm: Organisation) -> str:
    """As in the state register: Общество с ограниченной ответственностью «Ромашка»."""
    if firm.form == "ИП":
        return f"{_RU_FORMS['ИП'][0]} {firm.name}"
    if firm.country == "RU":
        return f"{_RU_FORMS[firm.form][0]} «{firm.name}»"
    return f"{firm.name} {firm.form}"


def short_name(rng: Random, firm: Organisation) -> str:
    """As clerks write it with the legal form, before or after, with or without quotes."""
    if firm.form == "ИП":
        family, given, middle = firm.name.split(" ")
        return rng.choice((f"ИП {firm.name}", f"ИП {family} {given[0]}.{middle[0]}.", f"{firm.name} ИП"))
    if firm.country == "RU":
        return rng.choice(
            (
                f"{firm.form} «{firm.name}»",
                f'{firm.form} "{firm.name}"',
                f"{firm.name}, {firm.form}",
                f"{firm.form} {firm.name.upper()}",
                f"{firm.form} {firm.name}",
            )
        )
    name = spelling.without_umlauts(firm.name) if rng.random() < 0.3 else firm.name
    dotted = {"Ltd": "Ltd.", "GmbH": "GmbH", "PLC": "plc"}.get(firm.form, firm.form)
    return rng.choice((f"{name} {firm.form}", f"{name} {dotted}", f"{name.upper()} {firm.form.upper()}"))


def loose_name(rng: Random, firm: Organisation) -> str:
    """As salespeople write it: without the form, abroad in Latin letters, in a hurry."""
    draw = rng.random()
    if firm.form == "ИП":
        return short_name(rng, firm) if draw < 0.7 else f"IP {spelling.latin(firm.name)}"
    if draw < 0.40:
        return short_name(rng, firm)
    if draw < 0.66:
        return firm.name
    if draw < 0.78 and firm.country == "RU":
        return f"{spelling.latin(firm.name, other=rng.random() < 0.3)} {_RU_FORMS[firm.form][1]}"
    if draw < 0.84 and firm.country == "DE":
        return spelling.cyrillic(firm.name)
    if draw < 0.90:
        return spelling.typo(rng, firm.name)
    return firm.name.lower()

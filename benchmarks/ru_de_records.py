"""How registers write a party in the generator ru_de.py: forms, spellings, losses, slips."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import ru_de_words as words
from ru_de_numbers import other_digit
from ru_de_parties import Party, housed
from ru_de_spelling import cyrillic, german, latin, slip

COLUMNS = (
    "record_id", "register", "kind", "country", "legal_name", "family_name", "given_name", "middle_name",
    "birth_date", "inn", "kpp", "ogrn", "vat", "email", "phone", "city", "street", "house", "postcode",
)  # fmt: skip


REGISTERS = ("crm", "erp", "accounting", "service")


FULL_FORMS: Mapping[str, str] = {
    "ООО": "Общество с ограниченной ответственностью",
    "АО": "Акционерное общество",
    "ЗАО": "Закрытое акционерное общество",
    "ПАО": "Публичное акционерное общество",
    "ИП": "Индивидуальный предприниматель",
}


LATIN_FORMS: Mapping[str, Sequence[str]] = {
    "ООО": ("OOO", "LLC"),
    "АО": ("AO", "JSC"),
    "ЗАО": ("ZAO", "CJSC"),
    "ПАО": ("PAO", "PJSC"),
    "ИП": ("IP",),
}


CYRILLIC_FORMS: Mapping[str, str] = {"GmbH": "ГмбХ", "GmbH & Co. KG": "ГмбХ и Ко. КГ", "AG": "АГ"}


def records_of(party: Party, rng: random.Random) -> list[dict[str, str]]:
    """One to five records: at most one a register, and now and then a duplicate in the CRM."""
    count = rng.choices((1, 2, 3, 4), (38, 34, 19, 9))[0]
    registers = rng.sample(REGISTERS, count)
    if "crm" in registers and rng.random() < 0.12:
        registers.append("crm")
    written = []
    for place, register in enumerate(registers):
        said = party
        if party.former_core and place % 2:
            said = replace(party, core=party.former_core)
        if party.branches and place:
            said = rng.choice(party.branches)
        written.append(_record(said, register, rng))
    if party.branches and len(written) == 1:
        written.append(_record(party.branches[0], rng.choice(REGISTERS), rng))
    return written


def _record(party: Party, register: str, rng: random.Random) -> dict[str, str]:
    """One register's version of a party: forms, spellings, losses, slips."""
    row = dict.fromkeys(COLUMNS[1:], "")
    row |= {"register": register, "kind": party.kind, "country": party.country}
    foreign = register in {"crm", "service"} and rng.random() < 0.12
    if party.kind == "organisation":
        row["legal_name"] = slip(_firm_name(party, rng, foreign), 0.05, rng)
    else:
        row |= _person_name(party, rng, foreign)
        if rng.random() < 0.6:
            row["birth_date"] = party.born if rng.random() > 0.03 else other_digit(party.born, rng)
    # The ledger asks for the tax number, the service desk seldom knows it.
    known = {"crm": 0.72, "erp": 0.88, "accounting": 0.96, "service": 0.5}[register]
    if party.kind == "person":
        known *= 0.82
    if rng.random() < known:
        for name in ("inn", "ogrn", "vat"):
            row[name] = getattr(party, name)
        if register != "crm":
            row["kpp"] = party.kpp
        if register == "accounting" or rng.random() < 0.6:
            row["ogrn"] = ""
    if row["inn"] and rng.random() < 0.008:  # a slip that the check digit shows
        row["inn"] = other_digit(row["inn"], rng)
    row["phone"] = _phone(party, rng) if rng.random() < 0.83 else ""
    row["email"] = party.email if rng.random() < 0.72 else ""
    if party.kind == "person" and rng.random() < 0.10:
        row["phone"] = _phone(housed(party, rng), rng)
    if rng.random() < 0.86:
        at = housed(party, rng) if rng.random() < 0.06 else party
        row |= {
            "city": at.city,
            "postcode": at.postcode,
            "street": slip(at.street, 0.04, rng),
            "house": at.house,
        }
        if foreign and party.country == "RU":
            row |= {name: latin(row[name], rng.randrange(3)) for name in ("city", "street")}
        for name, share in (("postcode", 0.15), ("house", 0.05), ("street", 0.04)):
            if rng.random() < share:
                row[name] = ""
    if not any(row[name] for name in ("inn", "vat", "phone", "email", "street")):
        # A register that knows nothing but a name would not have opened the card.
        row["phone"] = _phone(party, rng)
    return row


def _firm_name(firm: Party, rng: random.Random, foreign: bool) -> str:
    if firm.form == "ИП":
        full = f"{firm.family} {firm.given} {firm.middle}"
        if foreign:
            return f"IP {latin(full, rng.randrange(3))}"
        return rng.choice(
            (
                f"ИП {full}",
                f"ИП {full}",
                f"{FULL_FORMS['ИП']} {full}",
                f"{full} ИП",
                f"ИП {firm.family} {firm.given[0]}.{firm.middle[0]}.",
                f"ИП {full.upper()}",
            )
        )
    core, form = firm.core, firm.form
    if firm.country == "RU":
        if foreign:
            core, short = latin(core, rng.randrange(3)), rng.choice(LATIN_FORMS[form])
            return rng.choice((f"{short} {core}", f"{core} {short}", f'{short} "{core}"', core))
        core = core.replace("ё", "е") if rng.random() < 0.7 else core
        return rng.choice(
            (
                f"{form} «{core}»",
                f'{form} "{core}"',
                f"{form} {core}",
                f"{core}, {form}",
                f"{core} {form}".upper(),
                f"{FULL_FORMS[form]} «{core}»",
                core,
            )
        )
    if foreign:
        return " ".join(
            part for part in (cyrillic(core), CYRILLIC_FORMS.get(form, "") if rng.random() < 0.7 else "") if part
        )
    core = german(core, rng)
    if form.startswith("GmbH") and rng.random() < 0.12:
        form = form.replace("GmbH", rng.choice(("G.m.b.H.", "Gesellschaft mit beschränkter Haftung", "Gmbh", "GMBH")))
    return rng.choice(
        (
            f"{core} {form}",
            f"{core} {form}",
            f"{core} {form}",
            f"Fa. {core}",
            core,
            f"{core} {form}".upper(),
            f"{core}, {form}",
        )
    )


def _person_name(person: Party, rng: random.Random, foreign: bool) -> dict[str, str]:
    family, given, middle = person.family, person.given, person.middle
    if person.country == "RU":
        if rng.random() < 0.3:
            middle = ""
        draw = rng.random()
        if draw < 0.04:
            given, middle = given[0] + ".", middle[:1] + "." if middle else ""
        elif draw < 0.08:
            given = words.RU_SHORT.get(given, given)
        if rng.random() < 0.7:
            family, given, middle = (text.replace("ё", "е").replace("Ё", "Е") for text in (family, given, middle))
        if foreign:
            system = rng.randrange(3)
            family, given, middle = latin(family, system), latin(given, system), latin(middle, system)
    elif foreign:
        family, given = cyrillic(family), cyrillic(given)
    else:
        family, given = german(family, rng), german(given, rng)
        if rng.random() < 0.03:
            given = given[0] + "."
    if rng.random() < 0.015:
        family, given = given, family
    return {
        "family_name": slip(family, 0.04, rng),
        "given_name": slip(given, 0.03, rng),
        "middle_name": middle,
    }


def _phone(party: Party, rng: random.Random) -> str:
    number = party.phone
    if party.country == "RU":
        rest = number[2:]
        return rng.choice(
            (
                number,
                "8" + rest,
                f"8 ({rest[:3]}) {rest[3:6]}-{rest[6:8]}-{rest[8:]}",
                f"+7 {rest[:3]} {rest[3:6]} {rest[6:]}",
            )
        )
    rest = number[3:]
    return rng.choice((number, "0" + rest, f"0{rest[:3]}/{rest[3:]}", f"+49 (0) {rest[:3]} {rest[3:]}", f"0049{rest}"))

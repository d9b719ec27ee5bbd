"""Persons of the fictional world, and the many ways in which one person's name is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from onefold.demo import identifiers, spelling, words
from onefold.demo.words import City, pick

FREE_MAIL: Final = ("pochta.example", "mailbox.example", "post.example", "freemail.example")


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody lives or works."""

    city: City
    street: str
    house: str
    postcode: str
    flat: str = ""

    def line(self) -> str:
        """Street, house and flat in one line, in the order of the country."""
        if self.city.country == "RU":
            street = self.street if "про" in self.street else f"ул. {self.street}"
            return f"{street}, д. {self.house}" + (f", кв. {self.flat}" if self.flat else "")
        if self.city.country == "DE":
            return f"{self.street} {self.house}"
        return f"{self.house} {self.street}"


@dataclass(frozen=True, slots=True)
class Person:
    """One human being, whatever the registers say."""

    entity_id: str
    country: str
    is_female: bool
    given: str
    middle: str
    family: str
    earlier_family: str
    """The surname before a marriage, or an empty text."""
    birth_date: date
    address: Address
    mobile: str
    email: str
    """The mailbox that the person gives away: at work for contacts, at home for private clients."""
    inn: str
    employer: str
    """Entity of the organisation where the person works, or an empty text."""
    job_title: str


def make_address(rng: Random, country: str, *, home: bool) -> Address:
    """An address in a city of the country; homes in Russia have a flat."""
    city = pick(rng, words.CITIES[country])
    missing = {"RU": 6, "DE": 5}.get(country, 0) - len(city.postcode)
    if missing > 0:
        postcode = city.postcode + f"{rng.randrange(10**missing):0{missing}d}"
    else:
        postcode = f"{city.postcode} {rng.randint(1, 9)}{rng.choice('ABDEFGH')}{rng.choice('JLNPQRS')}"
    house = str(rng.randint(1, 120)) + (rng.choice("абв") if country == "RU" and rng.random() < 0.1 else "")
    flat = str(rng.randint(1, 240)) if home and country == "RU" else ""
    return Address(city, rng.choice(words.STREETS[country]), house, postcode, flat)


def make_person(rng: Random, entity_id: str, country: str, namesake_of: Person | None = None) -> Person:
    """A grown-up with a home and a private mailbox; a namesake shares the name and nothing else."""
    is_female = rng.random() < 0.48
    if namesake_of:
        country, is_female = namesake_of.country, namesake_of.is_female
        given, family, middle = namesake_of.given, namesake_of.family, namesake_of.middle
    elif country == "RU":
        given = pick(rng, words.RU_FEMALE if is_female else words.RU_MALE)
        family = _family(pick(rng, words.RU_FAMILY), is_female)
        middle = _patronymic(pick(rng, words.RU_MALE), is_female)
    elif country == "DE":
        given, family, middle = (
            pick(rng, words.DE_FEMALE if is_female else words.DE_MALE),
            pick(rng, words.DE_FAMILY),
            "",
        )
    else:
        given, family = pick(rng, words.EN_FEMALE if is_female else words.EN_MALE), pick(rng, words.EN_FAMILY)
        middle = pick(rng, words.EN_MALE) if rng.random() < 0.15 and not is_female else ""
    earlier = ""
    if is_female and rng.random() < 0.06:
        pool = {"RU": words.RU_FAMILY, "DE": words.DE_FAMILY}.get(country, words.EN_FAMILY)
        earlier = pick(rng, pool)
        earlier = _family(earlier, True) if country == "RU" else earlier
    birth = date(1950, 1, 1) + timedelta(days=rng.randrange(365 * 54))
    address = make_address(rng, country, home=True)
    box = spelling.slug(given if rng.random() < 0.5 else given[:1]) + rng.choice((".", "_", ""))
    # A year or a number tells one Ivanov's mailbox from the next; the entity's number makes sure of it.
    box += spelling.slug(family) + str(birth.year % 100 * 1000 + int(entity_id[1:]) % 1000)
    inn = identifiers.inn_person(rng, address.city.region) if country == "RU" else ""
    return Person(
        entity_id,
        country,
        is_female,
        given,
        middle,
        family,
        earlier,
        birth,
        address,
        identifiers.mobile(rng, country),
        f"{box}@{rng.choice(FREE_MAIL)}",
        inn,
        "",
        "",
    )


def employ(rng: Random, person: Person, employer: str, domain: str) -> Person:
    """The person at work: job title and, in most firms, a mailbox at the firm's domain."""
    russian = person.country == "RU"
    titles = (
        ("менеджер по закупкам", "главный инженер", "директор", "бухгалтер", "главный механик", "снабженец")
        if russian
        else ("Purchasing Manager", "Chief Engineer", "Managing Director", "Accountant", "Einkauf")
    )
    email = person.email
    if domain and rng.random() < 0.85:
        initial, family = spelling.slug(person.given)[:1], spelling.slug(person.family)
        # The same box at one firm for two namesakes would make them one person, so it carries the number.
        email = f"{initial}.{family}{int(person.entity_id[1:]) % 100 or ''}@{domain}"
    return replace(person, employer=employer, job_title=rng.choice(titles), email=email)


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A person's name as one record has it; parts that the record lacks are empty."""

    given: str
    middle: str
    family: str

    def full(self, *, family_first: bool) -> str:
        """The parts that are there, in the order of a form (family name first) or of speech."""
        parts = (self.family, self.given, self.middle) if family_first else (self.given, self.middle, self.family)
        return " ".join(part for part in parts if part)


def write_name(rng: Random, person: Person, *, care: float, middle: float, is_old: bool = False) -> WrittenName:
    """The name as a clerk types it: unchanged in the share `care`, with a patronymic in the share `middle`;
    `is_old`: typed before a marriage."""
    family = person.earlier_family if is_old and person.earlier_family else person.family
    given, second = person.given, person.middle if rng.random() < middle else ""
    if person.country == "DE" and rng.random() < 0.35:
        bare = rng.random() < 0.3
        given, family = (spelling.without_umlauts(text, bare=bare) for text in (given, family))
    if person.country == "RU" and rng.random() < 0.6:
        given, second, family = (text.replace("ё", "е").replace("Ё", "Е") for text in (given, second, family))
    if rng.random() < care:
        return WrittenName(given, second, family)
    draw = rng.random()
    if draw < 0.38 and person.country == "RU":
        other = rng.random() < 0.3
        return WrittenName(
            spelling.latin(given, other=other),
            spelling.latin(second, other=other),
            spelling.latin(family, other=other),
        )
    if draw < 0.58:
        short = words.SHORT_NAMES.get(person.given, given)
        return WrittenName(short, "", family)
    if draw < 0.74:
        return WrittenName(given, second, spelling.typo(rng, family))
    if draw < 0.82:
        return WrittenName(spelling.typo(rng, given), second, family)
    if draw < 0.90:
        return WrittenName(family, second, given)
    return WrittenName(given.upper(), second.upper(), family.upper())


def with_initials(name: WrittenName) -> str:
    """Кузнецов С. П."""
    initials = [f"{part[0]}." for part in (name.given, name.middle) if part]
    return " ".join([name.family, *initials])


def _family(name: str, is_female: bool) -> str:
    if not is_female:
        return name
    if name.endswith(("ский", "цкий")):
        return name[:-2] + "ая"
    if name.endswith(("ов", "ев", "ёв", "ин", "ын")):
        return name + "а"
    return name


_PATRONYMIC = {
    "Илья": "Ильи", "Никита": "Никити", "Лев": "Льво", "Павел": "Павло", "Пётр": "Петро", "Михаил": "Михайло",
    "Григорий": "Григорье", "Василий": "Василье", "Анатолий": "Анатолье", "Валерий": "Валерье",
    "Юрий": "Юрье", "Евгений": "Евгенье", "Георгий": "Георгие", "Николай": "Николае", "Алексей": "Алексее",
    "Сергей": "Сергее", "Андрей": "Андрее", "Дмитрий": "Дмитрие", "Игорь": "Игоре", "Матвей": "Матвее",
}  # fmt: skip


def _patronymic(father: str, is_female: bool) -> str:
    stem = _PATRONYMIC.get(father, f"{father}о")
    if stem.endswith("и"):
        return stem + ("нична" if father == "Илья" and is_female else "чна" if is_female else "ч")
    return stem + ("вна" if is_female else "вич")

"""Parts of an address by themselves: country, region, city, street, house, postcode."""

from __future__ import annotations

import re
from functools import cache

from rigour.territories import lookup_territory

from identity.standard.form import Form, Memo, invalid
from identity.standard.text import clean, comparable, is_placeholder, is_placeholder_number
from identity.standard.vocabulary import mapping, words

_GERMAN_STREET = re.compile(r"^(.{3,}?)(?:strasse|str|straße)$")
_GERMAN_WORDS = frozenset({"str", "strasse", "straße"})
_FIRST_NUMBER = re.compile(r"\d")
_HOUSE_AT_END = re.compile(
    r"^(.*?[^\W\d_].*?)[\s,]+(\d+[\w/\-]*(?:[\s,]*(?:корп|корпус|к|стр|строение|с|лит|литер)\.?\s*\w+)*)$",
    re.I,
)
_HOUSE_IN_FRONT = re.compile(
    r"^(\d+(?:[/\-]\d+)?[a-z]?)[\s,]+((?!(?:st|nd|rd|th)\b)[^\W\d_].*|\d+(?:st|nd|rd|th)\b.*)$", re.I
)
_HOUSE_MARKED = re.compile(r"[\s,]+(?:д|дом|вл|владение|дом №|haus|hausnr|no)\b\.?\s*(?:№\s*)?(\d.*)$", re.I)
_HOUSE_INSIDE = re.compile(
    r"^([^\d]*[^\W\d_]{2}[^\d]*?)[\s,]+(\d+[a-z]?)[\s,]+([^\W\d_].*|\d+(?:st|nd|rd|th)\b.*)$", re.I
)
_NUMBERED_ROADS = frozenset(
    {"highway", "hwy", "route", "rt", "rte", "road", "rd", "interstate", "sr", "us", "cr", "fm", "po", "box"}
)
_NUMBER_PART = re.compile(r"\d+|[^\W\d_]+")
_LOOKALIKE = str.maketrans("авекмнорстухбг", "abekmhopctyxbg")
_RU_POSTCODE = re.compile(r"\d{6}", re.ASCII)
_US_ZIP = re.compile(r"(\d{5})[ \-]?\d{4}", re.ASCII)


@cache
def _country(text: str) -> str | None:
    found = lookup_territory(text)
    if found is None:
        return None
    code = str(found.code).partition("-")[0].upper()
    return code if len(code) == 2 else None


def country_named(text: str) -> str | None:
    """ISO alpha-2 of a text that names a whole country and no part of one."""
    found = lookup_territory(text) if len(text) <= 60 else None
    return str(found.code).upper() if found is not None and len(found.code) == 2 else None


def country(raw: str) -> Form:
    """A country by code or name in many languages, as ISO 3166-1 alpha-2. Invalid as `placeholder`, `unknown
    country`."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    code = _country(text) if len(text) <= 60 else None
    return Form(code, code) if code else invalid(text, "unknown country")


def _text_part(raw: str, value: str) -> Form:
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    return Form(text, value) if value else invalid(text, "no letters")


def _without(key: str, noise: frozenset[str]) -> str:
    """Without words of kind (`город`, `обл`) in front or behind, as long as something is left."""
    parts = key.split()
    while len(parts) > 1:
        if parts[0] in noise:
            parts = parts[1:]
        elif len(parts) > 2 and " ".join(parts[:2]) in noise:
            parts = parts[2:]
        else:
            break
    while len(parts) > 1:
        if parts[-1] in noise:
            parts = parts[:-1]
        elif len(parts) > 2 and " ".join(parts[-2:]) in noise:
            parts = parts[:-2]
        else:
            break
    return " ".join(parts)


def _city(raw: str) -> Form:
    key = comparable(clean(raw))
    aliases = mapping("city_aliases")
    key = aliases.get(key) or _without(key, words("city_words"))
    return _text_part(raw, aliases.get(key, key))


def _region(raw: str) -> Form:
    key = _without(comparable(clean(raw)), words("region_words"))
    return _text_part(raw, mapping("us_states").get(key, key))


def street_key(text: str) -> str:
    """Comparable street: the plain words for street dropped, other kinds in one spelling at their place."""
    kinds = mapping("street_words")
    parts = comparable(text).split()
    out: list[str] = []
    index = 0
    while index < len(parts):
        two = " ".join(parts[index : index + 2])
        word = parts[index]
        if len(parts) > 2 and two in kinds:
            out.append(kinds[two])
            index += 2
            continue
        if word in _GERMAN_WORDS and out and out[-1] and out[-1][-1].isalpha() and out[-1].isascii():
            out[-1] += "str"  # Berliner Straße and Berlinerstr. meet
        elif word in kinds and len(parts) > 1:
            out.append(kinds[word])
        elif match := _GERMAN_STREET.match(word):
            out.append(f"{match[1]}str")
        else:
            out.append(word)
        index += 1
    # Kinds of street stand before or behind the name in Russian: проспект Мира, Ленинский проспект
    kept = [word for word in out if word]
    cyrillic_kinds = [word for word in kept if "а" <= word[0] <= "я" and word in kinds.values()]
    return " ".join([word for word in kept if word not in cyrillic_kinds] + cyrillic_kinds) or " ".join(parts)


@cache
def _flats() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A flat or office in front of a street line and behind it, told by its word: `Suite 900`, `кв. 5`, `# 12`."""
    said = "|".join(
        re.escape(word).replace("\\ ", r"\W+") for word in sorted(words("flat_words"), key=len, reverse=True)
    )
    named = rf"(?:(?:{said})\b\.?\s*(?:№|#|no\b\.?)?|#)\s*"
    return (
        re.compile(rf"^{named}\w*\d\w*[\s,]+(?=\w)", re.I),
        re.compile(rf"[\s,]+{named}(?:\w*\d[\w\-/]*|[a-z])$", re.I),
    )


def without_flat(text: str) -> str:
    """A street line without the flat, suite or office; what is no more than that stays."""
    for pattern in _flats():
        rest = pattern.sub("", text).strip(" ,")
        text = rest if any(ch.isalpha() for ch in rest) else text
    return text


def names_street(text: str) -> bool:
    """Words of which one says that they are a street, in Latin letters: `Downey St`, `Lexington Ave`."""
    kinds = mapping("street_words")
    return any(len(word) > 1 and word.isascii() and word in kinds for word in comparable(text).split()[1:])


def _split_house(text: str) -> tuple[str, str | None]:
    """A street line into street and house number: `ул. Ленина, д. 5`, `Hauptstr. 5a`, `123 Main Street`.

    Flats are left out, and what a building is called in front of its number: `Chrysler Building, 405 Lexington Ave`.
    """
    text = without_flat(text.strip(" ,."))
    for pattern, street, house in ((_HOUSE_MARKED, 0, 1), (_HOUSE_IN_FRONT, 2, 1), (_HOUSE_AT_END, 1, 2)):
        match = pattern.search(text)
        if match is not None:
            rest = match[street] if street else text[: match.start()]
            if rest.strip(" ,."):
                return rest.strip(" ,"), match[house].strip(" ,")
    match = _HOUSE_INSIDE.match(text)
    if match is not None and names_street(match[3]) and comparable(match[1]).split()[-1] not in _NUMBERED_ROADS:
        return match[3].strip(" ,"), match[2]
    return text, None


# A street line is split for its own key and for its house; streets come with many houses.
split_house = Memo(_split_house, 100_000)
_street_keys = Memo(street_key, 100_000)


def _street(raw: str) -> Form:
    text = clean(raw)
    return _text_part(raw, _street_keys(split_house(text)[0]))


def _house(raw: str) -> Form:
    """`д. 5 корп. 2` -> 5к2; flats and offices are no part of the house."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    buildings, flats, house_words = mapping("building_words"), words("flat_words"), words("house_words")
    out: list[str] = []
    for chunk in comparable(text.replace("/", " дробь ")).split():
        if chunk in flats:
            break
        for part in _NUMBER_PART.findall(chunk):
            if part in flats and out:
                break
            if part == "дробь":
                out.append("/")
            elif part in house_words and not out:
                continue
            elif part in buildings and (out or len(part) > 1):
                out.append({"к": "k", "с": "s", "л": "l"}.get(buildings[part], "") if out else "")
            else:
                out.append(part.translate(_LOOKALIKE))
    value = "".join(out).strip("/")
    return Form(text, value) if _FIRST_NUMBER.search(value) else invalid(text, "no number")


def _postcode(key: tuple[str, str | None]) -> Form:
    raw, nation = key
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    repaired = None
    value = "".join(ch for ch in text.upper() if ch.isalnum())
    if text[-2:] == ".0" and text[:-2].isdigit():
        text, value, repaired = text[:-2], text[:-2], "decimal tail"
    if value.isdigit() and is_placeholder_number(value) and value.count(value[0]) == len(value) and value[0] in "09":
        return invalid(text, "placeholder")
    if match := _US_ZIP.fullmatch(text):
        value = match[1]
    if not any(ch.isdigit() for ch in value) and nation not in {None, "IE"}:
        return invalid(text, "format")
    if not 3 <= len(value) <= 10:
        return invalid(text, "length")
    if nation == "RU" and not _RU_POSTCODE.fullmatch(value):
        return invalid(text, "format")
    return Form(text, value.lower(), None, repaired)


city = Memo(_city, 100_000)
"""A town without the word for town, well-known abbreviations spelled out. Invalid as `placeholder`, `no
letters`."""
region = Memo(_region, 50_000)
"""A region without the word for region; US states by their code. Invalid as `placeholder`, `no letters`."""
street = Memo(_street, 200_000)
"""A street by `street_key`, house number off. Invalid as `placeholder`, `no letters`."""
house = Memo(_house, 100_000)
"""A house number: 5, 12a, 5к2 as 5k2, 5/7. Invalid as `placeholder`, `no number`."""
_postcodes = Memo(_postcode, 200_000)


def postcode(raw: str, nation: str | None = None) -> Form:
    """A postcode without spaces in lower case, US ZIP+4 cut to five. Invalid as `placeholder`, `format`,
    `length`."""
    return _postcodes((raw, nation))

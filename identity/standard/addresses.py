"""A modest reader of free-text addresses.

It splits at commas, knows a part by its marks (a postcode, the words for town, region, street and house, the
name of a
country) and by its place (the part beside the postcode is a town; the first part with a number is a street
line), and
leaves out what it cannot tell. It guesses no part from a gazetteer.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from identity.standard import places
from identity.standard.form import Memo
from identity.standard.text import clean, comparable, is_placeholder
from identity.standard.vocabulary import mapping, words


class Address(NamedTuple):
    """The parts of an address as they were written; None where not found. Each still goes through its
    normaliser."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    street: str | None = None
    house: str | None = None
    postcode: str | None = None


_GB = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b", re.I)
_US = re.compile(r"\b([A-Za-z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)[ ,]+(\d{5}(?:-\d{4})?)$")
_STATE_AT_END = re.compile(r"^(.*?)\s*\b([A-Z]{2})$")
_SIX = re.compile(r"(?<![\d\-])(\d{6})(?![\d\-])")
_FIVE_AND_CITY = re.compile(r"^(?:[A-Z]{1,3}-)?(\d{4,5})\s+([^\W\d_].*)$")
_FIVE = re.compile(r"(?:[A-Z]{1,2}-)?\d{4,5}")
_CITY_MARK = re.compile(r"^(?:г|гор|город|пос|пгт|рп|с|село|дер|деревня|ст-ца|станица)\b\.?\s*(?=[^\W\d_])", re.I)
_FLAT = re.compile(
    r"^(?:кв|квартира|оф|офис|пом|помещение|комн?|этаж|эт|подъезд|apt|appt|apartment|flat|suite|ste|unit|floor|каб)\b\.?"
    r"\s*[№#]?\s*\d*[\-/]?\d*[^\W\d_]?(?!\w)",
    re.I,
)
_HOUSE = re.compile(r"^(?:д|дом|вл|владение|house|haus|bld|bldg)\b\.?\s*(?:№\s*)?(?=\d)", re.I)
_BUILDING = re.compile(r"^(?:корп|корпус|к|стр|строение|литера?|лит)\b\.?\s*\w+$", re.I)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_STREET_END = re.compile(r"(?:straße|strasse|str\.?|weg|allee|platz|gasse|ring|damm|ufer)(?:\s|$)", re.I)
_CAPITALS = frozenset({"москва", "санкт петербург", "севастополь", "berlin", "hamburg", "bremen"})
_DIRECTIONS = frozenset(["n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "south", "east", "west"])
_MIN_STREET_WORD = 2


def _marks_street(part: str) -> bool:
    keys = comparable(part).split()
    kinds = mapping("street_words")
    marked = any(word in kinds and len(word) >= _MIN_STREET_WORD for word in keys)
    return (len(keys) > 1 and (marked or any(" ".join(keys[i : i + 2]) in kinds for i in range(len(keys))))) or bool(
        _STREET_END.search(part)
    )


def _marks_region(part: str) -> bool:
    keys = comparable(part).split()
    return len(keys) > 1 and (keys[-1] in words("region_words") or keys[0] in words("region_words"))


def _take_postcode(part: str, found: dict[str, str], is_russian: bool, is_first: bool) -> str:
    """Put the postcode of a part (and the town or state beside it) into `found`; what is left of the part."""
    if (match := _SIX.search(part)) and is_russian:
        found["postcode"] = match[1]
        return (part[: match.start()] + part[match.end() :]).strip(" .")
    if not is_first and (match := _US.search(part)):
        state = comparable(match[1])
        if state not in mapping("us_states") and state not in mapping("us_states").values():
            return part
        found["postcode"], found["region"] = match[2], match[1]
        found.setdefault("country", "US")
        return part[: match.start()].strip(" .")
    if match := _GB.search(part):
        found["postcode"] = match[1]
        return (part[: match.start()] + part[match.end() :]).strip(" .")
    if not is_first and (match := _FIVE_AND_CITY.match(part)) and not _marks_street(part):
        found["postcode"] = match[1]
        found.setdefault("city", match[2])
        return ""
    if _FIVE.fullmatch(part):
        found["postcode"] = part
        return ""
    return part


def _parse(raw: str) -> Address:
    found: dict[str, str] = {}
    parts = [part.strip(" .") for part in re.split(r"[,;\n]", clean(raw)) if part.strip(" .")]
    is_russian = _CYRILLIC.search(raw) is not None
    rest: list[str] = []
    for index, part in enumerate(parts):
        left = part
        if "postcode" not in found and (len(parts) > 1 or _is_whole(part)):
            left = _take_postcode(part, found, is_russian, index == 0 and len(parts) > 1)
        at_end = index in {0, len(parts) - 1} and len(parts) > 1
        is_state = comparable(left) in mapping("us_states").values() or (
            len(left) > 2 and _STATE_AT_END.match(left) is not None
        )
        if at_end and left and "country" not in found and not is_state:
            code = None if _CITY_MARK.match(left) else places.country_named(left)
            if code:
                found["country"] = code
                continue
        if left:
            rest.append(left)
    _read_rest(rest, found)
    if "city" not in found and "street" in found and comparable(found.get("region", "")) in _states():
        found["street"], town = _town_behind(found["street"])
        found |= {"city": town} if town else {}
    return Address(**found)


@cache
def _states() -> frozenset[str]:
    return frozenset(mapping("us_states")) | frozenset(mapping("us_states").values())


def _is_whole(line: str) -> bool:
    """An American address without commas: it begins with a house number, and ends with state and ZIP code."""
    match = _US.search(line)
    return match is not None and line[0].isdigit() and comparable(match[1]) in _states()


def _town_behind(street: str) -> tuple[str, str | None]:
    """Street and town of an American line without a comma between them: `W. 32nd St Palm Harbor`."""
    kinds, parts = mapping("street_words"), street.split()
    at = next((i for i in range(len(parts) - 1, 0, -1) if len(key := comparable(parts[i])) > 1 and key in kinds), None)
    if at is None:
        return street, None
    end = at + 1
    while end < len(parts) and len(parts[end]) <= 2 and comparable(parts[end]) in _DIRECTIONS:
        end += 1
    town = " ".join(parts[end:])
    if not town or any(ch.isdigit() for ch in town) or comparable(town) in _DIRECTIONS:
        return street, None
    return " ".join(parts[:end]), town


def _read_rest(rest: list[str], found: dict[str, str]) -> None:
    """Streets, houses, towns and regions among the parts that are neither postcode nor country."""
    for written in rest:
        part = places.without_flat(_FLAT.sub("", written).strip(" ."))
        if not part:
            continue
        if (
            "house" not in found
            and "street" in found
            and (_HOUSE.match(part) or re.fullmatch(r"\d+[\w/\-]{0,4}", part))
        ):
            found["house"] = _HOUSE.sub("", part)
        elif "house" in found and _BUILDING.match(part):
            found["house"] = f"{found['house']} {part}"
        elif match := _CITY_MARK.match(part):
            found.setdefault("city", part[match.end() :])
        elif "house" not in found and "street" in found and part[0].isdigit() and places.names_street(part):
            # What came before was the name of a building: Hughes Plaza, 100 Howard Hughes Way
            street, house = places.split_house(part)
            found |= {"street": street, "house": house} if house else {}
        elif "street" not in found and (
            _marks_street(part) or (part[0].isdigit() and any(ch.isalpha() for ch in part))
        ):
            street, house = places.split_house(part)
            found["street"] = street
            if house:
                found["house"] = house
        elif "region" not in found and _marks_region(part):
            found["region"] = part
        elif "street" not in found and "city" in found and re.search(r"\d", part):
            street, house = places.split_house(part)
            found["street"] = street
            if house:
                found["house"] = house
        elif "city" not in found and not re.search(r"\d", part):
            state = _STATE_AT_END.match(part)
            if state and comparable(state[2]) in mapping("us_states").values():
                if state[1]:
                    found["city"] = state[1].strip()
                found.setdefault("region", state[2])
            else:
                found["city"] = part
        elif "region" not in found and comparable(part) in mapping("us_states").keys() | set(
            mapping("us_states").values()
        ):
            found["region"] = part
        elif "street" not in found and not re.search(r"\d", part) and comparable(found.get("city", "")) in _CAPITALS:
            found["street"] = part


_parsed = Memo(_parse, 100_000)


def parse_address(raw: str) -> Address:
    """The parts of a free-text address as far as they can be told; see the head of this module for how."""
    return Address() if is_placeholder(raw) or len(raw) > 500 else _parsed(raw)


def _parse_street(raw: str) -> Address:
    found = _parsed(raw) if re.search(r"[,;\n]", raw) or _is_whole(clean(raw)) else Address()
    if not any(ch.isalpha() for ch in found.street or ""):
        street, house = places.split_house(clean(raw))
        return Address(street=street or None, house=house)
    return found


_parsed_streets = Memo(_parse_street, 200_000)


def parse_street(raw: str) -> Address:
    """What a street field holds: street and house, and often town, region and postcode behind them in one line."""
    return Address() if is_placeholder(raw) or len(raw) > 500 else _parsed_streets(raw)

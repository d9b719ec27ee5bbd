"""Words that tell of one person wherever they stand, and the places in a text where they do.

What an erasure destroys by a word is lost for good: only words of the person alone count, whole ones, in any of their
spellings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg

from warehouse.sql import sql

NOT_PERSONAL: Final = frozenset({"domain", "kpp", "okpo"})
"""Identifier types that many clients share by their nature."""
NUMBERS: Final = ("inn", "snils", "ogrnip", "ogrn", "passport", "national_id", "ssn", "bank_account")
"""Identifier types that are digits."""
EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NUMBER: Final = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){8,19}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}")
_DIGITS: Final = re.compile(r"[\d\s()+./-]+")
_FEWEST_DIGITS: Final = 9
_FEWEST_DIFFERENT: Final = 2
_SHORTEST: Final = 6
# What stands before and after a word: in JSON also the end of `\n`.
_BEFORE: Final = r"(?:(?<![\w.+-])|(?<=\\[nrtbf]))"
_BEFORE_NAME: Final = r"(?:(?<!\w)|(?<=\\[nrtbf]))"
_NAMES: Final = frozenset({"display_name", "full_name", "legal_name", "org_name"})
_REACHED_BY: Final = frozenset({"email", "phone"})


def plain(value: str) -> str:
    """An identifier in the one form in which its spellings are equal: an address in lower case, a number's digits."""
    text = value.strip().lower()
    if "@" in text or not _DIGITS.fullmatch(text):
        return text
    digits = re.sub(r"\D", "", text)
    # 8 916 ... within Russia is +7 916 ... everywhere.
    return digits[1:] if len(digits) == 11 and digits[0] in "78" else digits


def is_telling(word: str) -> bool:
    """Long enough to be nobody else's by chance."""
    return len(word) >= (_FEWEST_DIGITS if word.isdigit() else _SHORTEST)


def of_person(
    conn: psycopg.Connection[Any],
    identifiers: Iterable[tuple[str, str, bool, bool]],
    said: Sequence[Any],
) -> tuple[list[str], list[str]]:
    """Plain words that are the person's alone, and all words of the person, as the temporary tables say who it is.

    `identifiers` are (type, value, is_valid, is_shared) as they stand now; `said` is everything that was ever said of
    the person. From it come earlier addresses and phones: what stood where those of today stand, unless somebody else
    bears it today; and whole names that nobody else has. The second list has names and
    identifiers of others as well: it is for the person's own rows only.
    """
    known = list(identifiers)
    own: set[str] = set()
    common: set[str] = set()
    for type_, value, is_valid, is_shared in known:
        (own if is_valid and not is_shared and type_ not in NOT_PERSONAL else common).add(plain(value))
    own -= common
    pieces = [one for document in said for one in texts(document)]
    reached = {plain(value) for type_, value, *_ in known if type_ in _REACHED_BY}
    places = _REACHED_BY | {name for name, text in pieces if plain(text) in reached}
    earlier = {plain(text) for name, text in pieces if name in places and _reaches(text)} - own - common
    forms = [form for word in earlier for form in (word, f"+{word}", f"+7{word}")]
    earlier -= {plain(value) for (value,) in conn.execute(sql("erasure.borne_identifiers"), {"values": forms})}
    names = {text.strip().lower() for name, text in pieces if name in _NAMES}
    names |= {name for (name,) in conn.execute(sql("erasure.two_names"))}
    names = {name for name in names if len(name.split()) > 1}
    borne = {name for (name,) in conn.execute(sql("erasure.borne_names"), {"names": sorted(names)})}
    alone = {*own, *earlier, *(names - borne)}
    every = {*alone, *names, *(plain(value) for type_, value, *_ in known if type_ not in NOT_PERSONAL)}
    return sorted(filter(is_telling, alone)), sorted(filter(is_telling, every))


def surnames(conn: psycopg.Connection[Any]) -> list[str]:
    """Family names of the person that nobody else has: they tell of the person in the person's own streams only."""
    names = [row[0] for row in conn.execute(sql("erasure.surnames"))]
    borne = {row[0] for row in conn.execute(sql("erasure.borne"), {"words": names})} if names else set()
    return [name for name in names if name not in borne and len(name) >= _SHORTEST]


@lru_cache(maxsize=64)
def pattern(words: tuple[str, ...]) -> str | None:
    """A regular expression, the same for Python and PostgreSQL, for lower-case texts that hold one of the words as a
    whole; None without words."""
    return "|".join(map(_spelled, words)) or None


def mentions(payload: bytes, words: Sequence[str]) -> bool:
    """Whether bytes in any usual encoding hold one of the words."""
    wanted = pattern(tuple(words))
    return wanted is not None and any(re.search(wanted, text) for text in readings(payload))


def readings(payload: bytes) -> Iterator[str]:
    """The bytes as text in lower case, in every encoding that they may be in; `\\u...` of JSON read too."""
    try:
        decoded = [payload.decode()]
    except UnicodeDecodeError:
        decoded = [payload.decode("utf-8", "replace"), payload.decode("cp1251", "replace")]
    if b"\x00" in payload:
        decoded += [payload.decode("utf-16-le", "replace"), payload.decode("utf-16-be", "replace")]
    for text in decoded:
        yield text.lower()
        if "\\u" in text:
            yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).lower()


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(name of the field, text) of everything that a JSON value holds."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, name if key == "v" else key)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def _reaches(text: str) -> bool:
    """An address or a number by which a person is reached or known."""
    text = text.strip()
    if EMAIL.fullmatch(text):
        return True
    is_number = NUMBER.fullmatch(text) is not None and _DATE.match(text) is None
    # 000-00-00 says that there is none.
    return is_number and len(set(plain(text))) > _FEWEST_DIFFERENT


def _spelled(word: str) -> str:
    """A word in its spellings: digits with what may stand between them, a name's words in their order."""
    if word.isdigit():
        between = r"[\s().-]{0,3}"
        country = rf"(?:\+?[78]{between})?" if len(word) == 10 else ""
        return rf"(?<!\d){country}{between.join(word)}(?!\d)"
    if "@" in word or " " not in word:
        return rf"{_BEFORE}{re.escape(word)}(?![\w-]|\.\w)"
    name = r"\s+".join(map(re.escape, word.split()))
    return rf"{_BEFORE_NAME}{name}(?!\w)"

"""Cleaning that every normaliser starts with: white space, control characters, comparable text,
placeholders."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_APOSTROPHE = re.compile(r"['`´ʹʺʻʼʽˈ‘’‛′]")
_NOT_WORD = re.compile(r"[\W_]+")

PLACEHOLDERS: Final = frozenset(
    # What people and programs write where nothing is known; own compilation, casefolded, without edge
    # punctuation.
    """нет|нету|не указан|не указана|не указано|не задан|не задано|неизвестно|неизвестен|неизвестна
    |отсутствует|пусто|н/д|нд
    |#н/д|без имени|без названия|без телефона|не знаю|не определено|не определен|не заполнено|прочерк
    |n/a|#n/a|n.a|not available|not applicable|not known|none|null|nil|nan|undefined|unknown|no name
    |noname|tbd|tba
    |not provided|not specified|unspecified|missing|empty|xxx|xxxx|xxxxx|dummy|keine|keine angabe
    |keine angaben|k.a|k. a|unbekannt
    |ohne|nicht bekannt|nicht angegeben|fehlt|no email|no phone|no data|(null)|<null>|[null]
    |to be defined""".replace("\n    ", "").split("|")
)
_EDGE = " \t.,;:-–—_*/\\?!\"'()[]{}"
_SEQUENCES: Final = frozenset({"1234567890", "0123456789", "123456789", "12345678", "9876543210", "987654321"})


def clean(text: str) -> str:
    """Without control and invisible characters, white space collapsed and trimmed; else as the source wrote
    it."""
    if text.isascii() and text.isprintable():
        return text if "  " not in text and text[:1] != " " and text[-1:] != " " else " ".join(text.split())
    return " ".join(_CONTROL.sub("", text).split())


def comparable(text: str) -> str:
    """NFKC, casefolded, ё as е, apostrophes out, other punctuation a single space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = unicodedata.normalize("NFKC", text.casefold()).replace("ё", "е")
    else:
        text = text.lower()
    if text.isalpha():
        return text
    return _NOT_WORD.sub(" ", _APOSTROPHE.sub("", text)).strip()


def is_placeholder(text: str) -> bool:
    """A word or sign that says that nothing is known."""
    if len(text) > 20:
        return False
    bare = text.casefold().strip()
    if bare in PLACEHOLDERS:
        return True
    bare = bare.strip(_EDGE)
    return not bare or bare in PLACEHOLDERS


def is_placeholder_number(digits: str) -> bool:
    """One digit repeated, or a keyboard run: 0000000000, 1234567890."""
    return len(digits) >= 4 and (digits.count(digits[0]) == len(digits) or digits in _SEQUENCES)

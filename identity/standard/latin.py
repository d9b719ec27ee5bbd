"""The Latin key: one spelling for the ways in which a name is carried between scripts and alphabets.

It is no pronunciation and no display form. It is made so that Пётр / Petr / Pyotr, Чайковский / Tchaikovsky /
Tschaikowski and Müller / Mueller / Muller / Мюллер meet or come near; the own script stays in the field
beside it.
"""

from __future__ import annotations

import re
from typing import Final

from anyascii import anyascii

from identity.standard.form import Memo

_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i",
    "й": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f",
    "х": "h", "ц": "z", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu",
    "я": "ia",
    "і": "i", "ї": "i", "є": "e", "ґ": "g", "ў": "u", "ј": "i", "љ": "l", "њ": "n", "ћ": "ch", "ђ": "d",
    "џ": "zh",
    "қ": "k", "ғ": "g", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "h", "ә": "a",
}  # fmt: skip
_MARKED: Final = {
    "ä": "a", "ö": "o", "ü": "u", "ß": "ss", "å": "a", "ø": "o", "æ": "a", "œ": "o", "č": "ch", "ć": "ch",
    "š": "sh",
    "ś": "sh", "ş": "sh", "ș": "sh", "ž": "zh", "ż": "zh", "ź": "z", "ř": "r", "ł": "l", "ç": "ch",
    "ñ": "n", "ğ": "g",
    "ı": "i", "đ": "d", "ð": "d", "þ": "t",
}  # fmt: skip
_TABLE: Final = str.maketrans(_CYRILLIC | _MARKED)

# Applied in this order to lower-case ASCII. Each line names the spellings that it brings together.
_RULES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"tsch|tch", "ch"),  # Tschechow, Tchekhov, Chekhov
        (r"shch|sch|shh", "sh"),  # Щербаков: Shcherbakov, Scherbakov; Schmidt, Шмидт
        (r"dzh|dsch|dj", "j"),  # Джон, John; Djokovic
        (r"kh", "h"),  # Mikhail, Михаил
        (r"ph", "f"),  # Sophia, Sofia
        (r"th", "t"),  # Luther, Лютер
        (r"w", "v"),  # Iwan, Ivan
        (r"x", "ks"),  # Alexander, Александр
        (r"ts|tz", "z"),  # Шульц, Schultz, Schulz; Tsarev
        (r"ck", "k"),
        (r"c(?=[eiy])", "s"),  # Cyril, Сирил
        (r"c(?!h)", "k"),  # Carl, Karl
        (r"q", "k"),
        (r"[yj]", "i"),  # Yulia, Julia, Юлия
        (r"(?<=[bdfghklmnprstvz])io(?=[a-z])", "e"),  # Pyotr, Пётр; Fyodor, Фёдор
        (r"ie", "e"),  # Yevgeny, Евгений; Dmitriev
        (r"ae", "a"),
        (r"oe", "o"),
        (r"ue", "u"),  # Mueller, Müller, Muller
        (r"(?<=[bcdfghklmnprstvz])iu", "u"),  # Мюллер
        (r"(.)\1+", r"\1"),  # Anna, Ana; Tchaikovskii
        (r"(?<=[a-z]a)h$", ""),  # Sarah, Sara; Hannah, Hanna
    )
)


def _token(word: str) -> str:
    text = word.translate(_TABLE)
    if not text.isascii():
        text = "".join(ch for ch in anyascii(text).lower() if ch.isalnum())
    if text.isdigit():
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


latin_word: Final = Memo(_token, size=500_000)
"""The Latin key of one comparable word (casefolded, no punctuation)."""


def latin_key(text: str) -> str:
    """The Latin key of comparable text, word by word."""
    if " " not in text:
        return latin_word(text)
    return " ".join([key for key in map(latin_word, text.split(" ")) if key])

"""How one name comes to be written in many ways: alphabets, typing errors, short forms."""

from __future__ import annotations

from random import Random

_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "e",
            "zh",
            "z",
            "i",
            "y",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "*",
            "y",
            "*",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)
_LATIN_OTHER = {**_LATIN, "ё": "yo", "х": "h", "щ": "sch", "ю": "iu", "я": "ia", "й": "j", "ц": "c", "э": "e"}
_CYRILLIC = {
    "sch": "ш", "tsch": "ч", "ch": "х", "ck": "к", "ei": "ай", "eu": "ой", "äu": "ой", "ie": "и",
    "th": "т", "ph": "ф", "qu": "кв", "ä": "е", "ö": "ё", "ü": "ю", "ß": "сс", "a": "а", "b": "б",
    "c": "к", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и", "j": "й", "k": "к", "l": "л",
    "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р", "s": "с", "t": "т", "u": "у", "v": "ф",
    "w": "в", "x": "кс", "y": "и", "z": "ц",
}  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_BARE = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U", "ß": "ss"})


def latin(text: str, *, other: bool = False) -> str:
    """Cyrillic in Latin letters, as passports write it, or (`other`) as older documents and habits do."""
    table = _LATIN_OTHER if other else _LATIN
    written = []
    for letter in text:
        lower = letter.lower()
        out = table.get(lower, lower if letter == lower else letter).replace("*", "")
        written.append(out.capitalize() if letter != lower and out else out)
    return "".join(written)


def cyrillic(text: str) -> str:
    """A German or English name in Cyrillic letters, by ear."""
    written: list[str] = []
    at = 0
    while at < len(text):
        for size in (4, 3, 2, 1):
            piece = text[at : at + size]
            if len(piece) == size and (out := _CYRILLIC.get(piece.lower())):
                written.append(out.capitalize() if piece[0].isupper() else out)
                at += size
                break
        else:
            written.append(text[at])
            at += 1
    return "".join(written)


def without_umlauts(text: str, *, bare: bool = False) -> str:
    """Müller as Mueller, or (`bare`) as Muller."""
    return text.translate(_BARE if bare else _UMLAUTS)


def typo(rng: Random, text: str) -> str:
    """The text with one slip of the finger after its first letter; words under four letters stay."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    match rng.randrange(4):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at] + text[at:]
        case _:
            near = "оаеинтсрлв" if text[at].lower() in _LATIN else "aeiounrst"
            return text[:at] + rng.choice(near) + text[at + 1 :]


def slug(text: str) -> str:
    """The text in ASCII letters and digits, as it appears in addresses of sites and mailboxes."""
    plain = latin(without_umlauts(text)).lower()
    spaced = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in plain)
    return "-".join(spaced.split())

"""Spellings of the generator ru_de.py: scripts, umlauts, genders, patronymics, typing errors."""

from __future__ import annotations

import random

import ru_de_words as words


def latin(text: str, system: int) -> str:
    """Russian in one of three Latin spellings; German without its dots (system 1: ue for ü)."""
    made = []
    for letter in text:
        small = letter.lower()
        if small in words.TO_LATIN[system]:
            plain = words.TO_LATIN[system][small]
        else:
            plain = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.get(small, small)
        made.append(plain.capitalize() if letter.isupper() else plain)
    return "".join(made)


def cyrillic(text: str) -> str:
    """German as a Russian clerk hears it: Müller -> Мюллер."""
    made: list[str] = []
    at, start = 0, True
    while at < len(text):
        rest = text[at:].lower()
        if start and rest[:2] in {"st", "sp"}:
            source, target = rest[:2], "ш" + ("т" if rest[1] == "t" else "п")
        else:
            source, target = next(((s, t) for s, t in words.TO_CYRILLIC if rest.startswith(s)), (rest[:1], rest[:1]))
            if source == "ü" and made and made[-1].lower() in "аеёиоуыэюя":
                target = "и"
        made.append(target.capitalize() if text[at].isupper() else target)
        at += len(source)
        start = not source.isalpha()
    return "".join(made)


def german(text: str, rng: random.Random) -> str:
    """Mostly as it is; Mueller and Muller now and then."""
    draw = rng.random()
    if draw < 0.72:
        return text
    pairs = zip("äöüßÄÖÜ", ("ae", "oe", "ue", "ss", "Ae", "Oe", "Ue") if draw < 0.92 else "aousAOU", strict=True)
    return text.translate({ord(letter): other for letter, other in pairs})


def feminine(family: str) -> str:
    """Иванов -> Иванова, Шишкин -> Шишкина."""
    return family + "а" if family[-2:] in {"ов", "ев", "ёв", "ин", "ын"} else family


def masculine(family: str) -> str:
    """Иванова -> Иванов."""
    return family.removesuffix("а") if family[-3:] in {"ова", "ева", "ёва", "ина", "ына"} else family


def patronymic(father: str, female: bool) -> str:
    """Иван -> Иванович, Ивановна."""
    irregular = {
        "Илья": ("Ильич", "Ильинична"),
        "Никита": ("Никитич", "Никитична"),
        "Павел": ("Павлович", "Павловна"),
        "Лев": ("Львович", "Львовна"),
        "Пётр": ("Петрович", "Петровна"),
        "Михаил": ("Михайлович", "Михайловна"),
    }
    if father in irregular:
        return irregular[father][female]
    if father.endswith("ий"):
        stem = father[:-2] + ("и" if father == "Дмитрий" else "ь")
        return stem + ("евна" if female else "евич")
    if father.endswith(("ей", "ай")):
        return father[:-1] + ("евна" if female else "евич")
    if father.endswith("ь"):
        return father[:-1] + ("евна" if female else "евич")
    return father + ("овна" if female else "ович")


def slip(text: str, share: float, rng: random.Random) -> str:
    """A typing error in a share of the texts."""
    if len(text) < 4 or rng.random() >= share:
        return text
    at = rng.randrange(1, len(text) - 1)
    return rng.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        )
    )

"""Names of persons: a full name into its parts, parts into comparable form.

The order of parts is read from, in turn: a comma, a patronymic, initials, capitals, known given names, the
endings of
family names, and at last the habit of the script (Cyrillic: family name first; else: given name first).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from identity.standard.form import Form, Memo, invalid
from identity.standard.nicknames import given_names
from identity.standard.text import clean, comparable, is_placeholder
from identity.standard.vocabulary import words


class PersonName(NamedTuple):
    """A person's name. Displays are as the source wrote the parts, values comparable; None where there is
    none."""

    given: str | None
    middle: str | None
    family: str | None
    given_display: str | None
    middle_display: str | None
    family_display: str | None
    full: str | None
    """given middle family, or the name as far as it could be read; comparable."""


NOBODY: Final = PersonName(None, None, None, None, None, None, None)


class _Word(NamedTuple):
    text: str
    key: str
    """Comparable; has a space inside only for hyphenated words."""


_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\"«“„][^\"»”“]{1,30}[\"»”“]")
_SPLIT_INITIALS = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=[^\W\d_])")
_DEGREE = re.compile(
    r"\b(?:Dipl|Prof|Dr|Ing|Mag|Ph|M|B)\.?[ \-]?(?:Ing|Kfm|Kffr|med|rer|nat|jur|phil|D|Sc|A)\b\.?", re.I
)
_PATRONYMIC = re.compile(
    r"[^\W\d_]{2,}(?:ович|евич|ьич|овна|евна|ична|инична|ovich|evich|yevich|ovna|evna|yevna|ichna)"
)
_SHORT_PATRONYMICS: Final = frozenset(
    {
        "ильич",
        "кузьмич",
        "лукич",
        "фомич",
        "никитич",
        "саввич",
        "фокич",
        "ilyich",
        "ilich",
        "lukich",
        "kuzmich",
        "fomich",
        "nikitich",
    }
)
_FAMILY_ENDING = re.compile(
    r"[^\W\d_]{2,}(?:ов|ова|ев|ева|ин|ина|ын|ына|ский|ская|цкий|цкая|ской|енко|чук|щук|юк|ук|ян|янц|дзе|швили|ых|их|ец|як|шин|"
    r"ov|ova|off|ev|eva|yev|sky|skiy|skij|skaya|ski|enko|chuk|yan|dze|shvili)"
)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]{2,4}|[\uac00-\ud7a3]{2,4}")
_OWNER_FORMS: Final = ("ип", "индивидуальный предприниматель", "и п", "глава кфх", "ипбоюл", "пбоюл", "чп")
_OWNER = re.compile(rf"^(?:{'|'.join(sorted(_OWNER_FORMS, key=len, reverse=True))})[\s.:]+", re.I)
_TITLE_OF_NOBILITY: Final = frozenset(
    {"baron", "baronet", "earl", "duke", "viscount", "marquess", "lord", "lady", "count", "graf"}
)


def is_patronymic(key: str) -> bool:
    """Comparable word that has the ending of a Russian patronymic (Serbian and Belarusian family names have
    it too)."""
    return key in _SHORT_PATRONYMICS or _PATRONYMIC.fullmatch(key) is not None


@cache
def _noise() -> frozenset[str]:
    return words("titles") | words("suffixes")


def _word_of(text: str) -> _Word:
    return _Word(text, comparable(text))


_word: Final = Memo(_word_of, 300_000)


def _words(text: str) -> list[_Word]:
    return [word for word in map(_word, text.replace(".", " ").split()) if word.key]


def _without_noise(parts: list[_Word]) -> list[_Word]:
    """Titles in front and suffixes behind taken off, as long as a name is left."""
    titles, suffixes = words("titles"), words("suffixes")
    start, end = 0, len(parts)
    while end - start > 1 and parts[start].key in titles:
        start += 1
    while end - start > 1 and parts[end - 1].key in suffixes:
        end -= 1
    return parts[start:end]


def _joined(parts: list[_Word]) -> tuple[str | None, str | None]:
    if not parts:
        return None, None
    return " ".join([w.key for w in parts]), " ".join([w.text for w in parts])


def _name(given: list[_Word], middle: list[_Word], family: list[_Word]) -> PersonName:
    (g, gd), (m, md), (f, fd) = _joined(given), _joined(middle), _joined(family)
    return PersonName(g, m, f, gd, md, fd, " ".join([part for part in (g, m, f) if part]) or None)


def _is_initial(word: _Word) -> bool:
    return len(word.key) == 1


def _is_turkic(word: _Word) -> bool:
    return word.key in words("turkic_patronymic")


def _with_patronymic(parts: list[_Word]) -> PersonName | None:
    """Three (or four) words, one of them a patronymic: family given patronymic, or given patronymic
    family."""
    if len(parts) in {4, 5} and _is_turkic(parts[-1]):  # Алиев Вагиф Самед оглы
        return _name([parts[1]], parts[2:], [parts[0]])
    if len(parts) == 4 and _is_turkic(parts[2]):
        return _name([parts[0]], parts[1:3], [parts[3]])
    if len(parts) == 2 and is_patronymic(parts[1].key) and parts[0].key in given_names():
        return _name([parts[0]], [parts[1]], [])
    if len(parts) != 3:
        return None
    second, third = (is_patronymic(word.key) for word in parts[1:])
    if second and (not third or (parts[0].key in given_names() and parts[1].key not in given_names())):
        return _name([parts[0]], [parts[1]], [parts[2]])
    if third:
        return _name([parts[1]], [parts[2]], [parts[0]])
    return None


def _with_initials(parts: list[_Word]) -> PersonName | None:
    """Иванов И.И., И.И. Иванов, Smith J: a single long word (or a family name with particles) among
    initials."""
    initials = [_is_initial(word) for word in parts]
    if all(initials) or not any(initials):
        return None
    if not any(initials[: -(sum(initials))]) and all(initials[-sum(initials) :]):
        long = len(parts) - sum(initials)
        if long == 1 or parts[0].key in words("particles"):
            return _name([parts[long]], parts[long + 1 :], parts[:long])
        if long == 2 and not _CYRILLIC.search(parts[0].key):
            return None  # `John Smith J`: left to the habit
    return None


def _family_start(parts: list[_Word]) -> int:
    """Where the family name begins when it stands last, its particles included."""
    start = len(parts) - 1
    particles = words("particles")
    while start > 1 and parts[start - 1].key in particles:
        start -= 1
    return start


def _family_first(parts: list[_Word]) -> bool:
    """Two or three words in an order that only the words themselves can tell."""
    first, last = parts[0], parts[-1]
    if first.text.isupper() and len(first.key) > 1 and not any(w.text.isupper() and len(w.key) > 1 for w in parts[1:]):
        return True
    if last.text.isupper() and len(last.key) > 1 and not first.text.isupper():
        return False
    known = given_names()
    second = parts[1]
    if (first.key in known) != (second.key in known):
        return second.key in known and len(second.key) > 1
    first_like, last_like = (_FAMILY_ENDING.fullmatch(word.key) is not None for word in (first, last))
    if first_like != last_like:
        return first_like
    return first.key not in known and _CYRILLIC.search(first.key) is not None


def _in_order(parts: list[_Word]) -> PersonName:
    if len(parts) == 1:
        word = parts[0]
        if _IDEOGRAPHS.fullmatch(word.key):  # one-character family names are the rule
            split = 2 if len(word.key) == 4 else 1
            return _name([_word(word.key[split:])], [], [_word(word.key[:split])])
        known = word.key in given_names()
        return _name([word] if known else [], [], [] if known else [word])
    found = _with_patronymic(parts) or _with_initials(parts)
    if found is not None:
        return found
    if len(parts) <= 3 and _family_start(parts) == len(parts) - 1 and _family_first(parts):
        return _name([parts[1]], parts[2:], [parts[0]])
    start = _family_start(parts)
    return _name([parts[0]], parts[1:start], parts[start:])


def _is_style(word: _Word) -> bool:
    return word.key in _TITLE_OF_NOBILITY or word.key[0].isdigit()


def _parse(raw: str) -> PersonName:
    text = _OWNER.sub("", clean(raw))
    text = clean(_ASIDE.sub(" ", text)) or text
    text = _DEGREE.sub(" ", text) if "." in text or "-" in text else text
    text = _SPLIT_INITIALS.sub(r"\1. ", text)
    head, comma, tail = text.partition(",")
    before = _words(head)
    after = _words(tail.replace(",", " ")) if comma else []
    if after and all(word.key in _noise() for word in after):
        after = []
    words_all = before + after
    called = next((i for i, word in enumerate(words_all) if i and _is_style(word)), None)
    if called is not None:
        # `thomas clifford, 1st baron clifford of chudleigh`: the name, then what he was called
        name = _in_order(_without_noise(words_all[:called]))
        return name._replace(full=" ".join([word.key for word in words_all]))
    after = _without_noise(after)
    before = _without_noise(before)
    if after and before:
        if len(after) == 1 and is_patronymic(after[0].key) and len(before) == 2:
            return _in_order(before + after)
        return _name(after[:1], after[1:], before)
    parts = before or after
    return _in_order(parts) if parts else NOBODY


_parsed = Memo(_parse, 200_000)


def parse_full_name(raw: str) -> PersonName:
    """The parts of a person's name in any usual order; all None for a placeholder or a name without
    letters."""
    return NOBODY if is_placeholder(raw) else _parsed(raw)


def full_name(raw: str) -> Form:
    """A full name: shown as written, compared as `given middle family`. Invalid as `placeholder` or `no
    letters`."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    name = _parsed(raw)
    if name.full is None or not any(ch.isalpha() for ch in name.full):
        return invalid(text, "no letters")
    return Form(text, name.full)


def _part(raw: str) -> Form:
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    parts = _without_noise(_words(_SPLIT_INITIALS.sub(r"\1. ", clean(_ASIDE.sub(" ", text)) or text)))
    value = " ".join([word.key for word in parts])
    return Form(text, value) if any(ch.isalpha() for ch in value) else invalid(text, "no letters")


_name_part = Memo(_part, 200_000)


def name_part(raw: str) -> Form:
    """A given, middle or family name by itself, titles and suffixes off (`Smith Sr` -> smith).

    Invalid as `placeholder` or `no letters`.
    """
    return _name_part(raw)


def split_given(value: str) -> tuple[str, str | None]:
    """Given and middle name of a comparable given name that holds both: `иван иванович`, `robert j`."""
    first, _, rest = value.partition(" ")
    if rest and (is_patronymic(rest) or all(len(word) == 1 for word in rest.split())):
        return first, rest
    return value, None

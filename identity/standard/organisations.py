"""Names of organisations: the name core without its legal form, and the class of the form."""

from __future__ import annotations

import html
import re
from typing import Final, NamedTuple

from identity.shipped import shipped
from identity.standard.form import Form, Memo, invalid
from identity.standard.latin import latin_word
from identity.standard.legal_forms import (
    Words,
    abbreviations,
    aliases,
    class_of,
    common_words,
    forms,
    unspaced,
)
from identity.standard.persons import parse_full_name
from identity.standard.places import country
from identity.standard.text import clean, comparable, is_placeholder

SOLE_PROPRIETOR = "sole_proprietor"


class OrganisationName(NamedTuple):
    """An organisation's name: the comparable core, and the class of its legal form (`llc`) or None."""

    core: str | None
    legal_form: str | None


_DOTTED = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.[ \-]?){2,}(?:[^\W\d_](?![^\W\d_]))?")
_AND = re.compile(r"[&+]")
_BOUNDARY = re.compile(r"([,;()«»\"“”„])")
# Patent offices write accents out: I{umlaut over (n)}ternational.
_SPELT_ACCENT = re.compile(r"\{[^{}()]*\(([^{}()]*)\)\s*\}")
_NUMBER_SIGN = re.compile(r"№|\b[Nn][o°º]\.?\s*(?=\d)")
_SIGN = re.compile(r"[\u1100-\u11ff\u2e80-\uffdc]")
_ROMAN = re.compile(r"x{0,2}(?:ix|iv|v?i{0,3})")
_ROMAN_VALUES: Final = {"i": 1, "v": 5, "x": 10}


class _Word(NamedTuple):
    key: str
    is_dotted: bool
    stands_free: bool
    """Written with dots (N.V.), or beside a comma, bracket or quote: there even an ambiguous form is one."""
    segment: int
    """Which of the parts between commas, brackets and quotes it stands in."""
    after_comma: bool
    """Whether a comma divides its part from the one before."""


def _keys(words: list[_Word]) -> Words:
    return tuple([word.key for word in words])


def _is_initials(key: str) -> bool:
    return len(key) == 2 and key not in shipped("legal_forms")["dotted_in_front"]


def _strip(words: list[_Word]) -> tuple[list[_Word], list[str]]:
    """What is left of a name without legal forms, and the classes of the forms, in order of their place."""
    _, longest, _, markers = forms()
    classes: list[str] = []
    owned = bool(words) and words[-1].is_dotted and _is_owned(words)
    again = True
    while again and len(words) > 1:
        again = False
        # Петров П.П. is a man, ПП a private enterprise.
        person = words[-1].is_dotted and (owned or SOLE_PROPRIETOR in classes)
        for size in range(min(longest, len(words) - 1), 0, -1):
            if not person and (found := class_of(_keys(words[-size:]), True)):
                words, again = words[:-size], True
                classes.append(found)
                break
            if size == 1 and words[0].is_dotted and _is_initials(words[0].key):
                continue
            if words[size].key in {"and", "und"}:  # AT & T, SA & Partners
                continue
            if found := class_of(_keys(words[:size]), True, in_front=True):
                words, again = words[size:], True
                classes.insert(0, found)
                break
        if not again:
            for marker in markers:
                if len(words) > len(marker) and _keys(words[-len(marker) :]) == marker:
                    words, again = words[: -len(marker)], True
                    break
    start = 1
    while start < len(words) - 1:
        for size in range(min(longest, len(words) - 1 - start), 0, -1):
            run = words[start : start + size]
            if found := class_of(_keys(run), run[0].stands_free or run[-1].stands_free):
                classes.append(found)
                words = words[:start] + words[start + size :]
                break
        else:
            start += 1
    return words, classes


def _words(text: str) -> list[_Word]:
    """The comparable words of a name; `GmbH & Co. KG` keeps its form together without the sign."""
    words: list[_Word] = []
    mark = ""
    for number, segment in enumerate(_BOUNDARY.split(text)):
        if number % 2:
            mark = segment
            continue
        dotted = {comparable(match[0]).replace(" ", "") for match in _DOTTED.finditer(segment)}
        plain = _DOTTED.sub(lambda match: re.sub(r"[.\- ]", "", match[0]) + " ", segment)
        keys = comparable(_AND.sub(" and ", plain) if _AND.search(plain) else plain).split()
        keys = [
            key
            for place, key in enumerate(keys)
            if not (key in {"and", "und"} and keys[place + 1 : place + 2] in (["co"], ["cie"]))
        ]
        words += [
            _Word(key, key in dotted, place in (0, len(keys) - 1) or key in dotted, number, mark == ",")
            for place, key in enumerate(keys)
        ]
    return words


def _without_seat(words: list[_Word]) -> list[_Word]:
    """The name as far as its legal form, where only a place follows behind a comma: Cargill B.V., Bergen op Zoom.

    A form in front of the name needs the country at the end: N.V. Philips, Eindhoven, NL. A name of common words
    keeps what follows: the municipal works of two towns are two.
    """
    for place in range(1, len(words)):
        if not words[place].after_comma or words[place].segment == words[place - 1].segment:
            continue
        name = words[:place]
        at_end = _form_at_end(name)
        # Countries last: the first name that may be one takes a second, in which all names are learnt.
        size = at_end or _form_in_front(name)
        if size and not at_end and not _ends_in_country(words):
            size = 0
        core = name[:-size] if size and at_end else name[size:]
        if size and _is_telling(core) and not _has_form_or_alias(words[place:]):
            return name
    return words


def _form_at_end(words: list[_Word]) -> int:
    """How many words the form at the end has."""
    sizes = range(1, min(forms()[1], len(words) - 1) + 1)
    return max((size for size in sizes if class_of(_keys(words[-size:]), True)), default=0)


def _form_in_front(words: list[_Word]) -> int:
    sizes = range(1, min(forms()[1], len(words) - 1) + 1)
    return max((size for size in sizes if class_of(_keys(words[:size]), True, in_front=True)), default=0)


def _is_owned(words: list[_Word]) -> bool:
    """A form in front says that the name is its owner's."""
    size = _form_in_front(words)
    return size > 0 and class_of(_keys(words[:size]), True, in_front=True) == SOLE_PROPRIETOR


def _ends_in_country(words: list[_Word]) -> bool:
    last = " ".join(word.key for word in words if word.segment == words[-1].segment)
    return words[-1].after_comma and country(last).value is not None


def _is_telling(words: list[_Word]) -> bool:
    return any(len(word.key) > 1 and latin_word(word.key) not in common_words() for word in words)


def _has_form_or_alias(words: list[_Word]) -> bool:
    if _ends_in_country(words):  # NL and DE are no forms behind a town
        words = [word for word in words if word.segment != words[-1].segment]
    for start in range(len(words)):
        if any(_keys(words[start : start + len(alias)]) == alias for alias in aliases()):
            return True
        for size in range(1, min(forms()[1], len(words) - start) + 1):
            if class_of(_keys(words[start : start + size]), words[start].stands_free):
                return True
    return False


def _spelt_out(text: str) -> tuple[str, list[str]]:
    """The text without marks of its medium (`&amp;`, number signs), and the classes of forms that stand at it
    without a space."""
    if "&" in text:
        text = html.unescape(text)
    if "{" in text:
        text = _SPELT_ACCENT.sub(r"\1", text)
    text = _NUMBER_SIGN.sub(" ", text)
    classes: list[str] = []
    if _SIGN.search(text):
        for form, kind in unspaced():
            if len(text) > len(form) and (text.startswith(form) or text.endswith(form)):
                text = text.removeprefix(form).removesuffix(form)
                classes.append(kind)
    return text, classes


def _arabic(key: str) -> str:
    """II as 2: numbers are compared as numbers."""
    if len(key) < 2 or not _ROMAN.fullmatch(key):
        return key
    values = [_ROMAN_VALUES[letter] for letter in key]
    return str(sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True)))


def _parse(raw: str) -> OrganisationName:
    text, attached = _spelt_out(clean(raw))
    words, classes = _strip(_without_seat(_words(text)))
    classes += attached
    form = next((kind for kind in classes if kind != "branch"), classes[0] if classes else None)
    if form == SOLE_PROPRIETOR:
        # Initials stand for themselves again: Иванов И.И.
        name = " ".join(" ".join(word.key) if word.is_dotted else word.key for word in words)
        return OrganisationName(parse_full_name(name).full or name or None, form)
    keys = [abbreviations().get(word.key, word.key) for word in words]
    core = " ".join(keys[:1] + [_arabic(key) for key in keys[1:]])
    return OrganisationName(core or None, form)


_parsed = Memo(_parse, 200_000)


def parse_legal_name(raw: str) -> OrganisationName:
    """The comparable name core and the class of the legal form; a name that is only a form keeps it as its
    core.

    The name of a sole proprietor is the owner's: `ИП Иванов Иван` -> иван иванов.
    """
    return OrganisationName(None, None) if is_placeholder(raw) else _parsed(raw)


def legal_name(raw: str) -> Form:
    """A legal name: shown as written, compared by its core. Invalid as `placeholder` or `no letters`."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    core = _parsed(raw).core
    if core is None or not any(ch.isalnum() for ch in core):
        return invalid(text, "no letters")
    return Form(text, core)


def legal_form(raw: str) -> Form:
    """A legal form by itself (`ООО`, `GmbH`) as its class (`llc`); unknown ones keep their words."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    words = tuple(comparable(_DOTTED.sub(lambda match: match[0].replace(".", ""), text)).split())
    return Form(text, class_of(words, True) or " ".join(words) or None)

"""Names of organisations: the name core without its legal form, and the class of the form.

rigour knows the forms of many countries; identity/data/legal_forms.yaml adds what it lacks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from rigour.names import extract_org_types

from identity.standard.form import Form, Memo, invalid
from identity.standard.persons import parse_full_name
from identity.standard.text import clean, comparable, is_placeholder
from identity.standard.vocabulary import load

SOLE_PROPRIETOR = "sole_proprietor"


class OrganisationName(NamedTuple):
    """An organisation's name: the comparable core, and the class of its legal form (`llc`) or None."""

    core: str | None
    legal_form: str | None


_DOTTED = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.[ \-]?){2,}(?:[^\W\d_](?![^\W\d_]))?")
_AND = re.compile(r"[&+]")
_BOUNDARY = re.compile(r"[,;()«»\"“”„]")


@cache
def _forms() -> tuple[dict[tuple[str, ...], str], int, frozenset[tuple[str, ...]], tuple[tuple[str, ...], ...]]:
    """Words of a form -> its class; the longest form; forms for the edges only; words of affiliation."""
    data = load("legal_forms")
    table = {tuple(comparable(form).split()): kind for kind, forms in data["forms"].items() for form in forms}
    edges = frozenset(tuple(comparable(form).split()) for form in data["only_at_edges"])
    markers = tuple(tuple(comparable(marker).split()) for marker in data["markers"])
    return table, max(map(len, table)), edges, markers


@cache
def _not_forms() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(comparable(form).split()) for form in load("legal_forms")["not_forms"])


def _form_of_rigour(words: tuple[str, ...]) -> str | None:
    """The class of a form that rigour knows by these very words."""
    text = " ".join(words)
    found = extract_org_types(text, generic=True) or extract_org_types(text)
    if len(found) != 1 or found[0][0] != text:
        return None
    target = comparable(found[0][1]).replace(" ", "_")
    return str(load("legal_forms")["classes"].get(target, target))


_rigour_form: Final[Memo[tuple[str, ...], str]] = Memo(lambda words: _form_of_rigour(words) or "", 300_000)


def _class_of(words: tuple[str, ...], at_edge: bool) -> str:
    """The class of a legal form made of these words, where it may stand there; else empty."""
    table, _, edges, _ = _forms()
    if words in edges and not at_edge:
        return ""
    known = table.get(words)
    if known is not None:
        return known
    # A form of two letters is a word too often (AS Roma, SA, CO): rigour's short ones count at the edges
    # only.
    if len(words) == 1 and (len(words[0]) <= 2 or words[0].isdigit()) and not at_edge:
        return ""
    if words in _not_forms():
        return ""
    return _rigour_form(words) if len(words) <= 6 else ""


class _Word(NamedTuple):
    key: str
    is_dotted: bool
    stands_free: bool
    """Written with dots (N.V.), or beside a comma, bracket or quote: there even an ambiguous form is one."""


def _keys(words: list[_Word]) -> tuple[str, ...]:
    return tuple([word.key for word in words])


def _is_initials(key: str) -> bool:
    return len(key) == 2 and key not in load("legal_forms")["dotted_in_front"]


def _strip(words: list[_Word]) -> tuple[list[_Word], list[str]]:
    """What is left of a name without legal forms, and the classes of the forms, in order of their place."""
    _, longest, _, markers = _forms()
    classes: list[str] = []
    again = True
    while again and len(words) > 1:
        again = False
        for size in range(min(longest, len(words) - 1), 0, -1):
            if found := _class_of(_keys(words[-size:]), True):
                words, again = words[:-size], True
                classes.append(found)
                break
            if size == 1 and words[0].is_dotted and _is_initials(words[0].key):
                continue
            if found := _class_of(_keys(words[:size]), True):
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
            if found := _class_of(_keys(run), run[0].stands_free or run[-1].stands_free):
                classes.append(found)
                words = words[:start] + words[start + size :]
                break
        else:
            start += 1
    return words, classes


def _words(text: str) -> list[_Word]:
    """The comparable words of a name; `GmbH & Co. KG` keeps its form together without the sign."""
    words: list[_Word] = []
    for segment in _BOUNDARY.split(text):
        dotted = {comparable(match[0]).replace(" ", "") for match in _DOTTED.finditer(segment)}
        plain = _DOTTED.sub(lambda match: re.sub(r"[.\- ]", "", match[0]) + " ", segment)
        keys = comparable(_AND.sub(" and ", plain) if _AND.search(plain) else plain).split()
        keys = [
            key
            for place, key in enumerate(keys)
            if not (key in {"and", "und"} and keys[place + 1 : place + 2] in (["co"], ["cie"]))
        ]
        words += [
            _Word(key, key in dotted, place == len(keys) - 1 or place == 0 or key in dotted)
            for place, key in enumerate(keys)
        ]
    return words


def _parse(raw: str) -> OrganisationName:
    words, classes = _strip(_words(clean(raw)))
    core = " ".join(_keys(words))
    form = next((kind for kind in classes if kind != "branch"), classes[0] if classes else None)
    if form == SOLE_PROPRIETOR:
        return OrganisationName(parse_full_name(core).full or core, form)
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
    return Form(text, _class_of(words, True) or " ".join(words) or None)

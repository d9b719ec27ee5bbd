"""The tables behind organisations' names: which words are legal forms, where they may stand, what says little.

rigour knows the forms of many countries; identity/data/legal_forms.yaml adds what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from rigour.names import extract_org_types

from identity.shipped import shipped
from identity.standard.form import Memo
from identity.standard.latin import latin_key
from identity.standard.text import comparable

Words = tuple[str, ...]
"""The comparable words of a form or a name."""


@cache
def forms() -> tuple[dict[Words, str], int, frozenset[Words], tuple[Words, ...]]:
    """Words of a form -> its class; the longest form; forms for the edges only; words of affiliation."""
    data = shipped("legal_forms")
    table = {way: kind for kind, listed in data["forms"].items() for form in listed for way in _ways(form)}
    edges = frozenset(way for form in data["only_at_edges"] for way in _ways(form))
    markers = tuple(tuple(comparable(marker).split()) for marker in data["markers"])
    return table, max(map(len, table)), edges, markers


def _ways(form: str) -> Iterator[Words]:
    """A form's words, and the same with its single letters run together, as dots make them: sp z oo."""
    words = tuple(comparable(form).split())
    yield words
    for start in range(len(words)):
        end = start
        while end < len(words) and len(words[end]) == 1:
            end += 1
        if end - start > 1:
            yield (*words[:start], "".join(words[start:end]), *words[end:])


@cache
def unspaced() -> tuple[tuple[str, str], ...]:
    """Forms that stand at a name without a space, longest first, and their classes."""
    found = [(form, kind) for kind, listed in shipped("legal_forms")["unspaced"].items() for form in listed]
    return tuple(sorted(found, key=lambda pair: (-len(pair[0]), pair[0])))


@cache
def aliases() -> tuple[Words, ...]:
    """Words that say that another name follows."""
    return tuple(tuple(comparable(alias).split()) for alias in shipped("legal_forms")["aliases"])


@cache
def common_words() -> frozenset[str]:
    """Latin keys of the words that do not tell one organisation from another."""
    lists = shipped("organisation_words")
    return frozenset(
        word for name in ("stop", "common") for text in lists[name] for word in latin_key(comparable(str(text))).split()
    )


@cache
def abbreviations() -> dict[str, str]:
    """What registers cut short, and the word in full."""
    table = shipped("organisation_words")["abbreviations"]
    return {comparable(short): comparable(full) for full, ways in table.items() for short in ways}


@cache
def _only_at_end() -> frozenset[Words]:
    return frozenset(way for form in shipped("legal_forms")["only_at_end"] for way in _ways(form))


@cache
def _not_forms() -> frozenset[Words]:
    return frozenset(tuple(comparable(form).split()) for form in shipped("legal_forms")["not_forms"])


def _form_of_rigour(words: Words) -> str | None:
    """The class of a form that rigour knows by these very words."""
    text = " ".join(words)
    found = extract_org_types(text, generic=True) or extract_org_types(text)
    if len(found) != 1 or found[0][0] != text:
        return None
    target = comparable(found[0][1]).replace(" ", "_")
    return str(shipped("legal_forms")["classes"].get(target, target))


_rigour_form: Final[Memo[Words, str]] = Memo(lambda words: _form_of_rigour(words) or "", 300_000)


def class_of(words: Words, at_edge: bool, in_front: bool = False) -> str:
    """The class of a legal form made of these words, where it may stand there; else empty."""
    table, _, edges, _ = forms()
    if words in edges and not at_edge:
        return ""
    if words in _only_at_end() and (in_front or not at_edge):
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

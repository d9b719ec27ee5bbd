"""The word lists of standardisation, read once from identity/data when first asked for."""

from __future__ import annotations

from functools import cache

from identity.shipped import shipped
from identity.standard.text import comparable


@cache
def words(name: str) -> frozenset[str]:
    """A list of vocabulary.yaml, comparable."""
    return frozenset(comparable(str(word)) or str(word) for word in shipped("vocabulary")[name])


@cache
def mapping(name: str) -> dict[str, str]:
    """A table of vocabulary.yaml from comparable word to its standard word, whether written `a: b` or `b: [a,
    ...]`."""
    table: dict[str, str] = {}
    for key, value in shipped("vocabulary")[name].items():
        if isinstance(value, list):
            table.update((comparable(word), key) for word in value)
        else:
            table[comparable(key)] = value
    return table

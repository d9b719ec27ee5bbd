"""The word lists of standardisation, read once from identity/data when first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from identity.standard.text import comparable


@cache
def load(name: str) -> dict[str, Any]:
    """The content of `identity/data/<name>.yaml`."""
    loaded: dict[str, Any] = YAML(typ="safe").load(
        files("identity").joinpath("data", f"{name}.yaml").read_text("utf-8")
    )
    return loaded


@cache
def words(name: str) -> frozenset[str]:
    """A list of vocabulary.yaml, comparable."""
    return frozenset(comparable(str(word)) or str(word) for word in load("vocabulary")[name])


@cache
def mapping(name: str) -> dict[str, str]:
    """A table of vocabulary.yaml from comparable word to its standard word, whether written `a: b` or `b: [a,
    ...]`."""
    table: dict[str, str] = {}
    for key, value in load("vocabulary")[name].items():
        if isinstance(value, list):
            table.update((comparable(word), key) for word in value)
        else:
            table[comparable(key)] = value
    return table

"""`{name}` in the texts of a manifest: filled at the moment of the request, secrets included, and nowhere
else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_placeholder = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class MissingValue(LookupError):
    """A text needs a name that has no value."""


def names_in(value: Any) -> Iterator[str]:
    """The names that the texts in `value` need."""
    if isinstance(value, str):
        yield from _placeholder.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from names_in(item)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """`text` with every name replaced. Raises MissingValue."""

    def one(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            raise MissingValue(found[1])
        return str(value)

    return _placeholder.sub(one, text)


def render(value: Any, values: Mapping[str, Any]) -> Any:
    """A body or parameters with every name replaced; a text that is one name alone takes the value with its
    type.

    A member of an object or list whose names have no value yet is left out: no `since` on a full read, no
    cursor at first.
    """
    if isinstance(value, str):
        whole = _placeholder.fullmatch(value)
        if whole is None:
            return fill(value, values)
        if values.get(whole[1]) is None:
            raise MissingValue(whole[1])
        return values[whole[1]]
    if isinstance(value, Mapping):
        return dict(_present(value.items(), values))
    if isinstance(value, list | tuple):
        return [item for _, item in _present(enumerate(value), values)]
    return value


def _present(items: Any, values: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for name, item in items:
        try:
            yield name, render(item, values)
        except MissingValue:
            continue

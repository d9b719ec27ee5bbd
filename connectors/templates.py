"""`{name}` in the texts of a manifest: filled at the moment of the request, secrets included, and nowhere else.

A text may pass a value through one of `FILTERS`: `{after|quoted}`. Where a text is not enough, an object of directives
makes the value:

    {$join: " and ", $of: [...], $prefix: "WHERE "}   the items that have values, joined; left out when there is none
    {$if: since, $then: ..., $else: ...}              depends on whether a name has a value
    {$json: ...}                                      the JSON text of what stands inside
    {$base64: text}                                   the text's base64
    {$each: parents, $value: ..., $key: text}         a list of what {item} makes; an object with $key;
                                                      members of an item that is an object are names too
    {$append: owned, $to: [...]}                      the list, and behind it what the name holds
    {$merge: [{...}, "{fields}"]}                     one object of several
    {$query: {a: 1, b: {c: 2}}, $prefix: "call?"}     a query's text as PHP reads it: a=1&b[c]=2, percent-encoded
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from connectors.canonical import canonical

_placeholder = re.compile(r"\{([a-z_][a-z0-9_]*)(?:\|([a-z0-9]+))?\}")


class MissingValue(LookupError):
    """A text needs a name that has no value."""


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


FILTERS: Mapping[str, Callable[[Any], str]] = {
    "quoted": lambda value: ",".join(_quoted(item) for item in _items(value)),
    "escaped": lambda value: str(value).replace("\\", "\\\\").replace("'", "\\'"),
    "list": lambda value: ",".join(str(item) for item in _items(value)),
    "url": lambda value: quote(str(value), safe=""),
    "json": lambda value: canonical(value).decode(),
    "base64": lambda value: b64encode(str(value).encode()).decode(),
}
"""`quoted`: 'O''Neil', several with commas; `escaped`: O\\'Neil; `list`: with commas; `url`; `json`; `base64`."""


def names_in(value: Any) -> Iterator[str]:
    """The names that the texts in `value` need."""
    if isinstance(value, str):
        for name, _ in _placeholder.findall(value):
            yield name
    elif isinstance(value, Mapping):
        for directive in ("$if", "$each", "$append"):
            if directive in value:
                yield value[directive]
        inner = (name for item in value.values() for name in names_in(item))
        yield from (name for name in inner if not (name == "item" and "$each" in value))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from names_in(item)


def unknown_filters(value: Any) -> Iterator[str]:
    """Filters that the texts in `value` use and that do not exist."""
    if isinstance(value, str):
        yield from (name for _, name in _placeholder.findall(value) if name and name not in FILTERS)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from unknown_filters(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from unknown_filters(item)


def fill(text: str, values: Mapping[str, Any]) -> str:
    """`text` with every name replaced. Raises MissingValue."""

    def one(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            raise MissingValue(found[1])
        return FILTERS[found[2]](value) if found[2] else str(value)

    return _placeholder.sub(one, text)


def render(value: Any, values: Mapping[str, Any]) -> Any:
    """A body or parameters with every name replaced; a text that is one name alone takes the value with its type.

    A member of an object or list whose names have no value yet is left out: no `since` on a full read, no cursor at
    first. Raises MissingValue where there is nothing to leave out.
    """
    if isinstance(value, str):
        whole = _placeholder.fullmatch(value)
        if whole is None or whole[2]:
            return fill(value, values)
        if values.get(whole[1]) is None:
            raise MissingValue(whole[1])
        return values[whole[1]]
    if isinstance(value, Mapping):
        for directive, make in _DIRECTIVES.items():
            if directive in value:
                return make(value, values)
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


def _join(value: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    items = [str(item) for item in render(list(value["$of"]), values) if item != ""]
    if not items:
        raise MissingValue("$join")
    return f"{value.get('$prefix', '')}{value['$join'].join(items)}{value.get('$suffix', '')}"


def _if(value: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    branch = "$then" if values.get(value["$if"]) is not None else "$else"
    if branch not in value:
        raise MissingValue(value["$if"])
    return render(value[branch], values)


def _each(value: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    items = values.get(value["$each"])
    if items is None:
        raise MissingValue(value["$each"])
    rounds = [{**values, **(item if isinstance(item, Mapping) else {}), "item": item} for item in _items(items)]
    made = [render(value["$value"], one) for one in rounds]
    if "$key" not in value:
        return made
    return {fill(value["$key"], one): item for one, item in zip(rounds, made, strict=True)}


def _append(value: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any]:
    listed: list[Any] = render(list(value["$to"]), values)
    return listed + [item for item in _items(values.get(value["$append"]) or []) if item not in listed]


def _merge(value: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for part in render(list(value["$merge"]), values) for name, item in part.items()}


def _query(value: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    return f"{value.get('$prefix', '')}{urlencode(list(_pairs('', render(value['$query'], values))), quote_via=quote)}"


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping | list | tuple):
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _pairs(f"{name}[{key}]" if name else str(key), item)
    else:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)


_DIRECTIVES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Any]] = {
    "$join": _join,
    "$if": _if,
    "$each": _each,
    "$append": _append,
    "$merge": _merge,
    "$query": _query,
    "$json": lambda value, values: canonical(render(value["$json"], values)).decode(),
    "$base64": lambda value, values: b64encode(str(render(value["$base64"], values)).encode()).decode(),
}

"""Fields from a JSON Schema, as taps and sources describe their streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.fields import quoted
from connectors.page import FieldInfo

_depth = 6
_types = {"integer": "number", "number": "number", "boolean": "boolean", "object": "object", "array": "list"}
_formats = {"date-time": "timestamp", "date": "date"}


def fields_of(schema: Mapping[str, Any]) -> list[FieldInfo]:
    """The fields of a record's schema, nested ones as paths (`a.b`, `list[].c`), in its order."""
    return list(_walk(schema, "", 0))


def _walk(schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[FieldInfo]:
    properties = schema.get("properties")
    if depth > _depth or not isinstance(properties, Mapping):
        return
    for name, found in properties.items():
        inner = _meant(found)
        path = prefix + quoted(str(name))
        kind = _kind(inner)
        label = inner.get("title") if isinstance(inner.get("title"), str) else None
        yield FieldInfo(path, kind, label)
        if kind == "object":
            yield from _walk(inner, f"{path}.", depth + 1)
        elif kind == "list":
            items = _meant(inner.get("items"))
            yield from _walk(items, f"{path}[].", depth + 1)


def _meant(schema: Any) -> Mapping[str, Any]:
    """The alternative that is not null."""
    if not isinstance(schema, Mapping):
        return {}
    for word in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(word) or ():
            if isinstance(choice, Mapping) and choice.get("type") != "null":
                return {**choice, **({"title": schema["title"]} if "title" in schema else {})}
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    named = schema.get("type")
    kinds = [kind for kind in (named if isinstance(named, list) else [named]) if kind not in (None, "null")]
    if "string" in kinds:
        return _formats.get(str(schema.get("format")), "text")
    if not kinds:
        return "object" if "properties" in schema else "text"
    return _types.get(str(kinds[0]), "text")

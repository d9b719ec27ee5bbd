"""What an OData service offers, by its `$metadata` document: entity sets with their keys, properties and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from connectors.page import FieldInfo, StreamInfo


@dataclass(slots=True)
class _Type:
    base: str | None
    keys: list[str] = field(default_factory=list)
    fields: list[FieldInfo] = field(default_factory=list)


_KINDS: Mapping[str, str] = {
    "Edm.Boolean": "boolean", "Edm.Date": "date", "Edm.DateTime": "timestamp", "Edm.DateTimeOffset": "timestamp",
    "Edm.Byte": "number", "Edm.SByte": "number", "Edm.Int16": "number", "Edm.Int32": "number", "Edm.Int64": "number",
    "Edm.Single": "number", "Edm.Double": "number", "Edm.Decimal": "number",
}  # fmt: skip


class _Reader:
    """Gathers types and sets while the document is parsed."""

    def __init__(self) -> None:
        self.types: dict[str, _Type] = {}
        self.sets: list[tuple[str, str]] = []
        self._namespace, self._type = "", _Type(None)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "Schema":
                self._namespace = attributes.get("Namespace", "")
            case "EntityType" | "ComplexType":
                self._type = _Type(attributes.get("BaseType"))
                self.types[f"{self._namespace}.{attributes.get('Name', '')}"] = self._type
            case "PropertyRef":
                self._type.keys.append(attributes.get("Name", ""))
            case "Property":
                self._type.fields.append(
                    FieldInfo(
                        attributes.get("Name", ""), _kind(attributes.get("Type", "")), attributes.get("sap:label")
                    )
                )
            case "EntitySet":
                self.sets.append((attributes.get("Name", ""), attributes.get("EntityType", "")))

    def stream(self, name: str, type_name: str) -> StreamInfo:
        """An entity set with what its type inherits."""
        keys: list[str] = []
        fields: list[FieldInfo] = []
        seen: set[str] = set()
        following: str | None = type_name
        while following in self.types and following not in seen:
            seen.add(following)
            one = self.types[following]
            keys, fields, following = one.keys + keys, one.fields + fields, one.base
        return StreamInfo(name, keys[0] if len(keys) == 1 else keys or None, tuple(fields))


def _kind(name: str) -> str:
    if name.startswith("Collection("):
        return "list"
    return _KINDS.get(name, "text" if name.startswith("Edm.") else "object")


def entity_sets(document: bytes) -> list[StreamInfo]:
    """The entity sets of a `$metadata` document. Raises ValueError if it is none, or declares entities of its own."""
    reader, parser = _Reader(), expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise ValueError("the document has a DOCTYPE")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = reader.start
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise ValueError(f"not XML: {error}") from None
    return [reader.stream(name, type_name) for name, type_name in reader.sets]

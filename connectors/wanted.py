"""What a connector must be told before it can read: its settings, and which of them are secrets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from connectors.manifest import Manifest
from connectors.registry import settings_schema, shipped

_OF_ONEFOLD = frozenset({"base_dir", "cache_dir", "streams"})
"""Settings that the hub or the source's streams give."""


@dataclass(frozen=True, slots=True)
class WantedSetting:
    """One setting of a connector."""

    name: str
    about: str
    is_secret: bool
    is_needed: bool
    """Nothing can be read without it. Of credentials one way of several is enough: see `missing`."""


def settings_of(connector: str) -> list[WantedSetting]:
    """The connector's settings, those first that it cannot do without. Raises SourceConfigurationError."""
    schema = settings_schema(connector)
    needed = set(schema.get("required", ()))
    found = [
        WantedSetting(name, one.get("description", ""), _is_secret(one), name in needed)
        for name, one in schema.get("properties", {}).items()
        if name not in _OF_ONEFOLD
    ]
    return sorted(found, key=lambda setting: not setting.is_needed)


def _is_secret(schema: dict[str, Any]) -> bool:
    return any(one.get("writeOnly") or one.get("format") == "password" for one in (schema, *schema.get("anyOf", ())))


def ways_in(connector: str) -> list[tuple[str, ...]]:
    """The sets of settings of which one must be complete to be let in; the shortest first, () if none is needed.

    Settings that are needed anyway or have a value by default are left out. Only manifests of HTTP APIs tell; of
    other connectors there are none.
    """
    manifest = shipped(connector)
    if not isinstance(manifest, Manifest):
        return []
    needed = {setting.name for setting in settings_of(connector) if setting.is_needed}
    asked = {name for name, parameter in manifest.parameters.items() if not parameter.default} - needed
    ways = [tuple(name for name in manifest.parameters if name in way.needs() & asked) for way in manifest.auth]
    return sorted(ways, key=len)


def missing(connector: str, given: Collection[str]) -> list[WantedSetting]:
    """What must still be given: the needed settings, and the shortest way in where none is complete."""
    settings = {setting.name: setting for setting in settings_of(connector)}
    lacking = [setting for setting in settings.values() if setting.is_needed and setting.name not in given]
    ways = ways_in(connector)
    if ways and not any(set(way) <= set(given) for way in ways):
        lacking += [settings[name] for name in ways[0] if name not in given]
    return lacking


def welcome(connector: str, given: Collection[str]) -> list[WantedSetting]:
    """What a system that lets everybody in may be told besides: the shortest way with credentials, where none was."""
    settings = {setting.name: setting for setting in settings_of(connector)}
    ways = ways_in(connector)
    if not ways or ways[0] or any(way and set(way) <= set(given) for way in ways):
        return []
    return [settings[name] for name in next(filter(None, ways), ()) if name not in given]

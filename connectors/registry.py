"""Connectors by name, from the entry-point group `onefold.connectors`; built-ins register the same way as
third parties' do.

An entry point names a class with `settings_model` (a pydantic model), called as `class(source, settings)`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Protocol, Self, cast

from pydantic import BaseModel

from connectors.errors import SourceConfigurationError
from connectors.page import Connector

GROUP = "onefold.connectors"


class OpenConnector(Connector, AbstractContextManager["OpenConnector"], Protocol):
    """A connector that closes itself at the end of a `with`."""

    def __enter__(self) -> Self: ...


class ConnectorClass(Protocol):
    """What an entry point names."""

    settings_model: ClassVar[type[BaseModel]]

    def __call__(self, source: str, settings: Any) -> OpenConnector: ...


def _registered() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.get(point.name)
        if other is not None and other.value != point.value:
            raise SourceConfigurationError(
                f"two packages register the connector {point.name!r}: {other.value} and {point.value}",
                hint="Uninstall one",
            )
        found[point.name] = point
    return found


def names() -> list[str]:
    """The connectors that are installed, sorted."""
    return sorted(_registered())


def connector_class(name: str) -> ConnectorClass:
    """The class behind a name. Raises SourceConfigurationError with the nearest known name."""
    known = _registered()
    point = known.get(name)
    if point is None:
        near = difflib.get_close_matches(name, known, 1)
        hint = (
            f"Did you mean {near[0]!r}?"
            if near
            else f"Known: {', '.join(sorted(known)) or 'none; is onefold installed?'}"
        )
        raise SourceConfigurationError(f"there is no connector {name!r}", hint=hint)
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        message = f"the connector {name!r} cannot be loaded from {point.value} ({type(error).__name__}: {error})"
        raise SourceConfigurationError(message) from error
    if not issubclass(getattr(found, "settings_model", object), BaseModel):
        raise SourceConfigurationError(f"the connector {name!r} ({point.value}) has no `settings_model`")
    return cast(ConnectorClass, found)


def describe(name: str) -> str:
    """One line on what a connector reads. Raises SourceConfigurationError."""
    text = connector_class(name).__doc__ or ""
    return text.strip().split("\n")[0]


def settings_model(name: str) -> type[BaseModel]:
    """The pydantic model of a connector's settings. Raises SourceConfigurationError."""
    return connector_class(name).settings_model


def settings_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a connector's settings. Raises SourceConfigurationError."""
    return settings_model(name).model_json_schema(by_alias=True)


def open_connector(name: str, source: str, settings: Mapping[str, Any] | BaseModel) -> OpenConnector:
    """A connector for one source, to be used in a `with`. Nothing connects before it is asked to.

    Raises SourceConfigurationError that names every mistake in the settings, without their values.
    """
    return connector_class(name)(source, settings)

"""Connectors by name, from the entry-point group `onefold.connectors`; built-ins register as third parties do.

An entry point names a class with `settings_model` (a pydantic model), called as `class(source, settings)`; or a package
(no `:name`), which is a catalogue: every `NAME.yaml` in its folder is a manifest and becomes the connector NAME.
A class with `of` reads other people's packages: `singer:tap-x` is `SingerConnector.of("tap-x")`.
Hooks, which manifests name, stand in the group `onefold.hooks`.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, cast

from pydantic import BaseModel

from connectors.errors import SourceConfigurationError
from connectors.page import Connector
from connectors.tokens import KeepsTokens, TokenStore

GROUP = "onefold.connectors"
HOOKS = "onefold.hooks"


class OpenConnector(Connector, AbstractContextManager["OpenConnector"], Protocol):
    """A connector that closes itself at the end of a `with`."""

    def __enter__(self) -> Self: ...


class ConnectorClass(Protocol):
    """What an entry point names."""

    settings_model: ClassVar[type[BaseModel]]

    def __call__(self, source: str, settings: Any) -> OpenConnector: ...


def _registered() -> Mapping[str, EntryPoint | Path]:
    """Connectors by name: an entry point, or a manifest's file."""
    return registered_on(tuple(sys.path))


@cache
def registered_on(path: tuple[str, ...]) -> Mapping[str, EntryPoint | Path]:  # noqa: ARG001 - what it is remembered by
    """The same, looked for once per search path: that reads the metadata of every package installed."""
    found: dict[str, EntryPoint | Path] = {}
    for name, what in _entries():
        other = found.get(name)
        if other is not None and _place(other) != _place(what):
            raise SourceConfigurationError(
                f"two packages register the connector {name!r}: {_place(other)} and {_place(what)}",
                hint="Uninstall one",
            )
        found[name] = what
    return found


def _entries() -> Iterator[tuple[str, EntryPoint | Path]]:
    for point in entry_points(group=GROUP):
        if ":" in point.value:
            yield point.name, point
        else:
            yield from ((path.stem, path) for path in _manifests(point))


def _manifests(point: EntryPoint) -> Iterator[Path]:
    try:
        spec = find_spec(point.value)
    except ImportError:
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise SourceConfigurationError(
            f"the catalogue {point.value!r} cannot be found",
            hint="It is a package with its manifests, or `module:class` for one connector",
        )
    for folder in folders:
        yield from sorted(Path(folder).glob("*.yaml"))


def _place(what: EntryPoint | Path) -> str:
    return "/".join(what.parts[-3:]) if isinstance(what, Path) else what.value


def names() -> list[str]:
    """The connectors that are installed, sorted."""
    return sorted(_registered())


def connector_class(name: str) -> ConnectorClass:
    """The class behind a name. Raises SourceConfigurationError with the nearest known name."""
    known = _registered()
    family, colon, package = name.partition(":")
    point = known.get(family)
    # Not `isinstance(point, EntryPoint)`: once a package (of Airflow's) imports importlib_metadata, they are its own.
    if colon and point and not isinstance(point, Path) and hasattr(found := _loaded(point, "connector"), "of"):
        return cast(ConnectorClass, found.of(package))
    point = known.get(name)
    if point is None:
        near = difflib.get_close_matches(name, known, 1)
        hint = (
            f"Did you mean {near[0]!r}?"
            if near
            else f"Known: {', '.join(sorted(known)) or 'none; is onefold installed?'}"
        )
        raise SourceConfigurationError(f"there is no connector {name!r}", hint=hint)
    if isinstance(point, Path):
        return _from_manifest(point)
    found = _loaded(point, "connector")
    if not issubclass(getattr(found, "settings_model", object), BaseModel):
        raise SourceConfigurationError(f"the connector {name!r} ({point.value}) has no `settings_model`")
    return cast(ConnectorClass, found)


def _loaded(point: EntryPoint, what: str) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        message = f"the {what} {point.name!r} cannot be loaded from {point.value} ({type(error).__name__}: {error})"
        raise SourceConfigurationError(message) from error


@cache
def _from_manifest(path: Path) -> ConnectorClass:
    from connectors.manifest_file import read_manifest

    if read_manifest(path, path.stem).get("connector") == "files":
        from connectors.files.system import files_connector

        return cast(ConnectorClass, files_connector(path))
    from connectors.rest.shipped import manifest_connector

    return cast(ConnectorClass, manifest_connector(path))


def hook(name: str) -> Callable[..., Any]:
    """The code that a manifest names. Raises SourceConfigurationError with the nearest known name."""
    points = {point.name: point for point in entry_points(group=HOOKS)}
    if name not in points:
        near = difflib.get_close_matches(name, points, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"A package registers it in the group {HOOKS}"
        raise SourceConfigurationError(f"there is no hook {name!r}", hint=hint)
    return cast(Callable[..., Any], _loaded(points[name], "hook"))


def describe(name: str) -> str:
    """One line on what a connector reads. Raises SourceConfigurationError."""
    text = connector_class(name).__doc__ or ""
    return text.strip().split("\n")[0]


def shipped(name: str) -> Any:
    """The manifest that a catalogue ships for a connector, with its ready mappings; None for other connectors."""
    return getattr(connector_class(name), "shipped", None)


def settings_model(name: str) -> type[BaseModel]:
    """The pydantic model of a connector's settings. Raises SourceConfigurationError."""
    return connector_class(name).settings_model


def settings_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a connector's settings, the caller's own. Raises SourceConfigurationError."""
    return deepcopy(_schema_of(settings_model(name)))


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def open_connector(
    name: str, source: str, settings: Mapping[str, Any] | BaseModel, tokens: TokenStore | None = None
) -> OpenConnector:
    """A connector for one source, to be used in a `with`. Nothing connects before it is asked to.

    `tokens` keeps what the source hands out (refresh tokens that rotate); without it, only for this process.
    Raises SourceConfigurationError that names every mistake in the settings, without their values.
    """
    opened = connector_class(name)(source, settings)
    if tokens is not None and isinstance(opened, KeepsTokens):
        opened.keep_tokens(tokens)
    return opened

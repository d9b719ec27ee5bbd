"""What `write_back` of a stream needs of its connector, its mapping and the attributes."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from onefold.configuration.errors import Problem
from onefold.configuration.model import Configuration
from onefold.configuration.sources import SourceConfiguration, StreamConfiguration
from onefold.configuration.tree import Document
from onefold.configuration.write_back import CLIENT_VALUES, reads
from onefold.nearest import did_you_mean


def check_write_back(
    configuration: Configuration, document: Document, source: SourceConfiguration, name: str
) -> Iterator[Problem]:
    """The problems of one stream's `write_back`."""
    stream = source.streams[name]
    rule = stream.write_back
    if rule is None:
        return
    at = ("streams", name, "write_back")
    if stream.kind != "party":
        message = "only persons and organisations have a client, whose values could be written back."
        yield document.problem(at, message, key=True)
    known = [
        *CLIENT_VALUES,
        *configuration.attributes,
        *(f"segment.{name}" for name in configuration.segments.schemes),
        *(f"need.{name}" for name in configuration.needs.needs),
    ]
    for field, what in rule.fields.items():
        if what.value not in known:
            path = (*at, "fields", field)
            yield document.problem(
                path, f"`{what.value}` is no known attribute, scheme or need.", did_you_mean(what.value, known, limit=9)
            )
    yield from _against_manifest(document, source, name, stream)


def _against_manifest(
    document: Document, source: SourceConfiguration, name: str, stream: StreamConfiguration
) -> Iterator[Problem]:
    """Where a catalogue ships the manifest; what is inline or made of code is looked at when it is opened."""
    rule, write = stream.write_back, _shipped_write(source.connector, name)
    if rule is None or write is None or "write" in stream.options:
        return
    at = ("streams", name, "write_back")
    if write is False:
        yield document.problem(at, f"`{source.connector}` cannot write this stream back.", key=True)
        return
    for field in rule.fields:
        path = (*at, "fields", field)
        if not write.may_write(field):
            hint = f"Names of fields that can: {write.fields}"
            yield document.problem(path, f"`{field}` cannot be written.", hint, key=True)
        elif (reader := reads(stream, write.path_of(field))) is not None:
            hint = "Write to a field of its own."
            message = f"`{field}` is read by the mapping (`{reader}`): the hub would take its own words for evidence."
            yield document.problem(path, message, hint, key=True)


def _shipped_write(connector: str, stream: str) -> Any:
    """The manifest's part; False: nothing is ever written there; None: it is known only when the source is opened."""
    from connectors.errors import SourceConfigurationError

    try:
        registry = importlib.import_module("connectors.registry")
        known, shipped = registry.connector_class(connector), registry.shipped(connector)
    except (ModuleNotFoundError, SourceConfigurationError):  # told elsewhere
        return None
    if not all(hasattr(known, name) for name in ("writing", "write", "look")):
        return False
    if shipped is None or stream not in shipped.streams:
        return None
    return shipped.streams[stream].write or False

"""Short forms of protocols: `protocol: {kind: odata, version: 4}` lets a stream say `entity: Customers` and no more.

A protocol is a function from the manifest as it is written to the same manifest in the closed set of parts; nothing
reads a stream differently afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.protocols import frappe, jsonrpc, odata

Expand = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]

PROTOCOLS: Mapping[str, Expand] = {"odata": odata.expand, "jsonrpc": jsonrpc.expand, "frappe": frappe.expand}


def expand(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its protocol's short forms written out. Raises ValueError with the place of a mistake."""
    if "protocol" not in manifest:
        return dict(manifest)
    settings = manifest["protocol"]
    if isinstance(settings, str):
        settings = {"kind": settings}
    kind = str(settings.get("kind")) if isinstance(settings, Mapping) else ""
    if kind not in PROTOCOLS:
        raise ValueError(f"protocol.kind is one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[kind](settings, manifest)


def expand_stream(protocol: Any, stream: Mapping[str, Any]) -> dict[str, Any]:
    """A stream that the user adds to a manifest, written out. Raises ValueError."""
    if protocol is None:
        return dict(stream)
    made: dict[str, Any] = expand({"protocol": protocol, "streams": {"it": stream}})["streams"]["it"]
    return made


def is_odata(protocol: Any) -> bool:
    """The manifest speaks OData, whose entity sets are streams by their names."""
    return (protocol.get("kind") if isinstance(protocol, Mapping) else protocol) == "odata"

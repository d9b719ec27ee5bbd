"""OData's dialects: 2 (`d.results`, `__next`), 3 (`value`, `odata.nextLink`), 4 (`value`, `@odata.nextLink`).

protocol: {kind: odata, version: 4, page_size: 1000}
streams:
  customers: {entity: Customers, key: ID, modified: ModifiedAt, select: [ID, Name], filter: "IsActive eq true"}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from connectors.protocols.sweeping import with_keys
from connectors.settings import Settings

Records = tuple[str, ...]


class ODataProtocol(Settings):
    """The dialect, and how its pages are asked for."""

    kind: Literal["odata"] = "odata"
    version: Literal[2, 3, 4] = 4
    paging: Literal["next", "skip", "keyset"] | None = Field(
        default=None,
        description="next: the server's links (2 and 4); skip: $skip and $top (3); keyset: behind the last key.",
    )
    page_size: int = Field(default=1000, ge=1)
    times: str | None = Field(
        default=None, description="Format of times in filters: iso (4), odata (2, 3: datetime'..'), odata_offset."
    )
    format: bool | None = Field(default=None, description="Ask with $format=json (2 and 3) beside the Accept header.")
    delta: bool = Field(
        default=False, description="2 and 4: `Prefer: odata.track-changes`, then the delta link of the last page."
    )
    overlap: int = Field(default=1, ge=0, description="With skip: records read again, so that a shifted page shows.")


class ODataStream(Settings):
    """The short form of a stream."""

    entity: str
    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    filter: str | None = None
    modified: str | None = Field(default=None, description="The property that holds the time of change.")
    key_type: Literal["text", "number", "guid"] = "text"
    order: str | None = Field(default=None, description="For $orderby; with skip and keyset the key if not given.")
    paging_by: Literal["next", "skip", "keyset"] | None = None
    delta: bool | None = None


_RECORDS: Mapping[int, Records] = {2: ("d.results", "d", "value"), 3: ("value", "d.results"), 4: ("value",)}
_DELTA = {2: "d.__delta", 4: "'@odata.deltaLink'"}
_NEXT = {2: "d.__next", 3: "'odata.nextLink'", 4: "'@odata.nextLink'"}


def expand(settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its entities written out. Raises ValueError."""
    protocol = ODataProtocol.model_validate(settings)
    streams = {
        name: _stream(protocol, stream) if isinstance(stream, Mapping) and "entity" in stream else stream
        for name, stream in (manifest.get("streams") or {}).items()
    }
    headers = {"Accept": "application/json", **_versions(protocol.version), **manifest.get("headers", {})}
    errors = [*manifest.get("errors", ()), *_errors(protocol.version)]
    return {**manifest, "headers": headers, "errors": errors, "streams": streams}


def _versions(version: int) -> dict[str, str]:
    if version == 4:
        return {"OData-Version": "4.0", "OData-MaxVersion": "4.01"}
    return {"DataServiceVersion": f"{version}.0", "MaxDataServiceVersion": f"{version}.0"}


def _errors(version: int) -> list[dict[str, Any]]:
    """What OData says in an error's body, for the message."""
    words = "error.message" if version == 4 else "error.message.value"
    return [
        {"path": "error", "message": words, "status": [400, 422, 501], "then": "fail"},
        {
            "path": "'odata.error'",
            "message": "'odata.error'.message.value",
            "status": [400, 422, 500, 501],
            "then": "fail",
        },
    ]


def _stream(protocol: ODataProtocol, stream: Mapping[str, Any]) -> dict[str, Any]:
    names = set(ODataStream.model_fields)
    short = ODataStream.model_validate({name: value for name, value in stream.items() if name in names})
    rest = {name: value for name, value in stream.items() if name not in names}
    key = rest.get("key")
    paging, params, headers = _paging(protocol, short, key)
    conditions = [
        *([short.filter] if short.filter else []),
        *([f"{short.modified} ge {{since}}"] if short.modified else []),
        *([f"{key} gt {_literal(protocol.version, short.key_type)}"] if paging["kind"] == "keyset" else []),
    ]
    if conditions:
        params["$filter"] = {"$join": " and ", "$of": conditions}
    if short.select:
        params["$select"] = ",".join(short.select)
    if short.expand:
        params["$expand"] = ",".join(short.expand)
    if protocol.format if protocol.format is not None else protocol.version < 4:
        params["$format"] = "json"
    made: dict[str, Any] = {"path": short.entity, "records": list(_RECORDS[protocol.version]), "paging": paging}
    if protocol.version != 3:
        # A bare number in text/plain, which is JSON too.
        made["count"] = {
            "path": f"{short.entity}/$count", "headers": {"Accept": "text/plain, */*"},
            "params": {"$filter": short.filter} if short.filter else {},
        }  # fmt: skip
    if short.modified:
        made["updated_at"] = short.modified
        times = protocol.times or ("iso" if protocol.version == 4 else "odata")
        made["changes"] = {"format": times, **rest.pop("changes", {})}
    if short.delta if short.delta is not None else protocol.delta:
        if protocol.version not in _DELTA:
            raise ValueError(f"entity {short.entity}: OData {protocol.version} has no delta")
        made["changes"] = {
            "kind": "delta", "link": _DELTA[protocol.version], "first": {"Prefer": "odata.track-changes"},
            **rest.pop("changes", {}),
        }  # fmt: skip
        made["deletes"] = _gone(protocol.version)
    if "deletes" in rest:
        alone = {name: value for name, value in params.items() if name != "$expand"}
        parts = [key] if isinstance(key, str) else list(key or ())
        question = {"params": {**alone, **rest.get("params", {}), "$select": ",".join(parts)}} if parts else None
        rest["deletes"] = with_keys(rest["deletes"], question)
    made |= {name: value for name, value in rest.items() if name not in ("params", "headers")}
    return {
        **made,
        "params": {**params, **rest.get("params", {})},
        "headers": {**headers, **rest.get("headers", {})},
    }


_ENTITY_ID = r"^(?:.*\((?:guid')?['\"]?)?([^()'\"]+?)(?:['\"]?\))?$"
"""A deleted entity is named by its id: `Customers('ALFKI')`, a whole address, or the key alone."""


def _gone(version: int) -> list[dict[str, Any]]:
    """How a delta names what was deleted: 2 in `__metadata` (SAP), 4.01 by `@removed`, 4.0 by its context."""
    named: dict[str, Any] = {"kind": "delta", "pattern": _ENTITY_ID}
    if version == 2:
        return [{**named, "path": "__metadata.deleted", "key": "__metadata.uri"}]
    return [
        {**named, "key": "'@id'"},
        {"kind": "delta"},
        {**named, "path": "'@odata.context'", "ends_with": "$deletedEntity", "key": "id"},
    ]


def _literal(version: int, key_type: str) -> str:
    if key_type == "guid":
        return "{after}" if version == 4 else "guid'{after}'"
    return "{after}" if key_type == "number" else "{after|quoted}"


def _paging(
    protocol: ODataProtocol, short: ODataStream, key: Any
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The paging, and the parameters and headers that it wants."""
    way = short.paging_by or protocol.paging or ("skip" if protocol.version == 3 else "next")
    params: dict[str, Any] = {}
    order = short.order or (", ".join([key] if isinstance(key, str) else key or []) if way != "next" else "")
    if order:
        params["$orderby"] = order
    if way == "next":
        headers = {"Prefer": f"odata.maxpagesize={protocol.page_size}"} if protocol.version == 4 else {}
        # Services behind a proxy write their inner name into their links (SAP CAP's adapter: localhost).
        return {"kind": "next_url", "path": _NEXT[protocol.version], "keep_host": True}, params, headers
    if not isinstance(key, str) and (way == "keyset" or not order):
        raise ValueError(f"entity {short.entity}: paging by {way} needs `key`: one property")
    if way == "keyset":
        return {"kind": "keyset", "key": key, "limit": protocol.page_size, "limit_param": "$top"}, params, {}
    paging = {
        "kind": "offset", "param": "$skip", "limit_param": "$top", "limit": protocol.page_size,
        "overlap": min(protocol.overlap, protocol.page_size - 1),
    }  # fmt: skip
    return paging, params, {}

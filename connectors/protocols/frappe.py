"""Frappe's REST interface, on which ERPNext stands: a document type is a list at `resource/{doctype}`.

protocol: {kind: frappe}
streams:
  customers: {doctype: Customer, filters: [[disabled, "=", 0]]}
  order_items: {doctype: Sales Order Item, child_of: Sales Order}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from connectors.settings import Settings


class FrappeProtocol(Settings):
    """How pages are asked for."""

    kind: Literal["frappe"] = "frappe"
    page_size: int = Field(default=500, ge=1)


class DoctypeStream(Settings):
    """The short form of a stream."""

    doctype: str
    child_of: str | None = Field(
        default=None, description="Rows of a child table: the document type whose right counts."
    )
    filters: tuple[Any, ...] = Field(default=(), description="Conditions: [field, operator, value].")
    fields: tuple[str, ...] = Field(default=("*",), description="Without it all of the document's own columns.")


_ERRORS: list[dict[str, Any]] = [
    {"path": "exc_type", "status": [401], "then": "credentials", "message": "exception"},
    {"path": "exc_type", "status": [400, 404, 417], "message": "exception"},
    # A column that is not there is no passing fault.
    {
        "path": "exc_type", "status": [500], "message": "exception",
        "equals": ["OperationalError", "ProgrammingError", "DataError", "TypeError"],
    },
]  # fmt: skip


def expand(settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its document types written out. Raises ValueError."""
    protocol = FrappeProtocol.model_validate(settings)
    streams = {
        name: _stream(protocol, stream) if isinstance(stream, Mapping) and "doctype" in stream else stream
        for name, stream in (manifest.get("streams") or {}).items()
    }
    return {**manifest, "streams": streams, "errors": [*manifest.get("errors", ()), *_ERRORS]}


def _stream(protocol: FrappeProtocol, stream: Mapping[str, Any]) -> dict[str, Any]:
    names = set(DoctypeStream.model_fields)
    short = DoctypeStream.model_validate({name: value for name, value in stream.items() if name in names})
    sweep = {"kind": "sweep", "every": "1d"}
    made = {
        **_list(protocol, short.doctype, [*short.filters], list(short.fields), "modified"),
        "key": "name",
        "updated_at": "modified",
        "changes": {"format": "sql"},
        "deletes": [sweep],
    }
    if short.child_of is not None:
        made["params"]["parent"] = short.child_of
    else:
        filters = {"filters": {"$json": [*short.filters]}} if short.filters else {}
        params = {"doctype": short.doctype, **filters}
        made["count"] = {"path": "method/frappe.client.get_count", "params": params, "at": "message"}
        # The bin does not know of renamed documents, nor of a name that was given again: the sweep does.
        made["deletes"] = [{"kind": "tombstones", **_bin(protocol, short.doctype), "key": "deleted_name"}, sweep]
    return {**made, **{name: value for name, value in stream.items() if name not in names}}


def _bin(protocol: FrappeProtocol, doctype: str) -> dict[str, Any]:
    filters = [["deleted_doctype", "=", doctype], ["restored", "=", 0]]
    return _list(protocol, "Deleted Document", filters, ["name", "deleted_name", "creation"], "creation")


def _list(
    protocol: FrappeProtocol, doctype: str, filters: list[Any], fields: list[str], changed: str
) -> dict[str, Any]:
    """A list behind the last name, in its order: nothing shifts while it changes."""
    conditions = [*filters, ["name", ">", "{after}"], {"$if": "since", "$then": [changed, ">=", "{since}"]}]
    return {
        "path": f"resource/{doctype}",
        "params": {"fields": {"$json": fields}, "order_by": "name asc", "filters": {"$json": conditions}},
        "records": "data",
        "paging": {
            "kind": "keyset",
            "key": "name",
            "start": "",
            "limit": protocol.page_size,
            "limit_param": "limit_page_length",
        },
    }

"""What Metabase should know of the served views: names, meanings, keys, foreign keys, formats; sent by its API.

The calls: `GET /api/database`, `GET /api/database/:id/metadata`, `PUT /api/table/:id`, `PUT /api/field/:id`, with an
API key in `X-API-Key` (https://www.metabase.com/docs/latest/api). Sending twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx

from onefold.errors import NothingFound, OnefoldError
from warehouse.contract import Contract, ServedColumn, ServedView

KEY_VARIABLE: Final = "METABASE_API_KEY"
Language = Literal["en", "ru"]
_SEMANTIC: Final = {
    "display_name": "type/Name",
    "legal_name": "type/Company",
    "birth_date": "type/Birthdate",
    "email": "type/Email",
    "url": "type/URL",
    "country": "type/Country",
    "region": "type/State",
    "city": "type/City",
    "postcode": "type/ZipCode",
    "amount": "type/Currency",
    "unit_price": "type/Currency",
    "quantity": "type/Quantity",
    "summary": "type/Description",
    "source": "type/Source",
}
_TECHNICAL: Final = frozenset({"changed_seq", "attributes", "lineage", "detail_schema"})
"""Shown in a row's details, not in tables."""


def metadata(contract: Contract, language: Language = "en") -> dict[str, Any]:
    """Tables and fields by name, with the properties that Metabase's API takes; foreign keys as `table.field`."""
    return {"schema": "onefold_v1", "tables": [_table(view, language) for view in contract.views]}


def _table(view: ServedView, language: Language) -> dict[str, Any]:
    fields = [_field(view, column, language) for column in view.columns]
    return {"name": view.name, "description": view.meaning, "fields": fields}


def _field(view: ServedView, column: ServedColumn, language: Language) -> dict[str, Any]:
    name = column.column_name
    found: dict[str, Any] = {
        "name": name,
        "description": column.meaning_en,
        "semantic_type": _SEMANTIC.get(name),
        "visibility_type": "details-only" if name in _TECHNICAL else "normal",
    }
    if language == "ru" and column.label_ru:
        found["display_name"] = column.label_ru
    if column.allowed_values:
        found |= {"semantic_type": "type/Category", "has_field_values": "list"}
    if column.refers_to:
        found |= {"semantic_type": "type/FK", "fk_target": column.refers_to}
    if view.key == (name,):
        found["semantic_type"] = "type/PK"
    if column.data_type == "numeric":
        found["settings"] = {"number_separators": ", " if language == "ru" else ".,"}
    elif column.data_type == "bigint" and name.endswith(("_id", "_key")):
        # An id of 64 bits is a name, not a figure: no separators of thousands.
        found["settings"] = {"number_separators": "."}
    return found


class MetabaseRefused(OnefoldError):
    """Metabase did not take it; the message names the call and the status."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What Metabase was told."""

    tables: int
    fields: int
    unknown: tuple[str, ...]
    """Views and columns (`view.column`) that Metabase has not seen yet: let it sync the schema, then send again."""


def send(client: httpx.Client, wanted: Mapping[str, Any], database: str | None) -> Sent:
    """Bring Metabase's metadata up to `wanted`; only what differs is written.

    `client` has Metabase's address and key. `database` names the connection in Metabase; None: the only one that has
    the schema. Raises NothingFound (no such connection), MetabaseRefused.
    """
    known = _tables(client, wanted["schema"], database)
    ids = {f"{t['name']}.{f['name']}": f["id"] for t in known.values() for f in t["fields"]}
    tables = fields = 0
    unknown = []
    for table in wanted["tables"]:
        there = known.get(table["name"])
        if there is None:
            unknown.append(table["name"])
            continue
        tables += _put(client, f"/api/table/{there['id']}", {"description": table["description"]}, there)
        has = {field["name"]: field for field in there["fields"]}
        for field in table["fields"]:
            if field["name"] not in has:
                unknown.append(f"{table['name']}.{field['name']}")
                continue
            body = {key: value for key, value in field.items() if key not in ("name", "fk_target")}
            if "fk_target" in field and field["fk_target"] in ids:
                body["fk_target_field_id"] = ids[field["fk_target"]]
            fields += _put(client, f"/api/field/{has[field['name']]['id']}", body, has[field["name"]])
    return Sent(tables, fields, tuple(unknown))


def _put(client: httpx.Client, path: str, body: Mapping[str, Any], there: Mapping[str, Any]) -> int:
    if all(there.get(name) == value for name, value in body.items()):
        return 0
    _call(client, "PUT", path, body)
    return 1


def _tables(client: httpx.Client, schema: str, database: str | None) -> dict[str, dict[str, Any]]:
    answer = _call(client, "GET", "/api/database")
    # Metabase lists in `data`; older versions answered with the list itself.
    databases = answer["data"] if isinstance(answer, dict) else answer
    candidates = [one for one in databases if database in (None, one["name"])]
    found = []
    for one in candidates:
        tables = _call(client, "GET", f"/api/database/{one['id']}/metadata?include_hidden=true")["tables"]
        served = {table["name"]: table for table in tables if table["schema"] == schema}
        if served:
            found.append(served)
    if len(found) != 1:
        names = ", ".join(one["name"] for one in databases) or "none"
        count = "No" if not found else "More than one"
        raise NothingFound(
            f"{count} connection in Metabase has the schema {schema} (connections: {names}).",
            "Name it with --metabase-database; add it with the address of `onefold db url --reader`.",
        )
    return found[0]


def _call(client: httpx.Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    try:
        answer = client.request(method, path, json=body)
    except httpx.TransportError as exc:
        raise MetabaseRefused(f"{method} {path}: Metabase does not answer ({type(exc).__name__}).") from exc
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        hint = f"Put an API key of Metabase's administrators into {KEY_VARIABLE}."
        raise MetabaseRefused(f"{method} {path}: Metabase answered {answer.status_code}.", hint)
    if answer.is_error:
        raise MetabaseRefused(f"{method} {path}: Metabase answered {answer.status_code}.")
    return answer.json() if answer.content else None

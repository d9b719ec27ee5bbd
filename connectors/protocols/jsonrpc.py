"""JSON-RPC: one address, calls in the body, errors in answers with status 200. Dialects: `plain`, `odoo`, `tryton`.
`odoo_json2` is what Odoo offers instead since 19: an address a method, the arguments by name, errors by status.

protocol: {kind: jsonrpc, dialect: odoo, database: "{database}", username: "{username}", password: "{password}"}
streams:
  partners: {model: res.partner, fields: [name, email, vat], domain: [["parent_id", "=", false]], modified: write_date}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.protocols.model_write import Question, expand_write
from connectors.protocols.sweeping import with_keys
from connectors.settings import Settings


class JsonRpcProtocol(Settings):
    """The dialect; database and login belong to `odoo` and `tryton`."""

    kind: Literal["jsonrpc"] = "jsonrpc"
    dialect: Literal["plain", "odoo", "odoo_json2", "tryton"] = "plain"
    path: str | None = Field(
        default=None, description="jsonrpc for Odoo (json/2 for odoo_json2), {database}/rpc/ for Tryton."
    )
    database: str | None = None
    username: str | None = None
    password: str | None = None
    page_size: int = Field(default=500, ge=1)
    context: dict[str, Any] = Field(default_factory=dict, description="Odoo's and Tryton's context of every call.")

    @model_validator(mode="after")
    def _complete(self) -> JsonRpcProtocol:
        if self.dialect in ("odoo", "tryton") and not (self.database and self.username and self.password):
            raise ValueError(f"the dialect {self.dialect} needs `database`, `username` and `password`")
        return self


class CallStream(Settings):
    """The short form of a plain stream."""

    call: str = Field(description="The method's name.")
    arguments: Any = None


class ModelStream(Settings):
    """The short form of a stream that reads a model."""

    model: str
    fields: tuple[str, ...] = ()
    domain: tuple[Any, ...] = ()
    modified: str | None = "write_date"
    context: dict[str, Any] = Field(default_factory=dict)


def expand(settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its calls written out. Raises ValueError."""
    protocol = JsonRpcProtocol.model_validate(settings)
    streams = {
        name: _stream(protocol, stream) if isinstance(stream, Mapping) else stream
        for name, stream in (manifest.get("streams") or {}).items()
    }
    errors = [
        *manifest.get("errors", ()),
        *_absent(protocol, manifest.get("streams") or {}),
        *_ERRORS[protocol.dialect],
    ]
    made = {**manifest, "streams": streams, "errors": errors}
    if protocol.dialect == "odoo":
        made.setdefault("auth", _odoo_login(protocol))
    elif protocol.dialect == "tryton":
        made.setdefault("auth", _tryton_login(protocol))
    if protocol.dialect != "plain":
        made.setdefault("timezone", "UTC")
    return made


def _absent(protocol: JsonRpcProtocol, streams: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How Odoo says that it lacks a model. Before version 19 in the user's language, but with the model's name."""
    given = [stream for stream in streams.values() if isinstance(stream, Mapping) and stream.get("optional")]
    models = [stream["model"] for stream in given if "model" in stream]
    if not models:
        return []
    if protocol.dialect == "odoo_json2":
        return [{"path": "message", "contains": models, "status": [404], "then": "absent"}]
    if protocol.dialect == "odoo":
        # A missing right names the model too, and so do a field that is wrong and a record that has just gone.
        path = "error.data.message"
        other = {"path": "error.data.name", "equals": list(_ODOO_OTHER_ERRORS), "message": path}
        return [*_ERRORS["odoo"][:1], other, {"path": path, "contains": models, "then": "absent"}]
    return []


_ODOO_OTHER_ERRORS = (
    "builtins.ValueError", "builtins.TypeError", "builtins.AttributeError", "odoo.exceptions.MissingError",
)  # fmt: skip
"""A model that is missing is a KeyError or a UserError, by version."""
_ERRORS: Mapping[str, list[dict[str, Any]]] = {
    "plain": [{"path": "error", "message": "error.message"}],
    "odoo": [
        {
            "path": "error.data.name", "then": "credentials", "message": "error.data.message",
            "equals": [f"odoo.{name}" for name in (
                "exceptions.AccessDenied", "exceptions.AccessError", "http.SessionExpiredException"
            )],
        },
        {"path": "error", "message": "error.data.message"},
    ],
    "odoo_json2": [
        # A mistake in the question is no passing fault, though it comes with status 500.
        {"path": "name", "status": [400, 404, 422], "message": "message"},
        {
            "path": "name", "status": [500], "message": "message",
            "equals": [f"builtins.{name}Error" for name in ("Value", "Key", "Type", "Attribute")],
        },
    ],
    "tryton": [
        {"path": "error[0]", "equals": ["LoginException"], "then": "credentials", "message": "error[1]"},
        {"path": "error[0]", "equals": ["UserError", "UserWarning"], "message": "error[1][0]"},
        {"path": "error[0]", "message": "error[1]"},
        {"path": "error", "message": "error.message"},
    ],
}  # fmt: skip


def _envelope(method: str, arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": arguments}


def _odoo_login(protocol: JsonRpcProtocol) -> dict[str, Any]:
    arguments: list[Any] = [protocol.database, protocol.username, protocol.password, {}]
    call = {"service": "common", "method": "authenticate", "args": arguments}
    return {
        "kind": "session", "path": _path(protocol), "body": _envelope("call", call),
        "values": {"uid": "result"}, "expired": [],
    }  # fmt: skip


def _tryton_login(protocol: JsonRpcProtocol) -> dict[str, Any]:
    arguments: list[Any] = [protocol.username, {"password": protocol.password}]
    return {
        "kind": "session", "path": _path(protocol),
        "body": {"id": 1, "method": "common.db.login", "params": arguments},
        "values": {"user_id": "result[0]", "session_key": "result[1]"},
        "headers": {
            "Authorization": {
                "$join": "", "$prefix": "Session ",
                "$of": [{"$base64": f"{protocol.username}:{{user_id}}:{{session_key}}"}],
            }
        },
    }  # fmt: skip


def _stream(protocol: JsonRpcProtocol, stream: Mapping[str, Any]) -> dict[str, Any]:
    if "call" in stream:
        names = set(CallStream.model_fields)
        short = CallStream.model_validate({name: value for name, value in stream.items() if name in names})
        made: dict[str, Any] = {"body": _envelope(short.call, short.arguments), "records": "result"}
    elif "model" in stream and protocol.dialect != "plain":
        names = set(ModelStream.model_fields)
        model = ModelStream.model_validate({name: value for name, value in stream.items() if name in names})
        made = _DIALECTS[protocol.dialect](protocol, model, bool(stream.get("write")))
        if model.modified is not None:
            made["updated_at"] = model.modified
            made["changes"] = {"format": "tryton" if protocol.dialect == "tryton" else "sql"}
    else:
        return dict(stream)
    rest = {name: value for name, value in stream.items() if name not in names}
    if "model" in stream and isinstance(rest.get("write"), Mapping):
        rest["write"] = expand_write(protocol.dialect, rest["write"], *_write_calls(protocol, stream["model"]))
    if "model" in stream and "deletes" in rest:
        alone = model.model_copy(update={"fields": ("id",), "modified": None})
        question = _DIALECTS[protocol.dialect](protocol, alone, False)
        rest["deletes"] = with_keys(rest["deletes"], {"body": question["body"]})
    if "changes" in made and isinstance(rest.get("changes"), Mapping):
        rest["changes"] = {**made["changes"], **rest["changes"]}
    return {"path": _path(protocol), "method": "POST", **made, **rest}


def _path(protocol: JsonRpcProtocol) -> str:
    paths = {"odoo": "jsonrpc", "odoo_json2": "json/2", "tryton": f"{protocol.database}/rpc/"}
    return protocol.path or paths.get(protocol.dialect, "")


def _since(model: ModelStream, condition: list[Any]) -> list[Any]:
    return [{"$if": "since", "$then": condition}] if model.modified else []


def _asked(fields: list[str], is_written: bool) -> Any:
    """The fields that are asked for; of a stream that is written back also those that the hub owns."""
    return {"$append": "owned", "$to": fields} if is_written else fields


def _search_read(protocol: JsonRpcProtocol, model: ModelStream, is_written: bool) -> tuple[list[Any], dict[str, Any]]:
    """The domain and the other arguments of Odoo's `search_read` behind the last id."""
    domain = [*model.domain, *_since(model, [model.modified, ">=", "{since}"]), ["id", ">", "{after}"]]
    extra = [name for name in ("id", model.modified) if name and name not in model.fields]
    options = {
        "fields": _asked([*model.fields, *extra], is_written) if model.fields else [],
        "limit": "{limit}", "order": "id", "context": {**protocol.context, **model.context},
    }  # fmt: skip
    return domain, options


def _count(protocol: JsonRpcProtocol, call: Mapping[str, Any], at: str) -> dict[str, Any]:
    return {"path": _path(protocol), "method": "POST", "body": call, "at": at}


def _behind(protocol: JsonRpcProtocol) -> dict[str, Any]:
    """Pages behind the last id: nothing shifts while the set changes."""
    paging = {"kind": "keyset", "key": "id", "start": 0, "limit": protocol.page_size, "into": "body"}
    return {"key": "id", "paging": paging}


def _odoo(protocol: JsonRpcProtocol, model: ModelStream, is_written: bool) -> dict[str, Any]:
    domain, options = _search_read(protocol, model, is_written)
    arguments = [protocol.database, "{uid}", protocol.password, model.model, "search_read", [domain], options]
    body = _envelope("call", {"service": "object", "method": "execute_kw", "args": arguments})
    counted = [*arguments[:4], "search_count", [list(model.domain)], {"context": options["context"]}]
    call = _envelope("call", {"service": "object", "method": "execute_kw", "args": counted})
    return {"body": body, "records": "result", "count": _count(protocol, call, at="result"), **_behind(protocol)}


def _odoo_json2(protocol: JsonRpcProtocol, model: ModelStream, is_written: bool) -> dict[str, Any]:
    """The same question by names; the answer is the list itself."""
    domain, options = _search_read(protocol, model, is_written)
    path = f"{_path(protocol)}/{model.model}"
    asked = {"domain": list(model.domain), "context": options["context"]}
    return {
        "path": f"{path}/search_read",
        "body": {"domain": domain, **options},
        "count": {"path": f"{path}/search_count", "method": "POST", "body": asked},
        **_behind(protocol),
    }


def _tryton(protocol: JsonRpcProtocol, model: ModelStream, is_written: bool) -> dict[str, Any]:
    """`search_read` behind the last id; a record that was never written again has no `write_date`.

    Tryton adds `active = true` to every nested list of conditions that does not name `active`: where the domain names
    it, the OR does so too, by a condition that holds for none.
    """
    names_active = any(isinstance(one, list | tuple) and one[:1] in (["active"], ("active",)) for one in model.domain)
    never = [["active", "=", None]] if names_active else []
    changed = ["OR", *never, [model.modified, ">=", "{since}"], ["create_date", ">=", "{since}"]]
    domain = [*model.domain, *_since(model, changed), ["id", ">", "{after}"]]
    extra = [name for name in ("id", model.modified) if name and name not in model.fields]
    arguments = [
        domain, 0, "{limit}", [["id", "ASC"]], _asked([*model.fields, *extra], is_written),
        {**protocol.context, **model.context},
    ]  # fmt: skip
    call = {"id": 1, "method": f"model.{model.model}.search_count", "params": [list(model.domain), arguments[-1]]}
    return {
        "body": {"id": 1, "method": f"model.{model.model}.search_read", "params": arguments},
        "records": "result",
        "count": _count(protocol, call, at="result"),
        **_behind(protocol),
    }


def _write_calls(protocol: JsonRpcProtocol, model: str) -> tuple[Question, Question]:
    """How a model's `write` is called, and how its records are found again."""
    domain = [["id", "in", "{keys}"]]
    options = {"fields": "{names}", "context": {"active_test": False}}
    path = _path(protocol)
    if protocol.dialect == "odoo_json2":
        written = (f"{path}/{model}/write", {"ids": ["{key}"], "vals": "{fields}"})
        return written, (f"{path}/{model}/search_read", {"domain": domain, **options})
    if protocol.dialect == "tryton":
        calls = {"write": [["{key}"], "{fields}", {}], "search_read": [domain, 0, None, None, "{names}", {}]}
        write, look = ({"id": 1, "method": f"model.{model}.{name}", "params": call} for name, call in calls.items())
        return (path, write), (path, look)
    own = [protocol.database, "{uid}", protocol.password, model]
    further = (["write", [["{key}"], "{fields}"]], ["search_read", [domain], options])
    write, look = (
        _envelope("call", {"service": "object", "method": "execute_kw", "args": [*own, *call]}) for call in further
    )
    return (path, write), (path, look)


_DIALECTS: Mapping[str, Callable[[JsonRpcProtocol, ModelStream, bool], dict[str, Any]]] = {
    "odoo": _odoo, "odoo_json2": _odoo_json2, "tryton": _tryton,
}  # fmt: skip

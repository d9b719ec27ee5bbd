"""The JSON Schema of manifests, for editors: with the short forms of protocols beside the parts they stand for."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from connectors.files.system import FilesManifest
from connectors.manifest import Manifest
from connectors.protocols.frappe import DoctypeStream, FrappeProtocol
from connectors.protocols.jsonrpc import CallStream, JsonRpcProtocol, ModelStream
from connectors.protocols.odata import ODataProtocol, ODataStream


def manifest_schema() -> dict[str, Any]:
    """What a manifest may say: of a system's files (`connector: files`), or of a system that is asked over HTTP."""
    asked, files = _asked(), FilesManifest.model_json_schema(by_alias=True)
    definitions = {**asked.pop("$defs"), **files.pop("$defs", {})}
    return {"$defs": definitions, "if": {"required": ["connector"]}, "then": files, "else": asked}


def _asked() -> dict[str, Any]:
    schema = Manifest.model_json_schema(by_alias=True)
    stream = schema["$defs"]["Stream"]
    for short in (ODataStream, CallStream, ModelStream, DoctypeStream):
        for name, form in _properties(short, schema).items():
            stream["properties"].setdefault(name, form)
    deletes = stream["properties"]["deletes"]
    # By its name alone, or one without a list.
    form = {"anyOf": [deletes["items"], {"enum": ["none", "delta", "sweep"]}]}
    stream["properties"]["deletes"] = {"anyOf": [form, {**deletes, "items": form}]}
    # Where the protocol knows how deltas come, the headers that ask for one are enough.
    delta = schema["$defs"]["DeltaChanges"]["properties"]
    words = {name: delta[name] for name in ("first", "expired")}
    short_delta = {"type": "object", "properties": words, "required": ["first"], "additionalProperties": False}
    stream["properties"]["changes"]["anyOf"].append(short_delta)
    # A protocol knows how keys alone are asked for.
    schema["$defs"]["SweepDeletes"]["properties"]["keys"]["anyOf"].append({"type": "boolean"})
    # The short forms write the path themselves.
    stream["anyOf"] = [{"required": [name]} for name in ("path", "entity", "call", "model", "doctype")]
    stream.pop("required", None)
    # Of a stream that reads a model, the protocol knows how it is written.
    schema["$defs"]["Write"].pop("required", None)
    protocols = [_inlined(model, schema) for model in (ODataProtocol, JsonRpcProtocol, FrappeProtocol)]
    schema["properties"]["protocol"] = {"anyOf": [*protocols, {"enum": ["odata", "jsonrpc", "frappe"]}]}
    auth = schema["properties"]["auth"]
    schema["properties"]["auth"] = {"anyOf": [auth["items"], auth]}
    check = schema["properties"]["check"]
    check["anyOf"] = [*check["anyOf"], {"type": "string"}]
    return schema


def _properties(model: type[BaseModel], schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = _inlined(model, schema)["properties"]
    return properties


def _inlined(model: type[BaseModel], schema: dict[str, Any]) -> dict[str, Any]:
    """A model's schema; what it refers to moves to the manifest's definitions."""
    own = model.model_json_schema(by_alias=True)
    schema["$defs"].update(own.pop("$defs", {}))
    return own

"""Airbyte's messages: catalogues, checkpoints and errors, by https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.adapters.schema import fields_of
from connectors.errors import ConnectorError, RetriableError, SourceConfigurationError, SourceDataError
from connectors.page import StreamInfo
from connectors.rows import CONTENT

Stream = Mapping[str, Any]

_failures: dict[str, type[ConnectorError]] = {
    "config_error": SourceConfigurationError,
    "transient_error": RetriableError,
}


def name_of(stream: Mapping[str, Any]) -> str:
    """What a stream, or the descriptor of one, is called in Onefold: `name`, or `namespace.name`."""
    name, namespace = stream.get("name"), stream.get("namespace")
    return f"{namespace}.{name}" if namespace else str(name)


def path_of(parts: Sequence[str]) -> str:
    """A field's path as Onefold writes it."""
    return ".".join(part if part.isidentifier() else "'" + part.replace("'", "''") + "'" for part in parts)


def key_of(stream: Stream) -> tuple[str, ...]:
    """The paths of the key that the source defines; none if it leaves it open."""
    return tuple(path_of(parts) for parts in stream.get("source_defined_primary_key") or ())


def cursor_of(stream: Stream) -> list[str]:
    """The path of the field by which the source tells what changed; empty if it tells none."""
    return [str(part) for part in stream.get("default_cursor_field") or ()]


def is_incremental(stream: Stream) -> bool:
    """The source can read what changed, by a cursor that it defines or proposes."""
    return "incremental" in (stream.get("supported_sync_modes") or ())


def info_of(stream: Stream) -> StreamInfo:
    """The stream as `discover` shows it."""
    key, fields = key_of(stream), tuple(fields_of(stream.get("json_schema") or {}))
    by_change = is_incremental(stream)
    has_flag = any(field.path == "_ab_cdc_deleted_at" for field in fields)
    deletes = "flag" if has_flag else "none" if by_change else "sweep"
    changed = path_of(cursor_of(stream)) or None
    own = (key[0] if len(key) == 1 else key) or CONTENT
    return StreamInfo(
        name_of(stream), own, fields, changed, deletes, changes=(changed or "cursor") if by_change else None
    )


def configured(stream: Stream, mode: str, cursor: Sequence[str], generation: int, *, is_pass: bool) -> dict[str, Any]:
    """The catalogue that asks for one stream. A whole pass is a generation that leaves no older one."""
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": mode,
                "destination_sync_mode": "append_dedup" if mode == "incremental" else "overwrite",
                "cursor_field": list(cursor) or cursor_of(stream),
                "primary_key": stream.get("source_defined_primary_key") or [],
                "generation_id": generation,
                "minimum_generation_id": generation if is_pass else 0,
                "sync_id": generation,
            }
        ]
    }


def state_key(state: Mapping[str, Any]) -> str:
    """Which checkpoint a state message replaces: its stream's, or the one for all."""
    if state.get("type") == "STREAM":
        return name_of(state.get("stream", {}).get("stream_descriptor", {}))
    return ""


def as_input(states: Mapping[str, Any] | None) -> Any:
    """Saved checkpoints as the source takes them: a list, or one object of the old kind."""
    found = list((states or {}).values())
    if len(found) == 1 and found[0].get("type") in (None, "LEGACY"):
        return found[0].get("data")
    return found


def failure(error: Mapping[str, Any], place: Mapping[str, str | None], shown: str) -> ConnectorError:
    """The error of a TRACE message; `shown` is its text without secrets."""
    kind = _failures.get(str(error.get("failure_type")), SourceDataError)
    return kind(f"the source says: {shown}", **place)

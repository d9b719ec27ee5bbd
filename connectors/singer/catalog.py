"""A tap's catalogue: what `--discover` gives, and the selection that goes back by `--catalog`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from connectors.adapters.schema import fields_of
from connectors.page import StreamInfo
from connectors.rows import CONTENT

Entry = Mapping[str, Any]


def name_of(entry: Entry) -> str:
    """What a stream is called in Onefold: the tap's id of it."""
    return str(entry.get("tap_stream_id") or entry.get("stream"))


def about(entry: Entry) -> dict[str, Any]:
    """The stream's own metadata; the breadcrumb of it is empty."""
    for item in entry.get("metadata") or ():
        if not item.get("breadcrumb"):
            return dict(item.get("metadata") or {})
    return {}


def key_of(entry: Entry) -> tuple[str, ...]:
    """The key's fields; none if the tap knows none."""
    found = entry.get("key_properties") or about(entry).get("table-key-properties") or ()
    return tuple(str(name) for name in found)


def method_of(entry: Entry) -> str:
    """FULL_TABLE, INCREMENTAL or LOG_BASED: as chosen, as forced, or by what the stream has."""
    known = about(entry)
    found = known.get("forced-replication-method") or known.get("replication-method") or entry.get("replication_method")
    if found:
        return str(found).upper()
    return "INCREMENTAL" if replication_key(entry) else "FULL_TABLE"


def replication_key(entry: Entry) -> str | None:
    """The field by which the tap tells what changed."""
    known = about(entry)
    found = known.get("replication-key") or entry.get("replication_key") or known.get("valid-replication-keys")
    if isinstance(found, Sequence) and not isinstance(found, str):
        found = found[0] if found else None
    return str(found) if found else None


def info_of(entry: Entry) -> StreamInfo:
    """The stream as `discover` shows it."""
    key = key_of(entry)
    is_whole = method_of(entry) == "FULL_TABLE"
    deletes = "sweep" if is_whole else "flag" if method_of(entry) == "LOG_BASED" else "none"
    return StreamInfo(
        name_of(entry),
        (key[0] if len(key) == 1 else key) or CONTENT,
        tuple(fields_of(entry.get("schema") or {})),
        None if is_whole else replication_key(entry),
        deletes,
        changes=None if is_whole else replication_key(entry),
    )


def selected(
    entries: Sequence[Entry], stream: str, *, parents: Sequence[str], method: str | None, key: str | None
) -> dict[str, Any]:
    """The catalogue with one stream (and its parents) selected, whole, in the ways that old and new taps look at."""
    chosen = []
    for entry in deepcopy(list(entries)):
        made = dict(entry)
        is_on = name_of(entry) == stream or name_of(entry) in parents
        made["selected"] = is_on
        if isinstance(made.get("schema"), Mapping):
            made["schema"] = {**made["schema"], "selected": is_on}
        own = about(entry) | {"selected": is_on}
        if name_of(entry) == stream:
            own |= {"replication-method": method} if method else {}
            own |= {"replication-key": key} if key else {}
            made |= {"replication_method": method} if method else {}
            made |= {"replication_key": key} if key else {}
        fields = [_field(item, is_on) for item in entry.get("metadata") or () if item.get("breadcrumb")]
        made["metadata"] = [*fields, {"breadcrumb": [], "metadata": own}]
        chosen.append(made)
    return {"streams": chosen}


def _field(item: Mapping[str, Any], is_on: bool) -> dict[str, Any]:
    known = dict(item.get("metadata") or {})
    if is_on and known.get("inclusion") != "unsupported":
        known["selected"] = True
    return {"breadcrumb": item["breadcrumb"], "metadata": known}

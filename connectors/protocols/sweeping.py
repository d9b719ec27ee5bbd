"""`deletes: {kind: sweep, keys: true}`: how a protocol asks for keys alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_keys(deletes: Any, question: Mapping[str, Any] | None) -> Any:
    """The rules with `question` where a sweep says `keys: true`. Raises ValueError where there is none to ask."""
    if isinstance(deletes, list | tuple):
        return [with_keys(rule, question) for rule in deletes]
    if not isinstance(deletes, Mapping) or not isinstance(deletes.get("keys"), bool):
        return deletes
    if deletes["keys"] and question is None:
        raise ValueError("a sweep by keys needs `key`")
    return {**deletes, "keys": dict(question or {}) if deletes["keys"] else None}

"""The short form of `write` for a stream that reads a model: `write: {fields: "x_.+"}`, for Odoo and Tryton.

Both write one record at a time by the model's `write`, and show it by its `read`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Question = tuple[str, Any]
"""Path and body."""
Ask = Callable[[str, Any, Mapping[str, Any]], Question]
"""Of a model's method with the ids and further arguments by name: how it is called."""

_PARTS: Mapping[str, tuple[str | None, str]] = {
    "odoo": ("result", "error.data.name"),
    "odoo_json2": (None, "name"),
    "tryton": ("result", "error[0]"),
}
"""Where an answer has its records, and a refusal its code."""


def expand_write(dialect: str, write: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """The part written out; what it says itself stands over it."""
    if "path" in write:
        return dict(write)
    records, code = _PARTS[dialect]
    path, body = ask("write", ["{key}"], {"values" if dialect == "tryton" else "vals": "{fields}"})
    look_path, look_body = ask("read", "{keys}", {"fields": "{names}"})
    return {
        "path": path, "method": "POST", "body": body, "key_type": "number", "answer": {"code": code},
        "look": {
            "path": look_path, "method": "POST", "body": look_body, **({"records": records} if records else {}),
        },
        **write,
    }  # fmt: skip

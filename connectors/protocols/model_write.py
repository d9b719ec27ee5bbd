"""The short form of `write` for a stream that reads a model: `write: {fields: "x_.+"}`, for Odoo and Tryton.

Both write one record at a time by the model's `write`, and show what stands there by its `search_read`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Question = tuple[str, Any]
"""Path and body."""

_PARTS: Mapping[str, tuple[str | None, str]] = {
    "odoo": ("result", "error.data.name"),
    "odoo_json2": (None, "name"),
    "tryton": ("result", "error[0]"),
}
"""Where an answer has its records, and a refusal its code."""


def expand_write(dialect: str, write: Mapping[str, Any], written: Question, looked: Question) -> dict[str, Any]:
    """The part written out; what it says itself stands over it."""
    if "path" in write:
        return dict(write)
    records, code = _PARTS[dialect]
    look = {"path": looked[0], "method": "POST", "body": looked[1]}
    return {
        "path": written[0], "method": "POST", "body": written[1], "key_type": "number", "answer": {"code": code},
        "look": look | ({"records": records} if records else {}), **write,
    }  # fmt: skip

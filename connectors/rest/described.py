"""Fields as the source itself describes them: by the labels of its interface, also where no record has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from connectors.manifest import Described, Stream
from connectors.page import FieldInfo
from connectors.paths import as_text, compile_path


def labels_in(rule: Described, data: Any) -> dict[str, str]:
    """Labels by field name in the answer to a description's question; fields without a label are left out."""
    found = compile_path(rule.fields).get(data)
    read_name = compile_path(rule.name).get if rule.name else None
    read_label = compile_path(rule.label).get
    pairs: Iterable[tuple[Any, Any]] = found.items() if isinstance(found, dict) else enumerate(found or ())
    labels: dict[str, str] = {}
    for member, one in pairs:
        name = as_text(read_name(one) if read_name else member)
        label = as_text(read_label(one))
        if name and label and name.startswith(rule.prefix):
            labels[name] = label
    return labels


def with_labels(fields: Sequence[FieldInfo], labels: dict[str, str]) -> list[FieldInfo]:
    """The fields with their labels, then those that are described and that no sampled record has filled."""
    seen = {field.path for field in fields}
    known = [replace(field, label=labels[field.path]) if field.path in labels else field for field in fields]
    return known + [FieldInfo(name, "text", label, filled=0.0) for name, label in labels.items() if name not in seen]


def changes_by(stream: Stream) -> str | None:
    """How a pass asks only for what changed; None where it reads everything, whatever time its records carry."""
    if stream.delta:
        return "delta token"
    if stream.parent is not None and stream.parent.changed_only:
        return "changed parents"
    return (stream.updated_at or "time") if stream.filter else None

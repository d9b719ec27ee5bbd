"""A mapper from a few lines of YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onefold.configuration import load_configuration
from onefold.mapping import Mapped, RawRow, StreamMapper, compile_source
from warehouse.keys import record_id

HEAD = "source: crm\nconnector: files\ndefaults: {country: RU, timezone: Europe/Moscow, currency: RUB}\nstreams:\n"


def row(payload: Any, key: str = "1", stream: str = "main", children: Any = None) -> RawRow:
    """A raw row of crm; the payload as bytes, or anything JSON can hold."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    return RawRow(record_id("crm", stream, key), key, data, None, children)


@pytest.fixture
def mappers(tmp_path: Path) -> Callable[..., dict[str, StreamMapper]]:
    """Compiles `streams:` (indented by two) of a source called crm."""

    def compile_streams(text: str, head: str = HEAD) -> dict[str, StreamMapper]:
        sources = tmp_path / "config" / "sources"
        sources.mkdir(parents=True, exist_ok=True)
        (sources / "crm.yaml").write_text(head + text, encoding="utf-8")
        configuration = load_configuration(tmp_path / "config")
        return compile_source(configuration.sources["crm"], configuration)

    return compile_streams


def values(mapped: Mapped, row_index: int = 0) -> dict[str, list[str]]:
    """Attribute -> values of one mapped record, in order."""
    found: dict[str, list[str]] = {}
    for one in mapped.values.to_pylist():
        if one["row"] == row_index:
            found.setdefault(one["attribute"], []).append(one["value"])
    return found

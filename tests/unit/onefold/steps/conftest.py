"""A stream of the catalogue, mapped as it ships."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.cassette import load_cassette
from connectors.page import StreamRequest
from onefold.configuration.load import read_configuration
from onefold.mapping import Mapped, RawRow, compile_source
from tests.unit.onefold.steps.test_ready_mappings import CASSETTES, opened, write
from warehouse.keys import record_id

Mapping = Callable[..., Mapped]


@pytest.fixture
def mapped(tmp_path: Path) -> Mapping:
    """The records of a system's stream, read from its cassette and mapped with its children; in a `timezone` of
    one's own if given."""

    def map_stream(system: str, name: str, timezone: str | None = None) -> Mapped:
        cassette = load_cassette(CASSETTES / f"{system}.cassette.yaml")
        with opened(cassette) as connector:
            streams = list(connector.discover())
        write(tmp_path / system / name, system, cassette.settings, streams)
        if timezone is not None:
            path = tmp_path / system / name / "sources" / "it.yaml"
            path.write_text(re.sub("timezone: [A-Z].*", f"timezone: {timezone}", path.read_text()), encoding="utf-8")
        configuration, problems = read_configuration(tmp_path / system / name)
        assert configuration is not None and not problems

        def read(stream: str) -> dict[str, Any]:
            with opened(cassette) as connector:
                pages = connector.read(StreamRequest(stream, timezone=cassette.timezone), None)
                return {row.key: row for page in pages for row in page.rows}

        source = configuration.sources["it"]
        feeding = [child for child, fed in source.children().items() if name in fed]
        children = {child: [row.payload for row in read(child).values()] for child in feeding}
        found = read(name).items()
        raws = [RawRow(record_id("it", name, key), key, row.payload, row.updated_at, children) for key, row in found]
        return compile_source(source, configuration)[name].map_batch(raws)

    return map_stream

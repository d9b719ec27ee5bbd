"""What is special to 1C: DataVersion is no change, documents are read back by date, nothing asks for a count."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.cassette import Replay, load_cassette
from connectors.page import StreamRequest

NAMES = ("onec_accounting", "onec_erp", "onec_small_business")


@pytest.mark.parametrize("name", NAMES)
def test_every_stream_is_paged_by_key_without_a_count_and_ignores_data_version(name: str) -> None:
    for stream in registry.shipped(name).streams.values():
        assert stream.params["$orderby"] == "Ref_Key"
        assert "$inlinecount" not in stream.params
        assert "DataVersion" in stream.volatile
        assert [rule.kind for rule in stream.deletes] == ["flag", "sweep"]


@pytest.mark.parametrize("name", NAMES)
def test_documents_of_the_last_weeks_are_read_again(name: str) -> None:
    documents = [one for one in registry.shipped(name).streams.values() if one.path.startswith("Document_")]
    assert len(documents) >= 5
    assert {one.filter.lookback for one in documents if one.filter} == {timedelta(days=45)}
    assert all(one.filter for one in documents)


@pytest.mark.parametrize("name", NAMES)
def test_a_new_data_version_alone_is_no_change(name: str) -> None:
    cassette = load_cassette(Path(__file__).with_name(f"{name}.cassette.yaml"))
    options = cassette.expect["counterparties"].options
    request = StreamRequest("counterparties", options=options, timezone=cassette.timezone)

    def digests(exchanges: Any) -> dict[str, bytes]:
        made: Any = registry.connector_class(name)
        transport = Replay(exchanges)
        with made("it", cassette.settings, transport=transport, pause=lambda _s: None) as connector:
            return {row.key[-1]: row.digest for page in connector.read(request, None) for row in page.rows}

    assert cassette.later is not None
    before, after = digests(cassette.exchanges), digests([*cassette.later.exchanges, *cassette.exchanges])
    assert after["3"] == before["3"]
    assert after["2"] != before["2"]

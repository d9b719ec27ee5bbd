"""Airbyte's protocol at its edges, played by a source of the tests' own in a real subprocess."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.airbyte.connector import AirbyteConnector
from connectors.errors import (
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.page import Page, StreamRequest
from connectors.registry import connector_class

SOURCE = Path(__file__).with_name("tiny_source.py")
SECRET = "made-up-token-0815"
STREAM: dict[str, Any] = {
    "name": "users",
    "json_schema": {"properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
    "supported_sync_modes": ["full_refresh", "incremental"],
    "default_cursor_field": ["at"],
    "source_defined_primary_key": [["id"]],
}
WHOLE = {**STREAM, "supported_sync_modes": ["full_refresh"], "default_cursor_field": []}


def record(key: Any, stream: str = "users", **more: Any) -> dict[str, Any]:
    """A RECORD message."""
    return {"type": "RECORD", "record": {"stream": stream, "data": {"id": key, **more}, "emitted_at": 1}}


def state(value: Any, stream: str = "users") -> dict[str, Any]:
    """A checkpoint of one stream."""
    told = {"stream_descriptor": {"name": stream}, "stream_state": {"at": value}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": told, "sourceStats": {"recordCount": 1.0}}}


def status(word: str) -> dict[str, Any]:
    """How far the source is with the stream."""
    told = {"stream_descriptor": {"name": "users"}, "status": word}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": told}}


def trouble(kind: str) -> dict[str, Any]:
    """An error as the source tells it."""
    error = {"message": f"cannot go on with {SECRET}", "failure_type": kind}
    return {"type": "TRACE", "trace": {"type": "ERROR", "error": error}}


class Played:
    """A source that plays lines, and what it saw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, lines: list[Any] | None = None, stream: Any = None, **more: Any) -> AirbyteConnector:
        config = {
            "seen": str(self.folder / "seen.jsonl"),
            "token": SECRET,
            "catalog": {"streams": [stream or STREAM]},
            "lines": lines or [],
            **more,
        }
        settings = {
            "command": [sys.executable, str(SOURCE)],
            "cache_dir": str(self.folder),
            "config": config,
            "page_size": 2,
        }
        return AirbyteConnector.of("source-tiny")("crm", settings)

    def read(self, lines: list[Any], before: Any = None, into: list[Page] | None = None, **more: Any) -> list[Page]:
        pages = [] if into is None else into
        options = more.pop("options", {})
        with self.open(lines, **more) as connector:
            for page in connector.read(StreamRequest("users", options=options), before):
                pages.append(page)
        return pages

    @property
    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "seen.jsonl").read_text().splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Played:
    return Played(tmp_path)


def test_a_source_is_a_connector_by_its_name() -> None:
    assert issubclass(connector_class("airbyte:source-x"), AirbyteConnector)  # type: ignore[arg-type]


def test_check_tells_the_streams_or_what_is_refused_and_what_settings_there_are(source: Played) -> None:
    with source.open(status={"status": "SUCCEEDED"}) as good:
        assert good.check().streams == ["users"]
    with (
        source.open(status={"status": "FAILED", "message": f"wrong {SECRET}"}) as bad,
        pytest.raises(CredentialsError) as error,
    ):
        bad.check()
    assert "token (required)" in str(error.value) and SECRET not in str(error.value)


def test_discover_shows_key_cursor_fields_and_deletes(source: Played) -> None:
    with source.open() as connector:
        (info,) = connector.discover()
    assert (info.key, info.updated_at, info.deletes) == ("id", "at", "none")
    assert [(field.path, field.type) for field in info.fields] == [("id", "number"), ("at", "timestamp")]


def test_pages_end_at_states_and_the_next_run_goes_on_there(source: Played) -> None:
    pages = source.read([status("STARTED"), record(1), record(2), state(2), record(3, "others"), record(3), state(3)])
    assert [[row.key for row in page.rows] for page in pages] == [["1", "2"], ["3"]]
    source.read([], json.loads(json.dumps(pages[0].state)))
    assert source.seen[-1]["--state"] == [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"at": 2}}}
    ]
    (asked,) = source.seen[-1]["--catalog"]["streams"]
    assert (asked["sync_mode"], asked["minimum_generation_id"], asked["primary_key"]) == ("incremental", 0, [["id"]])


def test_a_checkpoint_for_all_streams_and_one_of_the_old_kind_go_back_as_they_came(source: Played) -> None:
    whole = {"type": "GLOBAL", "global": {"shared_state": {"lsn": 5}, "stream_states": []}}
    pages = source.read([record(1), {"type": "STATE", "state": whole}])
    source.read([], pages[-1].state)
    assert source.seen[-1]["--state"] == [whole]
    pages = source.read([record(1), {"type": "STATE", "state": {"data": {"users": {"at": 1}}}}])
    source.read([], pages[-1].state)
    assert source.seen[-1]["--state"] == {"users": {"at": 1}}


def test_a_whole_refresh_is_a_generation_that_closes_only_when_the_source_says_complete(source: Played) -> None:
    lines = [record(1), record(2), state(2), record(3)]
    first = source.read([*lines, status("COMPLETE")], stream=WHOLE)
    assert [page.snapshot.is_complete for page in first if page.snapshot] == [False, True]
    torn = source.read([*lines, status("INCOMPLETE")], first[-1].state, stream=WHOLE)
    assert [page.snapshot.is_complete for page in torn if page.snapshot] == [False, False]
    resumed = source.read([record(4), status("COMPLETE")], torn[-1].state, stream=WHOLE)
    assert resumed[-1].snapshot is not None and torn[-1].snapshot is not None
    assert resumed[-1].snapshot.pass_id == torn[-1].snapshot.pass_id and resumed[-1].snapshot.is_complete
    asked = [seen["--catalog"]["streams"][0] for seen in source.seen if seen["verb"] == "read"]
    assert [(stream["generation_id"], stream["minimum_generation_id"]) for stream in asked] == [(1, 1), (2, 2), (2, 2)]
    assert all(stream["destination_sync_mode"] == "overwrite" for stream in asked)


def test_deletions_of_change_data_capture_become_tombstones(source: Played) -> None:
    (page,) = source.read(
        [
            record(1, _ab_cdc_deleted_at=None, _ab_cdc_lsn=7),
            record(2, _ab_cdc_deleted_at="2026-01-01T00:00:00Z", _ab_cdc_lsn=8),
        ]
    )
    assert ([row.key for row in page.rows], page.tombstones) == (["1"], ["2"])
    assert b"_ab_cdc_lsn" not in page.rows[0].payload


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("config_error", SourceConfigurationError),
        ("transient_error", RetriableError),
        ("system_error", SourceDataError),
    ],
)
def test_an_error_that_the_source_tells_says_what_to_do_next(
    source: Played, kind: str, raised: type[ConnectorError]
) -> None:
    got: list[Page] = []
    with pytest.raises(raised, match="cannot go on with") as error:
        source.read([record(1), state(1), record(2), trouble(kind)], None, got, then=1)
    assert SECRET not in str(error.value)
    assert [row.key for page in got for row in page.rows] == ["1", "2"]
    assert got[-1].state["state"]["users"]["stream"]["stream_state"] == {"at": 1}


def test_text_between_messages_is_log_and_a_torn_message_a_reject(source: Played) -> None:
    (page,) = source.read(["hello", '{"type":"RECORD","rec', record(1)])
    assert [reject.reason for reject in page.rejects] == ["malformed-line"] and len(page.rows) == 1


def test_settings_that_the_source_rewrites_are_used_next_time(source: Played) -> None:
    new = {"token": "rotated-token-0816"}
    with source.open([{"type": "CONTROL", "control": {"connectorConfig": {"config": new}}}]) as connector:
        list(connector.read(StreamRequest("users"), None))
        assert connector.config() == new

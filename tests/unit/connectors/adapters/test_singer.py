"""Singer's protocol at its edges, played by a tap of the tests' own in a real subprocess."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.adapters import process as processes
from connectors.errors import (
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)
from connectors.page import Page, StreamRequest
from connectors.registry import connector_class
from connectors.singer.connector import SingerConnector
from connectors.tokens import MemoryTokens

TAP = Path(__file__).with_name("tiny_tap.py")
SECRET = "made-up-token-0815"
SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["null", "string"], "title": "Full name"},
        "born": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "address": {"type": "object", "properties": {"city": {"type": "string"}}},
        "phones": {"type": "array", "items": {"type": "object", "properties": {"number": {"type": "string"}}}},
    }
}
HEAD = {"type": "SCHEMA", "stream": "people", "schema": SCHEMA, "key_properties": ["id"]}


def entry(method: str = "INCREMENTAL", name: str = "people") -> dict[str, Any]:
    """A stream as a tap tells it."""
    own = {"table-key-properties": ["id"], "replication-method": method, "valid-replication-keys": ["changed"]}
    fields = [{"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "available"}}]
    return {
        "tap_stream_id": name,
        "stream": name,
        "schema": SCHEMA,
        "metadata": [*fields, {"breadcrumb": [], "metadata": own}],
    }


def record(key: Any, version: int | None = None, **more: Any) -> dict[str, Any]:
    """A RECORD message."""
    made = {"type": "RECORD", "stream": "people", "record": {"id": key, **more}}
    return made if version is None else {**made, "version": version}


def state(value: Any) -> dict[str, Any]:
    """A STATE message."""
    return {"type": "STATE", "value": {"at": value}}


class Played:
    """A tap that plays lines, and what it saw."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen_file = folder, folder / "seen.jsonl"
        self.tokens = MemoryTokens()

    @contextmanager
    def open(self, lines: list[Any], method: str = "INCREMENTAL", **more: Any) -> Iterator[SingerConnector]:
        settings = {name: more.pop(name) for name in ("silence", "page_size", "env") if name in more}
        config = {"seen": str(self.seen_file), "api_token": SECRET, "lines": lines, **more}
        config.setdefault("catalog", {"streams": [entry(method), entry("FULL_TABLE", "others")]})
        connector = SingerConnector.of("tap-tiny")(
            "crm",
            {
                "command": [sys.executable, str(TAP)],
                "cache_dir": str(self.folder / "cache"),
                "config": config,
                "page_size": 2,
                **settings,
            },
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )
        connector.keep_tokens(self.tokens)
        with connector:
            yield connector

    def read(self, lines: list[Any], before: Any = None, into: list[Page] | None = None, **more: Any) -> list[Page]:
        pages = [] if into is None else into
        options = more.pop("options", {})
        key = more.pop("key", None)
        with self.open(lines, **more) as connector:
            for page in connector.read(StreamRequest("people", key, options=options), before):
                pages.append(page)
        return pages

    @property
    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.seen_file.read_text().splitlines()]

    def leftovers(self) -> list[Path]:
        return list((self.folder / "cache").glob("runs/run-*"))


@pytest.fixture
def tap(tmp_path: Path) -> Played:
    return Played(tmp_path)


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def test_a_tap_is_a_connector_by_its_name() -> None:
    found = connector_class("singer:tap-x")
    assert issubclass(found, SingerConnector)  # type: ignore[arg-type]
    with pytest.raises(SourceConfigurationError, match="no package's name"):
        connector_class("singer:--target=x")
    with (
        pytest.raises(SourceConfigurationError, match="names no package"),
        connector_class("singer")("crm", {}) as bare,
    ):
        bare.check()


def test_discover_shows_fields_types_and_how_deletions_are_seen(tap: Played) -> None:
    with tap.open([]) as connector:
        people, others = connector.discover()
    types = {field.path: field.type for field in people.fields}
    assert types == {
        "id": "number",
        "name": "text",
        "born": "date",
        "address": "object",
        "address.city": "text",
        "phones": "list",
        "phones[].number": "text",
    }
    assert people.fields[1].label == "Full name"
    assert (people.key, people.updated_at, people.deletes, others.deletes) == ("id", "changed", "none", "sweep")


def test_pages_end_at_states_and_bear_the_last_one(tap: Played) -> None:
    pages = tap.read([HEAD, record(1), record(2), record(3), state(3), record(4), state(4), record(5)])
    assert [[row.key for row in page.rows] for page in pages] == [["1", "2", "3"], ["4", "5"]]
    assert [page.state["state"]["at"] for page in pages] == [3, 4]


def test_a_tap_that_never_says_where_it_stands_fills_no_memory(tap: Played) -> None:
    pages = tap.read([HEAD, *(record(i) for i in range(20))])
    assert [len(page.rows) for page in pages] == [8, 8, 4]
    assert all(page.state.get("state") is None for page in pages)


def test_the_next_run_goes_on_from_the_last_state(tap: Played) -> None:
    first = tap.read([HEAD, record(1), record(2), state(2)])
    tap.read([HEAD], json.loads(json.dumps(first[-1].state)))
    assert tap.seen[-1]["--state"] == {"at": 2}
    assert "--state" not in tap.seen[1]


def test_only_the_stream_asked_for_is_selected_and_read(tap: Played) -> None:
    other = {"type": "RECORD", "stream": "others", "record": {"id": 9}}
    pages = tap.read([{**HEAD, "stream": "others"}, other, HEAD, record(1)])
    assert keys(pages) == ["1"]
    chosen = {
        found["tap_stream_id"]: next(part["metadata"] for part in found["metadata"] if not part["breadcrumb"])
        for found in tap.seen[-1]["--catalog"]["streams"]
    }
    assert (chosen["people"]["selected"], chosen["others"]["selected"]) == (True, False)


def test_a_full_table_is_one_pass_and_a_failed_one_stays_open(tap: Played) -> None:
    lines = [HEAD, record(1), record(2), state(2), record(3)]
    whole = tap.read(lines, method="FULL_TABLE")
    marks = [page.snapshot for page in whole]
    assert [mark.is_complete for mark in marks if mark] == [False, True]
    broken: list[Page] = []
    with pytest.raises(SourceDataError, match="ended with code 3"):
        tap.read(lines, whole[-1].state, broken, method="FULL_TABLE", then=3)
    assert [mark.is_complete for page in broken if (mark := page.snapshot)] == [False, False]
    resumed = tap.read([HEAD, record(3)], broken[-1].state, method="FULL_TABLE")
    assert tap.seen[-1]["--state"] == {"at": 2}
    assert resumed[-1].snapshot is not None and broken[-1].snapshot is not None
    assert (resumed[-1].snapshot.pass_id, resumed[-1].snapshot.is_complete) == (broken[-1].snapshot.pass_id, True)
    assert whole[-1].snapshot is not None and whole[-1].snapshot.pass_id != broken[-1].snapshot.pass_id


def test_sweep_can_be_turned_off_and_asked_for_now_and_then(tap: Played) -> None:
    assert all(
        page.snapshot is None for page in tap.read([HEAD, record(1)], method="FULL_TABLE", options={"sweep": False})
    )
    first = tap.read([HEAD, record(1), state(1)], options={"sweep": "1d"})
    assert first[-1].snapshot is not None and first[-1].snapshot.is_complete
    again = tap.read([HEAD, record(2), state(2)], first[-1].state, options={"sweep": "1d"})
    assert again[-1].snapshot is None and tap.seen[-1]["--state"] == {"at": 1}
    late = {**again[-1].state, "swept_at": "2025-12-30T00:00:00+00:00"}
    assert tap.read([HEAD, record(2)], late, options={"sweep": "1d"})[-1].snapshot is not None
    assert "--state" not in tap.seen[-1]


def test_an_activated_version_replaces_the_older_one_after_a_good_end(tap: Played) -> None:
    activate = {"type": "ACTIVATE_VERSION", "stream": "people", "version": 7}
    first = tap.read([HEAD, activate, record(1, 7), record(2, 7), state(2), record(3, 7)])
    assert [page.snapshot.pass_id for page in first if page.snapshot] == ["v7", "v7"]
    assert [page.snapshot.is_complete for page in first if page.snapshot] == [False, True]
    same = tap.read([HEAD, activate, record(4, 7), state(4)], first[-1].state)
    assert all(page.snapshot is None for page in same), "the version that is active already deletes nothing"
    new = tap.read([HEAD, record(1, 8), {**activate, "version": 8}], same[-1].state)
    assert new[-1].snapshot is not None and new[-1].snapshot.is_complete
    failed: list[Page] = []
    with pytest.raises(SourceDataError):
        tap.read([HEAD, record(1, 9), {**activate, "version": 9}], new[-1].state, failed, then=1)
    assert not any(page.snapshot.is_complete for page in failed if page.snapshot)


def test_deleted_records_become_tombstones_and_the_taps_own_marks_leave_the_record(tap: Played) -> None:
    lines = [
        HEAD,
        record(1, name="a", _sdc_extracted_at="2026-01-01"),
        record(2, _sdc_deleted_at=None),
        record(2, _sdc_deleted_at="2026-01-01T00:00:00Z"),
        record(3, _sdc_deleted_at="2026-01-01T00:00:00Z"),
        record(3, name="back"),
    ]
    (page,) = tap.read(lines)
    assert ([row.key for row in page.rows], page.tombstones) == (["1", "3"], ["2"])
    assert page.rows[0].payload == b'{"id":1,"name":"a"}'
    assert not page.rejects


def test_a_later_record_of_the_same_key_stands(tap: Played) -> None:
    (page,) = tap.read([HEAD, record(1, name="old"), record(1, name="new")])
    assert [row.payload for row in page.rows] == [b'{"id":1,"name":"new"}'] and not page.rejects


def test_a_malformed_line_is_kept_and_the_pass_tells_no_deletions(tap: Played) -> None:
    pages = tap.read([HEAD, record(1), '{"type":"RECORD","stream":"peo', "hello", record(2)], method="FULL_TABLE")
    (reject,) = [reject for page in pages for reject in page.rejects]
    assert (reject.reason, reject.payload) == ("malformed-line", b'{"type":"RECORD","stream":"peo')
    assert keys(pages) == ["1", "2"]
    assert not any(page.snapshot.is_complete for page in pages if page.snapshot)
    assert "pass" not in pages[-1].state


def test_a_record_without_key_or_with_nul_is_a_reject(tap: Played) -> None:
    (page,) = tap.read([HEAD, {"type": "RECORD", "stream": "people", "record": {"name": "x"}}, record(1, name="\0")])
    assert [reject.reason for reject in page.rejects] == ["missing-key", "not-storable"]


def test_a_huge_line_is_dropped_in_bounded_memory(tap: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MAX_LINE", 1_000_000)
    pages = tap.read([HEAD, record(1), {"huge": 5_000_000}, record(2)])
    assert keys(pages) == ["1", "2"]
    (reject,) = [reject for page in pages for reject in page.rejects]
    assert reject.reason == "line-too-long" and len(reject.payload) == 1000


def test_new_fields_are_kept_and_a_new_key_stops_the_reading(tap: Played) -> None:
    changed = {**HEAD, "schema": {"properties": {"id": {"type": "string"}, "vip": {"type": "boolean"}}}}
    pages = tap.read([HEAD, record(1), changed, record("2", vip=True)])
    assert keys(pages) == ["1", "2"] and b'"vip":true' in pages[-1].rows[-1].payload
    kept: list[Page] = []
    with pytest.raises(SourceDataError, match="the key changed from id to code"):
        tap.read([HEAD, record(1), {**HEAD, "key_properties": ["code"]}], None, kept)
    assert keys(kept) == ["1"]
    tap.read([HEAD, record(1), {**HEAD, "key_properties": ["code"]}, record(2)], key="id")


def test_a_tap_that_dies_leaves_what_it_sent_and_tells_its_last_words_without_secrets(tap: Played) -> None:
    got: list[Page] = []
    with pytest.raises(SourceDataError) as error:
        tap.read([HEAD, record(1), record(2), state(2), record(3)], None, got, then=2)
    assert keys(got) == ["1", "2", "3"] and got[-1].state["state"] == {"at": 2}
    assert "starting with token ***" in str(error.value) and SECRET not in str(error.value)
    assert str(error.value).startswith("crm:people: ")
    with pytest.raises(RetriableError, match="SIGKILL"):
        tap.read([HEAD], then="kill")
    assert tap.leftovers() == []


def test_a_refused_tap_says_so(tap: Played) -> None:
    with pytest.raises(CredentialsError):
        tap.read([HEAD, "HTTP 401 Unauthorized"], then=1)


def test_a_silent_tap_is_stopped(tap: Played) -> None:
    began = time.monotonic()
    got: list[Page] = []
    with pytest.raises(RetriableError, match="said nothing for 1 s"):
        tap.read([HEAD, record(1)], None, got, then="sleep", silence=1)
    assert time.monotonic() - began < 20 and keys(got) == ["1"]


def test_a_chatty_tap_is_not_blocked_by_its_own_log(tap: Played) -> None:
    assert keys(tap.read([HEAD, record(1)], chatter=2000)) == ["1"]


def test_settings_are_files_of_mode_0600_and_gone_afterwards_and_the_hubs_environment_is_hidden(
    tap: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_PASSWORD", "made-up")
    tap.read([HEAD], env={"LOG_LEVEL": "debug"})
    for seen in tap.seen:
        assert seen["mode"] == "0o600" and not Path(seen["folder"]).exists()
        assert "ERP_PASSWORD" not in seen["environ"] and seen["environ"]["LOG_LEVEL"] == "debug"
        assert SECRET not in " ".join(seen["arguments"])


def test_a_reader_that_stops_early_stops_the_tap_and_removes_its_files(tap: Played) -> None:
    with tap.open([HEAD, record(1), record(2), state(2)], then="sleep") as connector:
        pages = connector.read(StreamRequest("people"), None)
        next(pages)
        folder = Path(tap.seen[-1]["folder"])
        assert folder.exists()
        began = time.monotonic()
    assert not folder.exists() and time.monotonic() - began < 10


def test_a_refresh_token_that_the_tap_rotates_is_used_next_time(tap: Played) -> None:
    tap.read([HEAD], rotates="second", refresh_token="first")
    with tap.open([HEAD], rotates="second", refresh_token="first") as connector:
        assert connector.config()["refresh_token"] == "second"
    with tap.open([HEAD], rotates="second", refresh_token="edited") as connector:
        assert connector.config()["refresh_token"] == "edited"


def test_files_that_a_killed_hub_left_are_removed_by_the_next_run(tap: Played) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from connectors.adapters.workplace import workplace\n"
        "with workplace(Path(sys.argv[1])) as place:\n"
        "    place.write('config.json', {}); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tap.folder / "cache")], check=False, timeout=60)
    assert len(tap.leftovers()) == 1
    tap.read([HEAD])
    assert tap.leftovers() == []


def test_an_unknown_stream_gets_the_nearest_name(tap: Played) -> None:
    with (
        tap.open([]) as connector,
        pytest.raises(SourceConfigurationError, match="Did you mean 'people'"),
    ):
        list(connector.read(StreamRequest("peple"), None))


def test_reading_loads_neither_arrow_nor_numpy_nor_sqlalchemy() -> None:
    code = "import sys, connectors.singer.connector, connectors.airbyte.connector\n"
    code += "print([m for m in ('pyarrow', 'numpy', 'sqlalchemy', 'httpx', 'duckdb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_what_a_tap_writes_just_before_its_end_is_read(tap: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(processes.selectors.DefaultSelector):
        """Sees nothing at first, and looks away until the tap has ended."""

        looked = False

        def select(self, timeout: float | None = None) -> Any:
            if self.looked:
                return super().select(timeout)
            self.looked = True
            time.sleep(1.5)
            return []

    monkeypatch.setattr(processes.selectors, "DefaultSelector", Late)
    pages = tap.read([HEAD, record(1), record(2), state(2)])
    assert [row.key for page in pages for row in page.rows] == ["1", "2"]

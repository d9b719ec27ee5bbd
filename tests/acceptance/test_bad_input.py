"""Invariant 8: bad input is reported and kept, never lost, never fatal to its neighbours.

One hub of thirty bad registers and one good one runs once; the tests look at what became of each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import database as databases
from tests.support.cli import Done, onefold
from tests.support.http_source import Answerer, Asked, Reply, http_source, records
from tests.support.messy import (
    CUT,
    CUT_JSON,
    HTTP_SOURCE,
    HUGE,
    LOGIN_PAGE,
    PEOPLE,
    PERSON_FILE,
    MessyHub,
    Sometimes,
    always,
    http_people,
    lines,
    person_file,
    slow,
    write_source,
)

GOOD = "id,first,last,born,email\n1,Анна,Керн,1990-02-11,anna@example.ru\n2,Пётр,Чайковский,1980-05-07,p@example.ru\n"
ATTRIBUTES = "attributes:\n  note: {kind: both, labels: {en: Note}}\n"


FILES: dict[str, tuple[str, bytes]] = {
    "good": ("good.csv", GOOD.encode()),
    "malformed": (
        "malformed.csv",
        b'id,first,last,born\n1,Ivan,Ivanov,1980-01-01\n2,"Petr,Petrov,1980-01-01\n3,Too,Many,1980-01-01,extra,cells\n'
        b'4,Few\n5,"Q"x,Bad,1980-01-02\n6,Last,One,1980-01-03\n',
    ),
    "cp1251": (
        "cp1251.csv",
        "id;first;last;born\n1;Анна;Керн;11.02.1990\n2;Пётр;Лидин;07.05.1980\n3;Ия;Саввина;07.05.1985\n".encode("cp1251"),
    ),
    "utf16": ("utf16.csv", "id,first,last\n1,Анна,Керн\n2,Ирина,Одоевцева\n".encode("utf-16")),
    "wrong_bytes": (
        "wrong_bytes.csv",
        "id,first,last\n1,Анна,Керн\n2,".encode() + b"\xff\xfe\xc0" + ",Битый\n3,Ирина,Одоевцева\n".encode(),
    ),
    "json_lines": (
        "lines.jsonl",
        lines(
            {"id": 1, "first": "A", "last": "B"}, b'{"id": 2, "first": "cut', b"not json", b"[1,2]", b"17", b"",
            b'{"id": 3, "x": NaN}', b'\xff\xfe{"id":4}', {"id": 5, "first": "C", "last": "D"},
        ),
    ),
    "keyless": (
        "keyless.jsonl",
        lines(
            {"id": 1, "first": "Old"}, {"first": "NoKey"}, {"id": None, "first": "x"}, {"id": "  ", "first": "x"},
            {"id": {"a": 1}, "first": "object"}, {"id": [1], "first": "list"}, {"id": "1", "first": "New"},
            {"id": "x" * 3000, "first": "long"}, {"id": 2, "first": "C"},
        ),
    ),
    "huge": (
        "huge.jsonl",
        lines(
            {"id": 1, "first": "A", "last": "B"},
            {"id": 2, "first": "A" * HUGE, "last": "B", "email": "b@example.ru"},
            {"id": 3, "first": "A", "last": "B", "note": "n" * HUGE},
            {"id": 4, "first": "A", "last": "B", "email": "e" * HUGE + "@example.ru", "phone": "1" * HUGE, "born": "1" * HUGE},
            {"id": 5, "first": "A", "last": "B", "unmapped": "n" * HUGE},
        ),
    ),
    "huge_csv": (
        "huge.csv",
        b"id,first,last,note\n1,A,B,x\n2,A,B," + b"n" * HUGE + b'\n3,A,C,"' + b"open" * (HUGE // 4) + b"\n4,A,D,y\n",
    ),
    "nul": (
        "nul.jsonl",
        lines(
            {"id": 1, "first": "A", "last": "B"}, b'{"id":2,"first":"nu\\u0000l"}', b'{"id":3,"first":"raw\x00nul"}',
            b'{"id":"4\\u0000","first":"key"}', b'{"id":5,"first":"lone \\ud800 surrogate"}',
            b'{"id":6,"first":"odd \\u0001\\u200b\\u202e","last":"B"}', {"id": 7, "first": "A", "last": "Z"},
        ),
    ),
    "nul_csv": ("nul.csv", b"id,first,last\n1,A,B\n2,nu\x00l,B\n3,A,C\n"),
    "binary": ("binary.csv", bytes(range(256)) * 50),
    "empty": ("empty.csv", b""),
    "only_header": ("only_header.csv", b"id,first\n"),
    "no_workbook": ("no_workbook.xlsx", b"PK\x03\x04 not a workbook"),
    "no_parquet": ("no_parquet.parquet", b"PAR1 not parquet PAR1"),
    "cut_json": ("cut.json", b'{"items": [1,'),
    "no_format": ("what.xyz", b"abc"),
}  # fmt: skip
ROWS = {
    # source: (records in the file, of them landed)
    "good": (2, ["1", "2"]),
    "malformed": (6, ["1", "2", "5", "6"]),
    "cp1251": (3, ["1", "2", "3"]),
    "utf16": (2, ["1", "2"]),
    "wrong_bytes": (3, ["1", "3"]),
    "json_lines": (8, ["1", "5"]),
    "keyless": (9, ["1", "2"]),
    "huge": (5, ["1", "2", "3", "4", "5"]),
    "huge_csv": (4, ["1", "2", "3", "4"]),
    "nul": (7, ["1", "6", "7"]),
    "nul_csv": (3, ["1", "3"]),
    "empty": (0, []),
    "only_header": (0, []),
}
FAILED = {
    # source: (class, what the message says, records landed before)
    "binary": ("SourceDataError", "binary:people: the header row is not text", 0),
    "no_workbook": ("SourceDataError", "no_workbook:people: this cannot be read as a workbook", 0),
    "no_parquet": ("SourceDataError", "no_parquet:people: this cannot be read as Parquet", 0),
    "cut_json": ("SourceDataError", "cut_json:people: this is not JSON", 0),
    "no_format": ("SourceConfigurationError", "tells no format at what.xyz. Set `format`", 0),
    "missing": ("SourceConfigurationError", "there is no such file at data/missing.csv", 0),
    "bad_option": ("SourceConfigurationError", "unknown encoding 'klingon' at good.csv", 0),
    "no_secret": ("SecretMissing", "no_secret: Not set in the environment: ${NO_SUCH_TOKEN}", 0),
    "sql_down": ("RetriableError", "sql_down:people: the database cannot be read now", 0),
    "h401": ("CredentialsError", "the credentials were refused (401) at GET h401, page 1. Renew the secret", 0),
    "h403": ("CredentialsError", "the credentials lack a right (403) at GET h403, page 1. Grant", 0),
    "h404": (
        "SourceConfigurationError",
        "there is nothing at this address (404) at GET h404, page 1. Check `base_url`",
        0,
    ),
    "h429_long": ("ComeBackLater", "the source asks to wait 3600 s (status 429) at GET h429_long, page 1", 0),
    "h500_always": ("RetriableError", "status 500, after 3 attempt(s) at GET h500_always, page 1. Run again later", 0),
    "h_down": ("RetriableError", "the source cannot be reached: nothing listens at 127.0.0.1, after 3 attempt(s)", 0),
    "h_slow": ("RetriableError", "the source did not answer in time", 0),
    "h_cut_always": ("RetriableError", "the answer was cut off", 0),
    "h_cut_json": ("RetriableError", "the answer was cut off (JSON ends too early)", 0),
    "h_login": ("SourceDataError", "an HTML or XML page came instead of JSON (text/html)", 0),
    "h_no_items": (
        "SourceDataError",
        "no list of records at `items` at GET h_no_items, page 1. The answer has: data",
        0,
    ),
    "h_repeat": ("SourceDataError", "the source gave the same page a second time; reading on would never end", 2),
    "h_page_3": ("RetriableError", "status 500, after 3 attempt(s) at GET h_page_3, page 3", 4),
}
MENDED = ("h429", "h500", "h_cut")


def _configure(hub: MessyHub) -> None:
    for name, (file, content) in FILES.items():
        person_file(hub.folder, name, file, content)
    write_source(hub.folder, "missing", PERSON_FILE.format(name="missing", path="data/missing.csv"))
    klingon = PERSON_FILE.format(name="bad_option", path="data/good.csv, encoding: klingon")
    write_source(hub.folder, "bad_option", klingon)
    no_secret = HTTP_SOURCE.format(name="no_secret", url=hub.server.url).replace("HTTP_TOKEN", "NO_SUCH_TOKEN")
    write_source(hub.folder, "no_secret", no_secret)
    write_source(hub.folder, "h_down", HTTP_SOURCE.format(name="h_down", url="http://127.0.0.1:9"))
    write_source(
        hub.folder,
        "sql_down",
        """
        source: sql_down
        department: sales
        connector: sql
        settings: {url: "postgresql+psycopg://me@127.0.0.1:9/db"}
        streams:
          people: {as: person, key: id, options: {table: people}, fields: {given_name: first}}
        """,
    )
    busy = records({}, 429, **{"Retry-After": "0"})
    answers: dict[str, Answerer] = {
        "h401": always(records({"error": "unauthorised"}, 401)),
        "h403": always(records({}, 403)),
        "h404": always(records({}, 404)),
        "h429": Sometimes(busy, busy),
        "h429_long": always(records({}, 429, **{"Retry-After": "3600"})),
        "h500": Sometimes(Reply(500), Reply(503)),
        "h500_always": always(Reply(500, b"<html>stack trace</html>")),
        "h_slow": slow,
        "h_cut": Sometimes(CUT, on_page="2"),
        "h_cut_always": always(CUT),
        "h_cut_json": always(CUT_JSON),
        "h_login": always(LOGIN_PAGE),
        "h_no_items": always(records({"data": []})),
        "h_repeat": always(records({"items": PEOPLE[:2]})),
        "h_page_3": Sometimes(*[Reply(500)] * 3, on_page="3"),
    }
    for name, answerer in answers.items():
        http_people(hub.folder, name, hub.server, answerer)


@pytest.fixture(scope="module")
def messy(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MessyHub, Done]]:
    """The hub, and how its first run ended."""
    with databases.database(server_url, template) as url, http_source() as server:
        hub = MessyHub(tmp_path_factory.mktemp("messy"), url, server)
        _configure(hub)
        yield hub, hub.onefold("--json", "run")


@pytest.fixture(scope="module")
def streams(messy: tuple[MessyHub, Done]) -> dict[str, dict[str, Any]]:
    """Source -> the report of its one stream."""
    return {sync["source"]: sync["streams"][0] for sync in messy[1].json["syncs"]}


def test_a_run_with_failed_sources_ends_with_1_and_says_so_on_standard_error(messy: tuple[MessyHub, Done]) -> None:
    _, done = messy
    assert done.code == 1
    assert done.json["status"] == "failed"
    assert "Traceback" not in done.err
    for _, message, _ in FAILED.values():
        assert message in done.err


def test_every_source_is_reported_once(streams: dict[str, dict[str, Any]]) -> None:
    assert set(streams) == {*ROWS, *FAILED, *MENDED}


@pytest.mark.parametrize("source", ROWS)
def test_rows_and_rejects_of_a_file_add_up(
    messy: tuple[MessyHub, Done], streams: dict[str, dict[str, Any]], source: str
) -> None:
    hub, _ = messy
    total, keys = ROWS[source]
    report = streams[source]
    assert (report["status"], report["error"]) == ("done", None)
    assert hub.landed(source) == keys
    assert (report["inserted"], report["rejected"]) == (len(keys), total - len(keys))
    assert len(hub.rejects(source)) == total - len(keys)


@pytest.mark.parametrize("source", FAILED)
def test_a_source_that_cannot_be_read_says_what_to_do_and_keeps_what_landed(
    messy: tuple[MessyHub, Done], streams: dict[str, dict[str, Any]], source: str
) -> None:
    hub, _ = messy
    kind, message, landed = FAILED[source]
    report = streams[source]
    assert report["status"] == ("deferred" if kind == "ComeBackLater" else "failed")
    assert report["error_class"] == kind
    assert message in report["error"]
    assert source in report["error"]
    assert report["inserted"] == landed == len(hub.landed(source))


@pytest.mark.parametrize("source", MENDED)
def test_a_source_that_stumbles_and_recovers_is_read_whole(
    messy: tuple[MessyHub, Done], streams: dict[str, dict[str, Any]], source: str
) -> None:
    assert streams[source]["status"] == "done"
    assert messy[0].landed(source) == ["1", "2", "3", "4", "5"]


def test_the_good_register_and_every_readable_record_reach_the_client_view(messy: tuple[MessyHub, Done]) -> None:
    hub, done = messy
    readable = sum(len(keys) for _, keys in ROWS.values()) + 5 * len(MENDED) + sum(n for _, _, n in FAILED.values())
    assert done.json["standardise"]["records"] == readable
    ((standard,), (linked,)) = hub.query(
        "SELECT count(*) FROM identity.standard_record UNION ALL SELECT count(*) FROM identity.crosswalk"
    )
    assert standard == linked == readable
    found = hub.alone("good").onefold("--json", "client", "good:people:1").json
    assert found["attributes"]["family_name"] == "Керн"


def test_a_reject_keeps_its_bytes_its_place_and_its_reason(messy: tuple[MessyHub, Done]) -> None:
    hub, _ = messy
    assert hub.rejects("malformed") == [
        ("malformed.csv:4", "malformed-row", b"3,Too,Many,1980-01-01,extra,cells\n"),
        ("malformed.csv:5", "malformed-row", b"4,Few\n"),
    ]
    assert [(place, reason) for place, reason, _ in hub.rejects("json_lines")] == [
        ("lines.jsonl:2", "invalid-json"),
        ("lines.jsonl:3", "invalid-json"),
        ("lines.jsonl:4", "malformed-row"),
        ("lines.jsonl:5", "malformed-row"),
        ("lines.jsonl:7", "not-storable"),
        ("lines.jsonl:8", "invalid-json"),
    ]
    assert hub.rejects("json_lines")[0][2].rstrip() == b'{"id": 2, "first": "cut'
    assert {reason for _, reason, _ in hub.rejects("keyless")} == {"missing-key", "key-too-long", "duplicate-key"}
    ((place, reason, payload),) = hub.rejects("wrong_bytes")
    assert (place, reason) == ("wrong_bytes.csv:3", "bad-encoding")
    assert b"\xff\xfe\xc0" in payload


def test_the_command_lists_rejects_with_place_and_reason(messy: tuple[MessyHub, Done]) -> None:
    hub, _ = messy
    hub = hub.alone("malformed")
    rows = hub.onefold("--json", "rejects", "malformed").json
    assert sorted((row["place"], row["reason"]) for row in rows) == [
        ("malformed.csv:4", "malformed-row"),
        ("malformed.csv:5", "malformed-row"),
    ]
    assert "malformed.csv:4" in hub.onefold("rejects", "malformed").out


def test_texts_in_an_old_code_page_come_in_as_they_were_meant(messy: tuple[MessyHub, Done]) -> None:
    for source in ("cp1251", "utf16"):
        found = messy[0].alone(source).onefold("--json", "client", f"{source}:people:1").json
        assert (found["attributes"]["given_name"], found["attributes"]["family_name"]) == ("Анна", "Керн")


def test_a_text_of_ten_megabytes_is_kept_whole(messy: tuple[MessyHub, Done]) -> None:
    rows = messy[0].query(
        "SELECT source_key, octet_length(payload ->> 'first'), octet_length(payload ->> 'note'),"
        " octet_length(payload ->> 'unmapped') FROM raw.record WHERE source = 'huge' AND source_key IN ('2', '3', '5')"
        " ORDER BY source_key"
    )
    assert rows == [("2", HUGE, None, None), ("3", 1, HUGE, None), ("5", 1, None, HUGE)]


def test_failed_and_finished_runs_are_told_apart_in_the_run_log(messy: tuple[MessyHub, Done]) -> None:
    hub, _ = messy
    states = dict(hub.query("SELECT source, status FROM ops.run WHERE command = 'sync'"))
    assert {states[name] for name in (*ROWS, *MENDED)} == {"done"}
    assert {states[name] for name, (kind, _, _) in FAILED.items() if kind != "ComeBackLater"} == {"failed"}
    assert states["h429_long"] == "deferred"
    assert hub.query("SELECT run_id FROM ops.run WHERE status = 'running'") == []


def test_a_stumble_on_page_3_goes_on_from_page_3_at_the_next_sync(messy: tuple[MessyHub, Done]) -> None:
    hub, _ = messy
    before = len(hub.server.asked)
    done = hub.alone("h_page_3").onefold("--json", "sync", "h_page_3")
    assert done.code == 0, done.err
    (report,) = done.json["streams"]
    assert (report["inserted"], report["unchanged"]) == (1, 0)
    asked = [one.params["page"] for one in hub.server.asked[before:] if one.path == "/h_page_3"]
    assert asked == ["3", "4"]
    assert hub.landed("h_page_3") == ["1", "2", "3", "4", "5"]


def test_a_page_that_repeats_for_ever_is_seen_at_its_second_answer(messy: tuple[MessyHub, Done]) -> None:
    # The question after it may be on its way by then.
    assert messy[0].server.paths().count("/h_repeat") in (2, 3)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("good", 0),
        ("h401", 5),
        ("h403", 5),
        ("h404", 3),
        ("h429_long", 75),
        ("h500_always", 75),
        ("binary", 1),
        ("missing", 3),
    ],
)
def test_sync_of_one_source_ends_with_the_exit_code_of_its_trouble(
    messy: tuple[MessyHub, Done], source: str, code: int
) -> None:
    assert messy[0].alone(source).onefold("sync", source).code == code


@pytest.mark.parametrize(
    ("source", "code"), [("good", 0), ("h401", 5), ("h404", 3), ("h_down", 75), ("no_secret", 3), ("cut_json", 1)]
)
def test_check_asks_the_source_and_ends_with_the_exit_code_of_its_trouble(
    messy: tuple[MessyHub, Done], source: str, code: int
) -> None:
    done = messy[0].alone(source).onefold("check", source)
    assert done.code == code
    assert "Traceback" not in done.err
    assert done.said.strip()


def test_absurd_dates_are_told_and_never_cost_the_record(tmp_path: Path, database_url: str) -> None:
    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
    absurd = ["31.02.1980", "0000-00-00", "9999-12-31", "1800-01-01", "2990-01-01", "1980-13-45", "yesterday", 17,
              {"y": 1980}, [1980], "1980-05-07T25:61:00", "", "1899-12-30", "29.02.1999", 1e308, True, "１９８０"]  # fmt: skip
    people = [
        {"id": number, "first": "Иван", "last": f"Лидин{number}", "born": born} for number, born in enumerate(absurd)
    ]
    people.append({"id": 99, "first": "Анна", "last": "Керн", "born": "11.02.1990"})
    person_file(tmp_path, "dates", "dates.jsonl", lines(*people))
    orders = [{"no": number, "client": 99, "on": day, "sum": "10"} for number, day in enumerate(absurd)]
    (tmp_path / "data" / "orders.jsonl").write_bytes(
        lines(*orders, {"no": 99, "client": 99, "on": "2026-02-01", "sum": "5"})
    )
    source = PERSON_FILE.format(name="dates", path="data/dates.jsonl") + (
        "  orders: {as: interaction, type: sales_order, key: no, options: {path: data/orders.jsonl},"
        " party: {stream: people, key: client}, occurred_at: on, amount: {value: sum}}\n"
    )
    write_source(tmp_path, "dates", source)
    done = hub.onefold("--json", "run")
    assert done.code == 0, done.err
    births = dict(hub.query("SELECT source_key, birth_date::text FROM identity.standard_record"))
    assert len(births) == len(people)
    assert births["99"] == "1990-02-11"
    sensible = {key: born for key, born in births.items() if born is not None}
    assert set(sensible) <= {"99", "10"}, sensible  # of "1980-05-07T25:61:00" the day can be read

    told = hub.query(
        "SELECT source_key FROM identity.standard_record WHERE attributes::text LIKE '%%invalid%%'"
        " UNION SELECT r.source_key FROM ops.reject r WHERE stream = 'people' AND step = 'standardise' AND is_open"
    )
    silent = {str(number) for number, born in enumerate(absurd) if born in ("",)} | {"10", "99"}
    assert {key for (key,) in told} >= set(births) - silent

    facts = {key for (key,) in hub.query("SELECT source_key FROM core.interaction WHERE NOT is_deleted")}
    rejected = {key for (key,) in hub.query("SELECT source_key FROM ops.reject WHERE stream = 'orders' AND is_open")}
    assert facts | rejected == {str(order["no"]) for order in orders} | {"99"}
    assert facts & rejected == set()
    assert "99" in facts
    extremes = hub.query("SELECT min(occurred_at)::text, max(occurred_at)::text FROM core.interaction")
    assert extremes[0][0] > "1900" and extremes[0][1] < "2201", extremes


def test_a_column_that_disappears_is_told_and_a_key_column_that_disappears_stops_before_anything_is_deleted(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
    for name in ("column", "key_column", "names", "gone"):
        person_file(tmp_path, name, f"{name}.csv", GOOD.encode())
    assert hub.onefold("run").code == 0
    (tmp_path / "data" / "column.csv").write_text("id,first,last,born\n1,Анна,Керн,1990-02-11\n2,Пётр,Чайковский,\n")
    (tmp_path / "data" / "key_column.csv").write_text("first,last,born\nАнна,Керн,1990-02-11\nПётр,Чайковский,\n")
    (tmp_path / "data" / "names.csv").write_text(GOOD.split("\n", 1)[1])  # the line with the names is lost
    (tmp_path / "data" / "gone.csv").unlink()
    done = hub.onefold("--json", "run")
    assert done.code == 1
    streams = {sync["source"]: sync["streams"][0] for sync in done.json["syncs"]}
    assert (streams["column"]["status"], streams["column"]["updated"]) == ("done", 2)
    assert "columns gone from column.csv: email" in caplog.text + done.err
    assert "the key column 'id' is not in the file at key_column.csv. Columns: first, last, born" in done.err
    told = "the key column 'id' is not in the file at names.csv. The line of names seems to be missing"
    assert told in done.err and "Анна" not in done.err + done.out
    assert streams["gone"]["error_class"] == "SourceConfigurationError"
    for name in ("column", "key_column", "names", "gone"):
        assert hub.landed(name) == ["1", "2"]
    # What the register no longer says leaves the client view; the record stays.
    assert hub.onefold("--json", "client", "column:people:1").json["attributes"].get("given_name") == "Анна"


def test_a_reject_that_the_source_mends_is_closed_and_the_record_comes_in(tmp_path: Path, database_url: str) -> None:
    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
    person_file(
        tmp_path, "mended", "mended.jsonl", lines({"id": 1, "first": "nu\0l", "last": "Керн"}, {"id": 2, "first": "A"})
    )
    assert hub.onefold("--json", "run").json["syncs"][0]["streams"][0]["rejected"] == 1
    person_file(
        tmp_path, "mended", "mended.jsonl", lines({"id": 1, "first": "Анна", "last": "Керн"}, {"id": 2, "first": "A"})
    )
    assert hub.onefold("run").code == 0
    assert hub.landed("mended") == ["1", "2"]
    assert hub.onefold("--json", "rejects").json == []


def test_a_connector_that_fails_in_a_way_of_its_own_leaves_its_neighbours_alone_and_shows_no_value(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.files.connector import FilesConnector

    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
    for name in ("faulty", "sound"):
        person_file(tmp_path, name, f"{name}.jsonl", lines({"id": 1, "first": "Анна", "last": "Керн"}))
    read = FilesConnector.read

    def fails(self: FilesConnector, stream: Any, state: Any) -> Any:
        if self.source == "faulty":
            raise KeyError("Анна Керн")
        return read(self, stream, state)

    monkeypatch.setattr(FilesConnector, "read", fails)
    done = hub.onefold("run")
    assert done.code == 1
    assert "faulty:people: the connector failed in a way of its own (KeyError)" in done.err
    assert "Керн" not in done.out + done.err
    assert hub.landed("sound") == ["1"]


def test_a_file_cut_in_half_is_held_until_somebody_says_that_it_is_right(tmp_path: Path, database_url: str) -> None:
    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
    whole = [{"id": n, "first": "Анна", "last": f"Керн{n}"} for n in range(200)]
    person_file(tmp_path, "cut", "cut.jsonl", lines(*whole))
    assert hub.onefold("run").code == 0
    person_file(tmp_path, "cut", "cut.jsonl", lines(*whole[:100]))
    done = hub.onefold("run")
    assert done.code == 7
    assert "100 of 200" in done.err and "onefold release" in done.err
    assert len(hub.landed("cut")) == 200
    said = re.search(r"onefold release (\d+)", done.err)
    assert said is not None and hub.onefold("release", said[1]).code == 0
    assert len(hub.landed("cut")) == 100


YAML_MISTAKES: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    # what: (file, text, what the message holds)
    "a tab": ("sources/crm.yaml", "source: crm\nconnector: files\nsettings:\n\tpath: x\n", ("config/sources/crm.yaml:4:1",)),
    "an unclosed quote": ("sources/crm.yaml", 'source: "crm\nconnector: files\n', ("config/sources/crm.yaml:", "not closed")),
    "another encoding": ("hub.yaml", "# Кириллица\n".encode("cp1251"), ("config/hub.yaml:1:3", "UTF-8")),
    "an empty file": ("hub.yaml", "# nothing\n", ("config/hub.yaml:1:1", "empty")),
    "a list": ("sources/crm.yaml", "- source: crm\n- connector: files\n", ("config/sources/crm.yaml:1:1",)),
    "a misspelt key": (
        "sources/crm.yaml", "source: crm\nconector: files\n", ("config/sources/crm.yaml:2:1", "connector"),
    ),
    "an unknown connector": (
        "sources/crm.yaml", "source: crm\nconnector: flies\nstreams: {}\n", ("config/sources/crm.yaml:2", "files"),
    ),
    "an unknown attribute": (
        "sources/crm.yaml",
        "source: crm\nconnector: files\nstreams:\n  people:\n    as: person\n    key: id\n    fields: {famly_name: last}\n",
        ("config/sources/crm.yaml:7:", "famly_name", "family_name"),
    ),
    "an unknown kind": (
        "sources/crm.yaml",
        "source: crm\nconnector: files\nstreams:\n  people: {as: persn, key: id}\n",
        ("config/sources/crm.yaml:4:", "persn", "person"),
    ),
    "a wrong type": ("sources/crm.yaml", "source: crm\nconnector: files\ntrust: high\n", ("config/sources/crm.yaml:3:8",)),
    "a duplicate key": (
        "sources/crm.yaml", "source: crm\nconnector: files\nconnector: sql\n", ("crm.yaml:3:1", "twice", "line 2"),
    ),
    "a party that is no stream": (
        "sources/crm.yaml",
        "source: crm\nconnector: files\nstreams:\n  people: {as: person, key: id, fields: {email: e}}\n"
        "  deals: {as: interaction, type: sales_deal, key: id, party: {stream: peple, key: c}}\n",
        ("config/sources/crm.yaml:5:", "peple", "people"),
    ),
    "an unknown interaction type": (
        "sources/crm.yaml",
        "source: crm\nconnector: files\nstreams:\n  deals: {as: interaction, type: sales_order_, key: id}\n",
        ("config/sources/crm.yaml:4:", "sales_order_", "sales_order"),
    ),
    "a path that is none": (
        "sources/crm.yaml",
        "source: crm\nconnector: files\nstreams:\n  people: {as: person, key: id, fields: {email: 'a[b'}}\n",
        ("config/sources/crm.yaml:4:",),
    ),
    "a secret without a name": (
        "sources/crm.yaml", 'source: crm\nconnector: files\nsettings: {path: "${}"}\n', ("config/sources/crm.yaml:3:",),
    ),
    "a schedule that is none": (
        "sources/crm.yaml", 'source: crm\nconnector: files\nschedule: "61 * * * *"\n', ("config/sources/crm.yaml:3:",),
    ),
    "the same source twice": (
        "sources/other.yaml", "source: good\nconnector: files\n", ("good", "configured twice"),
    ),
    "matching that does not fit": ("matching.yaml", "person: {link_att: 0.9}\n", ("config/matching.yaml:1:", "link_at")),
    "survivorship that does not fit": ("survivorship.yaml", "nonsense: 3\n", ("config/survivorship.yaml:1:1",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def one_good_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration that is right."""
    folder = tmp_path_factory.mktemp("yaml")
    (folder / "config").mkdir()
    (folder / "config" / "attributes.yaml").write_text(ATTRIBUTES)
    person_file(folder, "good", "good.csv", GOOD.encode())
    return folder


@pytest.mark.parametrize("what", YAML_MISTAKES)
def test_a_mistake_in_yaml_names_its_place_and_the_nearest_word_before_any_database_is_touched(
    one_good_source: Path, what: str
) -> None:
    name, text, parts = YAML_MISTAKES[what]
    file = one_good_source / "config" / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        # A database that nobody answers at: with it, the exit code would be 6.
        done = onefold(
            "--config",
            one_good_source / "config",
            "run",
            environ={"ONEFOLD_DATABASE_URL": "postgresql://u@127.0.0.1:9/x"},
        )
        doctor = onefold("--config", one_good_source / "config", "--json", "doctor")
    finally:
        file.unlink()
    assert done.code == 3, done.said
    assert done.out == ""
    assert "Traceback" not in done.err
    for part in parts:
        assert part in done.err
    assert doctor.code == 3
    errors = [finding for finding in doctor.json if finding["severity"] == "error"]
    assert errors
    assert any(f"{finding['file']}:{finding['line']}" in done.err for finding in errors)


def test_the_configuration_without_a_mistake_is_accepted(one_good_source: Path) -> None:
    done = onefold("--config", one_good_source / "config", "--json", "doctor")
    assert done.code == 0, done.out
    assert [finding for finding in json.loads(done.out) if finding["severity"] == "error"] == []


def test_preview_shows_what_would_be_rejected_and_writes_nothing(one_good_source: Path) -> None:
    done = onefold("--config", one_good_source / "config", "--json", "preview", "good")
    assert done.code == 0, done.err
    (first, second) = done.json["people"]
    assert (first["key"], second["key"]) == ("1", "2")
    assert json.loads(first["client_record"]["attributes"])["family_name"][0]["v"] == "Керн"


def test_a_cursor_that_comes_back_is_an_error_and_not_an_endless_loop(tmp_path: Path, database_url: str) -> None:
    def ring(asked: Asked) -> Reply:
        here = int(asked.params.get("cursor", "0"))
        return records({"items": [{"id": len(server.asked), "first": "A"}], "next": (here + 1) % 3})

    with http_source() as server:
        hub = MessyHub(tmp_path, database_url, server)
        http_people(tmp_path, "ring", server, ring)
        text = (tmp_path / "config" / "sources" / "ring.yaml").read_text()
        paging = "paging: {kind: page, param: page, limit: 2, limit_param: limit}"
        assert paging in text
        write_source(tmp_path, "ring", text.replace(paging, "paging: {kind: cursor, path: next, param: cursor}"))
        done = hub.onefold("--json", "sync", "ring")
    (report,) = done.json["streams"]
    assert report["error_class"] == "SourceDataError"
    assert "a second time; reading on would never end" in report["error"]
    assert len(server.asked) <= 5  # three of the ring, the one that comes back, and one on its way
    assert len(hub.landed("ring")) == report["inserted"] > 0

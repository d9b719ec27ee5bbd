"""A whole run's log: one trace through all steps, JSON on every line, and no client value at any level."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onefold import logs, tracing
from tests.acceptance.conftest import fill
from tests.support.cli import onefold
from tests.support.demo import demo
from tests.support.hub import Hub
from warehouse.connect import connect

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"
PLANTED = """
WITH leaf AS (
    SELECT jsonb_path_query(payload, '$.** ? (@.type() == "string")') #>> '{}' AS value
    FROM raw.record WHERE record_id IN (SELECT record_id FROM identity.standard_record)
)
SELECT value FROM leaf
UNION SELECT value FROM identity.identifier
UNION SELECT unnest(ARRAY[full_name, family_name, full_latin, org_name, street, postcode, birth_date::text])
    FROM identity.standard_record
UNION SELECT source || ':' || stream || ':' || source_key FROM raw.record
UNION SELECT record_id::text FROM raw.record
UNION SELECT client_id::text FROM identity.crosswalk
"""


def test_the_demo_s_log_at_debug_is_one_trace_and_holds_no_client_value(
    tmp_path: Path, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.start(logs.Choice("json", "debug", True))
    try:
        with tracing.traced({"TRACEPARENT": GIVEN}), demo(tmp_path, database_url, scale=0.02):
            written = capfd.readouterr().err
    finally:
        logs.stop()
    lines = [json.loads(line) for line in written.splitlines()]
    assert {line["trace_id"] for line in lines} == {TRACE}
    steps = {line["step"] for line in lines if line["event"] == "step.finished"}
    assert steps == {"sync", "standardise", "resolve", "publish", "run"}
    pages = [line for line in lines if line["event"] == "page.landed"]
    assert len(pages) > 8 and all(line["source"] and line["stream"] and line["run_id"] for line in pages)
    with connect(database_url, application_name="test") as conn:
        values = {row[0] for row in conn.execute(PLANTED) if row[0]}
        traces = conn.execute("SELECT DISTINCT trace_id FROM ops.run").fetchall()
    planted = {value.casefold() for value in values if (len(value) > 5 and not value.isascii()) or len(value) > 8}
    assert len(planted) > 1000
    assert traces == [(TRACE,)]
    assert [value for value in planted if value in written.casefold()] == []


def test_a_run_s_trace_is_shown_with_it_and_found_by_it(hub: Hub) -> None:
    fill(hub)
    first = onefold(*hub.place, "run", environ={"TRACEPARENT": GIVEN})
    assert [json.loads(line)["event"] for line in first.err.splitlines()][-1] == "step.finished"
    assert onefold(*hub.place, "sync", "crm").code == 0
    rows = onefold(*hub.place, "--json", "runs", "--trace", TRACE).json
    assert {row["command"] for row in rows} == {"sync", "standardise", "resolve", "publish"}
    assert {row["trace_id"] for row in rows} == {TRACE}
    latest = onefold(*hub.place, "--json", "runs", "-n", "1").json
    assert latest[0]["trace_id"] not in (TRACE, None)
    assert f"onefold runs --trace {TRACE}" in onefold(*hub.place, "runs", str(rows[0]["run_id"])).out


def test_an_error_is_a_line_of_the_log_where_all_is_to_be_json(hub: Hub) -> None:
    done = onefold(*hub.place, "sync", "nowhere", environ={"ONEFOLD_LOG": "json"})
    failed, command = [json.loads(line) for line in done.err.splitlines()]
    assert (done.code, failed["event"], failed["error"]) == (4, "step.failed", "NothingFound")
    assert command["event"] == "command.failed" and command["exit_code"] == 4
    assert "There is no source nowhere" in command["message"]
    people = onefold(*hub.place, "sync", "nowhere", "--log-format", "text", "--log-level", "error")
    assert people.err.splitlines()[-1].startswith("error: There is no source nowhere")
    wrong = onefold(*hub.place, "status", "--log-format", "xml")
    assert wrong.code == 2 and "Formats: json, text" in wrong.err

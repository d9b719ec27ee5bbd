"""What a line of the log holds, for machines and for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from onefold import logs, tracing
from onefold.errors import UsageError
from onefold.steps.beside import beside
from onefold.steps.logged import logged

GIVEN = {"TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
log = logging.getLogger("connectors.test")


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """The lines that were written to standard error so far, as documents."""
    logs.start(logs.Choice("json", "debug", True))

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capfd.readouterr().err.splitlines()]

    try:
        yield lines
    finally:
        logs.stop()


@pytest.mark.parametrize(
    ("asked", "environ", "terminal", "chosen"),
    [
        ((None, None), {}, True, ("text", "warning", False)),
        ((None, None), {}, False, ("json", "info", False)),
        ((None, None), {"ONEFOLD_LOG": "info"}, False, ("json", "info", False)),
        ((None, None), {"ONEFOLD_LOG": "json"}, True, ("json", "info", True)),
        ((None, None), {"ONEFOLD_LOG": "debug"}, True, ("text", "debug", False)),
        (("text", None), {"ONEFOLD_LOG": "JSON:debug"}, False, ("text", "debug", True)),
        ((None, "error"), {"ONEFOLD_LOG": "text, info"}, False, ("text", "error", True)),
    ],
)
def test_options_go_before_the_environment_and_that_before_the_place(
    asked: tuple[str | None, str | None], environ: dict[str, str], terminal: bool, chosen: tuple[str, str, bool]
) -> None:
    found = logs.choose(*asked, environ, terminal=terminal)
    assert (found.format, found.level, found.is_asked) == chosen


def test_where_a_program_reads_the_error_of_a_command_only_warnings_stand_before_it() -> None:
    assert logs.choose(None, None, {}, terminal=False, quiet=True).level == "warning"
    assert logs.choose("json", None, {}, terminal=False, quiet=True).level == "info"


def test_a_format_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="Formats: json, text"):
        logs.choose("xml", None, {}, terminal=False)


def test_a_line_says_what_it_belongs_to(written: Any) -> None:
    with tracing.traced(GIVEN), logs.bound(step="sync", source="crm", stream="contacts"):
        logs.belongs_to(7)
        logs.tell(log, logging.INFO, "page.landed", "page landed", rows=500, left=None)
        log.warning("%s waits\n%d s", "crm", 3)
    log.debug("outside")
    first, second, third = written()
    assert first["time"].endswith("Z")
    assert {name: value for name, value in first.items() if name not in ("time", "span_id", "pid")} == {
        "level": "info", "event": "page.landed", "message": "page landed", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "run_id": 7, "step": "sync", "source": "crm", "stream": "contacts", "rows": 500,
    }  # fmt: skip
    assert second["message"] == "crm waits\n3 s"
    assert second["event"] == "connectors.test.test_a_line_says_what_it_belongs_to"
    assert "trace_id" not in third and "run_id" not in third


def test_an_error_is_told_by_kind_and_frames_and_another_library_s_line_by_its_place(written: Any) -> None:
    name = " ".join(("Anna", "Kern"))  # frames show the line itself
    try:
        raise ValueError(name)
    except ValueError:
        log.exception("it failed")
        logging.getLogger("library").exception(f"cannot read {name}")
    logging.getLogger("library").info(f"of no interest: {name}")
    ours, theirs = written()
    assert ours["error"] == "ValueError" and __file__ in ours["frames"]
    assert theirs["place"].startswith("test_logs.")
    assert "Anna" not in json.dumps([ours, theirs])


def test_people_read_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    logs.start(logs.Choice("text", "info", False))
    try:
        with tracing.traced(GIVEN), logs.bound(step="sync", source="crm", stream="contacts", run_id=7):
            logs.tell(log, logging.INFO, "page.landed", "page landed", rows=500)
    finally:
        logs.stop()
    assert capfd.readouterr().err[8:] == " info    sync crm:contacts page landed run_id=7 rows=500\n"


def test_a_step_tells_its_beginning_and_its_end_and_of_an_error_its_kind_only(written: Any) -> None:
    @logged("sync")
    def step(_context: object, source: str) -> None:
        logs.belongs_to(3)
        if source == "erp":
            raise ValueError("Anna Kern")

    step(None, "crm")
    with pytest.raises(ValueError):
        step(None, source="erp")
    lines = written()
    assert [(line["event"], line["source"]) for line in lines] == [
        ("step.started", "crm"), ("step.finished", "crm"), ("step.started", "erp"), ("step.failed", "erp"),
    ]  # fmt: skip
    assert [line.get("run_id") for line in lines] == [None, 3, None, 3]
    assert lines[-1]["error"] == "ValueError" and "Anna" not in json.dumps(lines)


def traced_item(setup: str) -> Any:
    """Work for a process beside: says of which trace it is."""
    return nullcontext(lambda item: (setup, item, trace.trace_id if (trace := tracing.current()) else None))


def test_a_process_beside_is_of_the_same_trace_and_logs_the_same_way(written: Any) -> None:
    with tracing.traced(GIVEN) as trace:
        made = list(beside(traced_item, "s", [1, 2], 1))
    assert made == [("s", 1, trace.trace_id), ("s", 2, trace.trace_id)]
    (line,) = written()
    assert (line["event"], line["trace_id"]) == ("worker.started", trace.trace_id)
    assert line["span_id"] != trace.span_id


def test_a_log_that_nobody_takes_any_more_ends_no_work(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import sys

    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as closed:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", closed)
            log.warning("nobody reads this")
        with pytest.raises(BrokenPipeError):
            closed.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), closed.fileno())
    log.warning("this is read")
    assert [line["message"] for line in written()] == ["this is read"]

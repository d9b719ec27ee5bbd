"""Running without Airflow: what is due is read, and whoever is to know is told once, over real HTTP and SMTP."""

from __future__ import annotations

import email
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.policy import default
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from psycopg.errors import QueryCanceled

from onefold.context import Context
from onefold.errors import HubBusy
from onefold.steps.due import look, run_due
from onefold.steps.hold import last_runs
from onefold.steps.logged import logged, start_run
from onefold.steps.notify import try_channels
from onefold.steps.orchestrated import late_key, note_failure, note_late, settle, task_key, tell
from onefold.steps.schedule import due_sources
from onefold.steps.sources import source
from onefold.steps.status import status
from onefold.steps.worries import worries
from tests.acceptance.conftest import fill
from tests.support.cli import CHECKOUT, onefold
from tests.support.http_source import Reply, http_source
from tests.support.hub import CRM, Hub
from warehouse import runs
from warehouse.connect import connect


@dataclass
class Letters:
    """What a mail server took."""

    taken: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@pytest.fixture
def letters() -> Iterator[tuple[Letters, int]]:
    handler = Letters()

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"hub@x", b"p:w"))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticator,
        auth_require_tls=False,
        auth_required=True,
    )
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def later(hub: Hub, **time: int) -> None:
    hub.ticks += int(timedelta(**time).total_seconds())


def secrets(hub: Hub, **values: str) -> None:
    (hub.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")


def due(hub: Hub) -> dict[str, str | None]:
    with hub.context() as context, context.connection() as conn:
        return {one.source: one.due_since for one in due_sources(context, conn)}


def scheduled(hub: Hub) -> Any:
    with hub.context() as context:
        return run_due(context)


def test_a_source_is_read_when_its_schedule_has_come(hub: Hub) -> None:
    fill(hub)
    hub.configure("crm", CRM.replace('"0 * * * *"', '"0 6 * * *"'))
    assert set(due(hub)) == {"crm", "erp"} and all(due(hub).values())
    with hub.context() as context:
        assert look(context).run is None
    assert hub.query("SELECT count(*) FROM ops.run") == [(0,)]
    report = scheduled(hub)
    assert [sync.source for sync in report.run.syncs] == ["crm", "erp"] and report.status == "done"
    assert hub.query("SELECT count(*) > 0 FROM onefold_v1.dim_client") == [(True,)]
    assert due(hub) == {"crm": None, "erp": None}
    assert scheduled(hub).run.syncs == ()
    later(hub, hours=1)
    assert [sync.source for sync in scheduled(hub).run.syncs] == ["erp"]
    later(hub, days=1)
    assert [sync.source for sync in scheduled(hub).run.syncs] == ["crm", "erp"]
    # By hand is as good as by schedule.
    later(hub, days=1)
    hub.run()
    assert due(hub) == {"crm": None, "erp": None}


def test_a_killed_sync_is_due_at_once_and_one_that_asked_for_a_pause_when_it_is_over(hub: Hub) -> None:
    fill(hub)
    scheduled(hub)
    now = hub.clock()
    with hub.context() as context, context.connection() as conn:
        runs.start_run(conn, command="sync", source="crm", at=now)
        retry = (now + timedelta(minutes=5)).isoformat()
        run_id = runs.start_run(conn, command="sync", source="erp", at=now)
        runs.finish_run(conn, run_id, status="deferred", report={"streams": [{"retry_at": retry}]}, at=now)
    assert due(hub)["crm"] is not None and due(hub)["erp"] is None
    later(hub, minutes=6)
    assert due(hub)["erp"] is not None


def test_a_run_whose_process_died_is_closed_as_failed_is_due_and_is_told_once(ready_hub: Hub) -> None:
    hub = ready_hub
    scheduled(hub)
    gone = connect(hub.database_url, application_name="test")
    number = runs.start_run(gone, command="sync", source="crm", at=hub.clock())
    with hub.context() as context, context.connection() as conn:
        assert runs.close_dead(conn, at=hub.clock()) == [], "somebody is at it"
        gone.close()
        until = time.monotonic() + 10
        while "running" in {one["status"] for one in status(context)["runs"]}:
            assert time.monotonic() < until
        assert f"sync of crm failed (run {number})" in status(context)["concerns"]
        told = last_runs(context, source="crm")[0]
        assert (told["run_id"], told["status"], told["seconds"], told["words"]) == (number, "failed", None, [runs.DIED])
        crm = source(context, conn, "crm")
        assert crm["troubles"] == ["failed"] and crm["runs"][0]["errors"][0]["error"] == runs.DIED
    report = scheduled(hub)
    assert [sync.source for sync in report.run.syncs] == ["crm"], "it is due at once"
    assert report.notices.opened == (f"failure:died:{number}",)
    assert scheduled(hub).notices.closed == (f"failure:died:{number}",)
    assert scheduled(hub).notices.opened == ()


def test_a_run_that_an_error_ended_says_its_kind(ready_hub: Hub) -> None:
    @logged("resolve")
    def broken(context: Context) -> None:
        with context.connection() as conn:
            start_run(context, conn, "resolve")
            raise ValueError("what it says may be anybody's")

    @logged("resolve")
    def too_slow(context: Context) -> None:
        with context.connection() as conn:
            start_run(context, conn, "resolve")
            conn.execute("SET statement_timeout = 1")
            conn.execute("SELECT pg_sleep(10)")

    @logged("resolve")
    def taken_for_dead(context: Context) -> None:
        with context.connection() as conn:
            number = start_run(context, conn, "resolve")
        with context.connection() as conn:
            until = time.monotonic() + 10
            while runs.close_dead(conn, at=context.clock()) != [number]:
                assert time.monotonic() < until
        raise KeyError("what it says may be anybody's")

    with ready_hub.context() as context:
        for step, kind in (broken, ValueError), (too_slow, QueryCanceled), (taken_for_dead, KeyError):
            with pytest.raises(kind):
                step(context)
            last = ready_hub.query("SELECT status, report FROM ops.run ORDER BY run_id DESC LIMIT 1")
            assert last == [("failed", {"error": kind.__name__})]


def test_one_scheduled_run_at_a_time(hub: Hub) -> None:
    fill(hub)
    with hub.context() as context, context.connection() as conn:
        assert runs.try_schedule_lock(conn)
        with pytest.raises(HubBusy, match="Another scheduled run"):
            run_due(context)
    assert scheduled(hub).status == "done"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_what_comes_up_is_told_once_and_once_when_it_is_over(hub: Hub, letters: tuple[Letters, int]) -> None:
    fill(hub)
    taken, port = letters
    with http_source() as hooks:
        hooks.answers["/T0K3N"] = lambda _: Reply(200)
        (hub.folder / "config" / "hub.yaml").write_text(
            "title: Заря\nnotifications:\n  email: [ops@example.ru]\n  smtp: ${SMTP_URL}\n  webhook: ${HOOK}\n",
            encoding="utf-8",
        )
        secrets(hub, SMTP_URL=f"smtp://hub%40x:p%3Aw@127.0.0.1:{port}", HOOK=f"{hooks.url}/T0K3N")
        assert scheduled(hub).notices.told == {}
        orders = hub.folder / "data" / "erp_orders.jsonl"
        kept = orders.read_bytes()
        orders.unlink()
        for told in ({"webhook": 1, "email": 1}, {}):
            later(hub, hours=1)
            report = scheduled(hub)
            assert report.status == "failed" and report.notices.told == told
        orders.write_bytes(kept)
        later(hub, hours=1)
        report = scheduled(hub)
        assert report.notices.closed == ("failure:erp:orders",) and report.notices.told == {"webhook": 1, "email": 1}
        assert hub.query("SELECT count(*) FROM ops.notice WHERE closed_at IS NULL") == [(0,)]
        posted = [asked.body for asked in hooks.asked]
    assert len(posted) == len(taken.taken) == 2
    receivers, letter = taken.taken[0]
    assert receivers == ["ops@example.ru"] and letter["Subject"] == "[Заря] erp:orders failed"
    assert "erp_orders.jsonl" in letter.get_content() and "over: erp:orders failed" in taken.taken[1][1]["Subject"]
    assert b'"key":"failure:erp:orders"' in posted[0]


def test_what_airflow_says_of_its_tasks_is_closed_by_the_task_and_not_by_a_run(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context:
        note_failure(context, "onefold_publish.resolve", "resolve: it went wrong")
        note_late(context, "onefold_sync_crm", "crm", "warn_after")
        note_failure(context, "crm:contacts", "status 401", key="failure:crm:contacts")
        tell(context)
    later(hub, hours=2)
    scheduled(hub)
    with hub.context() as context:
        told = [(one["subject"], one["kind"]) for one in worries(context)["tasks"]]
        assert told == [("onefold_publish.resolve failed", "failure"), ("crm is not read in time", "stale")]
        assert settle(context, task_key("onefold_publish.resolve"), late_key("onefold_sync_crm")).closed
        assert worries(context)["tasks"] == []
        assert settle(context, task_key("onefold_publish.resolve")).closed == ()
    assert hub.query("SELECT count(*) FROM ops.notice WHERE closed_at IS NULL AND kind = 'failure'") == [(0,)]


def test_what_was_told_of_a_source_that_is_gone_is_over(ready_hub: Hub) -> None:
    with ready_hub.context() as context:
        note_failure(context, "onefold_sync_gone.news", "news: it went wrong")
        note_late(context, "onefold_sync_gone", "gone", "warn_after")
        note_failure(context, "gone:things", "status 401", key="failure:gone:things")
        note_failure(context, "crm:gone", "status 401", key="failure:crm:gone")
        note_failure(context, "onefold_sync_crm.news", "news: it went wrong")
        note_failure(context, "crm:contacts", "status 401", key="failure:crm:contacts")
        tell(context)
    assert ready_hub.query("SELECT key FROM ops.notice WHERE closed_at IS NULL AND kind <> 'review' ORDER BY key") == [
        ("failure:DAG:onefold_sync_crm.news",),
        ("failure:crm:contacts",),
    ]


def test_a_channel_that_is_down_is_told_later_and_nothing_leaks(hub: Hub) -> None:
    fill(hub)
    with http_source() as hooks:
        hooks.answers["/T0K3N"] = lambda _: Reply(500)
        (hub.folder / "config" / "hub.yaml").write_text(
            "notifications: {webhook: '${HOOK}', email: ops@example.ru, smtp: 'smtp://a:S3CRET@127.0.0.1:1'}\n",
            encoding="utf-8",
        )
        secrets(hub, HOOK=f"{hooks.url}/T0K3N")
        (hub.folder / "data" / "crm_deals.jsonl").unlink()
        first = scheduled(hub).notices
        assert first.told == {} and len(first.errors) == 2 and len(hooks.asked) == 3
        assert not any(secret in error for error in first.errors for secret in ("T0K3N", "S3CRET"))
        hooks.answers["/T0K3N"] = lambda _: Reply(200)
        with hub.context() as context:
            trial = try_channels(context)
        assert trial.told == {"webhook": 1} and "127.0.0.1" in trial.errors[0]


@pytest.mark.parametrize(
    "address", ["smtp://u:pa/SS@127.0.0.1:25", "smtp://u:SS@127.0.0.1:5x7", "smtp://u:SS[@127.0.0.1", "mailto:x"]
)
def test_an_address_that_is_none_ends_no_run_and_shows_no_password(hub: Hub, address: str) -> None:
    (hub.folder / "config" / "hub.yaml").write_text(
        "notifications: {email: ops@example.ru, smtp: '${SMTP}'}\n", "utf-8"
    )
    secrets(hub, SMTP=address)
    with hub.context() as context:
        (said,) = try_channels(context).errors
    assert said.startswith("email: `notifications.smtp`") and "SS" not in said


def test_a_run_that_ends_with_an_error_is_told_and_ends_with_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hub)
    scheduled(hub)
    with hub.context() as context, context.connection() as conn:
        conn.execute("ALTER TABLE core.client RENAME TO hidden")
    hub.registers["crm_contacts"][0]["last"] = "Римский"
    hub.write("crm_contacts")
    later(hub, hours=1)
    with pytest.raises(Exception, match=r"core\.client"):
        scheduled(hub)
    assert hub.query("SELECT kind, key FROM ops.notice WHERE closed_at IS NULL") == [("failure", "failure:run")]
    with hub.context() as context, context.connection() as conn:
        conn.execute("ALTER TABLE core.hidden RENAME TO client")
    later(hub, hours=1)
    assert scheduled(hub).notices.closed == ("failure:run",)


def test_the_command_says_what_is_due_and_reads_it(hub: Hub) -> None:
    fill(hub)
    looked = onefold(*hub.place, "--json", "run", "--due", "--dry-run")
    assert looked.code == 0 and looked.json["run"] is None
    ran = onefold(*hub.place, "run", "--due")
    assert ran.code == 0 and "crm" in ran.out and "0 * * * *" in ran.out
    again = onefold(*hub.place, "--json", "run", "--due").json
    assert [one["due_since"] for one in again["sources"]] == [None, None] and again["run"]["syncs"] == []
    wrong = onefold(*hub.place, "run", "--due", "--full")
    assert wrong.code == 2 and "Use one of them" in wrong.err
    mute = onefold(*hub.place, "notify")
    assert mute.code == 2 and "names no channel" in mute.err


def test_the_units_of_the_manual_are_good(tmp_path: Path) -> None:
    verify = which("systemd-analyze")
    if verify is None:
        pytest.skip("no systemd here")
    text = (CHECKOUT / "docs" / "operations.md").read_text("utf-8")
    block = next(part for part in text.split("```ini\n")[1:] if "onefold.service" in part).split("```")[0]
    service, timer = block.split("# /etc/systemd/system/onefold.timer")
    # The program and the user of the manual are not here.
    service = service.replace("/opt/onefold/.venv/bin/onefold", sys.executable).replace("User=onefold\n", "")
    for name, unit in (("onefold.service", service), ("onefold.timer", timer)):
        (tmp_path / name).write_text(unit, "utf-8")
    units = [tmp_path / "onefold.service", tmp_path / "onefold.timer"]
    done = subprocess.run([verify, "verify", *units], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line], done.stderr

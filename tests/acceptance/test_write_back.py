"""Back into the systems: a CRM on a real server, the whole way there, home again, and nothing left to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.rest.connector import RestConnector
from onefold.errors import HubBusy, NothingFound, UsageError
from onefold.steps.report import WriteBackReport, WriteStreamReport
from onefold.steps.sync import source_lock
from onefold.steps.write_plan import Difference
from tests.support.cli import Done, onefold
from tests.support.crm_server import Crm, crm
from tests.support.hub import ERP, Hub
from warehouse.connect import connect
from warehouse.dump import canonical_dump, row_versions

FIELDS = {"onefold_id": "client_id", "golden_phone": "phone", "golden_mails": {"value": "email", "join": "; "}}
STREAM = {
    "as": "person",
    "fields": {
        "given_name": "properties.first",
        "family_name": "properties.last",
        "birth_date": "properties.born",
        "email": "properties.email",
    },
}


@pytest.fixture
def system() -> Iterator[Crm]:
    """A CRM with the same person twice, another one, and one who is deleted there."""
    with crm() as running:
        running.put("1", first="Пётр", last="Чайковский", born="1980-05-07", email="petr@example.ru")
        running.put("2", first="Петр", last="Чайковский", born="1980-05-07", email="petr@example.ru")
        running.put("3", first="Анна", last="Керн", born="1990-02-11", email="anna.kern@example.ru")
        running.put("4", first="Lev", last="Tolstoy", born="1975-09-09", email="lev@example.org")
        running.put("5", first="Ada", last="Gone", born="1971-01-01", email="gone@example.org")
        running.archive("5")
        yield running


@pytest.fixture
def desk(hub: Hub, system: Crm) -> Hub:
    """A hub over that CRM and an ERP that knows Tchaikovsky's phone; it has run."""
    configure(hub, system)
    hub.registers["erp_customers"] = [
        {"code": "C2", "kind": "person", "person": "Чайковский Петр", "born": "1980-05-07", "mail": "petr@example.ru",
         "tel": "+79165550101"},
    ]  # fmt: skip
    hub.write("erp_customers")
    hub.run()
    return hub


def configure(hub: Hub, system: Crm, *, enabled: bool = True, fields: Any = None, **limits: Any) -> None:
    """The CRM as a source of the hub."""
    rule = {"enabled": enabled, "fields": FIELDS if fields is None else fields}
    source = {
        "source": "crm",
        "connector": "rest",
        "settings": {"manifest": system.manifest(**limits), "parameters": {"token": system.token}},
        "defaults": {"country": "RU"},
        "trust": 60,
        "streams": {"contacts": {**STREAM, "write_back": rule}},
    }
    hub.configure("crm", json.dumps(source, ensure_ascii=False))


def write_back(hub: Hub, source: str = "crm", **arguments: Any) -> WriteBackReport:
    """The step; a dry run unless told otherwise."""
    from onefold.steps.write_back import write_back as step

    with hub.context() as context:
        return step(context, source, **arguments)


def applied(hub: Hub, **arguments: Any) -> WriteStreamReport:
    """What --apply did with the contacts."""
    (stream,) = write_back(hub, apply=True, **arguments).streams
    return stream


def receipts(hub: Hub) -> list[tuple[str, str, str | None, bool]]:
    """Key, status, code and whether it came back, in order of sending."""
    return [
        tuple(row)
        for row in hub.query(
            "SELECT source_key, status, code, echoed_at IS NOT NULL FROM ops.write_receipt ORDER BY receipt_id"
        )
    ]  # type: ignore[misc]


def versions(hub: Hub) -> dict[str, set[tuple[str, str, str]]]:
    """Every row of the hub but those of ops and of raw records."""
    with connect(hub.database_url, application_name="test") as conn:
        return {name: rows for name, rows in row_versions(conn).items() if name != "raw.record"}


def command(hub: Hub, *arguments: str) -> Done:
    """`onefold ARGUMENTS` on this hub."""
    place = ("--home", str(hub.folder / "var"), "--config", str(hub.folder / "config"))
    return onefold(*place, "--database", hub.database_url, *arguments)


def test_the_whole_way_there_and_back_ends_with_nothing_to_do(desk: Hub, system: Crm) -> None:
    peter, anna = desk.client_of("crm:contacts:1"), desk.client_of("crm:contacts:3")
    assert desk.client_of("crm:contacts:2") == peter
    found: list[Difference] = []
    dry = write_back(desk, tell=found.append)
    assert (dry.run_id, dry.streams[0].changes, system.writes, receipts(desk)) == (None, 4, [], [])
    assert Difference("crm:contacts:1", peter, "golden_phone", None, "+79165550101") in found
    assert {one.record for one in found} == {f"crm:contacts:{key}" for key in "1234"}

    done = applied(desk)
    assert (done.changes, done.accepted, done.refused, done.unknown) == (4, 4, 0, 0)
    assert [system.value(key, "onefold_id") for key in "123"] == [peter, peter, anna]
    assert [system.value(key, "golden_phone") for key in "12"] == ["+79165550101"] * 2
    # Anna has no phone: a value that is not there blanks nothing and is not sent.
    assert "golden_phone" not in system.contacts["3"]["properties"]
    assert "onefold_id" not in system.contacts["5"]["properties"]
    assert applied(desk).changes == 0, "what was written is written again before it came back"

    before, times = versions(desk), desk.query("SELECT record_id, source_updated_at FROM raw.record ORDER BY 1")
    report = desk.run()
    (contacts,) = next(one for one in report.syncs if one.source == "crm").streams
    assert (contacts.updated, contacts.echoed) == (0, 4)
    assert report.standardise.records == 0
    assert versions(desk) == before, "an echo made new versions or work"
    # Our own writing must not make a record the most recent one.
    assert desk.query("SELECT record_id, source_updated_at FROM raw.record ORDER BY 1") == times
    assert all(came for *_, came in receipts(desk))
    sent = len(system.writes)
    assert applied(desk).changes == 0
    desk.run()
    assert applied(desk).changes == 0
    assert len(system.writes) == sent
    assert versions(desk) == before


def test_a_new_golden_value_is_written_and_what_is_gone_blanks_nothing(desk: Hub, system: Crm) -> None:
    applied(desk)
    desk.run()
    desk.registers["erp_customers"][0]["tel"] = "+79165550199"
    desk.write("erp_customers")
    desk.run()
    assert applied(desk).accepted == 2
    assert [system.value(key, "golden_phone") for key in "12"] == ["+79165550199"] * 2
    desk.run()
    desk.registers["erp_customers"] = []
    desk.write("erp_customers")
    desk.run()
    assert applied(desk).changes == 0
    assert system.value("1", "golden_phone") == "+79165550199"


def test_a_refused_row_leaves_its_neighbours_and_is_not_sent_again_unasked(desk: Hub, system: Crm) -> None:
    system.refuses = lambda key, _: "READ_ONLY" if key == "3" else None
    done = applied(desk)
    assert (done.accepted, done.refused) == (3, 1)
    assert ("3", "refused", "READ_ONLY", False) in receipts(desk)
    ((message,),) = desk.query("SELECT message FROM ops.write_receipt WHERE status = 'refused'")
    assert "anna.kern@example.ru" not in message and desk.client_of("crm:contacts:3") not in message
    desk.run()
    sent = len(system.writes)
    second = applied(desk)
    assert (second.changes, second.refused_before, len(system.writes)) == (0, 1, sent)
    system.refuses = lambda _key, _fields: None
    assert applied(desk, again=True).accepted == 1
    assert system.value("3", "onefold_id") == desk.client_of("crm:contacts:3")


def test_a_busy_system_is_waited_for_and_a_long_wait_ends_the_run(desk: Hub, system: Crm) -> None:
    system.busy = 1
    assert applied(desk, limit=3).accepted == 3
    system.busy = 100
    report = write_back(desk, apply=True)
    assert (report.status, report.streams[0].unknown, report.streams[0].error_class) == ("failed", 1, "RetriableError")
    system.busy = 0
    assert applied(desk).accepted == 1
    assert [status for _, status, *_ in receipts(desk)] == ["accepted"] * 4


def test_after_a_lost_answer_a_look_finds_what_arrived_and_nothing_is_sent_twice(desk: Hub, system: Crm) -> None:
    system.mute = 2  # the engine tries twice
    report = write_back(desk, apply=True)
    assert (report.status, report.streams[0].unknown) == ("failed", 3)
    sent = len(system.writes)
    assert sum(len(batch) for batch in system.writes) == 6
    assert system.keys[0] == system.keys[1] != ""
    done = applied(desk)
    assert (done.accepted, done.unknown) == (4, 0)
    assert [key for batch in system.writes[sent:] for key, _ in batch] == ["4"], "what had arrived was sent again"
    assert sorted(receipts(desk))[0][1:3] == ("accepted", "seen")


@pytest.mark.parametrize("drops", [False, True], ids=["taken", "not taken"])
def test_killed_in_mid_batch_the_next_run_ends_where_an_undisturbed_one_would(
    desk: Hub, system: Crm, drops: bool
) -> None:
    system.drops = drops
    system.hold.clear()
    environment = {**os.environ, "ONEFOLD_DATABASE_URL": desk.database_url}
    words = [
        "--home",
        str(desk.folder / "var"),
        "--config",
        str(desk.folder / "config"),
        "write-back",
        "crm",
        "--apply",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert system.held.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    system.hold.set()
    assert [status for _, status, *_ in receipts(desk)] == ["sent"] * 3
    keys = {row[0].hex for row in desk.query("SELECT idempotence_key FROM ops.write_receipt")}
    done = applied(desk)
    assert (done.accepted, done.refused, done.unknown) == (4, 0, 0)
    rows = [key for batch in system.writes for key, _ in batch]
    assert sorted(rows) == ["1", "2", "3", "4"], "a row was written twice or not at all"
    assert keys <= {row[0].hex for row in desk.query("SELECT idempotence_key FROM ops.write_receipt")}
    assert desk.query("SELECT status FROM ops.run WHERE command = 'write_back' ORDER BY run_id") == [
        ("failed",),
        ("done",),
    ]
    desk.run()
    assert all(row[1] == "accepted" and row[3] for row in receipts(desk))
    assert applied(desk).changes == 0


def test_the_sync_alone_settles_what_a_killed_run_had_written(desk: Hub, system: Crm) -> None:
    system.mute = 2
    write_back(desk, apply=True, limit=3)
    assert {status for _, status, *_ in receipts(desk)} == {"unknown"}
    desk.run()
    assert [(status, came) for _, status, _, came in receipts(desk)] == [("accepted", True)] * 3


def test_what_somebody_changes_back_is_told_and_never_fought_over(desk: Hub, system: Crm) -> None:
    applied(desk)
    desk.run()
    system.put("3", onefold_id="by hand")
    desk.run()
    found: list[Difference] = []
    dry = write_back(desk, tell=found.append).streams[0]
    assert (dry.changes, dry.changed_back) == (0, 1)
    assert [(one.record, one.now, one.note) for one in found] == [("crm:contacts:3", "by hand", "changed back")]
    assert applied(desk).changes == 0
    assert system.value("3", "onefold_id") == "by hand"
    assert applied(desk, again=True).accepted == 1
    assert system.value("3", "onefold_id") == desk.client_of("crm:contacts:3")


def test_an_echo_that_comes_with_a_change_of_people_is_no_echo(desk: Hub, system: Crm) -> None:
    applied(desk)
    system.put("3", last="Полторацкая")
    report = desk.run()
    (contacts,) = next(one for one in report.syncs if one.source == "crm").streams
    assert (contacts.updated, contacts.echoed) == (1, 3)
    ((family,),) = desk.query(
        "SELECT attributes ->> 'family_name' FROM core.client WHERE attributes @> '{\"email\": [\"anna.kern@example.ru\"]}' OR attributes ->> 'email' = 'anna.kern@example.ru'"
    )
    assert family == "Полторацкая"
    assert all(came for *_, came in receipts(desk))
    assert applied(desk).changes == 0


def test_an_undone_merge_gives_each_record_its_own_client_again(desk: Hub, system: Crm) -> None:
    applied(desk)
    desk.run()
    assert command(desk, "judge", "not-same", "crm:contacts:1", "crm:contacts:2", "--reason", "twins").code == 0
    desk.run()
    applied(desk)
    ids = {system.value(key, "onefold_id") for key in "12"}
    assert ids == {desk.client_of("crm:contacts:1"), desk.client_of("crm:contacts:2")} and len(ids) == 2


def test_wrong_credentials_end_the_stream_and_no_row_is_called_refused(desk: Hub, system: Crm) -> None:
    system.token = "another"
    report = write_back(desk, apply=True)
    assert (report.status, report.streams[0].error_class, report.streams[0].refused) == (
        "failed",
        "CredentialsError",
        0,
    )
    assert {status for _, status, *_ in receipts(desk)} == {"unknown"}


def test_it_is_off_until_it_is_switched_on(desk: Hub, system: Crm) -> None:
    configure(desk, system, enabled=False)
    assert write_back(desk).streams[0].changes == 4
    with pytest.raises(UsageError, match="enabled: true"):
        write_back(desk, apply=True)
    with pytest.raises(NothingFound, match="no `write_back`"):
        write_back(desk, source="erp")
    assert system.writes == []


def test_a_field_that_the_mapping_reads_is_never_owned(desk: Hub, system: Crm) -> None:
    configure(desk, system, fields={"email": "email"})
    report = write_back(desk, apply=True)
    assert report.streams[0].error_class == "SourceConfigurationError"
    assert "which the mapping reads (`properties.email`)" in str(report.streams[0].error)
    assert system.writes == []


def test_the_command_shows_the_differences_writes_and_lists_the_receipts(
    desk: Hub, system: Crm, tmp_path: Path
) -> None:
    shown = command(desk, "write-back", "crm", "--limit", "1")
    assert shown.code == 0 and "Nothing is written" in shown.out and system.writes == []
    document = command(desk, "write-back", "crm", "--json").json
    assert document["run_id"] is None
    assert {(one["record"], one["field"]) for one in document["differences"]} >= {("crm:contacts:1", "golden_phone")}
    done = command(desk, "write-back", "crm", "--stream", "contacts", "--apply", "--json")
    assert (done.code, done.json["streams"][0]["accepted"], "differences" in done.json) == (0, 4, False)
    assert system.token not in done.said
    listed = command(desk, "receipts", "crm", "--status", "accepted", "--json").json
    assert {one["source_key"] for one in listed} == set("1234")
    assert {one["fields"]["golden_phone"] for one in listed if one["source_key"] == "1"} == {"+79165550101"}
    assert command(desk, "write-back", "crm", "--stream", "nothing").code == 4


def test_it_never_runs_beside_a_sync_of_the_same_source_but_looks_at_any_time(desk: Hub) -> None:
    with connect(desk.database_url, application_name="test") as conn, source_lock(conn, "crm"):
        with pytest.raises(HubBusy):
            write_back(desk, apply=True)
        assert write_back(desk).streams[0].changes == 4


def test_a_killed_run_and_an_undisturbed_one_leave_the_same_receipts(desk: Hub, system: Crm) -> None:
    system.mute = 2
    write_back(desk, apply=True)
    applied(desk)
    with connect(desk.database_url, application_name="test") as conn:
        resumed = canonical_dump(conn)["ops.write_receipt"]
        conn.execute("TRUNCATE ops.write_receipt")
    for key in "1234":
        system.contacts[key]["properties"] = {
            name: value for name, value in system.contacts[key]["properties"].items() if name not in FIELDS
        }
    applied(desk)
    with connect(desk.database_url, application_name="test") as conn:
        assert canonical_dump(conn)["ops.write_receipt"] == resumed


def with_leads(desk: Hub, system: Crm, *, enabled: bool) -> None:
    """The CRM has a second stream that is written back."""
    source = json.loads((desk.folder / "config" / "sources" / "crm.yaml").read_text("utf-8"))
    manifest = source["settings"]["manifest"]
    manifest["streams"]["leads"] = {**manifest["streams"]["contacts"], "path": "leads"}
    rule = {**source["streams"]["contacts"]["write_back"], "enabled": enabled}
    source["streams"]["leads"] = {**source["streams"]["contacts"], "write_back": rule}
    desk.configure("crm", json.dumps(source, ensure_ascii=False))
    system.server.answers["/leads"] = system.server.answers["/contacts"]
    desk.run()


def test_a_limit_holds_for_all_streams_of_a_source_together(desk: Hub, system: Crm) -> None:
    with_leads(desk, system, enabled=True)
    report = write_back(desk, apply=True, limit=4)
    assert [one.changes for one in report.streams] == [4, 0]
    assert [one.changes for one in write_back(desk, apply=True).streams] == [0, 4]


def test_a_stream_that_is_off_keeps_no_other_from_being_written(desk: Hub, system: Crm) -> None:
    with_leads(desk, system, enabled=False)
    assert [one.stream for one in write_back(desk).streams] == ["contacts", "leads"]
    assert [(one.stream, one.accepted) for one in write_back(desk, apply=True).streams] == [("contacts", 4)]
    with pytest.raises(UsageError, match="crm:leads"):
        write_back(desk, apply=True, streams=["leads"])


def test_a_connectors_own_fault_ends_its_stream_and_quotes_nobody(
    desk: Hub, system: Crm, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_connector: Any, _request: Any, changes: Any) -> Any:
        raise ValueError(str(changes))

    monkeypatch.setattr(RestConnector, "write", stumble)
    report = write_back(desk, apply=True)
    assert (report.status, report.streams[0].error_class) == ("failed", "ValueError")
    assert "petr@example.ru" not in f"{report}{caplog.text}"
    monkeypatch.setattr(RestConnector, "write", lambda *_: [])
    assert applied(desk).unknown == 4
    monkeypatch.undo()
    assert applied(desk).accepted == 4
    assert {status for _, status, *_ in receipts(desk)} == {"accepted"}


def test_what_was_changed_back_is_taken_again_though_another_field_was_written_since(desk: Hub, system: Crm) -> None:
    applied(desk)
    desk.run()
    system.put("1", onefold_id="by hand")
    desk.registers["erp_customers"][0]["tel"] = "+79165550199"
    desk.write("erp_customers")
    desk.run()
    assert applied(desk).accepted == 2
    assert (system.value("1", "onefold_id"), system.value("1", "golden_phone")) == ("by hand", "+79165550199")
    assert applied(desk, again=True).accepted == 1
    assert system.value("1", "onefold_id") == desk.client_of("crm:contacts:1")


def taken_back(hub: Hub, run: str = "last", **arguments: Any) -> tuple[WriteStreamReport, list[Difference]]:
    """What taking a run back did (a dry run unless told otherwise), and what it told."""
    from onefold.steps.write_undo import take_back

    found: list[Difference] = []
    with hub.context() as context:
        (stream,) = take_back(context, "crm", run, tell=found.append, **arguments).streams
    return stream, found


def test_a_run_is_taken_back_where_its_values_still_stand_there(desk: Hub, system: Crm) -> None:
    configure(desk, system, empty="")
    system.put("4", onefold_id="an older number")
    desk.run()
    applied(desk)
    leo = system.value("4", "onefold_id")
    system.put("3", onefold_id="changed by people")  # the hub has not heard of it
    dry, told = taken_back(desk)
    assert (dry.changes, system.writes[-1:], len(receipts(desk))) == (4, system.writes[-1:], 4)
    assert Difference("crm:contacts:4", desk.client_of("crm:contacts:4"), "onefold_id", leo, "an older number") in told

    done, told = taken_back(desk, apply=True)
    assert (done.changes, done.accepted, done.changed_back, done.refused, done.unknown) == (4, 4, 1, 0, 0)
    assert system.value("4", "onefold_id") == "an older number"
    assert [system.value(key, "onefold_id") for key in "12"] == ["", ""]
    assert system.value("3", "onefold_id") == "changed by people", "what people wrote since was overwritten"
    assert system.value("3", "golden_mails") == "", "a field beside one that was changed is taken back"
    assert [(one.record, one.field) for one in told if one.note == "changed since"] == [
        ("crm:contacts:3", "onefold_id")
    ]

    # Once more there is nothing; and the hub does not write again what was taken back, nor hear its own word.
    assert taken_back(desk, apply=True)[0].changes == 0
    assert applied(desk).changes == 0
    (contacts,) = next(one for one in desk.run().syncs if one.source == "crm").streams
    assert (contacts.updated, contacts.echoed) == (1, 3), "contact 3 was changed by people, the others by the hub"
    assert applied(desk).changes == 0
    assert applied(desk, again=True).changes == 4


def test_what_cannot_be_taken_back_is_left_and_told(desk: Hub, system: Crm) -> None:
    applied(desk)  # this system cannot be told to empty a field
    dry, told = taken_back(desk)
    assert (dry.changes, dry.left, {one.note for one in told}) == (0, 4, {"was empty: empty it there"})

    configure(desk, system, fields={"onefold_id": "record_count"}, empty=None)
    applied(desk)
    del system.contacts["4"]
    done, told = taken_back(desk, str(first_run(desk)), apply=True)
    notes = {(one.record, one.field): one.note for one in told if one.note}
    assert notes[("crm:contacts:1", "onefold_id")].startswith("written again by run ")
    assert notes[("crm:contacts:4", "golden_mails")] == "gone"
    assert ("crm:contacts:1", "golden_mails") not in notes
    assert system.value("1", "golden_mails") is None
    assert done.refused == done.unknown == 0


def first_run(hub: Hub) -> int:
    """The run of the first receipts."""
    (row,) = hub.query("SELECT min(run_id) FROM ops.write_receipt")
    return int(row[0])


def test_a_lost_answer_while_taking_back_is_looked_after(desk: Hub, system: Crm) -> None:
    configure(desk, system, empty="")
    applied(desk)
    system.mute = 2
    cut, _ = taken_back(desk, apply=True)
    assert (cut.status, cut.unknown) == ("failed", 3)
    keys, writes = list(system.keys), len(system.writes)
    rest, _ = taken_back(desk, str(first_run(desk)), apply=True)
    assert (rest.status, rest.accepted, rest.unknown) == ("done", 4, 0)
    assert len(system.writes) == writes + 1, "what had arrived was sent once more"
    assert len(set(keys) | set(system.keys)) == len(set(keys)) + 1
    assert all(not system.value(key, name) for key in "1234" for name in FIELDS)


def test_a_run_is_taken_back_from_the_command_line_without_write_back_being_configured(desk: Hub, system: Crm) -> None:
    configure(desk, system, empty="")
    run_id = write_back(desk, apply=True).run_id
    off = {"source": "crm", "connector": "rest", "trust": 60, "streams": {"contacts": STREAM}}
    off["settings"] = {"manifest": system.manifest(empty=""), "parameters": {"token": system.token}}
    desk.configure("crm", json.dumps(off, ensure_ascii=False))
    shown = command(desk, "write-back", "crm", "--undo", "last")
    assert shown.code == 0 and "this would be" in shown.out and system.value("1", "onefold_id")
    done = command(desk, "--json", "write-back", "crm", "--undo", str(run_id), "--apply")
    assert done.code == 0 and json.loads(done.out)["undo_of"] == run_id
    assert not system.value("1", "onefold_id")
    listed = command(desk, "receipts", "crm", "--run", str(run_id))
    assert listed.code == 0 and str(run_id) in listed.out
    nothing = command(desk, "write-back", "crm", "--undo", "99999")
    assert nothing.code == 4 and "onefold receipts crm" in nothing.said
    assert command(desk, "write-back", "crm", "--undo", "last", "--again").code == 2


def test_a_segment_is_written_dry_first_with_receipts_and_again_when_it_is_another(desk: Hub, system: Crm) -> None:
    stage = "schemes:\n  stage:\n    basis: lifecycle\n    labels: Stage\n    segments:\n"
    rich = "      buyer: {labels: Buyer, when: {dealings: {at_least: 1}}}\n"
    file = desk.folder / "config" / "segments.yaml"
    file.write_text(stage + rich, encoding="utf-8")
    desk.registers["erp_orders"] = [{"no": "1", "customer": "C2", "date": "2026-02-01", "total": 1}]
    desk.write("erp_orders")
    configure(desk, system, fields={"onefold_id": "segment.stage"})
    desk.run()
    found: list[Difference] = []
    assert write_back(desk, tell=found.append).streams[0].changes == 4 and receipts(desk) == []
    assert {one.record.rpartition(":")[2]: one.new for one in found} == {
        "1": "buyer", "2": "buyer", "3": "unknown", "4": "unknown"
    }  # fmt: skip
    assert applied(desk).accepted == 4
    assert applied(desk).changes == 0, "what was taken is not sent again"
    # Another segment, and no golden record has changed.
    file.write_text(stage + rich.replace("buyer", "customer"), encoding="utf-8")
    desk.run()
    assert applied(desk).accepted == 2
    assert [key for key, *_ in receipts(desk)][-2:] in (["1", "2"], ["2", "1"])


NEEDS = """
needs:
  urgency:
    job: Get it running again.
    labels: Urgency
    dimension: time
    signals:
      express: {types: sales_order, when: {detail.status: express}}
"""
HURRY = {"onefold_hurry": "need.urgency"}


@pytest.fixture
def shop(desk: Hub, system: Crm) -> Hub:
    """Tchaikovsky's orders are in a hurry, and the CRM is told so."""
    order = "document_number: no"
    desk.configure("erp", ERP.replace(order, f"{order}\n    detail: {{status: st}}"))
    (desk.folder / "config" / "needs.yaml").write_text(NEEDS, encoding="utf-8")
    order_rows(desk, "C2")
    configure(desk, system, fields=HURRY, empty="")
    desk.run()
    return desk


def order_rows(hub: Hub, customer: str) -> None:
    """Four orders of a customer, written to the ERP."""
    hub.registers["erp_orders"] = [
        {"no": f"O{n}", "customer": customer, "date": f"2026-01-0{n}", "total": 10, "st": "express"}
        for n in range(1, 5)
    ]
    hub.write("erp_orders")


def were_somebody_elses(shop: Hub) -> None:
    """The orders were those of a client who was not there before."""
    shop.registers["erp_customers"].append(
        {"code": "C9", "kind": "person", "person": "Глинка Михаил", "mail": "m@g.example"}
    )
    shop.write("erp_customers")
    order_rows(shop, "C9")
    shop.run()


def hurried(hub: Hub) -> list[tuple[str, Any]]:
    """What was sent, in order."""
    return hub.query("SELECT source_key, fields -> 'onefold_hurry' FROM ops.write_receipt ORDER BY receipt_id")


def test_what_a_client_needs_no_more_is_emptied_once_and_only_news_is_looked_at(shop: Hub, system: Crm) -> None:
    first = applied(shop)
    assert (first.records, first.accepted) == (4, 2) and first.unknown == 0
    said = hurried(shop)
    assert {key for key, _ in said} == {"1", "2"} and len(said) == 2
    held = system.value("1", "onefold_hurry")
    assert held not in (None, "")
    assert applied(shop).records == 0, "nobody has news"
    shop.run()
    assert applied(shop).records == 0, "an echo is no news"

    # The orders were somebody else's: nothing is known of Tchaikovsky's needs any more.
    were_somebody_elses(shop)
    found: list[Difference] = []
    dry = write_back(shop, tell=found.append).streams[0]
    assert (dry.records, dry.changes) == (4, 2), "people are shown all that differs"
    assert {(one.record, one.new) for one in found} == {("crm:contacts:1", None), ("crm:contacts:2", None)}
    emptied = applied(shop)
    assert (emptied.records, emptied.accepted) == (2, 2), "Anna and Lev have no news"
    assert [system.value(key, "onefold_hurry") for key in "12"] == ["", ""]
    assert hurried(shop)[2:] == [("1", None), ("2", None)]
    shop.run()
    assert applied(shop).changes == applied(shop, again=True).changes == 0

    # It comes back, and somebody else's word in the field is left alone when it goes again.
    order_rows(shop, "C2")
    shop.run()
    assert applied(shop).accepted == 2 and system.value("1", "onefold_hurry") == held
    system.put("1", onefold_hurry="by hand")
    order_rows(shop, "C9")
    shop.run()
    assert applied(shop).accepted == 1
    assert [system.value(key, "onefold_hurry") for key in "12"] == ["by hand", ""]


def test_a_field_that_cannot_be_emptied_is_told(shop: Hub, system: Crm) -> None:
    configure(shop, system, fields=HURRY)
    assert applied(shop).accepted == 2
    were_somebody_elses(shop)
    found: list[Difference] = []
    done = applied(shop, tell=found.append)
    assert (done.changes, done.refused) == (0, 0)
    assert {(one.record, one.note) for one in found} == {(f"crm:contacts:{n}", "gone: empty it there") for n in (1, 2)}


def test_what_did_not_arrive_is_looked_at_again(shop: Hub, system: Crm) -> None:
    assert applied(shop, limit=1).accepted == 1
    assert applied(shop).accepted == 1, "a limit is no end of the look"
    system.put("1", onefold_hurry="other")
    shop.run()
    looked = applied(shop)
    # Both records of the client of whom one was landed since.
    assert (looked.records, looked.changes, looked.changed_back) == (2, 0, 1)

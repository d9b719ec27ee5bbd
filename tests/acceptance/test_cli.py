"""The command line: what every command promises, called in-process through the script's entry point."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.cli import Done, onefold
from tests.support.hub import Hub
from tests.support.spark import hide_spark

PERSON, TWIN, STRANGER, FIRM, FIRM_TWIN, LONER = (
    "crm:contacts:1", "erp:customers:C2", "crm:contacts:3", "crm:companies:10", "erp:customers:C1", "crm:contacts:2",
)  # fmt: skip


class Desk:
    """A hub as a person at a terminal sees it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.place = ("--home", str(hub.folder / "var"), "--config", str(hub.folder / "config"))

    def onefold(self, *arguments: str | Path) -> Done:
        """One command on this hub."""
        return onefold(*self.place, "--database", self.hub.database_url, *arguments)

    def json(self, *arguments: str | Path) -> Any:
        """The document that a command gives for machines; it must end well."""
        done = self.onefold("--json", *arguments)
        assert done.code == 0, done.said
        return done.json


@pytest.fixture(scope="module", autouse=True)
def without_spark() -> Iterator[None]:
    """No command here needs Spark: nothing of it can be imported meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        hide_spark(patch)
        yield


@pytest.fixture(scope="module")
def desk(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A hub that has run; tests here look at it and leave its clients as they are."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("desk"), url)
        fill(hub)
        # A firm without anything to compare, and something that cannot be landed.
        hub.registers["crm_contacts"].append({"id": None, "first": "Nobody"})
        hub.write("crm_contacts")
        desk = Desk(hub)
        ran = desk.onefold("run")
        assert ran.code == 0, ran.said
        with (hub.folder / "truth.csv").open("w", newline="") as file:
            rows = [
                ("record_id", "entity_id"),
                (PERSON, "p1"),
                (TWIN, "p1"),
                ("contacts", "x"),
                (FIRM, "f"),
                ("crm:contacts:3", "s"),
            ]
            csv.writer(file).writerows(row for row in rows if row[0] != "contacts")
        yield desk


COMMANDS: dict[str, tuple[str, ...]] = {
    "status": (),
    "doctor": (),
    "source list": (),
    "connector list": (),
    "connector show": ("bitrix24",),
    "check": ("crm",),
    "discover": ("crm",),
    "preview": ("crm", "contacts"),
    "sync": ("crm",),
    "standardise": (),
    "resolve": (),
    "publish": (),
    "run": (),
    "rejects": (),
    "find": ("Чайковский",),
    "lookup": ("family_name=Чайковский", "given_name=Пётр"),
    "client": (PERSON,),
    "cases": (),
    "explain": (PERSON, TWIN),
    "trace": (PERSON,),
    "evaluate": ("--truth", "TRUTH"),
    "blocking": ("--suggest",),
    "compare": ("--crosswalk", "TRUTH"),
    "judge list": (),
    "judge same": (STRANGER, STRANGER),
    "judge not-same": (PERSON, STRANGER),
    "judge related": (PERSON, STRANGER, "--as", "namesake"),
    "judge cannot-tell": (PERSON, STRANGER, "--reason", "x"),
    "judge pin": (PERSON, "city", "Клин"),
    "judge undo": ("1",),
    "init": ("FRESH",),
    "runs": (),
    "token list": (),
    "user list": (),
    "fix": ("--register", "crm"),
    "measures list": (),
    "measures show": ("promises_kept",),
    "measures check": (),
    "measures report": (),
    "measures loyalty": (),
    "needs list": (),
    "needs discover": (),
    "needs show": ("crm:contacts:1",),
    "segments list": (),
    "segments check": (),
    "segments overrides": (),
    "segments uses": (),
    "concerns list": (),
    "concerns test": (),
    "segments mirror": (),
    "airflow pools": (),
}
QUIET = [name for name in COMMANDS if not name.startswith("judge ") or name == "judge list"]
"""Commands that leave the clients as they are; the others are tried in test_judging_from_the_command_line..."""
ELSEWHERE = {
    "try",  # needs files and no hub: test_try
    "completion",  # test_init
    "demo",  # minutes long; tested with the demo
    "db start", "db stop", "db status", "db url",  # need the embedded server: test_database_choice
    "db psql",  # becomes another program
    "db migrate", "version",  # test_migrating
    "source add",  # test_source_add below
    "connector new",  # test_tutorial
    "judge identity",  # needs a key that was given to somebody else: test_changed_identity
    "merge", "split", "undo", "train", "label",  # with the steps that they call
    "model show", "model list", "model use", "model diff",
    "import splink",  # writes a file: test_matching_commands
    "write-back", "receipts",  # need a system that takes them: test_write_back
    "backup", "restore",  # write files and databases: test_backup
    "changes",  # a document a line: test_changes
    "erase", "unsuppress", "erasures",  # test_erasure
    "maintain",  # test_maintain
    "needs accept",  # test_accept_need
    "plan", "apply", "test",  # test_plan
    "notify",  # needs somebody who takes messages: test_due
    "release", "discard", "rollback",  # test_limits
    "metrics",  # test_metrics
    "report overlap", "report reconcile", "report authority", "pin", "export", "docs",  # tests of their own
    "db grant", "db revoke", "db grants",  # test_row_security
    "serve", "token create", "token revoke",  # test_api
    "console", "user add", "user change", "user link",  # test_console
    "cases export", "cases import", "cases agreement", "cases plan",  # test_case_tools
    "concerns show", "concerns acknowledge",  # test_concerns
    "segments export", "segments override",  # test_segment_use
    "document show", "document cases", "document same", "document not-same",  # test_documents
}  # fmt: skip


def all_commands() -> set[str]:
    """Every command of the application, by its words."""
    import typer

    from onefold.cli.app import _register, app

    _register()
    found: set[str] = set()

    def walk(group: Any, words: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, (*words, name))
            if not hasattr(command, "commands") or command.invoke_without_command:
                found.add(" ".join((*words, name)))

    walk(typer.main.get_command(app), ())
    return found


def test_every_command_is_tried_here_or_named_where_it_is_tried() -> None:
    assert all_commands() - ELSEWHERE == set(COMMANDS)


@pytest.mark.parametrize("command", QUIET)
def test_json_gives_exactly_one_document_on_standard_output(desk: Desk, tmp_path: Path, command: str) -> None:
    places = {"TRUTH": str(desk.hub.folder / "truth.csv"), "FRESH": str(tmp_path / "fresh")}
    arguments = [places.get(word, word) for word in COMMANDS[command]]
    done = desk.onefold("--json", *command.split(), *arguments)
    assert done.code == 0, done.said
    assert isinstance(json.loads(done.out), dict | list)
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", [name for name in QUIET if name != "init"])
def test_people_get_words_and_no_json(desk: Desk, command: str) -> None:
    arguments = [str(desk.hub.folder / "truth.csv") if word == "TRUTH" else word for word in COMMANDS[command]]
    done = desk.onefold(*command.split(), *arguments)
    assert done.code == 0, done.said
    assert not done.out.lstrip().startswith(("{", "[{"))
    assert "Traceback" not in done.said


@pytest.mark.parametrize("command", sorted(all_commands()))
def test_help_of_every_command_says_what_it_does(command: str) -> None:
    done = onefold(*command.split(), "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    body = done.out.split("Usage:")[1].strip().splitlines()
    assert any(len(line.split()) > 3 for line in body[1:]), "no description"


def test_help_tells_the_exit_codes_and_the_common_options() -> None:
    words = " ".join(onefold("--help").out.split())
    for part in (
        "2 wrong usage",
        "3 configuration",
        "4 not found",
        "5 credentials",
        "6 database",
        "75 try again later",
        "--json",
    ):
        assert part in words


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert onefold("--version").out.strip() == f"onefold {version('onefold')}"


@pytest.mark.parametrize("order", ["before", "after", "equals", "mixed"])
def test_common_options_stand_before_or_after_the_command(desk: Desk, order: str) -> None:
    home, config = str(desk.hub.folder / "var"), str(desk.hub.folder / "config")
    url = desk.hub.database_url
    words = {
        "before": ["--json", "--home", home, "--config", config, "--database", url, "find", "Керн", "--limit", "1"],
        "after": ["find", "Керн", "--limit", "1", "--json", "--home", home, "--config", config, "--database", url],
        "equals": ["find", f"--home={home}", "Керн", f"--config={config}", "-n", "1", f"--database={url}", "--json"],
        "mixed": ["--home", home, "find", "--json", "--limit", "1", "--database", url, "Керн", "--config", config],
    }[order]
    done = onefold(*words)
    assert done.code == 0, done.said
    assert len(done.json) == 1


def test_words_after_two_dashes_are_no_options(desk: Desk) -> None:
    done = desk.onefold("--json", "find", "--", "--json")
    assert done.code == 0, done.said
    assert done.json == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["frobnicate"], 2, "No such command"),
        (["sync"], 2, "Missing argument"),
        (["sync", "crm", "--fulll"], 2, "No such option"),
        (["find"], 2, "Missing argument"),
        (["cases", "--limit", "many"], 2, "valid integer"),
        (["cases", "--limit", "0"], 2, "greater than or equal to 1"),
        (["client", "warehouse:x:1"], 2, "names no record"),
        (["client", "crm:1"], 2, "no stream"),
        (["judge", "same", PERSON, PERSON], 2, "both sides"),
        (["judge", "related", PERSON, TWIN, "--as", "friends"], 2, "branch_of, subsidiary_of"),
        (["judge", "cannot-tell", PERSON, TWIN], 2, "what would settle it"),
        (["judge", "cannot-tell", PERSON, TWIN, "--reason", "x"], 4, "No open case"),
        (["judge", "pin", PERSON, "no_such_thing", "x"], 2, "no attribute"),
        (["evaluate", "--truth", "nowhere.csv"], 2, "no file"),
        (["compare", "--crosswalk", "nowhere.csv"], 2, "no file"),
        (["sync", "warehouse"], 4, "Configured: crm, erp"),
        (["sync", "crm", "peple"], 4, "It has: contacts"),
        (["check", "warehouse"], 4, "no source"),
        (["discover", "warehouse"], 4, "no source"),
        (["preview", "crm", "peple"], 4, "no stream"),
        (["run", "--source", "warehouse"], 4, "no source"),
        (["client", "crm:contacts:404"], 4, "onefold find"),
        (["client", "00000000-0000-5000-8000-000000000000"], 4, "no client"),
        (["trace", "crm:contacts:404"], 4, "never come"),
        (["explain", PERSON, "crm:contacts:404"], 4, "onefold trace"),
        (["explain", PERSON, "crm:deals:D1"], 4, "client records"),
        (["judge", "same", PERSON, "crm:contacts:404"], 4, "landed"),
        (["judge", "undo", "404"], 4, "judge list"),
        (["rejects", "warehouse"], 4, "no source"),
        (["discover", "crm", "peple"], 4, "peple"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_the_exit_code_of_its_kind(
    desk: Desk, arguments: list[str], code: int, says: str
) -> None:
    done = desk.onefold(*arguments)
    assert done.code == code, done.said
    assert says in " ".join(done.err.replace("│", " ").split())
    assert "Traceback" not in done.err
    assert 'File "' not in done.err
    machine = desk.onefold("--json", *arguments)
    assert machine.code == code
    assert machine.out == ""
    if code != 2 or "names" in says or "both" in says:
        problem = json.loads(machine.err)
        assert problem["exit_code"] == code
        assert problem["message"]


def test_a_configuration_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    done = onefold("--config", tmp_path / "nowhere", "--home", tmp_path / "var", "run")
    assert done.code == 3
    assert "onefold init" in done.err
    assert not (tmp_path / "var").exists(), "nothing is started before the configuration is read"


def test_doctor_ends_with_3_on_an_error_and_0_on_hints(desk: Desk, tmp_path: Path) -> None:
    assert desk.onefold("doctor").code == 0
    done = onefold("--config", tmp_path / "nowhere", "--json", "doctor")
    assert done.code == 3
    assert done.json[0]["next_command"] == "onefold init ."


def test_find_by_name_e_mail_phone_tax_id_and_key(desk: Desk) -> None:
    client = desk.hub.client_of(PERSON)
    for text in ("Чайковский", "чайковский петр", "petr@example.ru", "+7 916 555-01-01", client):
        assert client in [row["client_id"] for row in desk.json("find", text)], text
    assert desk.hub.client_of(FIRM) in [row["client_id"] for row in desk.json("find", "7707083893")]
    assert desk.json("find", "никого такого") == []
    assert "Nobody found" in desk.onefold("find", "никого такого").out


def test_client_shows_values_with_their_origin_records_and_the_timeline(desk: Desk) -> None:
    by_record, by_id = desk.json("client", FIRM), desk.json("client", desk.hub.client_of(FIRM))
    assert by_record["client_id"] == by_id["client_id"]
    assert {record["name"] for record in by_record["records"]} == {FIRM, FIRM_TWIN}
    assert by_record["lineage"]["legal_name"]["record"] == FIRM_TWIN
    assert {fact["type"] for fact in by_record["interactions"]} == {"sales_deal", "sales_order"}
    shown = desk.onefold("client", FIRM).out
    for word in ("Ромашка", FIRM, FIRM_TWIN, "1500.50", "Timeline"):
        assert word in shown


def test_client_shows_no_more_interactions_than_asked_and_tells_how_many_there_are(desk: Desk) -> None:
    found = desk.json("client", FIRM, "--limit", "1")
    assert len(found["interactions"]) == 1
    assert found["interaction_count"] == 2


def test_explain_shows_evidence_in_words_and_bits_that_add_up(desk: Desk) -> None:
    found = desk.json("explain", PERSON, TWIN)
    assert found["together"]
    assert found["verdict"] == "link"
    assert sum(one["bits"] for one in found["findings"]) == pytest.approx(found["total_bits"], abs=0.05)
    assert all(one["words"]["en"] for one in found["findings"])
    mirrored = desk.json("explain", TWIN, PERSON)
    assert mirrored["total_bits"] == found["total_bits"]
    assert "one client" in desk.onefold("explain", PERSON, TWIN).out


def test_explain_also_answers_for_a_pair_that_was_never_proposed(desk: Desk) -> None:
    found = desk.json("explain", PERSON, STRANGER)
    assert not found["together"]
    assert found["missing_bits"] > 0
    assert all(rule["outcome"] != "shared" for rule in found["rules"])
    assert any(rule["hindrances"] for rule in found["rules"])
    shown = desk.onefold("explain", PERSON, STRANGER).out
    assert "different clients" in shown
    assert "no blocking rule proposes this pair" in shown
    assert "stood in the way" in shown
    assert "bits are missing" in shown


def test_explain_answers_for_a_person_and_a_firm(desk: Desk) -> None:
    done = desk.onefold("--json", "explain", PERSON, FIRM)
    assert done.code == 0, done.said
    assert not done.json["together"]


def test_trace_tells_every_stage_of_a_record(desk: Desk) -> None:
    found = desk.json("trace", PERSON)
    assert found["raw"]["is_deleted"] is False
    assert found["standard_record"]["columns"]["family_name"] == "чайковский"
    assert {one["type"] for one in found["identifiers"]} >= {"email", "phone"}
    assert found["crosswalk"]["client_id"] == desk.hub.client_of(PERSON)
    assert found["pairs"][0]["source"] == "erp"
    assert desk.json("trace", "crm:deals:D1")["interaction"]["type"] == "sales_deal"
    assert "client" in desk.onefold("trace", PERSON).out


def test_status_tells_streams_queues_rejects_and_what_to_do_next(desk: Desk) -> None:
    found = desk.json("status")
    assert found["clients"] == len(desk.hub.partition())
    assert {(s["source"], s["stream"]) for s in found["streams"]} >= {("crm", "contacts"), ("erp", "orders")}
    assert found["open_rejects"] == 1
    assert any("onefold rejects" in line for line in found["next"])
    assert "onefold rejects" in desk.onefold("status").out


def test_status_names_a_source_that_was_never_read(desk: Desk) -> None:
    desk.hub.configure(
        "late", "source: late\nconnector: files\nstreams:\n  things: {key: id, options: {path: data/x.csv}}\n"
    )
    try:
        (late,) = [stream for stream in desk.json("status")["streams"] if stream["source"] == "late"]
        assert late["freshness"] == "never"
    finally:
        (desk.hub.folder / "config" / "sources" / "late.yaml").unlink()


def test_rejects_name_place_and_reason(desk: Desk) -> None:
    (reject,) = desk.json("rejects")
    assert (reject["source"], reject["reason"], reject["place"]) == ("crm", "missing-key", "crm_contacts.jsonl:4")
    assert desk.json("rejects", "erp") == []


def test_preview_writes_nothing_and_shows_records_as_mapped(desk: Desk) -> None:
    before = desk.hub.query("SELECT count(*), max(run_id) FROM ops.run")
    found = desk.json("preview", "crm", "--limit", "2")
    assert set(found) == {"contacts", "companies", "deals"}
    assert len(found["contacts"]) == 2
    assert found["deals"][0]["interaction"]["amount"] == "1500.50"
    assert "Чайковский" in desk.onefold("preview", "crm", "contacts").out
    assert desk.hub.query("SELECT count(*), max(run_id) FROM ops.run") == before


def test_check_and_discover_need_no_database(desk: Desk) -> None:
    nowhere = ("--database", "postgresql://nobody@127.0.0.1:9/x")
    for command in (["check", "crm"], ["discover", "crm"], ["preview", "crm"], ["doctor"], ["source", "list"]):
        done = onefold(*desk.place, *nowhere, *command)
        assert done.code == 0, done.said


def test_evaluate_measures_against_a_truth_file(desk: Desk) -> None:
    found = desk.json("evaluate", "--truth", desk.hub.folder / "truth.csv")
    assert found["records"] == 4
    assert found["measures"]["pairwise_precision"] == found["measures"]["pairwise_recall"] == 1.0
    shown = desk.onefold("evaluate", "--truth", desk.hub.folder / "truth.csv").out
    assert "1.0000" in shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,entity\n1,2\n", "no column entity_id and record_id"),
        (f"record_id,entity_id\n{PERSON},a\n{PERSON},b\n", ":3: crm:contacts:1 stands twice"),
        ("", "no column"),
    ],
)
def test_a_truth_file_that_cannot_be_read_is_told_by_line(desk: Desk, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "truth.csv").write_text(text)
    done = desk.onefold("evaluate", "--truth", tmp_path / "truth.csv")
    assert done.code == 2
    assert says in done.err


def test_a_key_that_several_records_have_must_be_written_in_full(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("record_id,entity_id\nC1,a\nGONE,b\n")
    found = desk.json("evaluate", "--truth", tmp_path / "truth.csv")
    assert (found["records"], found["truth_without_record"]) == (1, ["GONE"])


def test_judging_from_the_command_line_and_taking_it_back(ready_hub: Hub) -> None:
    desk = Desk(ready_hub)
    before = ready_hub.partition()
    report = desk.json("judge", "not-same", PERSON, TWIN, "--reason", "father and son", "--by", "ada")
    assert report["verdict"] == "not_same"
    assert ready_hub.client_of(PERSON) != ready_hub.client_of(TWIN)
    (listed,) = desk.json("judge", "list")
    assert (listed["by"], listed["reason"]) == ("ada", "father and son")
    assert sorted(listed["records"]) == [PERSON, TWIN]
    assert [one["verdict"] for one in desk.json("explain", PERSON, TWIN)["judgements"]] == ["not_same"]
    refused = desk.onefold("judge", "same", PERSON, TWIN, "--by", "bob")
    assert refused.code == 1
    assert f"onefold judge undo {report['judgement_id']}" in refused.err
    undone = desk.onefold("judge", "undo", str(report["judgement_id"]))
    assert undone.code == 0, undone.said
    assert ready_hub.partition() == before
    assert desk.onefold("judge", "undo", str(report["judgement_id"])).code == 4
    pinned = desk.json("judge", "pin", FIRM, "legal_name", "ООО «Ромашка Плюс»", "--json", "--by", "ada")
    assert pinned["publish"]["changed"] == 1
    assert desk.json("client", FIRM)["attributes"]["legal_name"] == "ООО «Ромашка Плюс»"


def test_the_starter_is_written_checked_and_run_with_three_commands(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path / "myhub"
    begun = onefold("--json", "init", folder)
    assert begun.code == 0, begun.said
    assert {Path(name).name for name in begun.json["written"]} >= {"hub.yaml", "customers.yaml", "shop.yaml"}
    place = ("--config", folder / "config", "--home", tmp_path / "var", "--database", database_url)
    looked_over = onefold(*place, "--json", "doctor")
    assert looked_over.code == 0, looked_over.said
    assert [one for one in looked_over.json if one["severity"] != "hint"] == []
    ran = onefold(*place, "--json", "run")
    assert ran.code == 0, ran.said
    assert ran.json["publish"]["created"] > 0
    assert sum(stream["rejected"] for sync in ran.json["syncs"] for stream in sync["streams"]) == 0
    again = onefold(*place, "run")
    assert again.code == 0
    assert "Nothing changed" in again.out


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    assert onefold("init", tmp_path / "hub").code == 0
    hub_yaml = tmp_path / "hub" / "config" / "hub.yaml"
    hub_yaml.write_text("languages: [ru]\n")
    again = onefold("init", tmp_path / "hub")
    assert again.code != 0
    assert "Traceback" not in again.err
    assert 'File "' not in again.err
    assert hub_yaml.read_text() == "languages: [ru]\n"


def test_source_add_proposes_a_configuration_that_runs(tmp_path: Path, database_url: str) -> None:
    assert onefold("init", tmp_path / "hub").code == 0
    clients = tmp_path / "clients.csv"
    clients.write_bytes(
        "Код;Наименование;ИНН;Телефон;Эл. почта\n1;ООО «Ромашка»;7707083893;+7 495 555-10-10;info@romashka.example.ru\n"
        "2;АО Незабудка;7736050003;;\n".encode("cp1251")
    )
    place = ("--config", tmp_path / "hub" / "config", "--home", tmp_path / "var", "--database", database_url)
    added = onefold(*place, "--json", "source", "add", "clients", "--connector", "files", "--path", clients)
    assert added.code == 0, added.said
    assert Path(added.json["file"]).is_file()
    assert {attribute for _, _, attribute, _ in added.json["guesses"]} >= {"inn", "phone", "email"}
    assert onefold(*place, "doctor").code == 0
    ran = onefold(*place, "--json", "run", "--source", "clients")
    assert ran.code == 0, ran.said
    assert ran.json["syncs"][0]["streams"][0]["inserted"] == 2
    assert onefold(*place, "--json", "find", "7707083893").json
    again = onefold(*place, "source", "add", "clients", "--connector", "files", "--path", clients)
    assert again.code == 2
    assert "--force" in again.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["Big Name", "--connector", "files", "--path", "x.csv"], 2, "cannot be a source's name"),
        (["shop2", "--connector", "flies"], 3, "files"),
        (["shop2", "--connector", "files", "--path", "nowhere.csv"], 3, "no such file"),
        (["shop2", "--connector", "files", "--set", "pth=x"], 2, "no setting pth"),
        (["shop2", "--connector", "sql", "--set", "url=${NO_SUCH_URL}"], 3, "${NO_SUCH_URL}"),
    ],
)
def test_source_add_says_what_is_wrong_and_writes_nothing(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    assert onefold("init", tmp_path / "hub").code == 0
    before = sorted((tmp_path / "hub").rglob("*"))
    done = onefold("--config", tmp_path / "hub" / "config", "--home", tmp_path / "var", "source", "add", *arguments)
    assert done.code == code, done.said
    assert says in " ".join(done.err.replace("│", " ").split())
    assert 'File "' not in done.err
    assert sorted((tmp_path / "hub").rglob("*")) == before


def test_a_second_run_says_that_nothing_changed(desk: Desk) -> None:
    done = desk.onefold("run")
    assert done.code == 0
    assert "Nothing changed" in done.out

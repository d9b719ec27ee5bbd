"""Training, versions of the model, labelling: what they change, what they leave alone, and how people are told."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import NothingFound, UsageError
from onefold.steps import status as status_step
from onefold.steps.judge import OpposingJudgements, judge, lift, split_off
from onefold.steps.label import label
from onefold.steps.model_page import model_page
from onefold.steps.models import diff_models, model_in_force, models, show_model
from onefold.steps.publish import publish
from onefold.steps.report import TrainReport, UseReport
from onefold.steps.resolve import resolve
from onefold.steps.status import status
from onefold.steps.train import NotBetter, effect_between, train, use
from tests.acceptance.conftest import FreshDatabases
from tests.support.cli import Done, onefold
from tests.support.hub import Hub
from tests.support.people import populate
from warehouse import judgements
from warehouse.connect import connect, unit_of_work
from warehouse.dump import canonical_dump, row_versions
from warehouse.keys import record_id


@pytest.fixture
def people(hub: Hub) -> Hub:
    """A hub that has run on people of whom much is known, with the shipped weights."""
    populate(hub)
    hub.run()
    return hub


@pytest.fixture
def taught(people: Hub) -> Hub:
    """... and on which a steward has judged most of those who stand in both registers, against all expectation."""
    say(people, contrary(people, 50))
    with people.context() as context:
        resolve(context, everything=True)
        publish(context)
    return people


def trained(hub: Hub, **how: Any) -> TrainReport:
    with hub.context() as context:
        return train(context, **how)


def used(hub: Hub, version: int) -> UseReport:
    with hub.context() as context:
        return use(context, version)


def same_rows(hub: Hub) -> dict[str, set[tuple[str, str, str]]]:
    with connect(hub.database_url, application_name="test") as conn:
        return {table: rows for table, rows in row_versions(conn).items() if table != "identity.model"}


def configure_matching(hub: Hub, text: str) -> None:
    (hub.folder / "config" / "matching.yaml").write_text(text, encoding="utf-8")


def test_what_is_learnt_and_foretold_in_parts_is_what_memory_gives(taught: Hub) -> None:
    whole, corrected = trained(taught), trained(taught, from_judgements=True)
    (taught.folder / "config" / "hub.yaml").write_text("memory: 1MB\n", encoding="utf-8")
    in_parts, corrected_in_parts = trained(taught), trained(taught, from_judgements=True)
    for one, other in (whole, in_parts), (corrected, corrected_in_parts):
        assert (other.version, other.is_new) == (one.version, False), "the same to the bit is the same version"
        assert (other.records, other.at_priors) == (one.records, one.at_priors)
        assert (other.effect, other.judgements) == (one.effect, one.judgements)
    assert whole.version != corrected.version and whole.effect.largest
    with taught.context() as context:
        assert effect_between(context, whole.version, corrected.version).model_after == corrected.version
    assert not list((taught.folder / "var").glob("*/run-*")) and not list((taught.folder / "var").glob("*/lock-*"))


@pytest.mark.scale
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_executors_learn_and_foretell_what_memory_does(people: Hub) -> None:
    pyspark = pytest.importorskip("pyspark")
    whole = onefold(*people.place, "--json", "train").json
    (people.folder / "config" / "hub.yaml").write_text("spark: {settings: {spark.executor.memory: 1g}}\n", "utf-8")
    on_executors = onefold(*people.place, "--json", "train", "--engine", "spark", "--master", "local-cluster[2,1,2048]")
    shutil.rmtree(Path(pyspark.__file__).parent / "work", ignore_errors=True)
    assert on_executors.code == 0, on_executors.err
    assert {**on_executors.json, "seconds": 0, "is_new": True} == {**whole, "seconds": 0}
    assert on_executors.json["is_new"] is False, "the same to the bit is the same version"


def test_training_writes_nothing_but_the_model_and_says_what_it_would_change(taught: Hub) -> None:
    before, clients = same_rows(taught), taught.partition()
    events = taught.query("SELECT count(*) FROM ops.change_event")
    unsupervised = trained(taught)
    report = trained(taught, from_judgements=True)
    assert same_rows(taught) == before
    assert taught.query("SELECT count(*) FROM ops.change_event") == events
    assert taught.query("SELECT version, kind, is_current FROM identity.model ORDER BY 1") == [
        (1, "prior", True),
        (unsupervised.version, "em", False),
        (report.version, "supervised", False),
    ]
    kept = "SELECT report #>> '{model,version}', report::text FROM ops.run WHERE command = 'model' ORDER BY run_id"
    pages = taught.query(kept)
    assert [int(version) for version, _ in pages] == [unsupervised.version, report.version]
    assert not any("Сидоров" in text or "сидоров" in text or "sidorov" in text for _, text in pages)
    with taught.context() as context:
        shown = model_page(context, report.version)
    assert shown["model"]["version"] == report.version and shown["diff"]["left"]["version"] == unsupervised.version
    assert shown["blocking"]["report"]["kinds"][0]["rules"] and shown["blocking"]["report"]["kinds"][0]["largest"]
    assert report.records == {"person": 225, "organisation": 0}
    assert report.at_priors == ("organisation",)
    effect = report.effect
    assert (effect.model_before, effect.model_after) == (1, report.version)
    assert effect.clients_before == len(clients)
    assert effect.unchanged + effect.merged + effect.split + effect.regrouped == effect.clients_before
    assert effect.unchanged < effect.clients_before
    change = effect.largest[0]
    assert change["left"].startswith("crm:contacts:")
    assert change["link_before"] != change["link_after"]


def test_what_was_foretold_happens_and_going_back_restores_every_client_and_its_id(taught: Hub) -> None:
    people = taught

    def ids() -> list[tuple[Any, ...]]:
        return people.query("SELECT record_id, client_id FROM identity.crosswalk ORDER BY 1")

    before, was = people.partition(), ids()
    report = trained(people, from_judgements=True)
    done = used(people, report.version)
    after = people.partition()
    assert (done.version, done.kind, done.former) == (report.version, "supervised", 1)
    assert len(after) == done.resolve.clients == report.effect.clients_after
    assert len(before & after) == report.effect.unchanged
    assert done.resolve.cases_opened == report.effect.cases_opened
    assert done.publish.change_events > 0
    assert done.resolve.events["mint"] == report.effect.clients_after - report.effect.clients_before
    assert set(people.query("SELECT DISTINCT model_version FROM identity.pair")) == {(report.version,)}
    assert people.run().resolve.model_version is None  # nothing is left to do
    back = used(people, 1)
    assert (back.version, back.kind) == (1, "prior")
    assert people.partition() == before
    assert ids() == was


def test_training_on_the_same_records_gives_the_version_that_is_there(
    people: Hub, tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases
) -> None:
    first, again = trained(people), trained(people)
    assert (first.is_new, again.is_new, again.version) == (True, False, first.version)
    with fresh_databases() as url:
        other = Hub(tmp_path_factory.mktemp("other"), url)
        populate(other)
        for name in ("crm_contacts", "erp_customers"):
            other.write(name, other.registers[name][::-1])
        other.run()
        trained(other)
        assert dumped_models(other) == dumped_models(people)


def dumped_models(hub: Hub) -> list[str]:
    with connect(hub.database_url, application_name="test") as conn:
        return canonical_dump(conn)["identity.model"]


def test_a_model_once_used_stays_in_use_while_records_come(people: Hub) -> None:
    version = used(people, trained(people).version).version
    people.registers["crm_contacts"].append({"id": "new", "first": "Анна", "last": "Новая"})
    people.write("crm_contacts")
    assert people.run().resolve.model_version == version


def test_judgements_survive_a_change_of_the_model(people: Hub) -> None:
    report = trained(people)
    together, apart = "crm:contacts:1", "crm:contacts:2"
    merged = next(c for c in people.partition() if len(c) == 2)
    left, right = sorted(merged)
    with people.context() as context:
        judge(context, "not_same", [left], [right], reason="told by both", by="ada")
        judge(context, "same", [together], [apart], reason="told by her", by="ada")
    for version in (report.version, 1):
        used(people, version)
        assert people.client_of(left) != people.client_of(right)
        assert people.client_of(together) == people.client_of(apart)


def test_a_hub_with_too_few_records_is_told_so_and_nothing_is_saved(filled_hub: Hub) -> None:
    with pytest.raises(NothingFound, match="too few"):
        trained(filled_hub)
    assert filled_hub.query("SELECT count(*) FROM identity.model") == [(1,)]


def test_an_unknown_version_is_refused_and_the_model_in_use_stays(people: Hub) -> None:
    with pytest.raises(NothingFound, match="There is no model 9"):
        used(people, 9)
    assert people.query("SELECT version FROM identity.model WHERE is_current") == [(1,)]


def test_settings_edited_after_training_are_named_and_nothing_breaks(people: Hub) -> None:
    version = used(people, trained(people).version).version
    with people.context() as context:
        assert models(context)[-1]["edited_settings"] == []
        assert status(context)["model"]["note"] is None
    levels = "{levels: [exact, {jaro_winkler: 0.95}, {jaro_winkler: 0.9}, {jaro_winkler: 0.8}], term_frequency: true}"
    configure_matching(
        people, f"person:\n  link_at: 0.97\n  compare:\n    birth_place: {levels}\n    snils: null\n"
        "    attributes.card: {levels: [exact]}\n"
    )  # fmt: skip
    report = people.run().resolve
    edited = ["person.compare.attributes.card", "person.compare.birth_place", "person.compare.snils", "person.link_at"]
    assert report.model_version == version
    assert report.model_note.startswith(f"matching.yaml has changed since model {version} was trained (")
    with people.context() as context:
        assert models(context)[-1]["edited_settings"] == edited
        found = status(context)
        assert found["model"]["note"] == report.model_note
        assert any(line.startswith("onefold train") for line in found["next"])
    newer = used(people, trained(people).version)
    assert (newer.version, newer.resolve.model_note) == (version + 1, None)


def test_status_says_when_training_would_pay(people: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def advised() -> bool:
        with people.context() as context:
            return any(line.startswith("onefold train") for line in status(context)["next"])

    assert not advised()
    monkeypatch.setattr(status_step, "TRAINING_PAYS_FROM", 224)
    assert advised()
    used(people, trained(people).version)
    assert not advised()


def test_a_model_shows_its_levels_thresholds_and_telling_values(people: Hub) -> None:
    version = trained(people).version
    with people.context() as context:
        found, current = show_model(context, version), show_model(context)
        diff = diff_models(context, 1, version)
        effect = effect_between(context, 1, version)
    assert (current["version"], current["is_current"], found["is_current"]) == (1, True, False)
    family = next(c for c in found["kinds"]["person"]["columns"] if c["column"] == "name.family")
    assert family["levels"][0]["level"] == "exact"
    assert family["terms"]["least"][0]["value"] == "sidorov"
    assert family["terms"]["least"][0]["bits"] < 0 < family["terms"]["most"][0]["bits"]
    changes = [abs(level["change"]) for level in diff["kinds"]["person"]["levels"]]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0
    assert diff["kinds"]["organisation"]["levels"] == []
    assert effect == trained(people).effect


def say(hub: Hub, said: list[tuple[str, str, str]]) -> None:
    """Many judgements at once, as if a steward had given them one by one."""
    with connect(hub.database_url, application_name="test") as conn, unit_of_work(conn):
        for verdict, left, right in said:
            ids = [[record_id(*name.split(":", 2))] for name in (left, right)]
            judgements.add(conn, judgements.Judgement(verdict, *ids), by="ada", at=datetime(2026, 3, 1, tzinfo=UTC))


def contrary(hub: Hub, judged: int) -> list[tuple[str, str, str]]:
    """Judgements on some who stand in both registers by a rule of this world that no model can know beforehand: they
    are one person exactly if both registers know the telephone."""
    both = [(record["code"], record["tel"]) for record in hub.registers["erp_customers"]]
    return [
        ("same" if phone else "not_same", f"crm:contacts:{code[1:]}", f"erp:customers:{code}")
        for code, phone in both[:judged]
    ]


def test_judgements_correct_a_model_that_foretells_them_worse(taught: Hub) -> None:
    report = trained(taught, from_judgements=True)
    person, organisation = report.judgements
    assert report.kind == "supervised"
    assert (person["kind"], person["status"], person["same"] + person["not_same"]) == ("person", "better", 50)
    assert person["supervised"]["log_loss"] < person["unsupervised"]["log_loss"]
    assert organisation["status"] == "too_few"
    assert trained(taught, from_judgements=True).version == report.version
    assert used(taught, report.version).kind == "supervised"
    unjudged = [(record["code"], record["tel"]) for record in taught.registers["erp_customers"]][50:]
    together = Counter(
        (bool(phone), taught.client_of(f"crm:contacts:{code[1:]}") == taught.client_of(f"erp:customers:{code}"))
        for code, phone in unjudged
    )
    assert together[True, True] + together[False, False] > together[True, False] + together[False, True]


def test_too_few_judgements_are_refused_and_nothing_is_saved(people: Hub) -> None:
    say(people, contrary(people, 6))
    with pytest.raises(NotBetter, match="at least 20 are needed"):
        trained(people, from_judgements=True)
    assert people.query("SELECT count(*) FROM identity.model") == [(1,)]


def test_label_proposes_open_pairs_with_commands_and_leaves_out_what_was_judged(people: Hub) -> None:
    with people.context() as context:
        found = label(context, 8)
        assert label(context, 8) == found
        assert label(context, 3) == found[:3]
        first = found[0]
        judge(context, "not_same", [first["left"]], [first["right"]], reason="", by="ada")
        again = label(context, 8)
    assert 1 < len(found) <= 8
    assert first["same"] == f"onefold judge same {first['left']} {first['right']}"
    assert {words["en"] for words in first["evidence"]}
    assert (first["left"], first["right"]) not in [(row["left"], row["right"]) for row in again]


def test_label_before_the_first_run_says_what_to_do(hub: Hub) -> None:
    with hub.context() as context, pytest.raises(NothingFound, match="onefold run"):
        label(context)


def test_split_takes_records_out_of_their_client_and_undo_brings_them_back(filled_hub: Hub) -> None:
    hub = filled_hub
    client = hub.client_of("crm:contacts:1")
    with hub.context() as context:
        report = split_off(context, ["erp:customers:C2"], reason="another Pyotr", by="ada")
        assert hub.client_of("crm:contacts:1") != hub.client_of("erp:customers:C2")
        with pytest.raises(UsageError, match="no other records"):
            split_off(context, ["erp:customers:C2"], reason="", by="ada")
        with pytest.raises(UsageError, match="2 clients"):
            split_off(context, ["erp:customers:C2", "crm:contacts:1"], reason="", by="ada")
        with pytest.raises(NothingFound, match="belongs to no client"):
            split_off(context, ["crm:contacts:999"], reason="", by="ada")
        lift(context, report.judgement_id, reason="he is", by="ada")
        assert hub.client_of("crm:contacts:1") == hub.client_of("erp:customers:C2") == client


def test_a_split_against_an_earlier_merge_is_refused_and_the_merge_is_named(filled_hub: Hub) -> None:
    with filled_hub.context() as context:
        said = judge(context, "same", ["crm:companies:10"], ["crm:companies:11"], reason="one firm", by="ada")
        with pytest.raises(OpposingJudgements, match=f"judgement {said.judgement_id}"):
            split_off(context, ["crm:companies:11"], reason="", by="bob")


@pytest.fixture
def desk(people: Hub) -> Callable[..., Done]:
    """The command line on the hub of `people`."""
    place: tuple[str | Path, ...] = ("--home", people.folder / "var", "--config", people.folder / "config")

    def call(*arguments: str) -> Done:
        return onefold(*place, "--database", people.database_url, *arguments)

    return call


def test_the_commands_of_the_model_in_the_order_in_which_people_use_them(people: Hub, desk: Any) -> None:
    shown = desk("train")
    assert shown.code == 0, shown.said
    assert "To use it: onefold model use 2" in shown.out
    assert "clients with model 1" in shown.out
    for command in (["model", "list"], ["model", "show", "2"], ["model", "diff", "1", "2", "--clients"], ["label"]):
        for words in (command, ["--json", *command]):
            done = desk(*words)
            assert done.code == 0, done.said
            assert done.out
        assert isinstance(done.json, dict | list)
    made = desk("--json", "train", "--use")
    assert made.code == 0, made.said
    assert made.json["used"]["version"] == made.json["version"] == 2
    assert "in use" in desk("model", "use", "1").out
    refused = desk("train", "--from-judgements")
    assert refused.code == 1
    assert "Judgements make no better model" in refused.err
    assert "Traceback" not in refused.said


def test_merge_split_and_undo_from_the_command_line(people: Hub, desk: Any) -> None:
    left, right = "crm:contacts:2", "crm:contacts:4"
    merged = desk("--json", "merge", left, right, "--reason", "told us")
    assert merged.code == 0, merged.said
    assert people.client_of(left) == people.client_of(right)
    number = str(merged.json["judgement_id"])
    refused = desk("split", left)
    assert refused.code == 1
    assert f"judgement {number}" in refused.err
    assert desk("undo", number).code == 0
    assert people.client_of(left) != people.client_of(right)
    pair = sorted(next(client for client in people.partition() if len(client) == 2))
    assert desk("split", pair[0], "--by", "ada").code == 0
    assert people.client_of(pair[0]) != people.client_of(pair[1])
    assert people.query("SELECT decided_by FROM identity.judgement ORDER BY judgement_id DESC LIMIT 1") == [("ada",)]


def test_resolve_with_everything_compares_again_with_the_model_in_use(people: Hub) -> None:
    version = used(people, trained(people).version).version
    before = people.partition()
    with people.context() as context:
        assert resolve(context, everything=True).model_version == version
    assert people.partition() == before


def test_the_model_in_force_is_kept_for_many_threads(ready_hub: Hub) -> None:
    """Each context has settings of its own, so that each puts its model in the place of the others'."""
    hub = ready_hub

    def read(_: int) -> set[int]:
        with hub.context() as context, context.connection() as conn:
            return {model_in_force(context, conn).version for _ in range(30)}

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(read, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert len(set(map(frozenset, found))) == 1 and len(found[0]) == 1

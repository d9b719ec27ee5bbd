"""explain and evaluate from the command line: pairs and clients in two languages and as charts, measures with and without truth."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.conftest import fill
from tests.acceptance.test_cli import FIRM, FIRM_TWIN, LONER, PERSON, STRANGER, TWIN, Desk
from tests.support import database as databases
from tests.support.hub import Hub
from warehouse import runs
from warehouse.connect import connect
from warehouse.surroundings import weight_histogram

NAMESAKE = "erp:customers:C9"


@pytest.fixture(scope="module")
def desk(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A hub with a namesake whose card says little, and a truth file by columns."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("desk"), url)
        fill(hub)
        hub.registers["erp_customers"].append({"code": "C9", "kind": "person", "person": "Чайковский Пётр"})
        hub.write("erp_customers")
        desk = Desk(hub)
        ran = desk.onefold("run")
        assert ran.code == 0, ran.said
        with (hub.folder / "truth.csv").open("w", newline="") as file:
            rows = [("source", "stream", "key", "entity_id")]
            rows += [(*name.split(":"), entity) for name, entity in
                     ((PERSON, "p"), (TWIN, "p"), (NAMESAKE, "p"), (FIRM, "f"), (FIRM_TWIN, "f"), (STRANGER, "s"))]  # fmt: skip
            csv.writer(file).writerows(rows)
        yield desk


def test_a_pair_is_explained_in_russian(desk: Desk) -> None:
    shown = desk.onefold("explain", PERSON, TWIN, "--lang", "ru").out
    for words in ("один клиент", "фамилия: совпадает", "до всякого сравнения", "предложена правилами", "вероятность"):
        assert words in " ".join(shown.split())
    assert "the same" not in shown
    refused = desk.onefold("explain", PERSON, TWIN, "--lang", "fr")
    assert refused.code == 2
    found = desk.json("explain", PERSON, TWIN)
    assert found["odds_bits"] == found["prior_bits"] + found["total_bits"]
    assert 0.99 < found["probability"] <= 1


def test_a_contradiction_names_both_values_and_a_judgement_its_number(desk: Desk) -> None:
    found = desk.json("explain", FIRM, "crm:companies:11")
    (reason,) = found["forbidden"]
    assert reason["reason"] == "contradiction"
    assert "7707083893" in reason["words"]["en"] and "5003052454" in reason["words"]["ru"]
    assert "contradiction" in desk.onefold("explain", FIRM, "crm:companies:11").out


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_a_pair_is_drawn_as_a_waterfall(desk: Desk, tmp_path: Path, lang: str) -> None:
    svg, page = tmp_path / "pair.svg", tmp_path / "pair.html"
    done = desk.onefold("explain", PERSON, TWIN, "--svg", svg, "--html", page, "--lang", lang)
    assert done.code == 0, done.said
    assert str(svg) in done.out
    text = svg.read_text("utf-8")
    ET.fromstring(text)
    for finding in desk.json("explain", PERSON, TWIN)["findings"]:
        if finding["level"] != "missing":
            assert f"{finding['bits']:+.1f}" in text
            assert finding["words"][lang].split(":")[0] in text
    assert f'lang="{lang}"' in page.read_text("utf-8")
    assert desk.onefold("explain", PERSON, FIRM, "--svg", svg).code == 2
    assert desk.onefold("explain", PERSON, TWIN, "--svg", tmp_path / "pair.png").code == 2


def test_a_client_is_explained_by_its_id_and_by_a_record(desk: Desk) -> None:
    by_record = desk.json("explain", PERSON)
    by_id = desk.json("explain", desk.hub.client_of(PERSON))
    assert {**by_record, "asked_for": ""} == {**by_id, "asked_for": ""}
    assert {member["record"] for member in by_record["members"]} == {PERSON, TWIN}
    (link,) = by_record["held_by"]
    assert link["bits"] == desk.json("explain", PERSON, TWIN)["total_bits"]
    assert {by_record["seam"]["left_records"], by_record["seam"]["right_records"]} == {1}
    (border,) = (one for one in by_record["borders"] if one["client_id"] == desk.hub.client_of(NAMESAKE))
    assert border["reason"] in ("below", "outweighed", "thin")
    pair = desk.json("explain", border["left"], border["right"])
    assert border["bits"] == pair["total_bits"]
    shown = " ".join(desk.onefold("explain", PERSON).out.split())
    assert "What holds it together" in shown
    assert "Why it ends here" in shown


def test_a_firm_and_its_contradicting_neighbour_and_a_loner(desk: Desk, tmp_path: Path) -> None:
    assert {member["record"] for member in desk.json("explain", FIRM)["members"]} == {FIRM, FIRM_TWIN}
    alone = desk.json("explain", LONER)
    assert (alone["held_by"], alone["seam"], alone["against"]) == ([], None, [])
    assert "Одна запись" in desk.onefold("explain", LONER, "--lang", "ru").out
    done = desk.onefold("explain", LONER, "--svg", tmp_path / "alone.svg")
    assert done.code == 0, done.said


def test_a_client_is_drawn_as_a_graph_the_same_every_time(desk: Desk, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg", "page.html"):
        option = "--html" if name.endswith("html") else "--svg"
        assert desk.onefold("explain", PERSON, option, tmp_path / name).code == 0
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    ET.parse(tmp_path / "one.svg")
    assert TWIN in (tmp_path / "page.html").read_text("utf-8")


def test_two_clients_are_explained_by_their_nearest_pair(desk: Desk) -> None:
    one, two = desk.hub.client_of(PERSON), desk.hub.client_of(NAMESAKE)
    found = desk.json("explain", one, two)
    assert found["right"] == NAMESAKE
    assert found["border"]["client_id"] == two
    assert found["border"]["reason"] in ("below", "outweighed", "thin")
    assert "why they are two" in desk.onefold("explain", PERSON, two).out
    assert desk.onefold("explain", one, TWIN).code == 2
    assert desk.onefold("explain", one, FIRM).code == 2


def test_a_client_that_is_not_there_is_named(desk: Desk) -> None:
    assert desk.onefold("explain", "00000000-0000-5000-8000-000000000000").code == 4
    assert "onefold trace" in desk.onefold("explain", "crm:contacts:404").err


def test_a_merged_id_is_explained_by_its_survivor_and_a_judgement_by_its_number(filled_hub: Hub) -> None:
    desk = Desk(filled_hub)
    before = filled_hub.client_of(STRANGER)
    said = desk.json("judge", "same", PERSON, STRANGER, "--reason", "pen name", "--by", "ada")
    survivor = filled_hub.client_of(STRANGER)
    gone = before if survivor != before else None
    found = desk.json("explain", gone or STRANGER)
    assert found["client_id"] == survivor
    assert [pair["judged"] for pair in found["held_by"]].count(True) == 1
    assert STRANGER in found["seam"]["smaller_part"]
    assert "onefold split" in desk.onefold("explain", PERSON).out.replace("\n", " ")
    desk.json("judge", "undo", str(said["judgement_id"]))
    desk.json("judge", "not-same", PERSON, TWIN, "--by", "ada")
    (border,) = (b for b in desk.json("explain", PERSON)["borders"] if b["reason"] == "judgement")
    assert border["client_id"] == filled_hub.client_of(TWIN)
    shown = desk.onefold("explain", PERSON, TWIN).out
    assert f"judgement {border['details'][0]}: not same" in shown


def test_pairs_are_measured_by_threshold_and_blocking_by_what_it_misses(desk: Desk, tmp_path: Path) -> None:
    truth = ("--truth", desk.hub.folder / "truth.csv")
    found = desk.json("evaluate", *truth, "--thresholds", "--blocking")
    assert found["records"] == 6
    people = {one["kind"]: one for one in found["thresholds"]}["person"]
    assert people["true_pairs"] == 3
    assert people["at"]["link"]["precision"] == 1.0
    assert [point["threshold"] for point in people["curve"]] == sorted(point["threshold"] for point in people["curve"])
    rules = {one["kind"]: one for one in found["blocking"]}["person"]
    assert rules["true_pairs"] == 3
    assert rules["proposed"] + len(rules["missed"]) == 3
    shown = desk.onefold("evaluate", *truth, "--thresholds", "--blocking").out
    assert "best F1" in shown
    assert "true pairs are proposed" in shown
    page = tmp_path / "quality.html"
    assert desk.onefold("evaluate", *truth, "--thresholds", "--blocking", "--plot", page).code == 0
    assert page.read_text("utf-8").count("<svg") == 4
    assert desk.onefold("evaluate", *truth, "--plot", tmp_path / "q.svg").code == 0
    assert "link +" in (tmp_path / "q.svg").read_text("utf-8")


def test_records_that_cannot_be_linked_need_no_truth(desk: Desk) -> None:
    found = desk.json("evaluate", "--unlinkable")
    assert set(found) == {"unlinkable"}
    people = {one["kind"]: one for one in found["unlinkable"]}["person"]
    assert people["unlinkable"] == len(people["examples"])
    assert NAMESAKE in [example["record"] for example in people["examples"]]
    assert PERSON not in [example["record"] for example in people["examples"]]
    assert "even compared with themselves" in desk.onefold("evaluate", "--unlinkable").out


def test_drift_compares_with_a_former_run(filled_hub: Hub, tmp_path: Path) -> None:
    desk = Desk(filled_hub)
    at = datetime(2026, 3, 2, tzinfo=UTC)
    with connect(filled_hub.database_url, application_name="test") as conn:
        now = weight_histogram(conn)
        assert sum(now["person"].values()) >= 1
        kept_by_run = conn.execute("SELECT report -> 'weights' FROM ops.run WHERE command = 'resolve' ORDER BY run_id")
        assert kept_by_run.fetchone() == (now,)
        conn.execute("UPDATE ops.run SET report = report - 'weights'")
    refused = desk.onefold("evaluate", "--drift")
    assert refused.code == 4
    assert "onefold resolve --all" in refused.err
    with connect(filled_hub.database_url, application_name="test") as conn:
        former = [{"person": {"40": 900, "60": 900}}, now]
        kept = []
        for weights in former:
            run_id = runs.start_run(conn, command="resolve", at=at)
            runs.finish_run(conn, run_id, status="done", report={"model_version": 1, "weights": weights}, at=at)
            kept.append(run_id)
    found = desk.json("evaluate", "--drift")["drift"]
    assert found["run_id"] == kept[0]
    assert {run["run_id"] for run in found["runs"]} == set(kept)
    assert {kind["kind"]: kind["verdict"] for kind in found["kinds"]}["person"] == "too_few"
    same = desk.json("evaluate", "--drift", "--against", str(kept[1]))["drift"]
    assert all(kind["index"] == pytest.approx(0, abs=1e-9) for kind in same["kinds"])
    assert desk.onefold("evaluate", "--drift", "--against", "999999").code == 4
    assert desk.onefold("evaluate", "--drift", "--plot", tmp_path / "drift.svg").code == 0
    assert "population stability index" in desk.onefold("evaluate", "--drift").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--truth FILE"),
        (["--thresholds"], "--truth FILE"),
        (["--blocking", "--unlinkable"], "--truth FILE"),
        (["--unlinkable", "--plot", "x.gif"], ".svg or .html"),
    ],
)
def test_what_cannot_be_measured_is_said(desk: Desk, arguments: list[str], says: str) -> None:
    done = desk.onefold("evaluate", *arguments)
    assert done.code == 2
    assert says in " ".join(done.err.split())

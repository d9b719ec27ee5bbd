"""Around the queue: cases to Excel and back, cases that are asked once more, and the plan of thresholds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from onefold.steps import case_plan
from tests.acceptance.test_case_queue import through
from tests.acceptance.test_console import key_of, words_of
from tests.support import database as databases
from tests.support.cli import onefold
from tests.support.hub import Hub
from tests.support.queue import Desk, decision, desk_of, fill_queue
from warehouse import surroundings

HOSTILE = '=HYPERLINK("http://x")'


@pytest.fixture(scope="module")
def desk(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Twelve cases, of which each test decides its own; every decision is asked once more."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("tools"), url)
        (hub.folder / "config" / "hub.yaml").write_text("review: {repeats: {share: 0.5, after: 30d}}\n")
        fill_queue(hub, 12)
        with desk_of(hub) as found:
            yield found


def lines_of(path: Path) -> tuple[openpyxl.Workbook, Any, dict[str, int]]:
    """A workbook, its sheet, and column -> number."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    return book, sheet, {cell.value: cell.column for cell in sheet[1]}


def test_cases_go_to_excel_are_decided_there_and_come_back_with_a_preview(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    with desk.signed_in("ada") as browser:
        path.write_bytes(browser.get("/cases/workbook.xlsx").content)
        book, sheet, at = lines_of(path)
        count = sheet.max_row - 1
        assert (
            count == len(desk.open_cases()) and sheet.data_validations.dataValidation[0].formula1 == '"same,not same"'
        )
        for line, word in ((2, "same"), (3, "NOT SAME"), (4, "maybe"), (5, "same"), (6, "same")):
            sheet.cell(line, at["decision"]).value = word
        sheet.cell(2, at["reason"]).value = "the same list"
        sheet.cell(5, at["case"]).value = "00000000-0000-0000-0000-000000000000"
        sheet.cell(6, at["seen"]).value = re.sub(r":\d+", ":1", sheet.cell(6, at["seen"]).value)
        book.save(path)
        cases = [sheet.cell(line, at["case"]).value for line in range(2, 7)]
        before = desk.hub.partition()
        page = browser.post(
            "/cases/workbook", data={"key": key_of(browser.get("/cases/workbook"))}, files={"file": path.read_bytes()}
        )
        words = words_of(page)
        assert "2 decisions are ready" in words and desk.hub.partition() == before, "a preview does nothing"
        for told in (
            "not one of the allowed words: 1",
            "no such case, or its column seen was changed: 1",
            "open no more: 1",
        ):
            assert told in words, told
        ready = re.search(r'name="words" value="([^"]+)"', page.text)
        assert ready is not None
        said = {"key": key_of(page), "words": unescape(ready[1])}
        done = through(browser, browser.post("/cases/workbook/apply", data=said))
        assert "Decided: 2" in words_of(done)
        again = through(browser, browser.post("/cases/workbook/apply", data=said))
        assert "not as they were seen: 2" in words_of(again), "nothing is decided twice"
        through(browser, browser.post(f"{done.url.path}/undo", data={"key": key_of(page)}))
        for wrong in ("x", "[]", "[[1,2]]", json.dumps([[cases[0], "burn", ["a"], ["b"], "", {}]])):
            assert browser.post("/cases/workbook/apply", data={**said, "words": wrong}).status_code == 422, wrong
        for wrong_file in (b"", b"PK\x03\x04", b"<html>"):
            files = {"file": ("x.xlsx", wrong_file)}
            assert browser.post("/cases/workbook", data={"key": key_of(page)}, files=files).status_code == 422
    verdicts = desk.hub.query(
        "SELECT verdict, reason FROM identity.judgement WHERE verdict <> 'lift' ORDER BY judgement_id"
    )
    assert verdicts == [("same", "the same list"), ("not_same", None)]


def test_who_may_not_see_values_takes_masks_away_and_no_text_is_a_formula(desk: Desk, tmp_path: Path) -> None:
    desk.hub.registers["crm_contacts"].append(
        {"id": "evil", "first": HOSTILE, "last": "Керн", "emails": "e@example.ru"}
    )
    desk.hub.registers["crm_contacts"].append({"id": "evil2", "first": HOSTILE, "last": "Керн"})
    desk.hub.write("crm_contacts")
    desk.hub.run()
    for login, sees in (("ada", True), ("ida", False)):
        path = tmp_path / f"{login}.xlsx"
        with desk.signed_in(login) as browser:
            path.write_bytes(browser.get("/cases/workbook.xlsx").content)
        _, sheet, _ = lines_of(path)
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        text = " ".join(str(cell.value) for cell in cells)
        assert ("@example.ru" in text, "HYPERLINK" in text) == (sees, sees)
    log = desk.hub.query("SELECT DISTINCT who FROM ops.access_log WHERE how = 'console cases workbook' ORDER BY 1")
    assert ("ida",) in log and ("ada",) in log


def test_the_command_line_exports_shows_what_it_would_do_and_does_it(desk: Desk, tmp_path: Path) -> None:
    path, place = tmp_path / "cases.xlsx", desk.hub.place
    done = onefold(*place, "cases", "export", path, "--source", "crm", "--limit", "3", "--language", "ru")
    assert done.code == 0, done.said
    assert path.stat().st_mode & 0o777 == 0o600
    assert onefold(*place, "cases", "export", path).code == 2, "never over a file"
    book, sheet, at = lines_of(path)
    sheet.cell(2, at["decision"]).value = "разные"
    book.save(path)
    before = desk.hub.query("SELECT count(*) FROM identity.judgement")
    shown = onefold(*place, "--json", "cases", "import", path)
    assert shown.json["states"] == {"ready": 1, "empty": 2} and shown.json["report"] is None
    assert desk.hub.query("SELECT count(*) FROM identity.judgement") == before
    did = onefold(*place, "--json", "cases", "import", path, "--yes", "--by", "petra")
    assert did.json["report"] == {"done": [sheet.cell(2, at["case"]).value]}
    told = onefold(*place, "--json", "cases", "import", path, "--yes")
    assert told.json["states"] == {"stale": 1, "empty": 2} and told.json["report"] is None
    assert desk.hub.query("SELECT verdict FROM identity.judgement WHERE decided_by = 'petra'") == [("not_same",)]


def test_a_decided_case_is_asked_once_more_as_if_it_were_new_and_the_second_answer_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.steps.case_repeats._happens", lambda _share, _of: True)
    with desk.signed_in("ada") as ada, desk.signed_in("eve") as eve:
        case = desk.open_cases()[-1]
        ada.post(f"/cases/{case}", data=decision(ada.get(f"/cases/{case}").text, "same"))
        after = desk.hub.partition()
        assert "open no more" in words_of(eve.get(f"/cases/{case}")), "who comes by another way sees it as it is"
        led = eve.get("/cases/next")
        assert led.url.path == f"/cases/{case}"
        assert "open no more" not in words_of(led) and 'value="same"' in led.text and "decided" not in words_of(led)
        would = eve.post(f"/cases/{case}/would/same", data=decision(led.text, "same"))
        assert "would go" in words_of(would) and "Do it" in words_of(would), "as if nobody had decided"
        apart = eve.post(f"/cases/{case}/would/not_same", data=decision(led.text, "not_same"))
        assert apart.status_code == 200 and "No client changes" in words_of(apart)
        silent = eve.post(f"/cases/{case}", data=decision(led.text, "cannot_tell"))
        assert silent.status_code == 422, "as of a case that nobody has decided"
        taken = eve.post(f"/cases/{case}/assign", data={"key": decision(led.text, "same")["key"], "assignee": "eve"})
        assert taken.url.path == f"/cases/{case}" and "open no more" not in words_of(taken)
        eve.post(f"/cases/{case}", data=decision(led.text, "not_same"))
        assert desk.hub.partition() == after, "nothing takes effect"
        assert (
            eve.get("/cases/next").url.path != f"/cases/{case}" and ada.get("/cases/next").url.path != f"/cases/{case}"
        )
        told = words_of(ada.get("/cases"))
        assert "1 case was asked twice; the answers agree in 0 %" in told and "differently" in told
    found = onefold(*desk.hub.place, "--json", "cases", "agreement").json
    assert (found["asked"], found["agreed"], found["disagreements"]) == (
        1, 0, [{"case": case, "verdict": "same", "second_verdict": "not_same"}],
    )  # fmt: skip
    assert '"eve"' not in json.dumps(found) and '"ada"' not in json.dumps(found)


def test_a_plan_of_very_many_pairs_reads_what_the_last_whole_resolution_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_plan, "COUNTED", -1)
    monkeypatch.setattr(surroundings, "weight_histogram", lambda _: {})
    with desk.hub.context() as context:
        (kind,) = case_plan.plan(context, 2, 3)["kinds"]
    assert kind["kind"] == "person" and sum(one["pairs"] for one in kind["bins"]) >= 12


def test_a_plan_says_band_errors_and_days_and_which_lines_to_write(desk: Desk) -> None:
    found = onefold(*desk.hub.place, "--json", "cases", "plan", "--per-day", "2", "--days", "3").json
    (kind,) = found["kinds"]
    assert kind["kind"] == "person" and sum(one["pairs"] for one in kind["bins"]) >= 12
    assert kind["then"]["pairs"] <= 6 and found["days_to_clear"]["then"] <= 3
    review, link = kind["then"]["review_at"], kind["then"]["link_at"]
    assert found["lines"] == f"# matching.yaml\nperson: {{review_at: {review}, link_at: {link}}}"
    with desk.signed_in("ada") as browser:
        page = browser.get("/cases/planner", params={"per_day": 2, "days": 3})
        assert found["lines"].splitlines()[1] in words_of(page)
        chart = re.search(r'src="(/cases/planner.svg[^"]+)"', page.text)
        assert chart is not None
        picture = browser.get(unescape(chart[1]))
        assert picture.headers["content-type"] == "image/svg+xml" and "<title" in picture.text
        assert browser.get("/cases/planner", params={"per_day": 0}).status_code == 422
    with desk.signed_in("max") as browser:
        answers: list[httpx.Response] = [
            browser.get(f"/cases/{page}") for page in ("planner", "workbook", "workbook.xlsx", "patterns")
        ]
        assert [one.status_code for one in answers] == [403] * 4


def test_a_decision_that_takes_longer_than_a_moment_says_so_and_what_became_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.web.console.bulk.PATIENCE", 0.0)
    case = desk.open_cases()[0]
    with desk.signed_in("ada") as browser:
        page = browser.get(f"/cases/{case}").text
        shown = browser.post(f"/cases/{case}", data=decision(page, "not_same"))
        assert shown.url.path.startswith("/cases/batches/")
        done = through(browser, shown)
        assert "Decided: 1" in words_of(done) and case not in desk.open_cases() and 'href="/cases/next"' in done.text
        late = through(browser, browser.post(f"/cases/{case}", data=decision(page, "same")))
        assert "not as they were seen: 1" in words_of(late)

"""The queue: its filters and pages, whose a case is, what is put aside and said, and what waits for a second person."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.test_console import key_of, words_of
from tests.support import database as databases
from tests.support.hub import Hub
from tests.support.queue import Desk, decision, desk_of, fill_queue, shown_cases
from tests.support.served import asking, token

CASES = 7


@pytest.fixture(scope="module")
def desk(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Seven cases, two of them with a record of the ERP; tests leave them open, assigned to nobody and not put aside."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("queue"), url)
        (hub.folder / "config" / "hub.yaml").write_text(
            "review: {second_approver: {records: 1000, interactions: 100}}\n"
        )
        fill_queue(hub, CASES, of_erp=2)
        with desk_of(hub) as found:
            assert len(found.open_cases()) == CASES
            noted = hub.query("SELECT DISTINCT sources FROM identity.review_case WHERE status = 'open' ORDER BY 1")
            assert [one for (one,) in noted] == [["crm"], ["crm", "erp"]], "filters need no record"
            yield found


def test_filters_narrow_the_queue_and_the_way_to_the_next_case_stays_inside(desk: Desk) -> None:
    with desk.signed_in("ada") as browser:
        everything = shown_cases(browser.get("/cases").text)
        of_erp = shown_cases(browser.get("/cases", params={"source": "erp"}).text)
        assert everything == desk.open_cases() and len(of_erp) == 2 and set(of_erp) < set(everything)
        led = [browser.get("/cases/next", params={"after": after}).url.path for after in (of_erp[0], of_erp[1])]
        assert led == [f"/cases/{of_erp[1]}", f"/cases/{of_erp[0]}"], "from the last on to the first"
        for narrowed, many in (
            ({"kind": "between"}, CASES), ({"kind": "forbidden"}, 0), ({"age": "older"}, CASES), ({"age": "day"}, 0),
            ({"impact": "3"}, 0), ({"impact": "2"}, CASES), ({"show": "mine"}, 0), ({"show": "unassigned"}, CASES),
        ):  # fmt: skip
            assert len(shown_cases(browser.get("/cases", params=narrowed).text)) == many, narrowed
        by_age = shown_cases(browser.get("/cases", params={"order": "age"}).text)
        assert sorted(by_age) == sorted(everything)
        for wrong in ({"show": "x"}, {"impact": "-1"}, {"after": "x"}, {"after": "1.2.3"}, {"order": "'"}):
            assert browser.get("/cases", params=wrong).status_code == 422, wrong


def test_a_long_queue_is_paged_without_gaps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.web.console.review.MOST", 3)
    for order in ("impact", "age", "bits"):
        with desk.signed_in("ada") as browser:
            page = browser.get("/cases", params={"order": order})
            seen = shown_cases(page.text)
            while more := re.search(r'href="([^"]+)" rel="next"', page.text):
                page = browser.get(more[1].replace("&amp;", "&"))
                seen += shown_cases(page.text)
        assert len(seen) == len(set(seen)) == CASES, order


def test_a_case_is_taken_given_to_somebody_and_given_back_and_its_history_says_so(desk: Desk) -> None:
    case = desk.open_cases()[0]
    with desk.signed_in("ada") as browser:
        key = key_of(browser.get(f"/cases/{case}"))
        browser.post(f"/cases/{case}/assign", data={"key": key, "assignee": "ada"})
        assert shown_cases(browser.get("/cases", params={"show": "mine"}).text) == [case]
        browser.post(f"/cases/{case}/assign", data={"key": key, "assignee": "EVE"})
        assert shown_cases(browser.get("/cases", params={"show": "mine"}).text) == []
        assert browser.post(f"/cases/{case}/assign", data={"key": key, "assignee": "max"}).status_code == 404
        said = browser.post(f"/cases/{case}/comment", data={"key": key, "text": "<b>called</b> her"})
        words = words_of(said)
        assert "ada assigned it to eve" in words and "&lt;b&gt;called" in said.text
        assert browser.post(f"/cases/{case}/comment", data={"key": key, "text": " "}).status_code == 422
    with desk.signed_in("ida") as browser:
        page = browser.get(f"/cases/{case}")
        assert "called" not in page.text and "ada assigned it to eve" in words_of(page), "what people write is masked"
    with desk.signed_in("eve") as browser:
        assert shown_cases(browser.get("/cases", params={"show": "mine"}).text) == [case]
        browser.post(f"/cases/{case}/assign", data={"key": key_of(browser.get("/cases/" + case)), "assignee": ""})
        assert shown_cases(browser.get("/cases", params={"show": "mine"}).text) == []


def test_what_is_put_aside_is_gone_until_its_day(desk: Desk) -> None:
    case = desk.open_cases()[1]
    with desk.signed_in("ada") as browser:
        key = key_of(browser.get(f"/cases/{case}"))
        for wrong in ("2020-01-01", "x"):
            assert browser.post(f"/cases/{case}/defer", data={"key": key, "until": wrong}).status_code == 422
        browser.post(f"/cases/{case}/defer", data={"key": key, "until": "2199-01-31", "note": "asked the bank"})
        assert case not in shown_cases(browser.get("/cases").text)
        assert shown_cases(browser.get("/cases", params={"show": "deferred"}).text) == [case]
        desk.hub.query(
            "UPDATE ops.case_desk SET deferred_until = current_date - 1 WHERE fingerprint = %s RETURNING 1", [case]
        )
        assert case in shown_cases(browser.get("/cases").text), "its day has come"
        assert "put it aside until" in words_of(browser.get(f"/cases/{case}"))
        browser.post(f"/cases/{case}/defer", data={"key": key, "until": ""})


def test_a_reader_does_nothing_on_a_case_nor_does_a_form_from_elsewhere(desk: Desk) -> None:
    case = desk.open_cases()[0]
    with desk.signed_in("ada") as browser:
        for what in ("assign", "defer", "comment", "answer"):
            assert browser.post(f"/cases/{case}/{what}", data={"verdict": "confirm"}).status_code == 403, what
    assert desk.hub.query("SELECT count(*) FROM ops.case_event WHERE done_by = 'max'") == [(0,)]


def test_the_api_takes_the_same_filters_and_pages(desk: Desk) -> None:
    secret = token(desk.hub.settings, "queue-reader", ["cases"])
    with asking(desk.address, secret) as api:
        first = api.get("/v1/cases", params={"limit": 5}).json()
        second = api.get("/v1/cases", params={"limit": 5, "after": first["next"]}).json()
        assert [one["case"] for one in first["cases"] + second["cases"]] == desk.open_cases() and second["next"] is None
        assert len(api.get("/v1/cases", params={"source": "erp", "state": "open"}).json()["cases"]) == 2
        assert api.get("/v1/cases", params={"assignee": "nobody"}).json()["cases"] == []
        assert (
            len(
                api.get("/v1/cases", params={"unassigned": True, "opened_before": "2199-01-01T00:00:00"}).json()[
                    "cases"
                ]
            )
            == CASES
        )
        assert api.get("/v1/cases", params={"after": "x"}).status_code == 422


def test_below_the_limits_one_person_decides(desk: Desk) -> None:
    with desk.signed_in("eve") as browser:
        case = desk.open_cases()[0]
        done = browser.post(f"/cases/{case}", data=decision(browser.get(f"/cases/{case}").text, "same"))
        assert len(desk.open_cases()) == CASES - 1
        undo = re.search(r'action="(/judgements/\d+/undo)"', done.text)
        assert undo is not None
        browser.post(undo[1], data={"key": key_of(done)})
        assert len(desk.open_cases()) == CASES


@pytest.fixture(scope="module")
def careful(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Three cases, each decided by two people; a test proposes of its own ones only."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("careful"), url)
        (hub.folder / "config" / "hub.yaml").write_text("review: {second_approver: always}\n")
        fill_queue(hub, 3)
        with desk_of(hub) as found:
            yield found


def test_nobody_confirms_their_own_proposal(careful: Desk) -> None:
    hub, (one, two, other) = careful.hub, careful.open_cases()
    before = hub.partition()
    with careful.signed_in("ada") as ada, careful.signed_in("eve") as eve:
        for case in (one, two):
            done = ada.post(f"/cases/{case}", data=decision(ada.get(f"/cases/{case}").text, "same", "asked"))
            assert "waits for a second person" in words_of(done)
        assert hub.partition() == before and hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]
        assert shown_cases(ada.get("/cases").text) == [other]
        page = ada.get(f"/cases/{one}")
        assert "ada proposes: same client , asked" in words_of(page) and 'value="confirm"' not in page.text
        own = ada.post(f"/cases/{one}/answer", data={"key": key_of(page), "verdict": "confirm"})
        assert own.status_code == 422 and hub.partition() == before
        again = eve.post(f"/cases/{one}", data=decision(eve.get("/cases").text, "not_same"))
        assert again.status_code == 409, "somebody has proposed already"
        assert set(shown_cases(eve.get("/cases", params={"show": "proposed"}).text)) == {one, two}
        answer = {"key": key_of(eve.get(f"/cases/{one}"))}
        assert "/undo" in eve.post(f"/cases/{one}/answer", data={**answer, "verdict": "confirm"}).text
        assert len(hub.partition()) == len(before) - 1
        eve.post(f"/cases/{two}/answer", data={**answer, "verdict": "refuse", "note": "no proof"})
        assert set(careful.open_cases()) == {two, other} and "refused: same client: no proof" in words_of(
            eve.get(f"/cases/{two}")
        )
        assert eve.post(f"/cases/{two}/answer", data={**answer, "verdict": "confirm"}).status_code == 404
        (number,) = hub.query("SELECT judgement_id FROM identity.judgement")[0]
        undo = f"/judgements/{number}/undo"
        for _ in range(2):
            wished = eve.post(undo, data={"key": answer["key"]})
            assert "waits for a second person" in words_of(wished) and len(hub.partition()) == len(before) - 1
        assert "eve proposed: to take the decision back" in words_of(ada.get(f"/cases/{one}"))
        queue = ada.get("/cases", params={"show": "undo"})
        assert shown_cases(queue.text) == [one] and "proposed by eve" in words_of(queue)
        own = eve.post(f"/cases/{one}/answer", data={**answer, "verdict": "refuse_undo"})
        assert own.status_code == 422 and "eve proposes: to take" in words_of(eve.get(f"/cases/{one}"))
        no = {"key": key_of(page), "verdict": "refuse_undo", "note": "she confirmed it"}
        assert "refused: to take the decision back: she confirmed it" in words_of(
            ada.post(f"/cases/{one}/answer", data=no)
        )
        assert shown_cases(ada.get("/cases", params={"show": "undo"}).text) == []
        assert ada.post(f"/cases/{one}/answer", data=no).status_code == 404
        assert "waits for a second person" in words_of(ada.post(undo, data={"key": key_of(page)}))
        with asking(careful.address, token(hub.settings, "reads", ["cases"])) as api:
            (wished,) = api.get("/v1/cases", params={"state": "undo"}).json()["cases"]
        assert (wished["case"], wished["proposed_by"], wished["status"]) == (one, "ada", "closed")
        eve.post(f"/cases/{one}/answer", data={**answer, "verdict": "refuse_undo"})
        eve.post(undo, data={"key": answer["key"]})
        with asking(careful.address, token(hub.settings, "judge", ["judge"])) as api:
            alone = api.post(f"/v1{undo}", json={"reason": "x"})
            assert alone.status_code == 422 and "Two people decided this" in alone.text
        ada.post(undo, data={"key": key_of(page)})
        assert hub.partition() == before
        form = decision(ada.get(f"/cases/{two}").text, "move")
        client, record = hub.query(
            "SELECT x.client_id::text, c.record_ids[1] FROM identity.review_case AS c"
            " JOIN identity.crosswalk AS x ON x.record_id = c.record_ids[2] WHERE c.fingerprint = %s", [two]
        )[0]  # fmt: skip
        cannot = ada.post(f"/cases/{two}", data={**form, "chosen": record, "client": client})
        assert cannot.status_code == 422 and "this answer cannot wait for one" in words_of(cannot)
        waits = ada.post(f"/cases/{two}", data={**form, "verdict": "cannot_tell", "reason": "her birth date"})
        assert "waits for a second person" in words_of(waits)
        eve.post(f"/cases/{two}/answer", data={**answer, "verdict": "confirm"})
    assert hub.query("SELECT verdict, decided_by FROM identity.judgement ORDER BY judgement_id") == [
        ("same", "ada, confirmed by eve"), ("lift", "eve, confirmed by ada"), ("cannot_tell", "ada, confirmed by eve"),
    ]  # fmt: skip


def test_a_proposal_of_what_has_changed_since_is_not_confirmed(careful: Desk) -> None:
    hub, case = careful.hub, careful.open_cases()[0]
    said = hub.query("SELECT count(*) FROM identity.judgement")
    with careful.signed_in("ada") as ada, careful.signed_in("eve") as eve:
        ada.post(f"/cases/{case}", data=decision(ada.get(f"/cases/{case}").text, "same"))
        for contact in hub.registers["crm_contacts"]:
            contact["city"] = "Тверь"
        hub.write("crm_contacts")
        hub.run()
        stale = eve.post(f"/cases/{case}/answer", data={"key": key_of(eve.get(f"/cases/{case}")), "verdict": "confirm"})
        assert stale.status_code == 409 and hub.query("SELECT count(*) FROM identity.judgement") == said
        assert 'value="same"' in ada.get(f"/cases/{case}").text, "it waits for a decision again"


def test_one_word_decides_all_of_the_same_evidence_and_leaves_out_what_changed_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.steps.case_patterns.SAMPLE", 4)
    hub = desk.hub
    with desk.signed_in("ada") as browser:
        before = hub.partition()
        listed = browser.get("/cases/patterns")
        link = re.search(r'href="(/cases/patterns/[0-9a-f]{16})"', listed.text)
        assert link is not None
        page = browser.get(link[1])
        assert len(shown_cases(page.text)) == 4, "a sample"
        lines = re.findall(r'name="case" value="([^"]+)"', page.text)
        assert len(lines) == CASES
        hub.registers["crm_contacts"][0]["city"] = "Тверь"
        hub.write("crm_contacts")
        hub.run()
        (moved,) = {line.split()[0] for line in lines} - {line.split()[0] for line in lines if not stale(hub, line)}
        said = {"key": key_of(page), "case": lines, "verdict": "same", "reason": "the same list twice"}
        done = through(browser, browser.post(link[1], data=said))
        assert f"Decided: {CASES - 1}" in words_of(done) and "Left out: not as they were seen: 1" in words_of(done)
        assert desk.open_cases() == [moved] and moved in done.text
        assert hub.query("SELECT count(*) FROM identity.judgement WHERE decided_by = 'ada'") == [(CASES - 1,)]
        one = hub.query("SELECT min(judgement_id) FROM identity.judgement WHERE decided_by = 'ada'")[0][0]
        browser.post(f"/judgements/{one}/undo", data={"key": key_of(done)})
        assert len(desk.open_cases()) == 2
        undone = through(browser, browser.post(f"{done.url.path}/undo", data={"key": key_of(done)}))
        assert "Taken back together" in words_of(undone) and f"Decided: {CASES - 2}" in words_of(undone)
        assert hub.partition() == before and len(desk.open_cases()) == CASES
        refused = browser.post(f"{done.url.path}/undo", data={"key": key_of(done)})
        assert refused.status_code == 422, "nothing of it is in force any more"


def stale(hub: Hub, line: str) -> bool:
    """Whether a client is not as a form says that it was seen."""
    pairs = [one.split(":") for one in line.split()[1:]]
    now = dict(hub.query("SELECT client_id::text, changed_seq FROM core.client"))
    return any(now[client] != int(number) for client, number in pairs)


def through(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """The page of a batch when it is through: as a browser that comes again when it is told to."""
    for _ in range(200):
        if "refresh" not in page.headers:
            return page
        time.sleep(0.1)
        page = browser.get(page.url.path)
    raise AssertionError("it does not come to its end")

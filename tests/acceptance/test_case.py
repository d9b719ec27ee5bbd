"""The page of a case: what would happen, every answer, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from onefold.steps.judge import judge
from onefold.steps.publish import publish
from tests.acceptance.test_console import Console, key_of, words_of
from tests.acceptance.test_review import anna, filled, first_case, review, said  # noqa: F401
from tests.support.cli import onefold
from tests.support.hub import Hub
from tests.support.served import asking, token

HISTORY = "SELECT action, done_by, verdict FROM ops.case_event ORDER BY event_id"
RELATED = "SELECT type FROM onefold_v1.bridge_relationship WHERE type = 'household' AND NOT is_deleted"


def undone(browser: httpx.Client, done: httpx.Response) -> httpx.Response:
    """The button that takes back what was just decided."""
    button = re.search(r'action="(/judgements/\d+/undo)"', done.text)
    assert button is not None, words_of(done)
    return browser.post(button[1], data={"key": key_of(done)})


def chosen(page: httpx.Response, *keys: str) -> list[str]:
    """The records of these source keys, as the page's boxes have them."""
    heads = re.findall(r"<th scope=\"col\"(?: class=\"asked\")?>.*?</th>", page.text, re.DOTALL)
    return [
        box[1]
        for head in heads
        for key in keys
        if f"· {key}<" in head and (box := re.search(r'name="chosen" value="(-?\d+)"', head))
    ]


def judgements(hub: Hub) -> Sequence[tuple[object, ...]]:
    return hub.query("SELECT verdict, relationship, decided_by FROM identity.judgement ORDER BY judgement_id")


def test_a_value_is_revealed_to_who_must_decide_and_what_would_happen_is_told_before_it_does(review: Console) -> None:  # noqa: F811
    hub = review.hub
    with review.signed_in("eve") as browser:
        page = first_case(browser)
        assert "Керн" not in page.text
        form = {"key": key_of(page), "attribute": "family_name"}
        for _ in range(2):
            told = browser.post(f"{page.url.path}/reveal", data=form)
            assert told.text.count("<td>Керн</td>") == 2 and "Анна" not in told.text
        assert browser.post(f"{page.url.path}/reveal", data={**form, "attribute": "nothing"}).status_code == 404
    with review.signed_in("max") as browser:
        form["key"] = key_of(browser.get("/"))
        assert browser.post(f"{page.url.path}/reveal", data=form).status_code == 403
    rows = hub.query("SELECT who, fields, count(*) FROM ops.access_log WHERE how = 'console reveal' GROUP BY 1, 2")
    assert rows == [("eve", ["family_name"], 4)]
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        assert "None works while you write" in words_of(browser.get("/keys"))
        assert browser.post(page.url.path, data=said(page, "still")).status_code == 404, "it asks something else"
        told = browser.post(f"{page.url.path}/would/same", data=said(page, "same"))
        words = words_of(told)
        assert "would go" in words and "Nothing is written yet" in words
        assert 'value="asked her"' in told.text and judgements(hub) == [] and len(anna(hub)) == 2
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', told.text))
        seen = re.findall(r'name="seen" value="([^"]+)"', told.text)
        done = browser.post(page.url.path, data={**form, "seen": seen, "verdict": "same", "reason": "asked her"})
        assert done.url.path == "/cases" and len(anna(hub)) == 1
        nothing = browser.post(f"{page.url.path}/would/not_same", data=said(page, "not_same"))
        assert nothing.status_code == 409 and "contradicts judgement" in words_of(nothing)
    with review.signed_in("max") as browser:
        form = {"key": key_of(browser.get("/")), "verdict": "same"}
        assert browser.post(f"{page.url.path}/would/same", data=form).status_code == 403


def test_two_clients_are_related_and_what_nobody_can_tell_is_asked_again_with_new_evidence(review: Console) -> None:  # noqa: F811
    hub = review.hub
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        done = browser.post(page.url.path, data={**said(page, "related"), "relationship": "household"})
        assert done.url.path == "/cases" and hub.query(RELATED) == [("household",)]
        hub.run()
        with hub.context() as context:
            publish(context)
        assert hub.query(RELATED) == [("household",)] and len(anna(hub)) == 2, "it stays, whatever runs"
        told = browser.get(re.findall(r"/judgements/\d+/undo", done.text)[0].replace("undo", "would"))
        assert "No client changes; evidence decides again" in words_of(told) and hub.query(RELATED) != []
        undone(browser, done)
        assert hub.query(RELATED) == [] and browser.get(told.url.path).status_code == 404
        page = browser.get(page.url.path)
        assert "related: one household" in words_of(page) and "taken back" in words_of(page)
        silent = browser.post(page.url.path, data={**said(page, "cannot_tell"), "reason": " "})
        assert silent.status_code == 422 and "what would settle it" in words_of(silent)
        browser.post(page.url.path, data={**said(page, "cannot_tell"), "reason": "her birth date"})
        hub.run(full=True)
        assert "Nothing waits for you" in words_of(browser.get("/cases"))
        for less, status in ((1024, "decided"), (2048, "open")):
            # As if the evidence had been weaker by then.
            hub.query("UPDATE identity.review_case SET weight = weight - %s RETURNING 1", (less,))
            hub.registers["crm_contacts"][-1]["city"] = f"Тверь {less}"
            hub.write("crm_contacts")
            hub.run()
            assert hub.query("SELECT status FROM identity.review_case") == [(status,)]
        again = browser.get(page.url.path)
    assert "cannot tell" in words_of(again) and "her birth date" in words_of(again)


def test_the_command_line_and_the_api_say_related_and_cannot_tell_too(review: Console) -> None:  # noqa: F811
    hub, pair = review.hub, ("crm:contacts:2", "crm:contacts:4")
    state = "SELECT status FROM identity.review_case"
    told = onefold(*hub.place, "--json", "judge", "cannot-tell", *pair, "--reason", "her birth date", "--by", "ada")
    assert told.code == 0, told.said
    assert hub.query(state) == [("decided",)] and hub.query(HISTORY) == [("decided", "ada", "cannot_tell")]
    assert onefold(*hub.place, "judge", "undo", str(told.json["judgement_id"])).code == 0
    assert hub.query(state) == [("open",)]
    with asking(review.address, token(hub.settings, "desk", ["judge"])) as api:
        word = {"verdict": "related", "left": pair[:1], "right": pair[1:]}
        assert "how they are related" in api.post("/v1/judgements", json=word).json()["detail"]
        assert api.post("/v1/judgements", json={**word, "relationship": "friends"}).status_code == 422
        said = api.post("/v1/judgements", json={**word, "relationship": "household"}).json()
        assert hub.query(RELATED) == [("household",)] and hub.query(state) == [("decided",)]
        api.post(f"/v1/judgements/{said['judgement_id']}/undo", json={})
        assert hub.query(RELATED) == []
        silent = api.post("/v1/judgements", json={"verdict": "cannot_tell", "left": pair[:1], "right": pair[1:]})
        assert silent.status_code == 422 and "what would settle it" in silent.json()["detail"]
    related = onefold(*hub.place, "judge", "related", *pair, "--as", "namesake")
    assert related.code == 0 and judgements(hub)[-1][:2] == ("related", "namesake")


def test_records_of_several_are_split_moved_and_pinned_and_each_is_taken_back(review: Console) -> None:  # noqa: F811
    hub = review.hub
    with hub.context() as context:
        judge(context, "same", ["crm:contacts:2"], ["crm:contacts:3"], reason="x", by="ada")
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        assert len(chosen(page, "2", "3", "4")) == 3, "the others of their clients stand beside them"
        assert page.text.count("<svg") >= 1 and "<style" not in page.text
        form = {"key": key_of(page), "seen": said(page, "same")["seen"], "reason": "seen"}
        without = browser.post(page.url.path, data={**form, "verdict": "split"})
        assert without.status_code == 422 and "Choose the records first" in words_of(without)
        against = browser.post(page.url.path, data={**form, "verdict": "split", "chosen": chosen(page, "3")})
        assert against.status_code == 409, "a word stands until it is lifted"
        three = hub.client_of("crm:contacts:3")
        done = browser.post(
            page.url.path, data={**form, "verdict": "move", "chosen": chosen(page, "4"), "client": three}
        )
        assert hub.client_of("crm:contacts:4") == hub.client_of("crm:contacts:3")
        assert "ada decided: moved" in words_of(browser.get(page.url.path))
        undone(browser, done)
        assert hub.client_of("crm:contacts:4") != hub.client_of("crm:contacts:3")
        page = browser.get(page.url.path)
        assert "ada took the decision back" in words_of(page)
        pins = browser.get(page.url.path, params={"pin": "given_name"})
        value = re.search(r'name="value" value="(-?\d+ \d+)" required data-key="2"', pins.text)
        assert value is not None
        pin = {
            **form,
            "seen": said(pins, "pin")["seen"],
            "verdict": "pin",
            "attribute": "given_name",
            "value": value[1],
        }
        told = browser.post(f"{page.url.path}/would/pin", data=pin)
        assert told.status_code == 200, words_of(told)
        done = browser.post(page.url.path, data=pin)
        assert done.url.path == page.url.path, "the case waits as before"
        assert ("pin", None, "ada") in judgements(hub)
        assert "ada decided: pin" in words_of(done), "and the case is decided by it no more than before"
        assert browser.post(page.url.path, data={**pin, "value": "7 7"}).status_code == 422
        undone(browser, done)
        pair = chosen(page, "2", "4")
        cut = browser.get(f"{page.url.path}/cut", params=dict(zip(("left", "right"), pair, strict=True)))
        assert cut.status_code == 200 and "No client changes" in words_of(cut)
        assert browser.get(page.url.path, params={"left": 2, "right": 3}).status_code == 200


def test_who_has_changed_identity_is_told_on_the_page(review: Console) -> None:  # noqa: F811
    hub = review.hub
    with hub.context() as context:
        judge(context, "same", ["crm:contacts:1"], ["crm:contacts:3"], reason="x", by="ada")
    hub.registers["crm_contacts"][0] |= {
        "first": "Марфа", "last": "Посадница", "born": "1961-11-30", "emails": "marfa@novgorod.example.ru",
        "phone": "+7 903 555-77-77", "company": None,
    }  # fmt: skip
    hub.write("crm_contacts")
    hub.run()
    case = hub.query("SELECT fingerprint::text FROM identity.review_case WHERE kind = 'changed_identity'")[0][0]
    with review.signed_in("eve") as browser:
        assert "1961" not in browser.get(f"/cases/{case}").text
    with review.signed_in("ada") as browser:
        page = browser.get(f"/cases/{case}")
        assert "Still the same?" in words_of(page) and "Then and now" in words_of(page)
        assert f'href="/cases/next?after={case}"' in page.text
        assert browser.get(f"/cases/{case}/before").url.path not in ("/cases", page.url.path)
        done = browser.post(f"/cases/{case}", data={**said(page, "new"), "reason": "another person"})
        assert done.status_code == 200, words_of(done)
        again = browser.post(f"/cases/{case}", data={**said(page, "still")})
        assert again.status_code == 409, "somebody has decided it"
        assert "ada decided: somebody else now" in words_of(browser.get(f"/cases/{case}"))
    assert hub.query("SELECT count(*) FROM identity.former_record WHERE is_confirmed") == [(1,)]

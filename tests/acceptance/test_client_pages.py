"""A client's pages: found by anything, its story by any measure, every word of its registers, how it was, what is to be
mended; and the same by the API."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import httpx
import openpyxl
import pytest

from onefold.context import open_context
from onefold.steps.accounts import add_user
from onefold.steps.judge import judge
from onefold.steps.regroup import move
from tests.acceptance.conftest import fill
from tests.acceptance.test_console import Console, key_of, words_of
from tests.support import database as databases
from tests.support.hub import Hub
from tests.support.served import asking, served, token

FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def console(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A served hub whose registers have said several things of the same people."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("client_pages"), url)
        fill(hub)
        hub.run()
        contacts = hub.registers["crm_contacts"]
        contacts[1] |= {"city": "Тверь", "first": "Анна Мария"}
        contacts.append({**contacts[0], "id": "7", "phone": FORMULA})
        hub.write("crm_contacts")
        hub.ticks += 3 * 86_400
        hub.run()
        with hub.context() as context:
            judge(context, "pin", ["crm:contacts:3"], [], attribute="city", value="Псков", reason="told us", by="ada")
        with open_context(hub.settings) as context:
            add_user(context, "ada", "steward", sees_values=True, password=None, by="test")
            add_user(context, "max", "reader", sees_values=False, password=None, by="test")
        with served(hub.settings) as address:
            yield Console(hub, address)


def page_of(console: Console, browser: httpx.Client, record: str, rest: str = "") -> httpx.Response:
    """A page of the client of a record."""
    page = browser.get(f"/clients/{console.hub.client_of(record)}{rest}")
    assert page.status_code == 200, words_of(page)
    return page


def test_what_is_exactly_one_clients_opens_it_and_what_is_like_a_name_is_marked(console: Console) -> None:
    anna = console.hub.client_of("crm:contacts:2")
    with console.signed_in("ada") as browser:
        for exact in ("8 903 555-02-02", "anna.kern@example.ru", "crm:contacts:2", anna):
            assert browser.get("/clients", params={"query": exact}).url.path == f"/clients/{anna}", exact
        listed = browser.get("/clients", params={"query": "керн", "order": "name"})
        assert "<mark>Керн</mark>" in listed.text
        listed = browser.get("/clients", params={"query": "anna.kern@example.ru", "all": "true"})
        assert listed.url.path == "/clients" and "<mark>anna.kern@example.ru</mark>" in listed.text
        assert browser.get("/clients", params={"query": "керн", "page": 21}).status_code == 422


def test_a_story_is_told_by_department_type_day_register_amount_and_words(console: Console) -> None:
    with console.signed_in("ada") as browser:

        def told(**part: str) -> set[str]:
            page = page_of(console, browser, "crm:companies:10", str(httpx.URL("", params=part)))
            return set(re.findall(r"(?:erp:orders|crm:deals):[\w-]+", page.text.partition('<ol class="story">')[2]))

        assert told() == {"erp:orders:SO-1", "crm:deals:D1"}
        assert told(type="sales_order") == told(register="erp") == told(since="2026-02-02") == {"erp:orders:SO-1"}
        assert told(until="2026-02-01", amount="true") == told(words="won") == {"crm:deals:D1"}
        assert told(words="100%") == set()
        empty = page_of(console, browser, "crm:companies:10", "?words=nothing")
        assert "Nothing of this kind has happened" in words_of(empty)
        assert browser.get(f"/clients/{console.hub.client_of('crm:companies:10')}?since=yesterday").status_code == 422


def test_an_entry_shows_its_copies_in_other_registers_and_leads_to_what_came(console: Console) -> None:
    with console.signed_in("ada") as browser:
        page = page_of(console, browser, "crm:companies:10")
        assert "counted by another register" in words_of(page) and "1,500.50" in words_of(page)
        link = re.search(r"/clients/[0-9a-f-]{36}/story/-?\d+", page.text)
        assert link is not None
        entry = browser.get(link[0])
        assert {"SO-1", "D1"} <= set(re.findall(r"SO-1|D1", words_of(entry)))
        assert "The same in other registers" in words_of(entry)
        raw = browser.get(link[0].replace("/story/", "/raw/"))
        assert "1500.50" in words_of(raw)
        lev = console.hub.client_of("crm:contacts:3")
        foreign = browser.get(f"/clients/{lev}/raw/{link[0].rpartition('/')[2]}")
        assert foreign.status_code == 404 and "1500.50" not in foreign.text


def test_every_version_of_what_came_is_shown_and_masked_for_who_may_not_see_it(console: Console) -> None:
    with console.signed_in("ada") as browser:
        link = re.search(r"/clients/[0-9a-f-]{36}/raw/-?\d+", page_of(console, browser, "crm:contacts:2").text)
        assert link is not None
        raw = browser.get(link[0])
        assert raw.text.count("<details") == 3 and "Анна Мария" in raw.text and 'class="new"' in raw.text
    with console.signed_in("max") as browser:
        masked = browser.get(link[0])
        assert "first" in masked.text and "Анна" not in masked.text and "anna.kern" not in masked.text
    rows = console.hub.query(
        "SELECT who, fields FROM ops.access_log WHERE how = 'console raw' AND who IN ('ada', 'max')"
    )
    assert ("ada", None) in rows and ("max", []) in rows


def test_a_client_is_shown_as_it_was_known_on_a_day_and_what_had_changed(console: Console) -> None:
    with console.signed_in("ada") as browser:
        page = page_of(console, browser, "crm:contacts:2", "/history?on=2026-03-01&until=2026-03-05")
        then, _, changed = words_of(page).partition("What had changed by")
        assert "Анна" in then and "Анна Мария" not in then
        assert "Анна Мария" in changed and "Тверь" in changed
        early = page_of(console, browser, "crm:contacts:2", "/history?on=2026-02-28")
        assert "It was not known yet on that day" in words_of(early) and "Versions" in words_of(early)
        page_of(console, browser, "crm:contacts:2", "/history?on=9999-12-31")
    with console.signed_in("max") as browser:
        page = page_of(console, browser, "crm:contacts:2", "/history?on=2026-03-01")
        assert "Анна" not in page.text and "Тверь" not in page.text


def test_why_a_value_stands_and_why_records_are_one_client_is_a_click_away(console: Console) -> None:
    with console.signed_in("ada", "ru") as browser:
        why = words_of(page_of(console, browser, "crm:companies:10", "/why/legal_name"))
        assert "Ромашка ООО" in why and "ООО «Ромашка»" in why and "Правила по порядку" in why
        explained = words_of(page_of(console, browser, "crm:companies:10", "/explain"))
        assert "Что его держит вместе" in explained and "erp:customers:C1" in explained
        assert "Ромашка" in words_of(page_of(console, browser, "crm:companies:10", "/print"))
    with console.signed_in("max") as browser:
        assert "1980-05-07" not in page_of(console, browser, "crm:contacts:1", "/why/birth_date").text


def test_what_is_wrong_in_registers_is_a_page_and_a_workbook_without_formulas(console: Console) -> None:
    with console.signed_in("ada") as browser:
        page = browser.get("/fix", params={"register": "crm"})
        assert "crm:contacts:7" in page.text and FORMULA in page.text
        answer = browser.get("/fix.xlsx", params={"register": "crm"})
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["fix"]
        head, *rows = list(sheet.iter_rows())
        cells = [dict(zip([cell.value for cell in head], row, strict=True)) for row in rows]
        (formula,) = [row["value"] for row in cells if row["value"].value == FORMULA]
        assert formula.data_type == "s" and formula.quotePrefix
        assert int(answer.headers["Onefold-Rows"]) == len(rows)
        assert browser.get("/fix", params={"register": "nobody"}).status_code == 422
        assert browser.get("/sources/a%00b/rejects").status_code == 422
    with console.signed_in("max") as browser:
        assert FORMULA not in browser.get("/fix").text
        masked = openpyxl.load_workbook(io.BytesIO(browser.get("/fix.xlsx").content))["fix"]
        assert FORMULA not in {cell.value for row in masked.iter_rows() for cell in row}


def test_the_api_tells_the_list_and_how_a_client_was(console: Console) -> None:
    anna = console.hub.client_of("crm:contacts:2")
    with asking(console.address, token(console.hub.settings, "fixer", ["clients", "values"])) as api:
        found = api.get("/v1/fixes", params={"kind": "duplicate"}).json()
        assert [one["record"] for one in found["fixes"]] == ["crm:contacts:7"] and found["next"] is None
        counts = api.get("/v1/fixes/counts").json()
        assert counts["open"] == sum(one["entries"] for one in counts["rows"]) > 1
        then = api.get(f"/v1/clients/{anna}/as-of", params={"at": "2026-03-02T00:00:00+03:00"}).json()
        assert then["attributes"]["given_name"] == "Анна" and "city" not in then["attributes"]
        assert [one["record"] for one in then["records"]] == ["crm:contacts:2"]
        assert api.get(f"/v1/clients/{anna}/as-of", params={"at": "2026-03-02"}).status_code == 422
        beyond = api.get(f"/v1/clients/{anna}/as-of", params={"at": "0001-01-01T00:00:00+03:00"})
        assert beyond.status_code == 422 and "calendar" in beyond.text
    with asking(console.address, token(console.hub.settings, "masked", ["clients"])) as api:
        then = api.get(f"/v1/clients/{anna}/as-of", params={"at": "2026-03-02T00:00:00Z"})
        assert "Анна" not in then.text and "given_name" in then.json()["masked"]
        assert FORMULA not in api.get("/v1/fixes").text


def test_a_pin_is_told_on_the_page_and_taken_back_there_by_a_steward_only(console: Console) -> None:
    with console.signed_in("max") as browser:
        page = page_of(console, browser, "crm:contacts:3")
        assert "What people said" in words_of(page) and "told us" not in page.text and "/undo" not in page.text
        number = console.hub.query("SELECT judgement_id FROM identity.judgement WHERE verdict = 'pin'")[0][0]
        path = f"{page.url.path}/judgements/{number}/undo"
        assert browser.post(path, data={"key": key_of(page)}).status_code == 403
    with console.signed_in("ada") as browser:
        page = page_of(console, browser, "crm:contacts:3")
        assert "Псков" in page.text
        assert browser.post(path, data={"key": key_of(page)}).status_code == 200
        assert browser.post(path, data={"key": key_of(page)}).status_code == 404
        words = words_of(page_of(console, browser, "crm:contacts:3"))
        assert "taken back by ada" in words


def test_a_move_is_taken_back_whole_and_who_sees_a_moved_record_saw_its_holder(console: Console) -> None:
    hub, record = console.hub, "crm:contacts:7"
    lev, anna = hub.client_of(record), hub.client_of("crm:contacts:2")
    with hub.context() as context:
        move(context, record, anna, reason="hers", by="ada")
    number = hub.query(
        "SELECT record_id FROM raw.record WHERE (source, stream, source_key) = ('crm', 'contacts', '7')"
    )[0][0]
    with console.signed_in("ada") as browser:
        assert browser.get(f"/clients/{lev}/raw/{number}").status_code == 200
        page = page_of(console, browser, record)
        said = hub.query("SELECT judgement_id FROM identity.judgement WHERE verdict = 'same' AND decided_by = 'ada'")[
            -1
        ]
        assert browser.post(f"{page.url.path}/judgements/{said[0]}/undo", data={"key": key_of(page)}).status_code == 200
    (both,) = hub.query("SELECT count(*) FROM identity.judgement WHERE reason = 'hers' AND verdict <> 'lift'")[0]
    lifted = "SELECT count(*) FROM identity.judgement AS j JOIN identity.judgement AS l ON l.lifts = j.judgement_id"
    assert hub.query(f"{lifted} WHERE j.reason = 'hers'") == [(both,)] and both > 1
    seen = hub.query(
        "SELECT client_id::text FROM ops.access_log WHERE how = 'console raw' ORDER BY access_id DESC LIMIT 2"
    )
    assert {client for (client,) in seen} == {lev, anna}

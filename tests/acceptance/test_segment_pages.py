"""Needs on a client's page with the dealings that prove them, and segments: who is in them, what they have in common, their
check and their map; for whom they are masked, and how they look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import httpx
import pytest

from onefold.context import open_context
from onefold.steps.accounts import add_user
from onefold.steps.mirror import look_into_mirror, look_weekly
from onefold.web.console import concerns, needs, segments
from tests.acceptance.test_browser import PICTURES
from tests.acceptance.test_console import Console, key_of, words_of
from tests.acceptance.test_needs import SEGMENTS, fill
from tests.support import database as databases
from tests.support.browser import DESK, PHONE, Looking, barriers, chromium, refused, width_over
from tests.support.hub import Hub
from tests.support.served import served, session_of

_OPEN = "FROM core.client_segment WHERE scheme = 'by_need' AND left_at IS NULL"
CONCERNS = """
shipped: false
owner: service@example.com
concerns:
  busy:
    question: {en: Who orders very often?, ru: Кто заказывает очень часто?}
    threshold: 3
    more_than: {of: {types: sales_order}, count: 12, within: 600d}
    examples:
      raised: [{interactions: [{type: sales_order, client: a, days_ago: 9, times: 13}, {type: sales_order, client: b, days_ago: 9, times: 13}, {type: sales_order, client: c, days_ago: 9, times: 13}]}]
      calm: [{interactions: [{type: sales_order, days_ago: 9, times: 13}]}]
"""
MIRROR = """
mirror:
  outcomes:
    express: {labels: {en: Sent by express}, measure: share, types: sales_order, when: {detail.shipping: express}, better: more}
"""
METRICS = """
metrics:
  sent_by_express:
    labels: {en: Sent by express, ru: Срочная отправка}
    perspective: client
    unit: share
    direction: up
    kind: share
    types: sales_order
    sql: |
      SELECT i.client_id, i.occurred_on, i.detail ->> 'shipping' = 'express' AS value
      FROM onefold_v1.fct_interaction AS i
      WHERE i.type = 'sales_order' AND NOT i.is_deleted
  orders_taken:
    labels: {en: Orders taken}
    perspective: enterprise
    unit: count
    direction: up
    kind: total
    types: sales_order
    sql: |
      SELECT i.client_id, i.occurred_on, 1 AS value
      FROM onefold_v1.fct_interaction AS i
      WHERE i.type = 'sales_order' AND NOT i.is_deleted
"""
LINK = re.compile(r'href="/clients/([0-9a-f-]{36})#needs"')
STORY = re.compile(r"/story/(-?\d+)\"")


@pytest.fixture(scope="module")
def console(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """150 clients, some in a hurry and some who ask for advice; one says otherwise than it does."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("segment_pages"), url)
        fill(hub)
        (hub.folder / "config" / "metrics.yaml").write_text(METRICS, encoding="utf-8")
        (hub.folder / "config" / "concerns.yaml").write_text(CONCERNS, encoding="utf-8")
        (hub.folder / "config" / "segments.yaml").write_text(SEGMENTS + MIRROR, encoding="utf-8")
        hub.run()
        with hub.context() as context:
            look_into_mirror(context)
        with open_context(hub.settings) as context:
            add_user(context, "ada", "reader", sees_values=True, password=None, by="test")
            add_user(context, "max", "reader", sees_values=False, password=None, by="test")
            add_user(context, "eve", "steward", sees_values=True, password=None, by="test")
        with served(hub.settings) as address:
            yield Console(hub, address)


def get(browser: httpx.Client, path: str) -> httpx.Response:
    page = browser.get(path)
    assert page.status_code == 200, (path, words_of(page))
    return page


def pages(browser: httpx.Client, path: str) -> Iterator[httpx.Response]:
    """A page and those behind it."""
    page = get(browser, path)
    yield page
    while (further := re.search(r'rel="next" href="([^"]+)"', page.text)) is not None:
        page = get(browser, f"{path.partition('?')[0]}{further[1].replace('&amp;', '&')}")
        yield page


def test_a_clients_page_tells_its_needs_by_what_is_seen_beside_what_is_expected(console: Console) -> None:
    who = console.hub.client_of("erp:customers:C0")
    seen, orders, expected = console.hub.query(
        "SELECT count(*) FILTER (WHERE detail ->> 'shipping' = 'express'), count(*), round((count(*) * (SELECT r.rate"
        " FROM core.need_rate r JOIN core.need_signal s USING (signal_key) WHERE s.code = 'express'))::numeric, 1)"
        f" FROM onefold_v1.fct_interaction WHERE client_id = '{who}' AND type = 'sales_order'"
    )[0]
    with console.signed_in("ada") as browser:
        page = get(browser, f"/clients/{who}")
        told = words_of(page).partition("What it needs")[2].partition("Story")[0]
        assert f"express delivery: {seen} of {orders} against {float(expected):g} expected" in told
        assert "Get it running again before the line stands still." in told
        # Its own word and what it does, apart, and that they differ.
        assert "says the contrary" in told and "seen in what it does" in told
        assert "What it says and what it does differ." in told and "Against said_no said so 1 time" in told
        assert "By need" in told and "Stage" in told
        link = re.search(rf"/clients/{who}/story/-?\d+", page.text.partition('id="needs"')[2])
        assert link is not None and "express" in words_of(get(browser, link[0]))
        printed = get(browser, f"/clients/{who}/print")
        assert "What it needs" in printed.text and "/needs/" not in printed.text
    with console.signed_in("ada", "ru") as browser:
        told = words_of(get(browser, f"/clients/{who}"))
        assert "Что ему нужно" in told and "Срочность" in told and f"{seen} из {orders}" in told
        assert "Слова и дела расходятся." in told


def test_every_dealing_that_proves_a_need_is_led_to_page_by_page(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "PAGE", 4)
    who = console.hub.client_of("erp:customers:C0")
    query = (
        "SELECT e.record_id FROM core.client_need_evidence e JOIN core.need_signal s USING (signal_key)"
        f" WHERE s.need = 'urgency' AND e.client_id = '{who}' ORDER BY 1"
    )
    proven = [record for (record,) in console.hub.query(query)]
    with console.signed_in("ada") as browser:
        found = list(pages(browser, f"/clients/{who}/needs/urgency"))
        assert len(found) > 2 and "Dealings that prove it" in found[0].text
        assert sorted(int(record) for page in found for record in STORY.findall(page.text)) == proven
        for after in ("x", "2026-13-01.1.1", "2026-01-01.99999999999999999999.1", "2026-01-01.9223372036854775808.1"):
            assert browser.get(f"/clients/{who}/needs/urgency?after={after}").status_code == 422, after
        for need in ("urgncy", "%00", "ur%0Agency"):
            assert browser.get(f"/clients/{who}/needs/{need}").status_code == 404, need
        assert browser.get("/clients/00000000-0000-0000-0000-000000000001/needs/urgency").status_code == 404


def test_who_may_not_see_values_reads_how_often_but_no_word_of_anybody(console: Console) -> None:
    who = console.hub.client_of("erp:customers:C0")
    with console.signed_in("max") as browser:
        for path in (f"/clients/{who}", f"/clients/{who}/needs/urgency"):
            page = get(browser, path)
            assert "Urgency" in page.text and "<q>•••</q>" in page.text
            for value in ("лини", "express<", "breakdown", "Имя0", "Фамилия"):
                assert value.casefold() not in page.text.casefold().replace("express delivery", ""), (path, value)
        page = get(browser, "/segments/by_need/clients?segment=urgent")
        assert "И. Ф." in page.text and "Имя" not in page.text
    logged = console.hub.query("SELECT DISTINCT how, fields FROM ops.access_log WHERE who = 'max'")
    assert {("console need", ()), ("console segment", ())} <= {(how, tuple(fields or ())) for how, fields in logged}


def test_segments_have_their_sizes_and_every_client_stands_in_one_list(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "PAGE", 7)
    sizes = dict(console.hub.query(f"SELECT coalesce(segment, ''), count(*) {_OPEN} GROUP BY 1"))
    assert set(sizes) == {"", "urgent", "advised"}
    with console.signed_in("ada") as browser:
        overview = words_of(get(browser, "/segments"))
        assert f"{sizes['urgent']} Urgent {sizes['advised']} Advised {sizes['']} unknown" in overview
        assert "Get it running again before the line stands still." in overview and "about" not in overview
        scheme = words_of(get(browser, "/segments/by_need"))
        assert "Answered within two hours." in scheme and "two are about as probable" in scheme
        assert f"Urgent {sizes['urgent']} " in scheme
        for segment in sizes:
            path = "/segments/by_need/clients" + (f"?segment={segment}" if segment else "")
            listed = [one for page in pages(browser, path) for one in LINK.findall(page.text)]
            of = f"= '{segment}'" if segment else "IS NULL"
            assert listed == [
                row[0]
                for row in console.hub.query(f"SELECT client_id::text {_OPEN} AND segment {of} ORDER BY client_id")
            ]
        shown = console.hub.query(
            "SELECT count(DISTINCT client_id) FROM ops.access_log WHERE who = 'ada' AND how = 'console segment'"
        )
        assert shown == [(sum(sizes.values()),)]
        used = (
            "SELECT count(*) FROM ops.segment_use WHERE who = 'ada' AND how = 'console segment' AND scheme = 'by_need'"
        )
        assert console.hub.query(used)[0][0] >= len(sizes)
        assert "by rule" in words_of(get(browser, "/segments/stage/clients?segment=former"))
        for nothing in ("/segments/nope", "/segments/by_need/clients?segment=nope", "/segments/nope/map"):
            assert browser.get(nothing).status_code == 404
        last = get(browser, "/segments/by_need/clients?segment=urgent&after=ffffffff-ffff-ffff-ffff-ffffffffffff")
        assert "There are no more." in words_of(last)


def test_where_not_all_can_be_counted_figures_say_about(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("LOOKED_AT", 40), ("DOTS", 40)):
        monkeypatch.setattr(segments, name, most)
    real = console.hub.query(f"SELECT count(*) {_OPEN} AND segment IS NULL")[0][0]
    with console.signed_in("ada") as browser:
        # How many are in each segment is noted where it changes; what is told of them is of a sample.
        told = words_of(get(browser, "/segments/by_need"))
        assert f"unknown {real}" in told and "fair sample" in told
        # Where nobody has noted it since an upgrade, that is of a sample too.
        noted = console.hub.query("SELECT scheme, unknown FROM core.segment_scheme")
        console.hub.query("UPDATE core.segment_scheme SET unknown = NULL RETURNING 1")
        (unknown,) = re.findall(r"unknown about (\d+)", words_of(get(browser, "/segments/by_need")))
        assert abs(int(unknown) - real) < 60
        for scheme, number in noted:
            console.hub.query(
                f"UPDATE core.segment_scheme SET unknown = {number} WHERE scheme = '{scheme}' RETURNING 1"
            )
        assert "They are a fair sample of all." in words_of(get(browser, "/segments/by_need/map"))


def test_the_map_names_nobody_and_the_check_says_what_passed(console: Console) -> None:
    with console.signed_in("ada") as browser:
        page = get(browser, "/segments/by_need/map")
        assert not re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-", page.text) and "Имя" not in page.text
        assert page.text.count("<circle") + page.text.count("<rect") > 100
        figures = re.findall(
            r"<tr><td>(Urgent|Advised)</td><td>(\d+)</td><td>([\d.]+)</td><td>([\d.]+)</td>", page.text
        )
        advice = {name: float(first) for name, _, first, _ in figures}
        assert advice["Advised"] > advice["Urgent"] > 0.9
        check = words_of(get(browser, "/segments/by_need/check"))
        assert "It has passed, and is served." in check and check.count("✓ passes") == 5 and "✗" not in check
        assert "nothing to check" in words_of(get(browser, "/segments/stage/check"))
        # One that has failed says why, and shows nobody.
        console.hub.query(
            'UPDATE core.segment_scheme SET is_served = false, figures = figures || \'{"volume": 0.5, "passes": false}\''
            " WHERE scheme = 'by_need' RETURNING 1"
        )
        try:
            check = words_of(get(browser, "/segments/by_need/check"))
            assert "It has not passed, and nobody is shown by it." in check and check.count("✗ does not pass") == 1
            assert "It has not passed its check" in words_of(get(browser, "/segments"))
        finally:
            console.hub.query(
                'UPDATE core.segment_scheme SET is_served = true, figures = figures || \'{"volume": 0.01, "passes": true}\''
                " WHERE scheme = 'by_need' RETURNING 1"
            )


def test_a_concern_leads_from_home_to_the_rows_that_prove_it_until_somebody_takes_note(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concerns, "PAGE", 100)
    proven = console.hub.query("SELECT client_id::text, record_id FROM core.concern_row WHERE concern = 'busy'")
    clients = {client for client, _ in proven}
    with console.signed_in("ada") as browser:
        assert 'href="/concerns/busy"' in get(browser, "/").text
        assert f"raised {len(clients)} 3" in words_of(get(browser, "/concerns"))
        found = list(pages(browser, "/concerns/busy"))
        assert len(found) > 1 and "service@example.com" in found[0].text and "Take note" not in found[0].text
        shown = {int(record) for page in found for record in STORY.findall(page.text)}
        assert shown == {record for _, record in proven}
        logged = "SELECT DISTINCT client_id::text FROM ops.access_log WHERE who = 'ada' AND how = 'console concern'"
        assert {row[0] for row in console.hub.query(logged)} == clients
        assert "It is among what worries: Who orders very often?" in words_of(get(browser, f"/clients/{min(clients)}"))
        assert browser.get("/concerns/nope").status_code == 404
    with console.signed_in("max") as browser:
        masked = get(browser, "/concerns/busy")
        assert "И. Ф." in masked.text and "Имя" not in masked.text and "Насос" not in masked.text
    with console.signed_in("eve") as browser:
        page = get(browser, "/concerns/busy")
        sent = {"key": key_of(page), "reason": ""}
        assert browser.post("/concerns/busy/acknowledge", data=sent).status_code == 422
        done = browser.post("/concerns/busy/acknowledge", data={**sent, "reason": "Each has a keeper now."})
        assert "noted by eve" in words_of(done) and "Each has a keeper now." in done.text
        assert 'href="/concerns/busy"' not in get(browser, "/").text
    with console.signed_in("max") as browser:
        assert "keeper" not in get(browser, "/concerns/busy").text


def test_the_mirror_looks_once_a_week_and_home_tells_what_is_kept_no_longer(console: Console) -> None:
    place = "scheme = 'by_need' AND segment = 'urgent' AND outcome = 'express'"
    former = f"SELECT verdict, former_verdict FROM core.segment_mirror WHERE {place}"
    verdict = console.hub.query(former)[0][0]
    with console.hub.context() as context:
        assert look_weekly(context) is None, "it was looked at in this week"
    console.hub.query(f"UPDATE core.segment_mirror SET verdict = 'as_promised' WHERE {place} RETURNING 1")
    later = copy(console.hub)
    later.ticks += 8 * 86_400
    with later.context() as context:
        assert look_weekly(context) is not None and look_weekly(context) is None
    assert console.hub.query(former) == [(verdict, "as_promised")] and verdict != "as_promised"
    with console.signed_in("ada") as browser:
        heading = "Promised to segments, and served like everyone by now"
        assert heading not in get(browser, "/").text
        console.hub.query(f"UPDATE core.segment_mirror SET verdict = 'decorative' WHERE {place} RETURNING 1")
        told = get(browser, "/").text.partition(heading)[2]
        assert 'href="/segments/by_need/mirror"' in told and "Sent by express" in told
    console.hub.query(
        f"UPDATE core.segment_mirror SET verdict = '{verdict}', former_verdict = NULL WHERE {place} RETURNING 1"
    )


def test_a_page_tells_the_company_as_the_client_sees_it(console: Console) -> None:
    who = console.hub.client_of("erp:customers:C0")
    dealings = console.hub.query(f"SELECT count(*) FROM onefold_v1.fct_interaction WHERE client_id = '{who}'")[0][0]
    with console.signed_in("ada") as browser:
        page = get(browser, f"/clients/{who}/as-client")
        assert f"{dealings} dealings" in words_of(page) and "of promises kept" in words_of(page)
        assert f'href="/clients/{who}/as-client"' in get(browser, f"/clients/{who}").text
    with console.signed_in("max", "ru") as browser:
        page = get(browser, f"/clients/{who}/as-client")
        assert "Как нас видит клиент" in page.text and "Имя0" not in page.text
    logged = "SELECT DISTINCT who, fields FROM ops.access_log WHERE how = 'console as-client' ORDER BY who"
    assert console.hub.query(logged) == [("ada", None), ("max", [])]


def test_the_mirror_says_who_is_treated_differently_beside_what_was_promised(console: Console) -> None:
    verdict = console.hub.query(
        "SELECT verdict FROM onefold_v1.segment_mirror WHERE segment = 'urgent' AND outcome = 'express'"
    )
    assert verdict == [("without_policy",)]
    with console.signed_in("max") as browser:
        page = get(browser, "/segments/by_need/mirror")
        told = words_of(page)
        assert "treated differently without a policy" in told and "Sent by express share" in told
        assert "<circle" in page.text
    with console.signed_in("max", "ru") as browser:
        assert "обходятся иначе без обещания" in words_of(get(browser, "/segments/by_need/mirror"))


def test_metrics_of_both_sides_stand_next_to_each_other_with_intervals_and_samples(console: Console) -> None:
    value, low, high, observations, clients = console.hub.query(
        "SELECT value, low, high, observations, clients FROM onefold_v1.metric_value"
        " WHERE metric = 'sent_by_express' AND scope = 'hub'"
    )[0]
    shares = (
        rf"Sent by express .{{0,80}}{100 * value:.1f}% {100 * low:.1f}% – {100 * high:.1f}% {observations:,} {clients}"
    )
    with console.signed_in("max") as browser:
        page = get(browser, "/measures")
        told = words_of(page)
        assert re.search(shares.replace(".0%", r"(?:\.0)?%"), told), told
        ours = told.index("As the company counts it", told.index("As clients live it", told.index("Show")))
        assert told.index("Sent by express", told.index("Show")) < ours < told.index("Orders taken", ours)
        assert "not available: No source gives delivery." in told and "<circle" in page.text
        assert "All of these are told from the company's side" not in told
        one_sided = words_of(get(browser, "/measures?only=orders_taken"))
        assert "All of these are told from the company's side" in one_sided and "None of these is chosen." in one_sided
        one = words_of(get(browser, "/measures/sent_by_express"))
        assert "fct_interaction" in one and "By segment" in one and "Urgent" in one and "Month by month" in one
        assert "more is better" in one and "as clients live it" in one
        assert "No source gives delivery." in words_of(get(browser, "/measures/waiting_time"))
        assert browser.get("/measures/nope").status_code == 404
        assert browser.get("/measures?only=nope").status_code == 422
        who = console.hub.client_of("erp:customers:C0")
        assert "Measured of it, beside all clients" in words_of(get(browser, f"/clients/{who}/as-client"))
    with console.signed_in("max", "ru") as browser:
        told = words_of(get(browser, "/measures?only=orders_taken"))
        assert "со стороны компании" in told and "Возвращает ли это клиентов?" in told


def test_who_used_a_scheme_is_told_to_stewards_and_who_neglects_it_to_all(console: Console) -> None:
    with console.signed_in("ada") as browser:
        for path in ("/segments/by_need/clients?segment=urgent", "/segments/stage/clients?segment=former"):
            get(browser, path)
        assert "Who used it last" not in get(browser, "/segments/by_need").text
    with console.signed_in("eve") as browser:
        assert "ada console segment answering calls urgent" in words_of(get(browser, "/segments/by_need"))
        assert "Nobody has used it" not in get(browser, "/segments").text
    console.hub.query("UPDATE core.segment_scheme SET review_on = '2026-02-01' WHERE scheme = 'by_need' RETURNING 1")
    try:
        with console.signed_in("max", "ru") as browser:
            assert "Пересмотреть её надо было" in get(browser, "/segments").text
    finally:
        console.hub.query("UPDATE core.segment_scheme SET review_on = NULL WHERE scheme = 'by_need' RETURNING 1")


def test_a_hub_without_needs_says_what_to_write(server_url: str, template: str, tmp_path: Path) -> None:
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path, url)
        with open_context(hub.settings) as context:
            add_user(context, "ada", "reader", sees_values=True, password=None, by="test")
        with served(hub.settings) as address, Console(hub, address).signed_in("ada") as browser:
            told = words_of(get(browser, "/segments"))
            assert "write config/segments.yaml" in told and "write config/needs.yaml" in told
            assert "write config/concerns.yaml" in words_of(get(browser, "/concerns"))
            assert "once there is a config/metrics.yaml" in words_of(get(browser, "/measures"))


@pytest.mark.searches
def test_pages_of_needs_and_segments_keep_nobody_out_and_fit_a_phone(console: Console) -> None:
    who = console.hub.client_of("erp:customers:C0")
    paths = ["/segments", *(f"/segments/by_need{part}" for part in ("", "/map", "/mirror", "/check", "/clients?segment=urgent")),
             "/segments/stage", "/measures", "/measures?only=orders_taken", "/measures/sent_by_express", "/concerns", "/concerns/busy", f"/clients/{who}/as-client", f"/clients/{who}/as-client?limit=1", f"/clients/{who}", f"/clients/{who}/needs/urgency"]  # fmt: skip
    found = []
    cookie = session_of(console.hub.database_url, "ada", "test")
    with chromium() as browser:
        looks = ((DESK, "light", "en"), (PHONE, "dark", "ru"), (DESK, "dark", "ru"), (PHONE, "light", "en"))
        for size, scheme, language in looks:
            look = {"size": size, "color_scheme": scheme, "locale": language}
            folder = PICTURES / f"{size[0]}-{scheme}-{language}"
            folder.mkdir(parents=True, exist_ok=True)
            with Looking(browser, console.address, cookie, **look) as looking:
                page = looking.page("/")
                for path in paths:
                    page.goto(path)
                    told = [f"policy: {one}" for one in refused(page)] + barriers(page)
                    if (over := width_over(page)) > 0:
                        told.append(f"{over} pixels wider than the window")
                    if (said := page.evaluate("document.documentElement.lang")) != language:
                        told.append(f"it speaks {said}")
                    found += [f"{path}, {scheme}, {size[0]}, {language}: {one}" for one in told]
                    name = re.sub(r"[^a-z]+", "-", path.replace(who, "")).strip("-")
                    page.screenshot(path=folder / f"segments-{name}.png", full_page=True)
                assert looking.wrong == []
    assert found == []

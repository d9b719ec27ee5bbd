"""What people try: markup in every imported field, forged hosts and addresses, endless bodies, and looking unseen."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote_plus, urlencode

import httpx
import pytest

from tests.support import database as databases
from tests.support.console_hub import FORMULA, HOSTILE, LONG, MANY, MARKUP, Place, console_hub
from tests.support.drills import examples
from tests.support.served import asking, token
from tests.support.walking import Seen, Visit

SAID = {
    "Чайковск": "crm:contacts:1", "petr@example.ru": "crm:contacts:1", "anna.kern@example.ru": "crm:contacts:2",
    "Tolstoy": "crm:contacts:3", "lev@example.org": "crm:contacts:3", "9035550404": "crm:contacts:m0",
    MANY: "crm:contacts:m0", "Одинцова": "crm:contacts:t0a", "long.name@example.ru": "crm:contacts:l1",
    "evil@example.org": f"crm:contacts:h1{HOSTILE}",
}  # fmt: skip
"""What stands in one person's records only -> one of these records."""
STARTS = (
    "/",
    *(f"/clients?{urlencode({'query': one})}" for one in ("Злой", LONG, MANY, "Ромашка", "Чайковский", "Керн")),
)


@pytest.fixture(scope="module")
def place(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with databases.database(server_url, template) as url, console_hub(tmp_path_factory.mktemp("hostile"), url) as one:
        yield one


def text_of(answer: httpx.Response) -> str:
    """Everything that an answer says, also inside a workbook."""
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            return unescape(" ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()))
    return unescape(answer.text)


def told(seen: Seen) -> set[str]:
    """Whose personal data an answer shows that was not in the question."""
    text = text_of(seen.answer)
    return {one for one in SAID if one in text and one not in unquote_plus(seen.path)}


class Markup(HTMLParser):
    """Everything of a page that a browser would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (
                name.startswith("on")
                or name == "style"
                or (value or "").strip().lower().startswith(("javascript:", "data:"))
            ):
                self.runs.append(f"{tag} {name}={value}")
        if tag in ("iframe", "object", "embed", "base", "style") or (tag == "meta" and dict(attrs).get("http-equiv")):
            self.runs.append(tag)
        if tag == "script" and not str(dict(attrs).get("src", "")).startswith("/static/"):
            self.runs.append("script")


def logged(place: Place, after: int) -> list[tuple[int, str, str, str | None, str | None, list[str] | None]]:
    """What the access log has since."""
    return place.hub.query(
        "SELECT access_id, who, how, purpose, client_id::text, fields FROM ops.access_log WHERE access_id > %s ORDER BY 1",
        (after,),
    )  # type: ignore[return-value]


@pytest.mark.searches
def test_whoever_is_shown_stands_in_the_access_log_whichever_page_shows_them(place: Place) -> None:
    """And markup of any field stays text on every page, no page is kept by a browser, and no workbook holds a formula."""
    clients = {text: place.hub.client_of(record) for text, record in SAID.items()}
    shown, is_hostile_shown = set[str](), False
    with place.visitor("adm") as visitor:
        visit, at = Visit(visitor, most_of_a_kind=examples(2, 3)), max((row[0] for row in logged(place, 0)), default=0)
        for seen in visit.walk(STARTS):
            assert seen.answer.status_code == 200, seen.path
            rows = logged(place, at)
            at = rows[-1][0] if rows else at
            for text in told(seen):
                of = [row for row in rows if row[4] == clients[text]]
                assert of, f"{seen.path} shows {text} and writes nothing down about it: {rows}"
                assert all(row[1] == "adm" and row[2].startswith("console ") and row[3] for row in of), of
                assert any(row[5] is None for row in of), f"{seen.path}: all attributes were shown"
                shown.add(seen.kind)
            headers = seen.answer.headers
            assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff", seen.path
            assert (
                headers["referrer-policy"] == "no-referrer"
                and "frame-ancestors 'none'" in headers["content-security-policy"]
            )
            if seen.is_page:
                assert "unsafe" not in headers["content-security-policy"] and Markup(seen.answer.text).runs == [], (
                    seen.path
                )
                words = text_of(seen.answer)
                is_hostile_shown |= MARKUP in words
                assert MARKUP not in words or "{{7*7}}" in words, f"{seen.path}: what stands in data is no template"
            elif seen.answer.content.startswith(b"PK"):
                assert "<f>" not in text_of(seen.answer), f"{seen.path}: a formula"
            elif "csv" in headers["content-type"]:
                assert not re.search(r'(^|[,;\n])"?[=+@]', seen.answer.text), f"{seen.path}: a formula"
    assert len(shown) >= 3 and is_hostile_shown and FORMULA


@pytest.mark.searches
@pytest.mark.parametrize("login", ["amy", "eve", "ron"])
def test_who_may_not_see_values_sees_none_on_any_page(place: Place, login: str) -> None:
    with place.visitor(login) as visitor:
        at, pages = max((row[0] for row in logged(place, 0)), default=0), 0
        for seen in Visit(visitor, most_of_a_kind=examples(1, 3)).walk(STARTS):
            assert seen.answer.status_code in (200, 403), seen.path
            assert told(seen) == set(), f"{seen.path} shows {login} {told(seen)}"
            pages += seen.answer.status_code == 200
        rows = logged(place, at)
    assert pages >= 3 and rows and all(row[1] == login and row[5] is not None for row in rows)


def test_programs_without_the_right_see_no_value_and_every_call_is_written_down(place: Place) -> None:
    """Whatever the API answers about people: as pages, by the same list."""
    clients = {text: place.hub.client_of(record) for text, record in SAID.items()}
    scopes = ("clients", "cases", "match", "changes")
    paths = ["/v1/cases?limit=100", "/v1/changes?after=0"]
    for client in sorted(set(clients.values())):
        paths += [
            f"/v1/clients?query={client}",
            *(f"/v1/clients/{client}{end}" for end in ("", "/interactions", "/explain")),
        ]
    with (
        asking(place.address, token(place.hub.settings, "sees", (*scopes, "values"))) as sees,
        asking(place.address, token(place.hub.settings, "masked", scopes)) as masked,
    ):
        at = max((row[0] for row in logged(place, 0)), default=0)
        for path in paths:
            for name, program in (("sees", sees), ("masked", masked)):
                seen = Seen(path, path, program.get(path))
                assert seen.answer.status_code == 200 and seen.answer.headers["cache-control"] == "no-store"
                rows = logged(place, at)
                at = rows[-1][0] if rows else at
                if name == "masked":
                    assert told(seen) == set(), path
                for text in told(seen):
                    of = [row for row in rows if row[4] == clients[text]]
                    assert of and all(row[1] == "token:sees" and row[3] == "tests of sees" for row in of), (path, text)
        for program in (sees, masked):
            found = program.post("/v1/match", json={"kind": "person", "attributes": {"email": MANY}}).json()["matches"]
            assert found and ("Многозаписева" in str(found)) is (program is sees)
            last = logged(place, at)[-1]
            assert last[4] == clients[MANY] and last[2] == "api match"


def test_the_host_that_a_request_names_leads_nobody_away(place: Place) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    with place.visitor(None) as nobody, place.visitor("adm") as admin:
        for visitor in (nobody, admin):
            visitor.follow_redirects = False
            for path in ("/", "/clients/", "/cases/next", "/sign-in/", "//evil.example/", "/v1/clients/", "/language"):
                answer = visitor.get(path, headers=forged)
                assert "evil.example" not in answer.headers.get("location", "").partition("?to=")[0], path
                assert "evil.example" not in answer.text.replace("//evil.example/", ""), path


def test_no_header_is_split_by_what_a_request_says(place: Place) -> None:
    split = "x\r\nSet-Cookie: owned=1\r\n\r\n<script>"
    with place.visitor("adm") as admin:
        admin.follow_redirects = False
        key = re.search(r'name="key" value="([0-9a-f]+)"', admin.get("/").text)
        assert key is not None
        answers = [
            admin.post("/language", data={"key": key[1], "language": split, "back": "/" + split}),
            admin.post("/sign-in", data={"login": "adm", "password": "x", "to": "/" + split}),
            admin.get("/sign-in", params={"to": "/" + split}),
            admin.get("/clients", params={"query": split}),
            admin.get("/cases/next", params={"done": "1." + split[:20]}),
            admin.get("/" + split.replace("\r\n", "%0d%0a").replace(" ", "%20")),
        ]
    for answer in answers:
        assert "owned" not in str(answer.headers.get("set-cookie")), answer.url
        assert "\n" not in answer.headers.get("location", ""), answer.url


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site_by_a_form(place: Place, back: str) -> None:
    with place.visitor("adm") as admin:
        admin.follow_redirects = False
        key = re.search(r'name="key" value="([0-9a-f]+)"', admin.get("/").text)
        assert key is not None
        answer = admin.post("/language", data={"key": key[1], "language": "en", "back": back})
    assert answer.status_code == 303 and answer.headers["location"] == "/"


def test_no_form_is_read_to_its_end_whatever_its_length(place: Place) -> None:
    with place.visitor(None) as nobody:
        long = nobody.post("/sign-in", data={"login": "adm", "password": "x" * (2 << 20)})
        many = nobody.post("/sign-in", data={f"a{number}": "1" for number in range(3000)})
        file = nobody.post("/sign-in", files={"login": ("a", b"x" * (2 << 20))})
    assert long.status_code == 413 and file.status_code == 413 and many.status_code in (400, 422)
    assert long.headers["content-type"].startswith("text/html")


def test_a_form_that_another_site_sends_is_refused_also_where_nobody_is_signed_in(place: Place) -> None:
    with place.visitor(None) as nobody:
        for site in ("cross-site", "same-site"):
            answer = nobody.post("/sign-in", data={"login": "adm", "password": "x"}, headers={"Sec-Fetch-Site": site})
            assert answer.status_code == 403 and "does not come from a page of this site" in answer.text
        assert nobody.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_over_tls_the_cookie_is_bound_to_this_host_and_the_browser_told_to_stay_there(place: Place) -> None:
    tls = {"X-Forwarded-Proto": "https"}  # uvicorn believes who sits on loopback, as it does the proxy of `--proxy`
    from onefold.context import open_context
    from onefold.steps.accounts import add_user

    with open_context(place.hub.settings) as context:
        add_user(context, "tls", "reader", sees_values=False, password="correct horse battery", by="test")
    with httpx.Client(base_url=place.address, timeout=60, headers=tls) as browser:
        browser.cookies.set("onefold_session", "chosen by somebody else")
        answer = browser.post("/sign-in", data={"login": "tls", "password": "correct horse battery"})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-onefold_session=") and "chosen" not in cookie
        for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert part in cookie, part
        assert "Domain" not in cookie and answer.headers["strict-transport-security"].startswith("max-age=31536000")
        secret = cookie.partition("=")[2].partition(";")[0]
        inside = browser.get("/", headers={"Cookie": f"__Host-onefold_session={secret}"})
        assert inside.status_code == 200
        assert browser.get("/", headers={"Cookie": f"onefold_session={secret}"}).status_code == 303, (
            "by its own name only"
        )


def test_other_ways_of_asking_are_not_known(place: Place) -> None:
    with place.visitor("adm") as admin:
        for method in ("TRACE", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = admin.request(method, "/clients", headers={"X-HTTP-Method-Override": "GET"})
            assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers
        answer = admin.get("/v1/openapi.json", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers


def test_a_search_of_programs_is_data_and_never_sql(place: Place) -> None:
    with asking(place.address, token(place.hub.settings, "sql", ("clients", "match", "cases"))) as program:
        for text in (
            "'; DROP TABLE core.client; --",
            "%%",
            "__",
            "\\\\",
            "a' OR '1'='1",
            "x\x00y",
            "$$;SELECT 1",
            "' UNION SELECT",
        ):
            assert program.get("/v1/clients", params={"query": text}).status_code in (200, 422), text
            assert program.get("/v1/cases", params={"kind": text}).status_code in (200, 422), text
            asked = {"kind": "person", "attributes": {"full_name": text, "email": text}}
            assert program.post("/v1/match", json=asked).status_code in (200, 422), text
    assert place.hub.query("SELECT count(*) > 10 FROM core.client") == [(True,)]

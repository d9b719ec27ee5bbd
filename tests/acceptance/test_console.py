"""The console over HTTP, as a browser without scripts sees it: who gets in, what they see, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import httpx
import pytest

from onefold.context import open_context
from onefold.steps.accounts import add_user, change_user, sign_in_link
from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.cli import onefold
from tests.support.hub import Hub
from tests.support.served import served, session_of

PASSWORD = "correct horse battery"
HOSTILE = '<script>alert("x")</script> О\'Нил'


class Console:
    """A served hub and the browsers that look at it."""

    def __init__(self, hub: Hub, address: str) -> None:
        self.hub, self.address = hub, address

    def browser(self, language: str = "en") -> httpx.Client:
        """One that nobody is signed in with; it follows where it is led."""
        headers = {"Accept-Language": language}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60, follow_redirects=True)

    @contextmanager
    def signed_in(self, login: str, language: str = "en") -> Iterator[httpx.Client]:
        """A browser of this person."""
        with self.browser(language) as browser:
            browser.cookies.set("onefold_session", session_of(self.hub.database_url, login, "answering calls"))
            yield browser

    def sign_in(self, browser: httpx.Client, login: str, password: str, to: str = "/") -> httpx.Response:
        """What the door answers."""
        said = {"login": login, "password": password, "purpose": "answering calls", "to": to}
        return browser.post("/sign-in", data=said)


def key_of(page: httpx.Response) -> str:
    """What the forms of a page hold, so that they are known for ours."""
    found = re.search(r'name="key" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


def words_of(page: httpx.Response) -> str:
    """The text of a page, as people read it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture(scope="module")
def console(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A hub that has run and is served, with two people who may sign in; a client has a hostile name."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("console"), url)
        fill(hub)
        hub.registers["crm_contacts"].append(
            {"id": "9", "first": HOSTILE, "last": "Злой", "emails": "evil@example.org"}
        )
        hub.write("crm_contacts")
        hub.run()
        with open_context(hub.settings) as context:
            add_user(context, "ada", "steward", sees_values=True, password=PASSWORD, by="test")
            add_user(context, "max", "reader", sees_values=False, password=PASSWORD, by="test")
        with served(hub.settings) as address:
            yield Console(hub, address)


def client_page(browser: httpx.Client, text: str) -> httpx.Response:
    """The page of the first client that a search finds."""
    found = browser.get("/clients", params={"query": text})
    if found.url.path != "/clients":
        return found  # exactly one client's
    link = re.search(r'href="(/clients/[0-9a-f-]{36})"', found.text)
    assert link is not None, words_of(found)
    return browser.get(link[1])


def test_who_is_not_signed_in_is_led_to_the_door_and_from_there_to_where_they_wanted(console: Console) -> None:
    with console.browser() as browser:
        door = browser.get("/clients", params={"query": "Керн"})
        assert door.url.path == "/sign-in" and "Керн" not in words_of(door)
        to = re.search(r'name="to" value="([^"]+)"', door.text)
        assert to is not None
        inside = console.sign_in(browser, "ADA", PASSWORD, unescape(to[1]))
        assert inside.url.path == "/clients" and "Керн" in words_of(inside)
    with console.browser() as browser:
        door = browser.get("/clients?query=Anna+Kern")
        to = re.search(r'name="to" value="([^"]+)"', door.text)
        assert to is not None
        inside = console.sign_in(browser, "ada", PASSWORD, unescape(to[1]))
        assert inside.url.params["query"] == "Anna Kern"


def test_a_client_is_shown_with_the_source_of_every_value_and_its_story(console: Console) -> None:
    with console.signed_in("ada") as browser:
        words = words_of(client_page(browser, "Ромашка"))
    for told in ("7707083893", "crm:companies:10", "erp:customers:C1", "SO-1", "директор", "Sales order"):
        assert told in words, told


def test_the_console_speaks_russian_to_who_asks_for_it_and_keeps_what_is_chosen(console: Console) -> None:
    with console.signed_in("ada", "ru-RU,ru;q=0.9,en;q=0.5") as browser:
        home = browser.get("/")
        assert 'lang="ru"' in home.text and "Что требует внимания" in words_of(home)
        assert re.search(r"\d+ (клиент|клиента|клиентов)", words_of(home))
        chosen = browser.post("/language", data={"key": key_of(home), "language": "en", "back": "/clients"})
        assert chosen.url.path == "/clients" and 'lang="en"' in chosen.text
        assert 'lang="en"' in browser.get("/").text


def test_every_word_of_the_pages_has_its_russian(console: Console) -> None:
    from babel.messages.extract import extract_from_dir

    import onefold.web.console as package
    from onefold.web.console.render import translations

    folder = next(iter(package.__path__)) + "/templates"
    said = {message for _, _, message, _, _ in extract_from_dir(folder, [("**.html", "jinja2")])}
    russian = translations("ru")
    missing = set()
    for message in said:
        one, many = message if isinstance(message, tuple) else (message, None)
        told = russian.gettext(one) if many is None else russian.ngettext(one, many, 5)
        if told in (one, many):
            missing.add(one)
    assert len(said) > 40 and missing == set()


def test_who_may_not_see_values_is_shown_masks_also_in_the_source_of_the_page(console: Console) -> None:
    with console.signed_in("max") as browser:
        pages = [client_page(browser, "Керн"), browser.get("/clients", params={"query": "anna.kern"})]
    assert "А. К." in words_of(pages[0]) or "К. А." in words_of(pages[0])
    for page in pages:
        for value in ("Анна", "9035550202", "1990"):
            assert value not in page.text, value


def test_the_access_log_says_who_looked_and_what_for(console: Console) -> None:
    with console.signed_in("max") as browser:
        client_page(browser, "anna.kern@example.ru")
    last = console.hub.query("SELECT who, how, purpose FROM ops.access_log ORDER BY access_id DESC LIMIT 2")
    assert last == [("max", "console client", "answering calls"), ("max", "console find", "answering calls")]


def test_a_name_with_a_script_in_it_stays_a_name(console: Console) -> None:
    with console.signed_in("ada") as browser:
        pages = [
            client_page(browser, "Злой"),
            browser.get("/clients", params={"query": "Злой"}),
            browser.get("/clients", params={"query": '"><script>alert(1)</script>'}),
            browser.get("/<script>alert(1)</script>"),
            browser.get("/sign-in", params={"to": '/"><script>alert(1)</script>'}),
        ]
    assert "alert" in words_of(pages[0])
    for page in pages:
        assert "<script>alert" not in page.text
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy


@pytest.mark.parametrize("department", ["<b>x</b>", "50%", "%(a)s", "", '<meta http-equiv="refresh" content="0">'])
def test_what_a_link_says_is_neither_markup_nor_a_format(console: Console, department: str) -> None:
    with console.signed_in("ada") as browser:
        shown = client_page(browser, "Ромашка")
        page = browser.get(str(shown.url), params={"department": department})
        real = browser.get(str(shown.url), params={"department": "sales"})
    assert page.status_code in (200, 404) and "<b>x" not in page.text and "refresh" not in page.text
    assert real.status_code == 200 and "crm:deals:D1" in words_of(real)


def test_words_of_data_are_never_taken_for_markup() -> None:
    from onefold.web.console.render import _environment

    for language in ("en", "ru"):
        shown = _environment(language).from_string("{{ x|word }}")
        assert shown.render(x="<b>50% %(a)s</b>") == "&lt;b&gt;50% %(a)s&lt;/b&gt;"
        assert shown.render(x="") == shown.render(x=None) == ""
    assert _environment("en").from_string("{{ x|word }}").render(x="left_over") == "left over"
    assert _environment("ru").from_string("{{ x|word }}").render(x="person") == "физическое лицо"


def test_a_search_is_data_and_never_sql(console: Console) -> None:
    with console.signed_in("ada") as browser:
        for text in ("'; DROP TABLE core.client; --", "%", "_", "\\", "a' OR '1'='1", "\x00x", "{{ 7*7 }}"):
            page = browser.get("/clients", params={"query": text})
            assert page.status_code == 200 and "49" not in words_of(page)


def test_a_wrong_login_and_a_wrong_password_are_answered_alike_and_not_for_ever(console: Console) -> None:
    with open_context(console.hub.settings) as context:
        add_user(context, "eve", "reader", sees_values=False, password=PASSWORD, by="test")
    with console.browser() as browser:
        wrong = console.sign_in(browser, "eve", "wrong password!")
        nobody = console.sign_in(browser, "nobody", "wrong password!")
        assert (wrong.status_code, nobody.status_code) == (403, 403)
        assert words_of(wrong) == words_of(nobody)
        for _ in range(9):
            console.sign_in(browser, "eve", "wrong password!")
        assert console.sign_in(browser, "eve", PASSWORD).status_code == 429
    # The tests that follow come from the same address.
    console.hub.query("DELETE FROM ops.sign_in_failure RETURNING 1")


def test_a_form_from_elsewhere_does_nothing(console: Console) -> None:
    with console.signed_in("ada") as browser:
        for key in ("", "0" * 64):
            assert browser.post("/sign-out", data={"key": key}).status_code == 403
        home = browser.get("/")
        assert home.url.path == "/"
        with console.signed_in("max") as other:
            assert browser.post("/sign-out", data={"key": key_of(other.get("/"))}).status_code == 403


def test_a_session_is_over_when_it_is_signed_out_of_wherever_its_cookie_went(console: Console) -> None:
    with console.signed_in("ada") as browser, console.browser() as thief:
        thief.cookies.set("onefold_session", browser.cookies["onefold_session"])
        assert thief.get("/").url.path == "/"
        browser.post("/sign-out", data={"key": key_of(browser.get("/"))})
        assert thief.get("/").url.path == "/sign-in"


def test_a_new_password_another_role_or_being_let_go_ends_every_session(console: Console) -> None:
    with open_context(console.hub.settings) as context:
        add_user(context, "bob", "reader", sees_values=False, password=PASSWORD, by="test")
        for change in ({"password": PASSWORD}, {"role": "steward"}, {"sees_values": True}, {"is_active": False}):
            nothing = {"role": None, "sees_values": None, "password": None, "is_active": None}
            with console.signed_in("bob") as browser:
                link = sign_in_link(context, "bob", by="test", valid_for=timedelta(minutes=1))
                change_user(context, "bob", **{**nothing, **change})  # type: ignore[arg-type]
                assert browser.get("/").url.path == "/sign-in", change
                assert browser.get(link).status_code == 403, "a link of before is no way around it"
    with console.browser() as browser:
        assert console.sign_in(browser, "bob", PASSWORD).status_code == 403


def test_a_link_signs_in_once(console: Console) -> None:
    with open_context(console.hub.settings) as context:
        link = sign_in_link(context, "ada", by="test", valid_for=timedelta(minutes=1))
        over = sign_in_link(context, "ada", by="test", valid_for=timedelta(seconds=-1))
    with console.browser() as browser, console.browser() as late:
        assert browser.get(link).url.path == "/"
        for again in (link, over, "/sign-in/guessed"):
            door = late.get(again)
            assert door.status_code == 403 and "was used already, or is over" in words_of(door)
        assert console.sign_in(late, "ada", PASSWORD).url.path == "/"


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(console: Console) -> None:
    with console.browser() as browser:
        browser.follow_redirects = False
        cookie = console.sign_in(browser, "ada", PASSWORD).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and PASSWORD not in cookie
    secret = cookie.split("=", 1)[1].split(";")[0]
    assert secret not in str(console.hub.query("SELECT * FROM ops.session"))


@pytest.mark.parametrize(
    "to",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil", "http://[", "//["],
)
def test_nobody_is_led_to_another_site(console: Console, to: str) -> None:
    with console.browser() as browser:
        browser.follow_redirects = False
        answer = console.sign_in(browser, "ada", PASSWORD, to)
    assert answer.status_code == 303 and answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2f..%2fapp.py", "/static/pages.py", "/static//etc/passwd"]
)
def test_no_other_file_is_read(console: Console, path: str) -> None:
    with console.signed_in("ada") as browser:
        answer = browser.get(path)
    assert answer.status_code == 404 and "import" not in answer.text


def test_users_are_made_on_the_command_line(filled_hub: Hub) -> None:
    short = onefold(*filled_hub.place, "user", "add", "kim", "--password-stdin", stdin="short\n")
    assert short.code == 2 and "12 to 200" in short.err
    made = onefold(
        *filled_hub.place,
        "user",
        "add",
        "kim",
        "--role",
        "steward",
        "--values",
        "--password-stdin",
        stdin=PASSWORD + "\n",
    )
    assert made.code == 0, made.said
    assert onefold(*filled_hub.place, "user", "add", "KIM", "--password-stdin", stdin=PASSWORD + "\n").code == 2
    assert onefold(*filled_hub.place, "user", "change", "kim", "--role", "king").code == 2
    assert onefold(*filled_hub.place, "user", "change", "kim", "--masked").code == 0
    listed = onefold(*filled_hub.place, "--json", "user", "list").json
    assert [(one["login"], one["role"], one["sees_values"]) for one in listed] == [("kim", "steward", False)]
    link = onefold(*filled_hub.place, "--json", "user", "link", "kim", "--address", "https://hub.example/").json["link"]
    assert link.startswith("https://hub.example/sign-in/")
    assert onefold(*filled_hub.place, "user", "link", "nobody").code == 4

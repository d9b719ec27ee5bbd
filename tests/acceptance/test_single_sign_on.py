"""Signing in by the company's own sign-in, against a provider of OpenID Connect that runs here."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import oidc_provider_mock
import pytest
from werkzeug.serving import make_server

from onefold.configuration.hub import SingleSignOn
from onefold.context import open_context
from onefold.steps import passwords
from onefold.steps.accounts import add_user, change_user, sign_in_link
from onefold.web.console import single
from tests.support import database as databases
from tests.support.console_hub import people
from tests.support.hub import Hub
from tests.support.served import served

if TYPE_CHECKING:
    from onefold.web.oidc import Provider as Asked

# Of the provider's library, about what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")
PEOPLE = {
    "ada": {"email": "ada@example.org", "email_verified": True, "groups": ["stewards", "staff"]},
    "new": {"email": "new@example.org", "email_verified": True, "groups": ["staff"]},
    "boss": {"email": "boss@example.org", "email_verified": True, "groups": ["stewards", "hub admins"]},
    "unverified": {"email": "ada@example.org", "email_verified": False, "groups": ["hub admins"]},
    "stranger": {"email": "stranger@example.org", "email_verified": True, "groups": ["sales"]},
}


class Provider:
    """The provider, which demands PKCE; `spoils` changes what it answers with a token."""

    def __init__(self) -> None:
        self.challenges: list[str] = []
        self.spoils: Any = None
        # What a real one is asked to tell of everybody: the library tells of a scope what the standard says.
        users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
        self.app = oidc_provider_mock.app(user_claims=users, require_nonce=True)
        self.app.before_request(self._demands_pkce)
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def _demands_pkce(self) -> flask.Response | None:
        if flask.request.path == "/oauth2/authorize":
            assert flask.request.args["code_challenge_method"] == "S256"
            self.challenges.append(flask.request.args["code_challenge"])
        if flask.request.path == "/oauth2/token":
            sent = hashlib.sha256(flask.request.form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(sent).decode().rstrip("=") not in self.challenges:
                return flask.Response('{"error": "invalid_grant"}', 400, mimetype="application/json")
        return None

    @contextmanager
    def running(self) -> Iterator[Provider]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join(10)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider().running() as one:
        yield one


@pytest.fixture
def hub(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("single"), url)
        people(hub, None)
        yield hub


@contextmanager
def serving(hub: Hub, provider: Provider, more: str = "", *, passwords: bool = True) -> Iterator[str]:
    """The hub with this sign-in. It is reached at the address that its configuration says."""
    (hub.folder / ".env").write_text("OIDC_SECRET=as-agreed\n", "utf-8")
    text = f"""
console:
  address: http://console.example
  passwords: {str(passwords).lower()}
  oidc:
    issuer: {provider.address}
    client_id: onefold
    client_secret: ${{OIDC_SECRET}}
    roles: {{staff: reader, stewards: steward, hub admins: admin}}
{more}"""
    (hub.folder / "config" / "hub.yaml").write_text(text, "utf-8")
    with served(hub.settings) as address:
        yield address


OPEN: list[httpx.Client] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Browsers of a test end with it."""
    yield
    while OPEN:
        OPEN.pop().close()


def browser_at(address: str) -> httpx.Client:
    """A browser that nobody is signed in with."""
    OPEN.append(httpx.Client(base_url=address, timeout=60))
    return OPEN[-1]


def led(browser: httpx.Client, to: str = "/") -> str:
    """Where the button of the door leads."""
    answer = browser.get("/oidc", params={"to": to})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def vouched(at: str, sub: str) -> dict[str, str]:
    """What the provider sends the browser of this person back with."""
    answer = httpx.post(at, data={"sub": sub}, timeout=30)
    assert answer.status_code in (302, 303), answer.text
    back = answer.headers["location"]
    assert back.startswith("http://console.example/oidc/back?")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def come_in(address: str, sub: str, to: str = "/") -> tuple[httpx.Client, httpx.Response]:
    """The whole way of one person."""
    browser = browser_at(address)
    return browser, browser.get("/oidc/back", params=vouched(led(browser, to), sub))


def test_who_is_known_comes_in_with_the_role_of_the_company_and_where_they_wanted(hub: Hub, provider: Provider) -> None:
    with open_context(hub.settings) as context:
        add_user(context, "ada@example.org", "reader", sees_values=True, password=None, by="test")
    with serving(hub, provider) as address:
        door = httpx.get(f"{address}/sign-in", params={"to": "/cases"})
        assert (
            'href="/oidc?to=%2Fcases"' in door.text and "form-action 'self'" in door.headers["content-security-policy"]
        )
        browser, answer = come_in(address, "ada", "/cases")
        assert answer.status_code == 303 and answer.headers["location"] == "/cases", answer.text
        assert browser.get("/cases").status_code == 200, "a steward, by the claim"
        assert hub.query("SELECT role, sees_values FROM ops.account WHERE login = 'ada@example.org'") == [
            ("steward", True)
        ]
        with open_context(hub.settings) as context:
            change_user(context, "ada@example.org", role=None, sees_values=None, password=None, is_active=False)
        assert browser.get("/cases").status_code == 303
        _, again = come_in(address, "ada")
        assert again.status_code == 403 and "let go" in again.text


def test_nobody_comes_in_whom_nobody_let_in_or_whose_address_is_not_verified(hub: Hub, provider: Provider) -> None:
    with open_context(hub.settings) as context:
        add_user(context, "ada@example.org", "reader", sees_values=True, password=None, by="test")
    before = hub.query("SELECT count(*) FROM ops.account")
    with serving(hub, provider) as address:
        for sub, why in (("new", "Nobody has let"), ("stranger", "no role"), ("unverified", "not verified")):
            browser, answer = come_in(address, sub)
            assert answer.status_code == 403 and why in answer.text, sub
            assert browser.get("/").status_code == 303
    assert hub.query("SELECT count(*) FROM ops.account") == before


def test_who_is_new_is_made_a_reader_where_the_hub_says_so_and_sees_masks(hub: Hub, provider: Provider) -> None:
    with serving(hub, provider, "    creates_readers: true\n") as address:
        for sub, role in (("new", "reader"), ("boss", "admin"), ("stranger", "reader")):
            _, answer = come_in(address, sub)
            assert answer.status_code == 303, answer.text
            made = hub.query(
                "SELECT role, sees_values, created_by FROM ops.account WHERE login = %s", (f"{sub}@example.org",)
            )
            assert made == [(role, False, "single sign-on")]
        _, again = come_in(address, "stranger")
        assert again.status_code == 303, "a reader stays one"


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(hub: Hub, provider: Provider) -> None:
    with serving(hub, provider, "    creates_readers: true\n") as address:
        victim, thief = (browser_at(address) for _ in range(2))
        said = vouched(led(victim), "new")
        assert thief.get("/oidc/back", params=said).status_code == 403, "in no browser that began nothing"
        led(thief)
        assert thief.get("/oidc/back", params=said).status_code == 403, "nor in one that began something else"
        own = vouched(led(thief), "boss")
        assert thief.get("/oidc/back", params={**own, "code": said["code"]}).status_code == 403, "nor with its state"
        assert victim.get("/oidc/back", params={**said, "state": "x"}).status_code == 403
        again = vouched(led(victim), "new")
        kept = victim.cookies["onefold_oidc"]
        assert victim.get("/oidc/back", params=again).status_code == 303
        replay = httpx.get(f"{address}/oidc/back", params=again, headers={"Cookie": f"onefold_oidc={kept}"})
        assert replay.status_code == 403, "the code was used"
        for wrong in ("%%%", "e30=", base64.urlsafe_b64encode(b'{"state": 1}').decode()):
            answer = httpx.get(f"{address}/oidc/back", params=again, headers={"Cookie": f"onefold_oidc={wrong}"})
            assert answer.status_code == 403
        assert victim.get("/oidc/back", params={"error": "access_denied"}).status_code == 403


def test_passwords_can_be_switched_off_and_links_stay(hub: Hub, provider: Provider) -> None:
    password = "correct horse battery"
    with open_context(hub.settings) as context:
        add_user(context, "kim", "reader", sees_values=False, password=password, by="test")
        link = sign_in_link(context, "kim", by="test", valid_for=timedelta(minutes=5))
    with serving(hub, provider, passwords=False) as address:
        door = httpx.get(f"{address}/sign-in")
        assert 'name="password"' not in door.text and "/oidc" in door.text
        said = {"login": "kim", "password": password}
        assert httpx.post(f"{address}/sign-in", data=said).status_code == 403
        assert httpx.get(f"{address}{link}").status_code == 303


def test_a_provider_that_is_away_or_another_is_told_as_that(hub: Hub, provider: Provider) -> None:
    config = hub.folder / "config" / "hub.yaml"
    with serving(hub, provider):
        said = config.read_text("utf-8")
    for issuer, why in (("http://127.0.0.1:9", "does not answer"), (f"{provider.address}/", "another provider")):
        config.write_text(said.replace(provider.address, issuer), "utf-8")
        with served(hub.settings) as address:
            answer = httpx.get(f"{address}/oidc")
            assert answer.status_code == 503 and why in answer.text
    config.write_text("{}\n", "utf-8")
    with served(hub.settings) as address:
        assert httpx.get(f"{address}/oidc").status_code == 404
        assert "/oidc" not in httpx.get(f"{address}/sign-in").text


def test_a_secret_that_is_not_set_is_told_before_and_after_and_logged(
    hub: Hub, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(hub, provider) as address:
        browser = browser_at(address)
        said = vouched(led(browser), "ada")
        (hub.folder / ".env").write_text("", "utf-8")
        for answer, status in ((browser.get("/oidc/back", params=said), 403), (httpx.get(f"{address}/oidc"), 503)):
            assert answer.status_code == status and "is not set up here" in answer.text
            assert "OIDC_SECRET" not in answer.text
    assert "${OIDC_SECRET}" in caplog.text


def test_who_waits_for_a_slow_provider_leaves_the_hub_to_the_others(hub: Hub, provider: Provider) -> None:
    with serving(hub, provider) as address, single._AT_ONCE, single._AT_ONCE:
        answer = httpx.get(f"{address}/oidc")
        assert answer.status_code == 503 and "Others are signing in" in answer.text
        assert httpx.get(f"{address}/sign-in").status_code == 200
    with serving(hub, provider) as address:
        assert httpx.get(f"{address}/oidc").status_code == 303


def test_over_tls_the_cookie_of_an_attempt_is_of_this_host_only(hub: Hub, provider: Provider) -> None:
    tls = {"X-Forwarded-Proto": "https"}
    with serving(hub, provider, "    creates_readers: true\n") as address:
        begun = httpx.get(f"{address}/oidc", headers=tls)
        cookie = begun.headers["set-cookie"]
        assert cookie.startswith("__Host-onefold_oidc=") and "Path=/;" in cookie and "Secure" in cookie
        said = vouched(begun.headers["location"], "new")
        answer = httpx.get(f"{address}/oidc/back", params=said, headers={**tls, "Cookie": cookie.split(";")[0]})
        assert answer.status_code == 303, answer.text
        gone = [one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-onefold_oidc=")]
        assert len(gone) == 1 and "Max-Age=0" in gone[0] and "Secure" in gone[0]


def test_sign_in_that_does_not_ask_who_it_is_is_refused() -> None:
    with pytest.raises(ValueError, match="`scopes` needs `openid`"):
        SingleSignOn(issuer="https://p.example", client_id="onefold", client_secret="${S}", scopes=["email"])  # type: ignore[call-arg]


def test_a_way_back_that_the_door_does_not_take_leads_to_the_start(hub: Hub, provider: Provider) -> None:
    with serving(hub, provider) as address:
        answer = httpx.get(f"{address}/cases", params={"q": "x" * 600}, follow_redirects=True)
        assert answer.status_code == 200 and answer.url.params["to"] == "/"


def test_a_password_is_never_cut() -> None:
    longest = "x" * passwords.MOST
    stored = passwords.hashed(longest)
    assert passwords.is_right(stored, longest) and not passwords.is_right(stored, longest + "y")


@cache
def signer(name: str) -> Any:
    """A key; making one takes longer than all that is done with it."""
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048, parameters={"kid": "k"})


def token_of(who: str, **changed: Any) -> tuple[str, dict[str, Any]]:
    """A token that somebody signed, and the keys by which it is looked at."""
    import time

    from joserfc import jwt
    from joserfc.jwk import KeySet

    key = signer(who)
    now = int(time.time())
    claims = {
        "iss": "https://p.example",
        "aud": "onefold",
        "nonce": "n",
        "sub": "s",
        "iat": now,
        "exp": now + 60,
        **changed,
    }
    header = {"alg": "RS256", "kid": "k"}
    return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key), KeySet([key]).as_dict(
        private=False
    )


@pytest.fixture(scope="module")
def asked(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A hub's side of a sign-in. It looks at tokens, and at nothing that a database holds."""
    from onefold.web.oidc import Provider as Asked

    settings = SingleSignOn(issuer="https://p.example", client_id="onefold", client_secret="${S}")  # type: ignore[call-arg]
    hub = Hub(tmp_path_factory.mktemp("tokens"), server_url)
    (hub.folder / ".env").write_text("S=as-agreed\n", "utf-8")
    with open_context(hub.settings) as context:
        return Asked(context, settings, "https://hub.example")


@pytest.mark.parametrize(
    "changed",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"nonce": "another"}, {"nonce": None}, {"exp": 1}, {"exp": None},
     {"sub": None}, {"azp": "another"}, {"aud": ["onefold", "x"], "azp": "x"}],
)  # fmt: skip
def test_a_token_that_is_not_for_this_attempt_at_this_hub_is_refused(asked: Asked, changed: dict[str, Any]) -> None:
    from joserfc.errors import JoseError

    good, keys = token_of("one")
    assert asked._claims(good, keys, "n")["sub"] == "s"
    bad, others = token_of("another", **changed)
    with pytest.raises((JoseError, ValueError)):
        asked._claims(bad, others, "n")
    with pytest.raises((JoseError, ValueError)):
        asked._claims(good, others, "n")
    unsigned = ".".join([base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("="), good.split(".")[1], ""])
    with pytest.raises((JoseError, ValueError)):
        asked._claims(unsigned, keys, "n")

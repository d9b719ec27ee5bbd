"""Signs requests: static secrets as they are, OAuth 2 tokens and sessions after a request of their own.

A signer knows its token; when the source refuses it, the engine asks once for another (`renew`) and tries again.
"""

# ruff: noqa: ARG002 - every signer takes the same arguments

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from connectors.auth import AnyAuth, OAuth2Auth, SessionAuth
from connectors.canonical import canonical
from connectors.errors import ConnectorError, CredentialsError, SourceConfigurationError
from connectors.paths import as_text, compile_path
from connectors.templates import MissingValue, fill, render
from connectors.tokens import TokenStore

AGAIN = "Give the source a new refresh token: authorise Onefold there once more"


class Send(Protocol):
    """How a signer asks for its token: without credentials of its own, no redirect, errors as data."""

    def __call__(
        self, method: str, url: httpx.URL, place: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, Any]:
        """Status and decoded body (None if it is not JSON). Raises a ConnectorError if there is no answer."""


class Signer:
    """A secret that does not change."""

    statuses: frozenset[int] = frozenset()
    """Answers that mean that the token has ended."""

    def __init__(self, auth: AnyAuth, values: Mapping[str, str]) -> None:
        self.auth, self.given = auth, values

    def prepare(self) -> None:
        """Get the token or session if there is none yet, before a request is built."""

    def values(self) -> Mapping[str, Any]:
        """{names} that the session gives; logs in first where that is needed."""
        return {}

    def apply(self, request: httpx.Request) -> None:
        """Add what proves who asks."""
        self.auth.apply(request, self.given)

    def renew(self, refused: int) -> bool:
        """Get another token, unless somebody did since number `refused`; False: there is none."""
        return False

    @property
    def number(self) -> int:
        """Counts the tokens; told to `renew`."""
        return 0

    def secrets(self) -> Iterator[str]:
        """What must never be shown."""
        for secret in self.auth.secrets():
            yield secret.get_secret_value()


def content_of(body: Any, encoding: str) -> tuple[bytes | None, dict[str, str]]:
    """A body as it is sent, and the header that says how."""
    if body is None:
        return None, {}
    if encoding == "form":
        pairs = {name: _form_text(value) for name, value in body.items()}
        return urlencode(pairs, doseq=True).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return canonical(body), {"Content-Type": "application/json"}


def _form_text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_form_text(item) for item in value]
    text = as_text(value)
    return text if text is not None else canonical(value).decode()


class _Renewing(Signer, ABC):
    """Gets its token when it is first needed."""

    def __init__(self, source: str, auth: AnyAuth, values: Mapping[str, str], send: Send) -> None:
        super().__init__(auth, values)
        self.source, self.send = source, send
        self._lock = threading.RLock()
        self._number = 0
        self._found: dict[str, Any] = {}
        self._ends: float | None = None

    @property
    def number(self) -> int:
        return self._number

    def renew(self, refused: int) -> bool:
        with self._lock:
            if refused == self._number:
                self._obtain(is_refused=True)
                self._number += 1
            return True

    def prepare(self) -> None:
        with self._lock:
            if self._number == 0 or (self._ends is not None and time.time() >= self._ends):
                self._obtain(is_refused=False)
                self._number += 1

    def values(self) -> Mapping[str, Any]:
        if not self.auth.gives():
            return {}
        self.prepare()
        return {name: value for name, value in self._found.items() if name in self.auth.gives()}

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from (text for value in self._found.values() if (text := as_text(value)))

    @abstractmethod
    def _obtain(self, *, is_refused: bool) -> None:
        """Fill `_found` and `_ends`. Raises what says why there is no token."""

    def _error(self, kind: type[ConnectorError], message: str, place: str, hint: str | None = None) -> ConnectorError:
        return kind(message, source=self.source, place=place, hint=hint)

    def _filled(self, value: Any, place: str, more: Mapping[str, Any] | None = None) -> Any:
        try:
            return render(value, {**self.given, **(more or {})})
        except MissingValue as error:
            raise self._error(SourceConfigurationError, f"{{{error.args[0]}}} has no value", place) from None


class OAuthSigner(_Renewing):
    """OAuth 2: the token store's lock lets one process refresh while the others wait and take what it got."""

    statuses = frozenset({401})

    def __init__(
        self, source: str, auth: OAuth2Auth, values: Mapping[str, str], send: Send, store: Callable[[], TokenStore]
    ) -> None:
        super().__init__(source, auth, values, send)
        self.oauth, self._store = auth, store

    def apply(self, request: httpx.Request) -> None:
        """Set the Authorization header, or the query's parameter."""
        if self.oauth.param is not None:
            request.url = request.url.copy_set_param(self.oauth.param, self._found["access_token"])
            return
        request.headers["Authorization"] = f"{self.oauth.prefix} {self._found['access_token']}".strip()

    def _obtain(self, *, is_refused: bool) -> None:
        with self._store().locked(self.source) as slot:
            saved = dict(slot.load() or {})
            if saved.get("for") != self._fingerprint():
                saved = {}
            refused = self._found.get("access_token") if is_refused else None
            if saved and saved["access_token"] != refused and not self._is_over(saved.get("ends")):
                self._take(saved)
                return
            fresh = self._ask(saved.get("refresh_token"))
            token = {**fresh, "for": self._fingerprint()}
            if self.oauth.grant == "refresh_token":
                token.setdefault("refresh_token", saved.get("refresh_token") or self._first_refresh())
            slot.save(token)
            self._take(token)

    def _take(self, token: dict[str, Any]) -> None:
        self._found = token
        self._ends = None if token.get("ends") is None else token["ends"] - self.oauth.early.total_seconds()

    def _is_over(self, ends: float | None) -> bool:
        return ends is not None and time.time() >= ends - self.oauth.early.total_seconds()

    def _first_refresh(self) -> str:
        secret = self.oauth.refresh_token
        return str(self._filled(secret.get_secret_value(), "auth.refresh_token")) if secret else ""

    def _fingerprint(self) -> str:
        """What the saved token was got with: a changed configuration asks anew."""
        parts = [self.oauth.grant, self.oauth.token_url, self.oauth.client_id, self.oauth.scope]
        parts += [secret.get_secret_value() for secret in self.oauth.secrets()]
        filled = [fill(part, {name: value or "" for name, value in self.given.items()}) for part in parts if part]
        return blake2b(canonical(filled), digest_size=16).hexdigest()

    def _ask(self, refresh: str | None) -> dict[str, Any]:
        oauth, place = self.oauth, "auth.token_url"
        url = httpx.URL(str(self._filled(oauth.token_url, place)))
        form: dict[str, Any] = dict(self._filled(oauth.params, place))
        if oauth.scope:
            form["scope"] = self._filled(oauth.scope, place)
        headers = {"Accept": "application/json"}
        if oauth.grant == "jwt_bearer":
            form |= {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._assertion()}
        else:
            form["grant_type"] = oauth.grant
            client = self._filled(oauth.client_id, place)
            secret = self._filled(oauth.client_secret.get_secret_value(), place) if oauth.client_secret else ""
            if oauth.client_in == "basic":
                headers["Authorization"] = f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"
            else:
                form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        if oauth.grant == "refresh_token":
            form["refresh_token"] = refresh or self._first_refresh()
        if oauth.method == "GET":
            url = url.copy_merge_params({name: str(value) for name, value in form.items()})
        content, kind = content_of(form if oauth.method == "POST" else None, oauth.encoding)
        status, data = self.send(oauth.method, url, "the token endpoint", {**headers, **kind}, content)
        return self._token(status, data)

    def _token(self, status: int, data: Any) -> dict[str, Any]:
        """The token of an answer. Raises CredentialsError; the answer is never quoted but for its error code."""
        access = compile_path("access_token").get(data)
        if status >= 400 or not isinstance(access, str) or not access:
            code = as_text(compile_path("error").get(data)) or f"status {status}"
            code = code if code.replace("_", "").replace(" ", "").isalnum() and len(code) < 60 else f"status {status}"
            hint = AGAIN if self.oauth.grant == "refresh_token" else "Renew the client's secret or key, or its rights"
            raise self._error(CredentialsError, f"no token was given ({code})", "the token endpoint", hint)
        token: dict[str, Any] = {"access_token": access}
        refresh, seconds = compile_path("refresh_token").get(data), as_text(compile_path("expires_in").get(data))
        if isinstance(refresh, str) and refresh:
            token["refresh_token"] = refresh
        if seconds and seconds.isdigit():
            token["ends"] = time.time() + int(seconds)
        for name, path in self.oauth.values.items():
            token[name] = as_text(compile_path(path).get(data))
        return token

    def _assertion(self) -> str:
        """A signed JWT. Raises SourceConfigurationError for a key that cannot sign."""
        import jwt

        wanted = self.oauth.jwt
        assert wanted is not None
        now = datetime.now(UTC)
        texts = {"iss": wanted.issuer, "sub": wanted.subject, "aud": wanted.audience, **wanted.claims}
        claims = {name: self._filled(text, "auth.jwt") for name, text in texts.items() if text is not None}
        claims |= {"iat": int(now.timestamp()), "exp": int((now + wanted.lifetime).timestamp())}
        # A key in an environment variable often has its line ends written out.
        key = str(self._filled(wanted.private_key.get_secret_value(), "auth.jwt")).replace("\\n", "\n")
        try:
            return jwt.encode(claims, key, wanted.algorithm, headers={"kid": wanted.key_id} if wanted.key_id else None)
        except (ValueError, TypeError, jwt.PyJWTError):
            hint = "It is a PEM private key"
            raise self._error(SourceConfigurationError, "the private key cannot sign", "auth.jwt", hint) from None


class SessionSigner(_Renewing):
    """A login whose cookies the client keeps and whose values stand in headers, parameters or bodies."""

    def __init__(
        self, source: str, auth: SessionAuth, values: Mapping[str, str], send: Send, base: httpx.URL,
        forget: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(source, auth, values, send)
        self.session, self._base, self._forget = auth, base, forget
        self.statuses = frozenset(auth.expired)

    def apply(self, request: httpx.Request) -> None:
        """Headers and parameters with the session's values; the cookies are the client's."""
        for name, value in self._filled(self.session.headers, "auth.headers", self._found).items():
            request.headers[name] = str(value)
        for name, value in self._filled(self.session.params, "auth.params", self._found).items():
            request.url = request.url.copy_set_param(name, str(value))

    def _obtain(self, *, is_refused: bool) -> None:
        session = self.session
        self._forget()
        url = self._base.join(f"{self._base.path.rstrip('/')}/{fill(session.path, self.given).lstrip('/')}")
        body = None if session.body is None else self._filled(session.body, "auth.body")
        content, kind = content_of(body, session.encoding)
        headers = {name: str(value) for name, value in self._filled(session.login_headers, "auth").items()}
        status, data = self.send(session.method, url, "the login", {**kind, **headers}, content)
        found = {name: compile_path(path).get(data) for name, path in session.values.items()}
        if status >= 400 or any(value in (None, False, "") for value in found.values()):
            hint = "Check user, password and database, and that the user may use the interface"
            raise self._error(CredentialsError, f"the login was refused (status {status})", "the login", hint)
        self._found = found
        self._ends = time.time() + session.lifetime.total_seconds() if session.lifetime else None

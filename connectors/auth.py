"""How requests prove who asks. Secrets leave their wrappers only on the way into a request to the source's own host.

What needs a request of its own first (OAuth 2, a login) is described here and done in `connectors/signing.py`.
"""

# ruff: noqa: ARG002 - every way of signing takes the same arguments

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

import httpx
from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.paths import FieldPath
from connectors.settings import Duration, Settings
from connectors.templates import fill, names_in


class NoAuth(Settings):
    """Open to everybody."""

    kind: Literal["none"] = "none"

    def apply(self, request: httpx.Request, values: Mapping[str, str]) -> None:
        """Nothing to add."""

    def path_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """No part of the address is secret."""
        return {}

    def secrets(self) -> Iterator[SecretStr]:
        """None."""
        return iter(())

    def needs(self) -> set[str]:
        """The {names} without which this way cannot be used; of several ways the first that has them all is taken."""
        return set(names_in(_plain(self)))

    def gives(self) -> set[str]:
        """The {names} that other texts of the manifest may use once a session stands."""
        return set()


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return [_plain(getattr(value, name)) for name in type(value).model_fields]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class BasicAuth(NoAuth):
    """User name and password."""

    kind: Literal["basic"] = "basic"  # type: ignore[assignment]
    username: str
    password: SecretStr = SecretStr("")

    def apply(self, request: httpx.Request, values: Mapping[str, str]) -> None:
        """Set the Authorization header."""
        pair = f"{fill(self.username, values)}:{fill(self.password.get_secret_value(), values)}"
        request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"

    def secrets(self) -> Iterator[SecretStr]:
        """The password."""
        yield self.password


class BearerAuth(NoAuth):
    """A token in the Authorization header; `prefix` other than Bearer for systems that want it."""

    kind: Literal["bearer"] = "bearer"  # type: ignore[assignment]
    token: SecretStr
    prefix: str = "Bearer"

    def apply(self, request: httpx.Request, values: Mapping[str, str]) -> None:
        """Set the Authorization header."""
        token = fill(self.token.get_secret_value(), values)
        request.headers["Authorization"] = f"{self.prefix} {token}".strip()

    def secrets(self) -> Iterator[SecretStr]:
        """The token."""
        yield self.token


class KeyAuth(NoAuth):
    """A key in a header, in the query, or in the path (where `{name}` stands in `base_url` or `path`)."""

    kind: Literal["key"] = "key"  # type: ignore[assignment]
    place: Literal["header", "query", "path"] = Field(default="header", alias="in")
    name: str
    value: SecretStr

    def apply(self, request: httpx.Request, values: Mapping[str, str]) -> None:
        """Add the key to the header or the query."""
        value = fill(self.value.get_secret_value(), values)
        if self.place == "header":
            request.headers[self.name] = value
        elif self.place == "query":
            request.url = request.url.copy_set_param(self.name, value)

    def path_values(self, values: Mapping[str, str]) -> dict[str, str]:
        """The key by its name, if it belongs into the path."""
        return {self.name: fill(self.value.get_secret_value(), values)} if self.place == "path" else {}

    def secrets(self) -> Iterator[SecretStr]:
        """The key."""
        yield self.value


class Jwt(Settings):
    """A signed assertion that is exchanged for a token."""

    private_key: SecretStr = Field(description="PEM, or the shared secret for HS256.")
    algorithm: Literal["RS256", "ES256", "HS256"] = "RS256"
    key_id: str | None = None
    issuer: str
    subject: str | None = None
    audience: str
    lifetime: Duration = timedelta(minutes=3)
    claims: dict[str, str] = Field(default_factory=dict)


class OAuth2Auth(NoAuth):
    """An access token from `token_url`: renewed before it ends and when it is refused.

    A refresh token that rotates is kept in the token store under a lock, so that two processes never use one twice.
    """

    kind: Literal["oauth2"] = "oauth2"  # type: ignore[assignment]
    grant: Literal["client_credentials", "refresh_token", "jwt_bearer"] = "client_credentials"
    token_url: str
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_in: Literal["body", "basic"] = Field(default="body", description="Where the client's id and secret go.")
    refresh_token: SecretStr | None = Field(default=None, description="The first one; later ones are saved.")
    jwt: Jwt | None = None
    scope: str | None = None
    params: dict[str, str] = Field(default_factory=dict, description="Further members of the token request.")
    encoding: Literal["form", "json"] = "form"
    method: Literal["POST", "GET"] = Field(default="POST", description="GET: what is told stands in the query.")
    prefix: str = "Bearer"
    param: str | None = Field(default=None, description="The query's parameter for the token, instead of the header.")
    early: Duration = Field(default=timedelta(seconds=60), description="Renewed so long before it ends.")
    values: dict[str, FieldPath] = Field(
        default_factory=dict, description="{name}: path in the token's answer, for use in paths and bodies."
    )

    @model_validator(mode="after")
    def _complete(self) -> OAuth2Auth:
        if self.grant == "refresh_token" and self.refresh_token is None:
            raise ValueError("the grant refresh_token needs `refresh_token`")
        if self.grant == "jwt_bearer" and self.jwt is None:
            raise ValueError("the grant jwt_bearer needs `jwt`")
        if self.grant != "jwt_bearer" and self.client_id is None:
            raise ValueError(f"the grant {self.grant} needs `client_id`")
        return self

    def secrets(self) -> Iterator[SecretStr]:
        """The client's secret, the first refresh token, the private key."""
        given = (self.client_secret, self.refresh_token, self.jwt.private_key if self.jwt else None)
        yield from (secret for secret in given if secret is not None)

    def gives(self) -> set[str]:
        """Names of the token's answer."""
        return set(self.values)


class SessionAuth(NoAuth):
    """A login first: its cookies are kept, its `values` become {names}; again when the session has ended."""

    kind: Literal["session"] = "session"  # type: ignore[assignment]
    path: str = Field(description="Below `base_url`.")
    method: Literal["POST", "GET"] = "POST"
    login_headers: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    encoding: Literal["form", "json"] = "json"
    values: dict[str, FieldPath] = Field(
        default_factory=dict, description="{name}: path in the login's answer; one that is missing means refused."
    )
    headers: dict[str, Any] = Field(default_factory=dict, description="For every request: templates with {names}.")
    params: dict[str, Any] = Field(default_factory=dict, description="For every request's query.")
    expired: tuple[int, ...] = Field(default=(401,), description="Statuses that mean: log in again.")
    lifetime: Duration | None = Field(default=None, description="Log in again after so long.")

    def needs(self) -> set[str]:
        """What the login needs."""
        return super().needs() - set(self.values)

    def gives(self) -> set[str]:
        """Names of the login's answer."""
        return set(self.values)


AnyAuth = NoAuth | BasicAuth | BearerAuth | KeyAuth | OAuth2Auth | SessionAuth


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Auth = Annotated[AnyAuth, Field(discriminator="kind")]
Auths = Annotated[tuple[Auth, ...], BeforeValidator(_listed)]
"""One way, or several, of which the first whose {names} all have values is taken."""

"""How requests prove who asks. Secrets leave their wrappers only on the way into a request to the source's
own host."""

# ruff: noqa: ARG002 - every way of signing takes the same arguments

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import httpx
from pydantic import Field, SecretStr

from connectors.settings import Settings
from connectors.templates import fill


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


Auth = Annotated[NoAuth | BasicAuth | BearerAuth | KeyAuth, Field(discriminator="kind")]

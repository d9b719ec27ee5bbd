"""Tokens of sources in the hub's database: two processes never use one refresh token twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from warehouse import tokens
from warehouse.connect import connect

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class HubTokens:
    """The store that connectors are given (`connectors.tokens.TokenStore`)."""

    context: Context

    @contextmanager
    def locked(self, source: str) -> Iterator[HubSlot]:
        """The source's slot; it has a connection of its own, so that nothing else commits or rolls back with it."""
        from onefold.context import open_database

        with ExitStack() as stack:
            # `check` and `discover` start no database of their own; a token that rotates must not be lost by them.
            url = self.context.database_url or stack.enter_context(open_database(self.context.settings))
            conn = stack.enter_context(connect(url, application_name=f"onefold token {source}"))
            stack.enter_context(tokens.token_lock(conn, source))
            yield HubSlot(conn, source)


@dataclass(frozen=True, slots=True)
class HubSlot:
    """One source's saved token, while its lock is held."""

    conn: psycopg.Connection[Any]
    source: str

    def load(self) -> Mapping[str, Any] | None:
        """What was saved last."""
        return tokens.saved_token(self.conn, self.source)

    def save(self, token: Mapping[str, Any]) -> None:
        """Keep the token; committed when this returns."""
        tokens.save_token(self.conn, self.source, token)

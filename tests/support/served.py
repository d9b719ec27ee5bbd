"""The web application of a hub on a real server, on loopback, for as long as a test looks at it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import uvicorn

from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps.accounts import create_token
from onefold.web.app import create_app
from onefold.web.console import bulk, session
from warehouse.connect import connect


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of the application, until the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings=settings), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    # On a busy machine a decision takes longer than a moment; tests look at what comes of it.
    patience, bulk.PATIENCE = bulk.PATIENCE, 60.0
    try:
        until = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        bulk.PATIENCE = patience
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


def session_of(database_url: str, login: str, purpose: str) -> str:
    """The secret of a session of this person; without a password, which takes a fifth of a second to look at."""
    with connect(database_url, application_name="onefold tests") as conn:
        reading = SimpleNamespace(clock=lambda: datetime.now(UTC), connection=lambda: nullcontext(conn))
        return session.open_for(cast("Any", SimpleNamespace(reading=reading)), login, purpose)


def token(settings: Settings, name: str, scopes: Sequence[str], valid_for: timedelta | None = None) -> str:
    """A token of a program that may do this."""
    with open_context(settings) as context:
        made = create_token(context, name, scopes, purpose=f"tests of {name}", by="tester", valid_for=valid_for)
    return made.token


def asking(address: str, secret: str | None) -> httpx.Client:
    """A client that bears this token."""
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=address, headers=headers, timeout=60)

"""What every test may ask for: a database of its own on the server of the run."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.support import database as databases
from tests.support.drills import told
from warehouse.connect import connect

_OWNS_RUN = pytest.StashKey[bool]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """The controlling process (or the only one) is responsible for the run's server."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_OWNS_RUN] = databases.begin_run()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing of the run stays behind."""
    if session.config.stash.get(_OWNS_RUN, False):
        databases.end_run()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Drills say how much they did, and their seed."""
    reports = [one for key in ("passed", "failed") for one in terminalreporter.stats.get(key, ()) if one.when == "call"]
    if said := [line for one in reports for line in told(one.user_properties)]:
        terminalreporter.section("reliability drills")
        terminalreporter.write("".join(f"{line}\n" for line in said))


@pytest.fixture(scope="session")
def server_url() -> str:
    """The server under test: embedded, or the one of ONEFOLD_TEST_DATABASE_URL."""
    return databases.server_url()


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """The name of a database that holds the hub's tables and no rows."""
    return databases.template_database(server_url)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A migrated, empty hub of this test's own."""
    with databases.database(server_url, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database without any table."""
    with databases.database(server_url, None) as url:
        yield url


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection (autocommit, UTC) to this test's hub."""
    with connect(database_url, application_name="onefold tests") as connection:
        yield connection

"""Connections to the hub's PostgreSQL, transactions, and databases.

HubDatabaseError
|-- DatabaseUnavailableError   nothing answers there, or it refuses us: look at URL, server and password
`-- UnsuitableDatabaseError    the server is too old or the database is not in UTF-8: use another one
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo, TransactionStatus

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

MINIMUM_SERVER_VERSION: Final = 150000
_MAINTENANCE_DATABASES: Final = ("postgres", "template1")
_SESSION_OPTIONS: Final = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres"
# Greedy on purpose: the value itself may hold quotation marks.
_QUOTED: Final = re.compile(r"([\"']).*\1", re.DOTALL)
# Classes whose primary message repeats a value of the row: data exceptions, casts and JSON among them.
_SQLSTATE_CLASSES_THAT_QUOTE_VALUES: Final = ("22", "P0")
# Told to go, a neighbour crashed, or it is starting or stopping.
_SQLSTATES_OF_A_SERVER_THAT_GOES: Final = ("57P01", "57P02", "57P03")


class HubDatabaseError(Exception):
    """Something about the hub's database; the message says what to do and holds no secret."""


class DatabaseUnavailableError(HubDatabaseError):
    """Nothing answers at the database's address, or it refuses the connection."""


class UnsuitableDatabaseError(HubDatabaseError):
    """The server is too old, or the database is not in UTF-8."""


def connect(url: str, *, application_name: str, autocommit: bool = True) -> psycopg.Connection:
    """An open connection in UTC; raises `HubDatabaseError` with a message that holds no password.

    It is in autocommit, so that a read leaves no transaction open behind it; what must be written together
    goes into `unit_of_work`.
    """
    parameters = _parameters(url)
    try:
        conn = psycopg.connect(_conninfo(parameters, application_name), autocommit=autocommit)
    except psycopg.OperationalError as exc:
        raise DatabaseUnavailableError(
            f"cannot connect to {describe(url)}: {_without_secrets(str(exc), parameters)}"
        ) from None
    try:
        _check_suitable(conn, url)
    except BaseException:
        conn.close()
        raise
    return conn


def open_pool(url: str, *, application_name: str, most: int) -> ConnectionPool:
    """Connections like those of `connect`, at most `most`, kept open between uses; closed by whoever opened it.

    Whoever asks for one more waits half a minute, then `psycopg_pool.PoolTimeout` is raised. One is handed over as it
    lies there: whether its server has gone meanwhile, its first question tells, and `check` of the pool mends.
    """
    from psycopg_pool import ConnectionPool

    with connect(url, application_name=application_name):
        pass  # what is wrong with address or server is told now, and in our words
    return ConnectionPool(
        _conninfo(_parameters(url), application_name),
        kwargs={"autocommit": True},
        # To open one more takes longer than most questions, and many come at once.
        min_size=min(4, most),
        max_size=most,
        max_idle=300,
        name=application_name,
        open=True,
    )


@contextmanager
def unit_of_work(
    conn: psycopg.Connection,
) -> Iterator[psycopg.Connection]:
    """What is written inside commits together, or not at all.

    Refuses a connection on which a transaction is already open: the block would then only be a savepoint, and
    leaving it would commit nothing.
    """
    if conn.info.transaction_status is not TransactionStatus.IDLE:
        raise errors.ActiveSqlTransaction("a unit of work needs a connection without an open transaction")
    with conn.transaction():
        yield conn


def redact(exc: BaseException) -> str:
    """The error in one line without client data: SQLSTATE, primary message, table, column and constraint.

    DETAIL, CONTEXT and the statement may carry values of rows and are left out; where the primary message
    itself quotes a value (data exceptions), the quotation is left out too.
    """
    if not isinstance(exc, psycopg.Error) or exc.sqlstate is None:
        # A client-side error of the driver may repeat a parameter; only its kind is safe to show.
        return type(exc).__name__
    message = exc.diag.message_primary or type(exc).__name__
    if exc.sqlstate.startswith(_SQLSTATE_CLASSES_THAT_QUOTE_VALUES):
        message = _QUOTED.sub("…", message)
    names = (
        ("table", ".".join(part for part in (exc.diag.schema_name, exc.diag.table_name) if part)),
        ("column", exc.diag.column_name),
        ("constraint", exc.diag.constraint_name),
    )
    where = ", ".join(f"{label} {name}" for label, name in names if name)
    return f"{exc.sqlstate} {message}" + (f" ({where})" if where else "")


def is_lost(exc: BaseException) -> bool:
    """Whether the error says that the connection is gone, or its server on its way down or up."""
    # Of kept connections all may be in use: the server has not gone for that.
    if not isinstance(exc, psycopg.OperationalError) or type(exc).__name__ == "PoolTimeout":
        return False
    return exc.sqlstate is None or exc.sqlstate.startswith("08") or exc.sqlstate in _SQLSTATES_OF_A_SERVER_THAT_GOES


def sqlalchemy_url(url: str) -> str:
    """The same address for SQLAlchemy with psycopg 3."""
    return "postgresql+psycopg://" + _plain(url).split("://", 1)[1]


def libpq_environment(url: str) -> dict[str, str]:
    """The URL as libpq's environment variables, for psql and pg_dump: a password in argv would be public."""
    variables = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
    return {
        variable.decode(): str(value)
        for keyword, value in _parameters(url).items()
        if (variable := variables.get(keyword)) is not None
    }


def describe(url: str) -> str:
    """Where a URL points, for messages: host, port, database and user, never the password."""
    parameters = _parameters(url)
    host, port = parameters.get("host") or "the local socket", parameters.get("port") or 5432
    user = f" as {parameters['user']}" if parameters.get("user") else ""
    return f"database {parameters.get('dbname') or '(default)'} on {host}, port {port}{user}"


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    scheme, _, rest = _plain(url).partition("://")
    authority, slash, tail = rest.partition("/")
    if slash:
        query = tail.partition("?")[2]
    else:
        authority, _, query = authority.partition("?")
    return f"{scheme}://{authority}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def database_exists(url: str) -> bool:
    """Whether the database that the URL names exists on its server."""
    with maintenance(url) as conn:
        return _exists(conn, database_name(url))


def create_database(url: str, template: str | None = None, *, is_file_copy: bool = False) -> bool:
    """Create the database that the URL names, in UTF-8; False if it was there, also by another process.

    `template` is the name of a database to copy; it is waited for while somebody is still connected to it.
    `is_file_copy` copies its files, which is quicker where the server does not sync them (tests).
    """
    name = database_name(url)
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is None:
        # template1 may have been made in another encoding; template0 accepts any.
        statement += sql.SQL(" TEMPLATE template0 ENCODING 'UTF8'")
    else:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        if is_file_copy:
            statement += sql.SQL(" STRATEGY file_copy")
    patience = time.monotonic() + 30
    with maintenance(url) as conn:
        while not _exists(conn, name):
            try:
                conn.execute(statement)
            except (errors.DuplicateDatabase, errors.UniqueViolation):
                return False
            except errors.ObjectInUse:
                if time.monotonic() > patience:
                    raise
                time.sleep(0.1)
            else:
                return True
    return False


def drop_database(url: str) -> None:
    """Drop the database that the URL names, if it exists, and close what is connected to it."""
    with maintenance(url) as conn:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        conn.execute(statement.format(sql.Identifier(database_name(url))))


def database_name(url: str) -> str:
    """The database that a URL names; libpq's rule: without one, the user's name."""
    parameters = _parameters(url)
    name = parameters.get("dbname") or parameters.get("user")
    if not name:
        raise UnsuitableDatabaseError("the database URL names no database; write postgresql://user@host:5432/name")
    return str(name)


@contextmanager
def maintenance(url: str) -> Iterator[psycopg.Connection]:
    """A connection to a database that always exists on the server of `url`."""
    failure: DatabaseUnavailableError | None = None
    for name in _MAINTENANCE_DATABASES:
        try:
            conn = connect(with_database(url, name), application_name="onefold maintenance")
        except DatabaseUnavailableError as exc:
            failure = failure or exc
            continue
        with conn:
            yield conn
        return
    assert failure is not None
    raise failure


def _exists(conn: psycopg.Connection, name: str) -> bool:
    return conn.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", [name]).fetchone() is not None


def _check_suitable(conn: psycopg.Connection, url: str) -> None:
    version = conn.info.server_version
    if version < MINIMUM_SERVER_VERSION:
        raise UnsuitableDatabaseError(
            f"{describe(url)} is PostgreSQL {version // 10000}; Onefold needs PostgreSQL"
            f" {MINIMUM_SERVER_VERSION // 10000} or newer. Point the URL at a newer server,"
            " or leave it out to use the embedded one"
        )
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnsuitableDatabaseError(
            f"{describe(url)} is encoded in {encoding}; Onefold needs UTF8."
            " Create one with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
        )


def _conninfo(parameters: Mapping[str, Any], application_name: str) -> str:
    """What the hub's connections have in common."""
    given = {"connect_timeout": 30, **parameters}
    given["options"] = f"{given.get('options') or ''} {_SESSION_OPTIONS}".strip()
    return make_conninfo(**{**given, "application_name": application_name, "client_encoding": "UTF8"})


def _parameters(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(_plain(url)))
    except psycopg.ProgrammingError:
        # The driver's own message would repeat the URL with its password.
        raise UnsuitableDatabaseError(
            "the database URL cannot be read; write postgresql://user:password@host:5432/name"
            " (a special character in the password as %XX)"
        ) from None


def _plain(url: str) -> str:
    """The URL as libpq reads it: without SQLAlchemy's driver."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise UnsuitableDatabaseError("the database URL must begin with postgresql://")
    return f"postgresql://{rest}"


def _without_secrets(text: str, parameters: dict[str, Any]) -> str:
    password = parameters.get("password")
    one_line = " ".join(text.split())
    return one_line.replace(str(password), "…") if password else one_line

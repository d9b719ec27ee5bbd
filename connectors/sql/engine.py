"""The connection to a source database: values as the database says them, errors without secrets or data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from connectors.canonical import decode
from connectors.errors import (
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)

_REFUSED = {
    "28000",
    "28P01",
    "42501",
}  # SQLSTATE: invalid authorization, invalid password, insufficient privilege
_REFUSED_MYSQL = {1044, 1045, 1142, 1143, 1227}


def make_engine(url: str, timeout: int, source: str) -> sa.Engine:
    """An engine that connects when it is first used. Raises SourceConfigurationError; the URL is never
    shown."""
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        hint = "A URL looks like postgresql+psycopg://user:password@host:5432/database"
        raise SourceConfigurationError("`url` is not a SQLAlchemy URL", source=source, hint=hint) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    name = parsed.get_backend_name()
    arguments: dict[str, Any] = {"timeout" if name == "sqlite" else "connect_timeout": timeout}
    try:
        engine = sa.create_engine(
            parsed,
            hide_parameters=True,
            poolclass=sa.pool.NullPool,
            connect_args=arguments if name in ("sqlite", "postgresql", "mysql", "mariadb") else {},
        )
    except exc.NoSuchModuleError:
        raise SourceConfigurationError(f"no dialect {parsed.drivername!r} is installed", source=source) from None
    except ModuleNotFoundError as error:
        message = f"the driver for {parsed.drivername!r} is not installed"
        raise SourceConfigurationError(message, source=source, hint=f"Install the package {error.name!r}") from None
    except (TypeError, exc.ArgumentError):
        raise SourceConfigurationError("`url` has arguments that its driver does not know", source=source) from None
    if name == "postgresql" and engine.driver == "psycopg":
        sa.event.listen(engine, "connect", _lossless_psycopg)
    if name in ("mysql", "mariadb"):
        sa.event.listen(engine, "connect", _in_utc)
    return engine


def _in_utc(connection: Any, _record: object) -> None:
    """MySQL and MariaDB show TIMESTAMP columns in the session's zone, which is else the server's."""
    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")


class UtcTimestamp(sa.TypeDecorator[Any]):
    """A TIMESTAMP of MySQL or MariaDB in a session in UTC: aware; what is no time (0000-00-00) stays as it comes."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """UTC without saying so, as the database compares it."""
        del dialect
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """The moment with its zone."""
        del dialect
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _lossless_psycopg(connection: Any, _record: object) -> None:
    """Dates beyond Python's calendar come as text, and fractions inside JSON keep their digits."""
    from psycopg.adapt import Loader
    from psycopg.types.json import set_json_loads

    def loader(parse: Callable[[str], Any]) -> type[Loader]:
        class Tolerant(Loader):
            def load(self, data: Any) -> Any:
                text = bytes(data).decode()
                try:
                    return parse(text)
                except ValueError:  # infinity, BC, the year 10000
                    return text

        return Tolerant

    driver = connection.driver_connection if hasattr(connection, "driver_connection") else connection
    # So that values are what Python's own parser reads: a third of the time of the driver's.
    driver.execute("SET datestyle = ISO")
    driver.commit()
    driver.adapters.register_loader("date", loader(date.fromisoformat))
    for name in ("timestamp", "timestamptz"):
        driver.adapters.register_loader(name, loader(datetime.fromisoformat))
    set_json_loads(decode, driver)


def translate(error: Exception, engine: sa.Engine, source: str, stream: str | None = None) -> ConnectorError:
    """What the caller can do about a database error. Statements, parameters and row data are left out."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    text = _first_line(cause, engine)
    if state in _REFUSED or number in _REFUSED_MYSQL or "password authentication failed" in text:
        return CredentialsError(f"the database refused: {text}", source=source, stream=stream)
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.DisconnectionError | exc.TimeoutError):
        if "no such table" in text or "no such column" in text or "syntax error" in text:
            return SourceConfigurationError(f"the database says: {text}", source=source, stream=stream)
        return RetriableError(f"the database cannot be read now: {text}", source=source, stream=stream)
    if isinstance(error, exc.ProgrammingError | exc.NoSuchTableError | exc.CompileError):
        return SourceConfigurationError(f"the database says: {text}", source=source, stream=stream)
    # Data errors quote the data they stumble over.
    what = f"{type(cause).__name__} {state or ''}".strip()
    return SourceDataError(f"the database could not deliver the rows ({what})", source=source, stream=stream)


def _first_line(cause: BaseException, engine: sa.Engine) -> str:
    text = " ".join(str(part) for part in cause.args if isinstance(part, str)) or type(cause).__name__
    text = text.splitlines()[0][:300] if text.strip() else type(cause).__name__
    password = engine.url.password
    return text.replace(str(password), "***") if password else text

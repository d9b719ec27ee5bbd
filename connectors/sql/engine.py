"""The connection to a source database: values as the database says them, errors without secrets or data."""

from __future__ import annotations

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
    return engine


def _lossless_psycopg(connection: Any, _record: object) -> None:
    """Dates beyond Python's calendar come as text, and fractions inside JSON keep their digits."""
    from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
    from psycopg.types.json import set_json_loads

    def tolerant(loader: Any) -> Any:
        class Tolerant(loader):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except Exception:
                    return bytes(data).decode()

        return Tolerant

    driver = connection.driver_connection if hasattr(connection, "driver_connection") else connection
    for name, loader in (
        ("date", DateLoader),
        ("timestamp", TimestampLoader),
        ("timestamptz", TimestamptzLoader),
    ):
        driver.adapters.register_loader(name, tolerant(loader))
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

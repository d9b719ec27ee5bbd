"""Errors as people and schedulers meet them: a message that says what to do, and an exit code."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Collection
from types import TracebackType

EXIT_CONFIGURATION = 3
EXIT_CREDENTIALS = 5
EXIT_DATABASE = 6
EXIT_HELD = 7
EXIT_TRY_AGAIN = 75
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BY_CLASS = {
    "CredentialsError": EXIT_CREDENTIALS,
    "SourceConfigurationError": EXIT_CONFIGURATION,
    "SecretMissing": EXIT_CONFIGURATION,
    "RetriableError": EXIT_TRY_AGAIN,
    "ComeBackLater": EXIT_TRY_AGAIN,
    "Held": EXIT_HELD,
}


def exit_code(error: BaseException) -> int:
    """The exit code of an error; see `onefold --help`."""
    # Looked up by name, so that reporting an error imports nothing that the command had not imported.
    names = {f"{cls.__module__}.{cls.__name__}" for cls in type(error).__mro__}
    if code := getattr(error, "exit_code", None):
        return int(code)
    if "connectors.errors.CredentialsError" in names:
        return EXIT_CREDENTIALS
    if names & {
        "connectors.errors.SourceConfigurationError",
        "onefold.configuration.errors.ConfigurationError",
    }:
        return EXIT_CONFIGURATION
    if names & {"connectors.errors.RetriableError", "connectors.errors.ComeBackLater"}:
        return EXIT_TRY_AGAIN
    if names & {
        "psycopg.Error",
        "warehouse.connect.HubDatabaseError",
        "warehouse.server.errors.EmbeddedServerError",
    }:
        return EXIT_DATABASE
    return 1


def describe(error: BaseException) -> str:
    """The message to show. Database errors lose the row values that PostgreSQL puts into DETAIL; of a fault in our
    own code only its kind is told, since its message may quote client data (`invalid literal: 'Anna Kern'`).
    """
    if any(f"{cls.__module__}.{cls.__name__}" == "psycopg.Error" for cls in type(error).__mro__):
        from warehouse.connect import is_lost, redact

        if is_lost(error):
            return (
                "The hub's database has gone: its server was stopped, restarted or killed, or the network failed."
                " What was committed stays, nothing is half done. Once it is up again, do the same again"
                " (`onefold db status`; the embedded server's log is var/postgres/server.log)."
            )
        if getattr(error, "sqlstate", None) == "53100":
            return (
                f"{redact(error)}. The disk of the hub's database is full: make room there and do the same again."
                " What was committed stays, nothing is half done."
            )
        return str(redact(error))
    if isinstance(error, OSError) and error.errno in _FULL:
        where = f" ({error.filename!s})" if error.filename else ""
        return f"{error.strerror}{where}. Make room on the disk that is written to, and do the same again."
    if isinstance(error, OSError) and error.strerror and not isinstance(error.filename, bytes):
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if not is_expected(error):
        return type(error).__name__
    return str(error) or type(error).__name__


def frames(trace: TracebackType | None) -> str:
    """Where an error came from, a line for each frame: place and function, and not the text of the code, which may have
    a client's name in it (a test's, a connector's of yours)."""
    found = traceback.extract_tb(trace)
    return "".join(f"  {one.filename}:{one.lineno} in {one.name}\n" for one in found)


def is_expected(error: BaseException) -> bool:
    """True when the message alone tells the user what to do; else a trace of our code is added."""
    known = ("onefold.", "connectors.", "warehouse.", "identity.")
    if type(error).__module__.startswith(known) or exit_code(error) == EXIT_DATABASE:
        return True
    # What a write meets on a full disk names no file.
    return isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL)


def exit_code_of_streams(classes: Collection[str]) -> int:
    """The exit code when streams failed with errors of these classes: what all have in common, else 1."""
    return _BY_CLASS.get(next(iter(classes)), 1) if len(set(classes)) == 1 else 1

"""Errors of the command line and the steps, grouped by what the caller does next.

OnefoldError            exit code 1
|-- UsageError          2  the command was called wrongly
|-- ExtraMissing        3  an extra of this package is not installed here
|   `-- EngineMissing   3  nor is what `engine` or an option names
|-- EngineFailed        1  Spark came to no result; nothing was changed
|-- NothingFound        4  what was asked for does not exist
|-- NewerHub            6  the hub was migrated by a newer version; upgrade this one
|-- Stale               11 what was decided on is not as it was; look again
|-- TooLate             10 what was asked for is no longer kept; read anew
|-- HubBusy             75 another run holds the source or the hub; try again
`-- (ConfigurationError 3, connectors.errors and warehouse errors: see `exit_code`)
"""

from __future__ import annotations


class OnefoldError(Exception):
    """Something the user can act on; the message says what and how."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(f"{message} {hint}" if hint else message)


class UsageError(OnefoldError):
    """The arguments do not fit together."""

    exit_code = 2


class ExtraMissing(OnefoldError):
    """What the command works with comes with an extra, and is not installed here."""

    exit_code = 3


class EngineMissing(ExtraMissing):
    """The engine that is to compare is not installed on this machine."""


class EngineFailed(OnefoldError):
    """The engine that was to compare came to no result; nothing was stored."""


class NothingFound(OnefoldError):
    """No such client, record, source or stream."""

    exit_code = 4


class NewerHub(OnefoldError):
    """The hub's tables are of a newer version of Onefold."""

    exit_code = 6


class TooLate(OnefoldError):
    """What was asked for is no longer kept; read the whole anew."""

    exit_code = 10


class Stale(OnefoldError):
    """What a decision was made on is not as it was; look again."""

    exit_code = 11


class HubBusy(OnefoldError):
    """Another process is doing this work right now."""

    exit_code = 75  # EX_TEMPFAIL: schedulers try again

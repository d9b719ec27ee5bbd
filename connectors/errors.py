"""Connector errors, grouped by what the caller does next.

ConnectorError
|-- SourceConfigurationError   edit the configuration; nothing is retried
|   `-- NotInstalledError      this installation lacks what a stream reads; take the stream out, or install it
|-- CredentialsError           renew or grant the secret or right; nothing is retried
|-- SourceDataError            the source's data or protocol cannot be read as configured; look at the named
place
|-- RetriableError             try the same again (done in connectors/http.py; raised when its tries are
used up)
`-- ComeBackLater              the source asks for a longer pause: checkpoint, stop, and run again at
`retry_at`
"""

from __future__ import annotations

from datetime import datetime


class ConnectorError(Exception):
    """Something went wrong at a source. The message names source, stream and place and says what to do."""

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        stream: str | None = None,
        place: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message, self.source, self.stream, self.place, self.hint = message, source, stream, place, hint
        where = ":".join(part for part in (source, stream) if part)
        parts = [f"{where}: {message}" if where else message]
        if place:
            parts.append(f"at {place}")
        text = " ".join(parts)
        super().__init__(f"{text}. {hint}" if hint else text)


class SourceConfigurationError(ConnectorError):
    """The settings of a source cannot work as they are written."""


class NotInstalledError(SourceConfigurationError):
    """This installation of the source has no such records: their app or module is not installed."""


class CredentialsError(ConnectorError):
    """The source refused the credentials, or they lack a right."""


class SourceDataError(ConnectorError):
    """The source answered something that cannot be read as it is configured."""


class RetriableError(ConnectorError):
    """The source failed for now; the same request may succeed later."""

    def __init__(self, message: str, *, retry_after: float | None = None, **place: str | None) -> None:
        self.retry_after = retry_after
        super().__init__(message, **place)


class ComeBackLater(ConnectorError):
    """The source asks for a pause longer than the bound; what was landed stays and the next run goes on
    from there."""

    def __init__(self, message: str, *, retry_at: datetime, **place: str | None) -> None:
        self.retry_at = retry_at
        super().__init__(message, **place)

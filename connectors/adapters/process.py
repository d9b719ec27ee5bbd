"""A package's process: its lines one by one, in bounded memory; stopped when it is silent, or when nobody listens."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from connectors.canonical import MAX_PAYLOAD
from connectors.errors import (
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
    SourceDataError,
)

MAX_LINE = MAX_PAYLOAD + 1024 * 1024
"""Bytes of one line; a record that jsonb could hold fits."""

_CHUNK = 256 * 1024
_TICK = 0.5
_REFUSED = ("401", "403", "unauthorized", "unauthorised", "forbidden", "invalid_grant", "invalid credentials")


class LongLine(bytes):
    """The beginning of a line that is longer than `MAX_LINE`; the rest of it was thrown away."""


class Process:
    """Run in a session of its own, so that what it starts is stopped with it. To be used in a `with`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        silence: float,
        mask: Callable[[str], str],
        source: str,
        stream: str | None,
    ) -> None:
        self.name = Path(command[0]).name
        self._silence, self._mask = silence, mask
        self._source, self._stream = source, stream
        self._last: deque[str] = deque(maxlen=12)
        self._errors = bytearray()
        try:
            self._child = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise SourceConfigurationError(
                f"{self.name} cannot be run: {error.strerror}", source=source, stream=stream
            ) from None

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def note(self, text: str) -> None:
        """Remember what the process said, for the error that may follow."""
        self._last.extend(line[:400] for line in text.splitlines()[-6:] if line.strip())

    def said(self) -> str:
        """The last things it said, without secrets."""
        return self._mask(" / ".join(self._last))[-1200:]

    def lines(self) -> Generator[bytes, None, None]:
        """Lines of standard output without their ends; standard error is drained meanwhile.

        Raises RetriableError when nothing comes for too long. Time in which nobody asks for a line does not count.
        """
        rest, looked, is_long = bytearray(), 0, False
        for chunk in self._chunks():
            rest += chunk
            start = 0
            while (end := rest.find(b"\n", max(looked, start))) >= 0:
                line = bytes(rest[start:end])
                start, looked = end + 1, 0
                if is_long:
                    is_long = False
                elif line.strip():
                    yield line
            del rest[:start]
            looked = len(rest)
            if len(rest) > MAX_LINE:
                if not is_long:
                    yield LongLine(rest[:1000])
                is_long = True
                rest.clear()
                looked = 0
        if rest.strip() and not is_long:
            yield bytes(rest)

    def _chunks(self) -> Iterator[bytes]:
        out, err = self._child.stdout, self._child.stderr
        assert out is not None
        assert err is not None
        waited = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            selector.register(err, selectors.EVENT_READ)
            while selector.get_map():
                began = time.monotonic()
                events = selector.select(_TICK)
                if not events:
                    if self._child.poll() is not None:
                        # What it wrote between this look and its end is still in the pipe.
                        events = selector.select(0)
                        if not events:
                            return  # something that it started still holds the pipe
                    else:
                        waited += time.monotonic() - began
                        if waited > self._silence:
                            self.stop()
                            raise RetriableError(
                                f"{self.name} said nothing for {self._silence:g} s and was stopped{self._words()}",
                                source=self._source,
                                stream=self._stream,
                            )
                        continue
                waited = 0.0
                for key, _ in events:
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is err:
                        self._error_text(data)
                    else:
                        yield data

    def _error_text(self, data: bytes) -> None:
        self._errors += data
        *lines, rest = self._errors.split(b"\n")
        self._errors = bytearray(rest[-4000:])
        for line in lines[-12:]:
            self.note(line[:400].decode("utf-8", "replace"))

    def finish(self) -> None:
        """Wait for its end after the last line. Raises a ConnectorError when it did not end well."""
        if self._errors:
            self._error_text(b"\n")
        try:
            code = self._child.wait(min(self._silence, 60))
        except subprocess.TimeoutExpired:
            self.stop()
            raise RetriableError(
                f"{self.name} closed its output but did not end; it was stopped",
                source=self._source,
                stream=self._stream,
            ) from None
        if code:
            raise self._failure(code)

    def _failure(self, code: int) -> ConnectorError:
        if code < 0:
            with suppress(ValueError):
                name = signal.Signals(-code).name
                hint = "SIGKILL often means that memory ran out" if name == "SIGKILL" else None
                return RetriableError(
                    f"{self.name} was ended by {name}{self._words()}",
                    hint=hint,
                    source=self._source,
                    stream=self._stream,
                )
        kind = (
            CredentialsError if any(word in " ".join(self._last).casefold() for word in _REFUSED) else SourceDataError
        )
        return kind(f"{self.name} ended with code {code}{self._words()}", source=self._source, stream=self._stream)

    def _words(self) -> str:
        said = self.said()
        return f"; it said last: {said}" if said else ""

    def stop(self) -> None:
        """End the process and what it started: kindly at first, by force after five seconds."""
        if self._child.poll() is None:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(5)
        self._signal(signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()

    def _signal(self, number: signal.Signals) -> None:
        # The group bears the id of its leader and lives as long as anybody is in it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)

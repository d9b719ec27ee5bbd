"""A real HTTP server on 127.0.0.1 that behaves as badly as a test says."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Reply:
    """What goes over the wire. `announced` bytes may be more than come: the answer is then cut off; an `endless`
    one repeats its body until the reader hangs up.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    endless: bool = False


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


Answerer = Callable[[Asked], Reply]


def records(items: Any, status: int = 200, **headers: str) -> Reply:
    """An answer of JSON."""
    body = json.dumps(items, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **headers})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle of an answer is part of the tests."""


class HttpSource:
    """A running server. `answers` gives each path what answers it; `asked` is what came, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, Answerer] = {}
        self.otherwise: Answerer = lambda _: Reply(404)
        """Answers the paths that `answers` does not name."""
        self.asked: list[Asked] = []
        self.endless_bytes = 0
        """How much of endless answers was sent."""
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers), self.command, body)
                source.asked.append(asked)
                reply = source.answers.get(parts.path, source.otherwise)(asked)
                # A source whose clock is off says so in a Date of its own.
                (self.send_response_only if "Date" in reply.headers else self.send_response)(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.endless:
                    self.close_connection = True
                    self.end_headers()
                    while True:
                        self.wfile.write(reply.body)
                        source.endless_bytes += len(reply.body)
                length = len(reply.body) if reply.announced is None else reply.announced
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = length != len(reply.body)

            do_POST = do_PATCH = do_GET  # noqa: N815 - as the base class calls them

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def speak_tls(self, certificate: Path, key: Path) -> None:
        """From now on by TLS, with this certificate; before `start`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; what still waits for an answer gets none."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def http_source() -> Iterator[HttpSource]:
    """A server for the length of the block."""
    source = HttpSource()
    source.start()
    try:
        yield source
    finally:
        source.stop()

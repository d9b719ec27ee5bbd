"""Serves the generated CRM as a vendor's API does: token, paging, rate limit, a 500 now and then.

    GET /api/v1/me                       who the token belongs to, and the streams
    GET /api/v1/{stream}                 contacts | companies | deals | activities
        ?limit=100                       1..200
        &cursor=...                      from `paging.next_cursor`; `paging.next` is the whole address
        &updated_since=2025-01-31T00:00:00Z
        &archived=false                  leave archived records out; else they are listed

Answers are `{"results": [...], "paging": {"next_cursor": ..., "next": ...}, "total": n}`, ordered by
(updated_at, id). It listens on 127.0.0.1 only, and reads the store file again whenever that changes.
`python -m onefold.demo.crm_server --folder DIR` serves until its lifetime ends, with the token in
ONEFOLD_DEMO_CRM_TOKEN.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import logging
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from onefold.demo.registers.crm import FILE, Store, load_store

log = logging.getLogger(__name__)

STREAMS: Final = ("contacts", "companies", "deals", "activities")
MAX_LIMIT: Final = 200


class _RefusalError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class CrmServer:
    """A running CRM. `counts` tells requests, and how many were throttled, failed on purpose, or refused."""

    def __init__(
        self, folder: Path, token: str, *, port: int, lifetime: float, rate: int, error_rate: float, seed: int
    ) -> None:
        if not token:
            raise ValueError("the CRM needs a token that is not empty")
        self.counts: Counter[str] = Counter()
        self._folder, self._token, self._rate, self._error_rate = folder, token, rate, error_rate
        self._rng = Random(f"{seed}:crm server")
        self._lock = threading.Lock()
        self._recent: deque[float] = deque()
        self._failed_last = False
        self._mark: tuple[int, int] | None = None
        self._store: Store = {}
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="crm", daemon=True)
        self._timer = threading.Timer(lifetime, self._server.shutdown)
        self._timer.daemon = True

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where the API begins: `http://127.0.0.1:PORT/api/v1`."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def start(self) -> None:
        """Answer from now on, until `stop` or the end of the lifetime."""
        self._thread.start()
        self._timer.start()

    def wait(self) -> None:
        """Return when the server has stopped."""
        self._thread.join()

    def stop(self) -> None:
        """Stop listening and drop what is connected."""
        self._timer.cancel()
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.drop_connections()
        self._server.server_close()

    def answer(self, target: str, authorization: str) -> dict[str, Any]:
        """The document for a request. Raises `_RefusalError`."""
        with self._lock:
            self.counts["requests"] += 1
            expected = f"Bearer {self._token}".encode()
            if not hmac.compare_digest(authorization.encode("utf-8", "replace"), expected):
                self.counts["unauthorised"] += 1
                raise _RefusalError(401, "unknown token", **{"WWW-Authenticate": "Bearer"})
            self._throttle()
            self._stumble()
            parts = urlsplit(target)
            name = parts.path.rstrip("/").rpartition("/api/v1/")[2]
            if name == "me":
                return {"account": "Северная линия", "streams": list(STREAMS)}
            if name not in STREAMS:
                raise _RefusalError(404, "no such resource")
            return self._page(name, {key: values[-1] for key, values in parse_qs(parts.query).items()})

    def _throttle(self) -> None:
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1.0:
            self._recent.popleft()
        if len(self._recent) >= self._rate:
            self.counts["throttled"] += 1
            raise _RefusalError(429, "too many requests", **{"Retry-After": "1"})
        self._recent.append(now)

    def _stumble(self) -> None:
        # Never twice running, so that any client that tries again gets through.
        self._failed_last = not self._failed_last and self._rng.random() < self._error_rate
        if self._failed_last:
            self.counts["failed"] += 1
            raise _RefusalError(500, "internal error")

    def _records(self, name: str) -> list[dict[str, Any]]:
        stat = (self._folder / FILE).stat()
        mark = (stat.st_mtime_ns, stat.st_ino)
        if mark != self._mark:
            store = load_store(self._folder)
            self._store = {
                stream: sorted(records, key=lambda record: (record["updated_at"], record["id"]))
                for stream, records in store.items()
            }
            self._mark = mark
        return self._store[name]

    def _page(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        limit = query.get("limit", "100")
        if not limit.isdigit() or not 1 <= int(limit) <= MAX_LIMIT:
            raise _RefusalError(400, f"limit must be 1..{MAX_LIMIT}")
        since = query.get("updated_since", "")
        since = _moment(since) if since else ""
        records = self._records(name)
        if query.get("archived") == "false":
            records = [record for record in records if not record["archived"]]
        if since:
            records = [record for record in records if record["updated_at"] >= since]
        total = len(records)
        if "cursor" in query:
            after = _decoded(query["cursor"])
            records = [record for record in records if (record["updated_at"], record["id"]) > after]
        page = records[: int(limit)]
        paging: dict[str, str] = {}
        if len(records) > len(page):
            cursor = _encoded(page[-1]["updated_at"], page[-1]["id"])
            paging = {
                "next_cursor": cursor,
                "next": f"{self.url}/{name}?{urlencode({**query, 'cursor': cursor})}",
            }
        return {"results": page, "paging": paging, "total": total}


@contextmanager
def crm_server(
    folder: Path,
    token: str,
    *,
    port: int = 0,
    lifetime: float = 600.0,
    rate: int = 20,
    error_rate: float = 0.06,
    seed: int = 7,
) -> Iterator[CrmServer]:
    """Serve the CRM under `folder` while the block runs, for `lifetime` seconds at most.

    `port` 0 takes a free one; `rate` is in requests a second; `error_rate` is the share of requests that fail
    with 500, drawn from `seed`.
    """
    server = CrmServer(folder, token, port=port, lifetime=lifetime, rate=rate, error_rate=error_rate, seed=seed)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], crm: CrmServer) -> None:
        self.crm = crm
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """End the conversations that clients keep alive."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # A client that was killed in the middle of a page is no event.
        log.debug("a connection ended early")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo-crm"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        try:
            self._send(200, self.server.crm.answer(self.path, self.headers.get("Authorization", "")), {})
        except _RefusalError as refusal:
            self._send(refusal.status, {"error": refusal.message}, refusal.headers)

    def _send(self, status: int, document: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ARG002
        # Addresses carry cursors and nothing secret, but a demo has no use for an access log.
        return


def _moment(text: str) -> str:
    """An ISO time (UTC if it has no zone) as the store writes it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _RefusalError(400, "updated_since must be an ISO time") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _encoded(updated_at: str, number: int) -> str:
    return base64.urlsafe_b64encode(f"{updated_at}|{number}".encode()).decode()


def _decoded(cursor: str) -> tuple[str, int]:
    try:
        updated_at, number = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return updated_at, int(number)
    except ValueError:
        raise _RefusalError(400, "the cursor is none of ours") from None


def main(arguments: list[str] | None = None) -> int:
    """Serve until the lifetime ends; prints the address of the API on one line. The exit code is 0."""
    import argparse
    import os

    parser = argparse.ArgumentParser(prog="python -m onefold.demo.crm_server", description="Serve the demo's CRM.")
    parser.add_argument("--folder", type=Path, required=True, help="where `onefold demo` put the registers")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lifetime", type=float, default=3600.0, help="seconds; then the server ends by itself")
    chosen = parser.parse_args(arguments)
    token = os.environ.get("ONEFOLD_DEMO_CRM_TOKEN", "")
    if not token:
        parser.error("ONEFOLD_DEMO_CRM_TOKEN is not set")
    with crm_server(chosen.folder, token, port=chosen.port, lifetime=chosen.lifetime) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What holds for every request, whatever it asks: no body of any size, no form that another site sends, no error told
that could quote a client, and what every answer says to browsers and caches.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.web.problems import Told, answer_to, refused

MOST_BYTES: Final = 1 << 20
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_TLS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
"""Who has come by TLS once comes by nothing else for a year."""
_READS: Final = ("GET", "HEAD", "OPTIONS")


class TooLargeError(Exception):
    """The body is longer than is read."""


class Guard:
    """Around an application: refuses bodies of more than `MOST_BYTES`, also those that do not say how long they are,
    and turns every error that nobody expected into a problem that quotes nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read, is_begun = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise TooLargeError
            return message

        async def guarded(message: Message) -> None:
            nonlocal is_begun
            if read > MOST_BYTES and not is_begun:
                return  # whatever the application made of half a body
            if message["type"] == "http.response.start":
                is_begun = True
                said = {name for name, _ in message.get("headers", ())}
                wanted = (*_HEADERS, _TLS_ONLY) if scope["scheme"] == "https" else _HEADERS
                added = [pair for pair in wanted if pair[0] not in said]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        headers = dict(scope["headers"])
        if scope["method"] not in _READS and headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
            # Browsers say whose page sends a form; the keys in ours know it only of who is signed in.
            elsewhere = Told(403, "from-elsewhere", "From another site", "This does not come from a page of this site.")
            await refused(Request(scope), elsewhere)(scope, receive, guarded)
            return
        said = headers.get(b"content-length", b"0")
        read = int(said) if said.isdigit() and int(said) > MOST_BYTES else 0
        error: Exception | None = None
        if not read:
            try:
                await self._app(scope, counted, guarded)
            except Exception as found:
                error = found
        if is_begun:
            if error is not None:
                raise error
            return
        answer: Response
        if read > MOST_BYTES:
            told = Told(413, "too-large", "The body is too large", f"At most {MOST_BYTES:,} bytes are read.")
            answer, read = refused(Request(scope), told), 0
        else:
            assert error is not None
            answer = answer_to(Request(scope), error)
        await answer(scope, receive, guarded)

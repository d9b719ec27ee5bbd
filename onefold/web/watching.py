"""What watches the service: its figures for monitoring, and a line of the log for each answer.

A line has the pattern of the path and never the path, whose parts may be a client or what was searched for.
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold import logs
from onefold.web.door import TheHub, address_of, program

router: Final = APIRouter(include_in_schema=False)
log: Final = logging.getLogger(__name__)
SCOPE: Final = "metrics"
_BEARER: Final = HTTPBearer(auto_error=False)
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""With one of these somebody asks through a proxy, whoever that is: its own address says nothing."""
_QUIET: Final = ("/health/", "/static/", "/metrics")
"""Asked so often that only who wants all is told."""
_OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@router.get("/metrics")
def metrics(
    request: Request, hub: TheHub, said: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Response:
    """The hub's figures in OpenMetrics, for a token with the scope `metrics` or whoever asks from this machine itself.
    No personal data: names of sources, streams and tables are the only labels."""
    from prometheus_client.openmetrics.exposition import generate_latest

    from onefold.metrics import registry

    if said is not None or not is_of_this_machine(request):
        program(request, hub, said).needs(SCOPE)
    state = request.app.state
    if not hasattr(state, "figures"):
        # One for all, so that they are asked one at a time; on connections of its own, as its limit of time is not for
        # the kept ones.
        state.figures = registry(hub.writing)
    text = generate_latest(state.figures)  # type: ignore[no-untyped-call]
    return Response(text, media_type=_OPEN_METRICS)


def is_of_this_machine(request: Request) -> bool:
    """It comes from loopback, and no proxy says that it comes from elsewhere."""
    try:
        comes_from = ipaddress.ip_address(address_of(request))
    except ValueError:
        return False
    return comes_from.is_loopback and not any(name in request.headers for name in _FORWARDED)


class Told:
    """Around an application: each answer is a line of the log, with a number that the answer bears too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, status, started = secrets.token_hex(8), 0, time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", number.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            route = getattr(scope.get("route"), "path", "")
            level = logging.DEBUG if route.startswith(_QUIET) else logging.INFO
            level = level if 0 < status < 500 else logging.WARNING
            milliseconds = round(1000 * (time.perf_counter() - started), 1)
            logs.tell(
                log, level, "request.answered", f"{scope['method']} {route or '(no such page)'} {status}",
                request_id=number, method=scope["method"], route=route or None, status=status,
                milliseconds=milliseconds,
            )  # fmt: skip

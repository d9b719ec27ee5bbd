"""The door of the API: who asks, the hub they ask, and what is written down about it before they are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, cast

import msgspec
from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from onefold.steps.accounts import hash_of
from onefold.steps.subject import looked
from onefold.web.asking import Asker, NotSignedIn, TooManyAttempts
from onefold.web.hub import Hub
from onefold.web.masking import Masks
from warehouse import accounts

MOST_FAILURES: Final = 30
"""Wrong tokens from one address before it is not listened to for a while."""
FAILURES_COUNT_FOR: Final = timedelta(minutes=10)
FORGET_AFTER: Final = timedelta(hours=6)
_BEARER: Final = HTTPBearer(auto_error=False, description="A token of `onefold token create`.")

Responses = dict[int | str, dict[str, Any]]
"""What an endpoint answers besides, as FastAPI takes it."""

Purpose = Annotated[
    str | None,
    Header(
        alias="Onefold-Purpose", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$",
        description="What the answer is for, for the access log; else what the token was made for.",
    ),
]  # fmt: skip


async def hub_of(request: Request) -> Hub:
    """The hub that this process serves. Asynchronous, as `needs` is, so that no thread is asked for it."""
    return cast(Hub, request.app.state.hub)


TheHub = Annotated[Hub, Depends(hub_of)]


def program(
    request: Request,
    hub: TheHub,
    said: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    purpose: Purpose = None,
) -> Asker:
    """The program whose token the request bears. NotSignedIn: none, or one that does not count; TooManyAttempts."""
    if said is None:
        raise NotSignedIn("Send `Authorization: Bearer` with a token of `onefold token create`.")
    at = hub.reading.clock()
    shown = hash_of(said.credentials)
    found = hub.first_asked(lambda conn: accounts.token(conn, shown, at=at))
    if found is not None:
        return Asker(f"token:{found.name}", frozenset(found.scopes), purpose or found.purpose)
    with hub.reading.connection() as conn:
        address = [hash_of(f"token {address_of(request)}")]
        if accounts.failures(conn, address, since=at - FAILURES_COUNT_FOR) >= MOST_FAILURES:
            raise TooManyAttempts("From this address came too many wrong tokens; try again in ten minutes.")
        accounts.failed(conn, address, at=at, forget_before=at - FORGET_AFTER)
    raise NotSignedIn("This token is not known, is over, or was revoked.")


def address_of(request: Request) -> str:
    """Where a request comes from; empty where nobody says."""
    return request.client.host if request.client else ""


def needs(scope: str) -> Callable[[Asker], Awaitable[Asker]]:
    """The dependency that lets only askers with this right through."""

    async def allowed(asker: Annotated[Asker, Depends(program)]) -> Asker:
        asker.needs(scope)
        return asker

    return allowed


def masks_for(hub: Hub, asker: Asker) -> Masks | None:
    """What is masked for them; None: nothing."""
    return None if asker.sees_values else Masks(hub.reading.configuration.attributes)


def note(hub: Hub, asker: Asker, how: str, client_ids: Sequence[str], fields: Sequence[str] | None = None) -> None:
    """Write into the access log who looks at whom, what for, and which attributes they see (None: all). Before the
    answer: what is not written down is not shown."""
    looked(hub.reading, client_ids, who=asker.name, how=how, purpose=asker.purpose, fields=fields)


def answer(document: Any, status: int = 200) -> Response:
    """A document as JSON, in the shape that the model of its endpoint describes."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")

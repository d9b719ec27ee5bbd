"""The web application of a hub: `/v1` and its description, the console, and whether the hub is well."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Response

from onefold import logs
from onefold.settings import Settings
from onefold.web import problems, watching
from onefold.web.api import cases, changes, clients, fixes, match, shapes
from onefold.web.api import concerns as concerns_api
from onefold.web.api import measures as measures_api
from onefold.web.console import (
    as_client,
    bulk,
    case,
    client,
    client_parts,
    concerns,
    desk,
    fix,
    home,
    measures,
    model,
    needs,
    pages,
    planner,
    review,
    search,
    segments,
    single,
    sources,
    undo,
    workbook,
)
from onefold.web.door import Responses, TheHub, answer
from onefold.web.guard import Guard
from onefold.web.hub import THREADS, Hub, open_hub
from onefold.web.watching import Told

_SAID: Final = """The one client view of this hub, and what changes about it.

Every request bears a token of `onefold token create`, which says what it may do; what shows personal data is written
into the access log with its purpose before it is answered. An error is a problem of RFC 9457."""
_PROBLEMS: Final[Responses] = {
    401: {"model": shapes.Problem, "description": "No token, or one that does not count."},
    403: {"model": shapes.Problem, "description": "The token has no such right."},
    404: {"model": shapes.Problem, "description": "There is no such thing."},
    422: {"model": shapes.Problem, "description": "The request does not fit."},
    429: {"model": shapes.Problem, "description": "Too many wrong tokens from this address."},
    503: {"model": shapes.Problem, "description": "The hub or its database is busy or away; `Retry-After` says when."},
}
health: Final = APIRouter(include_in_schema=False)


@health.get("/health/live")
async def live() -> Response:
    """The process answers, also while all its threads work."""
    return answer({"status": "live"})


@health.get("/health/ready")
def ready(hub: TheHub) -> Response:
    """It can do its work: the database answers."""
    hub.first_asked(lambda conn: conn.execute("SELECT 1"))
    return answer({"status": "ready"})


def create_app(hub: Hub | None = None, settings: Settings | None = None) -> FastAPI:
    """The application on a hub that is open, or that it opens for as long as it serves."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        if hub is not None:
            app.state.hub = hub
            yield
            return
        with open_hub(settings or Settings.from_environment(os.environ)) as own:
            app.state.hub = own
            yield

    app = FastAPI(
        title="Onefold",
        version=version("onefold"),
        description=_SAID,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        # They would lead to the host that the request names.
        redirect_slashes=False,
    )
    for part in (clients, match, changes, cases, fixes, concerns_api, measures_api):
        app.include_router(part.router, prefix="/v1", responses=_PROBLEMS)
    app.include_router(health)
    app.include_router(watching.router)
    app.include_router(home.router)
    app.include_router(pages.router)
    app.include_router(single.router)
    for part in (search, client, client_parts, needs, as_client, segments, measures, concerns, fix):
        app.include_router(part.router)
    app.include_router(review.router)
    for part_of_queue in (desk, bulk, workbook, planner):
        app.include_router(part_of_queue.router)
    app.include_router(case.router)
    app.include_router(undo.router)
    app.include_router(sources.router)
    app.include_router(model.router)
    describe = app.openapi
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        """The description, made once, with problems as what they are sent as."""
        if not described:
            described.update(_with_problems(describe()))
        return described

    app.openapi = openapi  # type: ignore[method-assign]
    problems.install(app)
    app.add_middleware(Guard)
    app.add_middleware(Told)
    return app


def _with_problems(description: dict[str, Any]) -> dict[str, Any]:
    for path in description["paths"].values():
        for operation in path.values():
            for code, response in operation["responses"].items():
                if code >= "4":
                    response["content"] = {problems.MEDIA_TYPE: response["content"]["application/json"]}
    return description


def from_environment() -> FastAPI:
    """What each worker of `onefold serve` serves: the hub of ONEFOLD_HOME, ONEFOLD_CONFIG, ONEFOLD_DATABASE_URL."""
    logs.take_over()
    return create_app()

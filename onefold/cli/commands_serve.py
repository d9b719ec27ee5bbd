"""`onefold serve`: the read API for other programs; `onefold token`: which programs may ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, opened, settings_of

if TYPE_CHECKING:
    from datetime import timedelta

token = typer.Typer(no_args_is_help=True, help="Which programs may ask the API, and what for.")
app.add_typer(token, name="token", rich_help_panel="Serving")


@app.command(rich_help_panel="Serving")
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(help="The address to listen on; beyond loopback put a proxy with TLS before it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8017,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    proxy: Annotated[
        str | None, typer.Option(help="Address of the proxy whose X-Forwarded headers are believed.")
    ] = None,
) -> None:
    """Serve the API under /v1 (clients, interactions, evidence, lookup, changes, cases, judgements) and the console.

    `/v1/openapi.json` describes it, `/health/live` and `/health/ready` say how it is, `/metrics` has its figures for a
    token with the scope `metrics` or from this machine. Programs need a token, people sign in.

    Example: onefold token create bi --scope clients --scope changes --purpose "sales reports", then onefold serve
    """
    import os

    import uvicorn

    from onefold import logs
    from onefold.context import open_database

    settings = settings_of(ctx)
    # The workers find the hub by these; the address of the database may hold a password, which argv would show.
    with open_database(settings) as url:
        os.environ.update(
            ONEFOLD_HOME=str(settings.home), ONEFOLD_CONFIG=str(settings.config), ONEFOLD_DATABASE_URL=url
        )
        os.environ.update({name: how for name, how in logs.handed_on().items() if name == logs.VARIABLE})
        invocation(ctx).output.warn(
            f"Serving http://{host}:{port}/v1 (/v1/openapi.json describes it); ends with Ctrl+C"
        )
        uvicorn.run(
            "onefold.web.app:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            proxy_headers=proxy is not None,
            forwarded_allow_ips=proxy,
            server_header=False,
            # Its line of every request has the query, and that may be somebody's name.
            access_log=False,
            log_level="warning",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=30,
        )


@token.command("create")
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The program's name, as the access log will have it.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            "-s",
            help="What it may do, repeatable: clients, values (personal data unmasked), match, changes, cases, judge, "
            "metrics.",
        ),
    ],
    purpose: Annotated[str, typer.Option("--purpose", "-p", help="What it reads clients for.")],
    valid_for: Annotated[str | None, typer.Option("--valid-for", help="Such as 90d; else until revoked.")] = None,
) -> None:
    """Let a program ask the API. The token is shown once; only its hash is kept.

    Example: onefold token create website -s match -p "search before a form is sent" --valid-for 365d
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.accounts import create_token

    with opened(ctx) as (context, output):
        made = create_token(context, name, scope, purpose=purpose, by=login_name(), valid_for=_duration(valid_for))
    output.data(made.as_dict())
    output.say(made.token)
    if not output.as_json:
        until = f" until {made.expires_at[:10]}" if made.expires_at else ""
        output.warn(f"{name} may: {', '.join(made.scopes)}{until}. Keep the token now: it is not shown again.")


@token.command("list")
def list_tokens(ctx: typer.Context) -> None:
    """Which programs may ask, what for, and when they last did."""
    from onefold.steps.accounts import tokens

    with opened(ctx) as (context, output):
        found = tokens(context)
    output.data(found)
    output.table(
        ("program", "may", "purpose", "made by", "until", "last used", "revoked"),
        [
            (
                one["name"],
                ", ".join(one["scopes"]),
                one["purpose"],
                one["created_by"],
                *((one[when] or "")[:16] for when in ("expires_at", "used_at", "revoked_at")),
            )
            for one in found
        ],
    )


@token.command("revoke")
def revoke(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The program's name.")]) -> None:
    """Take a token back; it counts no more, at once."""
    from onefold.steps.accounts import revoke_token

    with opened(ctx) as (context, output):
        revoke_token(context, name)
    output.data({"name": name, "revoked": True})
    output.say(f"{name} may not ask any more.")


def _duration(text: str | None) -> timedelta | None:
    from pydantic import TypeAdapter, ValidationError

    from onefold.configuration.base import Duration
    from onefold.errors import UsageError

    if text is None:
        return None
    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise UsageError(f"`{text}` is no time.", "Write 12h, 90d or the like.") from None

"""`onefold console`: the console on this machine, opened; `onefold user`: which people may sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, opened, settings_of

user = typer.Typer(no_args_is_help=True, help="Which people may sign in to the console.")
app.add_typer(user, name="user", rich_help_panel="Serving")
Login = Annotated[str, typer.Argument(help="The name to sign in with.")]
Role = Annotated[str, typer.Option("--role", help="reader looks, steward decides too, admin manages too.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="The password is the first line of standard input; else you are asked.")
]


@app.command(rich_help_panel="Serving")
def console(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8017,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it; else only print the link.")] = True,
) -> None:
    """Open the console on this machine: find clients, see their whole story. Nobody else reaches it.

    The link signs you in once and is over after ten minutes; the first time it makes you an administrator of this hub.
    """
    import threading
    import webbrowser
    from contextlib import suppress
    from datetime import timedelta

    import uvicorn

    from onefold.cli.commands_hub import login_name
    from onefold.errors import UsageError
    from onefold.steps.accounts import add_user, sign_in_link
    from onefold.web.app import create_app
    from onefold.web.hub import open_hub

    with open_hub(settings_of(ctx)) as hub:
        name = login_name()
        with suppress(UsageError):  # who was here before
            add_user(hub.writing, name, "admin", sees_values=True, password=None, by="onefold console")
        link = f"http://127.0.0.1:{port}" + sign_in_link(hub.writing, name, by=name, valid_for=timedelta(minutes=10))
        invocation(ctx).output.say(f"{link}   (signs you in once; ends with Ctrl+C)")
        timer = threading.Timer(1.0, webbrowser.open, [link])
        timer.daemon = True
        if browser:
            timer.start()
        try:
            uvicorn.run(
                create_app(hub), host="127.0.0.1", port=port, access_log=False, log_level="warning", server_header=False
            )
        finally:
            timer.cancel()  # where the port was taken the link is for nobody


@user.command("add")
def add(
    ctx: typer.Context,
    login: Login,
    role: Role = "reader",
    values: Annotated[bool, typer.Option("--values/--masked", help="Sees personal data; else masks.")] = False,
    password_stdin: FromInput = False,
) -> None:
    """Let a person sign in.

    Example: onefold user add anna --role steward --values
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.accounts import add_user

    role, password = _role(role), _password(password_stdin)
    with opened(ctx) as (context, output):
        add_user(context, login, role, sees_values=values, password=password, by=login_name())
    output.data({"login": login, "role": role, "sees_values": values})
    output.say(f"{login} may sign in as {role}, and sees {'personal data' if values else 'masks'}.")


@user.command("change")
def change(
    ctx: typer.Context,
    login: Login,
    role: Annotated[str | None, typer.Option("--role", help="reader, steward or admin.")] = None,
    values: Annotated[bool | None, typer.Option("--values/--masked", help="Sees personal data; else masks.")] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromInput = False,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="May sign in at all.")] = None,
) -> None:
    """Change a person's rights or password. Whoever is signed in by that login is signed out."""
    from onefold.steps.accounts import change_user

    role = None if role is None else _role(role)
    new = _password(password_stdin) if password or password_stdin else None
    with opened(ctx) as (context, output):
        change_user(context, login, role=role, sees_values=values, password=new, is_active=active)
    output.data({"login": login, "changed": True})
    output.say(f"{login} is changed, and signed out everywhere.")


@user.command("link")
def link(
    ctx: typer.Context,
    login: Login,
    address: Annotated[str, typer.Option(help="Where the console is reached.")] = "http://127.0.0.1:8017",
) -> None:
    """A link that signs this person in once, within a day: an invitation, or when a password is forgotten."""
    from datetime import timedelta

    from onefold.cli.commands_hub import login_name
    from onefold.steps.accounts import sign_in_link

    with opened(ctx) as (context, output):
        made = address.rstrip("/") + sign_in_link(context, login, by=login_name(), valid_for=timedelta(days=1))
    output.data({"login": login, "link": made})
    output.say(made)


@user.command("list")
def list_users(ctx: typer.Context) -> None:
    """Who may sign in, as what, and when they were last seen."""
    from onefold.steps.accounts import users

    with opened(ctx) as (context, output):
        found = users(context)
    output.data(found)
    output.table(
        ("login", "role", "sees", "password", "active", "made by", "last seen"),
        [
            (
                one["login"],
                one["role"],
                "values" if one["sees_values"] else "masks",
                "set" if one["has_password"] else "none",
                "yes" if one["is_active"] else "no",
                one["created_by"],
                (one["seen_at"] or "")[:16],
            )
            for one in found
        ],
    )


def _role(role: str) -> str:
    from onefold.errors import UsageError
    from warehouse.accounts import ROLES

    if role not in ROLES:
        raise UsageError(f"There is no role {role}.", f"They are {', '.join(ROLES)}.")
    return role


def _password(is_from_input: bool) -> str:
    import getpass
    import sys

    from onefold.errors import UsageError

    if is_from_input:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise UsageError("There is nobody to ask for a password.", "Give it on standard input: --password-stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise UsageError("These were two different passwords.")
    return first

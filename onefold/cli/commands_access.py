"""`onefold db grant|revoke|grants`: which readers see which departments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.commands_db import db
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.grant import Grants

Role = Annotated[str, typer.Argument(help="A role of the database: a login, or a group of logins.")]
Departments = Annotated[
    list[str], typer.Option("--department", "-d", help="A department of sources and interaction types; repeatable.")
]


@db.command()
def grant(ctx: typer.Context, role: Role, department: Departments) -> None:
    """Let a role read the served views, and see the clients and interactions of these departments.

    It counts where hub.yaml says `row_security: true`; else every reader sees everything.

    Example: onefold db grant anna --department sales --department service
    """
    from onefold.steps.grant import grant as step

    with opened(ctx) as (context, output):
        found = step(context, role, department)
    show_grants(output, found)


@db.command()
def revoke(ctx: typer.Context, role: Role, department: Departments) -> None:
    """Take departments from a role. It may still read the served views, and sees what is left to it.

    Example: onefold db revoke anna --department service
    """
    from onefold.steps.grant import revoke as step

    with opened(ctx) as (context, output):
        found = step(context, role, department)
    show_grants(output, found)


@db.command()
def grants(ctx: typer.Context) -> None:
    """Which roles see which departments, and whether that counts now."""
    from onefold.steps.grant import grants as step

    with opened(ctx) as (context, output):
        found = step(context)
    show_grants(output, found)


def show_grants(output: Output, found: Grants) -> None:
    """Roles with their departments."""
    output.data(found.as_dict())
    if not found.row_security:
        output.say("Every reader sees everything now: hub.yaml does not say `row_security: true`.", style="yellow")
    output.table(("role", "departments"), [(role, ", ".join(names)) for role, names in found.roles.items()])

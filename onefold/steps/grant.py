"""grant, revoke, grants: which roles of the database see which departments, where hub.yaml holds readers to theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.errors import NothingFound
from onefold.steps.report import Report
from onefold.steps.rules import departments
from warehouse import row_security

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class Grants(Report):
    """Who sees which departments; without `row_security` in hub.yaml everybody who reads sees everything."""

    row_security: bool
    roles: dict[str, list[str]]


def grant(context: Context, role: str, names: Sequence[str]) -> Grants:
    """Let a role of the database read the served views, and see these departments where readers are held to theirs.

    NothingFound: there is no such role, or no such department.
    """
    with context.connection("onefold db grant") as conn:
        row_security.apply(conn, context.configuration.hub.row_security, departments(context))
        try:
            for name in names:
                row_security.grant_department(conn, role, name)
        except row_security.UnknownRoleError as error:
            hint = f'Make it first: onefold db psql -- -c "CREATE ROLE {role} LOGIN PASSWORD ..."'
            raise NothingFound(f"{error}.", hint) from None
        except row_security.UnknownDepartmentError as error:
            raise NothingFound(f"{error}.", "Departments stand in sources and in interactions.yaml.") from None
    return grants(context)


def revoke(context: Context, role: str, names: Sequence[str]) -> Grants:
    """Take departments from a role. NothingFound: it did not have one of them."""
    with context.connection("onefold db revoke") as conn:
        for name in names:
            if not row_security.revoke_department(conn, role, name):
                raise NothingFound(f"{role} does not see the department {name}.", "onefold db grants")
    return grants(context)


def grants(context: Context) -> Grants:
    """Who sees what now."""
    roles: dict[str, list[str]] = {}
    with context.connection("onefold db grants") as conn:
        for role, department in row_security.scopes(conn):
            roles.setdefault(role, []).append(department)
        return Grants(row_security.is_on(conn), roles)

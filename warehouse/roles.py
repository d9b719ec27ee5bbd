"""The database roles of one hub: who owns the served views, who reads them, who decides, who writes.

Roles belong to the whole PostgreSQL server, so their names begin with the database's: hub `clients` has
`clients_owner`, `clients_reader`, `clients_steward` and `clients_writer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import psycopg
from psycopg import errors, sql

from warehouse.connect import unit_of_work
from warehouse.server.folders import password_file, read_or_make_secret
from warehouse.sql import sql as statement

SERVED_SCHEMA: Final = "onefold_v1"
SERVED_SCHEMAS: Final = (SERVED_SCHEMA, "onefold_v1_asof")
"""What readers see: the contract, and the same as it was known at an earlier time where that is there."""
INNER_SCHEMAS: Final = ("raw", "identity", "core", "ops")
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class RoleNames:
    """The roles of one hub."""

    owner: str
    """Cannot log in; owns the served views, and reads for them."""
    reader: str
    """Logs in with a password; SELECT on the served schema only. For BI, notebooks, other services."""
    steward: str
    """Cannot log in itself, is granted to people: reads everything, decides through the console."""
    writer: str
    """Cannot log in itself, is granted to services that run the hub's steps."""

    def all(self) -> tuple[str, str, str, str]:
        """The four of them."""
        return self.owner, self.reader, self.steward, self.writer


@dataclass(frozen=True, slots=True)
class RoleReport:
    """What `ensure_roles` and `grant_served` found and did; `notes` are sentences for an administrator."""

    names: RoleNames
    created: Sequence[str] = ()
    missing: Sequence[str] = ()
    """Roles that do not exist because we may not create them."""
    notes: Sequence[str] = ()

    @property
    def is_complete(self) -> bool:
        """All four roles are there."""
        return not self.missing


def role_names(database: str) -> RoleNames:
    """The roles of the hub in this database; a long name is cut to what PostgreSQL keeps."""
    prefix = database
    room = _LONGEST_NAME - len("_steward")
    if len(database.encode()) > room:
        digest = blake2b(database.encode(), digest_size=4).hexdigest()
        prefix = database.encode()[: room - 9].decode(errors="ignore") + "_" + digest
    return RoleNames(*(f"{prefix}_{part}" for part in ("owner", "reader", "steward", "writer")))


def ensure_roles(conn: psycopg.Connection, secrets: Path | None = None) -> RoleReport:
    """Create the hub's roles where they are missing; safe to repeat and from several processes at once.

    `secrets` is a folder where the reader's password is kept (`<role>.password`, mode 0600) and generated if
    need be; without it a new reader has no password, and a note says how to give it one. Where creating roles
    is not permitted nothing fails: the report names what is missing and the statements an administrator runs.
    """
    names = role_names(conn.info.dbname)
    with unit_of_work(conn):
        conn.execute(statement("roles.lock"))
        me, is_superuser, may_create, present = _state(conn, names)
        missing = [name for name in names.all() if name not in present]
        if missing and not (is_superuser or may_create):
            return RoleReport(names, missing=tuple(missing), notes=(_request(me, names, missing),))
        for name in missing:
            conn.execute(sql.SQL(_creation(names, name)).format(sql.Identifier(name)))
        if not is_superuser and missing:
            # To hand the views over, PostgreSQL wants us to be a member of the new owner.
            conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(names.owner), sql.Identifier(me)))
        notes = _give_password(conn, names.reader, secrets, is_new=names.reader in missing)
        grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(conn.info.dbname), _identifiers(names.all())
        )
        if missing:
            conn.execute(grant)
    return RoleReport(names, created=tuple(missing), notes=notes)


def grant_served(conn: psycopg.Connection) -> RoleReport:
    """Give each role its rights on what the migrations made, and the served views their owner.

    Call it after `ensure_roles` and after each migration; repeating it changes nothing. While roles are
    missing it does nothing, and the report names them.
    """
    names = role_names(conn.info.dbname)
    with unit_of_work(conn):
        conn.execute(statement("roles.lock"))
        me, _, _, present = _state(conn, names)
        missing = [name for name in names.all() if name not in present]
        if missing:
            return RoleReport(names, missing=tuple(missing), notes=(_request(me, names, missing),))
        existing = {
            name
            for (name,) in conn.execute(
                "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY (%s)",
                [[*SERVED_SCHEMAS, *INNER_SCHEMAS]],
            )
        }
        try:
            with conn.transaction():
                for schema in (name for name in INNER_SCHEMAS if name in existing):
                    _run_script(conn, "roles.grant_inner", names, schema)
                if conn.execute(statement("roles.has_tokens")).fetchone() == (True,):
                    _run_script(conn, "roles.hide_tokens", names, "ops")
                is_held = conn.execute(statement("row_security.is_on")).fetchone() == (True,)
                for schema in (name for name in SERVED_SCHEMAS if name in existing):
                    _run_script(conn, "roles.grant_served", names, schema)
                    if is_held:
                        _run_script(conn, "roles.withhold_new", names, schema)
                    hand_over_views(conn, schema)
        except errors.InsufficientPrivilege:
            note = f"{me} does not own the hub's tables or may not grant them; run the migrations as their owner"
            return RoleReport(names, notes=(note,))
    return RoleReport(names)


def drop_roles(conn: psycopg.Connection, database: str) -> None:
    """Remove the roles of a database that was dropped; `conn` is to another database of the same server."""
    with unit_of_work(conn):
        for name in role_names(database).all():
            conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _state(conn: psycopg.Connection, names: RoleNames) -> tuple[str, bool, bool, list[str]]:
    row = conn.execute(statement("roles.state"), {"names": list(names.all())}).fetchone()
    assert row is not None
    return row[0], row[1], row[2], row[3]


def _creation(names: RoleNames, name: str) -> str:
    rights = "LOGIN" if name == names.reader else "NOLOGIN"
    return f"CREATE ROLE {{}} {rights} NOSUPERUSER NOCREATEDB NOCREATEROLE"


def _give_password(conn: psycopg.Connection, reader: str, secrets: Path | None, *, is_new: bool) -> tuple[str, ...]:
    if secrets is None:
        note = f'the role {reader} has no password yet; give it one: ALTER ROLE "{reader}" PASSWORD …'
        return (note,) if is_new else ()
    file = password_file(secrets, reader)
    if file.exists() and not is_new:
        return ()
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_new:
        return (
            f"the role {reader} exists, and its password is not kept in {secrets};"
            " put it there or let an administrator set a new one",
        )
    # Hashed here, so that the password itself reaches no log.
    password = read_or_make_secret(file)
    verifier = conn.pgconn.encrypt_password(password.encode(), reader.encode(), b"scram-sha-256").decode()
    change = sql.SQL("ALTER ROLE {} PASSWORD {}")
    conn.execute(change.format(sql.Identifier(reader), sql.Literal(verifier)))
    return ()


def hand_over_views(conn: psycopg.Connection, name: str) -> None:
    """Make the owner role the owner of all views of a schema."""
    names = role_names(conn.info.dbname)
    views = conn.execute(statement("roles.views_to_own"), {"schema": name, "owner": names.owner}).fetchall()
    if not views:
        return
    schema, owner = sql.Identifier(name), sql.Identifier(names.owner)
    # A new owner must be allowed to create in the schema, at the moment of the change only.
    conn.execute(sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(schema, owner))
    for (view,) in views:
        conn.execute(sql.SQL("ALTER VIEW {} OWNER TO {}").format(sql.Identifier(name, view), owner))
    conn.execute(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM {}").format(schema, owner))


def _request(me: str, names: RoleNames, missing: Sequence[str]) -> str:
    statements = "; ".join(_creation(names, name).format(f'"{name}"') for name in missing)
    return (
        f"{me} may not create roles. Ask an administrator of the server to run: {statements};"
        f' GRANT "{names.owner}" TO "{me}"'
    )


def _run_script(conn: psycopg.Connection, name: str, names: RoleNames, schema: str) -> None:
    roles = {part: sql.Identifier(getattr(names, part)) for part in ("owner", "reader", "steward", "writer")}
    conn.execute(statement(name).format(schema=sql.Identifier(schema), **roles))


def _identifiers(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))

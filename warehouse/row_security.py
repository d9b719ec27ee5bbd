"""Row-level security of what readers see: by departments, off unless hub.yaml turns it on.

The served views belong to a role that may not log in and is bound by policies; a policy asks `current_user`, which is
who reads the view. Every table of the hub gets one, and a table that nobody thought of shows nothing: a new table
never leaks. Views are barriers, so that no function in a reader's WHERE sees a row before the policies have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from warehouse import client_scopes, fingerprints
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work
from warehouse.keys import fingerprint
from warehouse.roles import INNER_SCHEMAS, SERVED_SCHEMAS, grant_served, hand_over_views, role_names
from warehouse.sql import qualified, sql
from warehouse.version import packaged_revision

_SOURCES: Final = "(SELECT core.scope_sources(current_user))::text[]"
_TYPES: Final = "(SELECT core.scope_types(current_user))::text[]"
_MARKS: Final = "(SELECT core.scope_marks(current_user))::text[]"
# What is looked up has policies of its own, which the lookup is held to. As a plain EXISTS the planner may ask row by
# row for a few, and once for all.
_CLIENT: Final = "EXISTS (SELECT FROM core.client_scope AS s WHERE s.client_id = {of})"
_FACT: Final = "EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = {of})"
_LINKED: Final = "EXISTS (SELECT FROM identity.crosswalk AS x WHERE x.record_id = {of})"
_PARTY: Final = "EXISTS (SELECT FROM identity.standard_record AS r WHERE r.record_id = {of})"
_METRIC: Final = "EXISTS (SELECT FROM core.metric AS m WHERE m.metric = {of} AND m.types <@ " + _TYPES + ")"
_CONCERN: Final = "EXISTS (SELECT FROM core.concern AS c WHERE c.concern = {of} AND c.types <@ " + _TYPES + ")"
_RECORD: Final = f"({_PARTY} OR {_FACT} OR {_LINKED})"
_SOURCE: Final = "source = ANY (" + _SOURCES + ")"

POLICIES: Final[Mapping[str, str]] = {
    # Says nothing of any client.
    **dict.fromkeys(
        ("core.attribute", "core.interaction_type", "core.interaction_field", "core.exchange_rate",
         "core.reporting", "core.need", "core.need_signal", "core.need_rate", "core.segment_scheme", "core.segment",
         "core.segment_mirror",
         "core.metric", "core.loyalty", "core.loyalty_band",
         "ops.run", "ops.hold", "ops.hub_clock", "ops.notice",
         "ops.alembic_version", "ops.pending"),
        "true",
    ),
    "core.client_scope": "scope && " + _MARKS,
    "core.interaction": "type = ANY (" + _TYPES + ")",
    "core.interaction_version": "(version ->> 'type') = ANY (" + _TYPES + ")",
    "core.interaction_line": _FACT.format(of="interaction_line.record_id"),
    "core.client_need_evidence": _FACT.format(of="client_need_evidence.record_id"),
    # What is found, or not found, among dealings that a reader may not see would tell of them; SQL may look at any.
    "core.concern": "types <@ " + _TYPES,
    "core.concern_raise": _CONCERN.format(of="concern_raise.concern"),
    "core.concern_row": _CONCERN.format(of="concern_row.concern")
    + " AND (client_id IS NULL OR " + _CLIENT.format(of="concern_row.client_id") + ")"
    + " AND (record_id IS NULL OR " + _FACT.format(of="concern_row.record_id") + ")",
    # What is measured of dealings that a reader may not see would tell of them.
    "core.client_metric_month": _CLIENT.format(of="client_metric_month.client_id")
    + " AND " + _METRIC.format(of="client_metric_month.metric"),
    "core.metric_value": _METRIC.format(of="metric_value.metric"),
    "core.promise": _FACT.format(of="promise.record_id"),
    "core.relationship": _RECORD.format(of="relationship.from_record_id")
    + " AND " + _RECORD.format(of="relationship.to_record_id"),
    "core.relationship_version": _RECORD.format(of="(relationship_version.version ->> 'from_record_id')::bigint")
    + " AND " + _RECORD.format(of="(relationship_version.version ->> 'to_record_id')::bigint"),
    "identity.standard_record": f"{_SOURCE} OR {_LINKED} OR {_FACT}".format(of="standard_record.record_id"),
    "ops.reject": _SOURCE,
    "ops.source_fix": _SOURCE,
    "ops.source_fix_week": _SOURCE,
    "ops.reconciliation": _SOURCE,
    "ops.reconciliation_row": _SOURCE,
    "ops.register_overlap": "ARRAY[register_a, register_b] <@ " + _SOURCES,
    "ops.register_combination": "registers <@ " + _SOURCES,
    # Secrets and free text that no view shows.
    **dict.fromkeys(
        ("ops.source_token", "ops.account", "ops.session", "ops.sign_in_link", "ops.sign_in_failure", "ops.api_token",
         "ops.case_desk", "ops.case_event", "ops.case_proposal", "ops.case_repeat", "ops.case_batch",
         "ops.guard_override", "ops.segment_use"),
        "false",
    ),
}  # fmt: skip
"""Which rows of a table a reader sees through a view. Of others the rows of clients, or else of records, in its scope;
none where a table has neither."""

_NAME: Final = "row_security"


class UnknownRoleError(Exception):
    """There is no such role on the server."""


class UnknownDepartmentError(Exception):
    """No source and no interaction type is of that department."""


def is_on(conn: psycopg.Connection[Any]) -> bool:
    """Whether readers are held to their departments now."""
    row = conn.execute(sql("row_security.is_on")).fetchone()
    return row is not None and bool(row[0])


def is_as_wanted(conn: psycopg.Connection[Any], wanted: bool, departments: Mapping[str, str]) -> bool:
    """Whether `apply` would find nothing to do. A hub that never had it, and wants none, is asked nothing further."""
    stored = fingerprints.stored(conn, "rules").get(_NAME)
    if stored is None:
        return not wanted
    return stored == _state(wanted, departments) and not (wanted and _leaky_views(conn))


def apply(conn: psycopg.Connection[Any], wanted: bool, departments: Mapping[str, str]) -> bool:
    """Hold readers to their departments (source -> department), or no longer. True if that changed anything.

    A change of policies waits for whoever reads the tables at the moment. Readers without a granted department see no
    client at all then.
    """
    if is_as_wanted(conn, wanted, departments):
        return False
    with unit_of_work(conn):
        # In the order in which publish takes them.
        hub_lock(conn)
        conn.execute(sql("served.lock"))
        if fingerprints.stored(conn, "rules").get(_NAME) != _state(wanted, departments):
            _store_departments(conn, departments)
            # While readers still read: the policies then keep them waiting for a moment only.
            client_scopes.ensure(conn) if wanted else client_scopes.forget(conn)
            tables = conn.execute(sql("row_security.tables"), {"schemas": list(INNER_SCHEMAS)}).fetchall()
            for table, columns in tables:
                _set_policy(conn, table, columns, wanted)
            fingerprints.remember(conn, "rules", {_NAME: _state(wanted, departments)})
        _set_barriers(conn, wanted)
    grant_served(conn)
    return True


def apply_again(conn: psycopg.Connection[Any]) -> None:
    """After a migration: what is new is held to departments too, where readers are."""
    if is_on(conn):
        apply(conn, True, dict(conn.execute(sql("row_security.departments")).fetchall()))


def condition_of(table: str, columns: Sequence[str]) -> str:
    """Which rows of a table with these columns are in a reader's scope, in SQL."""
    if (known := POLICIES.get(table)) is not None:
        return known
    name = table.rpartition(".")[2]
    if "client_id" in columns:
        return _CLIENT.format(of=f"{name}.client_id")
    return _RECORD.format(of=f"{name}.record_id") if "record_id" in columns else "false"


def grant_department(conn: psycopg.Connection[Any], role: str, department: str) -> None:
    """Let a role of the server read the served views, and of them what is of a department.

    Raises UnknownRoleError, UnknownDepartmentError.
    """
    with unit_of_work(conn):
        _check(conn, role, department)
        names = role_names(conn.info.dbname)
        if role != names.reader:
            conn.execute(SQL("GRANT {} TO {}").format(Identifier(names.reader), Identifier(role)))
        conn.execute(sql("row_security.grant_department"), {"role": role, "department": department})


def revoke_department(conn: psycopg.Connection[Any], role: str, department: str) -> bool:
    """Take a department from a role; False if it did not have it. It may still log in, and sees what is left to it."""
    with unit_of_work(conn):
        parameters = {"role": role, "department": department}
        return conn.execute(sql("row_security.revoke_department"), parameters).rowcount > 0


def move_scopes(conn: psycopg.Connection[Any], old: str, new: str) -> None:
    """What the reader of a hub in the database `old` was granted, for the one in `new`: their names tell databases."""
    names = {"old": role_names(old).reader, "new": role_names(new).reader}
    if names["old"] != names["new"]:
        conn.execute(sql("row_security.move_scopes"), names)


def scopes(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Role and department, by name."""
    return conn.execute(sql("row_security.scopes")).fetchall()


def _check(conn: psycopg.Connection[Any], role: str, department: str) -> None:
    exists = conn.execute(sql("row_security.role_exists"), {"role": role}).fetchone()
    if exists is None or not exists[0]:
        raise UnknownRoleError(f"there is no role {role} on the server")
    known = [row[0] for row in conn.execute(sql("row_security.known_departments"))]
    if department not in known:
        raise UnknownDepartmentError(f"there is no department {department}; there are: {', '.join(known) or 'none'}")


def _state(wanted: bool, departments: Mapping[str, str]) -> UUID:
    said = [wanted, sorted(departments.items()), packaged_revision(), sorted(POLICIES.items())] if wanted else [False]
    return UUID(fingerprint(repr(said)))


def _leaky_views(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    owner = role_names(conn.info.dbname).owner
    parameters = {"schemas": [*INNER_SCHEMAS, *SERVED_SCHEMAS], "owner": owner}
    return conn.execute(sql("row_security.leaky_views"), parameters).fetchall()


def _set_policy(conn: psycopg.Connection[Any], table: str, columns: Sequence[str], wanted: bool) -> None:
    name = qualified(table)
    conn.execute(sql("row_security.forget_policy").format(table=name))
    if not wanted:
        conn.execute(sql("row_security.disable").format(table=name))
        return
    # The conditions are ours, and a packaged text is what SQL() asks for.
    condition = SQL(condition_of(table, columns))
    conn.execute(sql("row_security.make_policy").format(table=name, condition=condition))
    conn.execute(sql("row_security.enable").format(table=name))


def _set_barriers(conn: psycopg.Connection[Any], wanted: bool) -> None:
    schemas = [*INNER_SCHEMAS, *SERVED_SCHEMAS]
    if not wanted:
        for view in conn.execute(sql("row_security.barred_views"), {"schemas": schemas}).fetchall():
            conn.execute(sql("row_security.reset_barrier").format(view=Identifier(*view)))
        return
    for schema in schemas:
        hand_over_views(conn, schema)
    for view in _leaky_views(conn):
        conn.execute(sql("row_security.set_barrier").format(view=Identifier(*view)))


def _store_departments(conn: psycopg.Connection[Any], departments: Mapping[str, str]) -> None:
    if dict(conn.execute(sql("row_security.departments")).fetchall()) == dict(departments):
        return
    conn.execute(sql("row_security.forget_departments"))
    parameters = {"sources": list(departments), "departments": list(departments.values())}
    conn.execute(sql("row_security.store_departments"), parameters)

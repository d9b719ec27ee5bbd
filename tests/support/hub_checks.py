"""What must hold of a hub after every operation, and what a hub made from scratch must have too."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final

import psycopg

from tests.support.hub import Hub
from tests.support.operations import KEYS, Machine
from warehouse import judgements as stored
from warehouse import queue
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import connect, unit_of_work
from warehouse.dump import canonical_dump
from warehouse.keys import record_id

STATELESS: Final = (
    "identity.standard_record", "identity.identifier", "identity.blocking_key", "identity.key_list", "identity.pair", "identity.point",
    "identity.refused_block", "identity.generic_value", "identity.generic_holder", "identity.accepted_value", "identity.document_key",
    "identity.document_twin", "identity.shared_document", "core.document_link",
)  # fmt: skip
"""Tables that follow from the records alone, bear no client ids and keep no history."""
# Each gives rows that must not be; the last two hold once nothing waits.
ALWAYS: Final = {
    "a version of a client begins before the one before it ends": """
        SELECT client_id FROM (SELECT client_id, valid_to, lead(valid_from) OVER w AS next, count(*) FILTER (WHERE valid_to IS NULL)
            OVER (PARTITION BY client_id) AS open FROM core.client_history WINDOW w AS (PARTITION BY client_id ORDER BY valid_from)) AS h
        WHERE next < valid_to OR (next IS NOT NULL AND valid_to IS NULL) OR open <> 1""",
    "a link of a record begins before the one before it ends": """
        SELECT record_id FROM (SELECT record_id, valid_to, lead(valid_from) OVER w AS next FROM identity.crosswalk_history
            WINDOW w AS (PARTITION BY record_id ORDER BY valid_from)) AS h
        WHERE next < valid_to OR (next IS NOT NULL AND valid_to IS NULL)""",
    "the history of links ends elsewhere than the links": """
        SELECT record_id FROM identity.crosswalk AS x FULL JOIN
            (SELECT record_id, client_id FROM identity.crosswalk_history WHERE valid_to IS NULL) AS h USING (record_id)
        WHERE x.client_id IS DISTINCT FROM h.client_id""",
    "a record has a client id that the ledger does not hold for living": """
        SELECT x.record_id FROM identity.crosswalk AS x LEFT JOIN LATERAL (SELECT event FROM identity.client_id_ledger AS l
            WHERE l.client_id = x.client_id ORDER BY id DESC LIMIT 1) AS e ON true
        WHERE e.event IS NULL OR e.event NOT IN ('mint', 'revive')""",
    "a client id of the ledger is living and has no record": """
        SELECT client_id FROM (SELECT DISTINCT ON (client_id) client_id, event FROM identity.client_id_ledger ORDER BY client_id, id DESC)
            AS l WHERE event IN ('mint', 'revive') AND client_id NOT IN (SELECT client_id FROM identity.crosswalk)""",
    "a redirect of the ledger does not end at a living client": """
        WITH RECURSIVE last AS (SELECT DISTINCT ON (client_id) client_id, event, target_client_id FROM identity.client_id_ledger
            ORDER BY client_id, id DESC), way AS (
            SELECT client_id, event, target_client_id, 0 AS steps FROM last WHERE event = 'redirect'
            UNION ALL SELECT w.client_id, l.event, l.target_client_id, w.steps + 1 FROM way AS w JOIN last AS l
            ON l.client_id = w.target_client_id WHERE w.event = 'redirect' AND w.steps < 50)
        SELECT client_id FROM way GROUP BY client_id HAVING NOT bool_or(event <> 'redirect')""",
    "events are not numbered in the order of time": """
        SELECT id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM ops.change_event) AS e WHERE at < before""",
}
PUBLISHED: Final = {
    "a record has no client": """
        SELECT record_id FROM identity.standard_record AS r FULL JOIN identity.crosswalk AS x USING (record_id)
        WHERE r.record_id IS NULL OR x.record_id IS NULL""",
    "a client is served otherwise than it is linked": """
        SELECT client_id FROM (SELECT client_id, count(*) AS records FROM identity.crosswalk GROUP BY 1) AS x
        FULL JOIN (SELECT client_id, record_count FROM core.client WHERE NOT is_deleted) AS c USING (client_id)
        WHERE records IS DISTINCT FROM record_count""",
    "a client id that was redirected leads to nobody": """
        SELECT old_client_id FROM onefold_v1.xref_client_redirect AS r LEFT JOIN core.client AS c ON c.client_id = r.client_id
        WHERE NOT r.is_deleted AND c.is_deleted IS NOT false""",
    "a fact is with another client than its party": """
        SELECT i.record_id FROM core.interaction AS i JOIN identity.crosswalk AS x ON x.record_id = i.party_record_id
        WHERE NOT i.is_deleted AND i.client_id IS DISTINCT FROM x.client_id
            AND NOT EXISTS (SELECT FROM identity.former_record AS f WHERE f.record_id = i.party_record_id)""",
}
SERVED: Final = """
    SELECT 'client ' || client_id, client_id::text, md5((to_jsonb(t) - 'changed_seq')::text), changed_seq FROM onefold_v1.dim_party AS t
    UNION ALL
    SELECT 'fact ' || record_id, NULL, md5((to_jsonb(t) - 'changed_seq')::text), changed_seq FROM onefold_v1.fct_interaction AS t"""
WAITING: Final = "SELECT count(*) FROM ops.pending"


class Watch:
    """Looks at a hub after every operation."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._ids: set[str] = set()
        self._served: dict[str, tuple[str | None, str, int]] = {}
        self._last = 0
        self._remember()

    def look(self, machine: Machine) -> None:
        """AssertionError with what does not hold."""
        conn, is_quiet = self._conn, self._one(WAITING) == 0
        for said, query in {**ALWAYS, **(PUBLISHED if is_quiet else {})}.items():
            wrong = conn.execute(query).fetchall()
            assert not wrong, f"{said}: {wrong[:3]}"
        before, last, known = self._served, self._last, self._ids
        self._remember()
        assert known <= self._ids, f"client ids are lost: {sorted(known - self._ids)[:3]}"
        changed = {
            name
            for name in before.keys() | self._served.keys()
            if before.get(name, "")[1:2] != self._served.get(name, "")[1:2]
        }
        events = {row[0] for row in conn.execute("SELECT client_id::text FROM ops.change_event WHERE id > %s", [last])}
        for name in changed:
            assert name in self._served, f"{name} is served no longer, without a mark"
            client, _, seq = self._served[name]
            assert seq > last, f"{name} has changed without a number: {seq}, and {last} was known"
            assert client is None or client in events, f"{name} has changed without an event"
        if is_quiet:
            found = self._one("SELECT coalesce(sum(amount), 0) FROM onefold_v1.fct_interaction WHERE NOT is_deleted")
            assert found == machine.revenue(), f"revenue is {found}, and {machine.revenue()} was sold"

    def _remember(self) -> None:
        self._served = {name: (client, print_, seq) for name, client, print_, seq in self._conn.execute(SERVED)}
        self._last = self._one("SELECT coalesce(max(id), 0) FROM ops.change_event")
        self._ids = {
            row[0] for row in self._conn.execute("SELECT DISTINCT client_id::text FROM identity.client_id_ledger")
        }

    def _one(self, query: str) -> Any:
        row = self._conn.execute(query).fetchone()
        assert row is not None
        return row[0]


def landed(conn: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """The records in force as they landed, by register."""
    found: dict[str, list[Any]] = defaultdict(list)
    rows = conn.execute(
        "SELECT source || '_' || stream, payload FROM raw.record WHERE NOT is_deleted ORDER BY source_key COLLATE \"C\""
    )
    for register, payload in rows:
        found[register].append(payload)
    return {register: found[register] for register in KEYS}


def is_suspended(conn: psycopg.Connection[Any]) -> bool:
    """Whether a judged record has become somebody else: whom it was stands beside it, and the records alone say no more who is who."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM identity.former_record) OR EXISTS (SELECT FROM identity.judged_record WHERE is_suspended)"
    )
    found = row.fetchone()
    return found is not None and bool(found[0])


def known(conn: psycopg.Connection[Any], without: Collection[tuple[str, str]] = ()) -> dict[str, Any]:
    """What a hub knows, client ids aside: clients as sets of records with their golden values and lineage, what happened with whom, open
    questions, relationships, and the tables that follow from the records; `without` facts of erased persons."""
    names = dict(
        conn.execute(
            "SELECT record_id, source || ':' || stream || ':' || source_key FROM identity.standard_record"
        ).fetchall()
    )
    sets: dict[Any, set[str]] = defaultdict(set)
    for record, client in conn.execute("SELECT record_id, client_id FROM identity.crosswalk"):
        sets[client].add(names.get(record, str(record)))
    clients = {
        tuple(sorted(sets[row[0]])): row[1:]
        for row in conn.execute(
            "SELECT client_id, kind, role, display_name, attributes, lineage, record_count FROM core.client WHERE NOT is_deleted"
        )
    }
    facts = [
        (key, tuple(sorted(sets[client])) if client in sets else None, *rest)
        for register, key, client, *rest in conn.execute(
            "SELECT source || '_' || stream, source_key, client_id, type, amount, occurred_on, is_counted, counted_by FROM onefold_v1.fct_interaction"
            " WHERE NOT is_deleted ORDER BY source, source_key"
        )
        if (register, key) not in without
    ]
    tables = canonical_dump(conn, STATELESS)
    return {
        "clients": clients,
        "facts": facts,
        "cases": sorted(
            map(
                repr,
                conn.execute(
                    "SELECT kind, record_ids, weight, evidence FROM identity.review_case WHERE status = 'open'"
                ),
            ),
            key=str,
        ),
        "relationships": sorted(
            conn.execute(
                "SELECT from_record_id, to_record_id, type, coalesce(role, '') FROM core.relationship WHERE NOT is_deleted"
            ).fetchall()
        ),
        **tables,
        "core.document_link": _links(tables["core.document_link"], without),
    }


def _links(rows: list[str], without: Collection[tuple[str, str]]) -> list[str]:
    """Links of documents, but for those with one of an erased person: it stays under the bare id, and a hub that is made
    from scratch has never seen it."""
    gone = {record_id(*register.split("_", 1), key) for register, key in without}
    ends = ("left_record_id", "right_record_id")
    return [row for row in rows if not any(json.loads(row)[end] in gone for end in ends)]


def made_anew(machine: Machine, hub: Hub, old: psycopg.Connection[Any]) -> dict[str, Any]:
    """What a hub knows that is given the same records, model and judgements at once."""
    from onefold.steps.publish import publish
    from onefold.steps.resolve import resolve
    from onefold.steps.run import enabled_sources
    from onefold.steps.standardise import standardise
    from onefold.steps.sync import sync

    for register, records in machine.standing().items():
        hub.write(register, records)
    with hub.context() as context, connect(hub.database_url, application_name="drill") as conn:
        with (
            old.cursor().copy("COPY identity.model TO STDOUT") as model,
            conn.cursor().copy("COPY identity.model FROM STDIN") as copy,
        ):
            for data in model:
                copy.write(data)
        for source in enabled_sources(context):
            sync(context, source)
        standardise(context)
        there = {row[0] for row in conn.execute("SELECT record_id FROM identity.standard_record")}
        with unit_of_work(conn):
            hub_lock(conn)
            for said in stored.in_force(old):
                # One side may be gone: the other is judged all the same, and stands by itself.
                if there & {*said.left_ids, *said.right_ids}:
                    again = stored.Judgement(said.verdict, said.left_ids, said.right_ids)
                    stored.add(conn, again, by="drill", at=next_as_of(conn, context.clock))
                    queue.enqueue(conn, "resolve", sorted(there & {*said.left_ids, *said.right_ids}))
        resolve(context)
        publish(context)
        return known(conn)


def differences(left: dict[str, Any], right: dict[str, Any]) -> str:
    """Where two hubs differ, shortly; empty: nowhere."""
    found = []
    for part, value in left.items():
        if value == right[part]:
            continue
        mine, its = (set(map(repr, one.items() if isinstance(one, dict) else one)) for one in (value, right[part]))
        found.append(
            f"{part}: only after the operations {sorted(mine - its)[:2]}, only from scratch {sorted(its - mine)[:2]}"
        )
    return "; ".join(found)

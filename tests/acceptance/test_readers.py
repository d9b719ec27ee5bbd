"""Everything at once, for a while: sync, standardise, resolve, publish and judgements; no reader ever sees half of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from onefold.errors import OnefoldError
from onefold.steps.judge import judge, lift
from onefold.steps.publish import publish
from onefold.steps.resolve import resolve
from onefold.steps.standardise import standardise
from onefold.steps.sync import sync
from tests.acceptance.conftest import fill
from tests.acceptance.test_changes import processes
from tests.support.hub import CRM, Hub
from warehouse import judgements, queue
from warehouse.clock import one_moment
from warehouse.connect import connect

SECONDS = 10.0
PERSONS = 40
WORK = """
import sys
from tests.acceptance.test_readers import work
work(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
"""
NEVER = {
    "a fact of a client that is not there, or is gone": """
        SELECT f.record_id FROM onefold_v1.fct_interaction AS f
        WHERE f.client_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM onefold_v1.dim_party AS p WHERE p.client_id = f.client_id AND NOT p.is_deleted)
    """,
    "a record of a client that is not there, or is gone": """
        SELECT x.record_id FROM onefold_v1.xref_client_record AS x
        WHERE NOT x.is_deleted
            AND NOT EXISTS (SELECT FROM onefold_v1.dim_party AS p WHERE p.client_id = x.client_id AND NOT p.is_deleted)
    """,
    "a client without a record": """
        SELECT p.client_id FROM onefold_v1.dim_party AS p
        WHERE NOT p.is_deleted AND NOT EXISTS (
            SELECT FROM onefold_v1.xref_client_record AS x WHERE x.client_id = p.client_id AND NOT x.is_deleted
        )
    """,
    "a fact with another client than its record": """
        SELECT f.record_id FROM onefold_v1.fct_interaction AS f
        JOIN onefold_v1.xref_client_record AS x ON x.record_id = f.party_record_id AND NOT x.is_deleted
        WHERE f.client_id IS DISTINCT FROM x.client_id
    """,
    "two rows of one record": """
        SELECT record_id FROM onefold_v1.fct_interaction GROUP BY 1 HAVING count(*) > 1
        UNION ALL SELECT record_id FROM onefold_v1.xref_client_record GROUP BY 1 HAVING count(*) > 1
    """,
    "a row that has no number": """
        SELECT record_id FROM onefold_v1.fct_interaction WHERE changed_seq IS NULL
        UNION ALL SELECT record_id FROM onefold_v1.xref_client_record WHERE changed_seq IS NULL
        UNION ALL SELECT record_id FROM onefold_v1.bridge_relationship WHERE changed_seq IS NULL
    """,
    "an order whose number and amount are of different versions": """
        SELECT record_id FROM onefold_v1.fct_interaction
        WHERE source = 'erp' AND document_number <> source_key || '/' || amount::bigint
    """,
    "a merged client that still stands, or one that is gone and leads to itself": """
        SELECT r.old_client_id FROM onefold_v1.xref_client_redirect AS r
        JOIN onefold_v1.dim_party AS p ON p.client_id = r.old_client_id
        WHERE NOT r.is_deleted AND (NOT p.is_deleted OR r.client_id = r.old_client_id)
    """,
    "a client with two versions in force, or none": """
        SELECT p.client_id FROM onefold_v1.dim_party AS p
        WHERE (SELECT count(*) FROM onefold_v1.dim_client_history AS h
               WHERE h.client_id = p.client_id AND h.valid_to IS NULL) <> 1
    """,
}


def change(hub: Hub, chance: random.Random) -> None:
    """The registers as they stand after some edits: persons come, go and change, orders are corrected and go."""
    hub.registers["crm_contacts"] = [
        {"id": str(n), "first": "Иван", "last": f"Петров{n}", "born": "1980-05-07",
         "emails": f"p{n if chance.random() < 0.7 else n // 2}@example.ru", "company": "10"}
        for n in range(PERSONS) if chance.random() < 0.9
    ]  # fmt: skip
    hub.registers["erp_customers"] = [
        {"code": f"C{n}", "kind": "person", "person": f"Петров{n} Иван", "born": "1980-05-07", "mail": f"p{n}@example.ru"}
        for n in range(PERSONS) if chance.random() < 0.9
    ]  # fmt: skip
    hub.registers["erp_orders"] = [
        {"no": f"SO-{n}", "number": f"SO-{n}/{amount}", "customer": f"C{n % PERSONS}", "date": "2026-02-02", "total": amount}
        for n in range(3 * PERSONS) if chance.random() < 0.9 for amount in [chance.randrange(1, 99)]
    ]  # fmt: skip
    for name in ("crm_contacts", "erp_customers", "erp_orders"):
        hub.write(name)


def prepared(folder: Any, url: str) -> Hub:
    """The hub whose orders bear their amount in their number."""
    hub = Hub.at(folder, url)
    erp = (hub.folder / "config" / "sources" / "erp.yaml").read_text("utf-8")
    hub.configure("erp", erp.replace("document_number: no", "document_number: number"))
    return hub


def say(hub: Hub, chance: random.Random) -> None:
    """A steward merges two clients that are none, and takes it back."""
    pair = [f"erp:customers:C{n}" for n in chance.sample(range(PERSONS), 2)]
    with hub.context() as context:
        try:
            report = judge(context, "same", pair[:1], pair[1:], reason="a guess", by="ada")
            time.sleep(0.2)
            lift(context, report.judgement_id, reason="a mistake", by="ada")
        except OnefoldError as error:
            # One of the two may just have gone.
            if "No such record" not in str(error):
                raise


def work(folder: str, url: str, task: str, seconds: float) -> None:
    """One task again and again for a while, in a process of its own."""
    from pathlib import Path

    hub, chance = Hub.at(Path(folder), url), random.Random(task)
    end = time.monotonic() + seconds

    def step(*steps: Callable[[Any], object]) -> None:
        with hub.context() as context:
            for one in steps:
                one(context)

    tasks: dict[str, Callable[[], None]] = {
        "sync": lambda: step(lambda _: change(hub, chance), lambda c: sync(c, "crm"), lambda c: sync(c, "erp")),
        "standardise": lambda: step(standardise),
        "resolve": lambda: step(resolve),
        "publish": lambda: step(publish),
        "judge": lambda: say(hub, chance),
    }
    while time.monotonic() < end:
        tasks[task]()
        time.sleep(0.02)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(240.0, marks=pytest.mark.scale)])
def test_no_reader_sees_half_of_anything_while_everything_runs_at_once(hub: Hub, seconds: float) -> None:
    fill(hub)
    prepared(hub.folder, hub.database_url)
    change(hub, random.Random(0))
    hub.run()
    looks, numbers = 0, []
    tasks = ("sync", "standardise", "resolve", "publish", "judge")
    with (
        processes(*(["-c", WORK, str(hub.folder), hub.database_url, task, str(seconds)] for task in tasks)) as workers,
        connect(hub.database_url, application_name="reader") as conn,
    ):
        while any(worker.poll() is None for worker in workers):
            numbers.append(look(conn))
            looks += 1
        said = [worker.communicate(timeout=60)[1] for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * len(tasks), said
    hub.run()
    with connect(hub.database_url, application_name="reader") as conn:
        look(conn)
    assert hub.query("SELECT count(*) FROM ops.pending") == [(0,)]
    assert hub.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]
    assert numbers == sorted(numbers)
    assert looks > 3
    # It was a while in which things happened: published again and again, with versions left behind.
    assert len(set(numbers)) > 3
    assert hub.query("SELECT count(*) > 10 FROM core.interaction_version") == [(True,)]


def look(conn: psycopg.Connection[Any]) -> int:
    """Nothing of what must never be seen, at one moment; the last change's number."""
    with one_moment(conn):
        for what, query in NEVER.items():
            assert conn.execute(query.encode()).fetchall() == [], what
        row = conn.execute("SELECT max(changed_seq) FROM onefold_v1.change_feed").fetchone()
    assert row is not None
    return int(row[0])


def test_a_client_that_is_back_comes_with_the_record_that_waited_for_it(hub: Hub) -> None:
    limited = CRM.replace("    key: id\n", "    key: id\n    limits: {deleted: 1.0}\n")
    hub.configure("crm", limited)
    (hub.folder / "config" / "hub.yaml").write_text("limits: {changed: null, merged: null, deleted: null}\n")
    people = [
        {"id": "0", "first": "Иван", "last": "Петров", "born": "1961-05-07", "emails": "ivan@alpha.example.ru"},
        {"id": "1", "first": "Ольга", "last": "Сомова", "born": "1988-11-23", "emails": "somova@beta.example.ru"},
        {"id": "2", "first": "Глеб", "last": "Лосев", "born": "1974-02-14", "emails": "losev@gamma.example.ru"},
        {"id": "3", "first": "Глеб", "last": "Лосев", "born": "1974-02-14", "emails": "losev@gamma.example.ru"},
    ]
    one, other, many = (f"crm:contacts:{n}" for n in range(3))
    hub.write("crm_contacts", people)
    hub.run()

    def step(*steps: Callable[[Any], object]) -> None:
        with hub.context() as context:
            for work in steps:
                work(context)

    def joined(left: str, right: str) -> int:
        with hub.context() as context:
            return judge(context, "same", [left], [right], reason="a guess", by="ada").judgement_id

    def apart(number: int) -> None:
        step(lambda context: lift(context, number, reason="a mistake", by="ada"))

    # The one who stayed under that id was for a while the other's client too; then it went to a larger client.
    number = joined(one, other)
    both = hub.client_of(one)
    apart(number)
    stays, went = (one, other) if hub.client_of(one) == both else (other, one)
    assert hub.client_of(many) == hub.client_of("crm:contacts:3")
    number = joined(stays, many)
    assert hub.client_of(stays) != both
    # It comes back, and is deleted before that is published; it is there again, and resolve has yet to hear of that.
    with connect(hub.database_url, application_name="test") as conn:
        judgements.lift(conn, number, reason=None, by="ada", at=hub.clock())
        queue.enqueue(conn, "resolve", [record for (record,) in hub.query("SELECT record_id FROM raw.record")])
    step(resolve)
    assert hub.client_of(stays) == both
    hub.write("crm_contacts", [card for card in people if f"crm:contacts:{card['id']}" != stays])
    step(lambda context: sync(context, "crm"), standardise, publish)
    hub.write("crm_contacts", people)
    step(lambda context: sync(context, "crm"), standardise)
    ((record,),) = hub.query("SELECT record_id FROM raw.record WHERE source_key = %s", [went.rpartition(":")[2]])
    with connect(hub.database_url, application_name="test") as conn:
        queue.enqueue(conn, "publish", [record])
    step(publish)
    with connect(hub.database_url, application_name="reader") as conn:
        look(conn)
    assert hub.query("SELECT is_deleted FROM onefold_v1.dim_party WHERE client_id = %s", [both]) == [(False,)]
    hub.run()
    with connect(hub.database_url, application_name="reader") as conn:
        look(conn)

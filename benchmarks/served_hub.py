"""A hub as large as a company's: persons through its steps, and ten interactions for each client.

The persons go the whole way (files, standard records, resolution). The interactions are put where standardise puts
them and queued for publish as it queues them: landing and mapping have benchmarks of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generate import persons, scattered
from hub import onefold, persons_source, write_configuration
from pyarrow import csv
from services import migrated_database, scratch, throwaway_postgres

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    import psycopg
    from common import Benchmark

    from onefold.context import Context

CLIENTS_PER_RECORD = 0.56
"""Of the generated persons, see generate.persons."""
DESK = 10_000
"""Records that stand in a register of their own, to be edited."""

_PARTIES = """
CREATE TEMP TABLE party AS
SELECT row_number() OVER (ORDER BY record_id) AS n, record_id FROM identity.standard_record;
CREATE UNIQUE INDEX ON party (n);
ANALYZE party
"""
_TYPES = ("sales_order", "invoice", "payment", "delivery", "service_ticket", "call")
# A few clients have much more than the others, as everywhere: the square of an even choice.
_INTERACTIONS = """
INSERT INTO core.interaction (
    record_id, source, stream, source_key, type, party_record_id, occurred_at, occurred_on, time_zone, precision,
    channel, document_number, summary, amount, currency, detail, content_hash{published}
)
SELECT
    hashint8extended(g.n, 7), 'ledger', g.type, g.n::text, g.type, p.record_id, g.at, g.at::date, 'UTC', 'day',
    'office', 'D-' || g.n, 'Document ' || g.n, CASE WHEN g.type NOT IN ('service_ticket', 'call') THEN g.amount END,
    CASE WHEN g.type NOT IN ('service_ticket', 'call') THEN 'RUB' END, '{{"status": "done"}}', md5(g.n::text)::uuid
    {as_published}
FROM (
    SELECT n, (%(types)s::text[])[1 + n %% 6] AS type,
        date_trunc('day', now() - interval '1 day' * floor(1825 * random())) AS at,
        (100000 * random())::numeric(12, 2) AS amount,
        1 + floor((SELECT count(*) FROM party) * power(random(), 2))::bigint AS party
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS g
JOIN party AS p ON p.n = g.party
{links}
"""
# As publish leaves them: each money document an event of its own, chains of one, no rate of their day.
_AS_PUBLISHED = {
    "published": ", client_id, changed_seq, chain_id, reporting_currency, event_id, is_counted, counted_by",
    "as_published": """, x.client_id, %(seq)s + (g.n - %(first)s) / 50000, hashint8extended(g.n, 7), 'EUR', d.id,
    CASE WHEN d.id IS NOT NULL THEN true END, d.id""",
    "links": """JOIN identity.crosswalk AS x ON x.record_id = p.record_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.money <> 'none' THEN hashint8extended(g.n, 7) END AS id
    FROM core.interaction_type AS t WHERE t.code = g.type
) AS d""",
}
_EVENTS = """
INSERT INTO ops.change_event (id, at, kind, payload)
SELECT %(seq)s + n, now(), 'facts', '{}' FROM generate_series(0, %(events)s - 1) AS n
"""
_QUEUE = """
INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM core.interaction WHERE changed_seq IS NULL
"""


def resolved(folder: Path, url: str, records: int, seed: int, timeout: float) -> tuple[Path, str]:
    """Configuration folder and database of a hub with these persons, resolved and not yet published."""
    generated = scattered(persons(records, seed).records, seed)
    desk = min(DESK, records // 4)
    csv.write_csv(generated.slice(0, records - desk), folder / "clients.csv")
    csv.write_csv(generated.slice(records - desk), folder / "desk.csv")
    sources = {name: persons_source(folder / f"{name}.csv") for name in ("clients", "desk")}
    config = write_configuration(folder / "config", sources)
    database = migrated_database(url, "hub")
    for command in (("sync", "clients"), ("sync", "desk"), ("standardise",), ("resolve",)):
        onefold(config, database, *command, timeout=timeout)
    return config, database


def published(folder: Path, url: str, records: int, interactions: int, given: Namespace) -> tuple[Path, str]:
    """The same, published, with as many interactions: for who measures reading."""
    config, database = resolved(folder, url, records, given.seed, given.timeout)
    onefold(config, database, "publish", timeout=given.timeout)
    _add_published_interactions(database, interactions)
    return config, database


def changed(database: str, statement: str, first: str, parameters: Mapping[str, Any]) -> None:
    """Let published interactions say something else by a statement, and tell it by a change event (`first`): both take
    `seq`, the event's number, beside the parameters."""
    from warehouse.clock import allocate_events, hub_lock
    from warehouse.connect import connect, unit_of_work

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        hub_lock(conn)
        said = {"seq": allocate_events(conn, 1), **parameters}
        conn.execute(statement.encode(), said)
        conn.execute(first.encode(), said)


@contextmanager
def opened(folder: Path, config: Path, database: str) -> Iterator[Context]:
    """The hub of a configuration folder and a database, in this process."""
    from onefold.context import open_context
    from onefold.settings import Settings

    settings = Settings.from_environment(
        {}, {"home": str(folder / "var"), "config": str(config), "database_url": database}
    )
    with open_context(settings, environ={}) as context:
        yield context


def add_keep(options: ArgumentParser) -> None:
    """The option of those that can measure one hub several times."""
    options.add_argument("--keep", type=Path, help="a folder of a filled hub: filled at the first time, and kept")


@contextmanager
def filled(benchmark: Benchmark, clients: int, interactions: int, given: Namespace) -> Iterator[tuple[Path, str]]:
    """Configuration folder and database of a published hub on a server of its own; with `--keep` there for the next."""
    from warehouse.connect import with_database

    records = round(clients / CLIENTS_PER_RECORD)
    if given.keep is None:
        with scratch(benchmark.name) as folder, throwaway_postgres(folder, benchmark) as url:
            benchmark.progress(f"a hub with {records:,} records and {interactions:,} interactions")
            yield published(folder, url, records, interactions, given)
        return
    folder = given.keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    mark = folder / "filled"
    with throwaway_postgres(folder, benchmark) as url:
        if not mark.exists():
            benchmark.progress(f"a hub with {records:,} records and {interactions:,} interactions, to be kept")
            published(folder, url, records, interactions, given)
            mark.write_text(f"{records} records, {interactions} interactions\n", "utf-8")
        yield folder / "config", with_database(url, "hub")


def add_interactions(database: str, first: int, last: int) -> None:
    """Interactions number `first` to `last`, both included, queued for publish; the same amounts for the same seed."""
    from warehouse.connect import connect, unit_of_work

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        conn.execute("SELECT setseed(0.5)")
        _number_parties(conn)
        statement = _INTERACTIONS.format(**dict.fromkeys(_AS_PUBLISHED, ""))
        conn.execute(statement.encode(), {"first": first, "last": last, "types": list(_TYPES)})
        conn.execute(_QUEUE.encode())
        conn.execute("DROP TABLE party")
    _analyse(database)


def _add_published_interactions(database: str, interactions: int) -> None:
    """As many interactions as publish leaves them, put there by one statement where there are none yet. Of the
    links between documents there are none."""
    from warehouse import arrow
    from warehouse.clock import allocate_events, hub_lock
    from warehouse.connect import connect, unit_of_work

    with connect(database, application_name="benchmark") as conn, unit_of_work(conn):
        hub_lock(conn)
        conn.execute("SELECT setseed(0.5)")
        _number_parties(conn)
        events = (interactions - 1) // 50_000 + 1
        parameters = {"first": 1, "last": interactions, "types": list(_TYPES), "events": events}
        parameters["seq"] = allocate_events(conn, events)
        with arrow.indexes_rebuilt(conn, ["core.interaction"], True):
            conn.execute(_INTERACTIONS.format(**_AS_PUBLISHED).encode(), parameters)
        conn.execute(_EVENTS.encode(), parameters)
        conn.execute("DROP TABLE party")
    _analyse(database)


def _number_parties(conn: psycopg.Connection[Any]) -> None:
    for statement in _PARTIES.split(";"):
        conn.execute(statement.encode())


def _analyse(database: str) -> None:
    from warehouse.connect import connect

    with connect(database, application_name="benchmark") as conn:
        conn.autocommit = True
        conn.execute("ANALYZE core.interaction")


def database_size(database: str) -> int:
    """MiB on disk."""
    from warehouse.connect import connect

    with connect(database, application_name="benchmark") as conn:
        row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0]) >> 20

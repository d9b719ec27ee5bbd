"""Metrics: those of a million clients with ten million dealings, and of a thousand dealings that change.

Clients, orders, deliveries with promises, and requests are made by the server where publish leaves them. Cold: every
definition is run on all dealings. Warm: of clients with news only, with the outcome of running on all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import Benchmark, parser
from hub import persons_source, write_configuration
from publish import median
from served_hub import changed, database_size, opened
from services import migrated_database, scratch, throwaway_postgres

from onefold.context import Context
from onefold.steps.measures import MeasuresReport, find_metrics
from warehouse import arrow
from warehouse.clock import allocate_events
from warehouse.connect import connect, unit_of_work

ROUNDS = 3
FULL = 1_000_000
_CLIENTS = """
INSERT INTO core.client (client_id, kind, role, attributes, lineage, record_count, golden_hash, valid_from, changed_seq,
    is_deleted)
SELECT md5('c' || n)::uuid, 'organisation', 'client', '{}', '{}', 1, md5('c' || n)::uuid, to_timestamp(0), 1, false
FROM generate_series(1, %(clients)s) AS n
"""
_DEALINGS = """
INSERT INTO core.interaction (record_id, source, stream, source_key, type, party_record_id, parent_record_id, chain_id,
    occurred_at, occurred_on, summary, detail, content_hash, client_id, changed_seq)
SELECT d.id, 'erp', 'orders', d.id::text, (ARRAY['sales_order', 'delivery', 'service_ticket'])[1 + d.k %% 3], d.n,
    CASE WHEN d.k %% 3 = 1 THEN d.id - 1 END, CASE WHEN d.k %% 3 < 2 THEN d.id - d.k %% 3 END,
    timestamptz '2024-01-01 12:00+00' + d.h %% 700 * interval '1 day', date '2024-01-01' + (d.h %% 700)::integer,
    CASE WHEN d.h %% 9 = 0 THEN 'Насос не запускается' ELSE 'Обращение ' || d.id END, '{}', md5(d.id::text)::uuid,
    md5('c' || d.n)::uuid, 1
FROM (
    SELECT c.n, k, c.n * 100::bigint + k AS id, abs(hashint8(c.n * 1000::bigint + k)::bigint) AS h
    FROM generate_series(1, %(clients)s) AS c (n)
    CROSS JOIN LATERAL generate_series(0, (abs(hashint8(c.n + 77) %% 20))::integer) AS k
) AS d
"""
_PROMISES = """
INSERT INTO core.promise (record_id, kind, due_on, actual_on)
SELECT i.record_id, CASE i.type WHEN 'delivery' THEN 'delivery_date' ELSE 'answer' END, i.occurred_on + 2,
    i.occurred_on + (i.record_id %% 5)::integer
FROM core.interaction AS i
WHERE i.type <> 'sales_order'
"""
_FIRST = "INSERT INTO ops.change_event (id, at, kind, payload) VALUES (%(seq)s, now(), 'facts', '{}')"
_CHANGE = """
UPDATE core.interaction AS i
SET summary = 'Насос не запускается', changed_seq = %(seq)s
WHERE i.record_id IN (
    SELECT (1 + (%(round)s * 7919 + g * greatest(%(clients)s / %(changed)s, 1)) %% %(clients)s) * 100::bigint
    FROM generate_series(1, %(changed)s) AS g
)
"""
_SOURCE: Mapping[str, Any] = {
    "department": "sales",
    "connector": "files",
    "settings": {},
    "streams": {
        "orders": {
            "as": "interaction",
            "type": {"when": "kind", "delivery": "delivery", "ticket": "service_ticket", "else": "sales_order"},
            "key": "id",
            "options": {"path": "none.jsonl"},
            "party": {"source": "erp", "stream": "persons", "key": "client"},
            "occurred_at": "day",
        }
    },
}
"""Says which types the hub has; nothing is read of it."""
_ANEW = "UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'metrics' AND name = 'rules'"


def fill(database: str, clients: int, benchmark: Benchmark) -> None:
    """Clients, their dealings and promises, as they are after they were published."""
    with connect(database, application_name="benchmark") as conn:
        with unit_of_work(conn):
            conn.execute(_FIRST.encode(), {"seq": allocate_events(conn, 1)})
            with arrow.indexes_rebuilt(conn, ["core.client", "core.interaction", "core.promise"], wanted=True):
                conn.execute(_CLIENTS.encode(), {"clients": clients})
                made = conn.execute(_DEALINGS.encode(), {"clients": clients}).rowcount
                conn.execute(_PROMISES.replace("%%", "%").encode())
        conn.execute("VACUUM (ANALYZE) core.client, core.interaction, core.promise")
    benchmark.note(f"{made:,} dealings of {clients:,} clients")


def look(context: Context) -> MeasuresReport:
    """What a run does for metrics."""
    with context.connection("benchmark") as conn:
        return find_metrics(context, conn)


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=FULL)
    options.add_argument("--changed", type=int, default=1_000, help="dealings that change in a round")
    given = options.parse_args()
    clients = 20_000 if given.small else given.clients
    benchmark = Benchmark("measures")
    with scratch("measures") as folder, throwaway_postgres(folder, benchmark) as url:
        config, database = configured(folder), migrated_database(url, "hub")
        fill(database, clients, benchmark)
        with opened(folder, config, database) as context:
            cold = look(context)
            benchmark.add("metrics and loyalty of all, cold", cold.seconds, "s", at_least=False)
            benchmark.add("... rows", cold.rows, "rows")
            seconds = []
            for number in range(ROUNDS):
                news = {"round": number, "clients": clients, "changed": given.changed}
                changed(database, _CHANGE, _FIRST, news)
                done = look(context)
                seconds.append(done.seconds)
            median(benchmark, f"{given.changed:,} changed dealings", seconds, None)
            benchmark.add("... clients looked at", done.clients or 0, "clients")
            benchmark.add("... database", database_size(database), "MiB", at_least=False)
            with context.connection("benchmark") as conn:
                conn.execute(_ANEW)
            again = look(context)
            benchmark.add("everybody looked at again", again.seconds, "s", at_least=False)
            benchmark.add("... rows that differ from the warm outcome", again.rows, "rows", target=0, at_least=False)
    return benchmark.finish(given)


def configured(folder: Path) -> Path:
    """A configuration with the shipped metrics."""
    config = write_configuration(folder / "config", {"erp": persons_source(folder / "none.csv"), "facts": _SOURCE})
    (config / "metrics.yaml").write_text("metrics: {}\n", encoding="utf-8")
    return config


if __name__ == "__main__":
    sys.exit(main())

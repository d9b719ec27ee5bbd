"""Needs and segments: those of a million clients with ten million dealings, and of a thousand dealings that change.

Clients and dealings are made by the server where publish leaves them, three fifths of the clients with one of three
needs: landing, mapping and publishing have benchmarks of their own. Cold: rates are measured, all dealings looked at,
the scheme checked, and everything stored. Warm: a thousand dealings say something else, and those of their clients are
looked at. What is found is compared with what was planted, and the warm outcome with that of looking at all.
"""

from __future__ import annotations

import sys
from pathlib import Path

from common import Benchmark, parser
from hub import persons_source, write_configuration
from publish import median
from served_hub import changed, database_size, opened
from services import migrated_database, scratch, throwaway_postgres

from onefold.context import Context
from onefold.steps.needs import NeedsReport, find_needs
from warehouse import arrow
from warehouse.clock import allocate_events
from warehouse.connect import connect, unit_of_work

ROUNDS = 5
FULL = 1_000_000
COLD_SECONDS, WARM_SECONDS = 60, 2
_WORTH_A_TARGET = 0.9

_CLIENTS = """
INSERT INTO core.client (client_id, kind, role, attributes, lineage, record_count, golden_hash, valid_from, changed_seq,
    is_deleted)
SELECT md5('c' || n)::uuid, 'organisation', 'client', '{}', '{}', 1, md5('c' || n)::uuid, to_timestamp(0), 1, false
FROM generate_series(1, %(clients)s) AS n
"""
_DEALINGS = """
INSERT INTO core.interaction (record_id, source, stream, source_key, type, party_record_id, occurred_at, occurred_on,
    summary, detail, content_hash, client_id, changed_seq)
SELECT d.id, 'erp', 'orders', d.id::text, CASE WHEN d.h1 %% 10 < 6 THEN 'sales_order' ELSE 'service_ticket' END, d.n,
    timestamptz '2024-01-01 12:00+00' + d.h2 %% 700 * interval '1 day', date '2024-01-01' + (d.h2 %% 700)::integer,
    CASE
        WHEN d.h3 %% 100 < CASE WHEN d.need = 1 THEN 45 ELSE 10 END THEN 'Подберите замену насосу'
        WHEN d.h3 %% 100 < CASE WHEN d.need = 2 THEN 60 ELSE 18 END THEN 'Нужны сертификаты на партию'
        WHEN d.h3 %% 2 = 0 THEN 'Заказ на насосы и уплотнения' ELSE 'Order of pumps and spare parts'
    END,
    CASE WHEN d.h4 %% 100 < CASE WHEN d.need = 0 THEN 48 ELSE 12 END
        THEN '{"shipping": "express"}'::jsonb ELSE '{"shipping": "standard"}'::jsonb END,
    md5(d.id::text)::uuid, md5('c' || d.n)::uuid, 1
FROM (
    SELECT c.n, c.n * 100::bigint + k AS id, abs(hashint8(c.n) %% 5) AS need,
        abs(hashint8(c.n * 100::bigint + k)::bigint) AS h1,
        abs(hashint8(c.n * 1000::bigint + k)::bigint) AS h2,
        abs(hashint8(c.n * 3000::bigint + k)::bigint) AS h3,
        abs(hashint8(c.n * 7000::bigint + k)::bigint) AS h4
    FROM generate_series(1, %(clients)s) AS c (n)
    CROSS JOIN LATERAL generate_series(1, (1 + abs(hashint8(c.n + 77) %% 19))::integer) AS k
) AS d
"""
_FIRST = "INSERT INTO ops.change_event (id, at, kind, payload) VALUES (%(seq)s, now(), 'facts', '{}')"
_CHANGE = """
UPDATE core.interaction AS i
SET summary = 'Срочно, линия встала', detail = '{"shipping": "express"}', changed_seq = %(seq)s
-- One of each of so many clients, from one end of the table to the other.
WHERE i.record_id IN (
    SELECT (1 + (%(round)s * 7919 + g * greatest(%(clients)s / %(changed)s, 1)) %% %(clients)s) * 100::bigint + 1
    FROM generate_series(1, %(changed)s) AS g
)
"""
_TRUTH = """
SELECT count(*) FILTER (WHERE s.segment IS NOT NULL) AS assigned, count(*),
    count(*) FILTER (WHERE s.segment = (ARRAY['urgent', 'advised', 'certified'])[t.need + 1]) AS right_
FROM core.client_segment AS s
JOIN (
    SELECT md5('c' || n)::uuid AS client_id, abs(hashint8(n::bigint) % 5) AS need
    FROM generate_series(1, {clients}) AS n
) AS t ON t.client_id = s.client_id
WHERE s.left_at IS NULL
"""
_NEEDS = """
needs:
  urgency:
    job: Get it running again.
    labels: Urgency
    dimension: time
    half_life: 365d
    signals:
      express: {types: [sales_order, service_ticket], when: {detail.shipping: express}}
      says_so: {types: [sales_order, service_ticket], words: [срочно, линия стоит, urgent]}
  advice:
    job: Help me choose.
    labels: Advice
    dimension: knowledge
    signals: {asks: {types: [sales_order, service_ticket], words: [подобрать, advise]}}
  papers:
    job: Papers in order.
    labels: Papers
    dimension: risk
    signals: {asks: {types: [sales_order, service_ticket], words: [сертификат, certificate]}}
"""
_SEGMENTS = """
schemes:
  by_need:
    basis: needs
    labels: By need
    segments:
      urgent: {labels: U, needs: urgency}
      advised: {labels: A, needs: advice}
      certified: {labels: P, needs: papers}
"""
_TYPES = """
interactions:
  sales_order: {department: d, labels: L, detail: {shipping: text}}
  service_ticket: {department: d, labels: L, detail: {shipping: text}}
"""


def fill(database: str, clients: int, benchmark: Benchmark) -> None:
    """Clients and their dealings, as they are after they were published."""
    with connect(database, application_name="benchmark") as conn:
        with unit_of_work(conn):
            conn.execute(_FIRST.encode(), {"seq": allocate_events(conn, 1)})
            with arrow.indexes_rebuilt(conn, ["core.client", "core.interaction"], wanted=True):
                conn.execute(_CLIENTS.encode(), {"clients": clients})
                made = conn.execute(_DEALINGS.encode(), {"clients": clients}).rowcount
        conn.execute("VACUUM (ANALYZE) core.client, core.interaction")
    benchmark.progress(f"{made:,} dealings stored")
    benchmark.note(f"{made:,} dealings of {clients:,} clients")


def look(context: Context) -> NeedsReport:
    """What a run does for needs."""
    with context.connection("benchmark") as conn:
        return find_needs(context, conn)


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=FULL)
    options.add_argument("--changed", type=int, default=1_000, help="dealings that change in a round")
    given = options.parse_args()
    clients = 20_000 if given.small else given.clients
    bar = clients / FULL if clients >= _WORTH_A_TARGET * FULL else None
    benchmark = Benchmark("needs")
    with scratch("needs") as folder, throwaway_postgres(folder, benchmark) as url:
        config, database = configured(folder), migrated_database(url, "hub")
        fill(database, clients, benchmark)
        with opened(folder, config, database) as context:
            benchmark.progress("look at all")
            cold = look(context)
            target = None if bar is None else COLD_SECONDS * bar
            benchmark.add("needs and segments of all, cold", cold.seconds, "s", target=target, at_least=False)
            benchmark.add("... rows of needs", cold.needs, "rows")
            benchmark.add("... sightings", cold.sightings, "rows")
            measure_truth(benchmark, database, clients)
            seconds = []
            for number in range(ROUNDS):
                news = {"round": number, "clients": clients, "changed": given.changed}
                changed(database, _CHANGE, _FIRST, news)
                done = look(context)
                seconds.append(done.seconds)
            median(benchmark, f"{given.changed:,} changed dealings", seconds, None if bar is None else WARM_SECONDS)
            benchmark.add("... clients looked at", done.clients, "clients")
            benchmark.add("... database", database_size(database), "MiB", at_least=False)
            with context.connection("benchmark") as conn:
                conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'segments'")
            again = look(context)
            benchmark.add("everybody looked at again, same rates", again.seconds, "s", at_least=False)
            benchmark.add("... rows that differ from the warm outcome", again.needs + again.sightings, "rows", target=0,
                          at_least=False)  # fmt: skip
    return benchmark.finish(given)


def configured(folder: Path) -> Path:
    """A configuration with needs and a scheme."""
    config = write_configuration(folder / "config", {"erp": persons_source(folder / "none.csv")})
    for name, text in (("needs", _NEEDS), ("segments", _SEGMENTS), ("interactions", _TYPES)):
        (config / f"{name}.yaml").write_text(text, encoding="utf-8")
    return config


def measure_truth(benchmark: Benchmark, database: str, clients: int) -> None:
    """How many of the assigned clients have the need of their segment."""
    with connect(database, application_name="benchmark") as conn:
        row = conn.execute(_TRUTH.replace("{clients}", str(int(clients))).encode()).fetchone()
    assert row is not None
    assigned, every, right = row
    benchmark.add("... assigned of all", round(assigned / max(every, 1), 3), "share")
    benchmark.add("... right among the assigned", round(right / max(assigned, 1), 4), "precision", target=0.9)


if __name__ == "__main__":
    sys.exit(main())

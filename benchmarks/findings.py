"""What publish finds out at its end, in a hub of `served_hub`: needs and segments, metrics, concerns, what is wrong at
the source; and the mirror. The catalogues are those of the demo.

    python benchmarks/findings.py STEP CONFIG     one step in this process; the database's URL is in the environment
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import ROOT
from processes import CommandFailedError, measure

if TYPE_CHECKING:
    import psycopg
    from common import Benchmark

    from onefold.context import Context

CATALOGUES = ("needs.yaml", "segments.yaml", "metrics.yaml", "concerns.yaml")
MINIMUM = 6
"""Dealings of a client that is put into a segment."""
DEALINGS: Mapping[str, Any] = {
    "as": "interaction",
    "type": {"when": "kind", "sales_order": "sales_order", "invoice": "invoice", "payment": "payment",
             "delivery": "delivery", "service_ticket": "service_ticket", "else": "call"},
    "key": "id",
    "party": {"source": "desk", "stream": "persons", "key": "client"},
    "occurred_at": "day",
    "promise": {"kind": "answer", "due": "due", "actual": "actual"},
    "detail": {"status": "status", "priority": "priority", "shipping": "shipping", "remark": "remark"},
}  # fmt: skip
"""Says which types the hub has and what they hold; nothing is read of it. A stream of a source that is there: a
source more would be another trust, and all clients published anew."""

# Three clients in ten have a need, and show it in nine of ten orders and requests; everybody any need in one of fifty.
_SAID = """
UPDATE core.interaction AS i
SET summary = (ARRAY['Срочно, линия стоит', 'Прошу подобрать замену', 'Нужен сертификат'])[f.need + 1],
    detail = i.detail || CASE WHEN f.need = 0 AND i.type = 'sales_order' THEN '{"shipping": "express"}' ELSE '{}' END
        ::jsonb
FROM (
    SELECT record_id,
        CASE WHEN abs(hashint8(record_id)::bigint) %% 50 = 0 THEN abs(hashint8(record_id + 1)::bigint) %% 3
            ELSE abs(uuid_hash(client_id)::bigint) %% 10 END AS need
    FROM core.interaction
    WHERE type IN ('sales_order', 'service_ticket') AND abs(hashint8(record_id)::bigint) %% 50 < 45
) AS f
WHERE f.record_id = i.record_id AND f.need < 3
"""
_PROMISED = """
INSERT INTO core.promise (record_id, kind, due_on, actual_on)
SELECT record_id, CASE type WHEN 'delivery' THEN 'delivery_date' ELSE 'answer' END, occurred_on + 2,
    occurred_on + CASE WHEN h %% 100 < 90 THEN h %% 3 WHEN h %% 100 < 98 THEN h %% 9 END::integer
FROM (
    SELECT record_id, type, occurred_on, abs(hashint8(record_id + 2)::bigint) AS h FROM core.interaction
    WHERE type = 'delivery' OR type = 'service_ticket' AND abs(hashint8(record_id + 3)::bigint) %% 2 = 0
) AS i
"""


def needs_of_all(context: Context, conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """Needs, segments and the check of the scheme."""
    from onefold.steps.needs import find_needs

    return find_needs(context, conn).as_dict()


def metrics_of_all(context: Context, conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """Metrics, by client and month, and loyalty."""
    from onefold.steps.measures import find_metrics

    return find_metrics(context, conn).as_dict()


def concerns_of_all(context: Context, conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """Every shipped concern, and the demo's own."""
    from onefold.steps.concerns import find_concerns

    return find_concerns(context, conn).as_dict()


def fixes_of_all(context: Context, conn: psycopg.Connection[Any]) -> dict[str, Any]:
    """What is wrong in each register."""
    from dataclasses import asdict

    from onefold.steps.fix_at_source import find_fixes

    return asdict(find_fixes(context, conn))


def mirror_of_all(context: Context, _: psycopg.Connection[Any]) -> dict[str, Any]:
    """Whether the clients of each segment are treated differently."""
    from onefold.steps.mirror import look_into_mirror

    return look_into_mirror(context).as_dict()


STEPS: Mapping[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "fixes": ("what is wrong at the source", fixes_of_all),
    "needs": ("needs and segments, with their check", needs_of_all),
    "metrics": ("metrics and loyalty", metrics_of_all),
    "concerns": ("concerns", concerns_of_all),
    "mirror": ("the mirror", mirror_of_all),
}


def find_all(benchmark: Benchmark, config: Path, database: str, timeout: float) -> None:
    """Where a hub has no catalogue of needs yet: let its dealings say something, and find all of it, step by step in a
    process of its own, each a row with its seconds."""
    from warehouse.connect import connect, unit_of_work

    _write_catalogues(config)
    with connect(database, application_name="benchmark") as conn:
        if _count(conn, "core.need"):
            return
        if not _count(conn, "core.promise"):
            benchmark.progress("let dealings say what clients need, and promise something")
            with unit_of_work(conn):
                conn.execute("SET LOCAL work_mem = '256MB'")
                for statement in (_SAID, _PROMISED):
                    conn.execute(statement.replace("%%", "%").encode())
            conn.execute("VACUUM (ANALYZE) core.interaction, core.promise")
    for step, (what, _) in STEPS.items():
        benchmark.progress(what)
        command: list[str | Path] = [sys.executable, Path(__file__), step, config]
        try:
            done = measure(command, timeout=timeout, env={"ONEFOLD_DATABASE_URL": database})
        except CommandFailedError as error:
            # What hangs on it is measured without: its pages are there all the same.
            benchmark.note(f"{what}: {error}")
            benchmark.progress(f"  it failed: {error}")
            continue
        benchmark.add(f"found of all: {what}", round(done.seconds, 1), "s", at_least=False)
        benchmark.progress(f"  {done.seconds:.1f} s, {done.peak_mib:.0f} MiB: {done.out.strip()}")


def _count(conn: psycopg.Connection[Any], table: str) -> bool:
    """Whether the table has any row."""
    row = conn.execute(f"SELECT EXISTS (SELECT FROM {table})".encode()).fetchone()
    assert row is not None
    return bool(row[0])


def _write_catalogues(config: Path) -> None:
    """Those of the demo, and the stream that names the types."""
    for name in CATALOGUES:
        text = (ROOT / "config" / name).read_text("utf-8")
        # Clients here have ten dealings, of which three can show a need: of four nothing could be told.
        (config / name).write_text(text.replace("minimum: 4 ", f"minimum: {MINIMUM} "), "utf-8")
    path = config / "sources" / "desk.yaml"
    source = json.loads(path.read_text("utf-8"))
    source["streams"]["dealings"] = {**DEALINGS, "options": {"path": str(path.with_name("none.jsonl"))}}
    path.write_text(json.dumps(source, ensure_ascii=False, indent=2), "utf-8")


def main(step: str, config: Path) -> int:
    """Do one step and print its report."""
    from served_hub import opened

    database = os.environ["ONEFOLD_DATABASE_URL"]
    with opened(config.parent, config, database) as context, context.connection("onefold needs") as conn:
        print(json.dumps(STEPS[step][1](context, conn), ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))

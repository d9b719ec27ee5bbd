"""Exporting a view of a million clients: rows a second and memory, by format; a plain COPY beside it.

Clients are put where publish puts them, with attributes as publish writes them: what came before has benchmarks of
its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from common import Benchmark, parser
from hub import document, onefold, persons_source, write_configuration
from services import migrated_database, scratch, throwaway_postgres

ROWS, FEW = 1_000_000, 20_000
_CLIENTS = """
INSERT INTO core.client (
    client_id, kind, role, display_name, attributes, lineage, golden_hash, record_count, valid_from, changed_seq,
    is_deleted
)
SELECT md5(n::text)::uuid, 'person', 'client', 'Иван Петров ' || n, jsonb_build_object(
    'given_name', 'Иван', 'family_name', 'Петров ' || n, 'full_name', 'Иван Петров ' || n, 'birth_date', '1980-05-07',
    'email', jsonb_build_array('p' || n || '@example.org', 'q' || n || '@example.org'),
    'phone', jsonb_build_array('+79' || n),
    'inn', jsonb_build_array(lpad(n::text, 12, '0')), 'city', 'Клин', 'street', 'Садовая улица', 'house', '7'
), '{}', md5(n::text)::uuid, 2, now(), n, false
FROM generate_series(1, %s) AS n
"""
_CLOCK = """
INSERT INTO ops.hub_clock (last_event_id, last_as_of) VALUES (%(n)s, now())
ON CONFLICT (only_row) DO UPDATE SET last_event_id = %(n)s
"""
_COPY = "COPY (SELECT * FROM onefold_v1.dim_client) TO STDOUT (FORMAT csv, HEADER)"


def filled(url: str, rows: int) -> str:
    """A hub's database with so many clients."""
    from warehouse.connect import connect

    database = migrated_database(url, "hub")
    with connect(database, application_name="benchmark") as conn:
        conn.execute(_CLIENTS.encode(), [rows])
        conn.execute(_CLOCK.encode(), {"n": rows})
        conn.execute("VACUUM ANALYZE core.client")
    return database


def plain_copy(database: str, path: Path) -> float:
    """Seconds of psql's own COPY of the view to CSV."""
    import os

    from warehouse.connect import libpq_environment
    from warehouse.server.binaries import bundled_programs

    started = time.perf_counter()
    with path.open("wb") as file:
        subprocess.run(
            [bundled_programs() / "psql", "-X", "-q", "-c", _COPY],
            env={**os.environ, **libpq_environment(database)}, stdout=file, check=True,
        )  # fmt: skip
    return time.perf_counter() - started


def plain_workbook(database: str, path: Path) -> float:
    """Seconds of openpyxl's quickest way (write only) with the same rows, each value as the driver gives it."""
    from openpyxl import Workbook

    from warehouse.connect import connect

    started = time.perf_counter()
    book = Workbook(write_only=True)
    sheet = book.create_sheet("dim_client")
    with connect(database, application_name="benchmark") as conn, conn.transaction(), conn.cursor("rows") as cursor:
        for row in cursor.execute("SELECT * FROM onefold_v1.dim_client"):
            plain = (value if value is None or isinstance(value, str | int | bool) else str(value) for value in row)
            sheet.append(list(plain))
    book.save(path)
    return time.perf_counter() - started


def main() -> int:
    """Measure."""
    options = parser(__doc__)
    options.add_argument("--xlsx", action="store_true", help="Excel too: minutes at the full size")
    given = options.parse_args()
    rows = FEW if given.small else ROWS
    benchmark = Benchmark("export")
    with scratch("export") as folder, throwaway_postgres(folder, benchmark) as url:
        benchmark.progress(f"{rows} clients")
        database = filled(url, rows)
        config = write_configuration(folder / "config", {"clients": persons_source(folder / "clients.csv")})
        out = folder / "out"
        copied = plain_copy(database, folder / "copied.csv")
        forms: list[tuple[str, ...]] = [("parquet",), ("csv",), ("csv", "--excel-ru")]
        forms += [("xlsx",)] if given.xlsx or given.small else []
        for form in forms:
            benchmark.progress(" ".join(form))
            done = onefold(config, database, "export", "dim_client", "--to", str(out), "--format", *form, timeout=3600)
            (made,) = document(done)["views"]
            assert made["rows"] == rows
            size = sum(Path(file).stat().st_size for file in made["files"]) / (1 << 20)
            name = f"dim_client, {' '.join(form)}"
            rival, beside = ("psql's COPY as CSV", rows / copied) if form == ("csv",) else (None, None)
            if form == ("xlsx",):
                rival, beside = "openpyxl, write only", rows / plain_workbook(database, folder / "plain.xlsx")
            benchmark.add(f"{name}", rows / made["seconds"], "rows/s", rival=rival, rival_value=beside)
            benchmark.add("... the whole command", done.seconds, "s")
            benchmark.add("... peak memory", done.peak_mib, "MiB")
            benchmark.add("... size", size, "MiB")
        for what in ("first", "nothing changed"):
            done = onefold(config, database, "export", "dim_client", "--to", str(out), "--incremental", timeout=3600)
            benchmark.add(f"incremental, parquet, {what}", document(done)["views"][0]["seconds"], "s")
        from warehouse.connect import connect

        with connect(database, application_name="benchmark") as conn:
            started = time.perf_counter()
            conn.execute("SELECT * FROM onefold_v1.meta_dataset").fetchall()
            benchmark.add("meta_dataset, all views", time.perf_counter() - started, "s", target=1, at_least=False)
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())

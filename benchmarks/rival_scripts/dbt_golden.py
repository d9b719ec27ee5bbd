"""Golden records as a plain dbt project makes them: an incremental model merged by client, and a snapshot as history.

Arguments: FOLDER build|change. The database comes in BENCH_DATABASE_URL. `build` is a full refresh; `change` works the
clients of table `dbt.touched` only, which a project would first have to find. Prints one JSON line: seconds of dbt's
work, without the start of the process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dbt.cli.main import dbtRunner

ATTRIBUTES = (
    "given_name", "family_name", "birth_date", "gender", "email", "phone", "street", "city", "postcode",
)  # fmt: skip
PROJECT = "{name: golden, profile: bench, model-paths: [models], snapshot-paths: [snapshots]}"
MODEL = """
{{{{ config(materialized='incremental', unique_key='client_id', incremental_strategy='merge') }}}}
WITH contribution AS (
    SELECT x.client_id, r.record_id, r.kind, r.attributes, r.source_updated_at
    FROM identity.crosswalk AS x JOIN identity.standard_record AS r ON r.record_id = x.record_id
    {{% if is_incremental() %}} WHERE x.client_id IN (SELECT client_id FROM dbt.touched) {{% endif %}}
)
SELECT client_id, min(kind) AS kind, count(*) AS record_count, {values}
FROM contribution
GROUP BY client_id
"""
VALUE = """
(array_agg(core.golden_text(attributes, '{name}') ORDER BY source_updated_at DESC NULLS LAST, record_id)
    FILTER (WHERE attributes ? '{name}'))[1] AS {name}"""
SNAPSHOT = """
{% snapshot golden_history %}
{{ config(target_schema='dbt', unique_key='client_id', strategy='check', check_cols='all') }}
SELECT * FROM {{ ref('golden_client') }}
{% endsnapshot %}
"""


def write_project(folder: Path) -> None:
    """The project and its connection."""
    at = urlsplit(os.environ["BENCH_DATABASE_URL"])
    for name in ("models", "snapshots"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    output = {
        "type": "postgres",
        "host": at.hostname,
        "port": at.port,
        "user": unquote(at.username or ""),
        "password": unquote(at.password or ""),
        "dbname": at.path.lstrip("/"),
        "schema": "dbt",
        "threads": 2,
    }
    (folder / "profiles.yml").write_text(json.dumps({"bench": {"target": "it", "outputs": {"it": output}}}))
    (folder / "dbt_project.yml").write_text(PROJECT)
    values = ",".join(VALUE.format(name=name) for name in ATTRIBUTES)
    (folder / "models" / "golden_client.sql").write_text(MODEL.format(values=values))
    (folder / "snapshots" / "golden_history.sql").write_text(SNAPSHOT)


def main() -> None:
    """Build and say how long it took."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    write_project(folder)
    refresh = ["--full-refresh"] if what == "build" else []
    common = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--quiet"]
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    runner = dbtRunner()
    parsed = runner.invoke(["parse", *common])
    started = time.perf_counter()
    done = runner.invoke(["build", *refresh, *common])
    seconds = time.perf_counter() - started
    if not (parsed.success and done.success):
        raise SystemExit(f"dbt failed: {done.exception or done.result}")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()

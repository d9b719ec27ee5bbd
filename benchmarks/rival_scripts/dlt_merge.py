"""dlt's own rest_api source with merge disposition into PostgreSQL, set up as its documentation does it.

Arguments: ADDRESS FOLDER SET...; the database's URL comes in BENCH_DATABASE_URL. Prints one JSON line.
Nested lists stay in their row (max_table_nesting 0), which is faster for dlt than a child table.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"

import dlt
from dlt.sources.rest_api import rest_api_source


def contacts(address: str):
    """The one stream."""
    source = rest_api_source(
        {
            "client": {
                "base_url": address,
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "page_param": "page",
                    "total_path": "pages",
                },
            },
            "resources": [
                {
                    "name": "contacts",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {"path": "contacts", "data_selector": "items"},
                }
            ],
        }
    )
    source.max_table_nesting = 0
    return source


def main() -> None:
    """Run the pipeline once for each page set and say how long each run took."""
    address, folder, *sets = sys.argv[1:]
    pipeline = dlt.pipeline(
        pipeline_name="contacts",
        pipelines_dir=folder,
        dataset_name="dlt_contacts",
        destination=dlt.destinations.postgres(credentials=os.environ["BENCH_DATABASE_URL"]),
    )
    answer = {}
    for name in sets:
        urllib.request.urlopen(f"{address}/use/{name}", timeout=30).close()
        started = time.perf_counter()
        pipeline.run(contacts(address))
        seconds = time.perf_counter() - started
        with pipeline.sql_client() as client:
            records = client.execute_sql("SELECT count(*) FROM contacts")[0][0]
        answer[name] = {"records": records, "seconds": seconds}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

"""`airflow dags test` of one DAG after another in one process, which imports Airflow once.
`python -m tests.support.airflow_runs DAG...`; the last line of output says how each ended."""

from __future__ import annotations

import json
import sys

from airflow.cli.cli_parser import get_parser


def ended(dag_id: str) -> str:
    """success, or why the command would end with an error."""
    arguments = get_parser().parse_args(["dags", "test", dag_id])
    try:
        arguments.func(arguments)
    except SystemExit as stop:
        return str(stop.code)
    return "success"


if __name__ == "__main__":
    sys.stdout.write("ENDED" + json.dumps({dag_id: ended(dag_id) for dag_id in sys.argv[1:]}) + "\n")

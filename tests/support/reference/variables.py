"""Environment variables as a page; a test looks whether the code knows others."""

from __future__ import annotations

import re

from tests.support.cli import CHECKOUT

VARIABLES = {
    "ONEFOLD_HOME": (
        "`./var`",
        "Where the hub keeps its state: the embedded database, logs, caches. `--home` wins over it.",
    ),
    "ONEFOLD_CONFIG": ("`./config`", "The configuration folder. `--config` wins over it."),
    "ONEFOLD_DATABASE_URL": (
        "the embedded PostgreSQL",
        "A PostgreSQL (15 or newer) of your own: `postgresql://user:password@host/name`. `--database` wins over it.",
    ),
    "ONEFOLD_LOG": (
        "`json`; on a terminal `text:warning`",
        "The log on standard error: `json` or `text`, a level, or both: `json:debug` ([the log](../observability.md#the-log)).",
    ),
    "TRACEPARENT": ("", "The W3C trace that a run goes on with ([one trace for each run](../observability.md))."),
    "ONEFOLD_ERASURE_KEY": (
        "a file in the home folder, made when there is none",
        "The key by which erased persons are recognised without being known ([privacy](../privacy.md)). Keep it where backups are not.",
    ),
    "METABASE_API_KEY": ("", "For `onefold docs --metabase URL`: the key of an administrator of that Metabase."),
    "ONEFOLD_MIGRATE_URL": (
        "",
        "Which database `python -m warehouse.migrate` migrates; the hub sets it for the process that it starts.",
    ),
    "ONEFOLD_AIRFLOW_MAINTENANCE": ("`30 2 * * *`", "When the [maintenance DAG](../airflow.md) runs (cron, UTC)."),
    "ONEFOLD_AIRFLOW_WEEKLY": ("`sun`", "The day of its weekly part: mon ... sun, or never."),
    "ONEFOLD_AIRFLOW_BACKUPS": ("no backup", "The folder into which it writes backups."),
    "ONEFOLD_AIRFLOW_APPROVERS": (
        "",
        "Who may approve a model in Airflow: `id:name,id:name` of its users; without it anybody with access.",
    ),
    "ONEFOLD_DEMO_CRM_URL": ("", "Of `onefold demo`, in the `.env` of its hub: where its CRM answers."),
    "ONEFOLD_DEMO_CRM_TOKEN": ("", "Of `onefold demo`, likewise: what its CRM asks for."),
    "ONEFOLD_DEMO_DATA": ("", "Of `onefold demo`, likewise: the folder with its registers."),
}


def variables_page() -> str:
    """The table, and where values come from."""
    rows = (f"| `{name}` | {default} | {about} |" for name, (default, about) in VARIABLES.items())
    return (
        "\n".join(
            [
                "# Environment variables",
                "",
                "A flag wins over the environment, the environment over the `.env` file beside `config/`, that over the default. An",
                "empty value counts as absent. Secrets that the configuration names, such as `${CRM_TOKEN}`, are looked for in the same",
                "places, when their source is opened ([configuration](../configuration.md#secrets)).",
                "",
                "| variable | default | what it says |",
                "|---|---|---|",
                *rows,
            ]
        )
        + "\n"
    )


def named_in_code() -> set[str]:
    """Every variable of Onefold's own that a module names."""
    sources = (
        path
        for room in ("connectors", "identity", "warehouse", "onefold", "dags")
        for path in (CHECKOUT / room).rglob("*.py")
    )
    return {
        name
        for path in sources
        for name in re.findall(r"\bONEFOLD_[A-Z_]+\b|METABASE_API_KEY|\bTRACEPARENT\b", path.read_text("utf-8"))
    }

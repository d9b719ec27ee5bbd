"""dbt itself, from the package index into an environment of its own, in a small project on a hub's generated sources."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.programs import python_package
from warehouse.connect import libpq_environment

REQUIREMENTS = ("dbt-core>=1.10,<1.11", "dbt-postgres>=1.9,<2")
"""Later versions of dbt-core fetch a part of theirs from outside the package index while they are installed."""
_MODEL = """\
{{{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key={key}) }}}}
select * from {{{{ source('onefold', '{view}') }}}}
{{% if is_incremental() %}}
where changed_seq > (select coalesce(max(changed_seq), -1) from {{{{ this }}}})
{{% endif %}}
"""


@dataclass(frozen=True)
class Dbt:
    """A project; models are built into schema `analytics` of the hub's database."""

    folder: Path
    database_url: str

    def prepare(self, sources: Path, models: Mapping[str, str]) -> None:
        """Put the generated sources and these models (name -> SQL) into the project."""
        found = libpq_environment(self.database_url)
        (self.folder / "models").mkdir(parents=True)
        (self.folder / "dbt_project.yml").write_text(
            "name: downstream\nversion: '1.0'\nprofile: downstream\nmodel-paths: [models]\n"
            "flags: {send_anonymous_usage_stats: false}\n"
        )
        target = {
            "type": "postgres", "host": found["PGHOST"], "port": int(found.get("PGPORT", "5432")), "user": found["PGUSER"],
            "password": found.get("PGPASSWORD", ""), "dbname": found["PGDATABASE"], "schema": "analytics", "threads": 2, "connect_timeout": 120,
        }  # fmt: skip
        profile = {"downstream": {"target": "hub", "outputs": {"hub": target}}}
        (self.folder / "profiles.yml").write_text(json.dumps(profile))
        (self.folder / "models" / "sources.yml").write_text(sources.read_text("utf-8"), "utf-8")
        for name, text in models.items():
            (self.folder / "models" / f"{name}.sql").write_text(text)

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """`dbt ARGUMENTS`; the results of its nodes. AssertionError with its own words when it fails."""
        program = python_package("dbt", *REQUIREMENTS) / "dbt"
        done = subprocess.run(
            [str(program), *arguments, "--profiles-dir", ".", "--no-use-colors", "--no-version-check"],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        name = "sources" if arguments[:2] == ("source", "freshness") else "run_results"
        return list(json.loads((self.folder / "target" / f"{name}.json").read_text("utf-8"))["results"])


def incremental(view: str, key: tuple[str, ...]) -> str:
    """An incremental model on a served view, as its readers are told to write it."""
    return _MODEL.format(view=view, key=list(key))

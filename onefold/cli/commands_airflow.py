"""`onefold airflow`: what Airflow needs beside the DAGs."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, settings_of
from onefold.errors import ExtraMissing, OnefoldError

airflow = typer.Typer(no_args_is_help=True, help="For hubs that Airflow runs: the pools of the sources.")
app.add_typer(airflow, name="airflow", rich_help_panel="Hub")


@airflow.command()
def pools(
    ctx: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Make them in the Airflow of this environment.")] = False,
) -> None:
    """The pools that the DAGs use, one for each source; with --json as `airflow pools import` reads them.

    A source's pool has one slot: the hub lets one process read a source, and that process keeps the source's limits.
    Tasks whose pool is missing are never started, so make them after a source was added.

    Example: onefold airflow pools --apply
    """
    from onefold.configuration import load_configuration

    output = invocation(ctx).output
    configuration = load_configuration(settings_of(ctx).config)
    found = {
        source.pool: {"slots": 1, "description": f"Reads the source {name} of Onefold", "include_deferred": False}
        for name, source in configuration.sources.items()
    }
    if not apply:
        output.data(found)
        output.table(("pool", "slots"), [(name, pool["slots"]) for name, pool in found.items()], title="Pools")
        output.say("Make them: onefold airflow pools --apply, or --json into a file for `airflow pools import`.")
        return
    if find_spec("airflow") is None:
        raise ExtraMissing("Airflow is not installed here.", "Install the extra: pip install 'onefold[airflow]'")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pools.json"
        file.write_text(json.dumps(found), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "pools", "import", str(file)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise OnefoldError(f"Airflow did not take the pools: {said}", "Is its database migrated (airflow db migrate)?")
    output.data(found)
    output.say(f"{len(found)} pools are there: {', '.join(found)}")

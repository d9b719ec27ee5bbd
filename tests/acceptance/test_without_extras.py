"""Onefold as `pip install onefold` leaves it, without Airflow and Spark: all else works, and what needs them says so."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import fill
from tests.support.core_only import core_environment, core_packages, core_python
from tests.support.hub import Hub

EVERYTHING = """
import importlib, json, pkgutil, sys
from importlib.util import find_spec
import typer
from typer.testing import CliRunner

there = [name for name in ("airflow", "openlineage", "pyspark", "py4j") if find_spec(name)]
for package in ("connectors", "identity", "warehouse", "onefold"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)

from onefold.cli.app import app

def leaves(command, *path):
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from leaves(below, *path, name)
    else:
        yield path

helped = {" ".join(path): CliRunner().invoke(app, [*path, "--help"]).exit_code for path in leaves(typer.main.get_command(app))}
print("FOUND" + json.dumps({"there": there, "helped": helped}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return core_environment(tmp_path_factory.mktemp("core") / "packages", core_packages())


@pytest.mark.timeout(1200)
def test_every_module_and_every_command_is_there_without_extras(environment: dict[str, str]) -> None:
    done = core_python(environment, "-c", EVERYTHING)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.partition("FOUND")[2])
    assert found["there"] == []
    assert len(found["helped"]) > 60 and set(found["helped"].values()) == {0}


@pytest.mark.timeout(900)
def test_a_hub_works_without_extras_and_what_needs_one_says_which(hub: Hub, environment: dict[str, str]) -> None:
    fill(hub)
    place = [str(one) for one in hub.place]

    def ends(*arguments: str) -> tuple[int, str]:
        done = core_python(environment, "-m", "onefold", *place, *arguments)
        return done.returncode, done.stderr

    assert ends("run", "--due")[0] == 0
    before = hub.query("SELECT count(*) FROM ops.run")
    assert ends("status")[0] == 0
    assert ends("airflow", "pools")[0] == 0
    for extra, arguments in {
        "airflow": ("airflow", "pools", "--apply"),
        "spark": ("resolve", "--all", "--engine", "spark"),
    }.items():
        code, said = ends(*arguments)
        assert code == 3 and f"onefold[{extra}]" in said, said
    assert hub.query("SELECT count(*) FROM ops.run") == before

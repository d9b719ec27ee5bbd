"""What is shipped and what is loaded: our names are ours, the wheel is whole, light commands stay light."""

from __future__ import annotations

import ast
import email
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import CHECKOUT, environment
from tests.support.hub import Hub
from tests.support.messy import person_file
from warehouse.connect import connect

PACKAGES = ("connectors", "identity", "warehouse", "dags", "onefold")
DATA_SUFFIXES = {".sql", ".html", ".yaml", ".tsv", ".csv", ".example"}
HEAVY = ("pyarrow", "numpy", "pandas", "alembic", "sqlmodel", "duckdb", "scipy", "rapidfuzz", "phonenumbers", "rigour")


def project() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PACKAGES)
def test_a_top_level_package_is_ours_and_nobody_else_s(name: str) -> None:
    """A foreign distribution with a package named `identity` would shadow ours."""
    module = importlib.import_module(name)
    assert module.__file__ is not None
    root = Path(module.__file__).resolve().parent
    installed = {Path(str(distribution("onefold").locate_file(name))).resolve(), CHECKOUT / name}
    assert root in installed
    assert set(packages_distributions().get(name, ())) <= {"onefold"}


def test_the_configuration_folder_holds_no_python_so_it_can_shadow_nothing() -> None:
    assert list((CHECKOUT / "config").rglob("*.py")) == []


def test_every_folder_with_python_is_a_package_that_is_shipped() -> None:
    assert tuple(project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    for name in PACKAGES:
        for file in (CHECKOUT / name).rglob("*.py"):
            if file.parent.name != "versions":
                assert (file.parent / "__init__.py").is_file(), file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as hatchling builds it, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.strip().splitlines()[-1]


def shipped(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module_and_every_data_file(wheel: Path) -> None:
    inside = shipped(wheel)
    wanted = {
        str(file.relative_to(CHECKOUT))
        for name in PACKAGES
        for file in (CHECKOUT / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix in {".py", *DATA_SUFFIXES}
    }
    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".yaml", ".tsv"}
    assert wanted - inside == set()


def test_the_wheel_holds_nothing_but_our_packages(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in shipped(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_names_the_command_and_every_connector(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(entry_points).decode()
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = email.message_from_bytes(archive.read(metadata))
    assert "onefold = onefold.cli.app:main" in text
    for name in ("files", "sql", "rest"):
        assert re.search(rf"^{name} = connectors\.", text, re.MULTILINE)
    assert about["Name"] == "onefold"
    assert about["License-Expression"] == "Apache-2.0"


def test_statements_and_data_are_read_from_an_installed_wheel_too(wheel: Path, tmp_path: Path) -> None:
    """Unpacked beside nothing else of ours: no file may be looked for in the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import sys, onefold, warehouse\n"
        "from onefold.configuration.shipped import shipped_interactions\n"
        "from onefold.configuration.starter import write_starter\n"
        "from onefold.configuration import load_configuration\n"
        "from identity.settings import MatchingSettings\n"
        "from identity.model import prior_model\n"
        "from warehouse.sql import sql\n"
        "from warehouse.version import packaged_revision\n"
        "from pathlib import Path\n"
        "assert onefold.__file__.startswith(sys.argv[1]), onefold.__file__\n"
        "assert warehouse.__file__.startswith(sys.argv[1])\n"
        "write_starter(Path(sys.argv[2]))\n"
        "configuration = load_configuration(Path(sys.argv[2]) / 'config')\n"
        "prior_model(configuration.matching)\n"
        "configuration.survivorship\n"
        "print(len(shipped_interactions()), packaged_revision(), sql('queue.read') is not None)\n"
    )
    site, target = tmp_path / "site", tmp_path / "fresh"
    done = subprocess.run(
        [sys.executable, "-c", code, str(site), str(target)],
        env={**os.environ, "PYTHONPATH": str(site)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "True"


def test_every_package_that_our_code_imports_is_declared() -> None:
    declared = {
        re.split(r"[<>=\[;! ]", requirement)[0].lower().replace("_", "-")
        for requirement in [
            *project()["project"]["dependencies"],
            *(one for name in ("airflow", "spark") for one in project()["project"]["optional-dependencies"][name]),
        ]
    }
    owners = packages_distributions()
    undeclared = set()
    for name in PACKAGES:
        for file in (CHECKOUT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                modules = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module]
                    if isinstance(node, ast.ImportFrom) and node.module and not node.level
                    else []
                )
                for module in modules:
                    top = module.partition(".")[0]
                    if top in PACKAGES or top in sys.stdlib_module_names:
                        continue
                    found = {owner.lower().replace("_", "-") for owner in owners.get(top, ())}
                    # What is not installed here (Spark) is known by its name alone.
                    if not (found or {top.replace("_", "-")}) & declared:
                        undeclared.add((top, *sorted(found)))
    # These come with a declared package and belong to its interface.
    with_another = {
        "click",
        "pydantic-core",
        "apache-airflow-core",
        "apache-airflow-task-sdk",
        "openlineage-python",
        "pandas",
        "scikit-learn",
    }
    assert {one for one in undeclared if not set(one[1:]) & with_another} == set()


def loaded_after(code: str, *arguments: str, **environ: str) -> set[str]:
    """The top-level modules that a fresh process has loaded when `code` ends."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))", *arguments],
        env=environment(PYTHONPATH=str(CHECKOUT), **environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


RUN = """
import sys
from onefold.cli.app import main
sys.argv = ["onefold", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""


def test_a_sync_on_a_migrated_database_loads_nothing_heavy(hub: Hub) -> None:
    hub.write("crm_contacts", [{"id": "1", "first": "Анна", "last": "Керн"}])
    person_file(hub.folder, "sheet", "sheet.csv", "id;first;last\n1;Анна;Керн\n".encode("cp1251"))
    text = (hub.folder / "config" / "sources" / "sheet.yaml").read_text().replace(", note: note", "")
    hub.configure("sheet", text)
    place = ("--home", str(hub.folder / "var"), "--config", str(hub.folder / "config"))
    for source in ("crm", "sheet"):
        modules = loaded_after(RUN, *place, "--quiet", "--json", "sync", source, ONEFOLD_DATABASE_URL=hub.database_url)
        assert "psycopg" in modules, "it has synced"
        assert modules & set(HEAVY) == set(), source
    assert hub.query("SELECT source, source_key FROM raw.record ORDER BY source") == [("crm", "1"), ("sheet", "1")]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help"), ("source", "add", "--help")])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = loaded_after(RUN, *arguments)
    # (Typer itself brings pydantic for a command's options.)
    too_much = {*HEAVY, "psycopg", "httpx", "sqlalchemy", "ruamel", "msgspec", "psutil"}
    too_much |= {"connectors", "identity", "warehouse"}
    assert modules & too_much == set()


def test_a_trial_loads_no_database_driver_and_no_http_client(tmp_path: Path) -> None:
    clients = tmp_path / "clients.csv"
    clients.write_text("id,first name,last name\n1,Anna,Kern\n2,Anna,Kern\n", "utf-8")
    modules = loaded_after(RUN, "--quiet", "--json", "try", str(clients), "--report", str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").exists()
    assert modules & {"psycopg", "sqlmodel", "sqlalchemy", "alembic", "httpx", "duckdb", "fastapi"} == set()


def test_importing_our_packages_connects_to_nothing_and_reads_no_environment() -> None:
    code = """
import os, socket
class Watched(dict):
    def get(self, key, default=None):
        assert not str(key).startswith("ONEFOLD"), key
        return super().get(key, default)
    def __getitem__(self, key):
        assert not str(key).startswith("ONEFOLD"), key
        return super().__getitem__(key)
def refuse(*_a, **_k):
    raise AssertionError("an import connects")
os.environ = Watched(os.environ)
socket.socket.connect = refuse
import onefold, onefold.context, onefold.settings, onefold.cli.app, connectors.registry, warehouse.landing
import onefold.steps.run, onefold.steps.sync, onefold.steps.status
"""
    assert "onefold" in loaded_after(code, ONEFOLD_DATABASE_URL="postgresql://nobody@127.0.0.1:9/x")


def vocabularies() -> dict[str, tuple[str, ...]]:
    from warehouse.models import enums

    return {
        "core.attribute.kind": enums.ATTRIBUTE_KINDS,
        "core.client.kind": enums.KINDS,
        "core.client.role": enums.ROLES,
        "core.document_link.kind": enums.DOCUMENT_LINK_KINDS,
        "core.document_link.status": enums.DOCUMENT_LINK_STATUSES,
        "core.interaction.direction": enums.DIRECTIONS,
        "core.interaction.precision": enums.PRECISIONS,
        "core.interaction_field.detail_type": enums.DETAIL_TYPES,
        "core.interaction_type.direction": enums.DIRECTIONS,
        "core.interaction_type.money": enums.MONEY,
        "core.interaction_type.tax": enums.TAX,
        "identity.client_id_ledger.event": enums.LEDGER_EVENTS,
        "identity.judgement.policy": enums.PIN_POLICIES,
        "identity.judgement.verdict": enums.VERDICTS,
        "identity.review_case.status": enums.CASE_STATUSES,
        "identity.standard_record.kind": enums.KINDS,
        "identity.standard_record.role": enums.ROLES,
        "ops.account.role": enums.ACCOUNT_ROLES,
        "ops.case_batch.kind": enums.CASE_BATCH_KINDS,
        "ops.case_event.action": enums.CASE_ACTIONS,
        "ops.case_proposal.state": enums.PROPOSAL_STATES,
        "ops.case_proposal.verdict": enums.CASE_VERDICTS,
        "ops.case_repeat.second_verdict": enums.CASE_VERDICTS,
        "ops.case_repeat.verdict": enums.CASE_VERDICTS,
        "ops.change_event.kind": enums.CHANGE_KINDS,
        "ops.hold.cause": enums.HOLD_CAUSES,
        "ops.hold.state": enums.HOLD_STATES,
        "ops.notice.kind": enums.NOTICE_KINDS,
        "ops.pending.step": enums.STEPS,
        "ops.reconciliation_row.reason": enums.RECONCILIATION_REASONS,
        "ops.reject.step": ("sync", "standardise"),
        "ops.run.status": enums.RUN_STATUSES,
        "ops.write_receipt.status": enums.RECEIPT_STATUSES,
        "core.metric.perspective": enums.METRIC_PERSPECTIVES,
        "core.metric.direction": enums.METRIC_DIRECTIONS,
        "core.metric.kind": enums.METRIC_KINDS,
        "core.metric_value.scope": enums.METRIC_SCOPES,
        "core.loyalty.verdict": enums.LOYALTY_VERDICTS,
        "core.need_signal.origin": enums.NEED_ORIGINS,
        "core.client_need.origin": enums.NEED_ORIGINS,
        "core.segment_scheme.basis": enums.SEGMENT_BASES,
        "core.segment_mirror.measure": enums.MIRROR_MEASURES,
        "core.segment_mirror.verdict": enums.MIRROR_VERDICTS,
        "core.segment_mirror.effect": enums.MIRROR_EFFECTS,
        "core.client_segment.entered_reason": enums.SEGMENT_REASONS,
        "core.concern.template": enums.CONCERN_TEMPLATES,
        "core.concern.state": enums.CONCERN_STATES,
        "core.concern_raise.closed_as": enums.CONCERN_ENDS,
        "core.client_segment.left_reason": (*enums.SEGMENT_REASONS, *enums.SEGMENT_ENDS),
        "ops.source_fix.closed_as": enums.FIX_ENDS,
        "ops.source_fix.kind": enums.FIX_KINDS,
        "ops.source_fix_week.kind": enums.FIX_KINDS,
        "ops.suppression.kind": enums.SUPPRESSED_KINDS,
    }


def test_every_enumeration_equals_the_check_constraint_of_the_real_table(database_url: str) -> None:
    with connect(database_url, application_name="test") as conn:
        rows = conn.execute(
            "SELECT n.nspname || '.' || t.relname || '.' || a.attname, pg_get_constraintdef(c.oid)"
            " FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]"
            " WHERE c.contype = 'c' AND n.nspname IN ('raw', 'identity', 'core', 'ops')"
            " AND pg_get_constraintdef(c.oid) LIKE '%%ARRAY[%%'"
        ).fetchall()
    found = {name: tuple(sorted(re.findall(r"'([^']*)'", text))) for name, text in rows}
    assert found == {name: tuple(sorted(values)) for name, values in vocabularies().items()}


def test_every_room_uses_the_same_words() -> None:
    from typing import get_args, get_type_hints

    from identity import schema
    from identity.ids import LedgerEvent
    from onefold.configuration import sources
    from onefold.steps import client_ids
    from warehouse.models import enums

    assert (schema.KINDS, schema.ROLES) == (enums.KINDS, enums.ROLES)
    assert set(sources.DIRECTIONS) == set(enums.DIRECTIONS)
    assert set(sources.ROLES) == set(enums.ROLES)
    events = get_type_hints(LedgerEvent).get("event")
    if get_args(events):
        assert set(get_args(events)) == set(enums.LEDGER_EVENTS)
    assert set(client_ids._STATUS) == set(enums.LEDGER_EVENTS)


def test_arrow_shapes_equal_the_columns_of_the_migrated_tables(database_url: str) -> None:
    """The models are tested against the shapes elsewhere; this is what a user's database really holds."""
    import pyarrow as pa

    from identity import schema
    from warehouse import shapes

    kinds = {
        pa.int64(): {"bigint"},
        pa.int32(): {"integer"},
        pa.bool_(): {"boolean"},
        pa.date32(): {"date"},
        pa.timestamp("us", tz="UTC"): {"timestamp with time zone"},
        pa.string(): {"text", "jsonb", "uuid", "numeric"},
    }
    wanted = {
        "identity.standard_record": schema.RECORD,
        "identity.identifier": schema.IDENTIFIER,
        "identity.blocking_key": schema.BLOCKING_KEY,
        "identity.pair": schema.PAIR,
        "core.interaction": shapes.INTERACTION,
        "core.interaction_line": shapes.INTERACTION_LINE,
        "core.promise": shapes.PROMISE,
        "core.relationship": shapes.RELATIONSHIP,
        "core.client": shapes.GOLDEN,
    }
    with connect(database_url, application_name="test") as conn:
        for table, shape in wanted.items():
            rows = conn.execute(
                "SELECT attname, format_type(atttypid, NULL), attnotnull FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (table,),
            ).fetchall()
            columns = {name: (kind, not_null) for name, kind, not_null in rows}
            assert [name for name in columns if name in shape.names] == list(shape.names), table
            for field in shape:
                kind, not_null = columns[field.name]
                assert kind in kinds[field.type], f"{table}.{field.name}"
                # A column that may not be empty must not be allowed to come empty.
                assert not (not_null and field.nullable), f"{table}.{field.name}"

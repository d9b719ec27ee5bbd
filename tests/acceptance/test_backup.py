"""A backup holds the whole hub, comes back as it was, and what fails leaves the hub that is there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onefold.steps.backup import backup, restore
from onefold.steps.judge import judge
from tests.support import database as databases
from tests.support.cli import Done, onefold, onefold_process
from tests.support.hub import Hub
from warehouse.backup.errors import (
    BackupError,
    DamagedBackupError,
    FileExistsAlreadyError,
    HubNotEmptyError,
    NotABackupError,
    ProgramsMissingError,
    RestoreRefusedError,
)
from warehouse.backup.programs import find_programs
from warehouse.catalogue import catalogue, differences
from warehouse.connect import connect, database_name, with_database
from warehouse.dump import canonical_dump
from warehouse.roles import role_names


@pytest.fixture
def lived_in_hub(filled_hub: Hub) -> Hub:
    """The filled hub with judgements, histories, a reject and a token."""
    with filled_hub.context() as context:
        judge(context, "not_same", ["crm:contacts:1"], ["crm:contacts:2"], reason="two people", by="ada")
    filled_hub.registers["crm_contacts"][1]["last"] = "Керн-Полторацкая"
    filled_hub.registers["crm_contacts"].append({"id": "4", "first": "Без\0", "last": "Имени"})
    filled_hub.write("crm_contacts")
    filled_hub.run()
    filled_hub.query(
        "INSERT INTO ops.source_token (source, token) VALUES ('crm', '{\"t\": \"tok-sentinel\"}') RETURNING 1"
    )
    return filled_hub


def whole(url: str) -> dict[str, list[str]]:
    """Every row of every table, run ids and clocks included, but tokens."""
    with connect(url, application_name="test") as conn:
        tables = [row[0] for row in conn.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('raw', 'identity', 'core', 'ops') AND c.relkind = 'r'"
            " AND c.relname <> 'source_token'")]  # fmt: skip
        return {t: sorted(row[0] for row in conn.execute(f"SELECT to_jsonb(t)::text FROM {t} t")) for t in tables}


def canonical(url: str) -> dict[str, list[str]]:
    with connect(url, application_name="test") as conn:
        return canonical_dump(conn)


def test_a_hub_comes_back_into_an_empty_database_row_by_row_and_with_its_rights(
    lived_in_hub: Hub, empty_database_url: str, tmp_path: Path
) -> None:
    made = backup(lived_in_hub.settings, tmp_path / "hub.onefold")
    assert made.manifest["rows"]["raw.record"] == len(whole(lived_in_hub.database_url)["raw.record"]) > 10
    assert made.manifest["as_of"]
    done = restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=empty_database_url)
    assert (done.replaced, done.migrated, done.kept_as, done.notes) == (False, False, None, done.notes)
    assert canonical(empty_database_url) == canonical(lived_in_hub.database_url)
    assert whole(empty_database_url) == whole(lived_in_hub.database_url)
    with (
        connect(lived_in_hub.database_url, application_name="test") as old,
        connect(empty_database_url, application_name="test") as new,
    ):
        assert new.execute("SELECT count(*) FROM ops.source_token").fetchone() == (0,)
        reader = role_names(database_name(empty_database_url)).reader
        allowed = "SELECT has_table_privilege(%s, 'onefold_v1.dim_client', 'SELECT'), has_table_privilege(%s, 'core.client', 'SELECT')"
        assert new.execute(allowed, [reader, reader]).fetchone() == (True, False)
        # Roles are named by the database, and a view's text is written anew each time it is parsed.
        apart = [line for line in differences(catalogue(old), catalogue(new)) if "onefold_test" not in line]
        assert [line for line in apart if not line.startswith("views ")] == []
    again = Hub(tmp_path / "again", empty_database_url, ticks=lived_in_hub.ticks)
    again.registers = lived_in_hub.registers
    for name in again.registers:
        again.write(name)
    again.has_nothing_to_do()


def test_the_hub_that_is_there_is_replaced_only_when_asked_and_can_be_kept(
    lived_in_hub: Hub, server_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "hub.onefold"
    backup(lived_in_hub.settings, file)
    before = canonical(lived_in_hub.database_url)
    lived_in_hub.registers["crm_companies"].append({"id": "12", "name": "ООО Новая", "inn": "7728168971"})
    lived_in_hub.write("crm_companies")
    lived_in_hub.run()
    after = canonical(lived_in_hub.database_url)
    assert before != after
    with pytest.raises(HubNotEmptyError, match="--replace"):
        restore(lived_in_hub.settings, file)
    assert canonical(lived_in_hub.database_url) == after
    with connect(lived_in_hub.database_url, application_name="somebody's open session"):
        done = restore(lived_in_hub.settings, file, replace_hub=True, keep_old=True)
    assert canonical(lived_in_hub.database_url) == before
    assert done.kept_as
    assert canonical(with_database(lived_in_hub.database_url, done.kept_as)) == after
    with connect(server_url, application_name="test") as conn:
        conn.execute(f'DROP DATABASE "{done.kept_as}"')
    restore(lived_in_hub.settings, file, replace_hub=True)
    with connect(server_url, application_name="test") as conn:
        left = conn.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
            [database_name(lived_in_hub.database_url)[:40]],
        ).fetchall()
    assert left == [(database_name(lived_in_hub.database_url),)]
    lived_in_hub.run()
    assert {t: rows for t, rows in canonical(lived_in_hub.database_url).items() if t.startswith("core")} == {
        t: rows for t, rows in after.items() if t.startswith("core")
    }


@pytest.mark.parametrize("fault", ["checksum", "rows", "migration", "cut", "stranger"])
def test_a_restore_that_fails_leaves_the_hub_that_is_there(
    lived_in_hub: Hub, server_url: str, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.onefold", tmp_path / "bad.onefold"
    backup(lived_in_hub.settings, good)
    with zipfile.ZipFile(good) as archive:
        manifest, dump = json.loads(archive.read("manifest.json")), archive.read("hub.dump")
    expected: type[Exception] = DamagedBackupError
    if fault == "checksum":
        dump = dump[:-100] + bytes(100)
    elif fault == "rows":
        manifest["rows"]["core.client"] += 1
    elif fault == "migration":
        expected = RuntimeError

        def fail(_url: str) -> bool:
            raise RuntimeError("the migration fails")

        monkeypatch.setattr("onefold.steps.backup.ensure_schema", fail)
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("hub.dump", dump)
        archive.writestr("manifest.json", json.dumps(manifest))
    if fault == "cut":
        bad.write_bytes(bad.read_bytes()[:5000])
        expected = NotABackupError
    elif fault == "stranger":
        bad.write_text("not a backup")
        expected = NotABackupError
    before = whole(lived_in_hub.database_url)
    with pytest.raises(expected):
        restore(lived_in_hub.settings, bad, replace_hub=True)
    assert whole(lived_in_hub.database_url) == before
    with connect(server_url, application_name="test") as conn:
        left = conn.execute("SELECT count(*) FROM pg_database WHERE datname ~ '_(restoring|replaced)_'").fetchone()
    assert left == (0,)
    lived_in_hub.run()


def test_a_failed_restore_into_an_empty_database_leaves_it_empty(
    lived_in_hub: Hub, empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(lived_in_hub.settings, tmp_path / "hub.onefold")

    def fail(_url: str) -> bool:
        raise RuntimeError("the migration fails")

    with monkeypatch.context() as patched:
        patched.setattr("onefold.steps.backup.ensure_schema", fail)
        with pytest.raises(RuntimeError):
            restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=empty_database_url)
    with connect(empty_database_url, application_name="test") as conn:
        found = conn.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname IN ('raw', 'core', 'onefold_v1')"
        ).fetchall()
    assert found == []
    restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=empty_database_url)
    assert canonical(empty_database_url) == canonical(lived_in_hub.database_url)


def test_a_backup_is_of_one_moment_and_takes_no_tokens_unless_asked(
    lived_in_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warehouse.backup import making

    rows = len(whole(lived_in_hub.database_url)["ops.run"])

    def meanwhile(folder: int) -> Path:
        # Between the snapshot and the dump somebody else commits.
        lived_in_hub.query(
            "INSERT INTO ops.run (command, status, started_at) VALUES ('sync', 'done', now()) RETURNING run_id"
        )
        return find_programs(folder)

    monkeypatch.setattr(making, "find_programs", meanwhile)
    made = backup(lived_in_hub.settings, tmp_path / "hub.onefold")
    assert made.manifest["rows"]["ops.run"] == rows
    assert (tmp_path / "hub.onefold").stat().st_mode & 0o777 == 0o600
    monkeypatch.undo()
    with databases.database(databases.server_url(), None) as url:
        assert restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=url).manifest["has_tokens"] is False
    backup(lived_in_hub.settings, tmp_path / "with.onefold", with_tokens=True)
    with databases.database(databases.server_url(), None) as url:
        restore(lived_in_hub.settings, tmp_path / "with.onefold", into=url)
        with connect(url, application_name="test") as conn:
            assert conn.execute("SELECT token ->> 't' FROM ops.source_token").fetchone() == ("tok-sentinel",)


def test_a_backup_of_older_tables_is_migrated_and_one_of_newer_tables_is_refused(
    lived_in_hub: Hub, empty_database_url: str, tmp_path: Path
) -> None:
    lived_in_hub.query("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'sql' RETURNING 1")
    backup(lived_in_hub.settings, tmp_path / "old.onefold")
    assert restore(lived_in_hub.settings, tmp_path / "old.onefold", into=empty_database_url).migrated
    lived_in_hub.query("UPDATE ops.alembic_version SET version_num = '9999' RETURNING 1")
    backup(lived_in_hub.settings, tmp_path / "newer.onefold")
    with pytest.raises(NotABackupError, match="Upgrade to Onefold"):
        restore(lived_in_hub.settings, tmp_path / "newer.onefold", into=empty_database_url, replace_hub=True)


def test_a_user_who_may_not_create_databases_restores_into_an_empty_one_only(
    lived_in_hub: Hub, empty_database_url: str, server_url: str, tmp_path: Path
) -> None:
    backup(lived_in_hub.settings, tmp_path / "hub.onefold")
    name = database_name(empty_database_url)
    user = f"{name}_limited"
    with connect(server_url, application_name="test") as conn:
        conn.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'limited' CREATEROLE")
        conn.execute(f'ALTER DATABASE "{name}" OWNER TO {user}')
        host = "127.0.0.1" if conn.info.host.startswith("/") else conn.info.host
        limited = f"postgresql://{user}:limited@{host}:{conn.info.port}/{name}"
    done = restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=limited)
    assert done.notes == (done.notes[0],) and "no password yet" in done.notes[0]
    assert canonical(limited) == canonical(lived_in_hub.database_url)
    with pytest.raises(RestoreRefusedError, match="CREATEDB"):
        restore(lived_in_hub.settings, tmp_path / "hub.onefold", into=limited, replace_hub=True)
    assert canonical(limited) == canonical(lived_in_hub.database_url)


def test_programs_of_another_version_are_refused_and_those_that_are_here_are_named() -> None:
    with pytest.raises(ProgramsMissingError, match=r"PostgreSQL 97, .* Here are those of [\d, ]*18"):
        find_programs(97)


def test_an_existing_file_is_not_overwritten_and_a_missing_hub_is_told(
    filled_hub: Hub, empty_database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "hub.onefold").write_text("mine")
    with pytest.raises(FileExistsAlreadyError):
        backup(filled_hub.settings, tmp_path / "hub.onefold")
    assert (tmp_path / "hub.onefold").read_text() == "mine"
    nothing = Hub(tmp_path / "other", empty_database_url)
    with pytest.raises(BackupError, match="no hub yet"):
        backup(nothing.settings, tmp_path / "other.onefold")
    assert list(tmp_path.glob(".*.part")) == []


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Path]:
    """The starter on its own embedded server, run once."""
    folder = tmp_path / "hub"
    assert onefold("init", folder).code == 0
    assert here(folder, "run").code == 0
    yield folder
    here(folder, "db", "stop")


def here(folder: Path, *arguments: str | Path) -> Done:
    return onefold_process("--home", folder / "var", "--json", *arguments, cwd=folder)


def test_the_embedded_hub_is_saved_restored_and_replaced_by_the_command_line(starter: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.onefold"
    made = here(starter, "backup", file)
    assert made.code == 0, made.said
    clients = here(starter, "status").json["clients"]
    refused = here(starter, "restore", file)
    assert refused.code == 2 and "--replace" in refused.err
    done = here(starter, "restore", file, "--replace")
    assert done.code == 0, done.said
    assert done.json["replaced"] is True and done.json["manifest"]["rows"] == made.json["manifest"]["rows"]
    assert here(starter, "status").json["clients"] == clients
    reader = here(starter, "db", "url", "--reader").json["url"]
    with psycopg.connect(reader) as conn:
        assert conn.execute("SELECT count(*) FROM onefold_v1.dim_client").fetchone() == (clients,)
    again = here(starter, "run")
    assert again.code == 0 and again.json["publish"]["change_events"] == 0
    assert here(starter, "restore", tmp_path / "none.onefold").code == 4

"""Where the hub keeps its data: a PostgreSQL of one's own by flag, environment or .env, else the embedded server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.cli import Done, onefold, onefold_process
from warehouse.connect import connect

CLIENTS = "SELECT count(*) FROM onefold_v1.dim_client"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter, which runs as it is."""
    assert onefold("init", tmp_path / "hub").code == 0
    return tmp_path / "hub"


def clients_in(url: str) -> int:
    with connect(url, application_name="test") as conn:
        row = conn.execute(CLIENTS).fetchone()
    assert row is not None
    return int(row[0])


def run(folder: Path, *arguments: str, **environ: str) -> Done:
    place = ("--home", folder / "var", "--config", folder / "config")
    return onefold(*place, *arguments, "--json", "run", environ=environ)


def test_an_empty_database_of_one_s_own_is_migrated_and_filled(folder: Path, empty_database_url: str) -> None:
    done = run(folder, "--database", empty_database_url)
    assert done.code == 0, done.said
    assert clients_in(empty_database_url) == done.json["resolve"]["clients"] > 0
    assert not (folder / "var" / "postgres").exists(), "no embedded server is made beside it"


def test_the_environment_names_the_database(folder: Path, database_url: str) -> None:
    done = run(folder, ONEFOLD_DATABASE_URL=database_url)
    assert done.code == 0, done.said
    assert clients_in(database_url) > 0


def test_the_env_file_beside_the_configuration_names_the_database(folder: Path, database_url: str) -> None:
    (folder / ".env").write_text(f'# this hub\nONEFOLD_DATABASE_URL="{database_url}"\n')
    done = run(folder)
    assert done.code == 0, done.said
    assert clients_in(database_url) > 0


def test_the_flag_beats_the_environment_and_the_environment_beats_the_file(folder: Path, database_url: str) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/x"
    (folder / ".env").write_text(f"ONEFOLD_DATABASE_URL={nowhere}\n")
    assert run(folder).code == 6
    assert run(folder, ONEFOLD_DATABASE_URL=database_url).code == 0
    assert run(folder, ONEFOLD_DATABASE_URL=nowhere).code == 6
    assert run(folder, "--database", database_url, ONEFOLD_DATABASE_URL=nowhere).code == 0


def test_sqlalchemy_s_form_of_the_url_is_understood(folder: Path, database_url: str) -> None:
    done = run(folder, "--database", database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    assert done.code == 0, done.said
    assert clients_in(database_url) > 0


def test_two_hubs_on_one_server_do_not_see_each_other(folder: Path, database_url: str, empty_database_url: str) -> None:
    assert run(folder, "--database", database_url).code == 0
    done = onefold(
        "--home", folder / "var", "--config", folder / "config", "--database", empty_database_url, "--json", "status"
    )
    assert done.code == 0, done.said
    assert done.json["clients"] == 0


def test_the_embedded_server_s_commands_refuse_a_database_of_one_s_own(folder: Path, database_url: str) -> None:
    place = ("--home", folder / "var", "--config", folder / "config", "--database", database_url)
    for command in ("start", "stop", "status"):
        done = onefold(*place, "db", command)
        assert done.code == 2
        assert "a database of yours" in done.err
    assert onefold(*place, "--json", "db", "url").json == {"url": database_url}
    reader = onefold(*place, "db", "url", "--reader")
    assert reader.code == 4
    assert "ALTER ROLE" in reader.err


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Done]]:
    """The starter run without a word about a database, as `cd myhub && onefold run` in a process of its own."""
    folder = tmp_path_factory.mktemp("embedded") / "hub"
    assert onefold_process("init", folder).code == 0
    first = onefold_process("--json", "--home", folder / "var", "run", cwd=folder)
    try:
        yield folder, first
    finally:
        onefold_process("--home", folder / "var", "db", "stop", cwd=folder)


def here(folder: Path, *arguments: str) -> Done:
    """A command in the hub's folder."""
    return onefold_process("--home", folder / "var", *arguments, cwd=folder)


def test_without_a_word_about_a_database_the_embedded_server_serves(embedded: tuple[Path, Done]) -> None:
    folder, first = embedded
    assert first.code == 0, first.said
    assert first.json["publish"]["created"] > 0
    assert (folder / "var" / "postgres").is_dir()


def test_the_embedded_server_leaves_with_its_last_user_and_the_data_stay(embedded: tuple[Path, Done]) -> None:
    folder, first = embedded
    stopped = here(folder, "--json", "db", "status")
    assert stopped.code == 0, stopped.said
    assert stopped.json["running"] is False
    found = here(folder, "--json", "status")
    assert found.code == 0, found.said
    assert found.json["clients"] == first.json["resolve"]["clients"]


def test_started_by_hand_it_stays_for_tools_until_it_is_stopped(embedded: tuple[Path, Done]) -> None:
    folder, first = embedded
    started = here(folder, "--json", "db", "start")
    assert started.code == 0, started.said
    try:
        running = here(folder, "--json", "db", "status").json
        assert running["running"] is True
        assert running["port"] == started.json["port"]
        assert running["host"] == "127.0.0.1"
        owner = here(folder, "--json", "db", "url").json["url"]
        reader = here(folder, "db", "url", "--reader").out.strip()
        assert clients_in(owner) == clients_in(reader) == first.json["resolve"]["clients"]
        with connect(reader, application_name="test") as conn:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("SELECT payload FROM raw.record")
            with pytest.raises(psycopg.Error):
                conn.execute("DELETE FROM onefold_v1.dim_client")
        again = here(folder, "--json", "run")
        assert again.code == 0, again.said
        assert again.json["publish"]["change_events"] == 0
        assert here(folder, "--json", "db", "status").json["running"] is True
        asked = here(folder, "db", "psql", "--", "-Atc", CLIENTS)
        assert asked.code == 0, asked.said
        assert int(asked.out) == first.json["resolve"]["clients"]
        pid = running["pid"]
    finally:
        stopped = here(folder, "--json", "db", "stop")
    assert stopped.json == {"running": False, "was_running": True}
    # Where nobody reaps orphans (a bare container), an ended process stays as a zombie.
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert here(folder, "--json", "db", "stop").json["was_running"] is False


def test_the_embedded_server_listens_on_loopback_only_and_asks_for_a_password(embedded: tuple[Path, Done]) -> None:
    folder, _ = embedded
    started = here(folder, "--json", "db", "start")
    try:
        pid = here(folder, "--json", "db", "status").json["pid"]
        listening = {c.laddr.ip for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                f"postgresql://onefold@127.0.0.1:{started.json['port']}/onefold",
                passfile=os.devnull,
                connect_timeout=20,
            )
    finally:
        here(folder, "db", "stop")


def test_json_of_the_database_commands_is_one_document(embedded: tuple[Path, Done]) -> None:
    folder, _ = embedded
    for command in ("status", "stop"):
        assert isinstance(json.loads(here(folder, "--json", "db", command).out), dict)

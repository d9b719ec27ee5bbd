"""What the DAGs keep of the configuration between two parses, and what they take from the environment."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from dags.kept import fingerprint
from dags.plan import approvers
from dags.secrets import address_of
from onefold.errors import UsageError


def test_who_may_approve_is_named_by_id_and_never_becomes_anybody_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEFOLD_AIRFLOW_APPROVERS", raising=False)
    assert approvers() == []
    monkeypatch.setenv("ONEFOLD_AIRFLOW_APPROVERS", "7:Ada Lovelace, mary")
    assert approvers() == [{"id": "7", "name": "Ada Lovelace"}, {"id": "mary", "name": "mary"}]
    for wrong in (":Ada", "7:Ada,", " "):
        monkeypatch.setenv("ONEFOLD_AIRFLOW_APPROVERS", wrong)
        with pytest.raises(UsageError, match="an id is missing"):
            approvers()


def test_every_file_that_the_configuration_reads_is_watched_and_no_other(tmp_path: Path) -> None:
    config, elsewhere = tmp_path / "config", tmp_path / "elsewhere"
    config.mkdir()
    elsewhere.mkdir()
    (config / "hub.yaml").write_text("schedule: '@daily'\n", "utf-8")
    (config / "sources").symlink_to(elsewhere)
    seen = [fingerprint(config)]
    for name, text in (("erp.yml", "a"), ("crm.yaml", "a"), ("crm.yaml", "b")):
        (elsewhere / name).write_text(text, "utf-8")
        seen.append(fingerprint(config))
    assert len(set(seen)) == 4
    (elsewhere / "notes.txt").write_text("a", "utf-8")
    (elsewhere / "old.yaml").mkdir()
    assert fingerprint(config) == seen[-1]


def test_a_connection_becomes_the_address_that_says_the_same() -> None:
    def told(**fields: Any) -> dict[str, Any]:
        blank: dict[str, Any] = {
            "login": None,
            "password": None,
            "host": None,
            "port": None,
            "schema": None,
            "extra_dejson": {},
        }
        return conninfo_to_dict(address_of(SimpleNamespace(**blank | fields)))

    extras = {"sslmode": "require", "connect_timeout": 10, "keepalives": True}
    whole = told(login="o@n", password="p:/@ %", host="db.example.com", port=6432, schema="a b", extra_dejson=extras)
    assert whole == {
        "user": "o@n", "password": "p:/@ %", "host": "db.example.com", "port": "6432", "dbname": "a b",
        "sslmode": "require", "connect_timeout": "10", "keepalives": "1",
    }  # fmt: skip
    socket = {"host": "/run/postgresql", "port": 5433}
    assert told(login="onefold", schema="onefold", extra_dejson=socket) == {
        "user": "onefold", "dbname": "onefold", "host": "/run/postgresql", "port": "5433",
    }  # fmt: skip
    assert told(host="one,two", schema="onefold")["host"] == "one,two"

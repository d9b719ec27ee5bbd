"""Tokens of sources in PostgreSQL: two processes refresh once, a kill leaves no lock, nobody else reads them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest

from onefold.steps.tokens import HubTokens
from tests.support.hub import Hub
from warehouse.connect import connect
from warehouse.roles import drop_roles, ensure_roles, grant_served
from warehouse.tokens import save_token, saved_token, token_lock


def test_only_one_at_a_time_refreshes_and_the_others_take_what_it_got(tmp_path: Path, database_url: str) -> None:
    hub, refreshed = Hub(tmp_path, database_url), list[int]()

    def one(store: HubTokens) -> None:
        with store.locked("crm") as slot:
            if slot.load() is None:
                time.sleep(0.1)
                refreshed.append(1)
                slot.save({"refresh_token": "second"})

    with hub.context() as context:
        threads = [threading.Thread(target=one, args=(HubTokens(context),)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refreshed == [1]
        with HubTokens(context).locked("crm") as slot:
            assert slot.load() == {"refresh_token": "second"}
        with HubTokens(context).locked("erp") as slot:
            assert slot.load() is None


def test_a_saved_token_survives_a_kill_and_its_lock_does_not(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="victim") as victim:
        lock = token_lock(victim, "crm")
        lock.__enter__()
        save_token(victim, "crm", {"refresh_token": "second"})
        conn.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        with token_lock(conn, "crm"):
            assert saved_token(conn, "crm") == {"refresh_token": "second"}
        with pytest.raises(psycopg.OperationalError):
            lock.__exit__(None, None, None)


def test_only_who_runs_the_hub_reads_tokens(conn: psycopg.Connection, server_url: str) -> None:
    names = ensure_roles(conn).names
    try:
        assert grant_served(conn).is_complete
        save_token(conn, "crm", {"refresh_token": "x"})
        rights = "SELECT has_table_privilege(%s, 'ops.source_token', 'SELECT')"
        assert {role: conn.execute(rights, [role]).fetchone() for role in names.all()} == {
            names.owner: (False,),
            names.reader: (False,),
            names.steward: (False,),
            names.writer: (True,),
        }
    finally:
        database = conn.info.dbname
        for role in names.all():
            conn.execute(psycopg.sql.SQL("DROP OWNED BY {}").format(psycopg.sql.Identifier(role)))
        with connect(server_url, application_name="tests") as admin:
            drop_roles(admin, database)

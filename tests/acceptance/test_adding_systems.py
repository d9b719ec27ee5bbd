"""From the name of a system to its source: what it needs is listed, asked for on a terminal, and kept out of the YAML."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.catalogue import __path__ as catalogue
from tests.support.cli import onefold
from tests.support.http_source import Asked, Reply, http_source, records

PATIENCE = 60


def _on_a_terminal(command: list[str], answers: list[tuple[str, str, bool]]) -> tuple[int, str]:
    """Run a command on a terminal of its own, and type each answer when its question stands there; a hidden one once
    the terminal shows nothing any more, since what was typed before is thrown away.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    said, deadline, waiting = "", time.monotonic() + PATIENCE, list(answers)
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([ours], [], [], 0.2)
            if ready:
                try:
                    part = os.read(ours, 4096)
                except OSError:  # the terminal ends with its last process
                    break
                said += part.decode("utf-8", "replace")
            if waiting and waiting[0][0] in said and (not waiting[0][2] or not _shows_typing(ours)):
                os.write(ours, waiting.pop(0)[1].encode() + b"\n")
        return process.wait(timeout=PATIENCE), said
    finally:
        process.kill()
        os.close(ours)


def _shows_typing(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


SECRET = "Tr0ub4dor-x"


def _empty_base(asked: Asked) -> Reply:
    """A base of 1C without any records, for whoever knows the password."""
    from base64 import b64encode

    expected = "Basic " + b64encode(f"reader:{SECRET}".encode()).decode()
    return records({"value": []}) if asked.headers.get("Authorization") == expected else Reply(401)


def test_a_system_asks_on_the_terminal_for_what_it_needs_and_its_secret_stays_out_of_the_yaml(tmp_path: Path) -> None:
    assert onefold("init", tmp_path).code == 0
    command = [sys.executable, "-m", "onefold", "--home", str(tmp_path / "var"), "--config", str(tmp_path / "config")]
    with http_source() as server:
        server.otherwise = _empty_base
        answers = [
            ("Address of the OData interface", f"{server.url}/odata/standard.odata", False),
            ("username", "reader", False),
            ("empty for none", SECRET, True),
        ]
        code, said = _on_a_terminal([*command, "source", "add", "books", "--connector", "onec_accounting"], answers)
    assert code == 0, said
    assert SECRET not in said
    file = tmp_path / "config" / "sources" / "books.yaml"
    assert SECRET not in file.read_text("utf-8")
    assert YAML(typ="safe").load(file)["settings"]["password"] == "${BOOKS_PASSWORD}"
    environment = tmp_path / ".env"
    assert f"BOOKS_PASSWORD={SECRET}" in environment.read_text("utf-8")
    assert environment.stat().st_mode & 0o077 == 0


def test_where_nobody_can_be_asked_the_command_to_type_is_told(tmp_path: Path) -> None:
    assert onefold("init", tmp_path).code == 0
    secret = "1/abcdefgh"
    place = ("--home", tmp_path / "var", "--config", tmp_path / "config")
    add = (*place, "source", "add", "crm", "--connector", "bitrix24")
    done = onefold(*add, "--set", f"client_secret={secret}")
    said = " ".join(done.err.split())
    assert done.code == 2
    assert "domain (Your address. Such as acme.bitrix24.ru)" in said
    assert "--set domain=... --set webhook='${CRM_WEBHOOK}' --set client_secret='${CRM_CLIENT_SECRET}'" in said
    assert "webhook, or client_id + client_secret + refresh_token" in said
    assert secret not in said
    assert not (tmp_path / "config" / "sources" / "crm.yaml").exists()


def test_every_connector_is_listed_with_what_it_reads_and_needs() -> None:
    listed = {one["connector"]: one for one in onefold("--json", "connector", "list").json}
    assert {path.stem for folder in catalogue for path in Path(folder).glob("*.yaml")} <= set(listed)
    assert listed["bitrix24"]["needs"] == ["domain", "webhook"]
    assert listed["bitrix24"]["streams"] > 5
    assert "CSV" in listed["files"]["title"]


@pytest.mark.parametrize("connector", ["bitrix24", "files", "singer:tap-x"])
def test_a_connector_tells_its_settings_and_what_its_streams_become(connector: str) -> None:
    found = onefold("--json", "connector", "show", connector).json
    assert found["settings"]
    streams = {one["stream"]: one for one in found["streams"]}
    if connector == "bitrix24":
        assert streams["deals"]["becomes"] == "interaction: sales_deal"
        assert streams["contacts"]["changes"] == "updatedTime"
        assert streams["contacts"]["deletes"] == "sweep"
    done = onefold("connector", "show", connector)
    assert done.code == 0, done.said
    assert found["title"] in done.out

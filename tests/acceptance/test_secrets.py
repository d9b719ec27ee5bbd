"""No secret and no personal value in output, logs, run reports or exceptions; every sentinel below would be a leak."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.settings import Settings
from tests.support import database as databases
from tests.support.cli import Done, onefold, onefold_process
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records
from tests.support.messy import HTTP_SOURCE, lines, person_file, write_source
from warehouse.connect import connect

TOKEN = "tok-sentinel-5f1e77aa"
QUERY_KEY = "key-sentinel-77aa5f1e"
PASSWORD = "pw-sentinel-1e77aa5f"
SECRETS = (TOKEN, QUERY_KEY, PASSWORD)
PERSONAL = ("Сентинелова", "Sentinelova", "sentinel.person@example.ru", "79165550199", "500100732259", "Сентинельск")
PERSON = {
    "id": 1, "first": "Ия", "last": "Сентинелова", "email": "sentinel.person@example.ru", "phone": "+79165550199",
    "inn": "500100732259", "city": "Сентинельск",
}  # fmt: skip


def leaks(text: str, *, personal: bool = True) -> list[str]:
    """The sentinels that stand in `text`."""
    return [word for word in (*SECRETS, *(PERSONAL if personal else ())) if word in text]


def echo(status: int) -> Any:
    """An answer that repeats everything it was told, as some systems do, and personal values beside it."""

    def answer(asked: Asked) -> Reply:
        body = {"error": f"refused {asked.headers.get('Authorization')} {asked.params}", "of": PERSON}
        return records(body, status, **{"X-Token": TOKEN, "Location": f"/again?api_key={QUERY_KEY}"})

    return answer


HTTP_BY_KEY = HTTP_SOURCE.replace(
    'auth: {{kind: bearer, token: "${{HTTP_TOKEN}}"}}',
    'auth: {{kind: key, in: query, name: api_key, value: "${{QUERY_KEY}}"}}',
)
SQL_SOURCE = """
source: sql_down
department: sales
connector: sql
settings: {url: "${ERP_URL}"}
streams:
  people: {as: person, key: id, options: {table: people}, fields: {given_name: first}}
"""


class Leaky:
    """A hub whose sources try hard to make it talk."""

    def __init__(self, folder: Path, database_url: str, server: HttpSource) -> None:
        self.folder, self.database_url = folder, database_url
        for status in (401, 403, 404, 418, 500):
            name = f"h{status}"
            server.answers[f"/{name}"] = echo(status)
            write_source(folder, name, HTTP_SOURCE.format(name=name, url=server.url))
            server.answers[f"/key{status}"] = echo(status)
            write_source(folder, f"key{status}", HTTP_BY_KEY.format(name=f"key{status}", url=server.url))
        server.answers["/redirected"] = lambda _asked: Reply(
            302, b"", {"Location": f"http://u:{PASSWORD}@localhost:9/x"}
        )
        write_source(folder, "redirected", HTTP_BY_KEY.format(name="redirected", url=server.url))
        text = HTTP_BY_KEY.format(name="told", url=server.url)
        rule = "    errors: [{path: error, message: error}]\n    streams:"
        server.answers["/told"] = echo(200)
        write_source(folder, "told", text.replace("    streams:", rule))
        server.answers["/good"] = lambda asked: records({"items": [PERSON] if asked.params["page"] == "1" else []})
        write_source(folder, "good", HTTP_SOURCE.format(name="good", url=server.url))
        write_source(folder, "sql_down", SQL_SOURCE)
        person_file(
            folder,
            "rejected",
            "rejected.jsonl",
            lines(
                {**PERSON, "id": None}, {**PERSON, "id": 2, "last": "Сентинелова\0"}, {**PERSON, "id": 3, "born": "31.02.1980"},
                {**PERSON, "id": "sentinel.person@example.ru"}, {**PERSON, "id": "sentinel.person@example.ru", "first": "Other"},
                b'{"last": "\xd0\xa1\xd0\xb5\xd0\xbd\xd1\x82\xd0\xb8\xd0\xbd\xd0\xb5\xd0\xbb\xd0\xbe\xd0\xb2\xd0\xb0", broken',
                [PERSON],  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        (folder / "config" / "attributes.yaml").write_text("attributes:\n  note: {kind: both, labels: {en: Note}}\n")

    def onefold(self, *arguments: str) -> Done:
        """One command, with every secret in its environment."""
        environ = {
            "HTTP_TOKEN": TOKEN,
            "QUERY_KEY": QUERY_KEY,
            "ERP_URL": f"postgresql+psycopg://erp:{PASSWORD}@127.0.0.1:9/erp",
            "ONEFOLD_DATABASE_URL": self.database_url,
        }
        return onefold("--home", self.folder / "var", "--config", self.folder / "config", *arguments, environ=environ)


@pytest.fixture(scope="module")
def told(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Leaky, Done, list[logging.LogRecord]]]:
    """The hub, how its run ended, and everything that anything logged meanwhile, at every level."""
    logged: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record)

    keeper, root = Keep(), logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        with databases.database(server_url, template) as url, http_source() as server:
            hub = Leaky(tmp_path_factory.mktemp("leaky"), url, server)
            yield hub, hub.onefold("run"), logged
    finally:
        root.removeHandler(keeper)
        root.setLevel(before)


def test_what_a_run_prints_holds_no_secret_and_no_personal_value(told: tuple[Leaky, Done, object]) -> None:
    _, done, _ = told
    assert done.code == 1
    assert "h401" in done.err
    assert "the source reports an error" in done.err  # the manifest's words, scrubbed
    assert leaks(done.out) == []
    personal_words_of_the_source = [line for line in done.err.splitlines() if "the source reports an error" not in line]
    assert leaks("\n".join(personal_words_of_the_source)) == []
    assert leaks(done.err, personal=False) == []


def test_what_a_run_logs_at_any_level_holds_no_secret_and_no_personal_value(
    told: tuple[Leaky, Done, list[logging.LogRecord]],
) -> None:
    _, _, logged = told
    ours = [
        record for record in logged if record.name.split(".")[0] in ("onefold", "connectors", "warehouse", "identity")
    ]
    assert ours, "the run logs its retries"
    # httpcore is a library's own wire log, at DEBUG only; what it shows of a response is the source's.
    lines_ = "\n".join(record.getMessage() for record in logged if not record.name.startswith("httpcore"))
    assert leaks(lines_) == []
    quiet = "\n".join(record.getMessage() for record in logged if record.levelno >= logging.INFO)
    assert leaks(quiet) == []


def test_run_reports_hold_no_secret_and_no_personal_value(told: tuple[Leaky, Done, object]) -> None:
    hub, _, _ = told
    with connect(hub.database_url, application_name="test") as conn:
        reports = [row[0] for row in conn.execute("SELECT to_jsonb(r)::text FROM ops.run r")]
        states = [row[0] for row in conn.execute("SELECT to_jsonb(c)::text FROM ops.checkpoint c")]
    assert len(reports) > 10
    told_by_source = [text for text in reports if "the source reports an error" not in text]
    assert leaks("\n".join([*told_by_source, *states])) == []
    assert leaks("\n".join(reports), personal=False) == []


def test_the_words_about_a_reject_hold_no_personal_value(told: tuple[Leaky, Done, object]) -> None:
    hub, _, _ = told
    with connect(hub.database_url, application_name="test") as conn:
        rows = conn.execute("SELECT reason, detail, path FROM ops.reject").fetchall()
    assert len(rows) >= 5
    assert leaks(json.dumps(rows, ensure_ascii=False)) == []


def test_commands_that_ask_a_source_hide_its_secrets_too(told: tuple[Leaky, Done, object]) -> None:
    hub, _, _ = told
    for command in (
        ["check", "key401"],
        ["discover", "key500"],
        ["preview", "h403"],
        ["check", "sql_down"],
        ["check", "told"],
    ):
        done = hub.onefold(*command)
        assert done.code != 0
        assert leaks(done.said, personal=False) == [], command
        machine = hub.onefold("--json", *command)
        assert leaks(machine.said, personal=False) == [], command


def test_json_and_status_and_doctor_hold_no_secret(told: tuple[Leaky, Done, object]) -> None:
    hub, _, _ = told
    for command in ("status", "doctor", "rejects", "source list"):
        assert leaks(hub.onefold("--json", *command.split()).said, personal=command == "status") == [], command


def test_a_database_url_s_password_is_never_shown(tmp_path: Path, server_url: str) -> None:
    person_file(tmp_path, "rejected", "rejected.jsonl", lines(PERSON))
    (tmp_path / "config" / "attributes.yaml").write_text("attributes:\n  note: {kind: both, labels: {en: Note}}\n")
    with connect(server_url, application_name="test") as conn:
        port = conn.info.port
    for url in (
        f"postgresql://onefold:{PASSWORD}@127.0.0.1:9/hub",  # nobody answers
        f"postgresql://nobody:{PASSWORD}@127.0.0.1:{port}/hub",  # refused
        f"postgresql://a:{PASSWORD}@[bad/hub",  # no URL
        f"mysql://a:{PASSWORD}@127.0.0.1/hub",  # another database
        f"postgresql://a:{PASSWORD}@127.0.0.1:notaport/hub",
        f"postgresql:///{PASSWORD}?nonsense={PASSWORD}",
    ):
        for arguments in ([], ["--json"]):
            done = onefold(
                "--home", tmp_path / "var", "--config", tmp_path / "config", *arguments, "run",
                environ={"ONEFOLD_DATABASE_URL": url},
            )  # fmt: skip
            assert done.code == 6, (url, done.said)
            assert done.out == ""
            assert PASSWORD not in done.err.replace(f"database {PASSWORD}", "")
            assert "Traceback" not in done.err
            assert 'File "' not in done.err


def test_a_role_that_may_not_create_tables_is_told_so_without_its_password(tmp_path: Path, server_url: str) -> None:
    person_file(tmp_path, "rejected", "rejected.jsonl", lines(PERSON))
    (tmp_path / "config" / "attributes.yaml").write_text("attributes:\n  note: {kind: both, labels: {en: Note}}\n")
    with databases.database(server_url, None) as url:
        with connect(url, application_name="test") as conn:
            name = f"{conn.info.dbname}_limited"
            conn.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
            host = "127.0.0.1" if conn.info.host.startswith("/") else conn.info.host
            limited = f"postgresql://{name}:{PASSWORD}@{host}:{conn.info.port}/{conn.info.dbname}"
        done = onefold_process(
            "--home",
            tmp_path / "var",
            "--config",
            tmp_path / "config",
            "run",
            environ={"ONEFOLD_DATABASE_URL": limited},
        )
    assert done.code in (1, 6), done.said
    assert "permission denied" in done.err
    assert leaks(done.said) == []


def test_settings_and_context_and_their_parts_show_no_secret(tmp_path: Path) -> None:
    from onefold.context import Context
    from onefold.progress import SilentProgress

    url = f"postgresql://onefold:{PASSWORD}@127.0.0.1:9/hub"
    settings = Settings.from_environment({"ONEFOLD_DATABASE_URL": url})
    assert settings.database_url == url
    context = Context(settings, None, url, {"CRM_TOKEN": TOKEN}, progress=SilentProgress())  # type: ignore[arg-type]
    assert leaks(repr(settings) + str(settings) + repr(context)) == []


def test_a_connector_s_settings_show_no_secret_when_printed_or_refused() -> None:
    from connectors.errors import ConnectorError
    from connectors.registry import open_connector

    manifest = {
        "base_url": "http://127.0.0.1:9/",
        "auth": {"kind": "bearer", "token": TOKEN},
        "streams": {"people": {"path": "people"}},
    }
    with open_connector("rest", "crm", {"manifest": manifest}) as connector:
        assert leaks(repr(connector) + repr(vars(connector)) + repr(connector.settings)) == []  # type: ignore[attr-defined]
    wrong = {"manifest": {**manifest, "auth": {"kind": "bearer", "tokn": TOKEN}}}
    with pytest.raises(ConnectorError) as refused, open_connector("rest", "crm", wrong):
        pass
    assert leaks(str(refused.value) + repr(refused.value)) == []
    bad_url = {"url": f"nonsense+driver://me:{PASSWORD}@host/db"}
    with pytest.raises(ConnectorError) as refused, open_connector("sql", "erp", bad_url) as opened:
        opened.check()
    assert leaks(str(refused.value) + repr(refused.value)) == []


def test_a_fault_of_our_own_is_told_by_place_and_kind_and_not_by_its_message(
    told: tuple[Leaky, Done, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from onefold.steps import status

    def broken(_context: object) -> None:
        raise ValueError(f"cannot read {PERSON} with {TOKEN}")

    monkeypatch.setattr(status, "status", broken)
    hub, _, _ = told
    for arguments in (["status"], ["--json", "status"]):
        done = hub.onefold(*arguments)
        assert done.code == 1
        assert "ValueError" in done.err
        assert leaks(done.said) == []


def breaks_a_constraint(context: Any) -> None:
    """A step whose error's DETAIL holds a whole row."""
    with context.connection("test") as conn:
        conn.execute(
            "INSERT INTO ops.reject (fingerprint, source, stream, step, reason, detail, place, payload)"
            " VALUES (gen_random_uuid(), 'crm', 'people', %s, 'x', %s, 'x', 'x')",
            (PERSON["email"], PERSON["last"]),
        )


def test_a_task_s_error_loses_the_row_that_postgresql_quotes(
    told: tuple[Leaky, Done, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Task logs show an exception with everything that it came from."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))  # Airflow writes its configuration when it is imported
    from airflow.sdk.exceptions import AirflowException

    from dags.runner import call_step
    from onefold.steps import status

    monkeypatch.setattr(status, "status", breaks_a_constraint)
    hub, _, _ = told
    monkeypatch.setenv("ONEFOLD_DATABASE_URL", hub.database_url)
    monkeypatch.setenv("ONEFOLD_CONFIG", str(hub.folder / "config"))
    with pytest.raises(AirflowException, match=r"status: the hub's database says: .*reject") as failed:
        call_step("status")
    assert leaks("".join(traceback.format_exception(failed.value))) == []


def test_an_error_of_postgresql_loses_the_row_that_it_quotes(
    told: tuple[Leaky, Done, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from onefold.steps import status

    monkeypatch.setattr(status, "status", breaks_a_constraint)
    hub, _, _ = told
    done = hub.onefold("status")
    assert done.code == 6
    assert "reject" in done.err
    assert leaks(done.said) == []

"""A source that misbehaves, from its socket to the hub's tables: a clear error, the checkpoint right, nothing lost or told.

Each test runs `onefold sync` against a server on the loopback, on a real PostgreSQL.
"""

from __future__ import annotations

import email.utils
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.context import ensure_schema
from tests.support.cli import Done
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records
from tests.support.messy import HTTP_SOURCE, MessyHub, write_source
from warehouse.server import EmbeddedServer, ServerOptions

NEW_TOKEN = "tok-6a2f88bb"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[MessyHub]:
    """A hub whose one source is `crm`, at a server of this test's own."""
    with http_source() as server:
        made = MessyHub(tmp_path, database_url, server)
        configure(made, server.url)
        yield made


def configure(hub: MessyHub, url: str, *replaced: tuple[str, str]) -> None:
    """The source `crm`, with other words in its configuration."""
    text = HTTP_SOURCE.format(name="crm", url=url)
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    write_source(hub.folder, "crm", text)


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "first": "Иван", "last": f"Лидин{number}", **fields}


def pages(*pages_: list[dict[str, Any]], others: dict[int, Reply] | None = None) -> Any:
    """Answers page by page; `others` instead of some; empty behind the last."""

    def answer(asked: Asked) -> Reply:
        number = int(asked.params["page"])
        if others and number in others:
            return others[number]
        return records({"items": pages_[number - 1] if number <= len(pages_) else []})

    return answer


def sync(hub: MessyHub, *options: str, code: int = 0, token: str | None = None) -> dict[str, Any]:
    """The report of the source's one stream; no token may have been said."""
    done = hub.onefold("--json", "sync", "crm", *options, **({"token": token} if token else {}))
    assert done.code == code, done.said
    assert_nothing_leaked(hub, done)
    report: dict[str, Any] = done.json["streams"][0]
    return report


def assert_nothing_leaked(hub: MessyHub, done: Done) -> None:
    kept = json.dumps(hub.query("SELECT report::text FROM ops.run"), ensure_ascii=False)
    for secret in ("tok-5f1e77aa", NEW_TOKEN, "Лидин"):
        assert secret not in done.said + kept
    assert "Traceback" not in done.said


def payloads(hub: MessyHub) -> dict[str, str]:
    return dict(hub.query("SELECT source_key, payload::text FROM raw.record WHERE NOT is_deleted"))


def test_a_certificate_that_nobody_vouches_for_is_refused(hub: MessyHub, tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    server = HttpSource()
    server.speak_tls(certificate, key)
    server.answers["/crm"] = pages([person(1)])
    server.start()
    try:
        configure(hub, server.url.replace("http://", "https://"))
        report = sync(hub, code=3)
    finally:
        server.stop()
    assert (report["error_class"], report["inserted"]) == ("SourceConfigurationError", 0)
    assert "TLS certificate or protocol is not accepted" in report["error"]
    assert server.asked == []


def test_credentials_do_not_follow_a_redirect_to_another_host(hub: MessyHub) -> None:
    with http_source() as other:
        other.answers["/crm"] = lambda _asked: records({"items": []})
        hub.server.answers["/crm"] = pages(
            [person(1), person(2)], others={2: Reply(302, headers={"Location": f"{other.url}/crm?page=2"})}
        )
        report = sync(hub)
        assert (report["status"], report["inserted"]) == ("done", 2)
        assert [name for asked in other.asked for name in asked.headers if name.lower() == "authorization"] == []
        assert len(other.asked) == 1


def test_html_in_mid_run_keeps_what_landed_and_goes_on_there(hub: MessyHub) -> None:
    whole = [person(1), person(2)], [person(3), person(4)]
    login = Reply(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})
    hub.server.answers["/crm"] = pages(*whole, others={2: login})
    report = sync(hub, code=1)
    assert "an HTML or XML page came instead of JSON (text/html) at GET crm, page 2" in report["error"]
    assert hub.landed("crm") == ["1", "2"]
    hub.server.answers["/crm"] = pages(*whole)
    assert sync(hub)["inserted"] == 2
    assert hub.landed("crm") == ["1", "2", "3", "4"]


def test_an_endless_answer_is_cut_off_early(hub: MessyHub) -> None:
    configure(hub, hub.server.url, ("max_wait: 2s", "max_wait: 2s, max_body: 1000000"))
    endless = Reply(200, b" " * 65536, JSON, endless=True)
    hub.server.answers["/crm"] = pages([person(1), person(2)], others={2: endless})
    report = sync(hub, code=1)
    assert "the answer is longer than 976 KiB at GET crm, page 2. Ask for smaller pages" in report["error"]
    assert hub.landed("crm") == ["1", "2"]
    assert hub.server.endless_bytes < 20_000_000  # what the kernel takes before it notices


def test_a_charset_is_believed_where_it_fits_and_told_where_it_does_not(hub: MessyHub) -> None:
    body = json.dumps({"items": [person(1)]}, ensure_ascii=False).encode("cp1251")
    hub.server.answers["/crm"] = pages(
        [], others={1: Reply(200, body, {"Content-Type": "application/json; charset=utf-8"})}
    )
    report = sync(hub, code=1)
    assert (report["error_class"], hub.landed("crm")) == ("SourceDataError", [])
    right = Reply(200, body, {"Content-Type": "application/json; charset=windows-1251"})
    hub.server.answers["/crm"] = pages([], others={1: right})
    sync(hub)
    assert json.loads(payloads(hub)["1"])["last"] == "Лидин1"


def test_a_key_twice_on_a_page_counts_once_and_the_other_is_kept(hub: MessyHub) -> None:
    hub.server.answers["/crm"] = pages(
        [person(1, email="old@example.ru"), person(1, email="new@example.ru"), person(2)]
    )
    report = sync(hub)
    assert (report["inserted"], report["rejected"]) == (2, 1)
    assert json.loads(payloads(hub)["1"])["email"] == "new@example.ru"
    ((place, reason, payload),) = hub.rejects("crm")
    assert (place, reason) == ("crm page 1 record 1", "duplicate-key")
    assert json.loads(payload)["email"] == "old@example.ru"


def test_a_key_that_becomes_a_text_is_the_same_key(hub: MessyHub) -> None:
    hub.server.answers["/crm"] = pages([person(1), person(2)])
    sync(hub)
    hub.server.answers["/crm"] = pages([{**person(1), "id": "1"}, {**person(2), "id": 2.0}])
    report = sync(hub, "--full")
    assert (report["inserted"], report["deleted"]) == (0, 0)
    assert hub.landed("crm") == ["1", "2"]


def test_numbers_beyond_64_bits_keep_every_digit(hub: MessyHub) -> None:
    wide, fine = 2**70 + 1, "0.12345678901234567890123456789"
    body = b'{"items": [{"id": %d, "first": "A", "sum": %s, "huge": 1e400}]}' % (wide, fine.encode())
    hub.server.answers["/crm"] = pages([], others={1: Reply(200, body, JSON)})
    assert sync(hub)["inserted"] == 1
    (text,) = payloads(hub).values()
    assert hub.landed("crm") == [str(wide)]
    assert f'"id": {wide}' in text
    assert fine in text


def test_impossible_dates_stop_nobody(hub: MessyHub) -> None:
    configure(
        hub,
        hub.server.url,
        ("    key: id\n", "    key: id\n    updated_at: changed\n"),
        ("email: email", "email: email, birth_date: born"),
    )
    hub.server.answers["/crm"] = pages(
        [
            person(1, born="0000-00-00", changed="0000-00-00T00:00:00"),
            person(2, born="1753-01-01", changed="1753-01-01"),
        ],
        [person(3, born="1990-02-11", changed="2026-01-05T10:00:00Z"), person(4, born="9999-12-31", changed=10**30)],
    )
    done = hub.onefold("--json", "run")
    assert done.code == 0, done.said
    assert hub.landed("crm") == ["1", "2", "3", "4"]
    times = dict(hub.query("SELECT source_key, source_updated_at::text FROM raw.record"))
    assert (times["1"], times["4"]) == (None, None)
    assert times["3"] == "2026-01-05 10:00:00+00"
    assert hub.query("SELECT count(*) FROM identity.standard_record") == [(4,)]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_server_whose_clock_is_an_hour_off_loses_no_change(hub: MessyHub, hours: int) -> None:
    configure(
        hub,
        hub.server.url,
        ("        records: items\n", "        records: items\n        changes: {param: since, lookback: 0}\n"),
    )
    people: list[tuple[float, dict[str, Any]]] = []

    def theirs() -> float:
        return time.time() + hours * 3600

    def answer(asked: Asked) -> Reply:
        since = asked.params.get("since")
        moment = email.utils.parsedate_to_datetime(email.utils.format_datetime(_utc(theirs())))
        found = [one for at, one in people if since is None or at >= _iso(since)]
        first = (int(asked.params["page"]) - 1) * 2
        return records({"items": found[first : first + 2]}, Date=email.utils.format_datetime(moment, usegmt=True))

    hub.server.answers["/crm"] = answer
    people.append((theirs(), person(1)))
    sync(hub)
    time.sleep(1.1)  # the source tells its time in whole seconds
    people.append((theirs(), person(2)))
    sync(hub)
    assert hub.landed("crm") == ["1", "2"]


def _utc(seconds: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)


def _iso(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_pages_that_shift_while_they_are_read_lose_nothing(hub: MessyHub) -> None:
    paging = "{kind: page, param: page, limit: 2, limit_param: limit}"
    configure(hub, hub.server.url, (paging, "{kind: offset, limit: 3, overlap: 1}"))
    people = [person(number) for number in range(1, 11)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.params["offset"])
        if offset >= 4 and people[0]["id"] == 1:
            del people[:2]  # two records before the reader's place go: all behind them move forward
        return records({"items": people[offset : offset + 3]})

    hub.server.answers["/crm"] = answer
    sync(hub)
    assert set(hub.landed("crm")) == {str(number) for number in range(1, 11)}


def test_a_token_revoked_in_mid_run_keeps_what_landed_and_a_new_one_goes_on(hub: MessyHub) -> None:
    whole = [person(1), person(2)], [person(3), person(4)]
    valid = {"token": "tok-5f1e77aa"}

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != f"Bearer {valid['token']}":
            return records({"error": f"revoked: {asked.headers.get('Authorization')}"}, 401)
        reply: Reply = pages(*whole)(asked)
        if asked.params["page"] == "1":
            valid["token"] = NEW_TOKEN
        return reply

    hub.server.answers["/crm"] = answer
    report = sync(hub, code=5)
    assert (report["error_class"], report["inserted"]) == ("CredentialsError", 2)
    assert "the credentials were refused (401) at GET crm, page 2. Renew the secret" in report["error"]
    before = len(hub.server.asked)
    assert sync(hub, token=NEW_TOKEN)["inserted"] == 2
    assert [asked.params["page"] for asked in hub.server.asked[before:]] == ["2", "3"]


def test_a_right_that_was_narrowed_deletes_nothing_until_somebody_says_so(hub: MessyHub) -> None:
    configure(
        hub, hub.server.url, ("        records: items\n", "        records: items\n        deletes: {kind: sweep}\n")
    )
    hub.server.answers["/crm"] = pages([person(number) for number in range(1, 201)])
    assert sync(hub)["inserted"] == 200
    hub.server.answers["/crm"] = pages([person(number) for number in range(1, 21)])
    report = sync(hub, code=7)
    assert (report["status"], report["error_class"]) == ("held", "Held")
    assert "180 of 200 records would be deleted (limit 20 %)" in report["error"]
    assert "onefold release 2" in report["error"]
    assert len(hub.landed("crm")) == 200
    assert sync(hub)["deleted"] == 0
    assert hub.onefold("--json", "release", "2").json["records"] == 180
    assert len(hub.landed("crm")) == 20
    hub.server.answers["/crm"] = pages([person(number) for number in range(1, 201)])
    assert sync(hub)["updated"] == 180
    hub.server.answers["/crm"] = pages([person(number) for number in range(1, 21)])
    assert sync(hub, "--accept-deletions")["deleted"] == 180
    assert len(hub.landed("crm")) == 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 140 MB in memory; mounting needs to be root in one's own right."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=140m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=30)


def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(small_disk / "hub", ServerOptions(is_durable=False))
    with server.lease() as endpoint, http_source() as source:
        hub = MessyHub(tmp_path, endpoint.url, source)
        configure(hub, source.url)
        whole = [[person(number, note="n" * 1000) for number in range(first, first + 10)] for first in range(1, 61, 10)]
        hub.server.answers["/crm"] = pages(*whole)
        ensure_schema(endpoint.url)
        filler = small_disk / "filler"

        def answer(asked: Asked) -> Reply:
            if asked.params["page"] == "4":
                with filler.open("wb") as out:
                    try:
                        while out.write(b"x" * 65536):
                            out.flush()
                    except OSError:
                        pass
            return pages(*whole)(asked)

        hub.server.answers["/crm"] = answer
        done = hub.onefold("--json", "sync", "crm")
        assert done.code != 0, done.said
        filler.unlink()
        assert "Traceback" not in done.said
        assert "Лидин" not in done.said
        hub.server.answers["/crm"] = pages(*whole)
        done = hub.onefold("--json", "sync", "crm")
        assert done.code == 0, done.said
        assert len(hub.landed("crm")) == 60

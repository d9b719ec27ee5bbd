"""Pages land whole or not at all; what is unchanged writes nothing; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg
import pytest

from onefold.context import ensure_schema
from warehouse import landing, pages, storing
from warehouse.connect import connect
from warehouse.dump import canonical_dump, row_versions
from warehouse.keys import record_id
from warehouse.landing import Landed, RowTuple, flushed_together, land_page
from warehouse.server import EmbeddedServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(key: str, updated_at: datetime | None = NOW, **payload: Any) -> RowTuple:
    text = json.dumps({"id": key, **payload}, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    return key, text, blake2b(text, digest_size=16).digest(), updated_at


def land(conn: psycopg.Connection, rows: Iterable[RowTuple] = (), **arguments: Any) -> Landed:
    settings: dict[str, Any] = {
        "run_id": 1,
        "source": "crm",
        "stream": "contacts",
        "state": {"page": 1},
        "now": NOW,
    }
    return land_page(conn, rows=list(rows), **{**settings, **arguments})


def thought_news(rows: Iterable[RowTuple]) -> dict[str, Any]:
    """Arguments of a page that is thought to hold nothing known."""
    rows = list(rows)
    return {"rows": rows, "prepared": pages.prepare("crm", "contacts", rows, is_news=True)}


def payloads(conn: psycopg.Connection) -> dict[str, Any]:
    return dict(conn.execute("SELECT source_key, payload FROM raw.record WHERE NOT is_deleted").fetchall())


def queued(conn: psycopg.Connection) -> list[int]:
    return [r[0] for r in conn.execute("SELECT record_id FROM ops.pending WHERE step = 'standardise' ORDER BY id")]


def test_new_changed_and_unchanged_rows_are_told_apart(conn: psycopg.Connection) -> None:
    assert land(conn, [row("1", a=1), row("2", a=1), row("3", a=1)]) == Landed(inserted=3)
    conn.execute("DELETE FROM ops.pending")
    landed = land(conn, [row("1", a=1), row("2", a=2), row("4", a=1)], state={"page": 2}, run_id=2)
    assert landed == Landed(inserted=1, updated=1, unchanged=1)
    assert payloads(conn)["2"] == {"id": "2", "a": 2}
    assert sorted(queued(conn)) == sorted(record_id("crm", "contacts", key) for key in ("2", "4"))
    versions = conn.execute("SELECT payload, run_id FROM raw.record_version").fetchall()
    assert versions == [({"id": "2", "a": 1}, 1)]
    assert landing.checkpoint(conn, "crm", "contacts") == {"page": 2}


def test_a_page_without_news_writes_no_row_and_burns_no_id(conn: psycopg.Connection) -> None:
    rows = [row(str(n), name=f"Имя {n}") for n in range(500)]
    land(conn, rows, rejects=[(b"?", "malformed-row", "It is not JSON.", "line 7")])
    before = row_versions(conn)
    ids = conn.execute("SELECT last_value FROM ops.pending_id_seq").fetchone()
    rejects = conn.execute("SELECT ctid, xmin, xmax FROM ops.reject").fetchall()
    landed = land(
        conn,
        rows,
        run_id=2,
        now=NOW + timedelta(days=1),
        rejects=[(b"?", "malformed-row", "It is not JSON.", "line 7")],
    )
    assert landed == Landed(unchanged=500, rejected=1)
    assert row_versions(conn) == before
    assert conn.execute("SELECT last_value FROM ops.pending_id_seq").fetchone() == ids
    assert conn.execute("SELECT ctid, xmin, xmax FROM ops.reject").fetchall() == rejects


def test_a_change_outside_the_digest_is_no_change(conn: psycopg.Connection) -> None:
    key, payload, digest, at = row("1", name="Anna", version=1)
    land(conn, [(key, payload, digest, at)])
    assert land(conn, [(key, payload.replace(b"1}", b"2}"), digest, NOW + timedelta(days=1))]) == Landed(unchanged=1)


def test_tombstones_mark_and_a_row_that_returns_is_revived(conn: psycopg.Connection) -> None:
    land(conn, [row("1"), row("2")])
    assert land(conn, [], tombstones=["1", "unknown"]) == Landed(deleted=1)
    assert land(conn, [], tombstones=["1"]) == Landed()
    assert conn.execute(
        "SELECT is_deleted, is_deletion_inferred FROM raw.record WHERE source_key = '1'"
    ).fetchone() == (
        True,
        False,
    )
    assert land(conn, [row("1")]) == Landed(updated=1, revived=1)
    assert set(payloads(conn)) == {"1", "2"}
    assert conn.execute("SELECT is_deleted FROM raw.record_version ORDER BY version_key").fetchall() == [
        (False,),
        (True,),
    ]


def test_a_row_that_is_also_a_tombstone_lands_deleted_and_stays_so_without_writing(
    conn: psycopg.Connection,
) -> None:
    land(conn, [row("1", a=1)])
    assert land(conn, [row("1", a=2), row("2")], tombstones=["1", "2"]) == Landed(inserted=1, deleted=1)
    before = row_versions(conn)
    assert land(conn, [row("1", a=2), row("2")], tombstones=["1", "2"]) == Landed(unchanged=2)
    assert row_versions(conn) == before


def test_a_complete_pass_deletes_what_it_did_not_show_even_when_it_was_resumed(
    conn: psycopg.Connection,
) -> None:
    land(conn, [row("1"), row("2"), row("3"), row("4")], snapshot=("first", True))
    other = land_page(conn, run_id=1, source="crm", stream="deals", rows=[row("1")], state={}, now=NOW)
    assert other.inserted == 1
    land(conn, [row("9")], snapshot=("abandoned", False))
    land(conn, [row("1")], snapshot=("second", False))
    land(conn, [row("1")], snapshot=("second", False))
    landed = land(conn, [row("3")], snapshot=("second", True))
    assert landed.deleted == 3
    assert set(payloads(conn)) == {"1", "3"}
    inferred = conn.execute("SELECT source_key FROM raw.record WHERE is_deletion_inferred ORDER BY 1").fetchall()
    assert inferred == [("2",), ("4",), ("9",)]
    assert conn.execute("SELECT count(*) FROM ops.sweep_mark").fetchone() == (0,)


def test_a_pass_by_keys_alone_deletes_what_it_did_not_show_and_says_nothing_of_rejects(
    conn: psycopg.Connection,
) -> None:
    land(conn, [row("1"), row("2"), row("3")], rejects=[(b"?", "malformed-row", "It is not JSON.", "line 7")])
    before = row_versions(conn)
    assert land(conn, [], snapshot=("keys", False), shown=["1", "never landed", "nul\x00"]) == Landed()
    assert row_versions(conn) == before
    assert land(conn, [], snapshot=("keys", True), shown=["3"]) == Landed(deleted=1)
    assert set(payloads(conn)) == {"1", "3"}
    assert conn.execute("SELECT is_open FROM ops.reject").fetchall() == [(True,)]


def test_an_incomplete_pass_deletes_nothing(conn: psycopg.Connection) -> None:
    land(conn, [row("1"), row("2")])
    assert land(conn, [row("1")], snapshot=("p", False)).deleted == 0
    assert set(payloads(conn)) == {"1", "2"}


def test_a_deletion_that_is_set_aside_is_not_inferred_again(conn: psycopg.Connection) -> None:
    land(conn, [row(str(n)) for n in range(3)])
    conn.execute(
        "INSERT INTO raw.held_record SELECT record_id, 1, source, stream, source_key, payload, payload_hash, true, true,"
        " NULL, ingested_at, run_id FROM raw.record WHERE source_key = '1'"
    )
    assert land(conn, [row("0")], snapshot=("p", True)).deleted == 1
    assert set(payloads(conn)) == {"0", "1"}


def test_what_jsonb_refuses_is_kept_with_its_bytes_and_harms_no_neighbour(conn: psycopg.Connection) -> None:
    rows = [row(str(n)) for n in range(100)]
    bad = {
        "nul": b'{"id": "nul", "x": "a\\u0000b"}',
        "surrogate": b'{"id": "surrogate", "x": "\\ud800"}',
        "broken": b'{"id": "broken", ',
        "number": b'{"id": "number", "x": 1e999999}',
        "bytes": b'{"id": "bytes", "x": "\xff\xfe"}',
        "raw nul": b'{"id": "raw nul", "x": "\x00"}',
        "deep": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    }
    for n, (key, payload) in enumerate(bad.items()):
        rows.insert(n * 9, (key, payload, blake2b(payload, digest_size=16).digest(), None))
    landed = land(conn, rows, snapshot=("p", True))
    assert (landed.inserted, landed.rejected) == (100, 7)
    assert len(payloads(conn)) == 100
    kept = dict(conn.execute("SELECT source_key, payload FROM ops.reject WHERE reason = 'not-storable'").fetchall())
    assert kept == bad
    details = " ".join(r[0] for r in conn.execute("SELECT detail FROM ops.reject"))
    assert 'surrogate"' not in details
    again = land(conn, rows, snapshot=("q", True))
    assert (again.unchanged, again.rejected, again.deleted) == (100, 7, 0)
    assert conn.execute("SELECT count(*) FROM ops.reject").fetchone() == (7,)


def test_a_change_that_cannot_be_stored_leaves_the_former_version_and_is_closed_when_it_can(
    conn: psycopg.Connection,
) -> None:
    land(conn, [row("1", a=1)])
    bad = b'{"id": "1", "a": "\\u0000"}'
    landed = land(conn, [("1", bad, blake2b(bad, digest_size=16).digest(), None), row("2")])
    assert (landed.inserted, landed.updated, landed.rejected) == (1, 0, 1)
    assert payloads(conn)["1"] == {"id": "1", "a": 1}
    assert conn.execute("SELECT count(*) FROM raw.record_version").fetchone() == (0,)
    land(conn, [row("1", a=2)])
    assert conn.execute("SELECT is_open, is_retried FROM ops.reject").fetchall() == [(False, True)]


def test_keys_that_text_cannot_hold_are_rejected(conn: psycopg.Connection) -> None:
    landed = land(conn, [("a\x00b", b"{}", bytes(16), None), ("\ud800", b"{}", bytes(16), None), row("ok\t\\\n")])
    assert (landed.inserted, landed.rejected) == (1, 2)
    assert set(payloads(conn)) == {"ok\t\\\n"}


def test_long_strings_and_odd_characters_come_back_as_they_were(conn: psycopg.Connection) -> None:
    odd = {"text": "tab\t nl\n cr\r \\ \\N \\. \"q\" 'é' 😀 \u2028", "long": "х" * 3_000_000}
    land(conn, [row("1", **odd)])
    assert payloads(conn)["1"] == {"id": "1", **odd}
    land(conn, [row("1", **odd, more=1)])
    assert payloads(conn)["1"] == {"id": "1", **odd, "more": 1}


def test_a_key_twice_on_a_page_counts_once_and_the_last_wins(conn: psycopg.Connection) -> None:
    assert land(conn, [row("1", a=1), row("1", a=2)]) == Landed(inserted=1)
    assert payloads(conn)["1"]["a"] == 2
    assert land(conn, [row("1", a=1), row("1", a=2)]) == Landed(unchanged=1)


def test_a_key_twice_in_a_complete_pass_is_told(conn: psycopg.Connection) -> None:
    landed = land(conn, [row("1", a=1), row("1", a=2)], snapshot=("p", True))
    assert (landed.inserted, landed.rejected) == (1, 1)
    assert conn.execute("SELECT reason, source_key FROM ops.reject").fetchall() == [("duplicate-key", "1")]


def test_two_keys_with_one_id_are_refused_by_name(conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "record_ids", lambda *_: lambda _: 7)
    monkeypatch.setattr(pages, "record_id_list", lambda _source, _stream, keys: [7 for _ in keys])
    landed = land(conn, [row("first"), row("second")])
    assert (landed.inserted, landed.rejected) == (1, 1)
    landed = land(conn, [row("third")])
    assert (landed.inserted, landed.rejected) == (0, 1)
    details = [r[0] for r in conn.execute("SELECT detail FROM ops.reject ORDER BY source_key")]
    assert all("first" in detail for detail in details)
    assert set(payloads(conn)) == {"first"}


def test_what_is_thought_of_a_page_does_not_change_what_lands(conn: psycopg.Connection) -> None:
    story = [
        [row("1", a=1), row("2", a=1)],
        [row("1", a=2), row("2", a=2), row("3", a=1)],
        [row("1", a=2), row("3", a=2), row("4", a=1)],
        [row("5", a=1), row("5", a=2)],
        [row("6", text="nul\\u0000"), row("7")],
        [row("1", a=2), row("2", a=2)],
        [row("2", a=3), row("8")],
    ]
    dumps, landings = [], []
    for is_thought_news in (False, True):
        conn.execute("TRUNCATE raw.record, raw.record_version, ops.pending, ops.checkpoint, ops.reject, ops.sweep_mark")
        landings.append([])
        for number, rows in enumerate(story):
            if number == 6:
                landings[-1].append(land(conn, [], tombstones=["2"]))
            arguments = thought_news(rows) if is_thought_news else {"rows": rows}
            landings[-1].append(land(conn, **arguments, state={"page": number}, snapshot=("pass", False)))
        dumps.append(canonical_dump(conn))
    assert landings[0] == landings[1]
    assert landings[0][-1] == Landed(inserted=1, updated=1, revived=1)
    assert dumps[0] == dumps[1]


def test_a_page_that_is_wrongly_thought_news_touches_nothing_that_is_known(conn: psycopg.Connection) -> None:
    rows = [row(str(number)) for number in range(20)]
    land(conn, rows)
    before = row_versions(conn)
    assert land(conn, **thought_news(rows)) == Landed(unchanged=20)
    assert row_versions(conn) == before


def test_inside_a_transaction_a_page_that_is_thought_news_is_a_savepoint(conn: psycopg.Connection) -> None:
    with conn.transaction():
        land(conn, [row("1")])
        assert land(conn, **thought_news([row("1"), row("2")])) == Landed(inserted=1, unchanged=1)
        assert land(conn, **thought_news([row("3")])) == Landed(inserted=1)
    assert set(payloads(conn)) == {"1", "2", "3"}


def test_what_was_made_of_other_rows_does_not_land(conn: psycopg.Connection) -> None:
    made = thought_news([row("1"), row("2")])["prepared"]
    assert land(conn, [row("2")], prepared=made) == Landed(inserted=1)
    assert set(payloads(conn)) == {"2"}


def test_a_page_of_long_payloads_lands_in_pieces(conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (landing, pages, storing):
        monkeypatch.setattr(module, "PIECE", 1000)
    rows = [row(str(number), text="x" * (1500 if number == 3 else 200)) for number in range(12)]
    assert land(conn, **thought_news(rows)) == Landed(inserted=12)
    assert land(conn, [row(str(number), text="y" * 200) for number in range(12)]) == Landed(updated=12)
    assert len(payloads(conn)) == 12


def test_rows_and_checkpoint_are_lost_together(conn: psycopg.Connection) -> None:
    with pytest.raises(RuntimeError), conn.transaction():  # noqa: PT012
        land(conn, [row("1")])
        raise RuntimeError
    assert payloads(conn) == {}
    assert landing.checkpoint(conn, "crm", "contacts") is None
    assert queued(conn) == []
    with conn.transaction():
        land(conn, [row("1", a=1)])
        land(conn, [row("1", a=2)])
        land(conn, [row("1", a=3), row("2")])
    assert payloads(conn)["1"]["a"] == 3


def test_batching_does_not_change_what_is_stored(conn: psycopg.Connection, empty_database_url: str) -> None:
    rows = [row(str(n), a=n % 7) for n in range(50)]
    land(conn, rows)
    whole = canonical_dump(conn)
    conn.execute("TRUNCATE raw.record, raw.record_version, ops.pending, ops.checkpoint")
    for page in (rows[30:], rows[:10], rows[10:30]):
        land(conn, page)
    assert canonical_dump(conn) == whole


def test_a_crash_of_the_server_takes_back_whole_pages_with_their_checkpoints(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "hub")
    with server.lease() as endpoint:
        ensure_schema(endpoint.url)
        conn = connect(endpoint.url, application_name="onefold tests")
        with suppress(psycopg.OperationalError), flushed_together(conn):
            for page in range(1, 41):
                rows = [row(str(number)) for number in range(page * 10, page * 10 + 10)]
                land(conn, rows, state={"page": page})
            assert conn.execute("SHOW synchronous_commit").fetchone() == ("off",)
            server.stop("immediate")  # no checkpoint, no flush
        conn.close()
    with server.lease() as endpoint, connect(endpoint.url, application_name="onefold tests") as conn:
        kept = landing.checkpoint(conn, "crm", "contacts")
        page = 0 if kept is None else kept["page"]
        assert sorted(payloads(conn), key=int) == [str(number) for number in range(10, page * 10 + 10)]


def test_what_follows_the_pages_waits_for_the_disk(conn: psycopg.Connection) -> None:
    before = conn.execute("SHOW synchronous_commit").fetchone()
    with flushed_together(conn):
        land(conn, [row("1")])
    assert conn.execute("SHOW synchronous_commit").fetchone() == before

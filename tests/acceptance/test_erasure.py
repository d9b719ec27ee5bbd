"""An erased person is nowhere in a dump of the hub, does not come back by any way, and nobody else lost anything."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import pytest

from onefold.errors import HubBusy, NothingFound, UsageError
from onefold.steps.backup import backup, restore
from onefold.steps.erase import EraseReport, erase, erasures, unsuppress
from onefold.steps.judge import judge, split_off
from onefold.steps.needs import QUEUE as NEEDS
from onefold.steps.sync import source_lock
from onefold.steps.withhold import secrets_folder
from tests.support.cli import onefold
from tests.support.hub import Hub
from warehouse import queue
from warehouse.backup.programs import find_programs, output_of
from warehouse.connect import connect, unit_of_work
from warehouse.erasure import journal
from warehouse.erasure.hashes import ErasureKeyError

SHOP = """
source: shop
department: sales
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
streams:
  buyers:
    as: person
    key: mail
    options: {path: data/shop_buyers.jsonl}
    fields: {full_name: name, email: mail, phone: tel, city: town, street: street, birth_date: born}
  receipts:
    as: interaction
    type: sales_order
    key: id
    options: {path: data/shop_receipts.jsonl}
    party: {stream: buyers, key: buyer}
    occurred_at: at
    amount: {value: sum}
    document_number: no
    summary: note
    detail: {wish: wish}
    lines: {stream: receipt_rows, where: {receipt: $key}, item_name: what, amount: sum}
  receipt_rows:
    key: id
    options: {path: data/shop_receipt_rows.jsonl}
  letters:
    key: id
    options: {path: data/shop_letters.jsonl}
  relatives:
    as: relationship
    type: owner_of
    key: id
    options: {path: data/shop_relatives.jsonl}
    from: {stream: buyers, key: one}
    to: {stream: buyers, key: other}
    role: words
"""
DESK = """
source: desk
department: service
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
streams:
  callers:
    as: person
    key: id
    options: {path: data/desk_callers.jsonl}
    fields: {full_name: name, phone: tel, email: mail, birth_date: born}
  tickets:
    as: interaction
    type: service_ticket
    key: id
    options: {path: data/desk_tickets.jsonl}
    party: {stream: callers, key: caller}
    occurred_at: at
    summary: text
"""
MAIL, OLD_MAIL, INN = "ija.sentinelova@example.ru", "ija.alt@example.ru", "500100732259"
SENTINELS = ("сентинел", "sentinel", "ija.alt", "9165550199", INN, "заветная", "позвоните ие", "ия петровна",
             "1987-03-14", "14.03.1987")  # fmt: skip
SHARED = "+7 916 555-07-77"


INVALID = "111111111111"
"""What she and others bear as a tax number, and is none."""
THEIR_REJECT = (
    f'{{"id": "98", "last": "Муравьёв", "phone": "{SHARED}", "inn": "{INVALID}", "mail": "g@example.ru", broken\n'
)


def leaks(dump: str) -> list[str]:
    """What of the person stands in a dump, in whatever spelling: also in bytes, in escapes, and as a plain hash."""
    text = dump.lower()
    for found in re.findall(r"\\x([0-9a-f]{8,})", text):
        read = bytes.fromhex(found)
        text += "\n" + "\n".join(read.decode(code, "replace") for code in ("utf-8", "cp1251", "utf-16-le")).lower()
    text += re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text).lower()
    text += re.sub(r"[ ()+-]", "", text)
    found = [word for word in SENTINELS if word in text]
    return found + [f"{name} of {value}" for name, value, said in HASHED if said in text]


def _hashes() -> Iterator[tuple[str, str, str]]:
    for value in (MAIL, OLD_MAIL, INN, "+79165550199", "79165550199", "9165550199", "сентинелова", "sentinelova"):
        for name in ("md5", "sha1", "sha256", "sha512"):
            yield name, value, hashlib.new(name, value.encode()).hexdigest()
        for size in (8, 16, 32, 64):
            made = hashlib.blake2b(value.encode(), digest_size=size).digest()
            yield f"blake2b-{size}", value, made.hex()
            yield f"blake2b-{size}", value, str(int.from_bytes(made[:8], "big", signed=True))
            if size == 16:
                yield "uuid", value, str(UUID(bytes=made))


HASHED = list(_hashes())


def traces(hub: Hub) -> set[str]:
    """What the hub itself calculates of the person's values alone: unsalted, so that who has a value could try it."""
    found = hub.query(
        """
        SELECT payload_hash::text FROM raw.record WHERE record_id = ANY (%(ids)s)
        UNION SELECT payload_hash::text FROM raw.record_version WHERE record_id = ANY (%(ids)s)
        UNION SELECT content_hash::text FROM identity.standard_record WHERE record_id = ANY (%(ids)s)
        UNION SELECT content_hash::text FROM core.interaction WHERE record_id = ANY (%(ids)s)
        UNION SELECT golden_hash::text FROM core.client_history WHERE client_id = %(client)s
        UNION SELECT fingerprint::text FROM identity.point WHERE record_id = ANY (%(ids)s)
        UNION SELECT key::text FROM identity.blocking_key GROUP BY key HAVING bool_and(record_id = ANY (%(ids)s))
        """,
        {"ids": hub.theirs, "client": hub.client},  # type: ignore[attr-defined]
    )
    return {row[0] for row in found if row[0] is not None}


def dump(url: str) -> str:
    """pg_dump of all schemas as text."""
    with connect(url, application_name="test") as conn:
        programs = find_programs(conn.info.server_version // 10000)
    return b"".join(output_of(programs / "pg_dump", ["--format=plain"], url)).decode()


def others(hub: Hub) -> dict[str, Any]:
    """All that is known of everybody else: golden records with lineage, records, identifiers, facts."""
    erased = "SELECT unnest(client_ids) FROM ops.erasure"
    return {
        "clients": hub.query(
            "SELECT client_id, display_name, attributes, lineage, record_count, is_deleted FROM core.client"
            f" WHERE client_id NOT IN ({erased}) AND client_id <> ALL (%s::uuid[]) ORDER BY 1", [hub.marked]  # type: ignore[attr-defined]
        ),
        "raw": hub.query("SELECT record_id, source_key, payload, is_deleted FROM raw.record"
                         " WHERE record_id <> ALL (%s) ORDER BY 1", [hub.theirs]),  # type: ignore[attr-defined]
        "identifiers": hub.query("SELECT * FROM identity.identifier WHERE record_id <> ALL (%s) ORDER BY 1, 2, 3", [hub.theirs]),  # type: ignore[attr-defined]
        "rejects": hub.query("SELECT payload, detail, place, is_open FROM ops.reject WHERE position('Муравь'::bytea in payload) > 0"),
        "facts": hub.query("SELECT record_id, client_id, summary, detail, document_number, amount, is_deleted"
                           " FROM core.interaction WHERE record_id <> ALL (%s) ORDER BY 1", [hub.theirs]),  # type: ignore[attr-defined]
    }  # fmt: skip


@pytest.fixture
def town(filled_hub: Hub) -> Hub:
    """The filled hub with a person in four systems, her husband with a phone of both, rejects, free text, judgements,
    histories, a record that is gone at its source, and a while in which she was taken for somebody else."""
    hub = filled_hub
    hub.configure("shop", SHOP)
    hub.configure("desk", DESK)
    hub.registers["crm_contacts"] += [
        {"id": "50", "first": "Ия", "middle": "Петровна", "last": "Сентинелова", "born": "14.03.1987", "emails": OLD_MAIL,
         "phone": ["8 (916) 555-01-99", SHARED], "city": "Заветная Слобода"},
        {"id": "51", "first": "Глеб", "last": "Муравьёв", "born": "1985-01-02", "emails": "gleb@example.ru", "phone": SHARED},
    ]  # fmt: skip
    hub.registers["erp_customers"] += [
        {"code": "C50", "kind": "person", "person": "Сентинелова Ия Петровна", "born": "1987-03-14", "mail": MAIL,
         "tel": "+79165550199", "inn": INN},
        {"code": "C51", "kind": "person", "person": "Sentinelova Iya", "born": "1987-03-14", "mail": OLD_MAIL, "tel": SHARED,
         "inn": INVALID},
        # Nobody maps it, and only her number says whose it is.
        {"code": "C59", "kind": "alien", "person": "Сентинелова Ия", "inn": f"ИНН {INN}"},
    ]  # fmt: skip
    hub.registers["erp_orders"] += [
        {"no": "SO-50", "customer": "C50", "date": "2026-02-07", "total": "700.10", "to": "Заветная 5, Сентинелова"},
    ]
    hub.registers["shop_buyers"] = [
        {"mail": MAIL, "name": "Ия Сентинелова", "tel": "8-916-555-01-99", "town": "Клин", "street": "Заветная", "born": "1987-03-14"},
        {"mail": "other@example.ru", "name": "Олег Другой", "tel": "+7 903 111-22-33", "street": "Лесная"},
    ]  # fmt: skip
    hub.registers["shop_receipts"] = [
        {"id": "R1", "buyer": MAIL, "at": "2026-02-08", "sum": "12.34", "no": "SENTINEL-77", "note": "Позвоните Ие Петровне",
         "wish": "для Сентинеловой"},
        {"id": "R2", "buyer": "other@example.ru", "at": "2026-02-08", "sum": "1.00", "no": "R-2", "note": "всё в порядке"},
    ]  # fmt: skip
    hub.registers["shop_receipt_rows"] = [
        {"id": "1", "receipt": "R1", "what": "торт для Сентинеловой", "sum": "12.34"},
        {"id": "2", "receipt": "R2", "what": "торт", "sum": "1.00"},
    ]
    hub.registers["shop_letters"] = [
        {"id": "1", "from": f"Ия <{MAIL}>", "text": "заветная просьба"},
        {"id": "2", "from": "other@example.ru", "text": "ничего", "copy": SHARED},
    ]
    hub.registers["shop_relatives"] = [
        {"id": "1", "one": MAIL, "other": "other@example.ru", "words": "сестра Ии Петровны Сентинеловой"}
    ]
    hub.registers["desk_callers"] = [
        {"id": "7", "name": "Сентинелова И.П.", "tel": "9165550199", "mail": MAIL, "born": "1987-03-14"}
    ]
    hub.registers["desk_tickets"] = [
        {"id": "T1", "caller": "7", "at": "2026-02-09T10:00:00", "text": "Ия Петровна просит помочь"}
    ]
    for name in hub.registers:
        hub.write(name)
    broken = f'{{"id": "99", "last": "Сентинелова", "emails": "{MAIL}", broken\n'
    for name, line in (
        ("crm_contacts", broken),
        ("crm_contacts", THEIR_REJECT),
        ("desk_callers", '{"name": "Сентинелова\\u0000", "id": "7", "mail": "x"}\n'),
    ):
        with (hub.folder / "data" / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
    hub.run()
    names = ["crm:contacts:50", "erp:customers:C50", "erp:customers:C51", f"shop:buyers:{MAIL}", "desk:callers:7"]
    with hub.context() as context:
        judge(context, "same", names[:2], names[2:], reason="Сентинелова, проверено", by="ada")
        judge(
            context, "pin", [names[0]], attribute="street", value="Заветная 5", reason="сказала Ия Петровна", by="ada"
        )
        # Taken for Олег for a while: his history holds her values.
        judge(context, "same", [names[0]], ["shop:buyers:other@example.ru"], reason="ошибка", by="bob")
        (mistake,) = [j for j in context_judgements(context) if j["by"] == "bob"]
        undo(context, mistake["judgement_id"])
    hub.registers["crm_contacts"][3]["emails"] = MAIL
    del hub.registers["erp_customers"][-2]
    for name in ("crm_contacts", "erp_customers"):
        hub.write(name)
    hub.run()
    hub.query(
        "INSERT INTO identity.model (version, kind, body, fingerprint, created_at) VALUES (90, 'em', %s, gen_random_uuid(), now()) RETURNING 1",
        [
            json.dumps(
                {"person": {"columns": {"family_name": {"terms": {"сентинелова": 5, "керн": 6}}}}}, ensure_ascii=False
            )
        ],
    )
    hub.query("UPDATE ops.run SET report = report || %s::jsonb WHERE run_id = 1 RETURNING 1",
              [json.dumps({"error": f"the source says: no {MAIL}"})])  # fmt: skip
    ((client,),) = {(hub.client_of(name),) for name in names[:2] + names[3:]}
    hub.client = client  # type: ignore[attr-defined]
    hub.marked = [client]  # type: ignore[attr-defined]
    her = hub.query(
        "SELECT record_id FROM raw.record WHERE lower(payload::text) ~ 'сентинел|sentinel' OR payload ->> 'id' = 'T1'"
    )
    assert hub.query("SELECT count(*) FROM ops.reject WHERE position('Муравь'::bytea in payload) > 0") == [(1,)]
    hub.theirs = [row[0] for row in her]  # type: ignore[attr-defined]
    return hub


def context_judgements(context: Any) -> list[dict[str, Any]]:
    from onefold.steps.judge import judgements

    return judgements(context)


def undo(context: Any, number: int) -> None:
    from onefold.steps.judge import lift

    lift(context, number, reason="нет", by="bob")


def erased(hub: Hub, **arguments: Any) -> EraseReport:
    with hub.context() as context:
        return erase(context, hub.client, reason="request 17", by="ada", **arguments)  # type: ignore[attr-defined]


def full(hub: Hub) -> Any:
    return hub.run(full=True)


def test_no_value_of_the_person_is_left_and_nobody_else_lost_anything(town: Hub) -> None:
    assert set(leaks(dump(town.database_url))) == set(SENTINELS), "the test would prove nothing"
    hashed = traces(town)
    assert len(hashed) > 20
    before, totals = (
        others(town),
        town.query(
            "SELECT type, sum(amount), count(*) FROM onefold_v1.fct_interaction WHERE NOT is_deleted GROUP BY 1 ORDER BY 1"
        ),
    )
    plan = erased(town, dry_run=True)
    assert plan.erasure_id is None and town.query("SELECT count(*) FROM ops.erasure") == [(0,)]
    assert others(town) == before
    done = erased(town)
    assert (done.counts, done.records, done.documents) == (plan.counts, plan.records, plan.documents)
    assert len(done.records) == 5 and done.documents == 3 and done.shared_identifiers >= 1
    left = dump(town.database_url)
    assert leaks(left) == []
    assert [one for one in hashed if one in left] == []
    assert others(town) == before
    # What is left: the bare id, types, dates, amounts.
    assert (
        town.query(
            "SELECT type, sum(amount), count(*) FROM onefold_v1.fct_interaction WHERE NOT is_deleted GROUP BY 1 ORDER BY 1"
        )
        == totals
    )
    left = town.query(
        "SELECT client_id::text, document_number, summary, detail FROM core.interaction WHERE client_id = %s",
        [town.client],
    )  # type: ignore[attr-defined]
    assert left == [(town.client, None, None, {})] * 3  # type: ignore[attr-defined]
    assert town.query(
        "SELECT display_name, attributes, is_deleted FROM onefold_v1.dim_party WHERE client_id = %s", [town.client]
    ) == [(None, {}, True)]  # type: ignore[attr-defined]
    # Her husband's phone, which was hers too, is his.
    assert town.query("SELECT count(*) FROM identity.identifier WHERE value = '+79165550777'") == [(1,)]
    ((row,),) = town.query("SELECT to_jsonb(e) FROM ops.erasure AS e")
    assert row["reason"] == "request 17" and row["erased_by"] == "ada" and row["counts"] == done.counts


def test_the_person_does_not_come_back_with_the_next_sync_of_every_source(town: Hub) -> None:
    before = others(town)
    erased(town)
    report = full(town)
    suppressed = {one.source: sum(stream.suppressed for stream in one.streams) for one in report.syncs}
    assert suppressed["crm"] >= 1 and suppressed["erp"] >= 2 and suppressed["shop"] >= 2 and suppressed["desk"] >= 2
    assert leaks(dump(town.database_url)) == []
    assert others(town) == before
    # Under a key of another system, by her address, her number.
    town.registers["crm_contacts"].append({"id": "77", "first": "Ия", "last": "Сентинелова", "emails": MAIL.upper()})
    town.registers["shop_buyers"].append(
        {"mail": "neu@example.ru", "name": "Ия Сентинелова", "tel": "+7 (916) 555 01 99"}
    )
    town.registers["shop_receipts"].append(
        {"id": "R9", "buyer": "neu@example.ru", "at": "2026-03-01", "sum": "5", "note": "Сентинелова"}
    )
    town.registers["erp_orders"].append(
        {"no": "SO-51", "customer": "C50", "date": "2026-03-07", "total": "1", "to": "Сентинелова"}
    )
    for name in ("crm_contacts", "shop_buyers", "shop_receipts", "erp_orders"):
        town.write(name)
    report = town.run()
    assert report.standardise.suppressed >= 3
    assert leaks(dump(town.database_url)) == []
    assert others(town)["clients"] == before["clients"]
    full(town)
    assert leaks(dump(town.database_url)) == []
    town.has_nothing_to_do()


def test_an_edited_mapping_does_not_bring_back_what_was_erased(town: Hub) -> None:
    erased(town)
    left = "SELECT record_id, client_id, amount, is_deleted FROM core.interaction ORDER BY 1"
    facts = town.query(left)
    town.configure("shop", SHOP.replace("summary: note", "summary: wish"))
    town.run()
    assert town.query(left) == facts
    with town.context() as context:
        from onefold.steps.resolve import resolve

        resolve(context, everything=True)
    assert leaks(dump(town.database_url)) == []


@pytest.mark.parametrize(
    "order", [("shop_receipts", "shop_relatives", "shop_buyers"), ("shop_buyers", "shop_relatives", "shop_receipts")]
)
def test_it_does_not_matter_in_which_order_an_erased_person_comes_back(hub: Hub, order: tuple[str, ...]) -> None:
    hub.configure("shop", SHOP)
    rows: dict[str, list[dict[str, Any]]] = {
        "shop_buyers": [{"mail": "a@example.ru", "name": "Ия Сентинелова", "tel": "+79165550199"}],
        "shop_receipts": [], "shop_receipt_rows": [], "shop_letters": [], "shop_relatives": [],
    }  # fmt: skip
    for name, one in rows.items():
        hub.write(name, one)
    hub.run()
    hub.client = hub.client_of("shop:buyers:a@example.ru")  # type: ignore[attr-defined]
    erased(hub)
    # Under another key, known by the phone; what names her comes with runs before or after.
    rows["shop_buyers"] = [{"mail": "b@example.ru", "name": "Сентинелова", "tel": "8 916 555 01 99"},
                           {"mail": "other@example.ru", "name": "Олег Другой"}]  # fmt: skip
    rows["shop_receipts"] = [
        {
            "id": "R1",
            "buyer": "b@example.ru",
            "at": "2026-02-08",
            "sum": "12.34",
            "no": "SENTINEL-7",
            "note": "для Ии Петровны",
        }
    ]
    rows["shop_receipt_rows"] = [{"id": "1", "receipt": "R1", "what": "торт Сентинеловой", "sum": "12.34"}]
    rows["shop_relatives"] = [
        {"id": "1", "one": "other@example.ru", "other": "b@example.ru", "words": "брат Сентинеловой"}
    ]
    for name in order:
        hub.write(name, rows[name])
        if name == "shop_receipts":
            hub.write("shop_receipt_rows", rows["shop_receipt_rows"])
        hub.run()
    assert leaks(dump(hub.database_url)) == []
    kept = hub.query("SELECT source_key, payload, is_deleted FROM raw.record WHERE payload <> '{}' ORDER BY 1")
    assert [row[0] for row in kept] == ["other@example.ru"]
    served = "SELECT count(*) FROM onefold_v1.{} WHERE NOT is_deleted"
    assert [hub.query(served.format(view)) for view in ("fct_interaction", "bridge_relationship", "dim_party")] == [
        [(0,)],
        [(0,)],
        [(1,)],
    ]
    # Nor when mappings are edited and everything is mapped anew.
    hub.configure("shop", SHOP.replace("role: words", "role: id").replace("summary: note", "summary: wish"))
    full(hub)
    assert leaks(dump(hub.database_url)) == []
    hub.has_nothing_to_do()


def test_an_older_backup_is_erased_again_before_anybody_reads_it(
    town: Hub, empty_database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "before.onefold"
    backup(town.settings, file)
    before = others(town)
    erased(town)
    done = restore(town.settings, file, replace_hub=True)
    assert done.erased == 1
    assert leaks(dump(town.database_url)) == []
    assert others(town)["facts"] == before["facts"] and others(town)["raw"] == before["raw"]
    full(town)
    assert leaks(dump(town.database_url)) == []
    # Nobody is erased between what a restore has read in the journal and the change of names.
    town.client = town.client_of("shop:buyers:other@example.ru")  # type: ignore[attr-defined]
    with journal.in_hand(secrets_folder(town.settings), alone=True), pytest.raises(journal.JournalBusyError):
        erased(town)
    assert town.query("SELECT count(*) FROM ops.erasure") == [(1,)]
    later = tmp_path / "after.onefold"
    backup(town.settings, later)
    assert restore(town.settings, later, into=empty_database_url).erased == 0
    assert leaks(dump(empty_database_url)) == []


def test_documents_that_the_law_wants_stay_under_the_bare_id_with_the_ground(town: Hub) -> None:
    done = erased(town, ground="tax law, 5 years")
    assert done.documents_kept == 2
    kept = town.query(
        "SELECT document_number FROM core.interaction WHERE client_id = %s AND document_number IS NOT NULL ORDER BY 1",
        [town.client],
    )  # type: ignore[attr-defined]
    assert kept == [("SENTINEL-77",), ("SO-50",)]
    assert town.query("SELECT ground FROM ops.erasure") == [("tax law, 5 years",)]
    assert set(leaks(dump(town.database_url))) == {"sentinel", "сентинел"}  # the number and a line, which are kept
    assert town.query(
        "SELECT count(*) FROM core.interaction WHERE summary ILIKE '%%петров%%' OR detail <> '{}' AND client_id = %s",
        [town.client],
    ) == [(0,)]  # type: ignore[attr-defined]


def test_a_person_who_becomes_a_client_again_is_let_in(town: Hub, empty_database_url: str, tmp_path: Path) -> None:
    before, between = tmp_path / "before.onefold", tmp_path / "between.onefold"
    backup(town.settings, before)
    done = erased(town)
    backup(town.settings, between)
    with town.context() as context:
        with pytest.raises(NothingFound):
            unsuppress(context, "00000000-0000-0000-0000-000000000000", reason="x", by="ada")
        with pytest.raises(UsageError):
            unsuppress(context, str(done.erasure_id), reason=" ", by="ada")
        again = unsuppress(context, str(done.erasure_id), reason="a client again", by="ada")
        assert erasures(context)[0]["lift_reason"] == "a client again"
    assert again.sources == ("crm", "desk", "erp", "shop")
    full(town)
    client = town.client_of(f"shop:buyers:{MAIL}")
    assert town.query("SELECT is_deleted FROM core.client WHERE client_id = %s", [client]) == [(False,)]
    assert town.query("SELECT summary FROM core.interaction WHERE source_key = 'R1'") == [("Позвоните Ие Петровне",)]
    assert town.query(
        "SELECT document_number FROM core.interaction WHERE client_id = %s AND source_key = 'R1'", [client]
    ) == [("SENTINEL-77",)]
    town.has_nothing_to_do()
    # A restore knows both: what was redacted stays redacted, and who was let in is.
    for file, again in ((before, 1), (between, 0)):
        put_back = restore(town.settings, file, into=empty_database_url, replace_hub=True)
        assert (put_back.erased, put_back.lifted) == (again, 1) and "crm, desk, erp, shop" in put_back.notes[-1]
        assert leaks(dump(empty_database_url)) == []
        with connect(empty_database_url, application_name="test") as conn:
            assert conn.execute("SELECT count(*) FROM ops.suppression WHERE NOT is_lifted").fetchone() == (0,)
            assert conn.execute("SELECT lifted_by FROM ops.erasure").fetchone() == ("ada",)


def test_without_its_key_the_hub_refuses_to_sync_rather_than_let_the_erased_in(town: Hub) -> None:
    erased(town)
    key = town.folder / "var" / "secrets" / "erasure.password"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "erasure" not in dump(town.database_url) or key.read_text().strip() not in dump(town.database_url)
    saved = key.read_text()
    key.unlink()
    with pytest.raises(ErasureKeyError, match="ONEFOLD_ERASURE_KEY"):
        full(town)
    key.write_text(saved)
    full(town)


def test_an_erasure_waits_for_nobody_who_holds_the_persons_data_in_hand(town: Hub) -> None:
    with connect(town.database_url, application_name="sync") as conn, source_lock(conn, "shop"), pytest.raises(HubBusy):
        erased(town)
    assert town.query("SELECT count(*) FROM ops.erasure") == [(0,)]
    assert not (town.folder / "var" / "secrets" / "erasures.jsonl").exists()


def test_what_a_look_at_needs_was_about_to_store_is_erased_too(town: Hub) -> None:
    one = "INSERT INTO core.client_segment (client_id, scheme, entered_at, entered_reason, probability) VALUES (%(id)s, 's', now(), 'none', 1)"
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
    erasing = Thread(target=erased, args=(town,))
    with connect(town.database_url, application_name="look") as conn, queue.step_lock(conn, NEEDS), unit_of_work(conn):
        conn.execute(one, {"id": town.client})  # type: ignore[attr-defined]
        erasing.start()
        until = monotonic() + 30
        while erasing.is_alive() and monotonic() < until and town.query(waits) == [(False,)]:
            sleep(0.05)
        assert erasing.is_alive() and town.query("SELECT count(*) FROM ops.erasure") == [(0,)]
    erasing.join(60)
    assert town.query("SELECT count(*) FROM ops.erasure") == [(1,)]
    assert town.query("SELECT count(*) FROM core.client_segment") == [(0,)]


def test_split_off_first_then_only_the_one_is_erased(town: Hub) -> None:
    with town.context() as context:
        undo(context, next(j["judgement_id"] for j in context_judgements(context) if j["verdict"] == "same"))
        split_off(context, ["desk:callers:7"], reason="somebody else", by="ada")
    town.client = town.client_of("desk:callers:7")  # type: ignore[attr-defined]
    done = erased(town)
    assert done.records == ("desk:callers:7",) and done.documents == 1
    assert town.query("SELECT count(*) FROM identity.standard_record WHERE source = 'shop'") == [(2,)]


def test_the_command_shows_first_asks_and_says_what_was_done(town: Hub) -> None:
    plan = onefold(*town.place, "erase", "crm:contacts:50", "--reason", "request 17", "--dry-run")
    assert plan.code == 0, plan.said
    assert "Would be erased" in plan.out and "raw.record" in plan.out
    refused = onefold(*town.place, "erase", "crm:contacts:50", "--reason", "request 17")
    assert refused.code == 2 and "--yes" in refused.err
    done = onefold(*town.place, "--json", "erase", "crm:contacts:50", "--reason", "request 17", "--yes", "--by", "ada")
    assert done.code == 0, done.said
    assert done.json["client_id"] == town.client and done.json["erasure_id"]  # type: ignore[attr-defined]
    listed = onefold(*town.place, "--json", "erasures").json
    assert [one["erasure_id"] for one in listed] == [done.json["erasure_id"]]
    again = onefold(*town.place, "--json", "unsuppress", done.json["client_id"], "--reason", "again")
    assert again.code == 0, again.said
    assert onefold(*town.place, "erase", "crm:contacts:404", "--reason", "x", "--dry-run").code == 4
    assert leaks(plan.said + done.said) in ([], ["sentinel"])  # her key in the shop is an address


def test_a_subject_report_holds_everything_about_the_person_and_says_who_looked(town: Hub) -> None:
    assert onefold(*town.place, "client", "crm:contacts:50").code == 0
    told = onefold(*town.place, "client", "crm:contacts:50", "--subject-report")
    assert told.code == 0, told.said
    assert set(leaks(told.out)) == set(SENTINELS)
    report = told.json
    assert [row["how"] for row in report["access_log"]] == ["client"]
    assert len(report["interactions"]) == 3 and report["judgements"] and report["earlier_versions"]
    assert not {"керн", "другой", "муравьёв"} & set(re.findall(r"\w+", told.out.lower())), "nobody else's"
    page = town.folder / "report.html"
    assert onefold(*town.place, "client", "crm:contacts:50", "--subject-report", "--out", page).code == 0
    assert page.stat().st_mode & 0o777 == 0o600 and set(leaks(page.read_text())) == set(SENTINELS)
    assert onefold(*town.place, "client", "crm:contacts:50", "--out", page).code == 2
    assert onefold(*town.place, "find", "Сентинелова").code == 0
    logged = town.query("SELECT how, client_id::text, scope FROM ops.access_log ORDER BY access_id")
    assert [row for row in logged if row[1] == town.client] == [  # type: ignore[attr-defined]
        (how, town.client, None)
        for how in ("client", "subject-report", "subject-report", "find")  # type: ignore[attr-defined]
    ]

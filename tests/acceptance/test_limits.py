"""Change limits (invariant 9): a run that would change too much is held, and what was published before stays served."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.cli import Done, onefold
from tests.support.http_source import HttpSource, http_source, records
from tests.support.hub import Hub

PEOPLE = 40
HUB = """
languages: [en]
reporting_currency: RUB
limits: {deleted: 0.2, emptied: 0.5, changed: 0.5, merged: 0.1, largest_client: 30, at_least: 3}
"""
SHEET = """
source: sheet
department: sales
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 60
streams:
  people:
    as: person
    key: id
    options: {path: data/people.csv}
    fields: {given_name: first, family_name: last, birth_date: born, email: email, phone: phone}
  sales:
    as: interaction
    type: sales_order
    key: no
    options: {path: data/sales.csv}
    party: {stream: people, key: person}
    occurred_at: day
    amount: {value: sum}
"""
DESK = """
source: desk
department: service
connector: rest
settings:
  manifest:
    base_url: {url}/
    limits: {{attempts: 1, backoff: 10ms, timeout: 2s}}
    streams:
      people: {{path: people, records: items, deletes: {{kind: sweep}}}}
defaults: {{country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}}
trust: 50
streams:
  people:
    as: person
    key: id
    fields: {{given_name: first, family_name: last, email: card.email, phone: card.phone}}
"""
SYLLABLES = ("ba", "du", "fe", "go", "ki", "lam", "mor", "nu", "pes", "rit", "so", "tav", "vil", "zen", "qua", "hol")
Rows = list[dict[str, Any]]


def person(number: int) -> dict[str, Any]:
    """One of the sheet's people; the desk knows the same by e-mail."""
    words = Random(number)
    first, last = ("".join(words.choice(SYLLABLES) for _ in range(3)).title() for _ in range(2))
    return {
        "id": f"P{number}", "first": first, "last": last,
        "born": f"{words.randint(1940, 2000)}-{words.randint(1, 12):02}-{words.randint(1, 28):02}",
        "email": f"{last.lower()}{number}@example.org",
        "phone": f"+7 903 {words.randint(200, 999)}-{words.randint(10, 99)}-{words.randint(10, 99)}",
    }  # fmt: skip


def sale(number: int) -> dict[str, Any]:
    return {"no": f"S{number}", "person": f"P{number}", "day": "2026-02-01", "sum": f"{100 + number}.50"}


class LimitedHub:
    """A hub of two registers, as a person at a terminal sees it."""

    def __init__(self, hub: Hub, source: HttpSource) -> None:
        self.hub, self.source = hub, source
        (hub.folder / "config" / "hub.yaml").write_text(HUB, encoding="utf-8")
        for name in ("crm", "erp"):
            (hub.folder / "config" / "sources" / f"{name}.yaml").unlink()
        hub.configure("sheet", SHEET)
        hub.configure("desk", DESK.format(url=source.url))
        self.people: Rows = [person(number) for number in range(PEOPLE)]
        self.sales: Rows = [sale(number) for number in range(PEOPLE)]
        self.desk: Rows = [
            {"id": number, "first": one["first"], "last": one["last"],
             "card": {"email": one["email"], "phone": one["phone"]}}
            for number, one in enumerate(self.people[:30])
        ]  # fmt: skip
        self.write()

    def write(self) -> None:
        """The registers as they are told to be."""
        for name, rows in (("people", self.people), ("sales", self.sales)):
            with (self.hub.folder / "data" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list((person(0) if name == "people" else sale(0)).keys()))
                writer.writeheader()
                writer.writerows(rows)
        items = list(self.desk)
        self.source.answers["/people"] = lambda _asked: records({"items": items})

    def onefold(self, *arguments: str, code: int = 0) -> Done:
        """One command, which must end with this exit code."""
        place = ("--home", str(self.hub.folder / "var"), "--config", str(self.hub.folder / "config"))
        done = onefold(*place, "--database", self.hub.database_url, *arguments)
        assert done.code == code, done.said
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return self.onefold("--json", *arguments, code=code).json

    def run(self, code: int = 0, full: bool = False) -> Any:
        return self.json("run", *(("--full",) if full else ()), code=code)

    def served(self) -> dict[str, Any]:
        """What readers see: clients with their values, which record is whose, documents and their totals."""
        queries = {
            "clients": "SELECT client_id::text, display_name, email, phone, record_count FROM onefold_v1.dim_party"
            " WHERE NOT is_deleted ORDER BY 1",
            "links": "SELECT source, stream, source_key, client_id::text FROM onefold_v1.xref_client_record"
            " WHERE NOT is_deleted ORDER BY 1, 2, 3",
            "facts": "SELECT source_key, client_id::text, amount FROM onefold_v1.fct_interaction WHERE NOT is_deleted ORDER BY 1",
            "total": "SELECT sum(amount) FROM onefold_v1.fct_interaction WHERE NOT is_deleted",
        }
        return {name: self.hub.query(query) for name, query in queries.items()}

    def holds(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("status")["holds"]
        return found

    def raw(self) -> list[tuple[Any, ...]]:
        return self.hub.query(
            "SELECT source, stream, source_key, payload_hash, is_deleted, run_id FROM raw.record ORDER BY 1, 2, 3"
        )


@pytest.fixture
def limited(tmp_path: Path, database_url: str) -> Iterator[LimitedHub]:
    """A hub that has run once."""
    with http_source() as source:
        hub = LimitedHub(Hub(tmp_path, database_url), source)
        assert hub.run()["status"] == "done"
        yield hub


def test_a_csv_cut_in_half_is_held_and_the_repaired_file_settles_it(limited: LimitedHub) -> None:
    served, raw = limited.served(), limited.raw()
    assert len(served["clients"]) == PEOPLE
    whole = list(limited.people)
    limited.people = whole[: PEOPLE // 2]
    limited.desk.append({"id": 99, "first": "Nova", "last": "Zembla", "card": {"email": "nova@example.net"}})
    limited.write()
    report = limited.run(code=7)
    (hold,) = limited.holds()
    assert report["status"] == "held"
    assert hold["words"] == ["sheet:people: 20 of 40 records would be deleted (limit 20 %)"]
    assert limited.raw()[31:] == raw[30:], "the sheet stands as before"
    now = limited.served()
    assert set(now["links"]) > set(served["links"])
    assert set(now["clients"]) > set(served["clients"]), "the other register's news is published"
    said = limited.onefold("status").out
    assert f"onefold release {hold['run_id']}" in said
    assert "sheet:people: 20 of 40 records" in limited.onefold("runs", str(hold["run_id"])).out
    # The next runs go on, and say nothing new of it.
    assert limited.run()["status"] == "done"
    assert limited.run(full=True)["status"] == "done", "the same half again is no news"
    assert len(limited.holds()) == 1
    limited.people = whole
    limited.write()
    assert limited.run()["status"] == "done"
    assert limited.holds() == []
    assert limited.hub.query("SELECT state FROM ops.hold") == [("settled",)]
    assert limited.hub.query("SELECT count(*) FROM raw.held_record") == [(0,)]


def test_a_column_gone_blank_is_held_and_released(limited: LimitedHub) -> None:
    served = limited.served()
    for one in limited.people:
        one["email"] = ""
    limited.people.append(person(PEOPLE))
    limited.write()
    done = limited.onefold("sync", "sheet", code=7)
    assert "values of email would be emptied" in done.said
    (hold,) = limited.holds()
    assert hold["words"] == ["sheet:people: 40 of 40 values of email would be emptied (limit 50 %)"]
    limited.run()
    assert limited.served() == served
    released = limited.json("release", str(hold["run_id"]))
    assert (released["state"], released["records"]) == ("released", PEOPLE + 1)
    now = limited.served()
    assert len(now["clients"]) == PEOPLE + 1
    assert sum(row[2] is not None for row in now["clients"]) == 31, "the desk still knows thirty"
    assert now["total"] == served["total"]
    assert limited.holds() == []
    limited.hub.has_nothing_to_do()
    assert "already" in limited.onefold("release", str(hold["run_id"]), code=2).said
    assert "Nothing of run 1 is held" in limited.onefold("discard", "1", code=4).said


def test_a_page_that_tells_a_key_twice_says_of_it_what_its_last_row_says(limited: LimitedHub) -> None:
    served, whole = limited.served(), [dict(one) for one in limited.people]
    for one in limited.people:
        one["email"] = ""
    limited.write()
    limited.run(code=7)
    (hold,) = limited.holds()
    limited.json("discard", str(hold["run_id"]))
    held = limited.hub.query("SELECT source_key, payload_hash FROM raw.held_record ORDER BY 1")
    assert len(held) == PEOPLE
    # First as it was before, then as it is aside: the last row counts, and nothing new is said of it.
    blank = list(limited.people)
    limited.people = [whole[0], *blank]
    limited.write()
    assert limited.run()["status"] == "done"
    assert limited.hub.query("SELECT source_key, payload_hash FROM raw.held_record ORDER BY 1") == held
    assert limited.served() == served
    # As it is aside and then otherwise: the source has spoken anew of this one, and what was aside of it is forgotten.
    limited.people = [*blank, {**whole[0], "first": "Anybody"}]
    limited.write()
    assert limited.run()["status"] == "done"
    aside = [row[0] for row in limited.hub.query("SELECT source_key FROM raw.held_record ORDER BY 1")]
    assert aside == [key for key, _ in held if key != "P0"]
    names = {row[1] for row in limited.served()["clients"]}
    assert len(names - {row[1] for row in served["clients"]}) == 1, "one is called otherwise"
    assert sum(row[2] is not None for row in limited.served()["clients"]) == PEOPLE, "and nobody has lost an address"
    # Taken in after all: what is said since stands.
    assert limited.json("release", str(hold["run_id"]))["records"] == PEOPLE - 1
    assert {row[1] for row in limited.served()["clients"]} == names


def test_a_sweep_that_returns_three_percent_is_held_and_discarded(limited: LimitedHub) -> None:
    served, whole = limited.served(), list(limited.desk)
    limited.desk = whole[:1]
    limited.write()
    limited.run(code=7)
    (hold,) = limited.holds()
    assert hold["words"] == ["desk:people: 29 of 30 records would be deleted (limit 20 %)"]
    assert limited.served() == served
    discarded = limited.json("discard", str(hold["run_id"]))
    assert (discarded["state"], discarded["records"]) == ("discarded", 29)
    # The desk goes on to say so: that is known, and deletes nothing.
    limited.run()
    limited.run(full=True)
    assert limited.served() == served
    assert limited.holds() == []
    # One comes back and goes again: that is news, and little enough.
    limited.desk = whole[:2]
    limited.write()
    limited.run()
    limited.desk = whole[:1]
    limited.write()
    limited.run()
    assert len(limited.served()["links"]) == len(served["links"]) - 1
    assert limited.json("release", str(hold["run_id"]))["records"] == 28
    assert len(limited.served()["links"]) == len(served["links"]) - 29


def test_a_silently_narrowed_right_is_held(limited: LimitedHub) -> None:
    served = limited.served()
    for one in limited.desk:
        one["card"] = {"phone": one["card"]["phone"]}
    limited.write()
    limited.run(code=7)
    (hold,) = limited.holds()
    assert hold["words"] == ["desk:people: 30 of 30 values of card.email would be emptied (limit 50 %)"]
    assert limited.served() == served
    told = limited.hub.query("SELECT h.findings, r.report FROM ops.hold h JOIN ops.run r USING (run_id)")
    assert "@" not in json.dumps(told), "no client data"
    limited.run()
    assert limited.served() == served


def test_a_run_that_would_merge_too_much_is_held_and_the_others_go_on(limited: LimitedHub) -> None:
    served = limited.served()
    # Twelve people get the data of their neighbours: no value is empty, and nobody is gone.
    limited.desk = [{**one, "card": dict(one["card"])} for one in limited.desk]
    for number in range(0, 24, 2):
        limited.people[number + 1] = {**limited.people[number], "id": f"P{number + 1}"}
    limited.write()
    report = limited.run(code=7)
    held = report["resolve"]["held"] or report["publish"]["held"]
    assert held["cause"] == "records"
    assert held["findings"][0]["limit"] in ("merged", "golden")
    assert limited.served() == served
    assert limited.run()["status"] == "done"
    assert limited.run(full=True)["status"] == "done", "the same again is known"
    assert limited.served() == served
    (hold,) = limited.holds()
    limited.json("release", str(hold["run_id"]))
    changed = limited.served()
    assert changed["clients"] != served["clients"]
    # And taken back: as before, with the same ids.
    rolled = limited.json("rollback", str(report["syncs"][1]["run_id"]))
    assert rolled["state"] == "rolled_back"
    assert limited.served() == served


def test_a_run_that_would_change_too_many_golden_values_leaves_nothing_of_them(limited: LimitedHub) -> None:
    served = limited.served()
    versions = limited.hub.query("SELECT count(*) FROM core.client_history")
    for one in limited.people[:30]:
        one["first"] += "a"
    limited.write()
    held = limited.run(code=7)["publish"]["held"]
    assert held["cause"] == "records"
    (finding,) = held["findings"]
    assert (finding["limit"], finding["count"], finding["of"]) == ("golden", 30, PEOPLE)
    assert limited.served() == served
    assert limited.hub.query("SELECT count(*) FROM core.client_history") == versions, "what was tried is taken back"
    limited.hub.has_nothing_to_do()
    limited.json("release", str(limited.holds()[0]["run_id"]))
    renamed = {row[1] for row in limited.served()["clients"]} - {row[1] for row in served["clients"]}
    assert len(renamed) == 30
    limited.hub.has_nothing_to_do()


def test_a_rollback_brings_back_totals_and_ids_and_can_be_applied_again(limited: LimitedHub) -> None:
    served = limited.served()
    limited.people[0]["first"] = "Somebody"
    limited.people[3] = {**limited.people[2], "id": "P3"}
    del limited.people[-1]
    limited.people.append(person(77))
    limited.sales[5]["sum"] = "9999.00"
    del limited.sales[7]
    limited.sales.append({**sale(8), "no": "S900"})
    limited.write()
    report = limited.run()
    after = limited.served()
    assert after["total"] != served["total"]
    assert {row[0] for row in after["clients"]} != {row[0] for row in served["clients"]}
    events = limited.hub.query("SELECT max(id) FROM ops.change_event")[0][0]
    ledger = limited.hub.query("SELECT count(*) FROM identity.client_id_ledger")[0][0]
    published = str(report["publish"]["run_id"])
    rolled = limited.json("rollback", published)
    assert (rolled["records"], rolled["kept"]) == (7, 0)
    assert limited.served() == served
    assert limited.hub.query("SELECT max(id) FROM ops.change_event")[0][0] > events, "as new history"
    assert limited.hub.query("SELECT count(*) FROM identity.client_id_ledger")[0][0] > ledger
    assert limited.hub.query("SELECT count(*) FROM raw.record_version") != [(0,)]
    # Incremental and full runs do not bring the bad state back by themselves.
    limited.run()
    limited.run(full=True)
    assert limited.served() == served
    limited.hub.has_nothing_to_do()
    assert limited.json("release", published)["records"] == 7
    assert limited.served() == after
    limited.hub.has_nothing_to_do()
    # What the source says since is not taken back.
    limited.people[0]["first"] = "Anybody"
    limited.write()
    limited.run()
    assert limited.json("rollback", published)["kept"] == 1
    names = [row[1] for row in limited.served()["clients"]]
    assert any("Anybody" in name for name in names)
    assert limited.served()["total"] == served["total"]


@pytest.mark.scale
def test_a_configuration_that_would_change_too_much_waits_and_is_settled_when_it_is_put_back(
    limited: LimitedHub,
) -> None:
    served = limited.served()
    matching = limited.hub.folder / "config" / "matching.yaml"
    matching.write_text("person: {link_at: 0.999999999, review_at: 0.5}\n", encoding="utf-8")
    report = limited.run(code=7)
    assert report["resolve"]["held"]["cause"] == "rules"
    run_id = report["resolve"]["held"]["run_id"]
    assert limited.served() == served
    assert limited.run(code=7)["resolve"]["held"]["run_id"] == run_id, "one question is asked once"
    assert "Put the files back" in limited.onefold("discard", str(run_id), code=2).said
    assert limited.json("publish", code=7)["held"]["run_id"] == run_id
    matching.unlink()
    assert limited.run()["status"] == "done"
    assert limited.served() == served
    assert limited.holds() == []
    matching.write_text("person: {link_at: 0.999999999, review_at: 0.5}\n", encoding="utf-8")
    again = limited.run(code=7)["resolve"]["held"]["run_id"]
    limited.json("release", str(again))
    assert len(limited.served()["clients"]) > PEOPLE
    limited.hub.has_nothing_to_do()


def test_a_sync_that_was_killed_is_looked_at_by_the_next_one(limited: LimitedHub) -> None:
    from onefold.steps import limits

    served, raw = limited.served(), limited.raw()
    for one in limited.people:
        one["phone"] = ""
    limited.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.StreamWatch, "settle", lambda *_: 1 / 0)
        assert limited.onefold("sync", "sheet", code=1)
    limited.json("standardise")
    limited.json("resolve")
    limited.json("publish")
    assert limited.served() == served, "nobody takes in what nobody looked at"
    limited.onefold("sync", "sheet", code=7)
    assert limited.raw() == raw
    assert [one["words"] for one in limited.holds()] == [
        ["sheet:people: 40 of 40 values of phone would be emptied (limit 50 %)"]
    ]
    limited.run()
    assert limited.served() == served

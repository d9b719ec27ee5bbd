"""What the doctor finds in a folder that loads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from onefold.doctor import Finding, diagnose

Folder = Callable[..., Path]

SOURCE = """\
source: crm
connector: files
owner: a@b.example
trust: 60
schedule: "0 3 * * *"
freshness: {warn_after: 2d}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB}
streams:
  people:
    as: person
    key: id
    fields: {full_name: name, phone: tel}
  deals:
    as: interaction
    key: id
    type: sales_deal
    party: {stream: people, key: person}
    occurred_at: on
    amount: {value: sum}
"""
HUB = "own_organisations: [{name: We}]\n"

CASES = {
    "secret written literally": ("connector: files", "connector: files\nsettings: {token: abc}", "error", 3, "${TOKEN}"),
    "password in an address": ("connector: files", "connector: sql\nsettings: {url: 'postgresql://u:pw@h/d'}", "error", 3, "holds a password"),
    "webhook code in an address": ("connector: files", "connector: singer:tap-b\nsettings: {u: 'https://x.example/rest/1/abcdefgh12345/'}", "error", 3, "webhook"),
    "no key": ("    as: person\n    key: id\n", "    as: person\n", "warning", 9, "has no key"),
    "no schedule": ('schedule: "0 3 * * *"\n', "", "hint", 1, "no schedule"),
    "no owner": ("owner: a@b.example\n", "", "hint", 1, "no owner"),
    "freshness shorter than the schedule": ("warn_after: 2d", "warn_after: 2h", "warning", 6, "up to 1d pass between two runs"),
    "nothing that identifies": ("{full_name: name, phone: tel}", "{city: c}", "warning", 12, "tells clients apart"),
    "attribute of another kind": ("{full_name: name, phone: tel}", "{full_name: name, kpp: k}", "warning", 12, "`kpp` is an attribute of a organisation"),
    "no country for phones": ("country: RU, ", "", "warning", 12, "No country"),
    "no time zone": ("timezone: Europe/Moscow, ", "", "warning", 1, "taken as UTC"),
    "no currency": (", currency: RUB", "", "warning", 19, "have no currency"),
    "no party": ("    party: {stream: people, key: person}\n", "", "warning", 13, "no `party`"),
    "no time": ("    occurred_at: on\n", "", "warning", 13, "no `occurred_at`"),
    "word that is nearly a channel": ("occurred_at: on", "occurred_at: on\n    channel: emial", "hint", 19, "Did you mean the word `email`?"),
    "choice without else": ("type: sales_deal", "type: {when: t, a: sales_deal}", "hint", 16, "add `else`"),
    "stream for nothing": ("streams:\n", "streams:\n  extra: {key: id}\n", "hint", 9, "landed and nothing more"),
    "left out of runs": ("trust: 60", "trust: 60\nenabled: false", "hint", 5, "left out of runs"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "severity", "line", "words"), CASES.values(), ids=CASES)
def test_what_will_hurt_is_found(folder: Folder, old: str, new: str, severity: str, line: int, words: str) -> None:
    assert old in SOURCE
    found = diagnose(folder(source_crm=SOURCE.replace(old, new), hub=HUB))
    told = [one for one in found if words in one.message]
    assert [(one.severity, one.line, one.file) for one in told] == [(severity, line, "config/sources/crm.yaml")], found
    assert {one.next_command for one in found if not one.next_command} == set()
    (command,) = {one.next_command for one in told}
    assert command is not None
    assert command.startswith("onefold discover crm ") or (f"+{line} " in command and "sources/crm.yaml" in command)


def test_every_mistake_names_the_place_to_open_in_an_editor(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = folder(
        source_crm=SOURCE.replace("trust: 60", "trst: 60"), hub="own_organisations: [{name: We}]\ntitel: x\n"
    )
    monkeypatch.chdir(config.parent)
    commands = [one.next_command for one in diagnose(Path("config")) if one.severity == "error"]
    assert commands == [
        "${EDITOR:-vi} +2 config/hub.yaml && onefold doctor",
        "${EDITOR:-vi} +4 config/sources/crm.yaml && onefold doctor",
    ]


def test_a_good_folder_has_no_finding(folder: Folder) -> None:
    assert diagnose(folder(source_crm=SOURCE, hub=HUB)) == []


def test_the_shipped_company_has_no_error_and_no_warning() -> None:
    config = Path(__file__).parents[4] / "config"
    assert [one for one in diagnose(config) if one.severity != "hint"] == []


def test_a_literal_secret_is_not_shown(folder: Folder) -> None:
    text = SOURCE.replace(
        "connector: files", "connector: singer:tap-x\nsettings: {api_key: sup3r, url: 'https://a:sup3r@h'}"
    )
    assert "sup3r" not in "\n".join(map(str, diagnose(folder(source_crm=text))))


def test_registers_of_equal_trust_are_named(folder: Folder) -> None:
    other = SOURCE.replace("source: crm", "source: erp")
    found = diagnose(folder(source_crm=SOURCE, source_erp=other, hub=HUB))
    assert [one.message for one in found] == ["`crm` and `erp` have the same trust (60); the newer value will win."]


def test_a_file_that_nothing_reads_is_named(folder: Folder) -> None:
    found = diagnose(folder(source_crm=SOURCE, hub=HUB, mathcing="person: {}\n"))
    assert [(one.file, one.severity) for one in found] == [("config/mathcing.yaml", "warning")]
    assert "Did you mean matching.yaml?" in found[0].message
    assert (found[0].next_command or "").startswith("mv -n ")
    assert "matching.yaml && onefold doctor" in (found[0].next_command or "")


def test_an_authority_due_for_review_is_named(folder: Folder) -> None:
    authority = "authority:\n  - {attribute: inn, register: crm, agreed_by: cfo, review_on: 2026-01-01}\n"
    config = folder(source_crm=SOURCE, hub=HUB, authority=authority)
    assert diagnose(config, date(2025, 12, 31)) == []
    (found,) = diagnose(config, date(2026, 1, 2))
    assert (found.file, found.line) == ("config/authority.yaml", 2)


def test_problems_come_first_and_name_the_next_command(tmp_path: Path) -> None:
    (found,) = diagnose(tmp_path / "nowhere")
    assert found.severity == "error"
    assert found.next_command == "onefold init ."
    assert isinstance(found, Finding)
    assert found.as_dict()["line"] == 1

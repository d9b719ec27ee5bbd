"""`--as`, and tables that hold persons beside organisations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.fields import profile
from connectors.page import Row, StreamInfo
from onefold.errors import UsageError
from onefold.trying.columns import Understood, told_of, understand, unused
from onefold.trying.country import defaults_of
from onefold.trying.inputs import inputs_of
from onefold.trying.outcome import as_word
from onefold.trying.reading import Table, sampled


def table(records: Sequence[Mapping[str, str | None]], title: str = "clients.csv", key: str = "id") -> Table:
    """Records as they were read of a file."""
    rows = [
        Row(str(at), json.dumps(record, ensure_ascii=False).encode(), b"", None) for at, record in enumerate(records)
    ]
    info = StreamInfo("clients", key, tuple(profile(records)))
    return Table("clients", replace(info, fields=sampled(info, rows)), title, key, rows, Counter())


def becomes(found: Understood) -> dict[str, str | None]:
    """Column -> what it is taken for."""
    return {column.column: column.becomes for column in found.columns}


PEOPLE = [
    {"id": "1", "Имя": "Анна", "Фамилия": "Керн", "Код": "X1"},
    {"id": "2", "Имя": "Пётр", "Фамилия": "Вяземский", "Код": "X2"},
]
BOTH = [
    {"id": "1", "firm": "ООО Ромашка", "surname": "", "first name": ""},
    {"id": "2", "firm": "", "surname": "Керн", "first name": "Анна"},
] * 5


def test_what_somebody_says_comes_before_any_guess() -> None:
    told = told_of(["clients.csv:Код=customer_number", "*:Имя=ignore"])
    found = understand(table(PEOPLE), told)
    assert becomes(found) == {"id": "key", "Имя": None, "Фамилия": "family_name", "Код": "customer_number"}
    assert found.proposal.as_ == "person"
    assert not any(column.is_doubtful for column in found.columns)


def test_a_file_is_meant_by_its_name_with_or_without_its_ending_and_a_sheet_behind_a_slash() -> None:
    sheet = table(PEOPLE, "book.xlsx / Лист1")
    for file in ("book.xlsx", "book", "book.xlsx/Лист1", "Лист1", "*"):
        assert becomes(understand(sheet, told_of([f"{file}:Код=phone"])))["Код"] == "phone"
    assert becomes(understand(sheet, told_of(["other.xlsx:Код=phone"])))["Код"] is None


@pytest.mark.parametrize("word", ["", "a.csv", "a.csv:b", "a.csv=email", "a.csv:=email", "a.csv:b=e-mail", ":b=email"])
def test_what_cannot_be_meant_is_refused_with_a_hint(word: str) -> None:
    with pytest.raises(UsageError, match="--as"):
        told_of([word])


def test_a_file_or_column_that_is_not_there_is_named() -> None:
    found = [understand(table(PEOPLE), [])]
    with pytest.raises(UsageError, match=r"no column Kod.*"):
        unused(told_of(["clients:Kod=phone"]), found, [])
    with pytest.raises(UsageError, match="no such file"):
        unused(told_of(["client.csv:Код=phone"]), found, [])
    unused(told_of(["clients:Код=phone", "broken.csv:a=phone"]), found, ["broken.csv"])


def test_the_empty_name_tells_persons_from_organisations_and_is_doubtful() -> None:
    found = understand(table(BOTH), [])
    assert found.proposal.as_ == {"when": "surname", "": "organisation", "else": "person"}
    assert {"legal_name", "family_name", "given_name"} <= set(found.proposal.fields)
    assert [column.column for column in found.columns if column.is_doubtful] == ["surname"]
    # The employer of a contact makes no organisation of him.
    contacts = [{**record, "firm": "ООО Ромашка", "surname": "Керн"} for record in BOTH]
    assert understand(table(contacts), []).proposal.as_ == "person"
    # A workbook's empty cell is no text that a choice could name.
    cells = [{name: value or None for name, value in record.items()} for record in BOTH]
    assert isinstance(understand(table(cells), []).proposal.as_, str)


def test_a_column_of_kinds_is_found_or_said() -> None:
    records = [{**record, "art": "Firma" if record["firm"] else "Privat"} for record in BOTH]
    found = understand(table(records), [])
    assert found.proposal.as_ == {"when": "art", "Firma": "organisation", "Privat": "person", "else": "person"}
    assert becomes(found)["art"] == "kind"
    whole = understand(table(records), told_of(["clients.csv=organisation"]))
    assert whole.proposal.as_ == "organisation"
    with pytest.raises(UsageError, match="do not tell persons from organisations"):
        understand(table(BOTH), told_of(["clients.csv:firm=kind"]))


def test_events_are_left_out_until_somebody_says_that_they_are_clients() -> None:
    orders = [{"id": "1", "date": "2024-01-01", "client": "Anna Kern"}]
    events = table(orders, "orders.csv")
    events = replace(events, info=replace(events.info, name="orders"))
    assert not understand(events, []).is_used
    assert understand(events, told_of(["orders.csv=person"])).is_used


def test_the_word_that_overrules_a_guess_can_be_typed() -> None:
    column = understand(table([{"id": "1", "Bob's phone": "5551234567"}]), []).columns[1]
    assert as_word(column) == r"--as 'clients.csv:Bob'\''s phone=phone'"


def test_the_country_is_that_of_numbers_without_one_or_what_is_said() -> None:
    phones = [{"id": str(at), "name": "Ann", "phone": f"(212) 456-78{at:02d}"} for at in range(20, 40)]
    assert defaults_of(understand(table(phones), []))["country"] == "US"
    assert defaults_of(understand(table(phones), []), "AT")["country"] == "AT"
    assert defaults_of(understand(table(PEOPLE), []))["country"] == "RU"
    stated = [{**record, "country": "DE"} for record in phones]
    assert defaults_of(understand(table(stated), [])) == {}


def test_sources_get_names_of_their_own_and_urls_keep_their_secret(tmp_path: Path) -> None:
    folder = tmp_path
    for name in ("Клиенты 2024.csv", "1.csv", "crm.csv", "crm.xlsx", "notes.md"):
        (folder / name).write_text("id\n1\n", "utf-8")
    found = inputs_of([str(folder), "postgresql://me:secret@host/shop"])
    assert [one.source for one in found] == ["f_1", "crm", "crm_2", "klienty_2024", "shop"]
    assert found[-1].settings == {"url": "${SHOP_URL}"}
    assert found[-1].secrets == {"SHOP_URL": "postgresql+psycopg://me:secret@host/shop"}
    assert "secret" not in repr(found[-1])
    for missing in ("nowhere.csv", str(folder / "notes.md")):
        with pytest.raises(UsageError, match=missing.rpartition("/")[2]):
            inputs_of([missing])

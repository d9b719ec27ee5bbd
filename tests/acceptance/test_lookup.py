"""Search before create: a record that is in no register is matched as a run would match it, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.errors import UsageError
from onefold.steps.explain import explain
from onefold.steps.lookup import Lookup, lookup, values_of
from tests.acceptance.conftest import Hub
from tests.support.cli import onefold
from warehouse.dump import row_versions

ANNA = [
    ("given_name", "Anna"),
    ("family_name", "Schmidt"),
    ("birth_date", "1985-07-30"),
    ("email", "anna@mail.example"),
]


@pytest.fixture
def annas(hub: Hub) -> Hub:
    """A hub with Anna, a namesake, two firms, and a switchboard that many share."""
    people = [
        {"id": "1", "first": "Anna", "last": "Schmidt", "born": "1985-07-30", "emails": "anna@mail.example"},
        {"id": "2", "first": "Anna", "last": "Schmidt", "born": "1960-01-02", "emails": "other@mail.example"},
    ]
    people += [
        {"id": str(n), "first": "Иван", "last": f"Фамилия{n}", "phone": "+7 495 555-00-00"} for n in range(10, 40)
    ]
    hub.write("crm_contacts", people)
    hub.write("crm_companies", [{"id": "7", "name": "ООО «Ромашка»", "inn": "7707083893"}])
    hub.run()
    return hub


def test_a_known_person_is_found_with_the_evidence_of_a_run_and_nothing_is_written(annas: Hub) -> None:
    with annas.context() as context, context.connection() as conn:
        before = row_versions(conn)
        found = lookup(context, "person", ANNA)
        assert row_versions(conn) == before
        first = found["matches"][0]
        annas.write("crm_contacts", [*annas_people(annas), {"id": "99", **anna_card()}])
        annas.run()
        evidence = explain(context, "crm:contacts:1", "crm:contacts:99")
    assert (first["record"], first["verdict"]) == ("crm:contacts:1", "link")
    assert first["client_id"] == annas.client_of("crm:contacts:99")
    assert first["display_name"] == "Anna Schmidt"
    assert first["bits"] == pytest.approx(evidence["total_bits"])
    assert {e["column"] for e in first["evidence"]} >= {"name.family", "birth_date", "email"}


def anna_card() -> dict[str, str]:
    return {"first": "Anna", "last": "Schmidt", "born": "1985-07-30", "emails": "anna@mail.example"}


def annas_people(hub: Hub) -> list[dict[str, str]]:
    import json

    text = (hub.folder / "data" / "crm_contacts.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_open_attributes_of_stored_records_are_compared_too(hub: Hub) -> None:
    hub.write("crm_contacts", [{"id": "1", "first": "John", "last": "Smith Jr.", "born": "1985-07-30"}])
    hub.run()
    john = [("given_name", "John"), ("birth_date", "1985-07-30")]
    with hub.context() as context:
        (same,) = lookup(context, "person", [*john, ("family_name", "Smith Jr.")])["matches"]
        others = lookup(context, "person", [*john, ("family_name", "Smith Sr.")])["matches"]
    (found,) = [one for one in same["evidence"] if one["column"] == "generation"]
    assert found["level"] == "exact"
    assert found["bits"] > 0
    assert all(other["bits"] < same["bits"] - found["bits"] for other in others)


def test_a_generic_number_finds_nobody_and_a_stranger_neither(annas: Hub) -> None:
    with annas.context() as context:
        shared = lookup(context, "person", [("family_name", "Новая"), ("phone", "+7 495 555-00-00")])
        stranger = lookup(context, "person", [("family_name", "Nobody"), ("given_name", "Known")])
    assert shared["matches"] == [] == stranger["matches"]
    assert shared["compared"] == 0


def test_a_firm_is_found_by_its_number_whatever_it_is_called_and_another_number_forbids(annas: Hub) -> None:
    with annas.context() as context:
        (found,) = lookup(context, "organisation", [("legal_name", "Romashka LLC"), ("inn", "7707083893")])["matches"]
        other = lookup(context, "organisation", [("legal_name", "ООО Ромашка"), ("inn", "7736050003")])["matches"]
    assert (found["record"], found["verdict"]) == ("crm:companies:7", "link")
    assert all(match["verdict"] == "forbidden" for match in other)


def test_more_records_than_are_compared_are_said_and_the_rarest_keys_come_first(annas: Hub) -> None:
    with annas.context() as context, context.connection() as conn:
        found = Lookup(context, conn, most=1).match("person", ANNA)
    assert (found["compared"], found["truncated"]) == (1, True)
    assert found["matches"][0]["record"] == "crm:contacts:1"


def test_a_lookup_that_stays_open_sees_what_later_runs_resolve(annas: Hub) -> None:
    with annas.context() as context, context.connection() as conn:
        search = Lookup(context, conn)
        values = [("given_name", "Olga"), ("family_name", "Smirnova"), ("birth_date", "1990-12-12")]
        assert search.match("person", values)["matches"] == []
        card = {"id": "50", "first": "Olga", "last": "Smirnova", "born": "1990-12-12"}
        annas.write("crm_contacts", [*annas_people(annas), card])
        annas.run()
        (found,) = search.match("person", values)["matches"]
    assert found["record"] == "crm:contacts:50"


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("firm", ANNA, "`firm` is no kind"),
        ("person", [("family_nam", "Ott")], "Did you mean `family_name`"),
        ("person", [("email", " ")], "at least one value"),
    ],
)
def test_what_cannot_be_looked_up_is_said_with_what_to_do(
    annas: Hub, kind: str, values: list[tuple[str, str]], said: str
) -> None:
    with annas.context() as context, pytest.raises(UsageError) as caught:
        lookup(context, kind, values)
    assert said in f"{caught.value} {caught.value.hint}"


def test_values_of_a_document_are_its_texts_lists_included_and_nulls_left_out() -> None:
    assert values_of({"email": ["a@x.example", "b@x.example"], "family_name": None, "inn": 77}) == [
        ("email", "a@x.example"),
        ("email", "b@x.example"),
        ("inn", "77"),
    ]


def test_cards_of_a_file_are_answered_line_by_line_and_a_broken_line_is_named(annas: Hub, tmp_path: Path) -> None:
    cards = tmp_path / "cards.jsonl"
    cards.write_text(
        '{"family_name": "Schmidt", "given_name": "Anna", "email": "anna@mail.example"}\n'
        '\n{"as": "organisation", "inn": "7707083893"}\n',
        encoding="utf-8",
    )
    options = ["--config", str(annas.folder / "config"), "--home", str(annas.folder / "var")]
    options += ["--database", annas.database_url]
    done = onefold(*options, "--json", "lookup", "--file", cards)
    assert [(answer["line"], answer["matches"][0]["verdict"]) for answer in done.json] == [(1, "link"), (3, "link")]
    cards.write_text("{\n", encoding="utf-8")
    done = onefold(*options, "lookup", "--file", cards)
    assert done.code == 2
    assert "cards.jsonl:1:2" in done.said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"family_nam": "Ott"}', ":2: `family_nam` is no known attribute"),
        (b'{"email": {"work": "a@x.example"}}', ":2: `email` is neither a text nor a number"),
        (b'{"as": "firm", "inn": "7707083893"}', ":2: `firm` is no kind"),
        (b'{"family_name": "\xcf\xe5\xf2\xf0"}', "is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_card_of_a_file_is_said_with_its_line(
    annas: Hub, tmp_path: Path, line: bytes, said: str
) -> None:
    cards = tmp_path / "cards.jsonl"
    cards.write_bytes(b'{"family_name": "Schmidt"}\n' + line + b"\n")
    options = ["--config", str(annas.folder / "config"), "--home", str(annas.folder / "var")]
    done = onefold(*options, "--database", annas.database_url, "lookup", "--file", cards)
    assert done.code == 2
    assert said in " ".join(done.said.split())

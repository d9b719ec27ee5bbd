"""The starter passes the doctor; the published schemas are those of the models and accept what the models accept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest

from onefold.configuration import load_configuration
from onefold.configuration.schedule import ScheduleError, check, last_due, longest_pause, next_due
from onefold.configuration.schemas import rendered, schemas
from onefold.configuration.starter import Answers, write_starter
from onefold.configuration.tree import parse
from onefold.doctor import diagnose

ROOT = Path(__file__).parents[4]


def test_the_starter_passes_the_doctor(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "hub")
    assert all(path.is_file() for path in written)
    assert diagnose(tmp_path / "hub" / "config") == []


def test_the_starters_streams_read_columns_that_its_files_have(tmp_path: Path) -> None:
    from onefold.mapping.paths import fields_of

    write_starter(tmp_path)
    configuration = load_configuration(tmp_path / "config")
    for source in configuration.sources.values():
        for stream in source.streams.values():
            path = stream.options.get("path") or source.settings["path"]
            columns = (tmp_path / path).read_text().splitlines()[0].split(",")
            for origins in (stream.fields or {}).values():
                assert {one for origin in origins for one in fields_of(str(origin))} <= set(columns)


@pytest.mark.parametrize("country", [None, "RU", "DE", "US", "JP"])
@pytest.mark.parametrize("title", [None, 'ООО "Пример": #1'])
def test_the_starter_says_what_it_was_told_and_passes_the_doctor(
    tmp_path: Path, country: str | None, title: str | None
) -> None:
    write_starter(tmp_path / "hub", Answers(title, country))
    config = tmp_path / "hub" / "config"
    assert [one for one in diagnose(config) if one.severity == "error"] == []
    hub = load_configuration(config).hub
    language = "ru" if country == "RU" else "en"
    assert hub.title == {language: title or "My company"}
    assert hub.defaults.country == (country or "DE")
    assert hub.reporting_currency == {"RU": "RUB", "US": "USD"}.get(country or "", "EUR")
    assert hub.own_organisations[0].name == (title or "My company")
    comments = [line for line in (config / "hub.yaml").read_text("utf-8").splitlines() if "#" in line]
    assert len(comments) >= 3, "it stays commented"


def test_a_starter_without_examples_keeps_the_database_s_url_to_its_owner(tmp_path: Path) -> None:
    written = write_starter(tmp_path, Answers(database_url="postgresql://onefold:pw@db/x", examples=False))
    assert not (tmp_path / "data").exists()
    assert [path.name for path in written] == [
        "hub.yaml",
        "attributes.yaml",
        "interactions.yaml",
        ".env.example",
        ".env",
    ]
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    (found,) = [one for one in diagnose(tmp_path / "config") if one.severity == "error"]
    assert found.next_command == "onefold source add NAME --connector files --path FILE"


def test_the_starter_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hub.yaml").write_text("mine")
    with pytest.raises(FileExistsError, match=r"hub\.yaml exists"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["hub.yaml"]


def test_published_schemas_are_current() -> None:
    made = schemas()
    folder = ROOT / "docs" / "schemas"
    assert {path.name for path in folder.glob("*.json")} == set(made)
    stale = [name for name, schema in made.items() if (folder / name).read_text("utf-8") != rendered(schema)]
    assert stale == [], "run: python -m onefold.configuration.schemas"


def test_published_schemas_accept_the_shipped_company() -> None:
    config = ROOT / "config"
    for path in [*sorted((config / "sources").glob("*.yaml")), *sorted(config.glob("*.yaml"))]:
        name = "source" if path.parent.name == "sources" else path.stem
        schema = json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        for document in parse(path.read_bytes(), path.name)[0]:
            found = [
                error.message[:200] for error in jsonschema.Draft202012Validator(schema).iter_errors(document.data)
            ]
            if name not in (
                "matching",
                "survivorship",
            ):  # their short forms are wider than pydantic's schema says
                assert found == [], path.name


def test_published_schemas_refuse_a_mistyped_key() -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "source.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert not validator.is_valid({"source": "a", "conector": "files"})
    assert not validator.is_valid({"source": "a", "connector": "files", "streams": {"x": {"as": "persn"}}})
    assert validator.is_valid({"source": "a", "connector": "files", "streams": {"x": {"as": "person", "key": "id"}}})


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("*/30 * * * *", timedelta(minutes=30)),
        ("0 * * * *", timedelta(hours=1)),
        ("0 8-18 * * *", timedelta(hours=14)),
        ("@daily", timedelta(days=1)),
        ("0 6 * * mon-fri", timedelta(days=3)),
        ("@weekly", timedelta(days=7)),
        ("0 0 1 jan *", timedelta(days=365)),
    ],
)
def test_the_longest_pause_of_a_schedule(text: str, pause: timedelta) -> None:
    assert longest_pause(text) == pause


@pytest.mark.parametrize(
    ("text", "now", "last", "following"),
    [
        ("0 * * * *", "2026-03-01T08:00:00", "2026-03-01T08:00", "2026-03-01T09:00"),
        ("0 * * * *", "2026-03-01T08:59:59", "2026-03-01T08:00", "2026-03-01T09:00"),
        ("30 6 * * mon-fri", "2026-03-01T12:00", "2026-02-27T06:30", "2026-03-02T06:30"),
        ("@monthly", "2026-01-01T00:00", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("*/20 9-10 * * *", "2026-03-01T09:19", "2026-03-01T09:00", "2026-03-01T09:20"),
        ("0 0 29 2 *", "2026-03-01T00:00", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("0 0 1 * mon", "2026-03-03T00:00", "2026-03-02T00:00", "2026-03-09T00:00"),
        ("0 0 31 2 *", "2026-03-01T00:00", None, None),
    ],
)
def test_when_a_schedule_is_due(text: str, now: str, last: str | None, following: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = [at and at.isoformat()[:16] for at in (last_due(text, moment), next_due(text, moment))]
    assert found == [last, following]
    # The same moment told in another zone is the same moment.
    assert last_due(text, moment.astimezone(timezone(timedelta(hours=3)))) == last_due(text, moment)


@pytest.mark.parametrize(
    "text", ["", "* * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        check(text)

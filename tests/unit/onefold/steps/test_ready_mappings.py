"""A system of the catalogue comes with a mapping that runs: what `source add` writes has no mistake and maps its records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.cassette import Cassette, Replay, load_cassette
from connectors.page import StreamRequest
from connectors.testing_files import FilesSuite
from onefold.configuration.load import read_configuration
from onefold.configuration.source_file import source_yaml
from onefold.mapping import RawRow, compile_source
from warehouse.keys import record_id

CASSETTES = Path(__file__).parents[2] / "connectors" / "catalogue"


def recorded() -> list[Cassette]:
    """Cassettes of systems that ship streams."""
    cassettes = [load_cassette(path) for path in sorted(CASSETTES.glob("*.cassette.yaml"))]
    return [one for one in cassettes if (shipped := registry.shipped(one.connector)) and shipped.streams]


def opened(cassette: Cassette) -> Any:
    made: Any = registry.connector_class(cassette.connector)
    transport = Replay(cassette.exchanges)
    return made("it", cassette.settings, transport=transport, pause=lambda _s: None, now=lambda: cassette.now)


def write(folder: Path, connector: str, settings: dict[str, Any], streams: list[Any]) -> None:
    (folder / "sources").mkdir(parents=True)
    named = {name: "${IT_SECRET}" if "secret" in str(value) else value for name, value in settings.items()}
    text = source_yaml("it", connector, named, streams, {}, registry.shipped(connector))
    (folder / "sources" / "it.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("cassette", recorded(), ids=lambda cassette: cassette.connector)
def test_the_ready_mapping_has_no_mistake_and_maps_every_record(cassette: Cassette, tmp_path: Path) -> None:
    with opened(cassette) as connector:
        streams = list(connector.discover())
    write(tmp_path, cassette.connector, cassette.settings, streams)
    configuration, problems = read_configuration(tmp_path)
    assert not problems, "\n".join(str(problem) for problem in problems)
    assert configuration is not None
    source = configuration.sources["it"]
    for name, mapper in compile_source(source, configuration).items():
        if source.streams[name].kind is None or name not in cassette.expect:
            continue
        with opened(cassette) as connector:
            expected = cassette.expect[name]
            pages = list(
                connector.read(StreamRequest(name, options=expected.options, timezone=cassette.timezone), None)
            )
        rows = [row for page in pages for row in page.rows]
        raws = [RawRow(record_id("it", name, row.key), row.key, row.payload, row.updated_at, None) for row in rows]
        mapped = mapper.map_batch(raws)
        assert not mapped.rejects, f"{name}: {[(reject.reason, reject.detail) for reject in mapped.rejects]}"


def delivered() -> list[type[FilesSuite]]:
    """Deliveries of systems that are read from files."""
    return [type(folder.name, (FilesSuite,), {"folder": folder}) for folder in sorted(CASSETTES.glob("files/*/"))]


@pytest.mark.parametrize("suite", delivered(), ids=lambda suite: suite.__name__)
def test_the_ready_mapping_of_files_has_no_mistake_and_maps_every_record(
    suite: type[FilesSuite], tmp_path: Path
) -> None:
    files = suite()
    first = files.folder / "first"
    with registry.open_connector(files.said.connector, "it", files.settings(first)) as connector:
        streams = list(connector.discover())
    write(tmp_path, files.said.connector, dict(files.settings(first)), streams)
    configuration, problems = read_configuration(tmp_path)
    assert not problems, "\n".join(str(problem) for problem in problems)
    assert configuration is not None
    for name, mapper in compile_source(configuration.sources["it"], configuration).items():
        rows = [row for page in files.read(name, first) for row in page.rows]
        raws = [RawRow(record_id("it", name, row.key), row.key, row.payload, row.updated_at, None) for row in rows]
        mapped = mapper.map_batch(raws)
        assert not mapped.rejects, f"{name}: {[(reject.reason, reject.detail) for reject in mapped.rejects]}"


def test_what_source_add_writes_of_a_known_system_is_its_ready_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = """
title: {en: Example CRM, ru: Пример CRM}
department: service
defaults: {country: DE, timezone: Europe/Berlin}
base_url: "https://{domain}/api"
parameters: {domain: {title: Address}, token: {secret: true}}
auth: {kind: bearer, token: "{token}"}
streams:
  companies:
    path: companies
    key: id
    title: {en: Companies, ru: Компании}
    mapping: {as: organisation, fields: {legal_name: name, inn: tax}, url: "https://{domain}/company/{key}"}
  notes: {path: notes, key: id}
"""
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    (catalogue / "example.yaml").write_text(manifest, encoding="utf-8")
    monkeypatch.setattr(registry, "_registered", lambda: {"example": catalogue / "example.yaml"})
    from connectors.cassette import Exchange

    exchanges = [
        Exchange.model_validate({"request": {"path": f"/api/{name}"}, "response": {"body": body}})
        for name, body in {"companies": [{"id": 1, "name": "A", "tax": "7707083893"}], "notes": []}.items()
    ]
    made: Any = registry.connector_class("example")
    with made("it", {"domain": "crm.test", "token": "t"}, transport=Replay(exchanges)) as connector:
        streams = list(connector.discover())
    write(tmp_path / "config", "example", {"domain": "crm.test", "token": "secret"}, streams)
    configuration, problems = read_configuration(tmp_path / "config")
    assert not problems and configuration is not None
    source = configuration.sources["it"]
    assert (source.department, source.defaults.country) == ("service", "DE")
    assert source.streams["companies"].url == "https://crm.test/company/{key}"
    assert set(source.streams["companies"].fields or {}) == {"legal_name", "inn"}
    assert source.streams["notes"].kind is None

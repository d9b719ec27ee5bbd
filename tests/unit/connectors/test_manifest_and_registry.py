"""Manifests are checked word by word; connectors are found by name."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import registry
from connectors.errors import SourceConfigurationError
from connectors.page import StreamRequest
from connectors.rest.connector import RestConnector
from connectors.rest.shipped import manifest_connector

SECRET = "geheim-4711"
MANIFEST = """
title: Example CRM
base_url: "https://{account}.crm.test/rest/{webhook}"
auth: {kind: key, in: path, name: webhook, value: "{token}"}
headers: {X-Account: "{account}"}
parameters:
  account: {title: Your account}
  token: {secret: true}
  language: {default: en}
streams:
  contacts: {path: contacts.json, params: {lang: "{language}"}, key: id}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "example.yaml"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def _looked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed is not remembered in this test: it changes."""
    monkeypatch.setattr(registry, "registered_on", registry.registered_on.__wrapped__)


def contacts(connector: Any) -> tuple[httpx.Request, list[str]]:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[{"id": 1}])

    connector._engine._transfer._client._transport = httpx.MockTransport(handler)
    with connector:
        keys = [row.key for page in connector.read(StreamRequest("contacts"), None) for row in page.rows]
    return seen[0], keys


def test_a_manifest_file_is_driven_by_parameters(manifest: Path) -> None:
    settings = {
        "manifest_file": "example.yaml",
        "base_dir": manifest.parent,
        "parameters": {"account": "acme", "token": SECRET},
    }
    request, keys = contacts(RestConnector("crm", settings))
    assert str(request.url) == f"https://acme.crm.test/rest/{SECRET}/contacts.json?lang=en"
    assert request.headers["X-Account"] == "acme"
    assert keys == ["1"]


def test_a_shipped_manifest_becomes_a_class_whose_settings_are_its_parameters(manifest: Path) -> None:
    made: Any = manifest_connector(manifest)
    request, _ = contacts(made("crm", {"account": "acme", "token": SECRET}))
    assert SECRET in str(request.url)
    schema = made.settings_model.model_json_schema()
    assert set(schema["required"]) == {"account", "token"}
    with pytest.raises(SourceConfigurationError, match="token: Field required"):
        made("crm", {"account": "acme"})
    with pytest.raises(SourceConfigurationError, match="acount"):
        made("crm", {"acount": "acme", "token": SECRET})


def test_missing_and_unknown_parameters_are_named(manifest: Path) -> None:
    base = {"manifest_file": str(manifest)}
    with pytest.raises(SourceConfigurationError, match="lacks account, token"):
        RestConnector("crm", base)
    with pytest.raises(SourceConfigurationError, match="Did you mean 'token'"):
        RestConnector("crm", base | {"parameters": {"account": "a", "tokn": SECRET}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"auth": {"kind": "bearer", "tokn": SECRET}}, "bearer.tokn"),
        ({"auth": {"kind": "magic", "token": SECRET}}, "auth"),
        ({"streams": {"c": {"path": "c", "paging": {"kind": "pages"}}}}, "streams.c.paging"),
        ({"streams": {"c": {"path": "c", "paging": {"kind": "cursor"}}}}, "either `path` or `header`"),
        ({"streams": {"c": {"path": "c", "records": "a..b"}}}, "records"),
        ({"streams": {"c": {"path": "c", "deletes": "vanish"}}}, "deletes"),
        ({"streams": {"c": {"path": "c/{nobody}"}}}, "nobody"),
        ({"limits": {"rate": -1}}, "limits.rate"),
        ({"limits": {"per": "soon"}}, "limits.per"),
        ({"streams": {"c": {"path": "c", "changes": {"format": "stardate"}}}}, "format is one of"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "not an address"}, "base_url"),
    ],
)
def test_every_mistake_in_a_manifest_is_named_without_secrets(change: dict[str, Any], words: str) -> None:
    manifest = {"base_url": "https://crm.test", "auth": {"kind": "bearer", "token": SECRET}, **change}
    with pytest.raises(SourceConfigurationError) as caught:
        RestConnector("crm", {"manifest": manifest})
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["a: [", "", "- x", "a: b: c", "\x00"])
def test_a_manifest_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(SourceConfigurationError, match=r"bad\.yaml|do not fit"):
        RestConnector("crm", {"manifest_file": str(tmp_path / "bad.yaml")})


def test_a_manifest_is_laid_over_the_one_that_it_extends(manifest: Path) -> None:
    path = manifest.with_name("newer.yaml")
    path.write_text("""
extends: example
headers: {X-Region: "{region}"}
parameters: {account: {}, token: {secret: true}, region: {optional: true}, language: {default: de}}
streams:
  contacts: {path: people.json}
  more: {path: more.json}
""")
    made: Any = manifest_connector(path)
    assert list(made.shipped.streams) == ["contacts", "more"]
    request, keys = contacts(made("crm", {"account": "acme", "token": SECRET}))
    # The stream's key stands below; a header whose parameter has no value is left out.
    assert request.url.path.endswith("/people.json") and request.url.params["lang"] == "de" and keys == ["1"]
    assert "x-region" not in request.headers and "x-account" not in request.headers
    path.write_text("extends: example\nstreams: {contacts: null}\n")
    assert not manifest_connector(path.rename(manifest.with_name("none.yaml"))).shipped.streams  # type: ignore[attr-defined]


@pytest.mark.parametrize(("base", "words"), [("missing", "cannot be read"), ("example", "extends another itself")])
def test_what_a_manifest_cannot_extend_is_named(manifest: Path, base: str, words: str) -> None:
    manifest.write_text("extends: other\n" + MANIFEST)
    path = manifest.with_name("newer.yaml")
    path.write_text(f"extends: {base}\n")
    with pytest.raises(SourceConfigurationError, match=words):
        manifest_connector(path)
    with pytest.raises(SourceConfigurationError, match="own file"):
        RestConnector("crm", {"manifest": {"extends": "odoo", "base_url": "https://a.test"}})


def test_settings_show_no_secret() -> None:
    connector = RestConnector(
        "crm", {"manifest": {"base_url": "https://x.test", "auth": {"kind": "bearer", "token": SECRET}}}
    )
    connector.close()
    assert SECRET not in repr(connector.settings) + str(connector.settings) + connector.settings.model_dump_json()


@pytest.mark.usefixtures("_looked_for_anew")
def test_entry_points_of_the_backport_are_entry_points_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # importlib_metadata, once imported, answers for the standard library with a class of its own.
    class Backported:
        def __init__(self, name: str, value: str) -> None:
            self.name, self.value = name, value

        def load(self) -> Any:
            return EntryPoint(self.name, self.value, registry.GROUP).load()

    points = [
        Backported("singer", "connectors.singer.connector:SingerConnector"),
        Backported("cat", "connectors.catalogue"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_group: points)
    assert registry.settings_schema("singer:tap-x")["properties"]
    assert registry.shipped("bitrix24").streams
    points.append(Backported("singer", "other:Thing"))
    with pytest.raises(SourceConfigurationError, match="two packages register"):
        registry.names()


def test_the_built_in_connectors_are_registered_with_schemas() -> None:
    assert {"files", "sql", "rest"} <= set(registry.names())
    for name in registry.names():
        schema = registry.settings_schema(name)
        assert schema["type"] == "object"
        assert json.dumps(schema)
        assert len(registry.describe(name)) > 10


def test_a_schema_is_the_callers_own() -> None:
    registry.settings_schema("files")["properties"].clear()
    assert registry.settings_schema("files")["properties"]


def test_an_unknown_connector_suggests_the_nearest() -> None:
    with pytest.raises(SourceConfigurationError, match="Did you mean 'files'"):
        registry.open_connector("file", "acc", {})


@pytest.mark.usefixtures("_looked_for_anew")
def test_a_plug_in_that_cannot_be_loaded_or_clashes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("mine", "no_such_package:Thing", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda **_group: points)
    with pytest.raises(SourceConfigurationError, match="no_such_package"):
        registry.connector_class("mine")
    points.append(EntryPoint("mine", "other:Thing", registry.GROUP))
    with pytest.raises(SourceConfigurationError, match="two packages"):
        registry.names()


def test_the_reading_path_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text("id;name\n1;a\n")
    script = f"""
import sys, httpx
import connectors, connectors.registry as registry
from connectors.page import StreamRequest
from connectors.rest.connector import RestConnector
with registry.open_connector("files", "acc", {{"path": {str(tmp_path / "clients.csv")!r}}}) as connector:
    connector.check(), connector.discover()
    assert sum(len(page.rows) for page in connector.read(StreamRequest("clients", key="id"), None)) == 1
manifest = {{"base_url": "https://crm.test", "streams": {{"contacts": {{"path": "c", "key": "id"}}}}}}
answer = httpx.MockTransport(lambda request: httpx.Response(200, json=[{{"id": 1}}]))
with RestConnector("crm", {{"manifest": manifest}}, transport=answer) as connector:
    assert sum(len(page.rows) for page in connector.read(StreamRequest("contacts"), None)) == 1
names = ("pyarrow", "numpy", "alembic", "sqlmodel", "pandas", "sqlalchemy", "scipy", "duckdb")
heavy = [name for name in names if name in sys.modules]
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_importing_the_registry_is_light() -> None:
    script = (
        "import sys, connectors, connectors.registry;"
        "print([name for name in ('httpx', 'sqlalchemy', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_published_schema_takes_what_the_catalogue_says_and_refuses_unknown_words() -> None:
    from jsonschema import Draft202012Validator
    from ruamel.yaml import YAML

    from connectors.manifest_schema import manifest_schema

    validator = Draft202012Validator(manifest_schema())
    manifests = sorted(Path(registry.__file__).parent.joinpath("catalogue").glob("*.yaml"))
    assert manifests
    for path in manifests:
        values = YAML(typ="safe").load(path.read_text("utf-8"))
        problems = [f"{path.name}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(values)]
        assert not problems, problems
    wrong = {"base_url": "https://a.test", "streams": {"a": {"entity": "A", "colour": 1}}}
    assert [error.message for error in validator.iter_errors(wrong)]


@pytest.mark.usefixtures("_looked_for_anew")
def test_a_package_is_a_catalogue_whose_manifests_are_connectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_catalogue_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "acme.yaml").write_text(MANIFEST)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint("acme_things", package.name, registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
    assert registry.names() == ["acme"]
    assert registry.describe("acme") == "Example CRM"
    request, keys = contacts(registry.open_connector("acme", "crm", {"account": "a", "token": SECRET}))
    assert request.url.host == "a.crm.test" and keys == ["1"]
    points.append(EntryPoint("gone", "no_such_package_here", registry.GROUP))
    with pytest.raises(SourceConfigurationError, match="'no_such_package_here' cannot be found"):
        registry.names()


def test_hooks_sign_decode_and_fetch_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="1;2")

    def sign(request: httpx.Request, values: dict[str, Any]) -> None:
        request.headers["X-Sign"] = f"{values['account']}:{request.url.path}"

    def decode(body: bytes, _headers: Any) -> Any:
        return [{"id": number} for number in body.decode().split(";")]

    def fetch(asking: Any, call: Any, _position: Any, _moments: Any) -> Any:
        asking.engine.fetch(call, asking.pause)  # starts the job
        return asking.engine.fetch(call, asking.pause)

    hooks = {"s": sign, "d": decode, "f": fetch}
    for module in ("connectors.rest.connector", "connectors.rest.asking"):
        monkeypatch.setattr(f"{module}.hook", hooks.__getitem__)
    manifest = {
        "base_url": "https://crm.test",
        "parameters": {"account": {"default": "acme"}},
        "hooks": {"sign": "s", "decode": "d"},
        "streams": {"contacts": {"path": "c", "key": "id", "fetch": "f"}},
    }
    with RestConnector("crm", {"manifest": manifest}, transport=httpx.MockTransport(handler)) as connector:
        keys = [row.key for page in connector.read(StreamRequest("contacts"), None) for row in page.rows]
    assert keys == ["1", "2"] and len(seen) == 2
    assert seen[0].headers["X-Sign"] == "acme:/c"


def test_an_unknown_hook_suggests_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("acme_sign", "acme:sign", registry.HOOKS)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.HOOKS else [])
    with pytest.raises(SourceConfigurationError, match="Did you mean 'acme_sign'"):
        RestConnector("crm", {"manifest": {"base_url": "https://x.test", "hooks": {"sign": "acme_sing"}}})


def test_the_documented_manifest_loads_and_fits_the_published_schema() -> None:
    from jsonschema import Draft202012Validator
    from ruamel.yaml import YAML

    from connectors.manifest import Manifest
    from connectors.manifest_schema import manifest_schema

    page = Path(__file__).parents[3].joinpath("docs", "connectors", "writing.md").read_text("utf-8")
    text = next(block for block in page.split("```yaml\n")[1:] if "base_url" in block).partition("```")[0]
    values = YAML(typ="safe").load(text)
    made = Manifest.model_validate(values)
    assert set(made.streams) == {"companies", "orders"} and len(made.auth) == 2
    assert not list(Draft202012Validator(manifest_schema()).iter_errors(values))

"""What is generated from the served contract: dictionary, dbt sources, Metabase metadata, queries that answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from onefold.contract import metabase
from onefold.contract.queries import queries
from onefold.errors import NothingFound
from onefold.steps.docs import docs, tell_metabase
from tests.support import database as databases
from tests.support.cli import onefold
from tests.support.demo import Demo, demo
from tests.support.hub import Hub
from warehouse.connect import connect
from warehouse.contract import describe
from warehouse.roles import ensure_roles, grant_served


@pytest.fixture(scope="module")
def company(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with (
        databases.database(server_url, template) as url,
        demo(tmp_path_factory.mktemp("demo"), url, scale=0.1) as made,
    ):
        yield made


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.name)
def test_each_of_the_ten_queries_answers_on_the_demo_for_the_reader(query: Any, company: Demo) -> None:
    with connect(str(company.hub.database_url), application_name="test") as conn:
        ensure_roles(conn)
        reader = grant_served(conn).names.reader
        conn.execute(f'SET ROLE "{reader}"')
        rows = conn.execute(query.statement).fetchall()
    assert rows, query.question_en
    assert query.question_en.endswith(("?", ")")) and re.search("[а-я]", query.question_ru)


def test_there_are_ten_queries() -> None:
    assert len(queries()) == 10


class Seen(HTMLParser):
    """Texts, ids and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        self.loads += [f"{tag} {found[name]}" for name in ("src", "href") if name in found]
        assert tag not in ("link", "img", "iframe")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_dictionary_is_one_page_that_loads_nothing_and_names_every_column(company: Demo, tmp_path: Path) -> None:
    with company.context() as context, context.connection() as conn:
        docs(context, tmp_path)
        contract = describe(conn)
    page = Seen()
    page.feed((tmp_path / "dictionary.html").read_text("utf-8"))
    assert page.loads and all(load.startswith("a #") for load in page.loads)
    assert {load.removeprefix("a #") for load in page.loads} <= page.ids
    texts = set(page.texts)
    columns = {column.column_name for view in contract.views for column in view.columns}
    assert [c for c in columns if not {c, f"{c} (key)"} & texts] == []
    assert {"customer_group", "Группа клиентов"} <= texts, "an attribute of attributes.yaml is described"
    assert "{{" not in "".join(page.texts)
    markdown = (tmp_path / "dictionary.md").read_text("utf-8")
    assert [view.name for view in contract.views if f"## {view.name}\n" not in markdown] == []


def test_the_command_writes_the_same_bytes_again_and_says_where(ready_hub: Hub, tmp_path: Path) -> None:
    environ = {"ONEFOLD_DATABASE_URL": ready_hub.database_url, "ONEFOLD_CONFIG": str(ready_hub.folder / "config")}

    def written() -> dict[str, bytes]:
        done = onefold("docs", "--out", tmp_path / "made", "--json", environ=environ)
        assert done.code == 0, done.err
        assert all(Path(file).is_file() for file in done.json["files"])
        return {file: Path(file).read_bytes() for file in done.json["files"]}

    first = written()
    assert written() == first
    assert len(first) == 14
    done = onefold("docs", "--out", tmp_path / "made", "--metabase", "http://127.0.0.1:9", environ=environ)
    assert done.code == 2 and "METABASE_API_KEY" in done.err


def test_dbt_sources_test_keys_references_and_closed_lists(ready_hub: Hub, tmp_path: Path) -> None:
    with ready_hub.context() as context:
        docs(context, tmp_path)
    (source,) = yaml.safe_load((tmp_path / "dbt/models/onefold/sources.yml").read_text("utf-8"))["sources"]
    tables = {table["name"]: table for table in source["tables"]}

    def tests(view: str, column: str) -> list[Any]:
        return next(c for c in tables[view]["columns"] if c["name"] == column).get("data_tests", [])

    assert tests("dim_party", "client_id") == ["not_null", "unique"]
    assert {"relationships": {"to": "source('onefold', 'dim_party')", "field": "client_id"}} in tests(
        "fct_interaction", "client_id"
    )
    assert {"accepted_values": {"values": ["day", "minute", "second"]}} in tests("fct_interaction", "precision")
    assert tables["dim_client_history"]["data_tests"] == [{"unique": {"column_name": "(client_id, valid_from)"}}]
    assert "fct_sales_order" in tables and "freshness" in tables["fct_sales_order"]["config"]


class Metabase:
    """Metabase's API at the transport, in the shapes that its documentation shows."""

    def __init__(self, views: dict[str, list[str]]) -> None:
        self.puts: list[tuple[str, dict[str, Any]]] = []
        numbers = iter(range(100, 100_000))
        self.tables = [
            {"id": next(numbers), "name": view, "schema": "onefold_v1", "description": None,
             "fields": [{"id": next(numbers), "name": name, "semantic_type": None, "description": None} for name in columns]}
            for view, columns in views.items()
        ]  # fmt: skip

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers["X-API-Key"] != "mb_made_up":
            return httpx.Response(401, text="Unauthenticated")
        path = request.url.path
        if path == "/api/database":
            rows = [{"id": 1, "name": "Sample Database"}, {"id": 2, "name": "hub"}]
            return httpx.Response(200, json={"data": rows, "total": 2})
        if path == "/api/database/1/metadata":
            return httpx.Response(200, json={"id": 1, "tables": [{"id": 1, "name": "ORDERS", "schema": "PUBLIC"}]})
        if path == "/api/database/2/metadata":
            return httpx.Response(200, json={"id": 2, "tables": self.tables})
        _, _, kind, number = path.split("/")
        rows = self.tables if kind == "table" else [field for table in self.tables for field in table["fields"]]
        (there,) = [row for row in rows if row["id"] == int(number)]
        body = json.loads(request.content)
        self.puts.append((path, body))
        there.update(body)
        return httpx.Response(200, json=there)

    def field(self, view: str, column: str) -> dict[str, Any]:
        (table,) = [table for table in self.tables if table["name"] == view]
        return next(field for field in table["fields"] if field["name"] == column)

    def client(self, key: str = "mb_made_up") -> httpx.Client:
        return httpx.Client(
            base_url="http://metabase.test", transport=httpx.MockTransport(self), headers={"X-API-Key": key}
        )


def test_metabase_is_told_keys_formats_and_labels_once(ready_hub: Hub) -> None:
    with ready_hub.context() as context:
        with context.connection() as conn:
            views = {view.name: [c.column_name for c in view.columns] for view in describe(conn).views}
        views["dim_party"].remove("vat")
        served = Metabase(views)
        sent = tell_metabase(context, served.client(), None, "ru")
        assert sent.tables == len(views) and sent.fields > 100 and sent.unknown == ("dim_party.vat",)
        again = tell_metabase(context, served.client(), "hub", "ru")
    assert (again.tables, again.fields) == (0, 0)
    assert served.field("dim_client", "client_id")["semantic_type"] == "type/PK"
    client = served.field("fct_interaction", "client_id")
    assert client["semantic_type"] == "type/FK"
    assert client["fk_target_field_id"] == served.field("dim_party", "client_id")["id"]
    assert served.field("dim_client", "inn")["display_name"] == "ИНН"
    assert served.field("fct_interaction", "amount")["semantic_type"] == "type/Currency"
    assert served.field("dim_client", "kind")["has_field_values"] == "list"


def test_metabase_without_the_hub_or_with_another_key_is_told_apart(ready_hub: Hub) -> None:
    served = Metabase({"other": ["id"]})
    with ready_hub.context() as context:
        with pytest.raises(NothingFound, match="Sample Database, hub"):
            tell_metabase(context, served.client(), "Sample Database")
        with pytest.raises(metabase.MetabaseRefused, match="METABASE_API_KEY"):
            tell_metabase(context, served.client("wrong"), None)
    assert served.puts == []

"""A small hub in a folder: registers as JSON lines that a test edits, configuration, and the steps on a database of its own."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from onefold.context import Context, open_context
from onefold.settings import Settings

CRM = """
source: crm
department: sales
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 60
schedule: "0 * * * *"
streams:
  contacts:
    as: person
    key: id
    updated_at: updated
    options: {path: data/crm_contacts.jsonl}
    fields: {given_name: first, family_name: last, middle_name: middle, birth_date: born, email: emails, phone: phone, city: city}
    works_at: {stream: companies, key: company, role: title}
    url: "https://crm.example.com/contacts/{key}"
  companies:
    as: organisation
    key: id
    options: {path: data/crm_companies.jsonl}
    fields: {legal_name: name, inn: inn, kpp: kpp, phone: phone, domain: site}
  deals:
    as: interaction
    type: sales_deal
    key: id
    options: {path: data/crm_deals.jsonl}
    party: {stream: companies, key: company}
    occurred_at: closed
    amount: {value: sum}
    detail: {stage: stage}
"""
ERP = """
source: erp
department: operations
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 80
schedule: "0 * * * *"
streams:
  customers:
    as: {when: kind, company: organisation, person: person}
    key: code
    options: {path: data/erp_customers.jsonl}
    fields: {full_name: person, birth_date: born, legal_name: name, inn: inn, email: mail, phone: tel}
  orders:
    as: interaction
    type: sales_order
    key: no
    options: {path: data/erp_orders.jsonl}
    party: {stream: customers, key: customer}
    occurred_at: date
    amount: {value: total}
    document_number: no
"""
FILES = ("crm_contacts", "crm_companies", "crm_deals", "erp_customers", "erp_orders")
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Hub:
    """A hub of one test. `registers` maps a file to its records by key field `id`/`code`/`no`, written in the given order."""

    folder: Path
    database_url: str
    ticks: int = 0
    registers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in FILES})

    def __post_init__(self) -> None:
        (self.folder / "config" / "sources").mkdir(parents=True, exist_ok=True)
        (self.folder / "data").mkdir(exist_ok=True)
        self.configure("crm", CRM)
        self.configure("erp", ERP)
        for name in FILES:
            self.write(name)

    @classmethod
    def at(cls, folder: Path, database_url: str) -> Hub:
        """The hub that another process made in this folder, as it stands."""
        hub = cls.__new__(cls)
        hub.folder, hub.database_url, hub.ticks = folder, database_url, 0
        hub.registers = {name: [] for name in FILES}
        return hub

    def like(self, other: Hub) -> Hub:
        """This hub with another's files, registers and time; its database is a copy of the other's already."""
        shutil.copytree(other.folder, self.folder, dirs_exist_ok=True)
        self.registers, self.ticks = deepcopy(other.registers), other.ticks
        return self

    @property
    def settings(self) -> Settings:
        """Where this hub lives."""
        return Settings.from_environment(
            {},
            {
                "home": str(self.folder / "var"),
                "config": str(self.folder / "config"),
                "database_url": self.database_url,
            },
        )

    @property
    def place(self) -> tuple[str, ...]:
        """The same in the command line's words."""
        home, config = self.folder / "var", self.folder / "config"
        return ("--home", str(home), "--config", str(config), "--database", self.database_url)

    def configure(self, source: str, text: str) -> None:
        """Write a source's YAML."""
        (self.folder / "config" / "sources" / f"{source}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")

    def write(self, name: str, records: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Write one register; without records, what `registers` holds."""
        lines = self.registers[name] if records is None else records
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in lines)
        (self.folder / "data" / f"{name}.jsonl").write_text(text, encoding="utf-8")

    def clock(self) -> datetime:
        """A clock that goes one second a look."""
        self.ticks += 1
        return START + timedelta(seconds=self.ticks)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """An open context on the test's database."""
        with open_context(self.settings, environ={}, clock=self.clock) as context:
            yield context

    def run(self, **arguments: Any) -> Any:
        """`onefold run`."""
        from onefold.steps.run import run

        with self.context() as context:
            return run(context, **arguments)

    def has_nothing_to_do(self) -> None:
        """Everything read, compared and published anew writes no row."""
        from onefold.steps.publish import publish
        from onefold.steps.resolve import resolve
        from warehouse.connect import connect
        from warehouse.dump import row_versions

        with connect(self.database_url, application_name="test") as conn:
            before = row_versions(conn)
        self.run(full=True)
        with self.context() as context:
            resolve(context, everything=True)
            publish(context)
        with connect(self.database_url, application_name="test") as conn:
            assert row_versions(conn) == before

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query on the hub's database."""
        from warehouse.connect import connect

        with connect(self.database_url, application_name="test") as conn:
            return conn.execute(statement, parameters).fetchall()

    def partition(self) -> set[frozenset[str]]:
        """The clients as sets of natural keys."""
        rows = self.query(
            "SELECT array_agg(r.source || ':' || r.stream || ':' || r.source_key)"
            " FROM identity.crosswalk JOIN identity.standard_record r USING (record_id) GROUP BY client_id"
        )
        return {frozenset(keys) for (keys,) in rows}

    def client_of(self, natural_key: str) -> str:
        """The client id of `source:stream:key` now."""
        source, stream, key = natural_key.split(":", 2)
        ((client,),) = self.query(
            "SELECT client_id::text FROM identity.crosswalk JOIN identity.standard_record USING (record_id)"
            " WHERE source = %s AND stream = %s AND source_key = %s",
            (source, stream, key),
        )
        return str(client)

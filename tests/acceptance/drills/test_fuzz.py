"""Whatever stands in a file, a manifest or a mapping: it is read, refused row by row, or refused with an error of ours that says where,
never with another, never with a client's value. Seconds in the ordinary tests; ONEFOLD_FUZZ_SECONDS=3600 for an hour of it.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from connectors.errors import ConnectorError
from connectors.files.connector import FilesConnector
from connectors.manifest_file import load_manifest
from connectors.page import StreamRequest
from onefold.configuration import load_configuration
from onefold.configuration.errors import ConfigurationError
from onefold.mapping import RawRow, compile_source
from tests.support import damage
from tests.support.cli import CHECKOUT
from tests.support.drills import PROPERTY, SEED
from tests.support.hub import CRM, ERP
from warehouse.keys import record_id

SECONDS = float(os.environ.get("ONEFOLD_FUZZ_SECONDS", "5"))
"""For all targets together."""
LONGEST = 10.0
"""Seconds that one small file may take."""
ROUND = 25
MANIFESTS = sorted((CHECKOUT / "connectors" / "catalogue").glob("*.yaml"))
MAPPING = """
source: crm
connector: files
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB}
streams:
  people:
    as: {when: kind, company: organisation, else: person}
    key: id
    where: {folder: false}
    fields: {full_name: name, legal_name: name, birth_date: born, email: [mails, mail], phone: "phones[type=work].no", inn: inn, address: where, city: city}
    works_at: {stream: people, key: firm, role: title}
  orders:
    as: interaction
    type: sales_order
    key: no
    party: {stream: people, key: customer}
    occurred_at: at
    amount: {value: sum, currency: money}
    document_number: no
    summary: note
    detail: {stage: stage}
"""
PATHS = {
    "people": (
        "id",
        "kind",
        "folder",
        "name",
        "born",
        "mails",
        "mail",
        "phones",
        "inn",
        "where",
        "city",
        "firm",
        "title",
    ),
    "orders": ("no", "customer", "at", "sum", "money", "note", "stage"),
}
Check = Callable[[Path, Any], None]


def read_file(folder: Path, name: str, content: bytes, kind: str) -> None:
    """Read a file as a sync does, and look at its beginning as `onefold source add` does."""
    (folder / name).write_bytes(content)
    given: dict[str, Any] = {"path": name, "base_dir": folder}
    given |= {"preset": "datev"} if kind == "datev" else {"format": kind}
    key = None if kind in {"enterprisedata", "commerceml"} else "content" if kind == "datev" else "id"
    options = {"records": "items"} if kind == "json" else {}
    began = time.monotonic()
    with FilesConnector("fuzzed", {**given, **options}) as connector:
        for look in (connector.check, connector.discover):
            with allowed(name, content):
                look()
        for stream in ("Документ.ЗаказКлиента", "Документ") if key is None else ("table",):
            with allowed(name, content):
                for page in connector.read(StreamRequest(stream, key=key), None):
                    for reject in page.rejects:
                        assert damage.VALUE not in str(reject[1:]), "a reject tells a client's value"
    assert time.monotonic() - began < LONGEST, "it takes too long"


class allowed:  # noqa: N801 - it reads as words
    """Errors of ours, which say where and tell no value."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, ConnectorError):
            assert self.name in str(error) or not self.content, f"it does not say which file: {error}"
            assert damage.VALUE not in str(error), f"it tells a client's value: {error}"
            assert len(str(error)) < 2_000, f"it tells {len(str(error))} characters"
            return True
        return False


def files(kind: str) -> tuple[st.SearchStrategy[Any], Check]:
    name, make = damage.FILES[kind]
    content = make()
    return damage.damages(), lambda folder, what: read_file(folder, name, damage.damaged(content, what), kind)


def workbook_parts() -> tuple[st.SearchStrategy[Any], Check]:
    name, make = damage.FILES["excel"]
    content = make()
    strategy = st.tuples(damage.damages(), st.integers(0, 30))
    return strategy, lambda folder, drawn: read_file(folder, name, damage.inside(content, *drawn), "excel")


def manifests() -> tuple[st.SearchStrategy[Any], Check]:
    def check(folder: Path, drawn: Any) -> None:
        which, what = drawn
        content = damage.damaged(MANIFESTS[which % len(MANIFESTS)].read_bytes(), what)
        for base in MANIFESTS:
            if not (folder / base.name).exists():
                (folder / base.name).write_bytes(base.read_bytes())
        (folder / "fuzzed.yaml").write_bytes(content)
        with allowed("fuzzed", content):
            load_manifest(folder / "fuzzed.yaml", "fuzzed")

    return st.tuples(st.integers(0, 99), damage.damages()), check


def configurations() -> tuple[st.SearchStrategy[Any], Check]:
    texts = [CRM.encode(), ERP.encode(), MAPPING.encode()]

    def check(folder: Path, drawn: Any) -> None:
        which, what = drawn
        sources = folder / "config" / "sources"
        sources.mkdir(parents=True, exist_ok=True)
        (sources / "crm.yaml").write_bytes(damage.damaged(texts[which], what))
        refusal = None
        try:
            found = load_configuration(folder / "config")
        except ConfigurationError as error:
            refusal = str(error)
        if refusal is not None:
            assert "crm.yaml:" in refusal, f"it does not say which file and line: {refusal}"
            return
        for source in found.sources.values():
            compile_source(source, found)

    return st.tuples(st.integers(0, 2), damage.damages()), check


def mappings() -> tuple[st.SearchStrategy[Any], Check]:
    compiled: dict[str, Any] = {}

    def check(folder: Path, drawn: Any) -> None:
        if not compiled:
            (folder / "config" / "sources").mkdir(parents=True, exist_ok=True)
            (folder / "config" / "sources" / "crm.yaml").write_text(MAPPING, encoding="utf-8")
            configuration = load_configuration(folder / "config")
            compiled.update(compile_source(configuration.sources["crm"], configuration))
        stream, values = drawn
        payload = json.dumps({**dict(zip(PATHS[stream], values, strict=False)), "secret": damage.VALUE}).encode()
        mapped = compiled[stream].map_batch([RawRow(record_id("crm", stream, "1"), "1", payload, None, None)])
        assert damage.VALUE not in str(mapped.rejects)

    values = st.lists(damage.odd_values(), min_size=7, max_size=13)
    return st.tuples(st.sampled_from(list(PATHS)), values), check


TARGETS: dict[str, Callable[[], tuple[st.SearchStrategy[Any], Check]]] = {
    **{kind: (lambda kind=kind: files(kind)) for kind in damage.FILES},
    "parts of workbooks": workbook_parts,
    "manifests": manifests,
    "configurations": configurations,
    "mappings": mappings,
}


@pytest.mark.timeout(int(SECONDS) + 300)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_but_errors_of_ours_comes_of_whatever_is_read(
    target: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    strategy, check = TARGETS[target]()
    done: Counter[str] = Counter()
    patience = time.monotonic() + SECONDS / len(TARGETS)

    def one(drawn: Any) -> None:
        if done["examples"] >= 5 and time.monotonic() > patience:
            return
        done["examples"] += 1
        check(tmp_path, drawn)

    while not done or time.monotonic() < patience:
        done["rounds"] += 1
        quick = settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        seed(SEED + done["rounds"])(quick(given(strategy)(one)))()
    if SECONDS > 60:
        record_property(PROPERTY, f"fuzz, {target}: {done['examples']} examples in {SECONDS / len(TARGETS):.0f} s")

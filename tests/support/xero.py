"""localstack-xero (PyPI, made by others): an emulator of Xero's accounting API, on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.programs import free_port, python_package, running

REQUIREMENT = "localstack-xero==0.1.2"


@dataclass(frozen=True)
class Xero:
    """The running emulator; any token opens it."""

    url: str
    tenant: str

    @property
    def api(self) -> str:
        """The address of the accounting API."""
        return f"{self.url}/api.xro/2.0"

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": "Bearer any", "xero-tenant-id": self.tenant}

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the API answers."""
        answer = httpx.post(f"{self.api}/{path}", json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def create(self, kind: str, *records: Mapping[str, Any]) -> list[dict[str, Any]]:
        """New records (`Contacts`, `Invoices`, `Payments`), as the API answers them."""
        made: list[dict[str, Any]] = self.post(kind, {kind: list(records)})[kind]
        return made


@contextmanager
def xero(folder: Path) -> Iterator[Xero]:
    """The emulator for the length of the block, with one empty organisation."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(python_package("xero", REQUIREMENT) / "xero-local")]
    # It listens on every interface unless it is told otherwise.
    environ = {"XERO_HOST": "127.0.0.1", "XERO_PORT": str(port)}
    with running(command, f"{url}/_xero/health", folder=folder, environ=environ):
        known = httpx.get(f"{url}/connections", headers={"Authorization": "Bearer any"}, timeout=30).json()
        yield Xero(url, known[0]["tenantId"])

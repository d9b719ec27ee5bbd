"""mock-sap (PyPI, made by others): SAP's business partners and sales orders over OData 2 and 4, slow and failing at will."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.programs import free_port, python_package, running

REQUIREMENT = "mock-sap==0.22.0"
USER = ("ann", "made-up-password")
V2 = "sap/opu/odata/sap"
V4 = "sap/opu/odata4/sap"


@dataclass(frozen=True)
class MockSap:
    """A running system."""

    url: str

    @property
    def partners_v4(self) -> str:
        """The business partner service, OData 4."""
        return f"{self.url}/{V4}/api_businesspartner/srvd_a2x/sap/api_businesspartner/0001"

    def service(self, name: str) -> str:
        """A service of OData 2."""
        return f"{self.url}/{V2}/{name}"

    def call(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
        """A request that is sent until the system does not fail at random; what it answers."""
        for _ in range(50):
            answer = httpx.request(method, url, json=body, auth=USER, timeout=30)
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
                return answer.json() if answer.content else None
            time.sleep(0.01)
        raise RuntimeError(f"{method} {url} fails each time")

    def failures(self) -> int:
        """How many of the requests so far were answered with an error of the server."""
        log = self.call("GET", f"{self.url}/_mock/requests?limit=100000")
        entries = log if isinstance(log, list) else next(value for value in log.values() if isinstance(value, list))
        return sum(int(entry.get("status") or 0) >= httpx.codes.INTERNAL_SERVER_ERROR for entry in entries)


@contextmanager
def mock_sap(folder: Path, *options: str) -> Iterator[MockSap]:
    """The system with its own data of seed 42, writable without a CSRF token."""
    port = free_port()
    program = python_package("mock-sap", REQUIREMENT) / "mock-sap"
    command = [str(program), "--port", str(port), "--no-csrf", "--quiet", "--auth", ":".join(USER), *options]
    folder = folder / f"mock-sap-{port}"
    folder.mkdir()
    system = MockSap(f"http://127.0.0.1:{port}")
    with running(command, f"{system.url}/_mock/health", folder=folder):
        yield system

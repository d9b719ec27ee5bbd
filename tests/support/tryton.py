"""A real Tryton server: installed from the package index into an environment of its own, on loopback, with SQLite."""

from __future__ import annotations

import subprocess
import time
from base64 import b64encode
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.support.programs import free_port, python_package

REQUIREMENTS = [f"{name}>=8,<9" for name in ("trytond", "trytond_party", "trytond_account_invoice", "trytond_sale")]
DATABASE = "hub"
PASSWORD = "made-up-password-8"
NOBODY = {"company": 1}


class Tryton:
    """The server while it runs; `call` speaks its JSON-RPC as the administrator."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._session = ""
        config = folder / "trytond.conf"
        config.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n")
        self._options = ["-c", str(config), "-d", DATABASE]

    def __enter__(self) -> Tryton:
        programs, password = python_package("tryton", *REQUIREMENTS), self._folder / "password"
        password.write_text(PASSWORD)
        (self._folder / f"{DATABASE}.sqlite").touch()
        modules = ["-u", "sale", "account_invoice", "--activate-dependencies", "--email", "a@example.com", "-l", "en"]
        subprocess.run(
            [str(programs / "trytond-admin"), *self._options, *modules],
            check=True, timeout=300, env={"TRYTONPASSFILE": str(password)}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._server = subprocess.Popen(
            [str(programs / "trytond"), *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._log_in()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.terminate()
        try:
            self._server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait(timeout=20)

    def _log_in(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                user, key, _ = self.call("common.db.login", "admin", {"password": PASSWORD})
                break
            except httpx.TransportError:
                if time.monotonic() > until or self._server.poll() is not None:
                    raise
                time.sleep(0.3)
        self._session = b64encode(f"admin:{user}:{key}".encode()).decode()

    def call(self, method: str, *params: Any) -> Any:
        """What the server's method gives. Raises AssertionError with the server's own words."""
        headers = {"Authorization": f"Session {self._session}"} if self._session else {}
        body = {"id": 1, "method": method, "params": list(params)}
        answer = httpx.post(f"{self.url}/{DATABASE}/rpc/", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        found = answer.json()
        assert "error" not in found, f"{method}: {found['error']}"
        return found["result"]

    def create(self, model: str, values: dict[str, Any]) -> int:
        """The id of a new record."""
        return int(self.call(f"model.{model}.create", [values], NOBODY)[0])

    def write(self, model: str, key: int, values: dict[str, Any]) -> None:
        """Change a record."""
        self.call(f"model.{model}.write", [key], values, NOBODY)

    def delete(self, model: str, key: int) -> None:
        """Delete a record for good."""
        self.call(f"model.{model}.delete", [key], NOBODY)

    def first(self, model: str, *domain: Any) -> int:
        """The id of the first record that fits."""
        return int(self.call(f"model.{model}.search", list(domain), 0, 1, [["id", "ASC"]], NOBODY)[0])

    def found_company(self) -> None:
        """A company with a currency and a chart of accounts, without which nothing can be sold."""
        names = {"name": "Euro", "symbol": "€", "code": "EUR", "numeric_code": "978"}
        self.call("model.currency.currency.create", [names], {})
        self.call("model.party.party.create", [{"name": "Our own firm"}], {})
        self.call("model.company.company.create", [{"party": 1, "currency": 1}], {})
        self.call("model.res.user.write", [1], {"companies": [["add", [1]]], "company": 1}, {})
        template = self.first("account.account.template", ["parent", "=", None])
        wizard = self.call("wizard.account.create_chart.create", {})[0]
        chosen = {"account": {"company": 1, "account_template": template}}
        self.call("wizard.account.create_chart.execute", wizard, chosen, "create_account", NOBODY)

    def party(self, name: str, email: str, phone: str, vat: str | None = None) -> int:
        """A party with ways to reach it and an address."""
        ways = [{"type": "email", "value": email}, {"type": "phone", "value": phone}]
        place = {"street_unstructured": "Hauptstraße 1", "city": "Berlin", "postal_code": "10115"}
        values: dict[str, Any] = {
            "name": name, "addresses": [["create", [place]]], "contact_mechanisms": [["create", ways]],
        }  # fmt: skip
        if vat is not None:
            values["identifiers"] = [["create", [{"type": "eu_vat", "code": vat}]]]
        return self.create("party.party", values)

    def sale(self, party: int, amount: str) -> int:
        """A quotation over one line."""
        place = self.first("party.address", ["party", "=", party])
        line = {"type": "line", "quantity": 1, "unit_price": _decimal(amount), "description": "Pump"}
        values = {"party": party, "invoice_address": place, "shipment_address": place, "currency": 1}
        key = self.create("sale.sale", {**values, "lines": [["create", [line]]]})
        self.call("model.sale.sale.quote", [key], NOBODY)
        return key

    def invoice(self, party: int, amount: str) -> int:
        """A draft of an invoice over one line."""
        revenue = self.first("account.account", ["closed", "!=", True], ["type.revenue", "=", True])
        line = {
            "type": "line", "quantity": 1, "unit_price": _decimal(amount), "description": "Pump", "account": revenue,
            "currency": 1,
        }  # fmt: skip
        values = {
            "type": "out", "party": party, "currency": 1, "lines": [["create", [line]]],
            "invoice_address": self.first("party.address", ["party", "=", party]),
            "journal": self.first("account.journal", ["type", "=", "revenue"]),
            "account": self.first("account.account", ["closed", "!=", True], ["type.receivable", "=", True]),
        }  # fmt: skip
        return self.create("account.invoice", values)

    def delivery(self, party: int, amount: str) -> int:
        """A sale of one pump that is confirmed and being delivered; the key of the sale."""
        unit = self.first("product.uom", ["symbol", "=", "u"])
        pump = {"name": "Pump", "type": "goods", "default_uom": unit, "sale_uom": unit, "salable": True}
        made = self.create("product.template", {**pump, "list_price": _decimal(amount), "products": [["create", [{}]]]})
        line = {
            "type": "line", "product": self.first("product.product", ["template", "=", made]), "unit": unit, "quantity": 1,
            "unit_price": _decimal(amount),
        }  # fmt: skip
        place = self.first("party.address", ["party", "=", party])
        values = {"party": party, "invoice_address": place, "shipment_address": place, "currency": 1}
        key = self.create("sale.sale", {**values, "invoice_method": "manual", "lines": [["create", [line]]]})
        for step in ("quote", "confirm", "process"):
            self.call(f"model.sale.sale.{step}", [key], NOBODY)
        return key


def _decimal(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}

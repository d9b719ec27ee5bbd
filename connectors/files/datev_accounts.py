"""Accounts in DATEV exports: whose they are, and what a booking on one of them means.

Accounts of clients and suppliers have one digit more than general ones (`Sachkontenlänge`) and begin with 1 to 6
(Debitor) or 7 to 9 (Kreditor). Beside what a booking says stand:

    DATEV_Personenkonto  the client's or supplier's account, on whichever side it was written
    DATEV_Kontoart       Debitor | Kreditor
    DATEV_Umsatz         the amount, negative for money given back; a Generalumkehr turns it around
    DATEV_Art            Rechnung | Gutschrift | Zahlung | Rückzahlung: by its side, and whether money came or went
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCOUNT, COUNTER = "Konto", "Gegenkonto (ohne BU-Schlüssel)"
AMOUNT, SIDE, REVERSAL = "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "Generalumkehr (GU)"
_MONEY: Final = {"03": ((1000, 1399),), "04": ((1460, 1469), (1600, 1899))}
"""Cash, banks and money on its way, by chart of accounts, as numbers of four digits."""


@dataclass(frozen=True, slots=True)
class Chart:
    """How accounts are numbered."""

    length: int
    name: str

    @property
    def is_known(self) -> bool:
        """It is known which accounts hold money."""
        return self.name in _MONEY

    def person(self, account: str) -> str | None:
        """Debitor or Kreditor; None for a general account."""
        if not account.isdigit() or len(account) != self.length + 1:
            return None
        return "Debitor" if account[0] in "123456" else "Kreditor" if account[0] in "789" else None

    def is_money(self, account: str) -> bool:
        """A general account for cash, a bank or money on its way."""
        if not account.isdigit() or len(account) > self.length:
            return False
        number = int(account.zfill(self.length)[:4])
        return any(first <= number <= last for first, last in _MONEY.get(self.name, ()))


def account_kind(record: Mapping[str, Any], chart: Chart) -> dict[str, str]:
    """What an entry of the master data leaves to be inferred."""
    made: dict[str, str] = {}
    if (kind := chart.person((record.get(ACCOUNT) or "").strip())) is not None:
        made["DATEV_Kontoart"] = kind
    country, number = (record.get("EU-Land") or "").strip(), (record.get("EU-UStID") or "").strip()
    if country and number:
        made["DATEV_UStID"] = country + number
    told = (record.get("Adressattyp") or "").strip()
    person, company = "Name (Adressattyp natürl. Person)", "Name (Adressattyp Unternehmen)"
    is_person = told == "1" or (told != "2" and bool(record.get(person)) and not record.get(company))
    return made | {"DATEV_Adressat": "Person" if is_person else "Unternehmen"}


def booked(record: Mapping[str, Any], chart: Chart) -> dict[str, str]:
    """What a booking means for the client or supplier whose account it is on; nothing for others."""
    account, counter = ((record.get(name) or "").strip() for name in (ACCOUNT, COUNTER))
    kind, other = chart.person(account), chart.person(counter)
    if (kind is None) == (other is None):
        # Between two general accounts, or moved from one person's account to another's.
        return {}
    own, against = (account, counter) if kind is not None else (counter, account)
    # Soll on one side is Haben on the other.
    is_debit = (record.get(SIDE) == "S") == (kind is not None)
    made = {"DATEV_Personenkonto": own, "DATEV_Kontoart": kind or other or ""}
    if chart.is_known and record.get(SIDE) in ("S", "H"):
        owes_more = is_debit == (made["DATEV_Kontoart"] == "Debitor")
        names = ("Rückzahlung", "Zahlung") if chart.is_money(against) else ("Rechnung", "Gutschrift")
        made["DATEV_Art"] = names[0] if owes_more else names[1]
    if amount := (record.get(AMOUNT) or "").strip():
        is_reversed = (record.get(REVERSAL) or "0").strip() not in ("", "0")
        made["DATEV_Umsatz"] = f"-{amount}" if is_reversed != (made.get("DATEV_Art") == "Rückzahlung") else amount
    return made

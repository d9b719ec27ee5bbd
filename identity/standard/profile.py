"""What standardisation has to know beside the values: the hub's own firms, its open attributes, its
defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, Literal

ValueType = Literal["text", "number", "date", "boolean", "email", "phone", "url", "identifier"]

ENTITY_IDENTIFIERS: Final = frozenset({"inn", "ogrn", "ogrnip", "okpo", "snils", "vat", "lei", "ein", "ssn", "hrb"})
"""Identifiers that name one person or organisation; the others may be shared or written on a stranger's
card."""

IDENTIFIERS: Final = ENTITY_IDENTIFIERS | {
    "email", "phone", "domain", "kpp", "passport", "national_id", "drivers_license", "iban", "bank_account",
    "customer_number",
}  # fmt: skip
"""Standard attributes that become rows of identity.identifier under their own name; `website` becomes
`domain`."""

PERSON_NAMES: Final = ("full_name", "given_name", "middle_name", "family_name")
PLACES: Final = ("country", "region", "city", "street", "house", "postcode")
STANDARD_ATTRIBUTES: Final = (
    IDENTIFIERS
    | set(PERSON_NAMES)
    | set(PLACES)
    | {"birth_date", "gender", "legal_name", "legal_form", "website", "address"}
)
"""Attributes with a meaning of their own; every other one is open and lives in `attributes` only."""


@dataclass(frozen=True, slots=True)
class AttributeType:
    """An open attribute as attributes.yaml declares it."""

    kind: Literal["person", "organisation", "both"] = "both"
    type: ValueType = "text"
    multi: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of one hub that standard forms depend on. Equal profiles and values give equal bits."""

    own_identifiers: frozenset[tuple[str, str]] = frozenset()
    """(type, value) of the company's own firms, as anybody would write them; they are standardised before
    use."""
    own_domains: frozenset[str] = frozenset()
    attributes: Mapping[str, AttributeType] = field(default_factory=dict)
    default_country: str | None = None
    """For records whose source names none (ISO 3166-1 alpha-2)."""
    time_zone: str = "UTC"
    day_first: bool | None = None
    """How 03/04/1980 is meant; None: month first for US, PH and records without a country, else day first."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    """A birth date after it is invalid."""
    earliest_birth_year: int = 1000
    """A birth date before it is invalid. Registers of living people may set 1900; historical ones need the
    default."""

    def type_of(self, attribute: str) -> ValueType:
        """How an open attribute is read; undeclared ones are text, undeclared `*_number` are identifiers."""
        declared = self.attributes.get(attribute)
        if declared is not None:
            return "identifier" if declared.type == "text" and attribute.endswith("_number") else declared.type
        return "identifier" if attribute.endswith("_number") else "text"

"""Golden attributes: the standard ones, and those that `attributes.yaml` adds without code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field, field_validator

from onefold.configuration.base import Labels, Name, Strict, problem

AttributeType = Literal["text", "number", "boolean", "date", "email", "phone", "identifier", "url"]
AttributeKind = Literal["person", "organisation", "both"]
PersonalData = Literal["none", "name", "contact", "identity", "financial", "special"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One golden attribute, standard or open."""

    name: str
    kind: AttributeKind
    type: AttributeType
    multi: bool
    labels: Mapping[str, str]
    personal_data: PersonalData
    is_identifying: bool = False
    """It can tell one client from another, so that a stream should map at least one such."""
    is_open: bool = False


def _standard() -> dict[str, Attribute]:
    rows: list[tuple[str, AttributeKind, AttributeType, bool, str, str, PersonalData, bool]] = [
        ("name", "both", "text", False, "Name", "Наименование", "name", True),
        ("full_name", "person", "text", False, "Full name", "ФИО", "name", True),
        ("given_name", "person", "text", False, "Given name", "Имя", "name", True),
        ("middle_name", "person", "text", False, "Middle name or patronymic", "Отчество", "name", False),
        ("family_name", "person", "text", False, "Family name", "Фамилия", "name", True),
        ("other_name", "both", "text", True, "Other name", "Другое имя", "name", True),
        ("birth_date", "person", "date", False, "Date of birth", "Дата рождения", "identity", False),
        ("birth_place", "person", "text", False, "Place of birth", "Место рождения", "identity", False),
        ("occupation", "person", "text", False, "Occupation", "Профессия", "none", False),
        ("gender", "person", "text", False, "Gender", "Пол", "identity", False),
        ("job_title", "person", "text", False, "Job title", "Должность", "none", False),
        ("legal_name", "organisation", "text", False, "Legal name", "Юридическое наименование", "none", True),
        ("trade_name", "organisation", "text", True, "Trade name", "Торговое наименование", "none", True),
        ("legal_form", "organisation", "text", False, "Legal form", "Правовая форма", "none", False),
        ("industry", "organisation", "text", False, "Industry", "Отрасль", "none", False),
        ("email", "both", "email", True, "E-mail", "Электронная почта", "contact", True),
        ("phone", "both", "phone", True, "Phone", "Телефон", "contact", True),
        ("domain", "organisation", "identifier", True, "Internet domain", "Домен", "none", True),
        ("website", "both", "url", True, "Website", "Сайт", "none", True),
        ("address", "both", "text", False, "Address", "Адрес", "contact", False),
        ("country", "both", "text", False, "Country", "Страна", "contact", False),
        ("region", "both", "text", False, "Region", "Регион", "contact", False),
        ("city", "both", "text", False, "City", "Город", "contact", False),
        ("street", "both", "text", False, "Street", "Улица", "contact", False),
        ("house", "both", "text", False, "House", "Дом", "contact", False),
        ("postcode", "both", "text", False, "Postcode", "Индекс", "contact", False),
        ("language", "both", "text", False, "Language", "Язык", "none", False),
    ]
    identifiers: list[tuple[str, AttributeKind, str, str, PersonalData]] = [
        ("inn", "both", "INN", "ИНН", "identity"),
        ("kpp", "organisation", "KPP", "КПП", "none"),
        ("ogrn", "organisation", "OGRN", "ОГРН", "none"),
        ("ogrnip", "organisation", "OGRNIP", "ОГРНИП", "identity"),
        ("okpo", "organisation", "OKPO", "ОКПО", "none"),
        ("snils", "person", "SNILS", "СНИЛС", "identity"),
        ("passport", "person", "Passport", "Паспорт", "identity"),
        ("ssn", "person", "Social security number", "Номер социального страхования", "identity"),
        ("drivers_license", "person", "Driver's licence", "Водительское удостоверение", "identity"),
        ("national_id", "both", "National identifier", "Национальный идентификатор", "identity"),
        ("vat", "both", "VAT number", "Номер НДС", "identity"),
        ("tax_id", "both", "Tax identifier", "Налоговый номер", "identity"),
        ("ein", "organisation", "EIN", "EIN", "none"),
        ("lei", "organisation", "LEI", "LEI", "none"),
        ("hrb", "organisation", "Commercial register number", "Номер торгового реестра", "none"),
        ("duns", "organisation", "D-U-N-S", "D-U-N-S", "none"),
        ("iban", "both", "IBAN", "IBAN", "financial"),
        ("bank_account", "both", "Bank account", "Банковский счёт", "financial"),
        ("customer_number", "both", "Customer number", "Номер клиента", "identity"),
    ]
    made = {
        name: Attribute(name, kind, kind_of, multi, {"en": en, "ru": ru}, personal, identifying)
        for name, kind, kind_of, multi, en, ru, personal, identifying in rows
    }
    for name, kind, en, ru, personal in identifiers:
        made[name] = Attribute(name, kind, "identifier", True, {"en": en, "ru": ru}, personal, name != "kpp")
    return made


STANDARD: Final[Mapping[str, Attribute]] = MappingProxyType(_standard())
"""What identity understands. `name` is the name of a record whose kind is chosen per record."""


class OpenAttribute(Strict):
    """An attribute of your own: it appears in golden clients, lineage, views, console and dictionary."""

    kind: AttributeKind = "both"
    type: AttributeType = "text"
    multi: bool = Field(False, description="A client may have several values at once.")
    labels: Labels = Field(description="Its name for people, by language.")
    description: Labels | None = None
    personal_data: PersonalData = Field("none", description="Class of personal data, for export, masking and erasure.")
    values: list[str] | None = Field(None, min_length=1, description="The allowed values, when they are a closed list.")


class AttributesFile(Strict):
    """`attributes.yaml`."""

    attributes: dict[Name, OpenAttribute] = Field(default_factory=dict)

    @field_validator("attributes")
    @classmethod
    def _not_standard(cls, attributes: dict[str, OpenAttribute]) -> dict[str, OpenAttribute]:
        for name in attributes:
            if name in STANDARD:
                raise problem("attribute", f"`{name}` is a standard attribute; it exists already.")
        return attributes

    def all(self) -> dict[str, Attribute]:
        """Standard and open attributes by name."""
        own = {
            name: Attribute(name, one.kind, one.type, one.multi, dict(one.labels), one.personal_data, is_open=True)
            for name, one in self.attributes.items()
        }
        return {**STANDARD, **own}

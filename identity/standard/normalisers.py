"""Which normaliser reads which attribute."""

from __future__ import annotations

from collections.abc import Callable

from identity.standard import dates, emails, organisations, persons, phones, places, tax_ids, values
from identity.standard.columns import Normaliser
from identity.standard.form import Form
from identity.standard.numbers import register_number
from identity.standard.profile import IDENTIFIERS, STANDARD_ATTRIBUTES, Profile


def normaliser(attribute: str, profile: Profile) -> Normaliser:
    """The normaliser of an attribute as a function of (value, country)."""
    rules = dates.DateRules(profile.day_first, f"{profile.earliest_birth_year:04d}-01-01", profile.today.isoformat())
    simple: dict[str, Callable[[str], Form]] = {
        "full_name": persons.full_name, "given_name": persons.name_part, "middle_name": persons.name_part,
        "family_name": persons.name_part, "gender": values.gender, "legal_name": organisations.legal_name,
        "legal_form": organisations.legal_form, "email": emails.email, "domain": emails.domain,
        "website": emails.website, "address": values.text_value, "country": places.country,
        "region": places.region,
        "city": places.city, "street": places.street, "house": places.house,
    }  # fmt: skip
    if attribute in simple:
        function = simple[attribute]
        return lambda raw, _country: function(raw)
    if attribute == "phone":
        return phones.phone
    if attribute == "postcode":
        return places.postcode
    if attribute == "birth_date":
        return lambda raw, country: dates.birth_date(raw, country, rules)
    if attribute in IDENTIFIERS:
        return lambda raw, country: tax_ids.identifier(attribute, raw, country)
    kind = profile.type_of(attribute)
    if kind == "identifier" and (number := register_number(attribute)) is not None:
        return lambda raw, country: tax_ids.identifier(number, raw, country)
    return lambda raw, country: values.open_value(kind, raw, country, rules)


def depends_on_country(attribute: str, profile: Profile) -> bool:
    """Whether the same text may mean another value in another country."""
    if attribute in {"phone", "vat", "postcode"}:
        return True
    if attribute == "birth_date":
        return profile.day_first is None
    kind = "text" if attribute in STANDARD_ATTRIBUTES else profile.type_of(attribute)
    return kind == "phone" or (kind == "date" and profile.day_first is None)

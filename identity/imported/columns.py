"""Other tools' columns by our attributes: what people usually call them, and what a user says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from identity.settings import IDENTIFIER_TYPES, OPEN_FIELDS, RECORD_FIELDS, parse_value

_USUAL: Final = {
    "given_name": ("first_name", "forename", "fname", "givenname", "firstname", "first"),
    "family_name": ("surname", "last_name", "lname", "familyname", "lastname", "sname", "last"),
    "middle_name": ("middlename", "middle_names", "patronymic"),
    "full_name": ("name", "fullname", "person_name", "first_and_surname"),
    "org_name": ("company", "company_name", "organisation", "organization", "organisation_name", "business_name"),
    "birth_date": ("dob", "date_of_birth", "birthdate", "birth", "dateofbirth"),
    "birth_place": ("place_of_birth", "pob", "birthplace"),
    "email": ("email_address", "e_mail", "mail"),
    "phone": ("phone_number", "telephone", "mobile", "tel", "mobile_number"),
    "postcode": ("post_code", "postal_code", "zip", "zip_code", "zipcode", "postcode_fake"),
    "city": ("town", "suburb", "city_town"),
    "region": ("state", "county", "province"),
    "street": ("street_name", "address_1", "address1", "address_line_1"),
    "house": ("house_number", "street_number", "building_number"),
    "gender": ("sex",),
    "occupation": ("job", "profession"),
    "ssn": ("soc_sec_id", "social_security_number"),
}


class UnknownAttribute(ValueError):
    """A column was mapped to what is no attribute; the message names the nearest."""


def attribute_of(column: str, kind: str, said: Mapping[str, str], open_attributes: Collection[str] = ()) -> str | None:
    """Our attribute for their column: what the user said, else the usual one, else the hub's own; None: unknown."""
    if column in said:
        return said[column]
    name = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)).casefold().strip("_")
    if name in ("name", "full_name") and kind == "organisation":
        return "org_name"
    if name in (*RECORD_FIELDS, *IDENTIFIER_TYPES, *OPEN_FIELDS):
        return name
    usual = next((ours for ours, theirs in _USUAL.items() if name in theirs), None)
    if usual is None and name in open_attributes:
        return f"attributes.{name}"
    return usual


def checked(said: Mapping[str, str]) -> dict[str, str]:
    """What the user said, if every attribute exists; UnknownAttribute names what does not."""
    for column, attribute in said.items():
        try:
            value = parse_value(attribute)
        except ValueError as error:
            raise UnknownAttribute(f"{column}={attribute}: {error}") from None
        if value.part is not None:
            raise UnknownAttribute(f"{column}={attribute}: a column becomes a whole attribute, such as {value.field}")
    return dict(said)

"""Open attributes by their declared type, and the small closed vocabularies."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from identity.standard.dates import DateRules, any_date
from identity.standard.emails import email, website
from identity.standard.form import MAX_LENGTH, Form, invalid
from identity.standard.phones import phone
from identity.standard.profile import ValueType
from identity.standard.tax_ids import identifier
from identity.standard.text import clean, comparable, is_placeholder
from identity.standard.vocabulary import words

_NUMBER = re.compile(r"[+\-−]?\d[\d ' ]*(?:[.,]\d+)*")


def gender(raw: str) -> Form:
    """`male`, `female` or `other` from the usual words in English, Russian, German. Invalid: `placeholder`,
    `unknown word`."""
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    key = comparable(text)
    for name, value in (("male", "male"), ("female", "female"), ("other_gender", "other")):
        if key in words(name):
            return Form(value, value)
    return invalid(text, "unknown word")


def boolean(raw: str) -> Form:
    """`true` or `false` from the usual words. Invalid as `not a boolean`."""
    text = clean(raw)
    key = text.casefold()
    for name in ("true", "false"):
        if key in words(name):
            return Form(name, name)
    return invalid(text, "not a boolean")


def number(raw: str) -> Form:
    """A decimal number with a point, digit by digit; decimal comma and grouping understood. Invalid: `not a
    number`."""
    text = clean(raw)
    if is_placeholder(text) and not text[:1].isdigit():
        return invalid(text, "placeholder")
    bare = re.sub(r"[ '\u00a0\u202f]", "", text).replace("−", "-")
    if not _NUMBER.fullmatch(text.replace("\u00a0", " ").replace("\u202f", " ")):
        return invalid(text, "not a number")
    if "," in bare:
        if "." in bare:  # the last sign is the decimal one
            group, sign = (".", ",") if bare.rfind(",") > bare.rfind(".") else (",", ".")
            bare = bare.replace(group, "").replace(sign, ".")
        elif bare.count(",") > 1:
            bare = bare.replace(",", "")
        else:
            bare = bare.replace(",", ".")
    elif bare.count(".") > 1:
        bare = bare.replace(".", "")
    try:
        value = str(Decimal(bare))
    except InvalidOperation:
        return invalid(text, "not a number")
    return Form(value, value)


def text_value(raw: str) -> Form:
    """Any text, cleaned. Invalid as `placeholder`."""
    text = clean(raw)
    return invalid(text, "placeholder") if is_placeholder(text) else Form(text, comparable(text) or text)


def open_value(kind: ValueType, raw: str, country: str | None, rules: DateRules) -> Form:
    """An open attribute's value by its declared type."""
    if kind == "text":
        return text_value(raw)
    if kind == "identifier":
        return identifier("other", raw)
    if kind == "number":
        return number(raw)
    if kind == "boolean":
        return boolean(raw)
    if kind == "date":
        return any_date(raw, country, rules)
    if kind == "email":
        return email(raw)
    if kind == "phone":
        return phone(raw, country)
    return website(raw)


def too_long(raw: str) -> Form | None:
    """The form of a value that is longer than anybody's name, address or number: kept cut, invalid `too
    long`."""
    return invalid(clean(raw[:MAX_LENGTH]) + " …", "too long") if len(raw) > MAX_LENGTH else None

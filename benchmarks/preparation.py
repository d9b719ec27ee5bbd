"""What a careful user does to a data set before handing it to Splink or recordlinkage."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from datasets import DataSet

_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def prepared(data: DataSet) -> pa.Table:
    """Text columns only: the first value of each field, trimmed, lower-case; ISO dates; phones in E.164."""
    columns = {name: data.records[name] for name in ("record_id", "source", "kind", "country")}
    countries = columns["country"].to_pylist()
    for name in data.attributes:
        column = data.records[name].combine_chunks()
        if pa.types.is_list(column.type):
            column = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(column), 0), column, None), 0)
        texts = column.to_pylist()
        edit = EDITS.get(name, plain)
        columns[name] = pa.array(
            [edit(text, country) if text else None for text, country in zip(texts, countries, strict=True)],
            pa.string(),
        )
    return pa.table(columns)


def plain(text: str, _: str | None) -> str | None:
    """Lower case, no punctuation, single spaces."""
    words = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKC", text).casefold()).split()
    return " ".join(words) or None


def email(text: str, _: str | None) -> str | None:
    """Lower case."""
    return text.strip().casefold() or None


def iso_date(text: str, _: str | None) -> str | None:
    """1980-03-04 of 19800304 and 3/4/1980 (month first)."""
    if found := _COMPACT.fullmatch(text):
        return "-".join(found.groups())
    if found := _SLASHED.fullmatch(text):
        return f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}"
    return text


def e164(text: str, country: str | None) -> str | None:
    """The number in E.164, or its digits."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return plain(text, country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


EDITS: dict[str, Callable[[str, str | None], str | None]] = {
    "birth_date": iso_date,
    "phone": e164,
    "email": email,
}

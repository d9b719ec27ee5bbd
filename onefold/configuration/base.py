"""Building blocks of the models: strict objects, durations, labels, field paths, choices by value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Final, Generic, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from onefold.mapping.paths import PathError, check
from onefold.nearest import did_you_mean

Value = TypeVar("Value")

_DURATION: Final = re.compile(r"\s*(\d+)\s*([smhdw])\s*")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Strict(BaseModel):
    """Frozen; a key it does not know is a mistake to be told, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


def problem(code: str, message: str, hint: str | None = None) -> PydanticCustomError:
    """A validation error with our own sentence and hint."""
    return PydanticCustomError(code, "{text}", {"text": message, "hint": hint})


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    text = str(value)
    matches = list(_DURATION.finditer(text))
    if not matches or "".join(m.group(0) for m in matches) != text or isinstance(value, bool):
        raise problem("duration", f"found `{text}`; a duration is a number and a unit, such as 30m, 2h, 1d or 1d 12h.")
    return sum((timedelta(**{_UNITS[m[2]]: int(m[1])}) for m in matches), timedelta())


def duration_text(value: timedelta) -> str:
    """A duration as it is written in YAML: `1d12h`."""
    left, parts = int(value.total_seconds()), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\s*\d+\s*[smhdw]\s*)+$", "examples": ["30m", "2h", "1d"]}),
]


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", value):
        raise problem("language", f"found `{value}`; a language is an ISO 639-1 code such as en or ru.")
    return value


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise problem("country", f"found `{value}`; a country is an ISO 3166-1 alpha-2 code such as RU or DE.")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise problem("currency", f"found `{value}`; a currency is an ISO 4217 code such as RUB or EUR.")
    return value


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())  # looks through a thousand files, each time


def _timezone(value: str) -> str:
    if value not in _timezones():
        hint = did_you_mean(value, _timezones())
        raise problem("timezone", f"found `{value}`; a time zone is an IANA name such as Europe/Moscow.", hint)
    return value


Language = Annotated[str, AfterValidator(_language), Field(examples=["en", "ru"])]
Country = Annotated[str, AfterValidator(_country), Field(examples=["RU", "DE"])]
Currency = Annotated[str, AfterValidator(_currency), Field(examples=["RUB", "EUR"])]
TimeZone = Annotated[str, AfterValidator(_timezone), Field(examples=["Europe/Moscow"])]


def _labels(value: Any) -> Any:
    return {"en": value} if isinstance(value, str) else value


Labels = Annotated[
    dict[Language, str],
    BeforeValidator(_labels),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
            "examples": [{"en": "Sales CRM", "ru": "CRM отдела продаж"}],
        }
    ),
]
"""A text for people: one string, or one for each language."""


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        hint = None
        simple = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
        if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", simple):
            hint = f"For example `{simple}`."
        raise problem("name", f"found `{value}`; a name here is lower-case Latin letters, digits and _.", hint)
    return value


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"})]


def compiles(value: str) -> str:
    """A field path or a template that can be compiled; the error says at which character it cannot."""
    try:
        check(value)
    except PathError as error:
        raise problem("path", f"found `{value}`: {error}", error.hint) from None
    return value


def _path_text(value: Any) -> Any:
    # An Excel column may be called 2024, and YAML reads that as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


FieldPath = Annotated[
    str,
    BeforeValidator(_path_text),
    AfterValidator(compiles),
    Field(
        min_length=1,
        description="A dotted path with [n], [], [field=value] and transforms (`| lower`), or a template: "
        '"{given} {family}".',
        examples=[
            "properties.email",
            "contacts[kind=phone].value",
            "{first} {last}",
            'born | date "dd.MM.yyyy"',
        ],
    ),
]


class OneOrMany:
    """Annotates a list that may be written as one value; its JSON Schema says both."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list, after one value has become a list of one."""
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """One value, or the list."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else [value]


class When(Strict, Generic[Value]):
    """A choice by the value at a path: `{when: path, <value>: result, ..., else: result}`."""

    when: FieldPath
    cases: dict[str, Value]
    otherwise: Value | None = Field(default=None, alias="else")

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "cases" in data:
            return data
        cases = {str(key): value for key, value in data.items() if key not in ("when", "else")}
        return {**{key: data[key] for key in ("when", "else") if key in data}, "cases": cases}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """As it is written: the values are keys beside `when` and `else`."""
        made = handler.resolve_ref_schema(handler(schema))
        properties = made["properties"]
        made["properties"] = {"when": properties["when"], "else": properties["cases"]["additionalProperties"]}
        made["additionalProperties"] = properties["cases"]["additionalProperties"]
        made["required"] = ["when"]
        made["title"] = "Choice by value"
        made["description"] = "Chooses by the value at `when`; the other keys are the values, `else` is for all others."
        return made

    @model_validator(mode="after")
    def _has_cases(self) -> When[Value]:
        if not self.cases:
            raise problem("when", '`when` needs at least one value with its result, such as `"true": client`.')
        return self

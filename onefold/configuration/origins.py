"""The forms in which a source's configuration says where a value comes from, and which record is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from connectors.paths import PathError, compile_path
from onefold.configuration.base import FieldPath, Name, OneOrMany, Strict, When, problem

PartyKind = Literal["person", "organisation"]
StreamKind = Literal["person", "organisation", "interaction", "relationship", "rate"]
ROLES: Final = ("client", "prospect", "supplier", "staff", "authority")
DIRECTIONS: Final = ("inbound", "outbound", "internal")
CHANNELS: Final = (
    "phone", "email", "sms", "messenger", "chat", "web", "portal", "visit", "meeting", "shop", "post", "edi",
)  # fmt: skip
"""Words that `channel:` takes as they are; anything else there is a path."""


class Constant(Strict):
    """A fixed text: `{constant: RU}`."""

    constant: Annotated[str, BeforeValidator(lambda v: str(v).lower() if isinstance(v, bool) else _as_text(v))]


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


class ChildField(Strict):
    """A value that stands in another stream of the same source (requisites of Bitrix24)."""

    stream: str = Field(description="The stream that holds the child records.")
    where: dict[str, Any] = Field(
        min_length=1,
        description="Child path: fixed value, or `$key` for this record's key.",
    )
    path: FieldPath = Field(description="The path inside the child record.")

    @field_validator("where")
    @classmethod
    def _one_key(cls, where: dict[str, Any]) -> dict[str, Any]:
        check_where(where, needs_key=True)
        return where


def check_where(where: Mapping[str, Any], *, needs_key: bool) -> None:
    """Refuse conditions that cannot be compiled.

    With `needs_key` exactly one must be `$key`, else none may.
    """
    for path, wanted in where.items():
        try:
            compile_path(path)
        except PathError as error:
            raise problem("where", f"found `{path}`: {error}.") from None
        if not isinstance(wanted, str | int | float | bool | list):
            raise problem(
                "where",
                f"found {type(wanted).__name__} for `{path}`; a condition is a text, a number or a list.",
            )
        if isinstance(wanted, str) and wanted.startswith("$") and (wanted != "$key" or not needs_key):
            raise problem("where", f"found `{wanted}`; allowed: a fixed value{' or $key' if needs_key else ''}.")
    keys = [path for path, wanted in where.items() if wanted == "$key"]
    if needs_key and len(keys) != 1:
        raise problem("where", "exactly one condition must be `$key`, the key of the record that the child belongs to.")


def field_tag(value: Any) -> str:
    """Which form a field has."""
    if isinstance(value, Mapping):
        for form in ("stream", "when", "constant"):
            if form in value:
                return f"<{form}>"
        return "<object>"
    if isinstance(value, ChildField):
        return "<stream>"
    if isinstance(value, When):
        return "<when>"
    if isinstance(value, Constant):
        return "<constant>"
    return "<path>"


class UnknownForm(Strict):
    """An object that is none of the known forms."""

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, data: Any) -> Any:
        found = ", ".join(f"`{key}`" for key in data) if isinstance(data, Mapping) and data else "an empty object"
        raise problem(
            "form",
            f"found an object with {found}; allowed: a path, a list, {{constant: ...}}, {{when: path, ...}} "
            "or {stream: ..., where: ..., path: ...}.",
        )


Source = Annotated[
    Annotated[FieldPath, Tag("<path>")]
    | Annotated[ChildField, Tag("<stream>")]
    | Annotated[When[str], Tag("<when>")]
    | Annotated[Constant, Tag("<constant>")]
    | Annotated[UnknownForm, Tag("<object>")],
    Discriminator(field_tag),
]
"""Where one value comes from."""


Sources = Annotated[
    list[Source],
    Field(
        min_length=1,
        description="A path, a list of paths, a template, a fixed value, a choice, or a child's field.",
    ),
    OneOrMany(),
]
"""Where a field's values come from: all of them, or the first filled one for a single-valued attribute."""

Text = Annotated[
    Annotated[FieldPath, Tag("<path>")]
    | Annotated[When[str], Tag("<when>")]
    | Annotated[Constant, Tag("<constant>")]
    | Annotated[UnknownForm, Tag("<object>")],
    Discriminator(field_tag),
]
"""One text: a path or template, a fixed value, or a choice."""


def rule_tag(value: Any) -> str:
    """Whether a rule is a fixed word or a choice."""
    return "<when>" if isinstance(value, Mapping | When) else "<word>"


KindRule = Annotated[
    Annotated[StreamKind, Tag("<word>")] | Annotated[When[PartyKind], Tag("<when>")], Discriminator(rule_tag)
]
RoleOrText = Annotated[
    Annotated[FieldPath, Tag("<word>")] | Annotated[When[str], Tag("<when>")], Discriminator(rule_tag)
]
TypeRule = Annotated[Annotated[Name, Tag("<word>")] | Annotated[When[Name], Tag("<when>")], Discriminator(rule_tag)]

Paths = Annotated[list[FieldPath], Field(min_length=1), OneOrMany()]


class Reference(Strict):
    """Another record: the stream it stands in and the path of its key in this record."""

    stream: str = Field(description="The stream of the record that is meant.")
    key: Paths = Field(description="The path of its key; several paths for a composite key.")
    source: Name | None = Field(None, description="Another source, when the record stands there.")

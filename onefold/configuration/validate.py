"""Checks a document against its model and says every mistake in a sentence with its place."""

from __future__ import annotations

import copy
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from onefold.configuration.errors import Problem
from onefold.configuration.tree import Document
from onefold.nearest import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31",
    "date_type": "a date such as 2026-01-31",
}
_SECRET: Final = frozenset({"settings", "options", "webhook"})
"""Values below these keys are never shown: people write secrets there by mistake."""


def validate(document: Document, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """The document as `model`, or every problem that keeps it from being one."""
    if not isinstance(document.data, dict):
        message = f"found {describe(document.data)} where the file's settings should stand as `key: value`."
        return None, [document.problem((), message)]
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [explain(document, model, detail) for detail in details]


def salvage(document: Document, model: type[Model]) -> Model | None:
    """The document as `model` without its mistaken keys, so that the rest can be checked further."""
    data = copy.deepcopy(document.data)
    for _ in range(20):
        try:
            return model.model_validate(data)
        except ValidationError as error:
            paths = [
                document_path(data, detail["loc"]) for detail in error.errors(include_url=False, include_input=False)
            ]
            if _prune_all(data, paths):
                return None
    return None


def _prune_all(data: Any, paths: Sequence[Sequence[int | str]]) -> bool:
    """Take every path out; True when one of them means the whole document."""
    gone = [_prune(data, path) for path in paths]
    return not all(gone)


def _prune(data: Any, path: Sequence[int | str]) -> bool:
    """Take the innermost key of a path out; False when the whole document is meant."""
    keys = [i for i, part in enumerate(path) if isinstance(part, str)]
    if not keys:
        return False
    for part in path[: keys[-1]]:
        if isinstance(data, dict) and part not in data:  # gone with an earlier mistake
            return True
        data = data[part]
    data.pop(path[keys[-1]], None)
    return True


def explain(document: Document, model: Any, detail: ErrorDetails) -> Problem:
    """One mistake as a problem at its place."""
    path = document_path(document.data, detail["loc"])
    kind = detail["type"]
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if kind == "extra_forbidden":
        known = known_keys(model, detail["loc"][:-1])
        return document.problem(path, f"`{name}` is not known here.", did_you_mean(name, known, limit=40), key=True)
    if kind == "missing":
        return document.problem(path, f"`{name}` is missing here; it is required.", key=bool(path))
    if kind == "literal_error":
        allowed = literals(model, detail["loc"]) or str(context.get("expected", "")).replace("'", "").split(", ")
        found = shown(path, detail["input"])
        hint = did_you_mean(str(detail["input"]), allowed)
        if hint.startswith("Did"):
            hint = f"{hint} Allowed: {', '.join(allowed)}."
        return document.problem(path, f"found {found}.", hint)
    if "text" in context:
        return document.problem(path, _sentence(str(context["text"])), context.get("hint"))
    if kind in _WANTED:
        return document.problem(path, f"found {shown(path, detail['input'])}; allowed: {_WANTED[kind]}.")
    if kind == "value_error":
        return document.problem(path, _sentence(str(context.get("error", detail["msg"]))))
    found = shown(path, detail["input"])
    return document.problem(path, f"found {found}; {_lower(detail['msg'])}.")


def document_path(data: Any, loc: Sequence[int | str]) -> tuple[int | str, ...]:
    """The path in the document that an error location means; parts that only the models know are left out."""
    path: list[int | str] = []
    for part in loc:
        if isinstance(data, dict) and str(part) in data and not _is_tag(part):
            path.append(str(part))
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
    return tuple(path)


def describe(value: Any) -> str:
    """What a value is, in words, without showing it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "a number" if isinstance(value, int | float) else "text"


def shown(path: Sequence[int | str], value: Any) -> str:
    """A scalar as it was written, in backticks; never what stands below a key that may hold secrets."""
    if value is None or isinstance(value, Mapping | list | tuple | bool) or _SECRET.intersection(map(str, path)):
        return describe(value)
    text = str(value)
    return f"`{text[:60]}...`" if len(text) > 60 else f"`{text}`"


def known_keys(model: Any, loc: Sequence[int | str]) -> list[str]:
    """The keys that the object at an error location may have."""
    at = _at(model, loc)
    if isinstance(at, type) and issubclass(at, BaseModel):
        return [field.alias or name for name, field in at.model_fields.items()]
    return []


def literals(model: Any, loc: Sequence[int | str]) -> list[str]:
    """The words allowed at an error location."""
    at = _at(model, loc)
    return [str(word) for word in get_args(at)] if get_origin(at) is Literal else []


def _at(annotation: Any, loc: Sequence[int | str]) -> Any:
    annotation = _bare(annotation)
    if not loc:
        return annotation
    part, rest = loc[0], loc[1:]
    if _is_tag(part):
        return _at(_tagged(annotation, str(part)), rest)
    if get_origin(annotation) is Union or isinstance(annotation, types.UnionType):
        return _at(next((_bare(one) for one in get_args(annotation) if one is not type(None)), None), loc)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part in (name, field.alias):
                return _at(_of(field), rest)
        return None
    arguments = get_args(annotation)
    if get_origin(annotation) in (dict, Mapping) and len(arguments) == 2:
        return _at(arguments[1], rest)
    if get_origin(annotation) in (list, tuple, Sequence) and arguments:
        return _at(arguments[0], rest)
    return None


def _of(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Union or isinstance(annotation, types.UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        if len(inner) == 1:
            return _bare(inner[0])
    return annotation


def _tagged(annotation: Any, tag: str) -> Any:
    for one in get_args(annotation):
        arguments = get_args(one) if get_origin(one) is Annotated else ()
        if any(isinstance(extra, Tag) and extra.tag == tag for extra in arguments[1:]):
            return one
        if arguments and (found := _tagged(arguments[0], tag)) is not None:
            return found
        if get_origin(one) is Union and (found := _tagged(one, tag)) is not None:
            return found
    return None


def _is_tag(part: int | str) -> bool:
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")

"""Where a value comes from, compiled once: a path, its transforms, or a template.

    properties.email                             a dotted path (see connectors.paths for the whole of them)
    contacts[kind=phone].value | digits          a path and transforms
    {given} {family}                             a template: its parts are paths, missing parts leave no gap
    $                                            the value itself (inside `lines: each:` over plain values)

`compile_reader(text)` gives a function `payload -> None | scalar | list`; nothing is interpreted per record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from connectors.paths import Path, as_text
from connectors.paths import PathError as ConnectorPathError
from onefold.mapping.transforms import NAMES, Transform, TransformError, make_transform
from onefold.nearest import did_you_mean

Reader = Callable[[Any], Any]
"""Gives None, a scalar or a list (of scalars or objects) for a decoded payload."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


class PathError(ValueError):
    """A path or template cannot be compiled; the message says where, `hint` how to write it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


def check(text: str) -> None:
    """Raise PathError when `text` cannot be compiled."""
    compile_reader(text)


@lru_cache(maxsize=10_000)
def compile_reader(text: str) -> Reader:
    """The reader of a path or template. Raises PathError."""
    if not text.strip():
        raise PathError("the path is empty.")
    if _is_template(text):
        return _template(text)
    return _expression(text)


def compile_all(texts: Sequence[str]) -> Callable[[Any], list[Any]]:
    """The reader of every value at several paths, in their order. Raises PathError."""
    readers = [compile_reader(text) for text in texts]

    def read(payload: Any) -> list[Any]:
        found = [reader(payload) for reader in readers]
        return [value for one in found for value in (one if isinstance(one, list) else [one]) if value is not None]

    return read


def fields_of(text: str) -> list[str]:
    """The plain paths inside an expression or template, without transforms: what it reads."""
    if _is_template(text):
        return [path for part in _PLACEHOLDER.findall(text) for path in fields_of(part)]
    return [_split(text)[0].strip()]


def first_text(value: Any) -> str | None:
    """The first scalar of what a reader gave, as trimmed text; None when there is none."""
    if isinstance(value, list):
        for one in value:
            if (found := first_text(one)) is not None:
                return found
        return None
    text = as_text(value)
    return (text.strip() or None) if text is not None else None


def _is_template(text: str) -> bool:
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]", "", text)
    return "{" in bare or "}" in bare


def _template(text: str) -> Reader:
    if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        raise PathError("a { or } of the template is not closed.", 'Write "{given} {family}".')
    pieces = _PLACEHOLDER.split(text)
    literals, readers = pieces[0::2], [_expression(part) for part in pieces[1::2]]
    if not readers:
        raise PathError("the template names no field.")

    def read(payload: Any) -> str | None:
        texts = [first_text(reader(payload)) for reader in readers]
        if not any(texts):
            return None
        made = [literals[0]]
        for found, literal in zip(texts, literals[1:], strict=True):
            made.append(found or "")
            made.append(literal)
        return " ".join("".join(made).split()).strip(" ,;") or None

    return read


def _expression(text: str) -> Reader:
    head, *calls = _split(text)
    if not head.strip():
        raise PathError("the path is empty." if not calls else "no path stands before the first `|`.")
    reader = _path(head.strip())
    for call in calls:
        reader = _applied(reader, _transform(call.strip()))
    return reader


def _path(text: str) -> Reader:
    if text == "$":
        return lambda payload: payload
    try:
        path = Path(text)
    except ConnectorPathError as error:
        raise PathError(f"{error}.") from None
    if path.is_plain_field and text[0] not in "'\"":
        return _top_level(text)
    if all(type(step).__name__ == "Name" for step in path.steps):
        return path.get
    collect = path.all

    def many(payload: Any) -> Any:
        found = collect(payload)
        if not found:
            return None
        return found[0] if len(found) == 1 else found

    return many


def top_level_name(text: str) -> str | None:
    """The field of the payload that a path names, when it is a plain field and nothing more."""
    if _is_template(text):
        return None
    head, *calls = _split(text)
    name = head.strip()
    if calls or not name or name == "$" or name[0] in "'\"":
        return None
    return name if Path(name).is_plain_field else None


def _top_level(name: str) -> Reader:
    def get(payload: Any) -> Any:
        # The abstract class costs ten times the question for a plain dict.
        return payload.get(name) if type(payload) is dict or isinstance(payload, Mapping) else None

    return get


def _applied(reader: Reader, transform: Transform) -> Reader:
    def read(payload: Any) -> Any:
        value = reader(payload)
        if value is None:
            return None
        if isinstance(value, list):
            made: list[Any] = []
            for one in value:
                result = None if one is None else transform(one)
                made.extend(result if isinstance(result, list) else [] if result is None else [result])
            return made
        return transform(value)

    return read


def _transform(call: str) -> Transform:
    try:
        return make_transform(call)
    except TransformError as error:
        name = call.split(maxsplit=1)[0] if call.split() else call
        hint = error.hint or (did_you_mean(name, NAMES) if name not in NAMES else None)
        raise PathError(str(error), hint) from None


def _split(text: str) -> list[str]:
    """Parts between `|`, but for those inside quotes and brackets."""
    parts, current, quote, depth = [], "", "", 0
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth = max(0, depth - 1)
        elif char == "|" and not depth:
            parts.append(current)
            current = ""
            continue
        current += char
    if quote:
        raise PathError(f"a quote ({quote}) is not closed.")
    return [*parts, current]

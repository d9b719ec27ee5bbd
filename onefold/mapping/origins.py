"""Where a field's values come from, compiled: paths, templates, constants, choices, child records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from connectors.paths import as_text, compile_path
from connectors.rows import key_text
from onefold.configuration.base import When
from onefold.configuration.sources import ChildField, Constant
from onefold.mapping.paths import compile_reader, first_text

Children = Mapping[str, Sequence[Any]]
"""Child stream -> decoded child payloads of one record."""

Origin = Callable[[Any, Children], Any]
"""`payload, children -> None | scalar | list`."""

KEY_FIELD: Final = "\x1fkey"
"""Where the record's own key stands among `children`, for conditions on `$key`."""


def exact(text: str) -> Decimal | str:
    """A JSON number as the source wrote its digits; one beyond any measure stays text."""
    number = Decimal(text)
    return number if not number or abs(number.adjusted()) < 400 else text


decode: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(float_hook=exact).decode
"""A payload with exact numbers. Raises msgspec.DecodeError."""


def compile_origin(spec: object) -> Origin:
    """The function of one origin of a field."""
    if isinstance(spec, str):
        read = compile_reader(spec)
        return lambda payload, _children: read(payload)
    if isinstance(spec, Constant):
        constant = spec.constant
        return lambda _payload, _children: constant
    if isinstance(spec, When):
        choose = compile_when(spec)
        return lambda payload, _children: choose(payload)
    if isinstance(spec, ChildField):
        return _child(spec)
    raise TypeError(f"no origin of a value: {type(spec).__name__}")


def needs_children(specs: Sequence[object]) -> bool:
    """Whether one of the origins stands in another stream."""
    return any(isinstance(spec, ChildField) for spec in specs)


def compile_text(spec: object, constants: Sequence[str] = ()) -> Callable[[Any], str | None]:
    """One text: a path or template, a word of `constants` as it is, a constant, a choice; None gives None."""
    if spec is None:
        return lambda _payload: None
    if isinstance(spec, str) and spec not in constants:
        read = compile_reader(spec)
        return lambda payload: first_text(read(payload))
    if isinstance(spec, When):
        return compile_when(spec)
    if not isinstance(spec, str | Constant):
        raise TypeError(f"no text: {type(spec).__name__}")
    constant = spec if isinstance(spec, str) else spec.constant
    return lambda _payload: constant


def compile_when(spec: When[Any]) -> Callable[[Any], Any]:
    """Compares the trimmed text at its path (true and false as words); of a list the first match."""
    read, cases, otherwise = compile_reader(spec.when), dict(spec.cases), spec.otherwise

    def choose(payload: Any) -> Any:
        value = read(payload)
        for one in value if isinstance(value, list) else (value,):
            text = as_text(one)
            if text is not None and (found := cases.get(text.strip())) is not None:
                return found
        return otherwise

    return choose


def compile_where(where: Mapping[str, Any]) -> Callable[[Any, str | None], bool]:
    """`payload, key -> bool`: every condition holds; `$key` means the key, a list any of its values."""
    tests: list[tuple[Callable[[Any], Any], frozenset[str] | None]] = []
    for path, wanted in where.items():
        words = None if wanted == "$key" else frozenset(_words(wanted))
        tests.append((compile_path(path).get, words))

    def holds(payload: Any, key: str | None) -> bool:
        for get, words in tests:
            text = key_text(get(payload))
            if (text != key) if words is None else (text not in words):
                return False
        return True

    return holds


def key_path(where: Mapping[str, Any]) -> str:
    """The child's path that holds the parent's key."""
    return next(path for path, wanted in where.items() if wanted == "$key")


def _words(wanted: Any) -> list[str]:
    return [text for one in (wanted if isinstance(wanted, list) else [wanted]) if (text := as_text(one)) is not None]


def _child(spec: ChildField) -> Origin:
    holds, read, stream = compile_where(spec.where), compile_reader(spec.path), spec.stream

    def values(_payload: Any, children: Children) -> Any:
        key = children[KEY_FIELD][0] if KEY_FIELD in children else None
        found: list[Any] = []
        for child in children.get(stream, ()):
            if holds(child, key) and (value := read(child)) is not None:
                found.extend(value if isinstance(value, list) else [value])
        return found or None

    return values

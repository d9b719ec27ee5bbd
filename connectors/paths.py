"""Dotted paths into a decoded record, compiled once into closures.

    name                    a field; a field whose own name has dots is found by its whole name first
    properties.email        a field of a field
    phones[0].value         the n-th element ([-1]: the last)
    phones[].value          every element
    contacts[Type=Phone].value    the elements whose field equals the text
    'a.b'.c                 quotes keep dots and brackets literal

`Path.get` gives the first value, `Path.all` every value, in the record's order. A missing step gives None
or nothing;
it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

Getter = Callable[[Any], Any]

_step = re.compile(
    r"""\s*(?:
        '(?P<single>(?:[^']|'')*)' | "(?P<double>(?:[^"]|"")*)"
      | \[(?P<index>-?\d+)\] | \[(?P<every>)\]
      | \[(?P<field>[^\]=]+)=(?P<value>'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\]]*)\]
      | (?P<name>[^.\[\]'"]+)
    )""",
    re.VERBOSE,
)


class PathError(ValueError):
    """The path cannot be read; the message says where and how to write it."""


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    index: int


@dataclass(frozen=True, slots=True)
class Every:
    pass


@dataclass(frozen=True, slots=True)
class Where:
    field: str
    value: str


Step = Name | Index | Every | Where


def _told(text: str) -> str:
    """A path in an error, where it is of thousands of letters its beginning."""
    return repr(text) if len(text) <= 120 else f"{text[:120]!r}..."


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathError."""
    steps: list[Step] = []
    position, end = 0, len(text)
    while position < end:
        found = _step.match(text, position)
        if found is None:
            at = f"at character {position + 1}; quote names with brackets"
            raise PathError(f"cannot read the path {_told(text)} {at}")
        steps.append(_as_step(found))
        position = found.end()
        if position < end and text[position] == ".":
            position += 1
            last = steps[-1]
            if position == end and isinstance(last, Name):
                # Headers of sheets end with a dot: "Тел."
                steps[-1] = Name(f"{last.name}.")
            elif position == end:
                raise PathError(f"the path {_told(text)} ends with a dot")
        elif position < end and text[position] != "[":
            raise PathError(f"cannot read the path {_told(text)} at character {position + 1}")
    if not steps:
        raise PathError("the path is empty")
    return tuple(steps)


def _as_step(found: re.Match[str]) -> Step:
    if (name := found["name"]) is not None:
        return Name(name.strip())
    if (name := found["single"]) is not None:
        return Name(name.replace("''", "'"))
    if (name := found["double"]) is not None:
        return Name(name.replace('""', '"'))
    if (index := found["index"]) is not None:
        return Index(int(index))
    if (field := found["field"]) is not None:
        value = found["value"]
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        return Where(field.strip(), value)
    return Every()


_LONGEST_NUMBER: Final = 4000


def as_text(value: Any) -> str | None:
    """A scalar as the text that `[field=value]` compares and that keys are made of; None for null, lists
    and objects."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        # Python spells out no number of more digits than that.
        is_short = value.is_finite() and value.adjusted() < _LONGEST_NUMBER
        return str(int(value)) if is_short and value == value.to_integral_value() else str(value)
    return None if isinstance(value, Mapping | list | tuple) else str(value)


class Path:
    """A compiled path. `get(record)` and `all(record)` are plain closures, cheap to call per record."""

    __slots__ = ("all", "get", "steps", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = parse(text)
        self.get: Getter = _getter(text, self.steps)
        self.all: Callable[[Any], list[Any]] = _collector(text, self.steps)

    @property
    def is_plain_field(self) -> bool:
        """Names one top-level field."""
        return len(self.steps) == 1 and isinstance(self.steps[0], Name)

    def without(self, record: Any) -> Any:
        """A copy of `record` without what this path names; the record itself is not touched."""
        if isinstance(record, Mapping) and self.text in record:
            return {key: value for key, value in record.items() if key != self.text}
        return _without(record, self.steps)

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def compile_path(text: str) -> Path:
    """The compiled path. Raises PathError."""
    return Path(text)


def compile_paths(texts: str | Iterable[str]) -> tuple[Path, ...]:
    """Compiled paths of one text or several. Raises PathError."""
    return (Path(texts),) if isinstance(texts, str) else tuple(Path(text) for text in texts)


def _getter(text: str, steps: tuple[Step, ...]) -> Getter:
    first = steps[0]
    if len(steps) == 1 and isinstance(first, Name):
        return _field(first.name)
    if all(isinstance(step, Name) for step in steps):
        names = [step.name for step in steps if isinstance(step, Name)]

        def walk(record: Any) -> Any:
            if isinstance(record, dict) and text in record:
                return record[text]
            for name in names:
                if not isinstance(record, dict):
                    return None
                record = record.get(name)
            return record

        return walk
    collect = _collector(text, steps)

    def first_of(record: Any) -> Any:
        return next((value for value in collect(record) if value is not None), None)

    return first_of


def _field(name: str) -> Getter:
    def get(record: Any) -> Any:
        return record.get(name) if isinstance(record, dict) else None

    return get


def _collector(text: str, steps: tuple[Step, ...]) -> Callable[[Any], list[Any]]:
    moves = [_move(step) for step in steps]

    def collect(record: Any) -> list[Any]:
        if isinstance(record, dict) and text in record:
            return [record[text]]
        values = [record]
        for move in moves:
            values = [found for value in values for found in move(value)]
            if not values:
                break
        return values

    return collect


def _move(step: Step) -> Callable[[Any], Iterable[Any]]:
    if isinstance(step, Name):
        name = step.name

        def by_name(value: Any) -> Iterable[Any]:
            return (value[name],) if isinstance(value, dict) and name in value else ()

        return by_name
    if isinstance(step, Index):
        index = step.index

        def by_index(value: Any) -> Iterable[Any]:
            return (value[index],) if isinstance(value, list) and -len(value) <= index < len(value) else ()

        return by_index
    if isinstance(step, Every):
        return lambda value: value if isinstance(value, list) else ()
    key, wanted = Path(step.field), step.value

    def where(value: Any) -> Iterable[Any]:
        rows = value if isinstance(value, list) else [value]
        return [row for row in rows if as_text(key.get(row)) == wanted]

    return where


def _without(value: Any, steps: tuple[Step, ...]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(step, Name):
        if not isinstance(value, dict) or step.name not in value:
            return value
        if not rest:
            return {key: item for key, item in value.items() if key != step.name}
        return {**value, step.name: _without(value[step.name], rest)}
    if not isinstance(value, list):
        return value
    if isinstance(step, Index):
        chosen = {step.index % len(value)} if value else set()
    elif isinstance(step, Every):
        chosen = set(range(len(value)))
    else:
        key = Path(step.field)
        chosen = {place for place, row in enumerate(value) if as_text(key.get(row)) == step.value}
    if rest:
        return [_without(item, rest) if place in chosen else item for place, item in enumerate(value)]
    return [item for place, item in enumerate(value) if place not in chosen]


def _checked(value: Any) -> Any:
    if isinstance(value, str):
        parse(value)
    return value


FieldPath = Annotated[str, BeforeValidator(_checked)]
"""A path as settings hold it, read once to see that it can be."""

"""`write_back:` of a stream: which fields of the system the hub owns, and what it writes there.

Nothing else of a system is ever written. A field that the mapping reads cannot be owned: the hub would take its own
words for evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.paths import Every, Index, Name, PathError, Step, Where, compile_path, parse
from onefold.configuration.base import Strict, problem

CLIENT_VALUES: Final = ("client_id", "kind", "role", "display_name", "record_count")
"""What every client has, beside its golden attributes."""
DERIVED: Final = ("segment", "need")
"""Before a dot: the client's segment in a scheme, or whether it has a need."""
_NOT_READ: Final = {"write_back", "options", "title", "url", "defaults", "limits", "volatile", "as_"}
_IN_BRACES: Final = re.compile(r"\{([^{}]+)\}")


def _value(text: str) -> str:
    kind, _, name = text.rpartition(".")
    if kind not in ("", *DERIVED) or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise problem("value", f"found `{text}`; a value is an attribute, segment.SCHEME or need.NEED.")
    return text


def derived(rule: WriteBack) -> list[str]:
    """Those of its values that follow from needs and segments, and so change without the golden record."""
    return sorted({one.value for one in rule.fields.values() if one.value.partition(".")[0] in DERIVED})


class WriteValue(Strict):
    """What is written to one field; a value that the client has not leaves the field as it is."""

    value: Annotated[str, AfterValidator(_value)] = Field(
        description=f"{', '.join(CLIENT_VALUES)}, a golden attribute, `segment.SCHEME` (the segment, or unknown), "
        "or `need.NEED` (whether it is held).",
        examples=["client_id", "segment.by_need", "need.urgency"],
    )
    join: str | None = Field(None, description="Of an attribute with several values: all of them, with this between.")


def _named(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


class WriteBack(Strict):
    """What the hub writes to the records of a stream. Off until it is switched on."""

    enabled: bool = Field(
        False, description="False: `onefold write-back` shows what it would write, and writes nothing."
    )
    fields: dict[Annotated[str, Field(min_length=1)], Annotated[WriteValue, BeforeValidator(_named)]] = Field(
        min_length=1, description="Field of the system, which the hub owns: what is written there."
    )


def reads(stream: Any, path: str) -> str | None:
    """The path in the stream's mapping that would read what stands at `path` of a record; None: there is none."""
    mark = "\x00owned"
    record = _record_with(parse(path), mark)
    return next((text for text in _paths(stream) if _sees(text, record, mark)), None)


def _record_with(steps: Iterable[Step], value: Any) -> Any:
    """A record in which nothing but `value` stands, where the steps lead."""
    made = value
    for step in reversed(list(steps)):
        if isinstance(step, Name):
            made = {step.name: made}
        elif isinstance(step, Where):
            made = [{step.field: step.value, **made} if isinstance(made, dict) else made]
        elif isinstance(step, Index | Every):
            made = [made]
    return made


def _paths(stream: Any) -> Iterator[str]:
    """Every text of a stream's mapping that is a path, without its transforms; templates by their parts."""
    for text in _texts(stream.model_dump(exclude=_NOT_READ)):
        parts = _IN_BRACES.findall(text) or [text]
        yield from (part.split("|")[0].strip() for part in parts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name == "where" and isinstance(one, Mapping):
                yield from one
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _sees(text: str, record: Any, mark: str) -> bool:
    try:
        found = compile_path(text).all(record)
    except PathError:
        return False
    return any(_holds(value, mark) for value in found)


def _holds(value: Any, mark: str) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(one, mark) for one in value.values())
    if isinstance(value, list):
        return any(_holds(one, mark) for one in value)
    return bool(value == mark)

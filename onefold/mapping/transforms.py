"""The named transforms of a path: a short list; anything more is a registered Python function."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Final

from connectors.paths import as_text

Transform = Callable[[Any], Any]
"""Of one value that is not None; gives a value, a list of them, or None. Raises Unreadable."""

ENTRY_POINTS: Final = "onefold.transforms"
NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
NAMES: Final = (
    "lower", "upper", "trim", "digits", "split", "date", "epoch", "cents", "nonzero", "tail", "fn:NAME",
)  # fmt: skip

_CALL: Final = re.compile(r"(?P<name>fn:[\w.-]+|\w+)\s*(?P<rest>.*)$", re.DOTALL)
_ARGUMENT: Final = re.compile(r"\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')\s*$")
_DATE_TOKEN: Final = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|hh|mm|ss|a|T|[^A-Za-z]+|[A-Za-z]+")
_DATE_PARTS: Final = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H", "H": "%H", "hh": "%I",
    "mm": "%M", "ss": "%S", "a": "%p",
}  # fmt: skip


class TransformError(ValueError):
    """A transform is written wrongly."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class Unreadable(ValueError):
    """One value cannot be read; `reason` is a code, the message says why without showing the value."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def make_transform(call: str) -> Transform:
    """The function of a transform such as `lower` or `split ","`. Raises TransformError."""
    found = _CALL.match(call)
    if found is None:
        raise TransformError("nothing stands after `|`." if not call else f"`{call}` is no transform.")
    name, rest = found["name"], found["rest"]
    if name.startswith("fn:"):
        return _function(name[3:])
    simple: dict[str, Callable[[str], str | None]] = {
        "lower": str.lower,
        "upper": str.upper,
        "trim": str.strip,
        "digits": _digits,
    }
    if name in simple:
        if rest:
            raise TransformError(f"`{name}` takes nothing after it.")
        return _on_text(simple[name])
    plain: dict[str, Transform] = {"epoch": epoch, "cents": cents, "nonzero": nonzero}
    if name in plain and not rest:
        return plain[name]
    if name in ("split", "date", "tail"):
        argument = _ARGUMENT.match(rest)
        if argument is None:
            example = {"split": 'split ","', "date": 'date "dd.MM.yyyy"', "tail": 'tail "/"'}[name]
            raise TransformError(f"`{name}` takes one quoted text.", f"Write `{example}`.")
        given = argument["double"] if argument["double"] is not None else argument["single"]
        if not given:
            raise TransformError(f"`{name}` takes one quoted text that is not empty.")
        return {"split": _split, "date": _date, "tail": _tail}[name](given)
    raise TransformError(f"`{name}` is no known transform.")


def epoch(value: Any) -> str | None:
    """Seconds or milliseconds since 1970 as an ISO time in UTC."""
    text = as_text(value)
    if text is None or not text.strip():
        return None
    try:
        seconds = Decimal(text.strip())
        if abs(seconds) > 100_000_000_000:
            seconds /= 1000
        return datetime.fromtimestamp(float(seconds), UTC).isoformat()
    except (ArithmeticError, ValueError, OverflowError, OSError):
        raise Unreadable("unreadable-date", "the value is no number of seconds since 1970") from None


def cents(value: Any) -> str | None:
    """An amount in hundredths (cents, kopeks) as units: 150050 is 1500.50."""
    text = (as_text(value) or "").strip()
    if not text:
        return None
    try:
        return format(Decimal(text).scaleb(-2), "f")
    except ArithmeticError:
        raise Unreadable("unreadable-amount", "the value is no number of hundredths") from None


def nonzero(value: Any) -> Any:
    """The value, unless it is the 0, the key of zeros (1C) or the false (Odoo) with which some systems say: none."""
    return None if value is False or as_text(value) in ("0", NO_GUID, None) else value


def _on_text(function: Callable[[str], str | None]) -> Transform:
    def apply(value: Any) -> Any:
        text = as_text(value)
        return None if text is None else function(text)

    return apply


def _digits(text: str) -> str | None:
    return re.sub(r"\D", "", text) or None


def _split(separator: str) -> Transform:
    def apply(value: Any) -> list[str] | None:
        text = as_text(value)
        return None if text is None else [part.strip() for part in text.split(separator) if part.strip()]

    return apply


def _tail(separator: str) -> Transform:
    """What follows the last separator: the id at the end of a link."""
    return _on_text(lambda text: text.rpartition(separator)[2].strip() or None)


def _date(pattern: str) -> Transform:
    written = _strptime(pattern)
    has_time = "%H" in written or "%I" in written

    @lru_cache(maxsize=10_000)
    def read(text: str) -> str:
        try:
            moment = datetime.strptime(text, written)  # noqa: DTZ007 - the source's zone is added where it is mapped
        except ValueError:
            raise Unreadable("unreadable-date", f"the value is no date of the form {pattern}") from None
        return moment.isoformat() if has_time else moment.date().isoformat()

    def apply(value: Any) -> str | None:
        text = (as_text(value) or "").strip()
        return read(text) if text else None

    return apply


def _strptime(pattern: str) -> str:
    made = []
    for token in _DATE_TOKEN.findall(pattern):
        if token in _DATE_PARTS:
            made.append(_DATE_PARTS[token])
        elif token[0].isalpha() and token != "T":
            raise TransformError(
                f"`{token}` is no part of a date.",
                "Parts are yyyy, yy, MM, dd, HH, mm, ss; for example dd.MM.yyyy.",
            )
        else:
            made.append(token.replace("%", "%%"))
    if not {"%Y", "%y"} & set(made) or "%d" not in made or "%m" not in made:
        raise TransformError("a date has at least day, month and year.", "For example dd.MM.yyyy.")
    return "".join(made)


def _function(name: str) -> Transform:
    found = [point for point in entry_points(group=ENTRY_POINTS) if point.name == name]
    if not found:
        known = sorted(point.name for point in entry_points(group=ENTRY_POINTS))
        listed = ", ".join(known) or "none is installed"
        raise TransformError(f"no function `{name}` is registered as {ENTRY_POINTS}; known: {listed}.")
    function: Transform = found[0].load()
    return guarded(function, name)


def guarded(function: Transform, name: str) -> Transform:
    """A third party's function whose exceptions become one unreadable value."""

    def apply(value: Any) -> Any:
        try:
            return function(value)
        except Unreadable:
            raise
        except Exception as error:  # whatever it raises concerns this value only
            raise Unreadable("transform-failed", f"the function {name} failed with {type(error).__name__}") from error

    return apply

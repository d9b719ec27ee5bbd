"""SQL conditions of Splink in our words: which column agrees how. What cannot be said in them is None."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Node = Any
"""A node of sqlglot's tree; its base class has another name in each version."""
_DAY: Final = 86_400.0
_UNITS: Final = {"SECOND": 1.0, "DAY": _DAY, "WEEK": 7 * _DAY, "MONTH": 30.4375 * _DAY, "YEAR": 365.25 * _DAY}
_SIMILARITIES: Final = {
    "jarowinkler_similarity": "jaro_winkler", "jaro_winkler_similarity": "jaro_winkler", "jaro_winkler": "jaro_winkler",
    "jaro_winkler_sim": "jaro_winkler", "jaro_similarity": "jaro", "jaro_sim": "jaro", "jaro": "jaro",
    "levenshtein": "levenshtein", "damerau_levenshtein": "damerau_levenshtein", "editdist3": "levenshtein",
    "jaccard": "jaccard", "cosine_similarity": "cosine", "array_cosine_similarity": "cosine",
}  # fmt: skip
_INTERSECTIONS: Final = frozenset({"list_intersect", "array_intersect"})
_SOUNDS: Final = frozenset({"soundex", "metaphone", "dmetaphone", "dmetaphonealt", "double_metaphone"})
_CLEANING: Final = frozenset(
    {
        "lower", "upper", "trim", "ltrim", "rtrim", "unaccent", "strip_accents", "coalesce", "nullif", "cast",
        "try_cast", "try_strptime", "strptime", "to_date", "try_to_timestamp", "try_to_date", "str_to_date",
        "str_to_time", "ts_or_ds_to_date", "date", "to_timestamp", "paren", "regexp_replace", "replace",
        "time_to_unix", "epoch",
        "unix_timestamp", "flatten",
    }
)  # fmt: skip
"""Functions that bring a value into a form; our standard forms have done that."""
_POSTCODES: Final = {"? [0-9]": "first(4)", "[a-za-z0-9]?": "first(3)", "{1,2}": "first(2)"}


@dataclass(frozen=True)
class Term:
    """A column of one side, and which part of its value."""

    column: str
    side: str  # l or r
    part: str | None = None
    rough: str | None = None  # why the part is not the same as theirs


@dataclass(frozen=True)
class Agreement:
    """How one column agrees: `equal`, a similarity, `date_within` (seconds), `share` (so many of several values)."""

    column: str
    method: str
    threshold: float | None = None
    part: str | None = None
    rough: str | None = None


@dataclass(frozen=True)
class Crossed:
    """One column of the left equals another one of the right."""

    columns: tuple[str, str]


Said = Agreement | Crossed | None


def conditions(text: str, dialect: str) -> list[tuple[str, Said]]:
    """The parts of a condition that must all hold, each as it is written and as we would say it."""
    try:
        tree = sqlglot.parse_one(text, read=dialect)
    except (SqlglotError, ValueError):
        return [(text, None)]
    return [(part.sql(dialect=dialect), _said(part)) for part in _all_of(tree)]


def columns_of(text: str, dialect: str) -> list[str]:
    """The columns that a condition looks at, in their order."""
    try:
        tree = sqlglot.parse_one(text, read=dialect)
    except (SqlglotError, ValueError):
        return []
    found = (_column(node) for node in tree.find_all(exp.Column, bfs=False))
    return list(dict.fromkeys(term.column for term in found if term))


def _all_of(node: Node) -> Iterator[Node]:
    if isinstance(node, exp.Paren):
        yield from _all_of(node.this)
    elif isinstance(node, exp.And):
        yield from _all_of(node.left)
        yield from _all_of(node.right)
    else:
        yield node


def _said(node: Node) -> Said:
    if isinstance(node, exp.EQ):
        return _equal(_term(node.left), _term(node.right))
    if not isinstance(node, exp.GTE | exp.GT | exp.LTE | exp.LT):
        return None
    limit = _number(node.right)
    if limit is None:
        return None
    upwards = isinstance(node, exp.GTE | exp.GT)
    return _compared(node.left, limit, strict=isinstance(node, exp.GT | exp.LT), upwards=upwards)


def _equal(left: Term | None, right: Term | None) -> Said:
    if left is None or right is None or left.side == right.side or left.part != right.part:
        return None
    if left.column != right.column:
        one, two = (left, right) if left.side == "l" else (right, left)
        return Crossed((one.column, two.column)) if left.part is None else None
    return Agreement(left.column, "equal", None, left.part, left.rough or right.rough)


def _compared(node: Node, limit: float, *, strict: bool, upwards: bool) -> Said:
    name, arguments = _name(node), _arguments(node)
    if name == "abs" and not upwards:
        return _date_within(arguments[0], limit)
    if name in ("array_size", "length", "cardinality", "array_length", "list_length", "size", "len") and upwards:
        if _name(arguments[0]) not in _INTERSECTIONS:
            return None
        found = _both(_arguments(arguments[0]))
        return found and replace(found, method="share", threshold=limit + strict)
    method = _SIMILARITIES.get(name)
    if method is None or upwards == method.endswith("levenshtein"):
        return None
    found = _both(arguments)
    if found is None:
        return None
    # Distances are whole numbers: fewer than three is two at most.
    threshold = limit - 1 if strict and not upwards else limit
    return replace(found, method=method, threshold=threshold)


def _date_within(node: Node, limit: float) -> Said:
    """|left - right| in time, as seconds."""
    if isinstance(node, exp.Sub):
        if _name(node.left) not in ("time_to_unix", "epoch", "extract", "unix_timestamp"):
            return None
        found, seconds = _both([node.left, node.right]), limit
    elif _name(node) in ("date_diff", "datediff", "timestamp_diff"):
        unit = node.args.get("unit")
        found = _both([node.this, node.expression])
        seconds = limit * _UNITS.get(unit.name.upper() if unit is not None else "DAY", _DAY)
    else:
        return None
    return found and replace(found, method="date_within", threshold=seconds)


def _both(arguments: list[Node]) -> Agreement | None:
    """The column that two arguments, one of each side, are."""
    terms = [_term(argument) for argument in arguments[:2]]
    if len(terms) < 2 or terms[0] is None or terms[1] is None:
        return None
    found = _equal(terms[0], terms[1])
    return found if isinstance(found, Agreement) else None


def _term(node: Node) -> Term | None:
    """The column, and the part of it, that an expression of one side stands for."""
    if isinstance(node, exp.Column):
        return _column(node)
    name, arguments = _name(node), _arguments(node)
    inner = _term(arguments[-1 if name == "extract" else 0]) if arguments else None
    if inner is None:
        return None
    if name in _CLEANING or (name == "extract" and arguments[0].name.upper() == "EPOCH"):
        return inner
    if inner.part is not None:
        return None
    part, rough = _part(name, arguments)
    return None if part is None else replace(inner, part=part, rough=rough)


def _part(name: str, arguments: list[Node]) -> tuple[str | None, str | None]:
    """The part of a value that a function takes, and why ours is not quite the same; None: we have none."""
    numbers = [_number(argument) for argument in arguments[1:]]
    texts = [argument.name for argument in arguments[1:]]
    if name in ("substring", "substr"):
        return _slice(numbers), None
    if name == "left" and numbers:
        return f"first({_whole(numbers[0])})", None
    if name == "right" and numbers:
        return f"last({_whole(numbers[0])})", None
    if name == "year" or (name == "extract" and arguments[0].name.upper() == "YEAR"):
        return "year", None
    if name == "split_part" and texts[:1] == ["@"]:
        return {1.0: "local_part", 2.0: "domain"}.get(numbers[1] or 0.0), None
    if name == "regexp_extract":
        return _matched(texts[0])
    if name in _SOUNDS:
        return "sound", f"our sound code instead of {name}"
    return None, None


def _slice(numbers: list[float | None]) -> str | None:
    """substring(value, start[, length]): from the front, from the back, or the month and day of a date."""
    start, length = _whole(numbers[0]), _whole(numbers[1]) if len(numbers) > 1 else None
    if length is None:
        return f"last({-start})" if start < 0 else None
    if start in (0, 1):
        return f"first({length})"
    return "month_day" if (start, length) == (6, 5) else None


def _matched(pattern: str) -> tuple[str | None, str | None]:
    """What a regular expression of Splink's own comparisons takes out of a value."""
    if pattern == "^[^@]+":
        return "local_part", None
    if pattern.startswith("@"):
        return "domain", None
    if pattern.startswith("^[A-Za-z]{1,2}"):
        ending = next((end for end in _POSTCODES if pattern.casefold().endswith(end)), None)
        if ending:
            return _POSTCODES[ending], "the first characters of the postcode instead of its area, district or sector"
    return None, None


def _column(node: exp.Column) -> Term | None:
    name, table = node.name, node.table
    if table.casefold() in ("l", "r"):
        return Term(name, table.casefold())
    if name[-2:].casefold() in ("_l", "_r"):
        return Term(name[:-2], name[-1].casefold())
    return None


def _name(node: Node) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name).casefold()
    if isinstance(node, exp.Func):
        return str(node.sql_name()).casefold()
    return str(node.key).casefold()


def _arguments(node: Node) -> list[Node]:
    """The operands of a function in their order."""
    if isinstance(node, exp.Anonymous):
        return list(node.expressions)
    found: list[Node] = []
    for value in node.args.values():
        found += [one for one in (value if isinstance(value, list) else [value]) if hasattr(one, "args")]
    return found


def _number(node: Node) -> float | None:
    sign = -1.0 if isinstance(node, exp.Neg) else 1.0
    literal = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return None
    return sign * float(literal.name)


def _whole(number: float | None) -> int:
    return int(number or 0)

"""SQL of concerns: a SELECT that is no more than `served_sql` allows, with the columns that a concern has."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from onefold.configuration.served_sql import SERVED, refusal

COLUMNS: Final = ("client_id", "record_id", "note")
"""What it may say of each row; one of the first two has to be there."""


def refused(text: str) -> str | None:
    """Why a concern's SQL is refused, as a sentence; None: it is not."""
    if (wrong := refusal(text)) is not None:
        return wrong
    named = _parsed(text).named_selects
    if not set(named) <= set(COLUMNS):
        return f"Its columns are {', '.join(named)}; those of a concern are among {', '.join(COLUMNS)}, by name."
    if not set(named) & set(COLUMNS[:2]):
        return "It does not say whom it is about: client_id or record_id."
    return None


def views_of(text: str) -> list[str]:
    """The served views that the SELECT reads, by name."""
    from sqlglot import exp

    return sorted({table.name for table in _parsed(text).find_all(exp.Table) if table.db == SERVED})


def as_of_day(text: str, day: date, schema: str = SERVED) -> str:
    """The SELECT with `day` for current_date, and another schema's tables in place of the served views."""
    from sqlglot import exp

    def changed(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.CurrentDate):
            return exp.cast(exp.Literal.string(day.isoformat()), "date")
        if isinstance(node, exp.Table) and node.db == SERVED:
            node.set("db", exp.to_identifier(schema))
        return node

    return str(_parsed(text).transform(changed).sql(dialect="postgres"))


def _parsed(text: str) -> Any:
    import sqlglot

    return sqlglot.parse_one(text, dialect="postgres")

"""Ten questions that people ask of the served views, each a statement in a file of its own.

A file begins with the question in English and in Russian, as comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Query:
    """A question and its answer in SQL."""

    name: str
    """As the file, without its ending."""
    question_en: str
    question_ru: str
    statement: str
    """With the questions as comments, as it stands in the file."""


def queries() -> tuple[Query, ...]:
    """All of them, in the order of their names."""
    entries = (entry for entry in files(__package__).iterdir() if entry.name.endswith(".sql"))
    found = sorted(entries, key=lambda entry: entry.name)
    made = []
    for entry in found:
        statement = entry.read_text("utf-8")
        english, russian = (line.removeprefix("-- ") for line in statement.splitlines()[:2])
        made.append(Query(entry.name.removesuffix(".sql"), english, russian, statement))
    return tuple(made)

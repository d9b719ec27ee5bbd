"""Problems of a configuration folder: each with its place, what was found, what is allowed, and a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, at a place an editor can jump to (line and column count from 1)."""

    file: str
    line: int
    column: int
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{text} {self.hint}" if self.hint else text


class ConfigurationError(Exception):
    """The configuration folder cannot be used; `problems` lists every mistake found in it, by place."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.message))
        count = len(self.problems)
        head = "The configuration has 1 problem:" if count == 1 else f"The configuration has {count} problems:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class SecretMissing(ConfigurationError):
    """A `${NAME}` of a source's settings is not in the environment; the message names it, never a value."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.problems = []
        listed = ", ".join(f"${{{name}}}" for name in names)
        Exception.__init__(
            self,
            f"Not set in the environment: {listed}. Set it, or write it to the "
            ".env file beside the configuration folder.",
        )

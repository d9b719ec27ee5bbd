"""Conditions on the columns of a served view, as people type them: read here, never passed on as SQL.

    kind = 'person' and (city in ('Клин', 'Тула') or turnover >= 1000.50) and not is_deleted
    emails has 'a@example.org' and birth_date between '1980-01-01' and '1989-12-31' and display_name ilike 'Ив%'

There are columns, constants, comparisons, `and`, `or`, `not` and brackets, and nothing else: no function is called and
no other table can be named, so that a condition shows nothing that the view would not show to the same reader.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from psycopg.sql import SQL, Composable, Identifier, Literal

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|<>|!=|[=<>(),]))"
)
_COMPARISONS: Final = {one: SQL(f" {one} ") for one in ("=", "<>", "<", "<=", ">", ">=")} | {"!=": SQL(" <> ")}
_WORDS: Final = frozenset(("and", "or", "not", "in", "is", "null", "like", "ilike", "between", "has", "true", "false"))
_DEEPEST: Final = 50


class ConditionError(Exception):
    """A condition that cannot be read; says where, and what could stand there."""

    exit_code = 2


class _Token(NamedTuple):
    kind: str
    """text, number, name, word, sign or end."""
    value: str
    at: int


def read_condition(text: str, columns: Collection[str]) -> Composable:
    """The condition for a query in which the view is called `v`. Raises ConditionError."""
    reader = _Reader(list(_tokens(text)), columns)
    made = reader.either(0)
    reader.expect("end", "", "and, or, or the end")
    return made


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            rest = text[at:].lstrip()
            raise ConditionError(f"the condition cannot be read from character {len(text) - len(rest) + 1} on")
        kind, value = found.lastgroup, found[found.lastgroup]
        if kind == "name" and value.lower() in _WORDS:
            kind, value = "word", value.lower()
        yield _Token(kind, value, found.start(found.lastgroup) + 1)
        at = found.end()
    yield _Token("end", "", end + 1)


class _Reader:
    """Goes through the tokens; each method reads one thing of the grammar."""

    def __init__(self, tokens: Sequence[_Token], columns: Collection[str]) -> None:
        self._tokens, self._columns, self._next = tokens, columns, 0

    def either(self, depth: int) -> Composable:
        """a or b or ..."""
        parts = [self._both(depth)]
        while self._take("word", "or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else SQL("({})").format(SQL(" OR ").join(parts))

    def expect(self, kind: str, value: str, wanted: str) -> None:
        """The next token is this one."""
        if not self._take(kind, value):
            self._fail(wanted)

    def _both(self, depth: int) -> Composable:
        parts = [self._one(depth)]
        while self._take("word", "and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else SQL("({})").format(SQL(" AND ").join(parts))

    def _one(self, depth: int) -> Composable:
        if depth > _DEEPEST:
            raise ConditionError(f"the condition has more than {_DEEPEST} brackets within each other")
        if self._take("word", "not"):
            return SQL("(NOT {})").format(self._one(depth + 1))
        if self._take("sign", "("):
            made = self.either(depth + 1)
            self.expect("sign", ")", ")")
            return made
        return self._comparison()

    def _comparison(self) -> Composable:
        token = self._tokens[self._next]
        if token.kind != "name":
            self._fail("a column, not or (")
        if token.value not in self._columns:
            known = ", ".join(sorted(self._columns))
            raise ConditionError(f"there is no column {token.value} (character {token.at}); there are: {known}")
        self._next += 1
        column = SQL("v.{}").format(Identifier(token.value))
        for sign, operator in _COMPARISONS.items():
            if self._take("sign", sign):
                return SQL("({}{}{})").format(column, operator, self._constant())
        if self._take("word", "is"):
            is_not = self._take("word", "not")
            self.expect("word", "null", "null")
            return SQL("({} IS NOT NULL)" if is_not else "({} IS NULL)").format(column)
        if self._take("word", "has"):
            return SQL("({} = ANY ({}))").format(self._constant(), column)
        is_not = self._take("word", "not")
        made = self._set_like(column)
        if made is not None:
            return SQL("(NOT {})").format(made) if is_not else made
        # A column of yes and no stands for itself.
        return self._alone(column, is_not)

    def _set_like(self, column: Composable) -> Composable | None:
        for word, operator in (("like", SQL(" LIKE ")), ("ilike", SQL(" ILIKE "))):
            if self._take("word", word):
                return SQL("({}{}{})").format(column, operator, self._constant())
        if self._take("word", "between"):
            low = self._constant()
            self.expect("word", "and", "and")
            return SQL("({} BETWEEN {} AND {})").format(column, low, self._constant())
        if self._take("word", "in"):
            self.expect("sign", "(", "(")
            values = [self._constant()]
            while self._take("sign", ","):
                values.append(self._constant())
            self.expect("sign", ")", ", or )")
            return SQL("({} IN ({}))").format(column, SQL(", ").join(values))
        return None

    def _alone(self, column: Composable, is_not: bool) -> Composable:
        if is_not:
            self._fail("in, like, ilike or between")
        if self._tokens[self._next].kind == "end" or self._tokens[self._next].value in ("and", "or", ")"):
            return SQL("({} = true)").format(column)
        return self._fail("= <> < <= > >= in is like ilike between has, and, or, ) or the end")

    def _constant(self) -> Composable:
        token = self._tokens[self._next]
        self._next += 1
        if token.kind == "text":
            return Literal(token.value[1:-1].replace("''", "'"))
        if token.kind == "number":
            return Literal(Decimal(token.value))
        if token.kind == "word" and token.value in ("true", "false"):
            return Literal(token.value == "true")
        self._next -= 1
        return self._fail("a 'text', a number, true or false")

    def _take(self, kind: str, value: str) -> bool:
        token = self._tokens[self._next]
        if (token.kind, token.value) != (kind, value):
            return False
        self._next += kind != "end"
        return True

    def _fail(self, wanted: str) -> Composable:
        token = self._tokens[self._next]
        raise ConditionError(f"the condition cannot be read at character {token.at}: {wanted} is expected there")

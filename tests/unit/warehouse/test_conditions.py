"""Conditions of exports: what can be said, and that nothing else can."""

from __future__ import annotations

import pytest
from psycopg.sql import SQL

from warehouse.conditions import ConditionError, read_condition

COLUMNS = ("kind", "city", "turnover", "is_deleted", "emails", "birth_date", "or_not")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kind = 'person'", """(v."kind" = 'person')"""),
        ("not is_deleted", """(NOT (v."is_deleted" = true))"""),
        ("kind='a' and city<>'b' or turnover>=-1.50", """(((v."kind" = 'a') AND (v."city" <> 'b')) OR (v."turnover" >=  -1.50))"""),
        ("kind = 'a' AND (city = 'b' OR city = 'c')", """((v."kind" = 'a') AND ((v."city" = 'b') OR (v."city" = 'c')))"""),
        ("city not in ('Клин', 'O''Hara')", """(NOT (v."city" IN ('Клин', 'O''Hara')))"""),
        ("emails has 'a@b.example'", """('a@b.example' = ANY (v."emails"))"""),
        ("birth_date between '1980-01-01' and '1989-12-31'", """(v."birth_date" BETWEEN '1980-01-01' AND '1989-12-31')"""),
        ("city is null or city is not null", """((v."city" IS NULL) OR (v."city" IS NOT NULL))"""),
        ("city ilike 'Ив%' and or_not = true", """((v."city" ILIKE 'Ив%') AND (v."or_not" = true))"""),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_it_is_said(text: str, wanted: str) -> None:
    assert SQL("{}").format(read_condition(text, COLUMNS)).as_string(None) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "kind kind", "kind =", "kind = person", "kind = 'a", "kind = 'a'; DROP TABLE core.client", "kind = 'a' --",
        "kind = 'a' /* */", "1 = 1", "true", "pg_sleep(10)", "kind = pg_sleep(10)", "pg_sleep(10) is null",
        "kind = (SELECT 1)", "exists (select 1)", "kind in (select source_key from raw.record)", "core.client = 'a'",
        "kind = 'a' union select 1", "kind::text = 'a'", "kind || 'a' = 'b'", 'kind = "city"', "kind = $1", "kind = %s",
        "kind = E'\\'", "kind = 'a' and", "(kind = 'a'", "kind = 'a')", "kind in ()", "kind not = 'a'", "secret = 'a'",
        "kind = 'a' limit 1", "kind = $$a$$", "kind = 1e5", "kind = 'a'\x00", "not " * 60 + "is_deleted", "(" * 60,
    ],
)  # fmt: skip
def test_nothing_else_can_be_said(text: str) -> None:
    with pytest.raises(ConditionError):
        read_condition(text, COLUMNS)


def test_a_constant_stays_one_whatever_stands_in_it() -> None:
    for said in ("'; DROP TABLE x; --", "\\'; --", "%s {0}", "\\", "a'') OR (''1''=''1"):
        made = SQL("{}").format(read_condition("city = '" + said.replace("''", "'").replace("'", "''") + "'", COLUMNS))
        text = made.as_string(None)
        assert text.count("v.") == 1 and text.startswith('(v."city" = ') and text.endswith(")")


def test_an_error_says_where_and_what_could_stand_there() -> None:
    with pytest.raises(ConditionError, match=r"no column secret \(character 18\); there are: birth_date, city"):
        read_condition("kind = 'a' and   secret = 'b'", COLUMNS)
    with pytest.raises(ConditionError, match="character 8: a 'text', a number"):
        read_condition("kind = person", COLUMNS)

"""No table and no column with text can be forgotten by an erasure."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL

from tests.unit.warehouse.test_needles import HITS, MISSES, WORDS
from warehouse.erasure.needles import pattern
from warehouse.erasure.person import _make_tables
from warehouse.erasure.redact import statement
from warehouse.erasure.rules import RULES

HOLDS_WORDS = "('text', 'jsonb', 'json', 'bytea', 'character varying', 'text[]', 'jsonb[]', 'xml')"


def words_of(conn: psycopg.Connection) -> dict[str, set[str]]:
    """Table -> its columns that can hold a value of a person; every table of the hub is named."""
    rows = conn.execute(
        f"""
        SELECT n.nspname || '.' || c.relname,
            array_agg(a.attname::text) FILTER (WHERE split_part(format_type(a.atttypid, NULL), '(', 1) IN {HOLDS_WORDS})
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname IN ('raw', 'identity', 'core', 'ops') AND c.relkind IN ('r', 'p', 'm') GROUP BY 1
        """
    ).fetchall()
    return {table: set(columns or ()) for table, columns in rows}


def test_every_table_has_a_rule_in_warehouse_erasure_rules(conn: psycopg.Connection) -> None:
    assert set(words_of(conn)) == set(RULES), "say in warehouse/erasure/rules.py what an erasure does with the table"


def test_every_column_that_holds_words_is_erased_or_kept_for_a_reason(conn: psycopg.Connection) -> None:
    forgotten = {
        f"{table}.{column}"
        for table, columns in words_of(conn).items()
        for column in columns - set(RULES[table].erase) - set(RULES[table].keep)
        if not RULES[table].deletes
    }
    assert forgotten == set(), "say in warehouse/erasure/rules.py what an erasure does with the column"
    assert all(reason for rule in RULES.values() for reason in rule.keep.values())


def test_every_rule_is_a_statement_that_the_database_understands(conn: psycopg.Connection) -> None:
    parameters = {
        "words": "nobody",
        "needles": "nobody",
        "rejects": [],
        "parties": [1],
        "seq": 1,
        "as_of": "2026-01-01",
    }
    with conn.transaction():
        _make_tables(conn)
        for table, rule in RULES.items():
            found = statement(table, rule)
            assert (found is None) == (not rule.rows or not (rule.deletes or rule.erase)), table
            if found is not None:
                assert conn.execute(SQL("EXPLAIN ") + found, parameters).fetchone(), table


def test_words_are_found_by_the_database_as_they_are_by_python(conn: psycopg.Connection) -> None:
    statement = "SELECT lower(n.text) ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS n (text, place) ORDER BY n.place"
    found = [row[0] for row in conn.execute(statement, [pattern(WORDS), [*HITS, *MISSES]])]
    assert found == [True] * len(HITS) + [False] * len(MISSES)

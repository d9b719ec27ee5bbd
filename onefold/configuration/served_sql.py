"""SQL that users write in the configuration: one SELECT over the served views, and nothing else.

The second of three fences: it runs in a read-only transaction with a time limit, as the reader, who may read the served
views alone (warehouse/served_sql.py). This one says what is wrong before anything is asked, with the line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

SERVED: Final = "onefold_v1"
_FORBIDDEN: Final = re.compile(
    r"(pg_|lo_|dblink|set_config|current_setting|query_to_|cursor_to_|table_to_|schema_to_|database_to_|nextval|setval|txid_|ts_stat|ts_rewrite)"
)
"""Beginnings of functions that reach beyond the views: files, other servers, settings, other statements."""


def refusal(text: str, known: Collection[str] = ()) -> str | None:
    """Why a definition is refused, as a sentence; None: it is one SELECT over views of onefold_v1 and over `known`
    names.

    >>> refusal("SELECT client_id FROM onefold_v1.dim_client")
    >>> refusal("DELETE FROM onefold_v1.dim_client")
    'It is DELETE; a definition is one SELECT.'
    """
    # Slow to load, and asked for by few.
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        statements = [one for one in parse(text, read="postgres") if one is not None]
    except SqlglotError as error:
        told = getattr(error, "errors", None)
        where = f" (line {told[0]['line']}, column {told[0]['col']})" if told else ""
        return f"It cannot be read as PostgreSQL's SQL{where}."
    if len(statements) != 1:
        return f"It holds {len(statements)} statements; a definition is one SELECT."
    query = statements[0]
    if not isinstance(query, exp.Query):
        return f"It is {query.key.upper()}; a definition is one SELECT."
    for node in query.walk():
        if isinstance(node, (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Command)):
            return f"It holds {node.key.upper()}; a definition only reads."
        if isinstance(node, exp.Func):
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if _FORBIDDEN.match(name):
                return f"It calls {name}(), which reaches beyond the served views."
        if isinstance(node, (exp.Parameter, exp.Placeholder)):
            return f"It holds the placeholder {node.sql('postgres')}; a definition has no parameters."
    return _unknown_table(query, known)


def _unknown_table(query: object, known: Collection[str]) -> str | None:
    from sqlglot import exp

    assert isinstance(query, exp.Expr)
    own = {one.alias.lower() for one in query.find_all(exp.CTE)} | set(known)
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # a function in FROM, looked at as one
        name, schema = table.name.lower(), table.db.lower()
        if schema != SERVED and (schema or name not in own):
            said = f"{table.db}.{table.name}" if schema else table.name
            return f"It reads {said}; a definition reads the views of {SERVED}, such as {SERVED}.fct_interaction."
    return None

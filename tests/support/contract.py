"""The served contract as it is committed (docs/contract/onefold_v1.yaml), and what a database does to it.

`python -m tests.support.contract` (`make contract`) writes the file anew: what was appended is added; a change that would
break those who read the views is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import yaml

FILE = Path(__file__).resolve().parents[2] / "docs" / "contract" / "onefold_v1.yaml"
COMMAND = "make contract"
HEAD = f"""\
# What onefold_v1 promises: its views with their columns, in order, and their types. Columns and views are only appended.
# Written by `{COMMAND}`; a test compares it with the database. Attributes and interaction types of a hub come on top.
"""
Contract = Mapping[str, Mapping[str, str]]
"""View -> column -> type, columns in order."""


def committed() -> Contract:
    """The contract in the repository; empty where the file is not there."""
    return yaml.safe_load(FILE.read_text("utf-8")) or {} if FILE.exists() else {}


def served(conn: psycopg.Connection[Any]) -> Contract:
    """The contract that a database keeps."""
    found: dict[str, dict[str, str]] = {}
    query = 'SELECT dataset, column_name, data_type FROM onefold_v1.meta_column ORDER BY dataset COLLATE "C", ordinal'
    for view, column, type_ in conn.execute(query):
        found.setdefault(view, {})[column] = type_
    return found


def breaks(promised: Contract, found: Contract) -> list[str]:
    """One line for each promise that is broken: a view or column that is gone, renamed, moved or of another type."""
    lines = []
    for view, columns in promised.items():
        if view not in found:
            lines.append(f"{view} is gone")
            continue
        now = list(found[view])
        for place, (column, type_) in enumerate(columns.items()):
            stands = now[place] if place < len(now) else None
            if column not in found[view]:
                as_what = f"; {stands} stands in its place" if stands and stands not in columns else ""
                lines.append(f"{view}.{column} is gone{as_what}")
            elif found[view][column] != type_:
                lines.append(f"{view}.{column} was {type_} and is {found[view][column]}")
            elif stands != column:
                lines.append(f"{view}.{column} was column {place + 1} and is column {now.index(column) + 1}")
    return lines


def appended(promised: Contract, found: Contract) -> list[str]:
    """Columns (`view.column`) that the committed contract does not know yet."""
    return [f"{view}.{c}" for view, columns in found.items() for c in columns if c not in promised.get(view, {})]


def text(contract: Contract) -> str:
    """The file."""
    plain = {view: dict(columns) for view, columns in contract.items()}
    return HEAD + yaml.safe_dump(plain, sort_keys=False, width=120, default_flow_style=False)


def complaint(promised: Contract, found: Contract) -> str:
    """What is wrong and what to do; empty when the database keeps exactly what is committed."""
    broken, new = breaks(promised, found), appended(promised, found)
    if broken:
        return (
            "This breaks onefold_v1: " + "; ".join(broken) + ". Analysts, dbt models and exports read these columns by"
            " name, type and place. Keep them and append at the end; what cannot be kept needs an onefold_v2 beside v1."
        )
    if new:
        return f"Appended to onefold_v1 and not committed: {', '.join(new)}. Run: {COMMAND}"
    return ""


def main() -> int:
    """Write the file from a fresh database; 1 and a message when that would break the contract."""
    from tests.support import database as databases
    from warehouse.connect import connect

    databases.begin_run()
    try:
        url = databases.server_url()
        with (
            databases.database(url, databases.template_database(url)) as mine,
            connect(mine, application_name="contract") as conn,
        ):
            found = served(conn)
    finally:
        databases.end_run()
    if breaks(committed(), found):
        sys.stderr.write(complaint(committed(), found) + "\n")
        return 1
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(found), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

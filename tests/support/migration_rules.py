"""What a migration may say: expand, then contract.

A release only adds: an older version that still runs reads and writes on. What nobody has read for a release goes in a migration
that says so in a word of its own, `CONTRACTS = "what, and since which release nobody reads it"`. Rows are filled by the steps in
their batches, not by a migration, which would keep everybody waiting meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

DESTRUCTIVE: Final = (
    (
        re.compile(r"^DROP (TABLE|INDEX|SEQUENCE|VIEW|MATERIALIZED VIEW|SCHEMA|TYPE|FUNCTION)\b"),
        "drops what others may use",
    ),
    (re.compile(r"^TRUNCATE\b"), "empties a table"),
    (re.compile(r"^ALTER TABLE \S+ DROP (COLUMN|CONSTRAINT)\b"), "drops what others may use"),
    (re.compile(r"^ALTER TABLE \S+ RENAME\b"), "renames what others use by its name"),
    (re.compile(r"^ALTER TABLE \S+ ALTER COLUMN \S+ TYPE\b"), "rewrites the table and its readers' types"),
    (re.compile(r"^ALTER TABLE \S+ ALTER COLUMN \S+ SET NOT NULL\b"), "refuses what an older version writes"),
    (re.compile(r"^ALTER TABLE \S+ ALTER COLUMN \S+ DROP DEFAULT\b"), "refuses what an older version leaves out"),
    (
        re.compile(r"^ALTER TABLE \S+ ADD COLUMN (?!.*\bDEFAULT\b).*NOT NULL\b"),
        "refuses what an older version leaves out",
    ),
    (re.compile(r"^ALTER TABLE \S+ ADD CONSTRAINT (?!.*NOT VALID)"), "refuses what an older version writes"),
)
FILLS: Final = (
    (re.compile(r"^(UPDATE|DELETE)\b"), "rewrites rows while everybody waits: let a step do it in batches"),
    (re.compile(r"^INSERT INTO .*\bSELECT\b"), "fills rows while everybody waits: let a step do it in batches"),
)
_CHECK: Final = re.compile(r"^ALTER TABLE (\S+) (DROP|ADD) CONSTRAINT (\S+)(?: CHECK \((\S+) IN \((.*)\)\))?$")
_CREATED: Final = re.compile(r"^CREATE TABLE (\S+) ")


def offences(lines: Iterable[str]) -> list[str]:
    """Statements that an older version, or somebody who waits, would suffer from, each with why. Of tables that the
    migration makes itself it may say anything, and a list of words may be replaced by one (DROP, ADD CONSTRAINT of a CHECK)."""
    said = list(lines)
    made = {m[1] for line in said if (m := _CREATED.match(line))}
    replaced = {m.group(1, 3) for line in said if (m := _CHECK.match(line)) and m[2] == "ADD" and m[4]} & {
        m.group(1, 3) for line in said if (m := _CHECK.match(line)) and m[2] == "DROP"
    }
    found = []
    for line in said:
        check = _CHECK.match(line)
        if (check and check.group(1, 3) in replaced) or any(f" {table} " in f"{line} " for table in made):
            continue
        found += [f"{why}: {line}" for pattern, why in (*DESTRUCTIVE, *FILLS) if pattern.search(line)]
    return found

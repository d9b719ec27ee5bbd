"""Migrations expand; what they take away, or fill, they do in a step that says so."""

from __future__ import annotations

import pytest
from alembic.config import Config

from tests.support.cli import CHECKOUT
from tests.support.migration_rules import offences
from warehouse.migrations.statements import scripts, statements

BEFORE_THE_RULE = {
    "0003": "keys were computed anew, by resolve of the same release",
    "0005": "sequences that nobody asked, and an index that is made wider",
    "0011": "who redirects whom was told by the ledger only; a default that stands for one statement",
    "0013": "keys stand in one row; says that nothing older may resolve from then on",
}
"""Migrations of before the rule was written that break it, and why they could."""


def packaged() -> Config:
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "warehouse" / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def test_no_migration_takes_away_or_fills_outside_a_contract_step() -> None:
    found = {one.revision: offences(statements(one)) for one in scripts(packaged())}
    broken = {revision: said for revision, said in found.items() if said}
    contracts = {one.revision for one in scripts(packaged()) if getattr(one.module, "CONTRACTS", "").strip()}
    assert broken.keys() - contracts - BEFORE_THE_RULE.keys() == set(), broken
    assert BEFORE_THE_RULE.keys() <= broken.keys(), "this list only grows shorter"


@pytest.mark.parametrize(
    "line",
    [
        "DROP TABLE core.promise",
        "DROP INDEX core.ix_client_changed_seq",
        "TRUNCATE core.client",
        "ALTER TABLE core.client DROP COLUMN kind",
        "ALTER TABLE core.client RENAME COLUMN kind TO sort",
        "ALTER TABLE core.client RENAME TO customer",
        "ALTER TABLE core.client ALTER COLUMN kind TYPE INTEGER",
        "ALTER TABLE core.client ALTER COLUMN kind SET NOT NULL",
        "ALTER TABLE core.client ADD COLUMN mood TEXT NOT NULL",
        "ALTER TABLE core.client ADD CONSTRAINT ck_kind CHECK (kind IN ('person'))",
        "UPDATE core.client SET kind = 'person'",
        "DELETE FROM core.client",
        "INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM raw.record",
    ],
)
def test_the_rule_refuses(line: str) -> None:
    assert len(offences([line])) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["ALTER TABLE core.client ADD COLUMN mood TEXT", "CREATE INDEX ix_client_mood ON core.client (mood)"],
        ["ALTER TABLE core.client ADD COLUMN is_odd BOOLEAN DEFAULT false NOT NULL"],
        ["CREATE TABLE ops.omen ( omen TEXT NOT NULL )", "ALTER TABLE ops.omen ADD CONSTRAINT ck_omen CHECK (omen <> '')"],
        ["ALTER TABLE ops.pending DROP CONSTRAINT ck_pending_step",
         "ALTER TABLE ops.pending ADD CONSTRAINT ck_pending_step CHECK (step IN ('publish', 'new'))"],
    ],
)  # fmt: skip
def test_the_rule_lets_pass(lines: list[str]) -> None:
    assert offences(lines) == []

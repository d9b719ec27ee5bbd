"""The next release of the warehouse: a copy of the package with further migrations, run as a process of its own. The code
of this checkout is then the older version that goes on beside it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.cli import CHECKOUT
from warehouse.version import packaged_revision

_MIGRATION = '''"""Number {number} of the next release.

Revision ID: {revision}
Revises: {before}
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {body}
'''
ADDS = (
    'op.add_column("interaction", sa.Column("mood", sa.Text(), nullable=True, comment="Mood"), schema="core")',
    'op.create_index("ix_interaction_mood", "interaction", ["mood", "occurred_on"], schema="core")',
    'op.create_table("omen", sa.Column("omen", sa.Text(), primary_key=True), schema="ops", comment="Omens")',
)
VIEW = """
CREATE OR REPLACE VIEW onefold_v1.dim_next AS
SELECT record_id, mood, 0::bigint AS changed_seq, false AS is_deleted FROM core.interaction;
"""


@dataclass(frozen=True)
class NextRelease:
    """A warehouse that is `bodies` migrations ahead; each body is the statements of one `upgrade`."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *bodies: tuple[str, ...], view: str = VIEW) -> NextRelease:
        """Copy the package and add to it."""
        package = folder / "warehouse"
        shutil.copytree(CHECKOUT / "warehouse", package, ignore=shutil.ignore_patterns("__pycache__"))
        before = packaged_revision()[:4]
        for number, body in enumerate(bodies):
            revision = f"{9000 + number}"
            text = _MIGRATION.format(number=number, revision=revision, before=before, body="\n    ".join(body))
            (package / "migrations" / "versions" / f"{revision}_next.py").write_text(text, encoding="utf-8")
            before = revision
        (package / "sql" / "definitions" / "099_next.sql").write_text(view, encoding="utf-8")
        return cls(folder)

    def start(self, url: str, *options: str) -> subprocess.Popen[str]:
        """`python -m warehouse.migrate` of that release."""
        environ = {**os.environ, "PYTHONPATH": str(self.folder), "ONEFOLD_MIGRATE_URL": url}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "warehouse.migrate", *options],
            env=environ, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def migrate(self, url: str, *options: str) -> tuple[int, str]:
        """Its exit code and what it said."""
        with self.start(url, *options) as process:
            _, said = process.communicate(timeout=120)
            return process.returncode, said

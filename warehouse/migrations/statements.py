"""What a migration would say to the database, without one: the statements of its `upgrade`, in order."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory

_END: Final = ";\n\n"
_SPACE: Final = re.compile(r"\s+")


def scripts(config: Config, after: str | None = None) -> Iterator[Script]:
    """The migrations of a script folder in their order; those after one."""
    found = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    return (one for one in found if after is None or one.revision > after)


def statements(script: Script) -> list[str]:
    """Each in one line, without comments on tables and columns."""
    buffer = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer})
    with Operations.context(context):
        script.module.upgrade()
    lines = (_SPACE.sub(" ", part).strip().rstrip(";") for part in buffer.getvalue().split(_END))
    return [line for line in lines if line and not line.startswith("COMMENT ON")]

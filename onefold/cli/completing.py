"""What the shell completes beside commands and options."""

from __future__ import annotations

import os
import re

_NAMED = re.compile(r"^source:\s*[\"']?([a-z][a-z0-9_]*)", re.MULTILINE)


def source_names(incomplete: str) -> list[str]:
    """Sources of the configuration at hand that begin so; without one none, since a shell waits for no message."""
    from onefold.settings import Settings

    found: set[str] = set()
    for path in (Settings.from_environment(os.environ).config / "sources").glob("*.y*ml"):
        found.update(_NAMED.findall(path.read_text("utf-8", errors="replace")))
    return sorted(name for name in found if name.startswith(incomplete))

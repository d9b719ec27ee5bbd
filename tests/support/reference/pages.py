"""Every page of docs/reference, by name; and the bytes that are on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.cli import CHECKOUT
from tests.support.reference.codes import codes_page
from tests.support.reference.commands import commands_page
from tests.support.reference.schema import schema_page
from tests.support.reference.variables import variables_page

FOLDER = CHECKOUT / "docs" / "reference"


@cache
def pages() -> dict[str, str]:
    """File name -> the page as it should stand."""
    made = {
        "commands.md": commands_page(),
        "exit-codes.md": codes_page(),
        "environment.md": variables_page(),
    }
    for path in sorted((CHECKOUT / "docs" / "schemas").glob("*.json")):
        made[f"config-{path.stem}.md"] = schema_page(path.name, json.loads(path.read_text("utf-8")))
    return made


def stale() -> Iterator[tuple[Path, str]]:
    """Pages that are missing or stand otherwise, and how they should."""
    for name, text in pages().items():
        path = FOLDER / name
        if not path.is_file() or path.read_text("utf-8") != text:
            yield path, text

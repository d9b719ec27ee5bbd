"""A data engineer's desk: a hub in a folder that is configured and run by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import yaml

from tests.support.cli import CHECKOUT, onefold

PACKAGES = CHECKOUT / ".cache" / "live"
"""Where environments of other people's packages are kept between runs."""


class Desk:
    """A hub at a terminal, whose environments are kept between runs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        home = folder / "home"
        home.mkdir()
        PACKAGES.mkdir(parents=True, exist_ok=True)
        (home / "cache").symlink_to(PACKAGES)
        self.place = ("--home", str(home), "--config", str(folder / "config"), "--database", url)

    def run(self, *arguments: str) -> Any:
        """What a command answers; it ends well."""
        done = onefold(*self.place, "--json", *arguments)
        assert done.code == 0, done.said
        return json.loads(done.out)

    def configuration(self, name: str) -> dict[str, Any]:
        """A source's file."""
        found: dict[str, Any] = yaml.safe_load(self._file(name).read_text("utf-8"))
        return found

    def configure(self, name: str, source: Any) -> None:
        """Write a source's file."""
        self._file(name).write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")

    def _file(self, name: str) -> Path:
        return self.folder / "config" / "sources" / f"{name}.yaml"

    def rows(self, source: str, stream: str) -> list[tuple[str, bool]]:
        """Keys and whether they are deleted."""
        query = "select source_key, is_deleted from raw.record where source = %s and stream = %s order by source_key"
        with psycopg.connect(self.url) as conn:
            return [(str(key), bool(gone)) for key, gone in conn.execute(query, (source, stream))]


def empty_desk(folder: Path, url: str) -> Desk:
    """A desk of no source yet, on the hub of this database."""
    assert onefold("--home", str(folder / "x"), "init", str(folder)).code == 0
    for example in (folder / "config" / "sources").glob("*.yaml"):
        example.unlink()
    return Desk(folder, url)

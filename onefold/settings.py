"""Where the hub runs: its home folder, its configuration folder, its database. Nothing is read on import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VARIABLES: Final = {
    "home": "ONEFOLD_HOME",
    "config": "ONEFOLD_CONFIG",
    "database_url": "ONEFOLD_DATABASE_URL",
}
DEFAULT_HOME: Final = Path("var")
DEFAULT_CONFIG: Final = Path("config")
DAG_OF_SOURCE: Final = "onefold_sync_"
"""Before the name of a source: the Airflow DAG that reads it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides, as opposed to what `config/` says about the company's data."""

    home: Path = DEFAULT_HOME
    """The hub's own files: the embedded server, caches, logs."""
    config: Path = DEFAULT_CONFIG
    database_url: str | None = field(default=None, repr=False)
    """A PostgreSQL of your own; None: the embedded one. Never shown: it holds a password."""

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], overrides: Mapping[str, str | Path | None] | None = None
    ) -> Settings:
        """Settings by precedence: `overrides` (flags), `environ`, the .env file beside config/, defaults.

        Empty values count as absent. Unknown overrides raise TypeError.
        """
        from onefold.configuration.secrets import read_env_file

        given = {name: value for name, value in (overrides or {}).items() if value not in (None, "")}
        if unknown := sorted(set(given) - set(VARIABLES)):
            raise TypeError(f"unknown settings: {', '.join(unknown)}")
        found = {name: environ[variable] for name, variable in VARIABLES.items() if environ.get(variable)}
        config = Path(given.get("config") or found.get("config") or DEFAULT_CONFIG)
        beside = read_env_file(config.resolve().parent / ".env")
        from_file = {name: beside[variable] for name, variable in VARIABLES.items() if beside.get(variable)}
        chosen = {**from_file, **found, **given}
        url = chosen.get("database_url")
        return cls(
            home=Path(chosen.get("home") or DEFAULT_HOME),
            config=Path(chosen.get("config") or config),
            database_url=str(url) if url is not None else None,
        )

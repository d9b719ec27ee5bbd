"""source add: discover what a system offers, propose a mapping, and write it as a source's YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.registry import open_connector, settings_schema, shipped
from connectors.wanted import WantedSetting, missing, settings_of, ways_in
from onefold.configuration import environment, resolve_secrets
from onefold.configuration.proposals import propose_mapping
from onefold.configuration.source_file import source_yaml
from onefold.errors import UsageError
from onefold.steps.report import Report

if TYPE_CHECKING:
    from onefold.settings import Settings


@dataclass(frozen=True, slots=True)
class SourceAdded(Report):
    """What was written, and what was guessed for it."""

    file: str
    streams: tuple[str, ...]
    guesses: tuple[tuple[str, str, str, str], ...]
    """stream, field, attribute, why."""
    secrets: tuple[str, ...]
    """Names under which given secrets now stand in the .env file beside the configuration."""


def source_add(
    settings: Settings, name: str, connector: str, given: Mapping[str, str], *, overwrite: bool = False
) -> SourceAdded:
    """Write `config/sources/NAME.yaml` for what the connector discovers; nothing is read but samples.

    A secret given as it is goes to the .env file beside the configuration, and its name into the YAML. Raises
    UsageError for a name that cannot be one or is taken, and the connector's errors, which say what to do.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"{name!r} cannot be a source's name.", "Use small Latin letters, digits and _, such as crm.")
    target = settings.config / "sources" / f"{name}.yaml"
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists already.", "Add --force to overwrite it.")
    written = _settings(connector, given)
    _refuse_lacking(name, connector, given)
    secrets = _take_secrets(settings.config, name, connector, written)
    environ = environment(settings.config, os.environ)
    resolved = resolve_secrets(written, environ)
    if "cache_dir" in settings_schema(connector).get("properties", {}):
        resolved = {"cache_dir": str(settings.home.resolve() / "cache"), **resolved}
    with open_connector(connector, name, resolved) as opened:
        offered = list(opened.discover())
    streams = [info for info in offered if info.is_installed]
    known = shipped(connector)
    # Of a system that is known nothing is guessed.
    proposals = {} if known and known.streams else {info.name: propose_mapping(info) for info in streams}
    target.parent.mkdir(parents=True, exist_ok=True)
    head = f"# Written by `onefold source add {name}`. Guesses carry their reason: look them over.\n"
    target.write_text(head + source_yaml(name, connector, written, streams, proposals, known), encoding="utf-8")
    guesses = [
        (stream, guess.path, guess.attribute, guess.because)
        for stream, proposal in proposals.items()
        for guess in proposal.guesses
    ]
    return SourceAdded(str(target), tuple(info.name for info in streams), tuple(guesses), tuple(secrets))


def _refuse_lacking(name: str, connector: str, given: Mapping[str, str]) -> None:
    """Raise UsageError that names what must still be given, with what it is and how to give it."""
    lacking = missing(connector, given)
    if not lacking:
        return
    said = "; ".join(f"{setting.name} ({setting.about})" if setting.about else setting.name for setting in lacking)
    asked = {*given, *(setting.name for setting in lacking)}
    words = [_word(name, one, given.get(one.name)) for one in settings_of(connector) if one.name in asked]
    ways = [" + ".join(way) for way in ways_in(connector) if way]
    instead = f" Ways in: {', or '.join(ways)}." if len(ways) > 1 else ""
    hint = f"Add them: onefold source add {name} --connector {connector} {' '.join(words)}.{instead}"
    if any(one.is_secret for one in lacking):
        hint += " The secret's value stands in the .env file or the environment."
    raise UsageError(f"{connector} cannot be reached without {said}.", hint)


def _word(source: str, setting: WantedSetting, value: str | None) -> str:
    """A setting as it is typed; a secret by a name for it."""
    if setting.is_secret:
        value = f"'${{{source.upper()}_{setting.name.upper()}}}'"
    elif value is None or not re.fullmatch(r"[\w.:/@-]+", value):
        value = "..."
    return f"--set {setting.name}={value}"


def _settings(connector: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The given settings as YAML values; a folder of files becomes a pattern with one stream a file."""
    known = settings_schema(connector).get("properties", {})
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"{connector} has no setting {', '.join(unknown)}.", f"It has: {', '.join(sorted(known))}.")
    values: dict[str, Any] = dict(given)
    if connector == "files" and Path(values.get("path", "")).is_dir():
        values["path"] = str(Path(values["path"]) / "{stream}.*")
    return values


def _take_secrets(config: Path, name: str, connector: str, values: dict[str, Any]) -> list[str]:
    """Move secrets that were given as they are into .env, and leave their names in `values`."""
    moved = {}
    for setting in settings_of(connector):
        if setting.is_secret and "${" not in values.get(setting.name, "${"):
            variable = f"{name}_{setting.name}".upper()
            moved[variable] = values[setting.name]
            values[setting.name] = f"${{{variable}}}"
    if moved:
        path = config.resolve().parent / ".env"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        kept = [line for line in path.read_text("utf-8").splitlines() if line.partition("=")[0] not in moved]
        path.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in moved.items())]) + "\n", "utf-8")
    return sorted(moved)

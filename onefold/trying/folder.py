"""The configuration that a trial works with: a folder like any hub's, kept by `--save` and gone without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.configuration import load_configuration
from onefold.configuration.source_file import source_yaml
from onefold.errors import UsageError

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.trying.columns import Understood
    from onefold.trying.inputs import Input

_HEAD = "# Written by `onefold try`. Guesses carry their reason: look them over.\n"
_HUB = """# What holds for the whole hub; docs/configuration.md lists every key.
title: {en: Tried}
languages: [en]
reporting_currency: EUR
# own_organisations:                # your own firms are never clients: their numbers and domains
#   - {name: My company, domain: [mycompany.example]}
"""


def write_configuration(
    folder: Path, inputs: Sequence[Input], understood: Sequence[Understood], defaults: Mapping[str, dict[str, str]]
) -> Configuration:
    """Write `config/` (and `.env` for what is secret) into `folder`, and give it as it is read back."""
    sources = folder / "config" / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    (folder / "config" / "hub.yaml").write_text(_HUB, "utf-8")
    secrets: dict[str, str] = {}
    for one in inputs:
        mine = [known for known in understood if known.table.source == one.source and known.is_used]
        if not mine:
            continue
        proposals = {known.table.info.name: known.proposal for known in mine}
        streams = [known.table.info for known in mine]
        found = defaults.get(one.source)
        text = source_yaml(one.source, one.connector, one.settings, streams, proposals, title=one.title, defaults=found)
        (sources / f"{one.source}.yaml").write_text(_HEAD + text, "utf-8")
        secrets |= one.secrets
    if secrets:
        path = folder / ".env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()), "utf-8")
    return load_configuration(folder / "config")


def refuse_taken(folder: Path) -> None:
    """UsageError where `--save` would overwrite a configuration."""
    if (folder / "config").exists() or (folder / ".env").exists():
        raise UsageError(f"{folder} holds a configuration already; nothing was written.", "Name an empty folder.")

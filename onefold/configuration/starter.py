"""What `onefold init` writes: a small commented folder that passes `onefold doctor` and runs as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from onefold.configuration.countries import country_defaults

_HUB: Final = "config/hub.yaml"
_COMMON: Final = (_HUB, "config/attributes.yaml", "config/interactions.yaml", ".env.example")
_EXAMPLES: Final = (
    "config/sources/customers.yaml",
    "config/sources/shop.yaml",
    "data/customers.csv",
    "data/shop_clients.csv",
    "data/shop_orders.csv",
)
_TITLE: Final = "My company"


class FolderNotEmpty(FileExistsError):
    """The folder holds a file that the starter would overwrite; nothing was written."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Answers:
    """What the starter is told; what it is not told is as in the shipped example."""

    title: str | None = None
    country: str | None = None
    database_url: str | None = None
    """Goes to .env: it holds a password."""
    examples: bool = True
    """With two small sources and their files, so that it runs as it is."""


def write_starter(folder: Path, answers: Answers = Answers()) -> list[Path]:
    """Write the starter into `folder` and give its files. Raises FolderNotEmpty, and then writes nothing."""
    names = [*_COMMON, *(_EXAMPLES if answers.examples else ())]
    targets = [folder / name for name in names]
    for target in [*targets, *([folder / ".env"] if answers.database_url else [])]:
        if target.exists():
            raise FolderNotEmpty(f"{target} exists already; nothing was written. Choose an empty folder.")
    shipped = files("onefold.configuration").joinpath("data", "starter")
    for name, target in zip(names, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        content = shipped.joinpath(*name.removeprefix(".").split("/")).read_bytes()
        target.write_bytes(_told(content.decode(), answers).encode() if name == _HUB else content)
    (folder / "config" / "sources").mkdir(exist_ok=True)
    if answers.database_url:
        secret = folder / ".env"
        secret.touch(mode=0o600)
        secret.write_text(f"ONEFOLD_DATABASE_URL={answers.database_url}\n", encoding="utf-8")
        targets.append(secret)
    return targets


def _told(hub: str, answers: Answers) -> str:
    """hub.yaml with the answers in the place of what the example says."""
    told = country_defaults(answers.country) if answers.country else {}
    # Shipped types have labels in English and Russian.
    language = "ru" if told.get("language") == "ru" else "en"
    title = json.dumps(answers.title or _TITLE, ensure_ascii=False)
    said = {"title:": f"title: {{{language}: {title}}}"}
    if told:
        defaults = ", ".join(f"{name}: {value}" for name, value in told.items())
        said["languages:"] = f"languages: [{'ru, en' if language == 'ru' else 'en'}]"
        said["reporting_currency:"] = f"reporting_currency: {told.get('currency', 'EUR')}"
        said["defaults:"] = f"defaults: {{{defaults}}}"
    if answers.title:
        said["  - {name:"] = f"  - {{name: {title}, domain: []}}"
    lines = (next((said[key] for key in said if line.startswith(key)), line) for line in hub.splitlines())
    return "\n".join(lines) + "\n"

"""A hub of a benchmark: its configuration folder and its commands, run as users run them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processes import Measured, measure

CONTACTS_MAPPING: Mapping[str, str | list[str]] = {
    "given_name": "given_name",
    "family_name": "family_name",
    "middle_name": "middle_name",
    "birth_date": "birth_date",
    "email": ["email", "work_email"],
    "phone": ["phone", "mobile"],
    "street": "street",
    "city": "city",
    "postcode": "postcode",
}


def write_configuration(folder: Path, sources: Mapping[str, Mapping[str, Any]]) -> Path:
    """A configuration folder with these sources; JSON is YAML."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        text = json.dumps({"source": name, **source}, ensure_ascii=False, indent=2)
        (folder / "sources" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def contacts_source(address: str, limits: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The contacts of contacts_server.py or paced_server.py, read page by page."""
    stream = {
        "path": "contacts",
        "records": "items",
        "key": "id",
        "paging": {"kind": "page", "param": "page", "pages": "pages"},
    }
    return {
        "connector": "rest",
        "settings": {"manifest": {"base_url": address, "limits": dict(limits or {}), "streams": {"contacts": stream}}},
        "streams": {"contacts": {"as": "person", "key": "id", "fields": CONTACTS_MAPPING}},
    }


def persons_source(path: Path) -> dict[str, Any]:
    """The persons of generate.py in a CSV file."""
    names = (
        "given_name",
        "family_name",
        "gender",
        "birth_date",
        "email",
        "phone",
        "street",
        "city",
        "postcode",
    )
    return {
        "connector": "files",
        "settings": {"path": str(path)},
        "streams": {"persons": {"as": "person", "key": "record_id", "fields": {name: name for name in names}}},
    }


def onefold(
    config: Path, database: str, *arguments: str, timeout: float = 600, codes: tuple[int, ...] = (0,)
) -> Measured:
    """A command of the hub with `--json`, measured; the database's URL travels in the environment."""
    return measure(
        onefold_command(config, *arguments),
        timeout=timeout,
        env={"ONEFOLD_DATABASE_URL": database},
        codes=codes,
    )


def onefold_command(config: Path, *arguments: str) -> list[str | Path]:
    """The words of a command of the hub."""
    script = Path(sys.executable).with_name("onefold")
    command = [script] if script.exists() else [sys.executable, "-m", "onefold"]
    return [*command, "--json", "--quiet", "--home", config.parent / "home", "--config", config, *arguments]


def document(done: Measured) -> Any:
    """The JSON document that a command with `--json` printed."""
    return json.loads(done.out)

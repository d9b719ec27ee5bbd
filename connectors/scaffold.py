"""A new connector as a package of its own: manifest, recorded exchanges and the test that runs them."""

from __future__ import annotations

import json
import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from connectors.errors import SourceConfigurationError
from connectors.manifest_schema import manifest_schema
from connectors.registry import names

_FILES: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "package.py": "onefold_acme/__init__.py",
    "manifest.yaml": "onefold_acme/acme.yaml",
    "cassette.yaml": "tests/acme.cassette.yaml",
    "test.py": "tests/test_acme.py",
}
"""Shipped file -> where it goes; everything in them that is called acme takes the connector's name."""


def write_package(name: str, parent: Path) -> list[Path]:
    """Write the package `onefold-NAME` under `parent` and give its files; it passes its own test as it is.

    Raises SourceConfigurationError, and writes nothing, for a name that cannot be one or that is taken, and for a
    folder that exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise SourceConfigurationError(
            f"{name!r} cannot be a connector's name", hint="Use small Latin letters, digits and _, such as acme"
        )
    if name in names():
        raise SourceConfigurationError(f"there is a connector {name!r} already", hint="Choose another name")
    folder = parent / f"onefold-{name.replace('_', '-')}"
    if folder.exists():
        raise SourceConfigurationError(
            f"{folder} exists already; nothing was written", hint="Choose another name or folder (--into)"
        )
    written: list[Path] = []
    for shipped, target in _FILES.items():
        text = files("connectors").joinpath("starter", f"{shipped}.example").read_text("utf-8")
        written.append(folder / _renamed(target, name))
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        written[-1].write_text(_renamed(text, name), encoding="utf-8")
    written.append(folder / "manifest.schema.json")
    written[-1].write_text(json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return written


def _renamed(text: str, name: str) -> str:
    title = name.replace("_", " ").title()
    # Hosts and distributions know no underscore.
    host = name.replace("_", "-")
    names = {"onefold-acme": f"onefold-{host}", "TestAcme": f"Test{title.replace(' ', '')}", "Acme": title}
    names |= {"ACME": name.upper(), "acme.": f"{host}.", "acme": name}

    def own(found: re.Match[str]) -> str:
        return names[found[0]]

    return re.sub(r"onefold-acme|TestAcme|Acme|ACME|acme\.(?=test\b|example\b)|acme", own, text)

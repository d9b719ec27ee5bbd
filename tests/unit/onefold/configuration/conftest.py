"""A configuration folder to break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onefold.configuration import ConfigurationError, Problem, load_configuration

GOOD_SOURCE = """\
source: crm
connector: files
settings: {path: data}
streams:
  people:
    as: person
    key: id
    fields: {full_name: name, email: email}
"""

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """Writes files of a configuration folder by name (`sources/x.yaml`); without a source a good one is added."""

    def write(**files: str | bytes) -> Path:
        config = tmp_path / "config"
        (config / "sources").mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = config / (f"sources/{name[7:]}.yaml" if name.startswith("source_") else f"{name}.yaml")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if not any(name.startswith("source_") for name in files):
            (config / "sources" / "crm.yaml").write_text(GOOD_SOURCE, encoding="utf-8")
        return config

    return write


@pytest.fixture
def problems(folder: Write) -> Callable[..., list[Problem]]:
    """The problems that loading a folder with these files tells."""

    def load(**files: str | bytes) -> list[Problem]:
        with pytest.raises(ConfigurationError) as caught:
            load_configuration(folder(**files))
        return caught.value.problems

    return load

"""Every YAML example of docs/configuration.md is what the models accept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from onefold.configuration.attributes import STANDARD, AttributesFile
from onefold.configuration.hub import HubConfiguration
from onefold.configuration.interactions import InteractionsFile
from onefold.configuration.records import AuthorityFile, ExpectationsFile
from onefold.configuration.shipped import shipped_interactions
from onefold.configuration.sources import SourceConfiguration
from onefold.configuration.tree import parse
from onefold.configuration.validate import validate

TEXT = (Path(__file__).parents[4] / "docs" / "configuration.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
MODELS: dict[str, type[BaseModel]] = {
    "hub.yaml": HubConfiguration,
    "attributes.yaml": AttributesFile,
    "interactions.yaml": InteractionsFile,
    "authority.yaml": AuthorityFile,
    "expectations.yaml": ExpectationsFile,
}


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0][:30] for block in BLOCKS])
def test_an_example_is_accepted(block: str) -> None:
    name = block.splitlines()[0].removeprefix("# ").strip()
    model = MODELS.get(name, SourceConfiguration)
    if model is SourceConfiguration:
        streams = block if block.startswith("streams:") else f"streams:\n{block}"
        block = f"source: example\nconnector: files\n{streams}"
    (document,), problems = parse(block.encode(), name)
    assert problems == []
    assert [str(problem) for problem in validate(document, model)[1]] == []


def test_every_standard_attribute_and_shipped_type_is_documented() -> None:
    assert [name for name in STANDARD if f"`{name}`" not in TEXT] == []
    assert [name for name in shipped_interactions() if name not in TEXT] == []

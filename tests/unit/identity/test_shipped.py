"""The files that come with Onefold are read as YAML 1.2 says."""

from __future__ import annotations

from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from identity.shipped import shipped

NAMES = sorted(
    entry.name.removesuffix(".yaml")
    for entry in files("identity").joinpath("data").iterdir()
    if entry.name.endswith(".yaml")
)


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_parser_reads_what_the_strict_one_reads(name: str) -> None:
    text = files("identity").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    strict = YAML(typ="safe").load(text)
    # repr, because 1 equals true and 1.0.
    assert repr(shipped(name)) == repr(strict)

"""The rules, weights and word lists that come with Onefold, `identity/data/*.yaml`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

_PLAIN: Final = {
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": ("true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": ("[-+]?[0-9]+", list("-+0123456789")),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
}
"""What YAML 1.2 reads as other than text, and with which characters it begins. In YAML 1.1 `no` would be false."""


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """libyaml with the scalars of YAML 1.2: every start would wait for a parser in Python."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _name, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})$"), _first)


@cache
def shipped(name: str) -> dict[str, Any]:
    """One file as plain values, read when first asked for. Not to be written to."""
    text = files("identity").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, _Loader)
    return content

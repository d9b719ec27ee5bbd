"""The catalogue: one manifest a system. `connectors.catalogue:hubspot` is the connector class of
`hubspot.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def _connector(name: str) -> Any:
    from connectors.rest.connector import manifest_connector

    path = Path(__file__).with_name(f"{name}.yaml")
    if not path.is_file():
        raise AttributeError(f"the catalogue has no {name}.yaml")
    return manifest_connector(path)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return _connector(name)

"""Survivorship: which values of a client's records become its golden record, and why.

`golden` is a pure function; its settings are config/survivorship.yaml (`SurvivorshipSettings`). Names are imported when
they are asked for: reading the configuration needs the settings only, and loads no Arrow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from identity.survive.settings import (
    FieldRule,
    Rule,
    SurvivorshipRules,
    SurvivorshipSettings,
    default_settings,
)

if TYPE_CHECKING:
    from identity.survive.golden_record import CONTRIBUTION, GOLDEN, PIN, golden

__all__ = [
    "CONTRIBUTION", "GOLDEN", "PIN", "FieldRule", "Rule", "SurvivorshipRules", "SurvivorshipSettings",
    "default_settings", "golden",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.golden_record"), name)

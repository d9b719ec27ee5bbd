"""Survivorship: which values of a client's records become its golden record, and why.

`golden` is a pure function; its settings are config/survivorship.yaml (`SurvivorshipSettings`).
"""

from identity.survive.golden import CONTRIBUTION, GOLDEN, PIN, golden
from identity.survive.settings import (
    FieldRule,
    Rule,
    SurvivorshipRules,
    SurvivorshipSettings,
    default_settings,
)

__all__ = [
    "CONTRIBUTION", "GOLDEN", "PIN", "FieldRule", "Rule", "SurvivorshipRules", "SurvivorshipSettings",
    "default_settings", "golden",
]  # fmt: skip

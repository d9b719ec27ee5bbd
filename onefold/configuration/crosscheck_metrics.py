"""What metrics.yaml says of the interaction types, and whether its SQL is one SELECT over the served views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from onefold.configuration.errors import Problem
from onefold.configuration.model import Configuration
from onefold.configuration.served_sql import refusal
from onefold.nearest import did_you_mean

FILE: Final = "metrics.yaml"
NAMES: Final = ("hub_day", "mailing", "promise")
"""What a definition can read beside the served views."""


def check_metrics(configuration: Configuration) -> Iterator[Problem]:
    """Types that must exist, and SQL that only reads."""
    for name, one in configuration.own_metrics.metrics.items():
        if one is None:
            continue
        document = configuration.documents[FILE]
        for type_ in one.types:
            if type_ not in configuration.interaction_types:
                message = f"`{type_}` is no known interaction type."
                hint = did_you_mean(type_, configuration.interaction_types)
                yield document.problem(("metrics", name, "types"), message, hint)
        if (why := refusal(one.sql, NAMES)) is not None:
            yield document.problem(("metrics", name, "sql"), f"The definition is refused. {why}")

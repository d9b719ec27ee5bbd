"""What the reliability drills share: seeds, how many, and what they print."""

from __future__ import annotations

import os
from collections.abc import Iterable

SEED = int(os.environ.get("ONEFOLD_DRILL_SEED", "20261128"))
"""From which everything random follows."""
PROPERTY = "drill"
"""Under which a test records what it did, to be printed at the end of the run."""
SHARE = float(os.environ.get("ONEFOLD_DRILL_SHARE", "1"))
"""How much of a drill is done: .1 for a quick look."""

IS_THOROUGH = os.environ.get("ONEFOLD_TEST_THOROUGH") == "1"
"""Searches look long."""


def so_many(count: int) -> int:
    """The share of `count` that is asked for, at least one."""
    return max(1, round(count * SHARE))


def examples(quick: int, thorough: int) -> int:
    """How many examples a search for a counterexample makes up: few in `make test`, many in `make test-scale`."""
    return thorough if IS_THOROUGH else quick


def told(properties: Iterable[tuple[str, object]]) -> list[str]:
    """What a test's drill said it did, of the properties that it recorded."""
    return [f"{said} (seed {SEED})" for name, said in properties if name == PROPERTY]

"""overlap: how many clients the registers have in common, counted weekly, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from onefold.errors import UsageError
from warehouse import overlap as counted

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

COUNTED_BY_PUBLISH = 100_000
"""Clients up to which publish counts by itself, once a week; at a million that takes as long as the rest of it."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was counted: each pair of registers in the last week, the weeks before, and the combinations."""

    latest: Sequence[counted.Pair]
    earlier: Sequence[counted.Pair]
    combinations: Sequence[counted.Combination]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "pairs": [asdict(pair) for pair in self.latest],
            "earlier": [asdict(pair) for pair in self.earlier],
            "combinations": [asdict(one) for one in self.combinations],
        }


def overlap(context: Context, *, refresh: bool = False) -> Overlap:
    """The overlap as it was counted last; it is counted now when that is asked for or was never done."""
    with context.connection("onefold report") as conn:
        pairs = [] if refresh else counted.pairs(conn)
        combinations = [] if refresh else counted.combinations(conn)
        if not combinations:
            counted.count(conn, at=context.clock())
            pairs, combinations = counted.pairs(conn), counted.combinations(conn)
    return Overlap([p for p in pairs if p.is_latest], [p for p in pairs if not p.is_latest], combinations)


def overlapping_clients(
    context: Context, registers: tuple[str, str], state: str, *, limit: int
) -> list[dict[str, Any]]:
    """The clients behind a number of a pair as they are now; `only_a` is whoever stands only in the first named."""
    known = context.configuration.sources
    for name in registers:
        if name not in known:
            raise UsageError(f"There is no source {name}.", f"It is one of: {', '.join(known)}.")
    first, second = sorted(registers, key=lambda name: name.encode())
    if (first, second) != registers:
        state = {"only_a": "only_b", "only_b": "only_a"}.get(state, state)
    with context.connection("onefold report") as conn:
        return counted.clients(conn, first, second, state, limit=limit)


def count_weekly(context: Context, conn: psycopg.Connection) -> None:
    """Keep the week's overlap, unless it is or the hub is so large that counting is left to `onefold report`."""
    at = context.clock()
    if counted.hub_size(conn) <= COUNTED_BY_PUBLISH and not counted.is_counted(conn, at):
        counted.count(conn, at=at)

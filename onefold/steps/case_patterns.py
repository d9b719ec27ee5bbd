"""Cases with the same evidence: what the comparisons say of the two records, level by level."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from identity.explanation.explain import words_of
from identity.explanation.patterns import levels_of_pairs
from identity.schema import IDENTIFIER, RECORD, WEIGHT_ONE_BIT
from onefold.steps.explain import generic_of
from onefold.steps.models import model_in_force
from warehouse import case_queue, resolution

if TYPE_CHECKING:
    from onefold.context import Context

MOST: Final = 1000
"""Cases that are looked at, by the order of the queue."""
SAMPLE: Final = 10
AT_ONCE: Final = 200
"""Cases of a pattern that one word decides."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Cases with the same evidence."""

    pattern: str
    """A digest of why they are cases, what the records are, and all levels."""
    why: str
    kind: str
    words: Sequence[Mapping[str, str]]
    """Language -> `column: level`, for each column that says something."""
    least_bits: float
    most_bits: float
    cases: Sequence[Mapping[str, Any]]
    """As `case_queue.pairs` has them, in the order of the queue."""

    def sample(self) -> list[str]:
        """The fingerprints of ten of them, or of all: from the strongest evidence to the weakest, evenly."""
        ordered = sorted((-(case["weight"] or 0), case["fingerprint"]) for case in self.cases)
        if len(ordered) > SAMPLE:
            ordered = [ordered[at * (len(ordered) - 1) // (SAMPLE - 1)] for at in range(SAMPLE)]
        return [fingerprint for _, fingerprint in ordered]


def patterns(context: Context, chosen: case_queue.CaseFilter) -> list[Pattern]:
    """The cases that a filter leaves (at most `MOST`) by their evidence, most cases first; those of two records."""
    with context.connection("onefold patterns") as conn:
        rows = case_queue.pairs(conn, chosen, limit=MOST)
        pairs = pa.table(
            {side: [row["record_ids"][at] for row in rows] for at, side in enumerate(("left_id", "right_id"))},
            pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())]),
        )
        ids = sorted({i for row in rows for i in row["record_ids"]})
        levels = levels_of_pairs(
            resolution.load_records(conn, RECORD, ids),
            resolution.load_identifiers(conn, IDENTIFIER, ids),
            pairs,
            model_in_force(context, conn),
            context.configuration.matching,
            generic=generic_of(conn),
        )
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        left, right = row["record_ids"]
        if (left, right) in levels:
            kind, found = levels[left, right]
            groups.setdefault((row["kind"], kind, tuple(sorted(found.items()))), []).append(row)
    made = [_pattern(key, cases) for key, cases in groups.items()]
    return sorted(made, key=lambda one: (-len(one.cases), one.pattern))


def shown(context: Context, chosen: case_queue.CaseFilter, cases: Collection[str]) -> dict[str, dict[str, Any]]:
    """Those of these cases that the filter leaves, by fingerprint, as `case_queue.page` has them."""
    with context.connection("onefold patterns") as conn:
        rows, _ = case_queue.page(conn, replace(chosen, cases=list(cases)), limit=max(len(cases), 1))
    return {row["fingerprint"]: row for row in rows}


def _pattern(key: tuple[Any, ...], cases: Sequence[Mapping[str, Any]]) -> Pattern:
    why, kind, levels = key
    weights = [(case["weight"] or 0) / WEIGHT_ONE_BIT for case in cases]
    digest = blake2b(repr(key).encode(), digest_size=8).hexdigest()
    return Pattern(digest, why, kind, [words_of(*one) for one in levels], min(weights), max(weights), cases)

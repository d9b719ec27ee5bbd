"""Pairs with their evidence: merges from the weakest to the strongest, and pairs that a person should look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.explanation.explain import explain_pair
from identity.features import positions
from onefold.steps.plain_evidence import as_plain

if TYPE_CHECKING:
    from onefold.trying.findings import Places
    from onefold.trying.kernel import Resolved

MOST: Final = 10
_REASONS: Final = {
    "between": "the evidence lies between the thresholds",
    "forbidden": "the evidence is strong, and a contradiction forbids it",
    "left_over": "the evidence is strong, and outweighed by other records of the two",
    "near": "the evidence falls short of a question",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Two records and what speaks for and against their being one client."""

    left: int
    right: int
    left_name: str
    right_name: str
    left_place: str
    right_place: str
    why: str
    """Why it is shown; empty for a merge."""
    evidence: dict[str, Any]
    """As `onefold.steps.plain_evidence.as_plain`: bits by field, in words."""


def merges(found: Resolved, places: Places, most: int = MOST) -> list[Example]:
    """Linked pairs of different clients, from the least evidence to the most; pairs of different files first."""
    pairs = found.resolution.pairs
    label = _labels(found, pairs)
    linked = np.flatnonzero(label[0] == label[1])
    sources = [_column(found, pairs[side], "source") for side in ("left_id", "right_id")]
    across = linked[np.array([sources[0][at] != sources[1][at] for at in linked.tolist()], dtype=np.bool_)]
    chosen = _spread(across if len(across) else linked, pairs["weight"].to_numpy(), label[0], most)
    ends = [(pairs["left_id"][at].as_py(), pairs["right_id"][at].as_py()) for at in chosen]
    return _explained(found, places, [(left, right, "") for left, right in ends])


def doubtful(found: Resolved, places: Places, most: int = MOST) -> list[Example]:
    """The questions that a person would be asked, of each kind some; where there are fewer, what comes next to one."""
    cases = found.resolution.cases
    by_kind = {kind: cases.filter(pc.equal(cases["kind"], kind)).to_pylist() for kind in _REASONS}
    ends: list[tuple[int, int, str]] = []
    for at in range(most):
        for kind, rows in by_kind.items():
            if at < len(rows) and len(ends) < most:
                ends.append((rows[at]["left_id"], rows[at]["right_id"], _REASONS[kind]))
    if len(ends) < most:
        ends += _near(found, most - len(ends), {frozenset(one[:2]) for one in ends})
    return _explained(found, places, ends)


def _near(found: Resolved, most: int, known: set[frozenset[int]]) -> list[tuple[int, int, str]]:
    """The heaviest plausible pairs of two clients that raise no question."""
    pairs = found.resolution.pairs
    label = _labels(found, pairs)
    apart = np.flatnonzero(label[0] != label[1])
    weight = pairs["weight"].to_numpy()[apart]
    made: list[tuple[int, int, str]] = []
    for at in apart[np.argsort(-weight.astype(np.int64), kind="stable")].tolist():
        left, right = pairs["left_id"][at].as_py(), pairs["right_id"][at].as_py()
        if len(made) < most and frozenset((left, right)) not in known:
            made.append((left, right, _REASONS["near"]))
    return made


def _spread(at: Any, weight: Any, label: Any, most: int) -> list[int]:
    """Of each client its lightest pair; of these so many, evenly from the lightest to the heaviest."""
    at = at[np.argsort(weight[at], kind="stable")]
    _, first = np.unique(label[at], return_index=True)
    at = at[np.sort(first)]
    if len(at) > most:
        at = at[np.linspace(0, len(at) - 1, most).round().astype(np.int64)]
    return [int(one) for one in at]


def _labels(found: Resolved, pairs: pa.Table) -> tuple[Any, Any]:
    """Of both sides of each pair the label of its cluster."""
    labels = found.resolution.labels
    label = labels["label"].to_numpy()
    left, right = (label[positions(labels["record_id"], pairs[side])] for side in ("left_id", "right_id"))
    return left, right


def _column(found: Resolved, ids: pa.ChunkedArray, name: str) -> list[Any]:
    """A column of the records of these ids."""
    values: list[Any] = found.records[name].take(pa.array(positions(found.records["record_id"], ids))).to_pylist()
    return values


def _explained(found: Resolved, places: Places, ends: Sequence[tuple[int, int, str]]) -> list[Example]:
    wanted = pa.array(sorted({record for left, right, _ in ends for record in (left, right)}), pa.int64())
    records = found.records.filter(pc.is_in(found.records["record_id"], wanted))
    identifiers = found.identifiers.filter(pc.is_in(found.identifiers["record_id"], wanted))
    settings, generic = found.context.configuration.matching, found.resolution.generic
    names = dict(
        zip(records["record_id"].to_pylist(), map(_shown_name, records["attributes"].to_pylist()), strict=True)
    )
    made = []
    for left, right, why in ends:
        evidence = explain_pair(records, identifiers, (left, right), found.model, settings, generic=generic)
        shown = names[left], names[right], places.name(left), places.name(right)
        made.append(Example(left, right, *shown, why, as_plain(evidence)))
    return made


def _shown_name(attributes: str) -> str:
    """A record's name as its file has it, else the first thing that it says."""
    values = {name: found[0]["v"] for name, found in json.loads(attributes).items() if found and found[0].get("v")}
    parts = [values[name] for name in ("given_name", "middle_name", "family_name") if name in values]
    name = values.get("legal_name") or values.get("full_name") or " ".join(parts)
    return str(name or next(iter(values.values()), ""))

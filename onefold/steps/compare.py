"""compare: the hub's clients beside another tool's crosswalk, and the disagreements that matter most."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psycopg
import pyarrow as pa

from identity.encoded import Flags, Ints
from identity.evaluation.crosswalk_diff import CrosswalkDiff, Disagreement, compare_crosswalks
from identity.evaluation.regrouping import Regrouping, numbered
from identity.features import positions
from identity.generic import GENERIC
from identity.population import Population, Rules
from identity.schema import IDENTIFIER, JUDGEMENT, KINDS, RECORD
from onefold.errors import NothingFound, OnefoldError, UsageError
from onefold.steps.explain import explain, generic_of
from onefold.steps.named_ids import match_named_ids, read_named_ids
from onefold.steps.report import Report
from onefold.steps.resolve import current_model
from onefold.steps.rules import distinct_sources
from warehouse import impact, judgements, resolution
from warehouse.keys import record_id

if TYPE_CHECKING:
    from onefold.context import Context

MOST: Final = 50
"""Disagreements that are explained."""
_RECORDS_WEIGHED: Final = 60
"""Of one disagreement the records whose pairs are weighed."""
_NAMING: Final = ("record_id", "source", "stream", "key")
_THEIR_ID: Final = ("client_id", "cluster_id", "entity_id", "master_id", "golden_id", "group_id", "id")


@dataclass(frozen=True, slots=True)
class CompareReport(Report):
    """Our clients beside theirs, over the records that both know."""

    records: int
    ours: int
    """Clients of ours that hold these records, and (`theirs`) of theirs."""
    theirs: int
    extents: Mapping[str, Mapping[str, int]]
    """By outcome ours, theirs, records. unchanged: the same records; merged: several of our clients are one of theirs;
    split: one of ours is several of theirs; overlapping: they exchange records."""
    disagreements: tuple[Mapping[str, Any], ...]
    """Most impact (records and interactions) first: outcome, ours and theirs (sizes), their_ids, records, interactions,
    impact; and of the pairs that one side joins the strongest and the weakest, each explained as `explain` does."""
    disagreements_in_all: int
    records_only_here: int
    unknown: tuple[str, ...]
    """Names of the file that no record of the hub has (the first twenty of `unknown_in_all`)."""
    unknown_in_all: int


@dataclass(frozen=True)
class _Compared:
    """The records that both know: names, ids, our clients, their ids, and the groups that follow."""

    names: tuple[str, ...]
    ids: Ints
    theirs: tuple[str, ...]
    groups: Regrouping


def compare(context: Context, crosswalk: Path, *, column: str | None = None, most: int = MOST) -> CompareReport:
    """Compare our clients with `crosswalk`, a CSV of source, stream (may be left out), key and their id.

    One column record_id may name the record instead. Their id is in `column`, else in the only other column, or in the
    only one with a usual name. Raises UsageError naming file and line where the file cannot be read, OnefoldError where
    a name means several records, NothingFound when none of its records is known.
    """
    column = column or their_id_column(crosswalk)
    named = read_named_ids(crosswalk, column)
    with context.progress.stage("compare", 2 + most) as stage, context.connection("onefold compare") as conn:
        rows = sorted(resolution.named_crosswalk(conn))
        matched = match_named_ids(crosswalk, named, [row[:3] for row in rows])
        at = sorted(matched.of)
        if not at:
            raise NothingFound(
                f"{crosswalk}: none of its {len(named)} records is known to the hub.",
                "A record is named source:stream:key as the hub names it; `onefold find` shows names.",
            )
        found = _Compared(
            tuple(":".join(rows[position][:3]) for position in at),
            np.array([record_id(*rows[position][:3]) for position in at], dtype=np.int64),
            tuple(matched.of[position] for position in at),
            Regrouping(
                numbered(np.array([rows[position][3] for position in at], dtype=object)),
                numbered(np.array([matched.of[position] for position in at], dtype=object)),
            ),
        )
        stage.advance()
        diff = compare_crosswalks(found.groups, _facts(conn, found), most)
        pairs = _telling_pairs(context, conn, found, diff)
        stage.advance()
        disagreements = []
        for one in diff.largest:
            disagreements.append(_plain(context, found, one, pairs[one.group]))
            stage.advance()
    return CompareReport(
        records=len(at),
        ours=found.groups.old_sizes.size,
        theirs=found.groups.new_sizes.size,
        extents={outcome: asdict(extent) for outcome, extent in diff.extents.items()},
        disagreements=tuple(disagreements),
        disagreements_in_all=int((found.groups.kind != "unchanged").sum()),
        records_only_here=len(rows) - len(at),
        unknown=matched.unknown[:20],
        unknown_in_all=len(matched.unknown),
    )


def their_id_column(path: Path) -> str:
    """The column of a crosswalk that holds the other tool's id; UsageError when several could."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = next(csv.reader(file), [])
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8.", "Save the file as UTF-8.") from None
    others = [name for name in columns if name not in _NAMING]
    usual = [name for name in others if name.casefold() in _THEIR_ID]
    if len(others) == 1 or len(usual) == 1:
        return (usual or others)[0]
    raise UsageError(
        f"{path}:1: it is not clear which column holds their id.",
        f"Name it with --id; there are: {', '.join(columns)}.",
    )


def _facts(conn: psycopg.Connection[Any], found: _Compared) -> Ints:
    """Of each record how many interactions it has; counted only where the two disagree."""
    open_records = found.groups.kind[found.groups.of_record] != "unchanged"
    counts = impact.interactions_of(conn, found.ids[open_records].tolist())
    return np.array([counts.get(record, 0) for record in found.ids.tolist()], dtype=np.int64)


def _telling_pairs(
    context: Context, conn: psycopg.Connection[Any], found: _Compared, diff: CrosswalkDiff
) -> dict[int, list[tuple[int, int]]]:
    """Of each disagreement the strongest and the weakest pair (positions) of those that only one side joins."""
    flips = {one.group: found.groups.flipping(one.group, _RECORDS_WEIGHED) for one in diff.largest}
    if not flips:
        return {}
    rows = np.unique(np.concatenate([side for pair in flips.values() for side in pair]))
    weigh = _Weigher(context, conn, found.ids[rows].tolist())
    result = {}
    for group, (left, right) in flips.items():
        known, weight = weigh(found.ids[left], found.ids[right])
        if not known.any():
            result[group] = [(int(left[0]), int(right[0]))]
            continue
        at = np.flatnonzero(known)
        order = at[np.lexsort((right[at], left[at], -weight[at]))]
        chosen = [order[0]] if len(order) == 1 else [order[0], order[-1]]
        result[group] = [(int(left[pair]), int(right[pair])) for pair in chosen]
    return result


class _Weigher:
    """Match weights of pairs of records by their ids."""

    def __init__(self, context: Context, conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> None:
        records = resolution.load_records(conn, RECORD, record_ids)
        identifiers = resolution.load_identifiers(conn, IDENTIFIER, record_ids)
        said = judgements.load_judgements(conn, JUDGEMENT)
        rules = Rules(
            current_model(context, conn),
            context.configuration.matching,
            said,
            distinct_sources(context),
            generic_of(conn).cast(GENERIC),
        )
        self._kinds = [Population(kind, records, identifiers, rules) for kind in KINDS]

    def __call__(self, left: Ints, right: Ints) -> tuple[Flags, Ints]:
        """Which pairs are of one kind, and the weights of those in 1/1024 bit."""
        known, weight = np.zeros(len(left), dtype=np.bool_), np.zeros(len(left), dtype=np.int64)
        for population in self._kinds:
            ids = pa.chunked_array([pa.array(population.ids)])
            one, two = (positions(ids, pa.chunked_array([pa.array(side)])) for side in (left, right))
            mine = (one >= 0) & (two >= 0)
            known |= mine
            weight[mine] = population.score(one[mine], two[mine]).weight
        return known, weight


def _plain(context: Context, found: _Compared, one: Disagreement, pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    told = [_told(context, found, pair) for pair in pairs]
    members = np.flatnonzero(found.groups.of_record == one.group)
    return {
        "outcome": one.outcome,
        "ours": list(one.ours),
        "theirs": list(one.theirs),
        "their_ids": sorted({found.theirs[position] for position in members.tolist()})[:20],
        "records": one.records,
        "interactions": one.facts,
        "impact": one.impact,
        "strongest": told[0],
        "weakest": told[-1],
    }


def _told(context: Context, found: _Compared, pair: tuple[int, int]) -> dict[str, Any]:
    left, right = pair
    names = found.names[left], found.names[right]
    joined = "us" if found.groups.old[left] == found.groups.old[right] else "them"
    try:
        evidence = explain(context, *names)
    except OnefoldError as error:
        # A record whose source is no longer configured is still some client's.
        evidence = {"left": names[0], "right": names[1], "verdict": None, "findings": [], "missing": str(error)}
    return {**evidence, "joined_by": joined}

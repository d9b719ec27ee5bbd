"""The whole run: standard records in, clients out. Arrow to Arrow; a function of records, model and
judgements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking import RuleKeys, candidate_pairs, keys_by_rule
from identity.cases import cases_of
from identity.cluster import Constraints, ScorePairs, Thresholds, cluster
from identity.features import Features, Flags, Ints, in_natural_order, natural_keys, positions
from identity.generic import generic_values
from identity.judgements import constraints_of
from identity.model import MatchModel
from identity.points import Points, points_of
from identity.report import Report, SplitReport, refused_blocks, rule_reports
from identity.schema import BLOCKING_KEY, JUDGEMENT, KINDS, PAIR
from identity.score import Scorer, Scores, Weights
from identity.settings import MatchingSettings

LABEL: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("label", pa.int64(), nullable=False),  # record id of the cluster's smallest natural key
        pa.field("natural_key", pa.string(), nullable=False),  # source:stream:key
    ]
)


@dataclass(frozen=True)
class Resolution:
    """The outcome of a run."""

    labels: pa.Table  # LABEL, in natural order
    keys: pa.Table  # BLOCKING_KEY
    pairs: pa.Table  # PAIR: plausible only; of records that are alike in everything each one with the first
    cases: pa.Table  # cases.CASE
    generic: pa.Table  # generic.GENERIC
    report: Report


@dataclass(frozen=True)
class _Run:
    """What every kind of record is resolved with."""

    identifiers: pa.Table
    judgements: pa.Table
    generic: pa.Table
    model: MatchModel
    settings: MatchingSettings
    distinct_sources: Collection[str]
    given: pa.Table | None
    by_rule: bool
    report: Report


@dataclass(frozen=True)
class _Pairs:
    """Plausible pairs as rows, the smaller first."""

    left: Ints
    right: Ints
    weight: Weights
    forbidden: Flags


def resolve(
    records: pa.Table,
    identifiers: pa.Table,
    judgements: pa.Table | None,
    model: MatchModel,
    settings: MatchingSettings,
    *,
    distinct_sources: Collection[str] = (),
    pairs: pa.Table | None = None,
    by_rule: bool = True,
) -> Resolution:
    """Resolve RECORD and IDENTIFIER tables under JUDGEMENT.

    `distinct_sources` hold each client once: two of their own records never merge. `pairs` (left_id,
    right_id) are candidate pairs found elsewhere with the same keys; without them they are found here.
    `by_rule` counts what each blocking rule did. Records of different kinds never share a cluster; own
    organisations and their staff stay alone.
    """
    records = in_natural_order(records)
    report = Report(records=records.num_rows)
    run = _Run(
        identifiers,
        JUDGEMENT.empty_table() if judgements is None else judgements,
        generic_values(records, identifiers, settings.generic_names),
        model,
        settings,
        distinct_sources,
        pairs,
        by_rule,
        report,
    )
    parts = [_resolve_kind(kind, records.filter(pc.equal(records["kind"], kind)), run) for kind in KINDS]
    labels = pa.concat_tables([part["labels"] for part in parts])
    labels = labels.take(pa.array(positions(labels["record_id"], records["record_id"])))
    report.clusters = int(pc.count_distinct(labels["label"]).as_py())
    report.refused.sort(key=lambda block: (-block.size, block.kind, block.rule, block.example))
    rest = {name: pa.concat_tables([part[name] for part in parts]) for name in ("keys", "pairs", "cases")}
    return Resolution(labels=labels, **rest, generic=run.generic, report=report)


def _resolve_kind(kind: str, records: pa.Table, run: _Run) -> dict[str, pa.Table]:
    ids = records["record_id"].to_numpy()
    features = Features.of(records, run.identifiers, run.generic.filter(pc.equal(run.generic["kind"], kind)))
    rules, model = run.settings.kind(kind), run.model.kind(kind)
    scorer = Scorer(features, kind, rules, model)
    eligible = ~records["is_own"].to_numpy()
    same, not_same, conflicts = constraints_of(run.judgements, records["record_id"])
    scorer.comparer.accept(same)
    keys = keys_by_rule(features, kind, rules, eligible)
    apart = pc.is_in(records["source"], value_set=pa.array(sorted(run.distinct_sources), pa.string())).to_numpy()
    source = records["source"].combine_chunks().dictionary_encode().indices.to_numpy()

    def score(left: Ints, right: Ints) -> Scores:
        scores = scorer.score(left, right)
        return Scores(scores.weight, scores.forbidden | (apart[left] & (source[left] == source[right])))

    # What a human or a distinct register speaks of stands alone, however alike it is to others.
    free = eligible & ~apart & ~np.isin(ids, _judged(run.judgements))
    points = points_of(scorer, features, rules, free)
    pairs = _plausible(_candidates(kind, keys, points, ids, run), score, model.plausible)
    of = points.of
    open_pairs = ~pairs.forbidden
    found = cluster(
        points.sizes,
        (of[pairs.left[open_pairs]], of[pairs.right[open_pairs]], pairs.weight[open_pairs]),
        lambda left, right: score(points.row[left], points.row[right]),
        Thresholds(model.plausible, model.link, run.model.component_bound, model.pooled),
        Constraints((of[same[0]], of[same[1]]), (of[not_same[0]], of[not_same[1]])),
    )
    label = points.row[found.label][of]  # the row of the smallest natural key of each record's cluster
    keyed = natural_keys(records)
    report = run.report
    report.plausible_pairs += len(pairs.left)
    linked = np.flatnonzero(label[pairs.left] == label[pairs.right])
    report.linked_pairs += len(linked)
    report.split += [SplitReport.of(kind, keyed[points.row[split.first]], split) for split in found.split]
    report.conflicts += [conflict for conflict in conflicts if conflict not in report.conflicts]
    if run.by_rule:
        ends = pairs.left[linked], pairs.right[linked]
        report.rules += rule_reports(
            kind, rules, run.settings.block_cap, keys, represents=points.is_representative, linked=ends
        )
    order = np.argsort(keys.row, kind="stable")
    return {
        "labels": pa.table({"record_id": ids, "label": ids[label], "natural_key": keyed}, schema=LABEL),
        "keys": pa.table({"key": keys.key[order], "record_id": ids[keys.row[order]]}, schema=BLOCKING_KEY),
        "pairs": _pair_table(ids, pairs, points, run.model.version),
        "cases": cases_of(ids, label, (pairs.left, pairs.right, pairs.weight, pairs.forbidden), not_same, model),
    }


def _judged(judgements: pa.Table) -> Ints:
    """The ids of all records that a judgement names."""
    lists = [judgements[name].combine_chunks().flatten().to_numpy() for name in ("left_ids", "right_ids")]
    return np.concatenate(lists).astype(np.int64)


def _candidates(kind: str, keys: RuleKeys, points: Points, ids: Ints, run: _Run) -> tuple[Ints, Ints]:
    """Candidate pairs as rows of points' first records, the smaller first, in natural order."""
    if run.given is None:
        chosen = points.is_representative[keys.row]
        table = pa.table({"key": keys.key[chosen], "record_id": keys.row[chosen]}, schema=BLOCKING_KEY)
        found = candidate_pairs(table, run.settings.block_cap)
        run.report.refused += refused_blocks(kind, run.settings.kind(kind), keys, found.refused, ids)
        pairs = found.pairs
    else:
        known = pa.chunked_array([pa.array(ids)])
        left, right = positions(known, run.given["left_id"]), positions(known, run.given["right_id"])
        here = (left >= 0) & (right >= 0)
        left, right = points.row[points.of[left[here]]], points.row[points.of[right[here]]]
        pairs = pa.table({"left_id": np.minimum(left, right), "right_id": np.maximum(left, right)})
        pairs = pairs.filter(pc.not_equal(pairs["left_id"], pairs["right_id"]))
        pairs = pairs.group_by(["left_id", "right_id"]).aggregate([])
    pairs = pairs.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
    run.report.candidate_pairs += pairs.num_rows
    return pairs["left_id"].to_numpy(), pairs["right_id"].to_numpy()


def _plausible(candidates: tuple[Ints, Ints], score: ScorePairs, threshold: int) -> _Pairs:
    left, right = candidates
    scores = score(left, right)
    keep = scores.weight >= threshold
    return _Pairs(left[keep], right[keep], scores.weight[keep], scores.forbidden[keep])


def _pair_table(ids: Ints, pairs: _Pairs, points: Points, version: int) -> pa.Table:
    """PAIR rows: the plausible pairs, and every record of a point with the point's first."""
    alike = np.flatnonzero(~points.is_representative)
    left = np.concatenate([pairs.left, points.row[points.of[alike]]])
    right = np.concatenate([pairs.right, alike])
    weight = np.concatenate([pairs.weight, points.weight[alike]])
    order = np.lexsort((right, left))
    return pa.table(
        {
            "left_id": ids[left[order]],
            "right_id": ids[right[order]],
            "weight": weight[order],
            "model_version": np.full(len(left), version, dtype=np.int32),
        },
        schema=PAIR,
    )

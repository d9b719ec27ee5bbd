"""From what the stages wrote to the Resolution that the local engine gives: the same rows in the same order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import RULES_PER_KIND
from identity.clustering.cases import CASE
from identity.encoded import Ints
from identity.features import in_natural_order, natural_keys, positions
from identity.hashing import Hashes
from identity.judgements import constraints_of
from identity.memory import give_back
from identity.population import Rules
from identity.report import Report, SplitReport, refused_blocks, weight_bins
from identity.resolve import LABEL, POINT, REFUSED, Resolution
from identity.schema import KINDS, PAIR, RECORD

NAMED: Final = pa.schema([RECORD.field(name) for name in ("record_id", "source", "stream", "source_key", "kind")])


@dataclass(frozen=True)
class Found:
    """The outcome of the steps of a run, in any order of rows."""

    records: pa.Table  # NAMED: every record
    points: pa.Table  # record_id and fingerprint of every record
    alike: pa.Table  # PAIR: records with the first of their point
    candidates: int
    pairs: pa.Table  # PAIR: the plausible candidates
    refused: pa.Table  # key, size
    first: pa.Table  # key, record_id: of each refused block its first record
    labels: pa.Table  # record_id, label: of whoever hangs together with others
    cases: pa.Table  # CASE
    told: pa.Table  # report (work.SETTLED)


def resolution(found: Found, rules: Rules, keys: Callable[[], pa.Table]) -> Resolution:
    """The Resolution of a run under `rules`, whose generic and accepted values are known. `keys` (BLOCKING_KEY), the
    largest of all, are asked for last."""
    assert rules.accepted is not None
    records = in_natural_order(found.records)
    ordered = _Order(records)
    labels = _labels(records, ordered, found.labels)
    pairs = ordered.sorted_by(pa.concat_tables([found.pairs, found.alike]), *PAIR.names[:2])
    refused = _refused(found.refused)
    report = _report(found, rules, ordered, pairs, refused)
    report.clusters = int(pc.count_distinct(labels["label"]).as_py())
    report.records = records.num_rows
    report.order()
    points = ordered.sorted_by(found.points, "record_id")
    first = _first_ids(points["record_id"].to_numpy(), found.alike)
    cases = _cases(ordered, found.cases.cast(CASE))
    points = points.append_column(POINT.field("first_id"), pa.array(first))
    del ordered, records, first
    give_back(points.num_rows)
    return Resolution(
        labels=labels,
        keys=keys(),
        pairs=pairs,
        cases=cases,
        generic=rules.generic,
        points=points,
        accepted=rules.accepted,
        refused=refused,
        report=report,
    )


class _Order:
    """The records by kind, and in natural order within."""

    def __init__(self, records: pa.Table) -> None:
        self._ids = records["record_id"]
        kind = pc.index_in(records["kind"], value_set=pa.array(KINDS)).to_numpy()
        self.kind = kind
        self._rank = np.empty(len(kind), dtype=np.int64)
        self._rank[np.argsort(kind, kind="stable")] = np.arange(len(kind))

    def at(self, ids: pa.ChunkedArray) -> Ints:
        """Of each record its row."""
        return positions(self._ids, ids)

    def rank(self, ids: pa.ChunkedArray) -> Ints:
        """Of each record its place."""
        found: Ints = self._rank[self.at(ids)]
        return found

    def sorted_by(self, table: pa.Table, *names: str) -> pa.Table:
        """The rows by the places of the records in these columns."""
        order = np.lexsort([self.rank(table[name]) for name in reversed(names)])
        return table.take(pa.array(order)).combine_chunks()


def _labels(records: pa.Table, ordered: _Order, told: pa.Table) -> pa.Table:
    """LABEL in natural order; who hangs together with nobody is a client alone."""
    label = records["record_id"].to_numpy().copy()
    label[ordered.at(told["record_id"])] = told["label"].to_numpy()
    return pa.table([records["record_id"], label, natural_keys(records)], schema=LABEL)


def _cases(ordered: _Order, cases: pa.Table) -> pa.Table:
    """CASE rows, per kind of record most records first, then most bits, as `cases_of` orders them."""
    weight, records = (cases[name].to_numpy().astype(np.int64) for name in ("weight", "records"))
    kind = ordered.kind[ordered.at(cases["left_id"])]
    one, two = ordered.rank(cases["left_label"]), ordered.rank(cases["right_label"])
    ties = np.maximum(one, two), np.minimum(one, two)
    order = np.lexsort((*ties, ordered.rank(cases["left_id"]), -weight, -records, kind))
    return cases.take(pa.array(order))


def _first_ids(ids: Ints, alike: pa.Table) -> Ints:
    first = ids.copy()
    first[positions(pa.chunked_array([ids]), alike["right_id"])] = alike["left_id"].to_numpy()
    return first


def _refused(refused: pa.Table) -> pa.Table:
    """REFUSED rows: those of each kind of record together, the largest first."""
    key, size = refused["key"].to_numpy(), refused["size"].to_numpy()
    order = np.lexsort((key, -size, _kind_of(key)))
    return pa.table([key[order], size[order]], schema=REFUSED)


def _kind_of(key: Ints) -> Ints:
    """Of each key the number of the kind whose rule made it."""
    bits: Hashes = key.view(np.uint64)
    return ((bits & np.uint64(0xFF)) // np.uint64(RULES_PER_KIND)).astype(np.int64)


def _report(found: Found, rules: Rules, ordered: _Order, pairs: pa.Table, refused: pa.Table) -> Report:
    report = Report(candidate_pairs=found.candidates, plausible_pairs=found.pairs.num_rows)
    kinds, examples = ordered.kind[ordered.at(pairs["left_id"])], found.first["record_id"].to_numpy()
    key = refused["key"].to_numpy()
    for number, kind in enumerate(KINDS):
        weights = pairs["weight"].to_numpy()[kinds == number]
        if len(weights):
            report.weights[kind] = weight_bins(weights)
        mine = refused.filter(pa.array(_kind_of(key) == number))
        row = positions(found.first["key"], mine["key"])
        mine = mine.append_column("row", pa.array(row))
        report.refused += refused_blocks(kind, rules.settings.kind(kind), mine, examples)
    report.refused_count = refused.num_rows
    told = [json.loads(text) for text in found.told["report"].to_pylist()]
    report.linked_pairs = sum(one["linked_pairs"] for one in told)
    split = [SplitReport(**split) for one in told for split in one["split"]]
    report.split = sorted(split, key=lambda one: (KINDS.index(one.kind), one.first_key.encode()))
    report.conflicts = constraints_of(rules.judgements, found.records["record_id"])[2]
    return report

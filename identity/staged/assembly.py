"""From what the stages wrote to the Resolution that the local engine gives: the same rows in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import RULES_PER_KIND
from identity.clustering.cases import CASE, cases_of
from identity.clustering.cluster import SplitComponent
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
    pairs: pa.Table  # COMPARED: the plausible candidates
    refused: pa.Table  # key, size
    first: pa.Table  # key, record_id: of each refused block its first record
    settled: pa.Table  # SETTLED: of whoever hangs together with others
    split: tuple[tuple[str, SplitComponent], ...]  # the kind, and what was over the bound; `first`: a row


def resolution(found: Found, rules: Rules, keys: Callable[[], pa.Table]) -> Resolution:
    """The Resolution of a run under `rules`, whose generic and accepted values are known. `keys` (BLOCKING_KEY), the
    largest of all, are asked for last."""
    assert rules.accepted is not None
    records = in_natural_order(found.records)
    ordered = _Order(records)
    labels = _labels(records, ordered, found)
    cases, linked = _cases(found, rules, ordered, labels)
    pairs = ordered.sorted_by(pa.concat_tables([found.pairs.select(PAIR.names), found.alike]), *PAIR.names[:2])
    refused = _refused(found.refused)
    report = _report(found, rules, ordered, pairs, refused)
    report.linked_pairs = linked
    report.split = [
        SplitReport.of(kind, labels["natural_key"][split.first].as_py(), split) for kind, split in found.split
    ]
    report.clusters = int(pc.count_distinct(labels["label"]).as_py())
    report.records = records.num_rows
    report.order()
    points = ordered.sorted_by(found.points, "record_id")
    first = _first_ids(points["record_id"].to_numpy(), found.alike)
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


def _labels(records: pa.Table, ordered: _Order, found: Found) -> pa.Table:
    """LABEL in natural order; who hangs together with nobody is a client alone."""
    label = records["record_id"].to_numpy().copy()
    label[ordered.at(found.settled["record_id"])] = found.settled["label"].to_numpy()
    label[ordered.at(found.alike["right_id"])] = label[ordered.at(found.alike["left_id"])]
    return pa.table([records["record_id"], label, natural_keys(records)], schema=LABEL)


def _cases(found: Found, rules: Rules, ordered: _Order, labels: pa.Table) -> tuple[pa.Table, int]:
    """CASE rows by kind of record, and how many plausible pairs are one client."""
    ids, pairs, linked, cases = labels["record_id"], found.pairs, 0, [CASE.empty_table()]
    of_each = ordered.at(labels["label"])
    left, right = (ordered.at(pairs[name]) for name in PAIR.names[:2])
    weight, forbidden, of_pair = pairs["weight"].to_numpy(), pairs["forbidden"].to_numpy(), ordered.kind[left]
    for number, kind in enumerate(KINDS):
        rows, mine = np.flatnonzero(ordered.kind == number), np.flatnonzero(of_pair == number)
        place = np.cumsum(ordered.kind == number) - 1  # among those of the kind
        label, one, two = place[of_each[rows]], place[left[mine]], place[right[mine]]
        _, apart, _ = constraints_of(rules.judgements, ids.take(pa.array(rows)))
        linked += int((label[one] == label[two]).sum())
        compared = one, two, weight[mine], forbidden[mine]
        cases.append(cases_of(ids.to_numpy()[rows], label, compared, apart, rules.model.kind(kind)))
    return pa.concat_tables(cases), linked


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
    report.conflicts = constraints_of(rules.judgements, found.records["record_id"])[2]
    return report

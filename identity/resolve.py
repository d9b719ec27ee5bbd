"""The whole run: standard records in, clients out. Arrow to Arrow; a function of records, model and
judgements."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.pairing import Pairing, RuleBlocks, blocks_of_rules, refused_of
from identity.clustering.cases import cases_of
from identity.clustering.cluster import Constraints, cluster
from identity.clustering.linkage import Thresholds
from identity.clustering.points import Points
from identity.encoded import Codes, Ints
from identity.features import positions
from identity.hashing import Hashes, signed
from identity.memory import give_back
from identity.model import MatchModel
from identity.parallel import in_parallel
from identity.plausible import Pairs, pair_table, plausible, promising
from identity.population import Population, Rules
from identity.register import Register
from identity.report import Report, SplitReport, refused_blocks, rule_reports, weight_bins
from identity.schema import BLOCKING_KEY, JUDGEMENT, KINDS
from identity.settings import MatchingSettings

LABEL: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("label", pa.int64(), nullable=False),  # record id of the cluster's smallest natural key
        pa.field("natural_key", pa.string(), nullable=False),  # source:stream:key
    ]
)
POINT: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("fingerprint", pa.int64()),  # of all that is compared; null: it stands alone whatever it is like
        pa.field("first_id", pa.int64(), nullable=False),  # the first of the records that are taken as one with it
    ]
)
"""Which records are alike in everything and taken as one."""
REFUSED: Final = pa.schema(
    [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),  # points in the block
    ]
)
"""Blocks over the limit of their rule."""


@dataclass(frozen=True)
class Takers:
    """Who takes parts of the outcome as soon as they are known, long before the clusters."""

    keys: Callable[[pa.Table, Codes], None]  # BLOCKING_KEY rows, and of each a number of its record
    evidence: Callable[[pa.Table, pa.Table, pa.Table], None]  # PAIR, POINT and REFUSED rows


@dataclass(frozen=True)
class Resolution:
    """The outcome of a run."""

    labels: pa.Table  # LABEL, in natural order
    keys: pa.Table  # BLOCKING_KEY of the first record of each point; none where candidate pairs were given
    pairs: pa.Table  # PAIR: plausible only; of records that are alike in everything each one with the first
    cases: pa.Table  # cases.CASE
    generic: pa.Table  # generic.GENERIC
    points: pa.Table  # POINT
    accepted: pa.Table  # accepted.ACCEPTED
    refused: pa.Table  # REFUSED
    report: Report


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
    takers: Takers | None = None,
) -> Resolution:
    """Resolve RECORD and IDENTIFIER tables under JUDGEMENT.

    `distinct_sources` hold each client once: two of their own records never merge. `pairs` (left_id,
    right_id) are candidate pairs found elsewhere with the same keys; without them they are found here.
    `by_rule` counts what each blocking rule did. `takers` are handed parts of the outcome early.
    Records of different kinds never share a cluster; own
    organisations and their staff stay alone.
    """
    return resolve_register(
        Register(records, identifiers, settings),
        judgements,
        model,
        distinct_sources=distinct_sources,
        pairs=pairs,
        by_rule=by_rule,
        takers=takers,
    )


def resolve_register(
    register: Register,
    judgements: pa.Table | None,
    model: MatchModel,
    *,
    distinct_sources: Collection[str] = (),
    pairs: pa.Table | None = None,
    by_rule: bool = True,
    takers: Takers | None = None,
) -> Resolution:
    """`resolve` of a register that something else may have looked at already, such as `train_register`."""
    said = JUDGEMENT.empty_table() if judgements is None else judgements
    rules = Rules(model, register.settings, said, distinct_sources, register.generic)
    return _resolve(rules, register, pairs, by_rule, takers)


def resolve_under(
    rules: Rules, records: pa.Table, identifiers: pa.Table, *, pairs: pa.Table | None = None, by_rule: bool = False
) -> Resolution:
    """`resolve` under rules that know what is generic and accepted in the whole register.

    The records, in natural order, may then be a part of it, if it is closed: with each record there are all that a
    plausible pair, a point, a client or a `same` connects with it, and `pairs` are all candidate pairs among them.
    """
    return _resolve(rules, Register(records, identifiers, rules.settings, rules.generic), pairs, by_rule)


def together(kinds: Iterable[Resolution], records: pa.Table) -> Resolution:
    """What `resolve` gives of all `records`, in natural order, from what it gave of each kind alone (`Register.alone`),
    in the order of KINDS; nothing of what each blocking rule did."""
    parts = list(kinds)
    report = Report()
    for part in parts:
        report.add(part.report)
    joined = {
        name: pa.concat_tables([getattr(part, name) for part in parts])
        for name in ("labels", "keys", "pairs", "cases", "points", "accepted", "refused")
    }
    labels = _in_order_of(records, joined.pop("labels"))
    return Resolution(labels=labels, generic=parts[0].generic, report=report, **joined)


def _in_order_of(records: pa.Table, labels: pa.Table) -> pa.Table:
    if labels["record_id"].equals(records["record_id"]):
        return labels
    return labels.take(pa.array(positions(labels["record_id"], records["record_id"])))


def _resolve(
    rules: Rules, register: Register, pairs: pa.Table | None, by_rule: bool, takers: Takers | None = None
) -> Resolution:
    records = register.records
    report = Report(records=records.num_rows)
    populations = [Population(kind, records, register.identifiers, rules, register.of(kind)) for kind in KINDS]
    pointed = [_Pointed.of(population, is_given=pairs is not None) for population in populations]
    # With the table the keys by rule are given up, unless they are still to be reported on.
    held = list(zip(populations, pointed, strict=True))
    keys: pa.Table | None = None if pairs is None else BLOCKING_KEY.empty_table()
    if takers is not None and keys is None:
        numbers: list[Codes] = []
        keys = _key_table(held, keep=by_rule, numbers=numbers)
        takers.keys(keys, np.concatenate([np.zeros(0, dtype=np.int32), *numbers]))
        del numbers
    paired = [_paired(population, one, pairs, report) for population, one in held]
    early = None
    if takers is not None:
        early = [_evidence(*of, found, rules, report) for of, found in zip(held, paired, strict=True)]
        takers.evidence(*(pa.concat_tables(tables) for tables in zip(*early, strict=True)))
    parts, evidence = [], []
    for number, (population, one) in enumerate(held):
        parts.append(_clustered(population, one.points, paired[number].pairs, rules, report))
        if by_rule and pairs is None:
            _count_rules(population, one.points, paired[number].pairs, parts[-1]["labels"], report)
        # Not before: they would be held while records are clustered.
        evidence.append(early[number] if early else _evidence(population, one, paired[number], rules, report))
    labels = _in_order_of(records, pa.concat_tables([part["labels"] for part in parts]))
    report.clusters = int(pc.count_distinct(labels["label"]).as_py())
    report.order()
    accepted = rules.accepted
    if accepted is None:
        accepted = pa.concat_tables([population.accepted for population in populations])
    cases = pa.concat_tables([part["cases"] for part in parts])
    found, points, refused = (pa.concat_tables(tables) for tables in zip(*evidence, strict=True))
    if keys is None:  # not before: they would be held while pairs are compared
        give_back(records.num_rows)
        keys = _key_table(held, keep=False)
    return Resolution(labels, keys, found, cases, rules.generic, points, accepted, refused, report)


@dataclass
class _Pointed:
    """A population's points, and the blocks of their first records."""

    fingerprint: Hashes
    points: Points
    blocks: list[RuleBlocks] | None  # None where candidate pairs were given, and when they have been used

    @classmethod
    def of(cls, population: Population, *, is_given: bool) -> _Pointed:
        """Of a population; `is_given`: its candidate pairs."""
        fingerprint = population.fingerprints()
        points = population.points(fingerprint)
        if is_given:
            return cls(fingerprint, points, None)
        caps = population.limits()["cap"].to_pylist()
        return cls(fingerprint, points, blocks_of_rules(population.keys().by_rule, caps, points.is_representative))


@dataclass(frozen=True)
class _Paired:
    """What blocking and comparison found in a population."""

    pairs: Pairs
    refused: pa.Table  # key, size and the first row of each block over its limit


def _paired(population: Population, pointed: _Pointed, given: pa.Table | None, report: Report) -> _Paired:
    ids, kind, model = population.ids, population.kind, population.model
    refused = REFUSED.empty_table()
    if pointed.blocks is not None:
        refused = refused_of(pointed.blocks)
        report.refused += refused_blocks(kind, population.settings, refused, ids)
        report.refused_count += refused.num_rows
        pairing = Pairing(pointed.blocks, len(ids))
        pointed.blocks = None
        number, left, right = promising(population, pairing)
        del pairing
        give_back(len(ids))
    else:
        left, right = _given(given, pointed.points, ids)
        number = len(left)
    report.candidate_pairs += number
    pairs = plausible((left, right), population.score, model.plausible)
    report.plausible_pairs += len(pairs.left)
    return _Paired(pairs, refused)


def _evidence(
    population: Population, pointed: _Pointed, found: _Paired, rules: Rules, report: Report
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """PAIR, POINT and REFUSED rows of a population."""
    pairs = pair_table(population.ids, found.pairs, pointed.points, rules.model.version)
    if pairs.num_rows:
        report.weights[population.kind] = weight_bins(pairs["weight"].to_numpy())
    points = point_table(population, pointed.points, pointed.fingerprint)
    return pairs, points, found.refused.select(REFUSED.names).cast(REFUSED)


def _clustered(
    population: Population, points: Points, pairs: Pairs, rules: Rules, report: Report
) -> dict[str, pa.Table]:
    """The labels and cases of a population."""
    ids, kind, model, score = population.ids, population.kind, population.model, population.score
    of = points.of
    open_pairs = ~pairs.forbidden
    same, not_same = population.same, population.not_same
    clusters = cluster(
        points.sizes,
        (of[pairs.left[open_pairs]], of[pairs.right[open_pairs]], pairs.weight[open_pairs]),
        lambda left, right: score(points.row[left], points.row[right]),
        Thresholds.of(rules.model, kind),
        Constraints((of[same[0]], of[same[1]]), (of[not_same[0]], of[not_same[1]])),
    )
    label = points.row[clusters.label][of]  # the row of the smallest natural key of each record's cluster
    natural_keys = population.natural_keys()
    report.linked_pairs += int((label[pairs.left] == label[pairs.right]).sum())
    report.split += [
        SplitReport.of(kind, natural_keys[int(points.row[split.first])].as_py(), split) for split in clusters.split
    ]
    report.conflicts += [conflict for conflict in population.conflicts if conflict not in report.conflicts]
    return {
        "labels": pa.table({"record_id": ids, "label": ids[label], "natural_key": natural_keys}, schema=LABEL),
        "cases": cases_of(ids, label, (pairs.left, pairs.right, pairs.weight, pairs.forbidden), not_same, model),
    }


def _count_rules(population: Population, points: Points, pairs: Pairs, labels: pa.Table, report: Report) -> None:
    """What each blocking rule did for the pairs that ended in one cluster."""
    label = labels["label"].to_numpy()
    linked = np.flatnonzero(label[pairs.left] == label[pairs.right])
    report.rules += rule_reports(
        population.kind,
        population.settings,
        population.limits()["cap"].to_pylist(),
        population.keys(),
        represents=points.is_representative,
        linked=(pairs.left[linked], pairs.right[linked]),
    )


def _key_table(
    held: Iterable[tuple[Population, _Pointed]], *, keep: bool, numbers: list[Codes] | None = None
) -> pa.Table:
    """BLOCKING_KEY of the first record of each point; unless they are to be kept, a register gives up its keys rule by
    rule, so that they are never held twice. To `numbers` comes of each key the number of its record."""
    tables, count = [BLOCKING_KEY.empty_table()], 0
    for population, pointed in held:
        keys = population.keys().by_rule if keep else population.register.given_up_keys()
        for table, row in _keys_by_rule(keys, pointed.points, population.ids, with_rows=numbers is not None):
            tables.append(table)
            if numbers is not None:
                numbers.append(row + np.int32(count))
        count += len(population.ids)
    return pa.concat_tables(tables)


def _keys_by_rule(
    keys: Iterable[tuple[Ints, Codes]], points: Points, ids: Ints, *, with_rows: bool
) -> list[tuple[pa.Table, Codes]]:
    is_first, none = points.is_representative, np.zeros(0, dtype=np.int32)
    is_whole = bool(is_first.all())

    def of_rule(entries: tuple[Ints, Codes]) -> tuple[pa.Table, Codes]:
        key, row = entries
        if not is_whole:
            chosen = is_first[row]
            key, row = key[chosen], row[chosen]
        return pa.table({"key": key, "record_id": ids[row]}, schema=BLOCKING_KEY), row if with_rows else none

    return in_parallel(of_rule, keys, len(ids))


def _in_order(pairs: pa.Table) -> tuple[Ints, Ints]:
    pairs = pairs.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
    return pairs["left_id"].to_numpy(), pairs["right_id"].to_numpy()


def _given(given: pa.Table, points: Points, ids: Ints) -> tuple[Ints, Ints]:
    """Candidate pairs found elsewhere as rows of points' first records, the smaller first, in natural order."""
    known = pa.chunked_array([pa.array(ids)])
    left, right = positions(known, given["left_id"]), positions(known, given["right_id"])
    here = (left >= 0) & (right >= 0)
    left, right = points.row[points.of[left[here]]], points.row[points.of[right[here]]]
    pairs = pa.table({"left_id": np.minimum(left, right), "right_id": np.maximum(left, right)})
    pairs = pairs.filter(pc.not_equal(pairs["left_id"], pairs["right_id"]))
    return _in_order(pairs.group_by(["left_id", "right_id"]).aggregate([]))


def point_table(population: Population, points: Points | None = None, fingerprint: Hashes | None = None) -> pa.Table:
    """POINT rows of a population, whose points and fingerprints may be known."""
    if fingerprint is None:
        fingerprint = population.fingerprints()
    points = points or population.points(fingerprint)
    bits = pa.array(signed(fingerprint), mask=~population.free)
    first = population.ids[points.row[points.of]]
    return pa.table({"record_id": population.ids, "fingerprint": bits, "first_id": first}, schema=POINT)

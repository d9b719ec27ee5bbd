"""evaluate, beyond clients: pairs by threshold, what blocking misses, and records that cannot be linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pyarrow as pa

from identity.accepted import ACCEPTED
from identity.evaluation.blocking_quality import BlockingQuality, blocking_quality
from identity.evaluation.pair_quality import PairQuality, ThresholdQuality, pair_quality
from identity.evaluation.truth import KnownRecords
from identity.evaluation.unlinkable import SelfEvidence, self_evidence
from identity.explanation.words import column_words
from identity.generic import GENERIC
from identity.population import Population, Rules
from identity.schema import IDENTIFIER, JUDGEMENT, KINDS, PAIR, RECORD, WEIGHT_ONE_BIT
from onefold.errors import NothingFound
from onefold.steps.logged import keep_run
from onefold.steps.named_ids import match_named_ids, read_named_ids
from onefold.steps.report import Report
from onefold.steps.resolve import current_model
from onefold.steps.rules import distinct_sources
from warehouse import evidence, judgements, resolution
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class MeasureReport(Report):
    """What was asked for, per kind of records; empty what was not asked. Weights and thresholds in bits."""

    model_version: int
    thresholds: tuple[Mapping[str, Any], ...] = ()
    """kind, records, true_pairs, at (plausible, review, link), best, curve; of each point threshold, found, right,
    precision, recall, f1."""
    blocking: tuple[Mapping[str, Any], ...] = ()
    """kind, records, true_pairs, proposed, recall, alike, lost, rules, missed (left, right, bits), is_cut."""
    unlinkable: tuple[Mapping[str, Any], ...] = ()
    """kind, records, unlinkable, unseen, silent, examples (record, bits), curve (threshold, below)."""


@dataclass(frozen=True)
class _Register:
    """What is stored, at one moment."""

    records: pa.Table
    identifiers: pa.Table
    pairs: pa.Table
    rules: Rules


def measure(
    context: Context,
    *,
    truth: Path | None = None,
    thresholds: bool = False,
    blocking: bool = False,
    unlinkable: bool = False,
    examples: int = 20,
) -> MeasureReport:
    """Measure the stored records and plausible pairs with the model in use; nothing is clustered, and nothing written
    but the recall of blocking in `ops.run`.

    `thresholds` and `blocking` need a `truth` file (see `named_ids`); `examples` bounds each list of them. Raises
    NothingFound while there are no client records.
    """
    named = read_named_ids(truth) if truth and (thresholds or blocking) else {}
    with context.progress.stage("measure", 1 + len(KINDS)) as stage:
        register = _load(context, with_pairs=thresholds)
        stage.advance()
        known = _truth(truth, named, register.records) if truth and named else None
        found: dict[str, list[Any]] = {"thresholds": [], "blocking": [], "unlinkable": []}
        for kind in KINDS:
            population = Population(kind, register.records, register.identifiers, register.rules)
            if len(population.ids):
                named_here = None if known is None else KnownRecords.of(population, known)
                if thresholds and named_here is not None:
                    found["thresholds"].append(pair_quality(population, named_here, register.pairs))
                if blocking and named_here is not None:
                    found["blocking"].append(blocking_quality(population, named_here, examples))
                if unlinkable:
                    found["unlinkable"].append(self_evidence(population, examples))
            stage.advance()
    ids = {pair_id for one in found["blocking"] for pair in one.missed for pair_id in (pair.left_id, pair.right_id)}
    ids |= {record for one in found["unlinkable"] for record, _ in one.examples}
    with context.connection("onefold evaluate") as conn:
        names = resolution.names_of(conn, sorted(ids))
    recalls = tuple(_of_blocking(one, names) for one in found["blocking"])
    if recalls:
        _keep(context, register.rules.model.version, recalls)
    return MeasureReport(
        register.rules.model.version,
        tuple(_of_thresholds(one) for one in found["thresholds"]),
        recalls,
        tuple(_of_unlinkable(one, names) for one in found["unlinkable"]),
    )


def _keep(context: Context, version: int, recalls: Sequence[Mapping[str, Any]]) -> None:
    """For who looks without measuring: counts and rules only, no record."""
    told = [{name: value for name, value in one.items() if name not in ("missed", "is_cut")} for one in recalls]
    with context.connection("onefold evaluate") as conn:
        keep_run(context, conn, "evaluate", {"model_version": version, "blocking": told})


def _load(context: Context, *, with_pairs: bool) -> _Register:
    with context.connection("onefold evaluate") as conn, unit_of_work(conn):
        hub_lock(conn)
        model = current_model(context, conn)
    with context.connection("onefold evaluate") as conn:
        # One moment for all tables, without making anybody wait.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with unit_of_work(conn):
            rules = Rules(
                model,
                context.configuration.matching,
                judgements.load_judgements(conn, JUDGEMENT),
                distinct_sources(context),
                evidence.load_generic(conn, GENERIC),
                evidence.load_accepted(conn, ACCEPTED),
            )
            records = resolution.load_records(conn, RECORD)
            identifiers = resolution.load_identifiers(conn, IDENTIFIER)
            pairs = evidence.load_pairs(conn, PAIR) if with_pairs else PAIR.empty_table()
    if records.num_rows == 0:
        raise NothingFound("There are no client records yet.", "`onefold run` brings them in.")
    return _Register(records, identifiers, pairs, rules)


def _truth(path: Path, named: dict[str, str], records: pa.Table) -> pa.Table:
    """record_id and entity_id of the records that the file names."""
    columns = (records[name].to_pylist() for name in ("source", "stream", "source_key"))
    of = match_named_ids(path, named, list(zip(*columns, strict=True))).of
    at = np.array(sorted(of), dtype=np.int64)
    entities = pa.array([of[position] for position in at.tolist()], pa.string())
    return pa.table({"record_id": records["record_id"].take(pa.array(at)), "entity_id": entities})


def _of_thresholds(found: PairQuality) -> dict[str, Any]:
    levels = {"plausible": found.plausible, "review": found.review, "link": found.link}
    return {
        "kind": found.kind,
        "records": found.records,
        "true_pairs": found.true_pairs,
        "at": {name: _point(found.at(threshold)) for name, threshold in levels.items()},
        "best": _point(found.best),
        "curve": [_point(point) for point in found.curve],
    }


def _point(point: ThresholdQuality) -> dict[str, Any]:
    return {
        "threshold": point.threshold / WEIGHT_ONE_BIT,
        "found": point.found,
        "right": point.right,
        "precision": point.quality.precision,
        "recall": point.quality.recall,
        "f1": point.quality.f1,
    }


def _of_blocking(found: BlockingQuality, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "records": found.records,
        "true_pairs": found.true_pairs,
        "proposed": found.proposed,
        "recall": found.recall,
        "alike": found.alike,
        "lost": found.lost,
        "rules": [{"rule": rule.rule, "true_pairs": rule.true_pairs, "alone": rule.alone} for rule in found.rules],
        "missed": [
            {"left": names[pair.left_id], "right": names[pair.right_id], "bits": pair.weight / WEIGHT_ONE_BIT}
            for pair in found.missed
        ],
        "is_cut": found.is_cut,
    }


def _of_unlinkable(found: SelfEvidence, names: Mapping[int, str]) -> dict[str, Any]:
    levels = {"plausible": found.plausible, "review": found.review, "link": found.link}
    return {
        "kind": found.kind,
        "records": found.records,
        "unlinkable": found.unlinkable,
        "unseen": found.unseen,
        "at": {name: threshold / WEIGHT_ONE_BIT for name, threshold in levels.items()},
        "silent": [
            {
                "column": column.column,
                "words": {lang: column_words(column.column, lang) for lang in ("en", "ru")},
                "records": column.records,
                "unlinkable": column.unlinkable,
            }
            for column in found.silent
        ],
        "examples": [{"record": names[record], "bits": weight / WEIGHT_ONE_BIT} for record, weight in found.examples],
        "curve": [
            {"threshold": threshold / WEIGHT_ONE_BIT, "below": below}
            for threshold, below in zip(found.thresholds, found.below, strict=True)
        ],
    }

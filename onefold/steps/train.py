"""train: a new version of the match model, and what it would change, before anything changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from identity.model import MatchModel, prior_model
from identity.register import Register
from identity.resolve import Resolution, resolve_register
from identity.schema import CROSSWALK, IDENTIFIER, JUDGEMENT, KINDS, RECORD, WEIGHT_ONE_BIT
from identity.training.changes import Change, compare_resolutions
from identity.training.supervised import LEAST_JUDGEMENTS, LEAST_OF_EACH, KindOutcome, train_from_judgements
from identity.training.train import train_register
from onefold.errors import NothingFound, OnefoldError
from onefold.steps.blocking import keep_blocks
from onefold.steps.logged import logged
from onefold.steps.model_page import keep_model
from onefold.steps.models import as_model, body_of, find_model
from onefold.steps.publish import publish
from onefold.steps.report import ModelEffect, TrainReport, UseReport
from onefold.steps.resolve import current_model, resolve, review_cases
from onefold.steps.rules import distinct_sources
from warehouse import judgements as stored_judgements
from warehouse import match_models, resolution
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from onefold.context import Context


class NotBetter(OnefoldError):
    """Judgements make no better model than training without them; nothing was saved."""


@dataclass(frozen=True)
class _Stored:
    """Everything that a partition follows from, as of one moment."""

    register: Register
    judgements: pa.Table
    crosswalk: pa.Table


@logged("train")
def train(context: Context, *, from_judgements: bool = False) -> TrainReport:
    """Estimate the weights from the stored records, save them as a version, and tell what they would change.

    Nothing but the model is written; `use` makes it current. The same records give the same version. With
    `from_judgements` people's judgements correct the weights, which is refused (NotBetter) unless judgements that were
    held back are foretold better than without. NothingFound when there are too few records to learn from.
    """
    started = time.perf_counter()
    settings = context.configuration.matching
    with context.progress.stage("train", 4) as stage:
        with context.connection("onefold train") as conn, unit_of_work(conn):
            hub_lock(conn)
            current = current_model(context, conn)
        stored = _load(context)
        records = stored.register.records
        stage.advance()
        base = prior_model(settings)
        apart = distinct_sources(context)
        model = train_register(stored.register, base, 0, apart)
        at_priors = tuple(kind for kind in KINDS if model.kind(kind) == base.kind(kind))
        if len(at_priors) == len(KINDS):
            raise NothingFound(
                f"{records.num_rows} client records are too few to learn from.",
                "The shipped weights stay in use.",
            )
        outcomes: tuple[KindOutcome, ...] = ()
        if from_judgements:
            model, outcomes = _correct(stored, context, model)
        stage.advance()
        counts = {kind: pc.sum(pc.equal(records["kind"], kind)).as_py() or 0 for kind in KINDS}
        version, is_new = _save(context, model, counts, outcomes)
        effect = _effect(context, stored, current, replace(model, version=version))
        if is_new:
            keep_model(context, version)
        if stored.crosswalk.num_rows:
            keep_blocks(
                context,
                stored.register.records,
                stored.register.identifiers,
                stored.crosswalk,
                stored.judgements,
                current,
            )
        stage.advance(2)
    return TrainReport(
        version=version,
        kind="supervised" if from_judgements else "em",
        is_new=is_new,
        seconds=round(time.perf_counter() - started, 3),
        records=counts,
        at_priors=at_priors,
        effect=effect,
        judgements=tuple(asdict(outcome) for outcome in outcomes),
    )


def _load(context: Context) -> _Stored:
    settings = context.configuration.matching
    with context.connection("onefold train") as conn:
        # One moment for all tables, without making anybody wait.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with unit_of_work(conn):
            records = resolution.load_records(conn, RECORD, attributes=settings.open_attributes)
            return _Stored(
                Register(records, resolution.load_identifiers(conn, IDENTIFIER), settings),
                stored_judgements.load_judgements(conn, JUDGEMENT),
                resolution.load_crosswalk(conn, CROSSWALK),
            )


def _correct(stored: _Stored, context: Context, model: MatchModel) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
    found, outcomes = train_from_judgements(
        stored.register.records,
        stored.register.identifiers,
        # What registers state is heeded, and nothing to learn from.
        stored.judgements.filter(pc.field("judgement_id") < stored_judgements.STATED),
        context.configuration.matching,
        model,
        0,
        stored.crosswalk,
    )
    if not any(outcome.status == "better" for outcome in outcomes):
        raise NotBetter(
            "Judgements make no better model: " + "; ".join(map(_in_words, outcomes)) + ".",
            "`onefold label` proposes the pairs whose judgement teaches most.",
        )
    return found, outcomes


def _in_words(outcome: KindOutcome) -> str:
    if outcome.unsupervised is None or outcome.supervised is None:
        return (
            f"{outcome.kind}: {outcome.same} same and {outcome.not_same} not-same, "
            f"at least {LEAST_JUDGEMENTS} are needed, {LEAST_OF_EACH} of each"
        )
    before, after = outcome.unsupervised, outcome.supervised
    return (
        f"{outcome.kind}: log loss {after.log_loss:.3f} against {before.log_loss:.3f} bits without them, "
        f"F1 {after.f1:.3f} against {before.f1:.3f}"
    )


def _save(
    context: Context, model: MatchModel, records: Mapping[str, int], outcomes: tuple[KindOutcome, ...]
) -> tuple[int, bool]:
    facts: dict[str, Any] = {"records": dict(records)}
    if outcomes:
        facts["judgements"] = {outcome.kind: asdict(outcome) for outcome in outcomes}
    body = body_of(model, context.configuration.matching, **facts)
    with context.connection("onefold train") as conn, unit_of_work(conn):
        hub_lock(conn)
        known = {stored.version for stored in match_models.made_with(conn)}
        version = match_models.save(conn, "supervised" if outcomes else "em", body, at=context.clock())
    return version, version not in known


def effect_between(context: Context, left: int, right: int) -> ModelEffect:
    """What the stored records would make with version `right` that they do not make with `left`."""
    settings = context.configuration.matching
    with context.connection("onefold model") as conn:
        one, two = (as_model(find_model(conn, version), settings) for version in (left, right))
    return _effect(context, _load(context), one, two)


def _effect(context: Context, stored: _Stored, current: MatchModel, other: MatchModel) -> ModelEffect:
    before = _resolved(context, stored, current)
    after = before if other == current else _resolved(context, stored, other)
    diff = compare_resolutions(before, after)
    cases = [set(review_cases(found)["fingerprint"].to_pylist()) for found in (before, after)]
    kinds = _kinds(stored, [change.pair[0] for change in diff.largest])
    with context.connection("onefold train") as conn:
        names = resolution.names_of(conn, [record for change in diff.largest for record in change.pair])
    return ModelEffect(
        model_before=current.version,
        model_after=other.version,
        clients_before=diff.clients_before,
        clients_after=diff.clients_after,
        unchanged=diff.unchanged,
        merged=diff.merged,
        split=diff.split,
        regrouped=diff.regrouped,
        pairs_joined=diff.pairs_joined,
        pairs_parted=diff.pairs_parted,
        cases_opened=len(cases[1] - cases[0]),
        cases_closed=len(cases[0] - cases[1]),
        largest=tuple(
            _plain(change, names, [model.kind(kinds[change.pair[0]]).link for model in (current, other)])
            for change in diff.largest
        ),
    )


def _resolved(context: Context, stored: _Stored, model: MatchModel) -> Resolution:
    return resolve_register(
        stored.register, stored.judgements, model, distinct_sources=distinct_sources(context), by_rule=False
    )


def _kinds(stored: _Stored, record_ids: list[int]) -> dict[int, str]:
    records = stored.register.records
    chosen = records.filter(pc.is_in(records["record_id"], pa.array(record_ids, pa.int64())))
    return dict(zip(chosen["record_id"].to_pylist(), chosen["kind"].to_pylist(), strict=True))


def _plain(change: Change, names: Mapping[int, str], links: list[int]) -> dict[str, Any]:
    bits = [None if w is None else w / WEIGHT_ONE_BIT for w in (change.weight_before, change.weight_after)]
    return {
        "change": change.kind,
        "before": list(change.before),
        "after": list(change.after),
        "pairs": change.flips,
        "left": names.get(change.pair[0]),
        "right": names.get(change.pair[1]),
        "bits_before": bits[0],
        "bits_after": bits[1],
        "link_before": links[0] / WEIGHT_ONE_BIT,
        "link_after": links[1] / WEIGHT_ONE_BIT,
    }


def use(context: Context, version: int) -> UseReport:
    """Make a version current, and resolve and publish with it. NothingFound when there is none of that number.

    A version of kind `prior` means the shipped weights with the settings in force.
    """
    with context.connection("onefold model") as conn, unit_of_work(conn):
        hub_lock(conn)
        former = current_model(context, conn)
        find_model(conn, version)
        match_models.use(conn, version)
        current = current_model(context, conn)
    kind = {"trained": "em"}.get(current.origin, current.origin)
    # Resolve notices that its model is another one, and compares everything again. Whoever says so has seen the effect.
    resolved = resolve(context, limited=False)
    return UseReport(current.version, kind, former.version, resolved, publish(context, limited=False))

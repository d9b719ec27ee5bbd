"""train: a new version of the match model, and what it would change, before anything changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from identity.model import MatchModel, prior_model
from identity.schema import KINDS, WEIGHT_ONE_BIT
from identity.training.changes import Change, compare_resolutions
from identity.training.supervised import LEAST_JUDGEMENTS, LEAST_OF_EACH, KindOutcome
from onefold.errors import NothingFound, OnefoldError
from onefold.steps.learning import Stored, stored_now
from onefold.steps.logged import logged
from onefold.steps.model_page import keep_model
from onefold.steps.models import as_model, body_of, find_model
from onefold.steps.publish import publish
from onefold.steps.report import ModelEffect, TrainReport, UseReport
from onefold.steps.resolve import current_model, resolve, review_cases
from warehouse import match_models, resolution
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from onefold.context import Context


class NotBetter(OnefoldError):
    """Judgements make no better model than training without them; nothing was saved."""


@logged("train")
def train(context: Context, *, from_judgements: bool = False) -> TrainReport:
    """Estimate the weights from the stored records, save them as a version, and tell what they would change.

    Nothing but the model is written; `use` makes it current. The same records give the same version. With
    `from_judgements` people's judgements correct the weights, which is refused (NotBetter) unless judgements that were
    held back are foretold better than without. NothingFound when there are too few records to learn from.
    """
    started = time.perf_counter()
    settings = context.configuration.matching
    with context.progress.stage("train", 4) as stage, ExitStack() as held:
        with context.connection("onefold train") as conn, unit_of_work(conn):
            hub_lock(conn)
            current = current_model(context, conn)
        stored = held.enter_context(stored_now(context, "onefold train"))
        counts = {kind: stored.counts.get(kind, 0) for kind in KINDS}
        stage.advance()
        base = prior_model(settings)
        model = stored.trained(base)
        at_priors = tuple(kind for kind in KINDS if model.kind(kind) == base.kind(kind))
        if len(at_priors) == len(KINDS):
            raise NothingFound(
                f"{sum(counts.values())} client records are too few to learn from.",
                "The shipped weights stay in use.",
            )
        outcomes: tuple[KindOutcome, ...] = ()
        if from_judgements:
            model, outcomes = _correct(stored, model)
        stage.advance()
        version, is_new = _save(context, model, counts, outcomes)
        effect = _effect(context, stored, current, replace(model, version=version))
        if is_new:
            keep_model(context, version)
        stored.keep_blocks(context, current)
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


def _correct(stored: Stored, model: MatchModel) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
    found, outcomes = stored.corrected(model)
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
    with stored_now(context, "onefold model") as stored:
        return _effect(context, stored, one, two)


def _effect(context: Context, stored: Stored, current: MatchModel, other: MatchModel) -> ModelEffect:
    before = stored.resolved(current)
    after = before if other == current else stored.resolved(other)
    diff = compare_resolutions(before, after)
    cases = [set(review_cases(found)["fingerprint"].to_pylist()) for found in (before, after)]
    kinds = stored.kinds([change.pair[0] for change in diff.largest])
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

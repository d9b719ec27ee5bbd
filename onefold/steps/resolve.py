"""resolve: which records are the same client. Evidence, clusters and ids are identity's; storing is the warehouse's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from identity.blocking.lists import key_lists
from identity.evaluation.spread import spread
from identity.hashing import digest_uuids
from identity.model import MatchModel, prior_model, to_json
from identity.resolve import Resolution, Takers
from identity.resolve import resolve as resolve_records
from identity.schema import CROSSWALK, IDENTIFIER, JUDGEMENT, RECORD, WEIGHT_ONE_BIT
from onefold.steps.client_ids import Ids, first_ids, reassigned
from onefold.steps.engine import is_staged, resolve_in_parts
from onefold.steps.hold import settle_rules, within_limits
from onefold.steps.in_common import share_documents
from onefold.steps.limits import look_at_moves, telling
from onefold.steps.logged import logged, start_run
from onefold.steps.model_settings import note_on
from onefold.steps.models import as_model
from onefold.steps.reading import readers
from onefold.steps.recycled import Turned, identity_cases, suspend
from onefold.steps.report import ResolveReport
from onefold.steps.resolve_changes import Changes, Widespread, resolve_changes
from onefold.steps.rules import distinct_sources, requeue_changed_rules, resolve_rules
from warehouse import evidence, judgements, match_models, queue, resolution, runs
from warehouse.clock import hub_lock, next_as_of, one_view
from warehouse.connect import unit_of_work
from warehouse.standing import standing

if TYPE_CHECKING:
    import psycopg

    from identity.encoded import Codes
    from identity.settings import MatchingSettings
    from onefold.context import Context

Look = Callable[["psycopg.Connection"], None]

FEW_CHANGES = 2_000
"""So many changed records are always resolved by themselves ..."""
SHARE_OF_FEW = 0.05
"""... and more while they are no larger a part of all records."""


@logged("resolve")
def resolve(context: Context, *, everything: bool = False, limited: bool = True) -> ResolveReport:
    """Bring the crosswalk up to the records in the queue, within the limits on what a run may change.

    Where they are exceeded, what the syncs have landed since the last publication is set aside and the rest resolved;
    where no record is to blame, nothing is done until a person decides. Without `limited` nothing is held.
    """
    return within_limits(
        context,
        lambda: _resolve(context, everything=everything, limited=limited),
        again=lambda: resolve(context, everything=everything),
        untouched=lambda: _as_it_stands(context),
    )


def _as_it_stands(context: Context) -> ResolveReport:
    with context.connection("onefold resolve") as conn:
        clients, cases = standing(conn)
    return ResolveReport(None, 0.0, clients=clients, cases_open=cases)


def _resolve(context: Context, *, everything: bool, limited: bool) -> ResolveReport:
    """Bring the crosswalk up to the records in the queue; `everything` compares all records again.

    Few changes are compared with what they touch, many with the whole register; the partition is the same, a function
    of the records, the model and the judgements in force. Everything is one transaction under the hub lock: a kill
    leaves the former crosswalk and the whole queue.
    """
    started = time.perf_counter()
    with context.connection("onefold resolve") as conn:
        with unit_of_work(conn):
            hub_lock(conn)
            share_documents(context, conn)
            model = current_model(context, conn)
            has_new_rules = requeue_changed_rules(conn, "resolve", resolve_rules(context, model.version))
            note = note_on(match_models.current_head(conn), context.configuration.matching)
        if not everything and not queue.size(conn, "resolve"):
            clients, cases = standing(conn)
            return ResolveReport(
                None, round(time.perf_counter() - started, 3), clients=clients, cases_open=cases, model_note=note
            )
        run_id = start_run(context, conn, "resolve")
        look = partial(look_at_moves, context) if limited else None
        with telling(run_id), one_view(conn), context.progress.stage("resolve", 4) as stage:
            batch = queue.read(conn, "resolve")
            all_anew = everything or has_new_rules or _is_bulk(conn, len(batch.record_ids))
            turned = suspend(context, conn, model, None if all_anew else batch.record_ids)
            changes = None if all_anew else _of_changes(context, conn, model, turned, batch.record_ids)
            if changes is None:
                is_first = not resolution.has_ledger(conn)
                with _storing(conn) as takers:
                    found, touched = resolve_stored(context, conn, model, takers, turned), None
                    questions, ids = review_cases(found), first_ids(found.labels) if is_first else None
                candidates = found.report.candidate_pairs
                stage.advance()
                evidence.replace_generic(conn, found.generic)
                evidence.replace_accepted(conn, found.accepted)
            else:
                found, touched, candidates = changes.found, changes.record_ids, changes.candidate_pairs
                stage.advance()
                questions, ids = review_cases(found), None
            stage.advance()
            questions = pa.concat_tables([questions, identity_cases(context, conn, model, touched)])
            changed = [*batch.record_ids, *turned.record_ids]
            applied = store(context, conn, found, questions, changed, run_id, touched, turned.renamed, ids, look)
            stage.advance()
            queue.done(conn, batch)
            stage.advance()
        if limited:
            settle_rules(context, conn, "resolve")
        clients, cases = standing(conn)
        report = ResolveReport(
            run_id,
            round(time.perf_counter() - started, 3),
            records=len(batch.record_ids),
            compared=found.report.records,
            candidate_pairs=candidates,
            plausible_pairs=found.report.plausible_pairs,
            moved=applied.linked + applied.moved + applied.removed,
            events=applied.events,
            cases_opened=applied.cases_opened,
            cases_closed=applied.cases_closed,
            refused_blocks=_refused(found),
            divided=_divided(found),
            model_version=model.version,
            model_note=note,
            clients=clients,
            cases_open=cases,
            weights=_as_json(found.report.weights) if touched is None else {},
            spread=_spread(model, found.report.weights),
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


def _of_changes(
    context: Context, conn: psycopg.Connection, model: MatchModel, turned: Turned, changed: Sequence[int]
) -> Changes | None:
    """What a few changes touch. None: it is so much that comparing everything is the shorter way; nothing is written
    then."""
    with (
        suppress(Widespread),
        readers(context, conn, is_unwritten=not turned.record_ids) as two,
        conn.transaction(),
    ):
        return resolve_changes(context, two, model, sorted({*changed, *turned.record_ids}))
    return None


def _refused(found: Resolution) -> tuple[Mapping[str, Any], ...]:
    """The largest blocks that were left out, with an example of each."""
    return tuple(
        {"kind": block.kind, "rule": block.rule, "size": block.size, "example": block.example}
        for block in found.report.refused[:20]
    )


def _divided(found: Resolution) -> tuple[Mapping[str, Any], ...]:
    """The largest components that were over the bound, with an example of each."""
    return tuple(
        {"kind": one.kind, "size": one.size, "example": one.first_key, "from_bits": one.threshold / WEIGHT_ONE_BIT}
        for one in sorted(found.report.split, key=lambda one: -one.size)[:20]
    )


def _spread(model: MatchModel, weights: Mapping[str, Mapping[int, int]]) -> dict[str, dict[str, Any]]:
    limits = {kind: model.kind(kind) for kind in weights}
    return {
        kind: asdict(spread(bins, link=limits[kind].link, review=limits[kind].review))
        for kind, bins in weights.items()
        if bins
    }


def _as_json(weights: Mapping[str, Mapping[int, int]]) -> dict[str, dict[str, int]]:
    """As `surroundings.weight_histogram` gives them."""
    return {kind: {str(at): count for at, count in bins.items()} for kind, bins in weights.items()}


def current_model(context: Context, conn: psycopg.Connection) -> MatchModel:
    """The model in force: the trained one in use, or the shipped priors with these settings (saved)."""
    stored = match_models.current(conn)
    if stored is not None and stored.kind != "prior":
        return as_model(stored, context.configuration.matching)
    model = prior_model(context.configuration.matching)
    body = {key: value for key, value in _json(model).items() if key != "version"}
    version = match_models.save(conn, "prior", body, at=context.clock())
    if stored is None or stored.version != version:
        match_models.use(conn, version)
    return prior_model(context.configuration.matching, version)


def _json(model: MatchModel) -> dict[str, Any]:
    import json

    found: dict[str, Any] = json.loads(to_json(model))
    return found


@contextmanager
def _storing(conn: psycopg.Connection) -> Iterator[Takers]:
    """Blocking keys are the longest to store: what takes them has the database at it while the pairs are compared, and
    stores the pairs while they are clustered.

    Nobody else may use the connection from then until the end of the block, when all is stored.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="evidence") as pool:
        stored: list[Future[None]] = []
        yield Takers(
            keys=lambda keys, row: stored.append(pool.submit(_store_keys, conn, keys, row)),
            evidence=lambda *tables: stored.append(pool.submit(_store_evidence, conn, *tables)),
        )
        for one in stored:
            one.result()


def _store_keys(conn: psycopg.Connection, keys: pa.Table, row: Codes) -> None:
    evidence.replace_keys(conn, keys)
    evidence.replace_key_lists(conn, key_lists(keys, row))


def _store_evidence(conn: psycopg.Connection, pairs: pa.Table, points: pa.Table, refused: pa.Table) -> None:
    evidence.replace_pairs(conn, pairs)
    evidence.replace_points(conn, points)
    evidence.replace_refused(conn, refused)


def resolve_stored(
    context: Context,
    conn: psycopg.Connection,
    model: MatchModel,
    takers: Takers | None = None,
    turned: Turned | None = None,
) -> Resolution:
    """The whole register compared; a pure function of what is stored. `turned`: what the transaction of `conn` has
    changed of it; without it the records are read on this connection only."""
    settings: MatchingSettings = context.configuration.matching
    if is_staged(context.configuration.hub, resolution.record_count(conn)):
        said = judgements.load_judgements(conn, JUDGEMENT)
        from identity.staged.ranks import numbered

        found = resolve_in_parts(context, conn, model, said, distinct_sources(context))
        if takers is not None:
            takers.keys(found.keys, numbered(found.points["record_id"], found.keys["record_id"]))
            takers.evidence(found.pairs, found.points, found.refused)
        return found
    is_unwritten = turned is not None and not turned.record_ids
    with readers(context, conn, is_unwritten=is_unwritten) as two:
        waiting = two.beside(lambda other: resolution.load_identifiers(other, IDENTIFIER))
        records = resolution.load_records(conn, RECORD, attributes=settings.open_attributes)
        said, identifiers = judgements.load_judgements(conn, JUDGEMENT), waiting()
    return resolve_records(
        records,
        identifiers,
        said,
        model,
        settings,
        distinct_sources=distinct_sources(context),
        by_rule=False,
        takers=takers,
    )


def _is_bulk(conn: psycopg.Connection, changed: int) -> bool:
    """Whether comparing the whole register is the shorter way, or the only one: nothing was resolved yet."""
    return not evidence.was_resolved(conn) or (
        changed > FEW_CHANGES and changed > SHARE_OF_FEW * resolution.record_count(conn)
    )


def store(
    context: Context,
    conn: psycopg.Connection,
    found: Resolution,
    cases: pa.Table,
    changed: Sequence[int],
    run_id: int,
    touched_ids: Sequence[int] | None = None,
    renamed: Mapping[int, int] | None = None,
    ids: Ids | None = None,
    look: Look | None = None,
) -> resolution.Applied:
    """Ids, crosswalk and cases by difference; only clusters that differ from a client get ids anew.

    `cases` are REVIEW_CASE; `touched_ids` the records that were looked at, those that are gone included; None: all.
    `renamed`: records whose client counts as another one's from now on (`recycled.Turned`). `ids`: the first ones,
    where they are known. `look` may refuse the moves (`resolution.apply`).
    """
    if ids is None:
        crosswalk = resolution.load_crosswalk(conn, CROSSWALK, touched_ids)
        if crosswalk.num_rows or resolution.has_ledger(conn):
            ids = reassigned(conn, found.labels, crosswalk, renamed or {})
        else:
            ids = first_ids(found.labels)
    return resolution.apply(
        conn,
        ids.assignments,
        ids.events,
        cases,
        as_of=next_as_of(conn, context.clock),
        run_id=run_id,
        changed=changed,
        **({} if look is None else {"look": look}),
    )


def review_cases(found: Resolution) -> pa.Table:
    """What a steward should look at, as REVIEW_CASE; a question keeps its fingerprint while its two records stand for
    it."""
    left, right = found.cases["left_id"].to_numpy(), found.cases["right_id"].to_numpy()
    ends = np.stack([np.minimum(left, right), np.maximum(left, right)], axis=1)
    numbers = pa.array(ends.ravel())
    pairs = numbers.cast(pa.string())
    # As `fingerprint` writes ["case", [smaller, larger]].
    asked = pa.compute.binary_join_element_wise('["case",[', pairs[0::2], ",", pairs[1::2], "]]", "")
    named = [
        part
        for name in ("pairs", "left_label", "right_label")
        for part in (f',"{name}":', found.cases[name].combine_chunks().cast(pa.string()))
    ]
    evidence = pa.compute.binary_join_element_wise("{" + named[0][1:], *named[1:], "}", "")
    columns = [
        digest_uuids(asked),
        found.cases["kind"].combine_chunks(),
        pa.ListArray.from_arrays(np.arange(len(ends) + 1, dtype=np.int32) * 2, numbers),
        found.cases["weight"].combine_chunks(),
        found.cases["records"].combine_chunks(),
        evidence,
    ]
    return pa.table(columns, schema=resolution.REVIEW_CASE)

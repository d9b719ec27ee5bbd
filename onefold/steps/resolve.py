"""resolve: which records are the same client. Evidence, clusters and ids are identity's; storing is the warehouse's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from identity.hashing import digest_uuids
from identity.ids import LedgerEntry, assign_ids
from identity.minting import mint_all
from identity.model import MatchModel, prior_model, to_json
from identity.resolve import OnKeys, Resolution
from identity.resolve import resolve as resolve_records
from identity.schema import CROSSWALK, IDENTIFIER, JUDGEMENT, RECORD
from onefold.steps.model_settings import note_on
from onefold.steps.models import as_model
from onefold.steps.recycled import identity_cases, suspend
from onefold.steps.report import ResolveReport
from onefold.steps.resolve_changes import resolve_changes
from onefold.steps.rules import distinct_sources, requeue_changed_rules, resolve_rules
from warehouse import evidence, judgements, match_models, queue, resolution, runs
from warehouse.clock import hub_lock, next_as_of, one_view
from warehouse.connect import unit_of_work
from warehouse.standing import standing
from warehouse.surroundings import weight_histogram

if TYPE_CHECKING:
    import psycopg

    from identity.settings import MatchingSettings
    from onefold.context import Context

Flags = npt.NDArray[np.bool_]

FEW_CHANGES = 2_000
"""So many changed records are always resolved by themselves ..."""
SHARE_OF_FEW = 0.05
"""... and more while they are no larger a part of all records."""

_STATUS: Mapping[str, Any] = {
    "mint": "active",
    "revive": "active",
    "redirect": "redirected",
    "retire": "retired",
}


def resolve(context: Context, *, everything: bool = False) -> ResolveReport:
    """Bring the crosswalk up to the records in the queue; `everything` compares all records again.

    Few changes are compared with what they touch, many with the whole register; the partition is the same, a function
    of the records, the model and the judgements in force. Everything is one transaction under the hub lock: a kill
    leaves the former crosswalk and the whole queue.
    """
    started = time.perf_counter()
    with context.connection("onefold resolve") as conn:
        with unit_of_work(conn):
            hub_lock(conn)
            model = current_model(context, conn)
            has_new_rules = requeue_changed_rules(conn, "resolve", resolve_rules(context, model.version))
            note = note_on(match_models.current_head(conn), context.configuration.matching)
        if not everything and not queue.size(conn, "resolve"):
            clients, cases = standing(conn)
            return ResolveReport(
                None, round(time.perf_counter() - started, 3), clients=clients, cases_open=cases, model_note=note
            )
        run_id = runs.start_run(conn, command="resolve", at=context.clock())
        with one_view(conn), context.progress.stage("resolve", 4) as stage:
            batch = queue.read(conn, "resolve")
            all_anew = everything or has_new_rules or _is_bulk(conn, len(batch.record_ids))
            turned = suspend(context, conn, model, None if all_anew else batch.record_ids)
            if all_anew:
                with _storing_keys(conn) as on_keys:
                    found, touched = resolve_stored(context, conn, model, on_keys), None
                candidates = found.report.candidate_pairs
                stage.advance()
                store_evidence(conn, found)
            else:
                changes = resolve_changes(context, conn, model, sorted({*batch.record_ids, *turned.record_ids}))
                found, touched, candidates = changes.found, changes.record_ids, changes.candidate_pairs
                stage.advance()
            stage.advance()
            questions = pa.concat_tables([review_cases(found), identity_cases(context, conn, model, touched)])
            changed = [*batch.record_ids, *turned.record_ids]
            applied = store(context, conn, found, questions, changed, run_id, touched, turned.renamed)
            stage.advance()
            queue.done(conn, batch)
            stage.advance()
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
            refused_blocks=tuple(
                {"kind": block.kind, "rule": block.rule, "size": block.size, "example": block.example}
                for block in found.report.refused[:20]
            ),
            model_version=model.version,
            model_note=note,
            clients=clients,
            cases_open=cases,
            weights=weight_histogram(conn) if touched is None else {},
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


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
def _storing_keys(conn: psycopg.Connection) -> Iterator[OnKeys]:
    """Blocking keys are the longest to store: what takes them has the database at it while the pairs are compared.

    Nobody else may use the connection from then until the end of the block, when the keys are stored.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="keys") as pool:
        stored: list[Future[int]] = []
        yield lambda keys: stored.append(pool.submit(evidence.replace_keys, conn, keys))
        for one in stored:
            one.result()


def resolve_stored(
    context: Context, conn: psycopg.Connection, model: MatchModel, on_keys: OnKeys | None = None
) -> Resolution:
    """The whole register compared; a pure function of what is stored."""
    settings: MatchingSettings = context.configuration.matching
    return resolve_records(
        resolution.load_records(conn, RECORD, attributes=settings.open_attributes),
        resolution.load_identifiers(conn, IDENTIFIER),
        judgements.load_judgements(conn, JUDGEMENT),
        model,
        settings,
        distinct_sources=distinct_sources(context),
        by_rule=False,
        on_keys=on_keys,
    )


def _is_bulk(conn: psycopg.Connection, changed: int) -> bool:
    """Whether comparing the whole register is the shorter way, or the only one: nothing was resolved yet."""
    return not evidence.was_resolved(conn) or (
        changed > FEW_CHANGES and changed > SHARE_OF_FEW * resolution.record_count(conn)
    )


def store_evidence(conn: psycopg.Connection, found: Resolution) -> None:
    """What a resolution of everything leaves for those of changes beside its keys, by difference."""
    evidence.replace_pairs(conn, found.pairs)
    evidence.replace_points(conn, found.points)
    evidence.replace_refused(conn, found.refused)
    evidence.replace_generic(conn, found.generic)
    evidence.replace_accepted(conn, found.accepted)


def store(
    context: Context,
    conn: psycopg.Connection,
    found: Resolution,
    cases: pa.Table,
    changed: Sequence[int],
    run_id: int,
    touched_ids: Sequence[int] | None = None,
    renamed: Mapping[int, int] | None = None,
) -> resolution.Applied:
    """Ids, crosswalk and cases by difference; only clusters that differ from a client get ids anew.

    `cases` are REVIEW_CASE; `touched_ids` the records that were looked at, those that are gone included; None: all.
    `renamed`: records whose client counts as another one's from now on (`recycled.Turned`).
    """
    crosswalk = resolution.load_crosswalk(conn, CROSSWALK, touched_ids)
    if crosswalk.num_rows or resolution.has_ledger(conn):
        assignments, events = _reassigned(conn, found.labels, crosswalk, renamed or {})
    else:
        assignments, events = _first_ids(found.labels)
    return resolution.apply(
        conn,
        assignments,
        events,
        cases,
        as_of=next_as_of(conn, context.clock),
        run_id=run_id,
        changed=changed,
    )


def _first_ids(labels: pa.Table) -> tuple[pa.Table, pa.Table]:
    """ASSIGNMENT and LEDGER_EVENT of a hub that never gave an id."""
    minted = mint_all(labels)
    kind = {"event": pa.repeat(pa.scalar("mint"), minted.mints.num_rows)}
    nothing = {"target_client_id": pa.nulls(minted.mints.num_rows, pa.string())}
    columns = {**{name: minted.mints[name] for name in minted.mints.column_names}, **kind, **nothing}
    events = pa.table({name: columns[name] for name in resolution.LEDGER_EVENT.names}, schema=resolution.LEDGER_EVENT)
    return minted.crosswalk.select(resolution.ASSIGNMENT.names).cast(resolution.ASSIGNMENT), events


def _reassigned(
    conn: psycopg.Connection, labels: pa.Table, crosswalk: pa.Table, renamed: Mapping[int, int]
) -> tuple[pa.Table, pa.Table]:
    """ASSIGNMENT of the records in `labels` and `crosswalk`, and the LEDGER_EVENT that it takes."""
    touched = _touched(labels, crosswalk)
    if renamed:
        turned = np.array([*renamed, *renamed.values()], dtype=np.int64)
        of_label = labels["label"].to_numpy()
        touched |= np.isin(of_label, of_label[np.isin(labels["record_id"].to_numpy(), turned)])
    old = crosswalk.filter(pa.array(_in_touched_clients(crosswalk, labels, touched)))
    mine = labels.filter(pa.array(touched))
    before = old
    if renamed:
        bearers = [renamed.get(record, record) for record in old["record_id"].to_pylist()]
        before = old.set_column(0, old.schema.field(0), pa.array(bearers, pa.int64()))
    assigned = assign_ids(mine, before, *_ledger(conn, mine, before))
    is_in, invert = pa.compute.is_in, pa.compute.invert
    mine_ids, old_ids = mine["record_id"].combine_chunks(), old["record_id"].combine_chunks()
    kept = crosswalk.filter(
        invert(pa.compute.or_(is_in(crosswalk["record_id"], mine_ids), is_in(crosswalk["record_id"], old_ids)))
    )
    left = old.filter(invert(is_in(old["record_id"], mine_ids)))
    gone = pa.table({"record_id": left["record_id"], "client_id": pa.nulls(left.num_rows, pa.string())})
    assignments = pa.concat_tables(
        [
            table.select(resolution.ASSIGNMENT.names).cast(resolution.ASSIGNMENT)
            for table in (assigned.crosswalk, kept, gone)
        ]
    )
    events = [
        (
            event.entry.client_id,
            event.event,
            event.entry.target if event.event == "redirect" else None,
            event.entry.founding_key,
            event.entry.mint_number,
        )
        for event in assigned.events
    ]
    columns = list(zip(*events, strict=True)) or [()] * len(resolution.LEDGER_EVENT)
    return assignments, pa.table([list(column) for column in columns], schema=resolution.LEDGER_EVENT)


def _touched(labels: pa.Table, crosswalk: pa.Table) -> Flags:
    """Of each row of `labels`: whether its cluster is not exactly one client of the crosswalk."""
    import pandas as pd

    rows = pd.DataFrame({"record": labels["record_id"].to_numpy(), "label": labels["label"].to_numpy()})
    clients = pd.Series(crosswalk["client_id"].to_pandas().to_numpy(), index=crosswalk["record_id"].to_numpy())
    sizes = clients.value_counts()
    rows["client"] = clients.reindex(rows["record"]).to_numpy()
    by_label = rows.groupby("label", sort=False)["client"]
    same = (by_label.transform("nunique") == 1) & (by_label.transform("count") == by_label.transform("size"))
    whole = by_label.transform("size").to_numpy() == sizes.reindex(rows["client"]).to_numpy()
    result: Flags = ~(same.to_numpy() & whole)
    return result


def _in_touched_clients(crosswalk: pa.Table, labels: pa.Table, touched: Flags) -> Flags:
    """Rows of the crosswalk that share a client with a touched or a vanished record."""
    ids = crosswalk["record_id"].to_numpy()
    moved = np.isin(ids, labels["record_id"].to_numpy()[touched]) | ~np.isin(ids, labels["record_id"].to_numpy())
    clients = crosswalk["client_id"].combine_chunks()
    return np.asarray(pa.compute.is_in(clients, value_set=clients.filter(pa.array(moved))))


def _ledger(
    conn: psycopg.Connection, labels: pa.Table, crosswalk: pa.Table
) -> tuple[list[LedgerEntry], dict[str, int]]:
    """The ledger's entries that concern these clusters, and how many ids were minted for their founding keys."""
    if labels.num_rows == 0 and crosswalk.num_rows == 0:
        return [], {}
    held = set(crosswalk["client_id"].to_pylist())
    facts = resolution.load_ledger(
        conn,
        sorted(held),
        record_ids=[*labels["record_id"].to_pylist(), *crosswalk["record_id"].to_pylist()],
        founding_keys=labels["natural_key"].to_pylist(),
    )
    minted: dict[str, int] = {}
    for fact in facts:
        minted[fact.founding_key] = max(fact.mint_number, minted.get(fact.founding_key, 0))
    entries = [
        LedgerEntry(
            fact.client_id,
            fact.founding_key,
            fact.mint_number,
            _STATUS[fact.state],
            fact.target_client_id if fact.state == "redirect" else None,
            frozenset() if _STATUS[fact.state] == "active" else fact.last_records,
        )
        for fact in facts
        # A living id that none of these records bears now is not concerned, though one of them once bore it.
        if _STATUS[fact.state] != "active" or fact.client_id in held
    ]
    return entries, minted


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

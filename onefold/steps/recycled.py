"""Records that have changed their identity (recycled keys): what was said of them holds for whom they were, who is kept
as a record of its own, and a case says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.changed_identity import Versions, changed_identity
from identity.explanation.explain import Evidence, Finding, explain_pair
from identity.schema import IDENTIFIER, RECORD
from onefold.steps.rules import fingerprint
from warehouse import former_records, judgements, resolution

if TYPE_CHECKING:
    import psycopg

    from identity.model import MatchModel
    from onefold.context import Context

CASE_KIND: Final = "changed_identity"


@dataclass(frozen=True, slots=True)
class Turned:
    """Records that have changed their identity, or are again whom they were."""

    record_ids: list[int]  # those that judgements speak of, and former versions that came or went; ascending
    renamed: dict[int, int]  # whose client goes to whom: see Formers.renamed


def suspend(
    context: Context, conn: psycopg.Connection, model: MatchModel, changed: Sequence[int] | None = None
) -> Turned:
    """Suspend what was said of records that have changed their identity, and bring back what was said of those that
    are again whom it was about. What they were meanwhile stands as a record of its own.

    A function of the judgements, the current records and the model: `changed` names the records that are others than
    at the last look, None looks at all that were ever judged. In the caller's transaction under the hub lock.
    """
    doubtful = judgements.doubtful(conn, changed)
    different = [one for one in doubtful if one.is_different]
    is_other = set()
    if different:
        flags = changed_identity(*_versions(conn, different), model, context.configuration.matching)
        is_other = {one for one, other in zip(different, flags.tolist(), strict=True) if other}
    turned = [one for one in doubtful if one.is_suspended != (one in is_other)]
    if turned:
        judgements.turn_suspension(conn, turned)
    formers = former_records.bring_up_to_date(conn, at=context.clock())
    return Turned(sorted({*(one.record_id for one in turned), *formers.record_ids}), formers.renamed)


def identity_cases(
    context: Context, conn: psycopg.Connection, model: MatchModel, record_ids: Sequence[int] | None = None
) -> pa.Table:
    """A REVIEW_CASE for each record (of these) with suspended judgements: what it was when it was last spoken of, and
    what it is now."""
    suspended = [one for one in judgements.doubtful(conn, record_ids) if one.is_suspended and one.is_different]
    by_record = [list(group) for _, group in groupby(suspended, lambda one: one.record_id)]
    if not by_record:
        return resolution.REVIEW_CASE.empty_table()
    before, after = _versions(conn, [group[-1] for group in by_record])
    cases = []
    for number, group in enumerate(by_record):
        found = _compared(context, model, before, after, number)
        evidence = {
            "judgements": [one.judgement_id for one in group],
            "contradictions": list(found.contradictions),
            "kinds": [version.records["kind"][number].as_py() for version in (before, after)],
            "compared": [_shown(finding) for finding in found.findings if finding.level != "missing"],
        }
        cases.append(
            {
                "fingerprint": str(fingerprint(["changed identity", group[0].record_id])),
                "kind": CASE_KIND,
                "record_ids": [group[0].record_id],
                "weight": found.total,
                "impact": len(group),
                "evidence": json.dumps(evidence, ensure_ascii=False),
            }
        )
    return pa.Table.from_pylist(cases, schema=resolution.REVIEW_CASE)


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "column": finding.column,
        "level": finding.level,
        "was": finding.left,
        "is": finding.right,
        "bits": finding.bits,
        "words": dict(finding.words),
    }


def _compared(context: Context, model: MatchModel, before: Versions, after: Versions, number: int) -> Evidence:
    """The evidence on the two versions of one record."""
    now = before.records.num_rows + number
    records = pa.concat_tables([before.records.slice(number, 1), _placed(after.records.slice(number, 1), [now])])
    known = [table.identifiers for table in (before, after)]
    mine = [table.filter(pc.equal(table["record_id"], number)) for table in known]
    identifiers = pa.concat_tables([mine[0], _placed(mine[1], [now] * mine[1].num_rows)])
    return explain_pair(records, identifiers, (number, now), model, context.configuration.matching)


def _versions(conn: psycopg.Connection, judged: Sequence[judgements.Doubtful]) -> tuple[Versions, Versions]:
    """These records as they were judged, and as they are."""
    before = Versions(*judgements.versions(conn, judged, RECORD, IDENTIFIER))
    ids = [one.record_id for one in judged]
    current = resolution.load_records(conn, RECORD, sorted(set(ids)))
    at = {record: place for place, record in enumerate(current["record_id"].to_pylist())}
    records = _placed(current.take(pa.array([at[record] for record in ids], pa.int64())), range(len(ids)))
    known = resolution.load_identifiers(conn, IDENTIFIER, sorted(at))
    rows, places = [], []
    held = known["record_id"].to_numpy()
    for place, record in enumerate(ids):
        mine = np.arange(np.searchsorted(held, record, "left"), np.searchsorted(held, record, "right")).tolist()
        rows += mine
        places += [place] * len(mine)
    return before, Versions(records, _placed(known.take(pa.array(rows, pa.int64())), places))


def _placed(table: pa.Table, places: Sequence[int]) -> pa.Table:
    """The rows under their places instead of their record ids."""
    return table.set_column(0, table.schema.field(0), pa.array(places, pa.int64()))

"""Documents and people: why two documents are one event, which ones wait for a word, and the word itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from identity.documents.settings import ONE_BIT
from identity.documents.words import WORDS, sentence
from onefold.errors import NothingFound, UsageError
from onefold.steps.judge import OpposingJudgements
from onefold.steps.publish import publish
from onefold.steps.records import one_record
from onefold.steps.report import PublishReport, Report
from warehouse import documents as stored
from warehouse import judgements, queue, resolution
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

SAME, NOT_SAME = "same_document", "not_same_document"


@dataclass(frozen=True, slots=True)
class DocumentJudgeReport(Report):
    """The judgement as stored, and what it moved."""

    judgement_id: int
    verdict: str
    publish: PublishReport


def document(context: Context, record: str) -> dict[str, Any]:
    """The business event of a document (`source:stream:key`): its documents, and what links them.

    Keys: record, event_id, documents (record, type, money, occurred_on, amount, currency, document_number, client,
    is_counted), links (left, right, kind, status, bits, amount, since, findings with bits and words).
    Raises NothingFound where no such document is published.
    """
    record_id = one_record(context, record)
    with context.connection("onefold document") as conn:
        rows = stored.shown(conn, record_id)
        me = next((row for row in rows if row["record_id"] == record_id), None)
        if me is None:
            raise NothingFound(f"{record} is no document that is published.", f"`onefold trace {record}` shows more.")
        links = stored.shown_links(conn, [row["record_id"] for row in rows])
        names = resolution.names_of(conn, [i for link in links for i in (link["left"], link["right"])])
    return {
        "record": record,
        "event_id": me["event_id"],
        "documents": [
            {"record": f"{row['source']}:{row['stream']}:{row['source_key']}"}
            | {name: row[name] for name in stored.SHOWN if name in row}
            for row in rows
        ],
        "links": [_link(link, names) for link in links],
    }


def document_cases(context: Context, limit: int = 20) -> list[dict[str, Any]]:
    """Pairs of documents too weak to link and too strong to drop, the largest amounts first; as links of `document`."""
    with context.connection("onefold document") as conn:
        links = stored.cases(conn, limit)
        names = resolution.names_of(conn, [i for link in links for i in (link["left"], link["right"])])
    return [_link(link, names) for link in links]


def judge_documents(
    context: Context, verdict: str, left: str, right: str, *, reason: str, by: str
) -> DocumentJudgeReport:
    """Say that two documents record one event (SAME) or two (NOT_SAME); `onefold judge undo` takes it back.

    Raises OpposingJudgements when a judgement in force about the two says otherwise, NothingFound for a record that
    was never landed, UsageError for one document twice.
    """
    ids = [one_record(context, name) for name in (left, right)]
    if ids[0] == ids[1]:
        raise UsageError("The same document stands on both sides.")
    with context.connection("onefold document") as conn, unit_of_work(conn):
        hub_lock(conn)
        _check(conn, verdict, (left, right), ids)
        said = judgements.Judgement(verdict, ids[:1], ids[1:], reason=reason or None)
        number = judgements.add(conn, said, by=by, at=next_as_of(conn, context.clock))
        queue.enqueue(conn, "documents", ids)
    return DocumentJudgeReport(number, verdict, publish(context))


def _check(conn: psycopg.Connection, verdict: str, names: tuple[str, str], ids: list[int]) -> None:
    known = resolution.names_of(conn, ids)
    for name, record_id in zip(names, ids, strict=True):
        if record_id not in known:
            raise NothingFound(
                f"{name} has never been landed.", "`onefold trace source:stream:key` shows what is known."
            )
    for one in judgements.in_force(conn, (SAME, NOT_SAME), ids):
        if {*one.left_ids, *one.right_ids} == set(ids) and one.verdict != verdict:
            raise OpposingJudgements(
                f"{names[0]} and {names[1]}: `{verdict.replace('_', ' ')}` contradicts judgement {one.judgement_id}.",
                f"Lift that first: onefold judge undo {one.judgement_id}",
            )


def _link(link: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    findings = [
        {**one, "words": {lang: sentence(one["finding"], lang, one) for lang in ("en", "ru")}}
        for one in link["evidence"]
        if one["finding"] in WORDS
    ]
    plain = {name: link[name] for name in ("kind", "status", "amount", "since")}
    ends = {side: names.get(link[side], str(link[side])) for side in ("left", "right")}
    return {**ends, **plain, "bits": round(link["bits"] / ONE_BIT, 2), "findings": findings}

"""explain: why two records are one client, or why they are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from identity.explanation.explain import Evidence, explain_pair
from identity.explanation.words import LANGUAGES, column_words, phrase, phrases
from identity.generic import GENERIC
from identity.resolve import POINT
from identity.schema import IDENTIFIER, JUDGEMENT, RECORD
from onefold.errors import NothingFound
from onefold.steps.in_common import with_documents
from onefold.steps.models import model_in_force
from onefold.steps.plain_evidence import as_plain
from onefold.steps.records import one_record
from onefold.steps.rules import distinct_sources
from warehouse import evidence as stored
from warehouse import judgements, queries, resolution

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


def explain(context: Context, left: str, right: str, *, proposed: bool = True) -> dict[str, Any]:
    """The evidence on two records named `source:stream:key`, whether or not they were ever proposed as a pair.

    Without `proposed` nobody asks which blocking rules propose them, which takes as long as all else: `rules` is empty.

    Keys: left, right, together (now one client), verdict, total_bits, link_bits, review_bits, missing_bits, prior_bits,
    odds_bits, probability, findings (column, level, left, right, bits, words), documents (those that the two have in
    common: left, left_number, right, right_number, occurred_on, amount, currency, worth), contradictions, rules (rule,
    outcome, size, hindrances), judgements, suspended (`suspended_for`), forbidden (reason, of, words): whatever
    keeps the two apart besides evidence.
    Raises NothingFound for a record that is no standard client record.
    """
    pair = one_record(context, left), one_record(context, right)
    with context.connection("onefold explain") as conn:
        known = resolution.load_records(conn, RECORD, list(pair))
        found = set(known["record_id"].to_pylist())
        for name, record in zip((left, right), pair, strict=True):
            if record not in found:
                raise NothingFound(
                    f"{name} is not among the client records.",
                    f"`onefold trace {name}` shows what is known of it.",
                )
        model = model_in_force(context, conn)
        # Keys are stored with the first of the records that are alike.
        firsts = stored.load_points(conn, POINT, pair)["first_id"].to_pylist() if proposed else []
        evidence = explain_pair(
            known,
            resolution.load_identifiers(conn, IDENTIFIER, list(pair)),
            pair,
            model,
            context.configuration.matching,
            generic=generic_of(conn),
            block_sizes=stored.block_sizes(conn, firsts) if firsts else {},
            proposed=proposed,
        )
        clients = queries.clients_of_records(conn, list(pair))
        said = judgements.load_judgements(conn, JUDGEMENT, list(pair)).to_pylist()
        suspended = suspended_for(conn, pair)
        plain = as_plain(evidence)
        documents = with_documents(conn, pair, plain["findings"])
    said = [judgement for judgement in said if _concerns(judgement, pair)]
    forbidden = _contradictions(evidence) + _of_records(context, known, (left, right), pair) + _of_judgements(said)
    return {
        "left": left,
        "right": right,
        "clients": [clients.get(record) for record in pair],
        "together": clients.get(pair[0]) is not None and clients.get(pair[0]) == clients.get(pair[1]),
        **plain,
        "documents": documents,
        "judgements": [{"judgement_id": j["judgement_id"], "verdict": j["verdict"]} for j in said],
        "suspended": suspended,
        "forbidden": forbidden,
    }


def suspended_for(conn: psycopg.Connection, record_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The judgements that do not speak of these records now, because they have changed their identity: judgement_id,
    verdict, record, words; `compared`: what it was and is, by its case (column, level, was, is, bits, words)."""
    found = [
        (judgement, record)
        for judgement in judgements.in_force(conn, record_ids=record_ids)
        for record in judgement.suspended_ids
        if record in record_ids
    ]
    names = resolution.names_of(conn, sorted({record for _, record in found}))
    compared = queries.identity_cases(conn, sorted(names))
    return [
        {
            "judgement_id": judgement.judgement_id,
            "verdict": judgement.verdict,
            "record": names[record],
            "words": phrases("judgement_suspended", record=names[record], number=judgement.judgement_id),
            "compared": compared.get(record, []),
        }
        for judgement, record in found
    ]


def _concerns(judgement: dict[str, Any], pair: tuple[int, int]) -> bool:
    sides = {*judgement["left_ids"], *judgement["right_ids"]}
    return set(pair) <= sides


def _contradictions(evidence: Evidence) -> list[dict[str, Any]]:
    """The identifiers that exclude each other, with both values."""
    return [
        {
            "reason": "contradiction",
            "of": name,
            "words": {
                lang: phrase("contradiction", lang, name=column_words(name, lang), left=values[0], right=values[1])
                for lang in LANGUAGES
            },
        }
        for name, values in evidence.excluding.items()
    ]


def _of_records(
    context: Context, known: pa.Table, names: tuple[str, str], pair: tuple[int, int]
) -> list[dict[str, Any]]:
    """What the records are and where they come from may forbid, whatever they say."""
    rows = {row["record_id"]: row for row in known.select(["record_id", "source", "is_own"]).to_pylist()}
    one, two = (rows[record] for record in pair)
    found = [
        {"reason": "own", "of": name, "words": phrases("own", record=name)}
        for name, row in zip(names, (one, two), strict=True)
        if row["is_own"]
    ]
    if pair[0] != pair[1] and one["source"] == two["source"] and one["source"] in distinct_sources(context):
        found.append({"reason": "distinct", "of": one["source"], "words": phrases("distinct", source=one["source"])})
    return found


def _of_judgements(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"reason": "judgement", "of": j["judgement_id"], "words": phrases("judged_not_same", number=j["judgement_id"])}
        for j in said
        if j["verdict"] == "not_same"
    ]


def generic_of(conn: psycopg.Connection) -> pa.Table:
    """The identifier values that so many names stand behind that they are no evidence, as of the last resolution."""
    return stored.load_generic(conn, GENERIC)

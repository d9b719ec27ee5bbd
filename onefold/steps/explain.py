"""explain: why two records are one client, or why they are not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from identity.explain import Evidence, explain_pair
from identity.generic import generic_values
from identity.schema import IDENTIFIER, JUDGEMENT, RECORD, WEIGHT_ONE_BIT
from onefold.errors import NothingFound
from onefold.steps.records import one_record
from onefold.steps.resolve import current_model
from warehouse import judgements, queries, resolution

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


def explain(context: Context, left: str, right: str) -> dict[str, Any]:
    """The evidence on two records named `source:stream:key`, whether or not they were ever proposed as a pair.

    Keys: left, right, together (now one client), verdict, total_bits, link_bits, review_bits, missing_bits, findings
    (column, level, left, right, bits, words), contradictions, rules (rule, outcome, size, hindrances), judgements.
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
        model = current_model(context, conn)
        evidence = explain_pair(
            known,
            resolution.load_identifiers(conn, IDENTIFIER, list(pair)),
            pair,
            model,
            context.configuration.matching,
            generic=generic_of(context, conn, list(pair)),
            block_sizes=resolution.block_sizes(conn, list(pair)),
        )
        clients = queries.clients_of_records(conn, list(pair))
        said = judgements.load_judgements(conn, JUDGEMENT, list(pair)).to_pylist()
    return {
        "left": left,
        "right": right,
        "clients": [clients.get(record) for record in pair],
        "together": clients.get(pair[0]) is not None and clients.get(pair[0]) == clients.get(pair[1]),
        **as_plain(evidence),
        "judgements": [
            {"judgement_id": j["judgement_id"], "verdict": j["verdict"]} for j in said if _concerns(j, pair)
        ],
    }


def _concerns(judgement: dict[str, Any], pair: tuple[int, int]) -> bool:
    sides = {*judgement["left_ids"], *judgement["right_ids"]}
    return set(pair) <= sides


def generic_of(context: Context, conn: psycopg.Connection, record_ids: list[int]) -> pa.Table:
    """Those of the records' identifier values that so many names stand behind that they are no evidence."""
    sharing = resolution.sharing(conn, record_ids)
    identifiers = resolution.load_identifiers(conn, IDENTIFIER, sharing)
    return generic_values(
        resolution.load_records(conn, RECORD, sharing),
        identifiers,
        context.configuration.matching.generic_names,
    )


def as_plain(evidence: Evidence) -> dict[str, Any]:
    """Evidence in plain values, weights in bits."""
    return {
        "verdict": evidence.verdict,
        "total_bits": evidence.total / WEIGHT_ONE_BIT,
        "link_bits": evidence.link / WEIGHT_ONE_BIT,
        "review_bits": evidence.review / WEIGHT_ONE_BIT,
        "missing_bits": evidence.missing_bits,
        "findings": [
            {
                "column": f.column,
                "level": f.level,
                "left": f.left,
                "right": f.right,
                "bits": f.bits,
                "words": dict(f.words),
            }
            for f in evidence.findings
        ],
        "contradictions": list(evidence.contradictions),
        "rules": [asdict(rule) for rule in evidence.rules],
        "is_candidate": evidence.is_candidate,
    }

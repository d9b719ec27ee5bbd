"""label: the pairs of records whose judgement would teach the model most."""

from __future__ import annotations

import shlex
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from identity.explanation.explain import words_of
from identity.model import MatchModel
from identity.schema import IDENTIFIER, KINDS, PAIR, RECORD, WEIGHT_ONE_BIT
from identity.training.active import TeachingPair, teaching_pairs
from onefold.errors import NothingFound
from onefold.steps.explain import generic_of
from onefold.steps.resolve import current_model
from onefold.steps.rules import distinct_sources
from warehouse import evidence, resolution
from warehouse import judgements as stored
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

NEAREST = 10_000
"""Plausible pairs nearest to the link threshold that are looked at."""


def label(context: Context, count: int = 20) -> list[dict[str, Any]]:
    """At most `count` pairs, the most telling first; the same until something is judged or changes.

    Each: kind, left, right, bits, link_bits, alike (how many pairs look the same), evidence (words by language),
    explain, same and not_same (commands). NothingFound before the first `resolve`.
    """
    with context.connection("onefold label") as conn:
        with unit_of_work(conn):
            hub_lock(conn)
            model = current_model(context, conn)
        pairs = _nearest(evidence.load_pairs(conn, PAIR), model)
        if pairs.num_rows == 0:
            raise NothingFound("No pair of records is plausible yet.", "`onefold run` brings records in.")
        ids = np.unique(np.concatenate([pairs["left_id"].to_numpy(), pairs["right_id"].to_numpy()])).tolist()
        found = teaching_pairs(
            resolution.load_records(conn, RECORD, ids),
            resolution.load_identifiers(conn, IDENTIFIER, ids),
            pairs,
            _settled(conn, ids),
            model,
            context.configuration.matching,
            count,
            generic=generic_of(conn),
            distinct_sources=distinct_sources(context),
        )
        names = resolution.names_of(conn, sorted({i for pair in found for i in (pair.left_id, pair.right_id)}))
    return [_plain(pair, names[pair.left_id], names[pair.right_id]) for pair in found]


def _nearest(pairs: pa.Table, model: MatchModel) -> pa.Table:
    """The pairs whose stored weight is nearest to a link threshold; equal distances by record ids."""
    weight = pairs["weight"].to_numpy().astype(np.int64)
    distance = np.min([np.abs(weight - model.kind(kind).link) for kind in KINDS], axis=0)
    return pairs.take(pa.array(np.sort(np.argsort(distance, kind="stable")[:NEAREST])))


def _settled(conn: psycopg.Connection, record_ids: list[int]) -> pa.Table:
    """Pairs that somebody has judged, whatever the verdict; what `same` joined is judged among itself."""
    here = set(record_ids)
    pairs: set[tuple[int, int]] = set()
    joined: dict[int, set[int]] = {}
    for judgement in stored.in_force(conn, ("same", "not_same", "related", "cannot_tell")):
        sides = judgement.left_ids, judgement.right_ids
        if judgement.verdict == "same":
            members = set().union(*(joined.get(i, {i}) for side in sides for i in side))
            joined |= dict.fromkeys(members, members)
        else:
            pairs |= set(product(here.intersection(sides[0]), here.intersection(sides[1])))
    for one, members in joined.items():
        if one in here:
            pairs |= {(one, two) for two in members & here if one < two}
    ordered = sorted(pairs)
    schema = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())])
    return pa.table([[left for left, _ in ordered], [right for _, right in ordered]], schema=schema)


def _plain(pair: TeachingPair, left: str, right: str) -> dict[str, Any]:
    return {
        "kind": pair.kind,
        "left": left,
        "right": right,
        "bits": pair.weight / WEIGHT_ONE_BIT,
        "link_bits": pair.link / WEIGHT_ONE_BIT,
        "alike": pair.alike,
        "evidence": [words_of(column, level) for column, level in pair.levels.items()],
        "explain": shlex.join(["onefold", "explain", left, right]),
        "same": shlex.join(["onefold", "judge", "same", left, right]),
        "not_same": shlex.join(["onefold", "judge", "not-same", left, right]),
    }

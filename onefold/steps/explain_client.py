"""explain CLIENT: what holds a client together, what speaks against it, and why it ends where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from identity.accepted import ACCEPTED
from identity.explanation.explain_border import Border
from identity.explanation.explain_cluster import ClusterEvidence, explain_cluster
from identity.explanation.surroundings import PairFinding
from identity.explanation.words import LANGUAGES, column_words, phrase
from identity.generic import GENERIC
from identity.population import Rules
from identity.schema import IDENTIFIER, JUDGEMENT, RECORD, WEIGHT_ONE_BIT
from onefold.errors import NothingFound, UsageError
from onefold.steps.explain import suspended_for
from onefold.steps.models import model_in_force
from onefold.steps.records import is_client_id, one_record
from onefold.steps.rules import distinct_sources
from warehouse import evidence as stored
from warehouse import judgements, queries, resolution, surroundings

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

MOST_AROUND: Final = 20_000
"""Records of other clients that are looked at; the nearest clients that fit."""


def explain_client(context: Context, who: str, *, limit: int = 10) -> dict[str, Any]:
    """The shape of the client `who`: a client id (a merged-away one answers with its survivor), or a record's client.

    Keys: client_id, display_name, kind, records, members (record, alike), pairs, linking_pairs, plausible_pairs,
    held_by, seam, against, bridges, borders, the thresholds in bits, is_cut, suspended (`explain.suspended_for`).
    Pairs have left, right, bits, judged, evidence (words by language, bits). At most `limit` pairs against, bridges and
    borders. NothingFound: the client holds no record.
    """
    with context.connection("onefold explain") as conn:
        client_id = _client(context, conn, who)
        own = _members(conn, client_id, who)
        ids = _with_neighbours(conn, client_id, own, limit)
        found = _explained(context, conn, client_id, ids, limit)
        names = resolution.names_of(conn, ids)
        called = surroundings.display_names(conn, [client_id, *(border.client_id for border in found.borders)])
        suspended = suspended_for(conn, own)
    return {
        "asked_for": who,
        "client_id": client_id,
        **_plain(found, names, called, client_id),
        "suspended": suspended,
    }


def explain_border(context: Context, left: str, right: str) -> dict[str, Any]:
    """Why two clients, each named by its id or by a record, are two: their nearest pair of records and what keeps them
    apart; the keys of one border of `explain_client`. UsageError: they are one, or a person and a firm.
    """
    with context.connection("onefold explain") as conn:
        one, two = _client(context, conn, left), _client(context, conn, right)
        if one == two:
            raise UsageError(f"{left} and {right} are one client.", f"`onefold explain {left}` says why.")
        ids = sorted([*_members(conn, one, left), *_members(conn, two, right)])
        found = _explained(context, conn, one, ids, 1)
        if not found.borders:
            raise UsageError(f"{left} and {right} are a person and an organisation: never one client.")
        names = resolution.names_of(conn, ids)
        return _border(found.borders[0], found, names, surroundings.display_names(conn, [two]))


def _members(conn: psycopg.Connection, client_id: str, who: str) -> list[int]:
    own = resolution.members_of(conn, [client_id])
    if not own:
        raise NothingFound(f"No record belongs to client {who} now.", "Look it up with `onefold client`.")
    return own


def _explained(
    context: Context, conn: psycopg.Connection, client_id: str, ids: list[int], limit: int
) -> ClusterEvidence:
    """The evidence on a client among the records `ids`, its own included."""
    rules = Rules(
        model_in_force(context, conn),
        context.configuration.matching,
        judgements.load_judgements(conn, JUDGEMENT, ids),
        distinct_sources(context),
        stored.load_generic(conn, GENERIC),
        stored.load_accepted(conn, ACCEPTED),
    )
    records = resolution.load_records(conn, RECORD, ids)
    identifiers = resolution.load_identifiers(conn, IDENTIFIER, ids)
    return explain_cluster(records, identifiers, queries.clients_of_records(conn, ids), client_id, rules, limit=limit)


def _client(context: Context, conn: psycopg.Connection, who: str) -> str:
    if is_client_id(who):
        return surroundings.current_client(conn, who)
    record = one_record(context, who)
    client = queries.clients_of_records(conn, [record]).get(record)
    if client is None:
        raise NothingFound(f"{who} belongs to no client.", f"`onefold trace {who}` shows what is known of it.")
    return client


def _with_neighbours(conn: psycopg.Connection, client_id: str, own: list[int], limit: int) -> list[int]:
    """The ids of the records to look at."""
    around = surroundings.clients_around(conn, client_id, own, limit=limit)
    sizes = surroundings.client_sizes(conn, around)
    chosen, room = [], MOST_AROUND
    for client in around:
        room -= sizes.get(client, 0)
        if room >= 0:
            chosen.append(client)
    return sorted([*own, *resolution.members_of(conn, chosen)])


def _plain(
    found: ClusterEvidence, names: Mapping[int, str], called: Mapping[str, str | None], client_id: str
) -> dict[str, Any]:
    seam = found.seam
    return {
        "display_name": called.get(client_id),
        "kind": found.kind,
        "records": found.records,
        "members": [{"record": names[m.record_id], "alike": m.alike} for m in found.members],
        "pairs": found.pairs,
        "linking_pairs": found.linking,
        "plausible_pairs": found.plausible,
        "held_by": [_pair(pair, names) for pair in found.held_by],
        "seam": seam
        and {
            **_pair(seam.link, names),
            "left_records": seam.left,
            "right_records": seam.right,
            "mean_bits": seam.mean / WEIGHT_ONE_BIT,
            "smaller_part": [names[record] for record in seam.smaller],
        },
        "against": [_pair(pair, names) for pair in found.against],
        "bridges": [{"record": names[record], "parts": list(parts)} for record, parts in found.bridges],
        "borders": [_border(border, found, names, called) for border in found.borders],
        "link_bits": found.link / WEIGHT_ONE_BIT,
        "review_bits": found.review / WEIGHT_ONE_BIT,
        "plausible_bits": found.plausible_at / WEIGHT_ONE_BIT,
        "is_cut": found.is_cut,
    }


def _pair(pair: PairFinding, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "left": names[pair.left_id],
        "right": names[pair.right_id],
        "bits": pair.weight / WEIGHT_ONE_BIT,
        "judged": pair.judged,
        "evidence": [{"words": dict(words), "bits": bits} for words, bits in zip(pair.words, pair.bits, strict=True)],
    }


def _border(
    border: Border, found: ClusterEvidence, names: Mapping[int, str], called: Mapping[str, str | None]
) -> dict[str, Any]:
    mean, evidence_bits = border.mean / WEIGHT_ONE_BIT, border.evidence / WEIGHT_ONE_BIT
    missing = (found.link - border.strongest.weight) / WEIGHT_ONE_BIT
    figures = {"mean": f"{mean:+.1f}", "evidence": f"{evidence_bits:+.1f}", "missing": f"{missing:.1f}"}
    words = {
        lang: phrase(f"border_{border.reason}", lang, details=_details(border, lang), **figures) for lang in LANGUAGES
    }
    return {
        "client_id": border.client_id,
        "display_name": called.get(border.client_id),
        "records": border.records,
        **_pair(border.strongest, names),
        "plausible_pairs": border.plausible,
        "mean_bits": mean,
        "evidence_bits": evidence_bits,
        "reason": border.reason,
        "details": list(border.details),
        "words": words,
    }


def _details(border: Border, lang: str) -> str:
    is_types = border.reason == "contradiction"
    return ", ".join(column_words(name, lang) if is_types else name for name in border.details)

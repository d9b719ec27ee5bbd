"""The redaction itself: every table by its rule, in one transaction under the hub lock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from warehouse import judgements, versions
from warehouse.arrow import is_empty
from warehouse.clock import allocate_events
from warehouse.erasure.hashes import Hashes
from warehouse.erasure.journal import Entry
from warehouse.erasure.needles import pattern
from warehouse.erasure.person import Person, one_row, placed_rejects, reject_hits
from warehouse.erasure.rules import RULES, Rule
from warehouse.queue import enqueue
from warehouse.sql import qualified, sql


@dataclass(frozen=True, slots=True)
class Order:
    """Who erases whom, when and why."""

    erasure_id: UUID
    by: str
    reason: str
    ground: str | None
    as_of: datetime
    replayed_at: datetime | None = None


def redact(conn: psycopg.Connection[Any], person: Person, order: Order, hashes: Hashes) -> tuple[dict[str, int], Entry]:
    """Redact everything of a person that `person` has found in this transaction, keep it from coming back, and queue
    what resolve and publish have to look at. Table -> rows, and the line for the journal.
    """
    rejects = reject_hits(conn, person.needles)
    raw_ids = [row[0] for row in conn.execute(sql("erasure.raw_ids"))]
    record_ids = sorted({*raw_ids, *person.party_ids})
    entry = Entry(
        erasure_id=str(order.erasure_id),
        erased_at=order.as_of.isoformat(),
        erased_by=order.by,
        ground=order.ground,
        client_ids=tuple(map(str, person.client_ids)),
        records=tuple(str(hashes.record(record_id)) for record_id in record_ids),
        identifiers=tuple(str(hashes.identifier(*one)) for one in person.own_identifiers),
        rejects=tuple(str(hashes.reject(payload)) for _, payload in rejects),
        key_check=str(hashes.check),
    )
    _lift_pins(conn, order)
    words = [row[0] for row in conn.execute(sql("erasure.words"))]
    affected = [row[0] for row in conn.execute(sql("erasure.requeue_members"))]
    facts: list[int] = one_row(conn, "fact_ids")[0]
    seq = allocate_events(conn, 1)
    parameters = {
        "needles": pattern(tuple(person.needles)),
        "words": pattern(tuple(person.words)),
        "rejects": [fingerprint for fingerprint, _ in rejects],
        "parties": list(person.party_ids),
        "seq": seq,
        "as_of": order.as_of,
    }
    counts = {table: count for table, rule in RULES.items() if (count := _apply(conn, table, rule, parameters))}
    for table, count in (
        ("core.client_history", _once_with_others(conn, person, seq)),
        ("ops.run", _reports(conn, person.needles)),
        ("identity.model", _models(conn, words)),
    ):
        if count:
            counts[table] = counts.get(table, 0) + count
    if person.client_ids:
        conn.execute(sql("erasure.event"), {"seq": seq, "as_of": order.as_of, "client_id": person.client_ids[0]})
    remember(conn, entry, order, counts, record_ids)
    enqueue(conn, "resolve", list(person.party_ids))
    enqueue(conn, "publish", sorted({*person.party_ids, *facts, *affected}))
    if not is_empty(conn, "identity.document_key"):
        enqueue(conn, "in_common", sorted(facts))
    return dict(sorted(counts.items())), entry


def remember(
    conn: psycopg.Connection[Any], entry: Entry, order: Order, counts: Mapping[str, int], record_ids: Sequence[int]
) -> None:
    """Write down the erasure, and what may not come back. `record_ids` are those of `entry.records`, or none."""
    conn.execute(
        sql("erasure.add_erasure"),
        {
            "erasure_id": entry.erasure_id,
            "client_ids": list(entry.client_ids),
            "erased_at": entry.erased_at,
            "erased_by": order.by,
            "reason": order.reason,
            "ground": order.ground,
            "counts": Jsonb(dict(counts)),
            "replayed_at": order.replayed_at,
        },
    )
    erasure = Erasure.of(entry)
    suppress(conn, erasure, "record", entry.records, record_ids)
    suppress(conn, erasure, "identifier", entry.identifiers)
    suppress(conn, erasure, "reject", entry.rejects)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a suppression belongs to."""

    erasure_id: str | UUID
    client_id: str | UUID | None
    """The bare id that documents stand under."""
    key_check: str | UUID

    @classmethod
    def of(cls, entry: Entry) -> Erasure:
        """That of a line of the journal."""
        return cls(entry.erasure_id, entry.client_ids[0] if entry.client_ids else None, entry.key_check)


def suppress(
    conn: psycopg.Connection[Any],
    erasure: Erasure,
    kind: str,
    hashed: Sequence[str | UUID],
    record_ids: Sequence[int | None] | None = None,
) -> None:
    """Add hashes to what may not come back; those that are there stay as they are. `record_ids`: of records, where they
    are landed."""
    conn.execute(
        sql("erasure.add_suppressed"),
        {
            "erasure_id": erasure.erasure_id,
            "kind": kind,
            "hashes": list(hashed),
            "record_ids": list(record_ids) if record_ids else [None] * len(hashed),
            "client_id": erasure.client_id if kind == "record" else None,
            "key_check": erasure.key_check,
        },
    )


def statement(table: str, rule: Rule) -> Composed | None:
    """The statement of a rule; None where it has none."""
    if not rule.rows:
        return None
    rows = SQL(_filled(rule.rows))
    if rule.deletes:
        return sql("erasure.delete").format(table=qualified(table), rows=rows)
    if not rule.erase:
        return None
    columns = SQL(", ").join(
        SQL("{} = {}").format(Identifier(name), SQL(_filled(value))) for name, value in rule.erase.items()
    )
    return sql("erasure.update").format(table=qualified(table), columns=columns, rows=rows)


_MEANINGS = {
    "{key_is_personal}": "lower(t.source_key) ~ %(words)s::text",
    "{founder_is_personal}": "lower(t.founding_key) ~ %(words)s::text",
    "{state_is_personal}": "lower(t.state::text) ~ %(needles)s::text",
    "{reject_is_personal}": "t.fingerprint = ANY (%(rejects)s::uuid[])",
    "{is_kept}": "EXISTS (SELECT FROM erased_fact AS k WHERE k.record_id = t.record_id AND k.is_kept)",
    "{parties}": "%(parties)s",
    "{words}": "%(words)s::text",
    "{seq}": "%(seq)s",
    "{as_of}": "%(as_of)s::timestamptz",
}


def _filled(text: str) -> str:
    # Not str.format: the empty JSON object is a pair of braces too.
    for name, meaning in _MEANINGS.items():
        text = text.replace(name, meaning)
    return text


def _apply(conn: psycopg.Connection[Any], table: str, rule: Rule, parameters: Mapping[str, Any]) -> int:
    found = statement(table, rule)
    return 0 if found is None else conn.execute(found, parameters).rowcount


def _lift_pins(conn: psycopg.Connection[Any], order: Order) -> None:
    for (judgement_id,) in conn.execute(sql("erasure.pins")).fetchall():
        judgements.lift(conn, judgement_id, reason="erased", by=order.by, at=order.as_of)


def _once_with_others(conn: psycopg.Connection[Any], person: Person, seq: int) -> int:
    """Take what came from the person's records out of versions of other clients that once held one of them."""
    own = set(person.party_ids)
    count = 0
    for client_id, valid_from, name, attributes, lineage in conn.execute(sql("erasure.once_with_others")).fetchall():
        kept, left = without(attributes, lineage, own)
        if (kept, left) == (attributes, lineage):
            continue
        winners = [line for key, line in lineage.items() if key in ("full_name", "given_name", "family_name")]
        is_theirs = any(isinstance(line, dict) and line.get("record_id") in own for line in winners)
        parameters = {
            "client_id": client_id,
            "valid_from": valid_from,
            "display_name": None if is_theirs or str(name).lower() in person.words else name,
            "attributes": Jsonb(kept),
            "lineage": Jsonb(left),
            "seq": seq,
        }
        conn.execute(sql("erasure.store_version"), parameters)
        count += 1
    return count


def without(
    attributes: Mapping[str, Any], lineage: Mapping[str, Any], record_ids: set[int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Golden values and their lineage without what these records gave, as winners and as losers."""
    kept, left = dict(attributes), dict(lineage)
    for name, line in lineage.items():
        if not isinstance(line, dict):
            continue
        now = dict(line)
        if "losers" in line:
            now["losers"] = [one for one in line["losers"] if one.get("record_id") not in record_ids]
        if "values" in line:
            now["values"] = [one for one in line["values"] if one.get("record_id") not in record_ids]
            values = [one["value"] for one in now["values"]]
            kept[name] = [one for one in attributes.get(name, []) if one in values]
        elif line.get("record_id") in record_ids:
            kept.pop(name, None)
            left.pop(name)
            continue
        left[name] = now
    return kept, left


def _reports(conn: psycopg.Connection[Any], needles: Sequence[str]) -> int:
    """Replace texts of run reports that hold one of the words: what a source answered may repeat it."""
    wanted = pattern(tuple(needles))
    if wanted is None:
        return 0
    found = conn.execute(sql("erasure.suspicious_runs"), {"pattern": wanted}).fetchall()
    for run_id, report in found:
        conn.execute(sql("erasure.store_report"), {"run_id": run_id, "report": Jsonb(_scrubbed(report, wanted))})
    return len(found)


def _scrubbed(value: Any, wanted: str) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(inner, wanted) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner, wanted) for inner in value]
    return "erased" if isinstance(value, str) and re.search(wanted, value.lower()) else value


def _models(conn: psycopg.Connection[Any], words: Sequence[str]) -> int:
    """Take the person's names out of the models' lists of frequent terms where nobody else bears them."""
    if not words:
        return 0
    borne = {row[0] for row in conn.execute(sql("erasure.borne"), {"words": list(words)})}
    gone = set(words) - borne
    count = 0
    for version, body in conn.execute(sql("erasure.models")).fetchall():
        if _drop_terms(body, gone):
            conn.execute(sql("erasure.store_model"), {"version": version, "body": Jsonb(body)})
            count += 1
    return count


def _drop_terms(value: Any, gone: set[str]) -> bool:
    """Whether a dictionary called `terms` anywhere in a model lost one of the words."""
    if not isinstance(value, dict):
        return False
    changed = False
    for key, inner in value.items():
        if key == "terms" and isinstance(inner, dict):
            for word in gone & inner.keys():
                del inner[word]
                changed = True
        else:
            changed = _drop_terms(inner, gone) or changed
    return changed


WITHHELD: Final = (
    "raw.record",
    "raw.record_version",
    "core.interaction",
    "core.interaction_line",
    "core.relationship",
    "core.interaction_version",
    "core.relationship_version",
    "core.document_place",
    "identity.card_version",
    "ops.reject",
)
"""Tables that may hold a record before it is known whose it is."""


def withhold(conn: psycopg.Connection[Any], words: Sequence[str]) -> list[int]:
    """Redact what `find_withheld` has found in this transaction, with `words` of the persons; the records that publish
    has to look at. What readers see of it until then is redacted too."""
    facts: list[int] = one_row(conn, "fact_ids")[0]
    versions.keep_interactions(conn, facts)
    stated = conn.execute(sql("erasure.relationships")).fetchall()
    versions.keep_relationships(conn, [key for key, _ in stated])
    wanted = pattern(tuple(words))
    rejects = list(placed_rejects(conn))
    parameters = {"words": wanted, "needles": wanted, "rejects": rejects, "seq": None, "as_of": None}
    for table in WITHHELD:
        rule = RULES[table]
        # Parts that wait to be published with their document go on waiting.
        erase = {column: value for column, value in rule.erase.items() if column != "is_unpublished"}
        _apply(conn, table, replace(rule, erase=erase), parameters)
    return sorted({*facts, *(record_id for _, record_id in stated)})

"""What an erasure does with every table: the one list, by which rows are redacted and which a test holds complete.

Ids, dates, amounts, codes and counts stay; words and values of the person go. A table of yours that is not listed
fails `tests/integration/warehouse/test_erasure_rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NOTHING: Final = "'00000000-0000-0000-0000-000000000000'::uuid"
ERASED: Final = "'erased'"
"""Where a text may not be null."""
_KEY: Final = "CASE WHEN {key_is_personal} THEN 'erased-' || t.record_id ELSE t.source_key END"
_FREE: Final = "CASE WHEN {is_kept} THEN t.{column} END"
"""Kept where the law says so, else null."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One table's. Every column that holds text, JSON or bytes is in `erase` or in `keep`, or the rows go."""

    rows: str = ""
    """Which rows are the person's; SQL on `t` and the temporary tables of `erasure.sql`. Empty: none are."""
    erase: Mapping[str, str] = field(default_factory=dict)
    """Column -> its value afterwards, as SQL."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Column -> why it may stay."""
    deletes: bool = False
    """The rows themselves go."""
    elsewhere: str = ""
    """What else takes the person out of the table, after the rows or instead of them."""


_RECORD = "EXISTS (SELECT FROM erased_raw AS e WHERE e.record_id = t.record_id AND e.is_current)"
_VERSION = "EXISTS (SELECT FROM erased_raw AS e WHERE e.record_id = t.record_id)"
_PARTY = "EXISTS (SELECT FROM erased_party AS e WHERE e.record_id = t.record_id)"
_FACT = "EXISTS (SELECT FROM erased_fact AS e WHERE e.record_id = t.record_id)"
_CLIENT = "EXISTS (SELECT FROM erased_client AS e WHERE e.client_id = t.client_id)"
_CASE = """EXISTS (
            SELECT FROM identity.review_case AS c
            WHERE c.fingerprint = t.fingerprint AND c.record_ids && {parties}::bigint[]
        )"""
_CODE, _PLACE, _ID, _SECRET = "a code", "which system and stream", "an id", "of a secret that chance made"
_CONFIGURED = "configuration"
_NATURAL = "an id; a key that holds a value of the person is replaced"
_RESOLVED = "made anew without the person by the resolution that follows"

RULES: Final[Mapping[str, Rule]] = {
    "raw.record": Rule(
        _RECORD,
        {
            "payload": "'{}'",
            "payload_hash": NOTHING,
            "source_key": _KEY,
            # A sweep then does not miss it, and nothing maps it.
            "is_deleted": "true",
            "is_deletion_inferred": "false",
        },
        {"source": _PLACE, "stream": _PLACE},
    ),
    "raw.record_version": Rule(_VERSION, {"payload": "'{}'", "payload_hash": NOTHING}),
    "raw.held_record": Rule(_VERSION, deletes=True),
    "identity.standard_record": Rule(_PARTY, deletes=True),
    "identity.identifier": Rule(_PARTY, deletes=True),
    "identity.blocking_key": Rule(elsewhere=_RESOLVED),
    "identity.key_list": Rule(elsewhere=_RESOLVED),
    "identity.pair": Rule(elsewhere=_RESOLVED),
    "identity.refused_block": Rule(elsewhere=_RESOLVED),
    "identity.point": Rule(elsewhere=_RESOLVED),
    "identity.generic_value": Rule(
        keep={"kind": _CODE, "type": _CODE, "value": "of no one person: many bear it"}, elsewhere=_RESOLVED
    ),
    "identity.generic_holder": Rule(
        keep={"type": _CODE, "value": "taken out by the resolution that follows"}, elsewhere=_RESOLVED
    ),
    "identity.accepted_value": Rule(
        keep={
            "kind": _CODE,
            "type": _CODE,
            "value": "taken out by the resolution that follows",
            "stands_for": "taken out by the resolution that follows",
        },
        elsewhere=_RESOLVED,
    ),
    "identity.document_key": Rule(_FACT, {"number_key": "NULL"}, elsewhere=_RESOLVED),
    "identity.document_twin": Rule(elsewhere=_RESOLVED),
    "identity.shared_document": Rule(elsewhere=_RESOLVED),
    "identity.judgement": Rule(
        "t.left_ids && {parties}::bigint[] OR t.right_ids && {parties}::bigint[]",
        {"value": "NULL", "reason": "CASE WHEN t.reason IS NOT NULL THEN 'erased' END"},
        {"verdict": _CODE, "relationship": _CODE, "attribute": _CODE, "policy": _CODE, "decided_by": "who decided"},
        elsewhere="pins in force are lifted",
    ),
    "identity.judged_record": Rule(_PARTY, deletes=True),
    "identity.former_record": Rule(
        "EXISTS (SELECT FROM erased_party AS e WHERE e.record_id = t.former_id)",
        # It stays, so that what happened before is not taken for the next bearer's of the key.
        {"content_hash": "md5(t.former_id::text)::uuid", "is_confirmed": "true"},
    ),
    "identity.crosswalk": Rule(elsewhere="ends with the resolution that follows"),
    "identity.crosswalk_history": Rule(elsewhere="ids and dates only"),
    "identity.client_id_ledger": Rule(
        _CLIENT,
        {"founding_key": "CASE WHEN {founder_is_personal} THEN 'erased' ELSE t.founding_key END"},
        {"event": _CODE},
    ),
    "identity.model": Rule(
        keep={"kind": _CODE, "body": "term by term: a name that nobody else bears goes"},
        elsewhere="terms that nobody else bears are taken out of `body`",
    ),
    "identity.review_case": Rule(
        "t.record_ids && {parties}::bigint[]", {"evidence": "'{}'"}, {"kind": _CODE, "status": _CODE, "sources": _PLACE}
    ),
    "identity.child_link": Rule(elsewhere="ids only"),
    "core.client": Rule(
        _CLIENT,
        {
            "display_name": "NULL",
            "attributes": "'{}'",
            "lineage": "'{}'",
            "golden_hash": NOTHING,
            "changed_seq": "{seq}",
        },
        {"kind": _CODE, "role": _CODE},
    ),
    "core.client_scope": Rule(_CLIENT, {"display_name": "NULL"}, {"scope": "which systems and types"}),
    "core.client_history": Rule(
        _CLIENT,
        {
            "display_name": "NULL",
            "attributes": "'{}'",
            "lineage": "'{}'",
            "golden_hash": NOTHING,
            "changed_seq": "{seq}",
        },
        {"kind": _CODE, "role": _CODE},
        elsewhere="versions of other clients that once held a record of the person lose what came from it",
    ),
    "core.interaction_type": Rule(
        keep=dict.fromkeys(
            ("code", "department", "label_en", "label_ru", "direction", "detail_schema", "money", "tax"),
            "configuration",
        )
    ),
    "core.interaction_field": Rule(
        keep=dict.fromkeys(("type", "column_name", "field", "detail_type", "label_en", "label_ru"), "configuration")
    ),
    "core.attribute": Rule(
        keep=dict.fromkeys(("name", "kind", "type", "label_en", "label_ru", "personal_data"), "configuration")
    ),
    "core.interaction": Rule(
        _FACT,
        {
            "document_number": _FREE.replace("{column}", "document_number"),
            "summary": "NULL",
            "url": "NULL",
            "detail": "'{}'",
            "content_hash": NOTHING,
            "source_key": _KEY,
            "changed_seq": "{seq}",
        },
        {
            "source": _PLACE,
            "stream": _PLACE,
            "type": _CODE,
            "time_zone": _CODE,
            "precision": _CODE,
            "channel": _CODE,
            "direction": _CODE,
            "currency": _CODE,
            "reporting_currency": _CODE,
        },
    ),
    "core.interaction_line": Rule(
        _FACT,
        {"item_name": _FREE.replace("{column}", "item_name"), "is_unpublished": "NULL"},
        {"item_code": "a code of the catalogue of goods", "unit": _CODE},
    ),
    "core.promise": Rule(_FACT, {"is_unpublished": "NULL"}, {"kind": _CODE}),
    "core.relationship": Rule(
        "EXISTS (SELECT FROM erased_party AS e WHERE e.record_id IN (t.from_record_id, t.to_record_id))",
        {"role": "NULL", "is_deleted": "true", "changed_seq": "{seq}"},
        {"type": _CODE},
    ),
    "core.interaction_version": Rule(
        _FACT,
        {
            "version": """t.version || jsonb_build_object(
                'summary', NULL, 'url', NULL, 'detail', '{}'::jsonb,
                'content_hash', '00000000-0000-0000-0000-000000000000',
                'document_number', CASE WHEN {is_kept} THEN t.version -> 'document_number' END,
                'source_key', CASE
                    WHEN lower(t.version ->> 'source_key') ~ {words} THEN 'erased-' || t.record_id
                    ELSE t.version ->> 'source_key'
                END
            )""",
            "lines": """CASE WHEN {is_kept} THEN t.lines ELSE (
                SELECT jsonb_agg(one || '{"item_name": null}') FROM jsonb_array_elements(t.lines) AS one
            ) END""",
            # What waited to be published is published with its redaction.
            "ended_seq": "coalesce(t.ended_seq, {seq})",
            "known_to": "coalesce(t.known_to, {as_of})",
        },
        {"promises": "dates and amounts"},
    ),
    "core.relationship_version": Rule(
        """EXISTS (
            SELECT FROM core.relationship AS r
            JOIN erased_party AS e ON e.record_id IN (r.from_record_id, r.to_record_id)
            WHERE r.relationship_key = t.relationship_key
        )""",
        {
            "version": """t.version || '{"role": null}'""",
            "ended_seq": "coalesce(t.ended_seq, {seq})",
            "known_to": "coalesce(t.known_to, {as_of})",
        },
    ),
    "identity.card_version": Rule(
        _PARTY,
        {"source_key": _KEY, "url": "NULL"},
        {"source": _PLACE, "stream": _PLACE, "kind": _CODE, "role": _CODE},
    ),
    "core.document_link": Rule(keep={"kind": _CODE, "status": _CODE, "evidence": "codes, bits and counts of days"}),
    "core.document_open": Rule(),
    "core.document_place": Rule(
        _FACT,
        {name: _FREE.replace("{column}", name) for name in ("number_key", "number", "digits")}
        | {"state": "CASE WHEN t.face = 0 THEN 0 END"},
    ),
    "core.need": Rule(
        keep=dict.fromkeys(("code", "label_en", "label_ru", "job_en", "job_ru", "dimension"), _CONFIGURED)
    ),
    "core.need_signal": Rule(
        keep=dict.fromkeys(("need", "code", "origin", "label_en", "label_ru", "word_starts", "word_query"), _CONFIGURED)
    ),
    "core.need_rate": Rule(keep={"type": _CODE}),
    "core.client_need": Rule(_CLIENT, deletes=True),
    "core.client_need_evidence": Rule(_CLIENT, deletes=True),
    "core.segment_scheme": Rule(
        "EXISTS (SELECT FROM erased_client)",
        {"unknown": "NULL"},
        {
            **dict.fromkeys(("scheme", "basis", "label_en", "label_ru", "owner"), _CONFIGURED),
            "figures": "shares of many",
        },
    ),
    "core.segment": Rule(
        # Counted anew by the next look.
        "EXISTS (SELECT FROM erased_client)",
        {"clients": "NULL"},
        dict.fromkeys(
            (
                *("scheme", "segment", "label_en", "label_ru", "needs"),
                *("policy", "policy_field", "policy_test", "policy_value"),
            ),
            _CONFIGURED,
        ),
    ),
    "core.client_segment": Rule(_CLIENT, deletes=True),
    "core.concern": Rule(
        keep=dict.fromkeys(
            ("concern", "question_en", "question_ru", "owner", "template", "state", "why", "types"), _CONFIGURED
        )
    ),
    "core.concern_raise": Rule(
        keep={
            "concern": _CONFIGURED,
            "closed_as": _CODE,
            "acknowledged_by": "who took note",
            "acknowledge_reason": "of many; the command says that no client is named there",
        }
    ),
    "core.concern_row": Rule(f"({_CLIENT} OR {_FACT})", deletes=True),
    "ops.guard_override": Rule(_CLIENT, deletes=True),
    "ops.segment_use": Rule(
        keep={
            **dict.fromkeys(("scheme", "segment"), _CONFIGURED),
            **dict.fromkeys(("who", "how", "purpose"), "who used a segment, of many clients"),
        }
    ),
    "core.segment_mirror": Rule(
        keep={
            **dict.fromkeys(("scheme", "segment", "outcome", "label_en", "label_ru"), _CONFIGURED),
            **dict.fromkeys(("measure", "verdict", "former_verdict", "effect"), _CODE),
        }
    ),
    "core.metric": Rule(
        keep=dict.fromkeys(
            (
                "metric",
                "label_en",
                "label_ru",
                "perspective",
                "unit",
                "direction",
                "kind",
                "types",
                "breakdowns",
                "definition",
                "why_en",
                "why_ru",
            ),
            _CONFIGURED,
        )
    ),
    "core.client_metric_month": Rule(_CLIENT, deletes=True),
    "core.metric_value": Rule(keep=dict.fromkeys(("metric", "place", "scope", "scheme", "segment"), _CONFIGURED)),
    "core.loyalty": Rule(keep=dict.fromkeys(("ground", "outcome", "verdict", "why_en", "why_ru"), _CONFIGURED)),
    "core.loyalty_band": Rule(keep=dict.fromkeys(("ground", "outcome"), _CONFIGURED)),
    "core.exchange_rate": Rule(
        keep={
            "source": _PLACE,
            "stream": _PLACE,
            "source_key": _ID,
            "from_currency": _CODE,
            "to_currency": _CODE,
            "served": _CODE,
        }
    ),
    "core.reporting": Rule(keep={"currency": "configuration"}),
    "ops.run": Rule(
        keep={
            "command": _CODE,
            "source": _PLACE,
            "status": _CODE,
            "report": "counts; words with a value go",
            "trace_id": "random",
        },
        elsewhere="texts in `report` that hold a value of the person are replaced",
    ),
    "ops.hold": Rule(
        keep={"cause": _CODE, "state": _CODE, "findings": "counts, names of fields, ids", "decided_by": "who decided"}
    ),
    "ops.checkpoint": Rule(
        "{state_is_personal}",
        deletes=True,
        elsewhere="the stream is read anew as a whole",
    ),
    "ops.reject": Rule(
        "{reject_is_personal}",
        {
            "payload": "''::bytea",
            "detail": ERASED,
            "place": ERASED,
            "source_key": "NULL",
            "is_open": "false",
        },
        {"source": _PLACE, "stream": _PLACE, "step": _CODE, "reason": _CODE, "path": "a field's name"},
    ),
    "ops.pending": Rule(keep={"step": _CODE}),
    "ops.sweep_mark": Rule(keep={"source": _PLACE, "stream": _PLACE, "pass_id": _ID}),
    "ops.hub_clock": Rule(keep={"time_zone": "configuration"}),
    "ops.alembic_version": Rule(keep={"version_num": "the version of the tables"}),
    "ops.change_event": Rule(
        _CLIENT,
        {"payload": "jsonb_strip_nulls(jsonb_build_object('target', t.payload -> 'target'))"},
        {"kind": _CODE},
    ),
    "ops.definition": Rule(keep={"kind": _CODE, "name": "what is installed"}),
    "ops.source_token": Rule(keep={"source": _PLACE, "token": "a secret of the hub's, not of a person"}),
    "ops.write_receipt": Rule(
        f"{_PARTY} OR {_CLIENT}",
        {
            "fields": "'{}'",
            "before": "'{}'",
            "message": "NULL",
            "payload_hash": NOTHING,
            "source_key": _KEY,
        },
        {"source": _PLACE, "stream": _PLACE, "status": _CODE, "code": _CODE},
    ),
    "ops.erasure": Rule(
        keep=dict.fromkeys(
            ("erased_by", "reason", "ground", "counts", "lifted_by", "lift_reason"), "what shows that it was done"
        )
    ),
    "ops.suppression": Rule(keep={"kind": _CODE}),
    "ops.feed_reader": Rule(keep={"name": "a program's name"}),
    "ops.reader_scope": Rule(keep={"role": "a role of the database", "department": "configuration"}),
    "ops.source_department": Rule(keep={"source": _PLACE, "department": "configuration"}),
    "ops.register_overlap": Rule(keep={"register_a": _PLACE, "register_b": _PLACE}),
    "ops.register_combination": Rule(keep={"registers": _PLACE}),
    "ops.reconciliation": Rule(keep={"source": _PLACE, "stream": _PLACE}),
    "ops.reconciliation_row": Rule(keep={"source": _PLACE, "stream": _PLACE, "reason": _CODE}),
    "ops.notice": Rule(
        keep={
            "kind": _CODE,
            "key": _PLACE,
            "subject": _PLACE,
            "detail": "errors, which hold no client data",
            "told": _CODE,
            "told_over": _CODE,
        }
    ),
    "ops.source_fix": Rule(
        # Also what another client's register was to be given from a record of the person. The run that follows closes
        # them, so that what is counted by week stays right.
        f"EXISTS (SELECT FROM erased_party AS e WHERE e.record_id IN (t.record_id, t.other_record_id)) OR {_CLIENT}",
        {"value": "NULL", "better": "NULL", "source_key": _KEY, "fingerprint": "md5(t.fix_id::text)::uuid"},
        {
            "kind": _CODE,
            "source": _PLACE,
            "stream": _PLACE,
            "attribute": "an attribute's name",
            "rule": _CODE,
            "closed_as": _CODE,
        },
    ),
    "ops.source_fix_week": Rule(keep={"source": _PLACE, "kind": _CODE, "attribute": "an attribute's name"}),
    "ops.access_log": Rule(
        keep={
            "who": "who looked",
            "how": _CODE,
            "scope": "the name of a view",
            "purpose": "what who looked looks at clients for",
            "fields": "names of attributes",
        }
    ),
    "ops.account": Rule(
        keep={
            "login": "a colleague's",
            "role": _CODE,
            "password_hash": "a colleague's",
            "language": _CODE,
            "created_by": "who made it",
        }
    ),
    "ops.session": Rule(keep={"purpose": "what a colleague looks at clients for", "session_hash": _SECRET}),
    "ops.sign_in_link": Rule(keep={"created_by": "who made it", "link_hash": _SECRET}),
    "ops.sign_in_failure": Rule(keep={"subject_hash": "of a login, or of an address of the network"}),
    "ops.api_token": Rule(
        keep={
            "token_hash": _SECRET,
            "name": "a program's name",
            "scopes": _CODE,
            "purpose": "what a program reads clients for",
            "created_by": "who made it",
        }
    ),
    "ops.case_desk": Rule(keep={"assignee": "a colleague's login"}),
    "ops.case_event": Rule(
        _CASE,
        {"note": "CASE WHEN t.note IS NOT NULL THEN 'erased' END"},
        {"action": _CODE, "done_by": "who did it", "assignee": "a colleague's login", "verdict": _CODE},
    ),
    "ops.case_proposal": Rule(
        "t.left_ids && {parties}::bigint[] OR t.right_ids && {parties}::bigint[]",
        {"reason": "CASE WHEN t.reason IS NOT NULL THEN 'erased' END"},
        {
            "verdict": _CODE,
            "relationship": _CODE,
            "state": _CODE,
            "seen": "ids",
            "proposed_by": "who proposed it",
            "answered_by": "who answered it",
        },
    ),
    "ops.case_repeat": Rule(
        keep={
            "verdict": _CODE,
            "second_verdict": _CODE,
            "seen": "ids",
            "decided_by": "who decided",
            "answered_by": "who answered",
        }
    ),
    "ops.case_batch": Rule(keep={"kind": _CODE, "started_by": "who decided", "report": "codes and ids of cases"}),
}
"""Table -> what an erasure does with it, in the order in which it is done."""

"""The closed vocabularies, each the source of a CHECK constraint."""

from __future__ import annotations

from typing import Final

KINDS: Final = ("person", "organisation")
ROLES: Final = ("client", "prospect", "supplier", "staff", "authority")
STEPS: Final = ("standardise", "in_common", "resolve", "publish", "documents", "fixes", "landed")
NOTICE_KINDS: Final = ("failure", "stopped", "stale", "review", "drift", "concern")
RUN_STATUSES: Final = ("running", "done", "failed", "deferred", "stopped", "held")
HOLD_CAUSES: Final = ("stream", "records", "rules", "rollback")
HOLD_STATES: Final = ("open", "released", "discarded", "rolled_back", "settled")
VERDICTS: Final = ("same", "not_same", "related", "cannot_tell", "pin", "lift", "same_document", "not_same_document")
PIN_POLICIES: Final = ("pin", "until_source_changes", "until_date", "fill_if_empty")
LEDGER_EVENTS: Final = ("mint", "redirect", "retire", "revive")
CASE_STATUSES: Final = ("open", "closed", "decided")
CASE_VERDICTS: Final = ("same", "not_same", "related", "cannot_tell")
CASE_ACTIONS: Final = (
    "assigned", "deferred", "comment", "proposed", "confirmed", "refused", "decided", "undone",
)  # fmt: skip
CASE_BATCH_KINDS: Final = ("pattern", "workbook", "undo", "decision")
PROPOSAL_STATES: Final = ("open", "confirmed", "refused", "stale")
CHANGE_KINDS: Final = ("created", "changed", "redirected", "retired", "revived", "links", "facts")
PRECISIONS: Final = ("day", "minute", "second")
DIRECTIONS: Final = ("inbound", "outbound", "internal")
MONEY: Final = ("quoted", "ordered", "invoiced", "paid", "credited", "none")
DETAIL_TYPES: Final = ("text", "number", "boolean", "date", "timestamp", "list", "object")
TAX: Final = ("net", "gross")
DOCUMENT_LINK_KINDS: Final = ("same", "settles", "instalment")
DOCUMENT_LINK_STATUSES: Final = ("linked", "review")
RECEIPT_STATUSES: Final = ("sent", "accepted", "refused", "unknown")
ACCOUNT_ROLES: Final = ("reader", "steward", "admin")
SUPPRESSED_KINDS: Final = ("record", "identifier", "reject")
ATTRIBUTE_KINDS: Final = ("person", "organisation", "any")
RECONCILIATION_REASONS: Final = (
    "left_out", "rejected", "waiting", "leaving", "made", "missing", "surplus", "other_amount", "open_reference",
    "without_party", "unlinked", "unserved",
)  # fmt: skip
"""`missing`, `surplus` and `other_amount` are what nothing explains."""
FIX_KINDS: Final = ("duplicate", "invalid", "outvoted", "contradicts", "emptied")
FIX_ENDS: Final = ("fixed", "gone", "apart", "judged", "settled")
"""Mended; the record is gone; the two are two clients now; a person said so; the value is taken for right now."""
METRIC_PERSPECTIVES: Final = ("client", "enterprise")
METRIC_DIRECTIONS: Final = ("up", "down", "none")
METRIC_KINDS: Final = ("share", "mean", "ratio", "total")
METRIC_SCOPES: Final = ("hub", "month", "segment")
LOYALTY_VERDICTS: Final = ("effect", "no effect", "cannot tell", "not available")
NEED_ORIGINS: Final = ("declared", "observed", "inferred")
SEGMENT_BASES: Final = ("needs", "lifecycle", "value")
SEGMENT_REASONS: Final = ("composition", "declared", "rule", "few", "none", "close")
"""What its dealings consist of; the client's own word decided; a figure; too few dealings; nothing stands out; two
segments are too close."""
SEGMENT_ENDS: Final = ("gone", "rules")
"""The client is none any more; the scheme is told in another way now."""
CONCERN_TEMPLATES: Final = ("none_of", "more_than", "drifts_from", "missed_and_silent", "contact_pressure", "sql")
CONCERN_STATES: Final = ("calm", "raised", "not_available", "failed")
"""Nothing to worry about; raised; what it looks at is not there; the question could not be asked."""
CONCERN_ENDS: Final = ("calm", "rules", "gone", "not_available")
"""It does not hold any more; it is asked in another way now; it is asked no more; what it looks at has gone."""
MIRROR_MEASURES: Final = ("days", "share", "rate")
MIRROR_VERDICTS: Final = ("as_promised", "decorative", "opposite", "without_policy", "like_everyone", "cannot_tell")
"""Served as promised; promised but served like everyone; promised and served worse than everyone; treated differently
without a policy; nothing promised and nothing different; nobody can tell."""
MIRROR_EFFECTS: Final = ("more", "less", "no_effect", "cannot_tell")
"""What better treatment does to repeat business."""

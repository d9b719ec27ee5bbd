"""Documents in common: what the documents that two registers keep in parallel say of the client records they name.

Resolve begins with it. Which documents are one and the same is told by number, amount and day alone, and never by the
client, so that what follows for clients does not rest on clients. Changed documents are followed by key; the outcome is
that of looking at all documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from onefold.steps.rules import fingerprint, has_work
from warehouse import fingerprints, queue

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

STEP: Final = "in_common"
VERSION: Final = 1
"""Raised when other evidence follows from the same documents, so that all are looked at anew."""
_ALL_SHARE: Final = 20_000
"""Changed documents from which all are looked at anew."""
_NAMED: Final = 3
_TOLD: Final = 50
"""Documents that an explanation names in a line, and lists."""


def in_common_rules(context: Context) -> list[Any] | None:
    """What the evidence depends on beside the documents; None: it is off."""
    configuration = context.configuration
    if not configuration.matching.compares_documents:
        return None
    settings = configuration.document_rules
    money = {code: [one.money, one.tax] for code, one in configuration.interaction_types.items()}
    plain = settings.plain()
    return [VERSION, [plain[name] for name in ("lag_days", "tax_rates", "states")], money]


def is_idle(context: Context, conn: psycopg.Connection) -> bool:
    """No document waits, and the rules are those in force. Writes nothing."""
    rules = in_common_rules(context)
    if rules is None:
        # What was queued before they were turned off is taken away as well.
        return queue.is_empty(conn, STEP) and fingerprints.stored(conn, "rules").get(STEP) in (None, fingerprint(None))
    return not has_work(conn, STEP, rules)


def share_documents(context: Context, conn: psycopg.Connection) -> None:
    """Bring what records have in common up to the documents, and queue for resolve whom it concerns.

    In the caller's transaction under the hub lock.
    """
    if is_idle(context, conn):
        return
    # Not before: a run without such documents loads nothing for them.
    from onefold.steps.share_documents import Work, share_all, share_changed, share_nothing

    rules = in_common_rules(context)
    wanted = fingerprint(rules)
    is_new = fingerprints.stored(conn, "rules").get(STEP) != wanted
    if is_new:
        fingerprints.remember(conn, "rules", {STEP: wanted})
    work = Work(conn, context.configuration.document_rules)
    if rules is None:
        share_nothing(work)
        return
    batch = queue.read(conn, STEP, _ALL_SHARE)
    if is_new or len(batch.pending_ids) == _ALL_SHARE:
        share_all(work)
        return
    share_changed(work, batch.record_ids)
    queue.done(conn, batch)


def with_documents(
    conn: psycopg.Connection, pair: tuple[int, int], findings: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The documents that two client records have in common, oldest first; the finding about them names the first."""
    from identity.settings import DOCUMENTS
    from warehouse import in_common as stored

    about = [one for one in findings if one["column"] == DOCUMENTS and one["level"] != "missing"]
    if not about:
        return []
    found = stored.shown(conn, *pair, _TOLD)
    for one in about:
        one |= {side: _named(found, side) for side in ("left", "right")}
    return found


def _named(found: Sequence[dict[str, Any]], side: str) -> str:
    numbers = [row[f"{side}_number"] or row[side].rpartition(":")[2] for row in found]
    more = ", ..." if len(numbers) > _NAMED else ""
    return ", ".join(numbers[:_NAMED]) + more

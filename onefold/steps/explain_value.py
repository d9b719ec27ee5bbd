"""explain CLIENT --field: why one golden value won, and why every other one lost."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound, UsageError
from onefold.nearest import did_you_mean
from onefold.steps.client import client
from onefold.steps.rules import survivorship_rules, today, trust

if TYPE_CHECKING:
    from onefold.context import Context

REASONS: Final = {
    "pinned": "a person pinned it",
    "fill_if_empty": "a person gave it for as long as no source has a valid value",
    "most_restrictive": "it allows least",
    "authority": "its register decides this (authority.yaml)",
    "valid": "it is valid",
    "stated": "its source says it itself; others were derived",
    "complete": "its record fills more fields of the group",
    "trust": "its source is trusted more",
    "recent": "its source changed it last",
    "frequent": "more records say so",
    "longest": "it is longer",
    "natural key": "all rules tie: the smaller source, stream and key",
    "only": "nobody says anything else",
    "agreed": "all records say the same",
    "all": "every distinct valid value is kept",
}
"""Why a value stands, by the rule in its lineage."""


def explain_value(context: Context, who: str, attribute: str) -> dict[str, Any]:
    """What the records of the client `who` (a client id or a record) say of an attribute, and what became golden.

    Keys: client_id, kind, display_name, attribute, value, rule, because, from, rules (in order), keeps_all, group,
    authority (register, agreed_by, review_on, is_overdue), pin (policy, until, judgement, note), said (record, value,
    invalid, derived, trust, source_updated_at, run_id and trace_id of the sync that brought the record as it is now,
    outcome: won, lost, same; because). NothingFound: no such client, or nobody says anything of it.
    """
    known = context.configuration.attributes
    if attribute not in known:
        raise UsageError(f"There is no attribute {attribute}.", did_you_mean(attribute, known))
    view = client(context, who, limit=1)
    rules = survivorship_rules(context)
    group = rules.group_of([attribute]).get(attribute)
    line = view["lineage"].get(attribute)
    said = [entry for record in view["records"] for entry in _said(record, attribute, trust(context))]
    if line is None and not said:
        raise NothingFound(f"No record of {who} says anything about {attribute}.", f"onefold client {who}")
    line = line or {}
    golden = view["attributes"].get(attribute)
    kept = set(golden) if isinstance(golden, list) else {golden}
    lost = {loser["value"]: loser["reason"] for loser in line.get("losers", ())}
    for entry in said:
        entry["outcome"], entry["because"] = _outcome(entry, kept, lost, line)
    return {
        "client_id": view["client_id"],
        "kind": view["kind"],
        "display_name": view["display_name"],
        "attribute": attribute,
        "value": golden,
        "rule": line.get("rule"),
        "because": REASONS.get(line.get("rule", ""), ""),
        "from": line.get("record"),
        "rules": list(rules.of(group or attribute)),
        "keeps_all": rules.keeps_all(attribute),
        "group": group,
        "authority": _authority(context, group or attribute, today(context)),
        "pin": {name: line.get(name) for name in ("policy", "until", "judgement", "note")}
        if "policy" in line
        else None,
        "said": sorted(said, key=lambda entry: ("won", "same", "lost").index(entry["outcome"])),
    }


def _said(record: dict[str, Any], attribute: str, trusted: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "record": record["name"],
            "value": value.get("v"),
            "invalid": value.get("invalid"),
            "derived": value.get("derived"),
            "trust": trusted.get(record["source"], 0),
            "source_updated_at": record["source_updated_at"],
            "run_id": record["run_id"],
            "trace_id": record["trace_id"],
        }
        for value in record["attributes"].get(attribute, ())
    ]


def _outcome(entry: dict[str, Any], kept: set[Any], lost: dict[str, str], line: dict[str, Any]) -> tuple[str, str]:
    if entry["value"] in kept:
        won = entry["record"] == line.get("record") and "policy" not in line
        return ("won", REASONS.get(line.get("rule", ""), "")) if won else ("same", "")
    if entry["value"] in lost:
        return "lost", f"by {lost[entry['value']].replace('_', ' ')}"
    if entry["invalid"]:
        return "lost", f"invalid: {entry['invalid']}"
    return "lost", "its record lost the group" if "group" in line else ""


def _authority(context: Context, subject: str, day: date) -> list[dict[str, Any]]:
    """Who decides the attribute or group: who decides one field of a group decides it whole."""
    group_of = context.configuration.survivorship.group_of(context.configuration.attributes)
    return [
        {
            "register": entry.register_,
            "agreed_by": entry.agreed_by,
            "review_on": entry.review_on,
            "is_overdue": entry.is_overdue(day),
        }
        for entry in context.configuration.authority
        if entry.attribute is not None and group_of.get(entry.attribute, entry.attribute) == subject
    ]

"""From what the steps answer to what the API does: named records instead of their numbers, masks where they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from onefold.web.masking import BLANK, Masks

FOUND: Final = ("email", "phone", "inn", "city")
_SAME: Final = ("client_id", "kind", "role", "is_deleted", "record_count", "changed_seq", "departments",
                "interaction_count", "former_ids")  # fmt: skip
_FACT: Final = ("type", "department", "occurred_at", "occurred_on", "precision", "direction", "channel",
                "document_number", "summary", "amount", "currency", "money", "url", "detail")  # fmt: skip
_FIX: Final = ("fix_id", "kind", "source", "owner", "record", "other", "client_id", "attribute", "rule", "closed_as",
               "url", "other_url")  # fmt: skip
_SIDES: Final = ("value", "better")
_FREE: Final = ("summary", "detail")
"""Where people write what they like."""


def client_of(view: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """A client in the shape of `shapes.Client`, of what `steps.client` gives."""
    kind, attributes = view["kind"], view["attributes"]
    lines = {name: _line(name, line, kind, masks) for name, line in view["lineage"].items() if name in attributes}
    masked = [] if masks is None else sorted(name for name in attributes if masks.is_masked(name, kind))
    return {
        **{name: view[name] for name in _SAME},
        "valid_from": _time(view["valid_from"]),
        "display_name": _name(view["display_name"], kind, masks),
        "attributes": {name: _value(name, value, kind, masks) for name, value in attributes.items()},
        "lineage": lines,
        "records": [_record(record, kind, masks) for record in view["records"]],
        "relationships": [_relationship(one, masks) for one in view["relationships"]],
        "interactions": interactions_of(view["interactions"], masks),
        "open_cases": [case["fingerprint"] for case in view["cases"]],
        "masked": masked,
    }


def client_then(found: Mapping[str, Any], at: str, names: Mapping[int, str], masks: Masks | None) -> dict[str, Any]:
    """A client at a moment in the shape of `shapes.ClientThen`, of what `steps.client_history.known_at` gives."""
    kind, attributes = found["kind"], found["attributes"]
    records = [
        {"record": one["name"], "since": _time(one["since"]), "said_at": _time(one["said_at"])}
        for one in found["records"]
    ]
    lineage = {}
    for name, line in found["lineage"].items():
        if name in attributes:
            losers = [{**one, "record": names.get(one["record_id"])} for one in line.get("losers", ())]
            named_line = {**line, "record": names.get(line.get("record_id", 0)), "losers": losers}
            lineage[name] = _line(name, named_line, kind, masks)
    same = {part: found[part] for part in ("client_id", "kind", "role", "is_deleted", "redirected_to")}
    return {
        **same,
        "as_of": at,
        "display_name": _name(found["display_name"], kind, masks),
        "valid_from": None if found["valid_from"] == "-infinity" else _time(found["valid_from"]),
        "valid_to": _time(found["valid_to"]),
        "attributes": {name: _value(name, value, kind, masks) for name, value in attributes.items()},
        "lineage": lineage,
        "records": records,
        "masked": [] if masks is None else sorted(name for name in attributes if masks.is_masked(name, kind)),
    }


def interactions_of(rows: Sequence[Mapping[str, Any]], masks: Masks | None) -> list[dict[str, Any]]:
    """Interactions in the shape of `shapes.Interaction`. What people write freely may name anybody: it is masked
    whole."""
    found = []
    for row in rows:
        one = {"record": named(row), **{name: row[name] for name in _FACT}, "promises": row["promises"] or []}
        one["occurred_at"] = _time(row["occurred_at"])
        if masks is not None:
            one.update({name: None if row[name] is None else _blank(row[name]) for name in _FREE})
        found.append(one)
    return found


def as_client_of(found: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """`as_client` in the shape of `shapes.ClientSees`; what people write freely is masked whole."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    told["display_name"] = _name(found["display_name"], found["kind"], masks)
    if masks is not None:
        for part in ("broken", "unanswered", "repeats", "complaints"):
            told[part] = [
                {**row, **{name: _blank(row[name]) for name in _FREE if row.get(name) is not None}}
                for row in told[part]
            ]
    return told


def found_of(rows: Sequence[Mapping[str, Any]], masks: Masks | None) -> list[dict[str, Any]]:
    """What a search found in the shape of `shapes.Found`."""
    return [
        {
            **{name: row[name] for name in ("client_id", "kind", "role", "record_count", "why")},
            "display_name": _name(row["display_name"], row["kind"], masks),
            "attributes": {n: _value(n, row[n], row["kind"], masks) for n in FOUND if row[n] is not None},
        }
        for row in rows
    ]


def case_of(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """A review case in the shape of `shapes.Case`."""
    records = [
        {
            "record": named(one),
            "client_id": one["client_id"],
            "display_name": _name(one["display_name"], one["kind"], masks),
        }
        for one in row["records"] or ()
    ]
    bits = None if row["weight"] is None else row["weight"] / 1024
    same = {name: row[name] for name in ("kind", "status", "impact")}
    opened_at = _time(row["opened_at"])
    return {"case": row["fingerprint"], **same, "opened_at": opened_at, "bits": bits, "records": records}


def fix_of(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """An entry of `steps.fix_at_source` in the shape of `shapes.Fix`, with the addresses of the cards."""
    kind, name = row["client_kind"] or "person", row["attribute"]
    same = {part: row[part] for part in _FIX}
    values = {
        side: row[side] if masks is None or name is None else masks.value(name, row[side], kind) for side in _SIDES
    }
    times = {part: _time(row[part]) for part in ("opened_at", "closed_at")}
    return {**same, **values, **times}


_CONCERN: Final = ("concern", "question_en", "question_ru", "owner", "template", "threshold", "is_shipped", "state",
                   "why", "clients", "row_count", "is_cut", "acknowledged_by", "acknowledge_reason")  # fmt: skip
SEGMENT: Final = ("scheme", "segment", "label_en", "label_ru", "needs", "policy", "policy_field", "policy_test",
                  "policy_value", "policy_from", "clients")  # fmt: skip
SCHEME: Final = ("basis", "owner", "review_on", "neglected")


def concern_of(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """A concern in the shape of `shapes.Concern`; the words of who took note are masked."""
    found = {name: row[name] for name in _CONCERN}
    if masks is not None:
        found["acknowledge_reason"] = found["acknowledge_reason"] and BLANK
    return {**found, **{name: _time(row[name]) for name in ("raised_at", "acknowledged_at")}}


def concern_row_of(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """A row of a concern in the shape of `shapes.ConcernRow`; what people wrote is masked with the name."""
    return {
        "client_id": row["client_id"],
        "display_name": _name(row["display_name"], row["kind"], masks),
        "record": named(row) if row["source"] is not None else None,
        "type": row["type"],
        "occurred_on": row["occurred_on"],
        **{name: row[name] if masks is None else row[name] and BLANK for name in ("summary", "note")},
        "since": _time(row["since"]),
    }


def list_row_of(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """A client of a list in the shape of `shapes.SegmentClient`."""
    kind = row["kind"]
    same = {name: row[name] for name in ("client_id", "kind", "probability", "overridden", "overridden_by")}
    values = {name: _value(name, row[name], kind, masks) for name in ("email", "phone")}
    return {
        **same,
        **values,
        "display_name": _name(row["display_name"], kind, masks),
        "entered_at": _time(row["entered_at"]),
    }


def explained(found: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """What explains a client, with names and former values masked; evidence is told in words that hold none."""
    if masks is None:
        return dict(found)
    kind = found["kind"]
    borders = [{**one, "display_name": _name(one["display_name"], kind, masks)} for one in found["borders"]]
    suspended = [{**one, "compared": [_without_values(line) for line in one["compared"]]} for one in found["suspended"]]
    name = _name(found["display_name"], kind, masks)
    return {**found, "display_name": name, "borders": borders, "suspended": suspended}


def named(row: Mapping[str, Any]) -> str:
    """`source:stream:key`."""
    return f"{row['source']}:{row['stream']}:{row['source_key']}"


def _time(text: str | None) -> str | None:
    """A time as PostgreSQL writes it in UTC, in ISO 8601."""
    return None if text is None else text.replace(" ", "T").replace("+00", "+00:00")


def _without_values(line: Mapping[str, Any]) -> dict[str, Any]:
    return {**line, **{part: line[part] and BLANK for part in ("was", "is")}}


def _value(name: str, value: Any, kind: str, masks: Masks | None) -> Any:
    return value if masks is None else masks.value(name, value, kind)


def _name(name: str | None, kind: str | None, masks: Masks | None) -> str | None:
    return name if masks is None else masks.display_name(name, kind)


def _blank(value: Any) -> Any:
    return {} if isinstance(value, dict) else BLANK


def _line(name: str, line: Mapping[str, Any], kind: str, masks: Masks | None) -> dict[str, Any]:
    losers = [
        {"value": _value(name, one["value"], kind, masks), "record": one["record"], "reason": one.get("reason")}
        for one in line.get("losers", ())
    ]
    return {"record": line.get("record"), "rule": line["rule"], "losers": losers}


def _record(record: Mapping[str, Any], kind: str, masks: Masks | None) -> dict[str, Any]:
    said = {
        name: [_value(name, one["v"], kind, masks) for one in values] for name, values in record["attributes"].items()
    }
    same = {name: record[name] for name in ("kind", "role", "url")}
    times = {name: _time(record[name]) for name in ("source_updated_at", "since")}
    return {"record": record["name"], **same, **times, "attributes": said}


def _relationship(one: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    return {**one, "display_name": _name(one["display_name"], None, masks)}

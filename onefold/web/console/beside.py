"""Records side by side: rows of values by group, what agrees, comes near and differs, and what is masked of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz

from onefold.configuration.attributes import Attribute
from onefold.web.masking import Masks

GROUPS: Final = (
    ("identifying", frozenset({"identity", "name"})),
    ("contact", frozenset({"contact", "financial"})),
    ("descriptive", frozenset({"none", "special"})),
)
"""Rows of a comparison in the order in which people look: by the class of personal data."""
NEAR: Final = 85
"""From this likeness of two texts on, of 100, a difference is one to look at twice: for the eye, no evidence."""


@dataclass(frozen=True, slots=True)
class Row:
    """An attribute of several records."""

    name: str
    state: str
    """agree, near or differ among the records in question; alone: no two of them say anything."""
    cells: Sequence[Sequence[str]]
    """Of each record its values, masked where it is due."""
    together: Sequence[str]
    """The golden value that one client of them all would have."""
    is_masked: bool
    """Something is masked that may be revealed."""


def shown_record(record: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    """The head of a column."""
    name = record["display_name"]
    shown = name if masks is None else masks.display_name(name, record["kind"])
    same = ("record_id", "source", "stream", "source_key", "kind", "role", "url", "client_id", "changed_seq")
    return {**{key: record[key] for key in same}, "display_name": shown}


def rows_of(
    records: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Attribute],
    masks: Masks | None,
    *,
    asked: int,
    together: Mapping[str, Any],
    revealed: Collection[str] = (),
) -> list[tuple[str, list[Row]]]:
    """Rows by group. The first `asked` records are in question; what agrees is found before it is masked."""
    # The way to the card stands in the head.
    names = dict.fromkeys(name for one in records for name in one["attributes"] if name != "url")
    rows: dict[str, list[Row]] = {group: [] for group, _ in GROUPS}
    kind = records[0]["kind"] if records else "person"
    for name in names:
        known = attributes.get(name)
        said = [values_of(one, name) for one in records]
        hidden = masks if name not in revealed else None
        masked = masks is not None and any(masks.is_masked(name, one["kind"]) for one in records)
        golden = together.get(name)
        row = Row(
            name,
            state_of(said[:asked]),
            [_masked(values, name, one["kind"], hidden) for one, values in zip(records, said, strict=True)],
            _masked([str(one) for one in _list(golden)], name, kind, hidden),
            masked and name not in revealed and may_be_revealed(known),
        )
        of = next((group for group, classes in GROUPS if known and known.personal_data in classes), "descriptive")
        rows[of].append(row)
    return [(group, found) for group, found in rows.items() if found]


def values_of(record: Mapping[str, Any], name: str) -> list[str]:
    """What a record says of an attribute."""
    return [str(value["v"]) for value in record["attributes"].get(name, ())]


def may_be_revealed(attribute: Attribute | None) -> bool:
    """Whom it concerns has not to be asked first: what is special, or nobody knows, stays masked."""
    return attribute is not None and attribute.personal_data != "special"


def state_of(said: Sequence[Sequence[str]]) -> str:
    """How the values of several records go together."""
    there = [set(values) for values in said if values]
    if len(there) < 2:
        return "alone"
    if set.intersection(*there):
        return "agree"
    first = there[0]
    return "near" if all(_are_near(first, others) for others in there[1:]) else "differ"


def _are_near(values: Collection[str], others: Collection[str]) -> bool:
    pairs = ((one.casefold(), two.casefold()) for one in values for two in others)
    return any(fuzz.token_sort_ratio(one, two) >= NEAR for one, two in pairs)


def _masked(values: Sequence[str], name: str, kind: str, masks: Masks | None) -> list[str]:
    return [value if masks is None else str(masks.value(name, value, kind)) for value in values]


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]

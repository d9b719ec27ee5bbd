"""What a decision would do, as a page shows it: masked where it is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onefold.configuration.attributes import Attribute
from onefold.steps.consequences import Change, Consequences
from onefold.web.console.render import labels
from onefold.web.hub import Hub
from onefold.web.masking import Masks

MOST_VALUES = 200
"""Golden values that are listed; of more nobody reads."""


def told_of(hub: Hub, found: Consequences, masks: Masks | None, language: str) -> dict[str, Any]:
    """What the templates that tell of consequences need."""
    known = hub.reading.configuration
    return {
        "would": shown_consequences(found, masks, known.attributes),
        "labels": labels(known.attributes, language),
        "type_labels": {code: one.labels.get(language) or code for code, one in known.interaction_types.items()},
    }


def shown_consequences(found: Consequences, masks: Masks | None, attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    """clients, changed, lost, consents, interactions, and how many records move."""

    def name(text: str | None, kind: str) -> str | None:
        return text if masks is None else masks.display_name(text, kind)

    def value(one: Change, said: Any) -> str:
        shown = said if masks is None else masks.value(one.attribute, said, one.kind)
        if isinstance(shown, bool):
            return str(shown).lower()
        return "" if shown is None else ", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)

    names = {one.client_id: name(one.after or one.before, one.kind) for one in found.clients}
    told = [
        {
            "client": names[one.client_id],
            "client_id": one.client_id,
            "attribute": one.attribute,
            "before": value(one, one.before),
            "after": value(one, one.after),
            "is_consent": one.is_consent,
            "is_lost": one.is_lost,
        }
        for one in found.values
        if one.attribute in attributes
    ]
    return {
        "moves": len(found.moves),
        "clients": [
            {
                "client_id": one.client_id,
                "name": names[one.client_id],
                "before": one.records_before,
                "after": one.records_after,
                "state": "comes" if one.before is None else "goes" if one.after is None else "stays",
                "into": one.into,
                "into_name": names.get(one.into) if one.into else None,
            }
            for one in found.clients
        ],
        "consents": [one for one in told if one["is_consent"]],
        "changed": [one for one in told if not one["is_consent"] and not one["is_lost"]][:MOST_VALUES],
        "lost": [one for one in told if not one["is_consent"] and one["is_lost"]][:MOST_VALUES],
        "interactions": [
            {**row, "from_name": names.get(row["from_id"]), "to_name": names.get(row["to_id"])}
            for row in found.interactions
        ],
    }

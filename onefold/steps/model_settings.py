"""A trained model belongs to the settings that it was made with: what has been edited since, and what to say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity.settings import MatchingSettings
    from warehouse.match_models import StoredModel

_NESTED = ("person", "organisation", "compare")


def edited_since(stored: StoredModel, settings: MatchingSettings) -> list[str]:
    """The settings that are others now than when the model was made, as `person.link_at`; none for the priors."""
    made_with = stored.body.get("made_with") or {}
    if stored.kind == "prior" or "settings" not in made_with:
        return []
    return sorted(_differences(made_with["settings"], plain(settings)))


def plain(settings: MatchingSettings) -> dict[str, Any]:
    """The settings as JSON keeps them, so that two can be compared."""
    found: dict[str, Any] = json.loads(settings.model_dump_json())
    return found


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name in old.keys() | new.keys():
        left, right = old.get(name), new.get(name)
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict) and name in _NESTED:
            yield from _differences(left, right, f"{place}{name}.")
        else:
            yield f"{place}{name}"


def note_on(stored: StoredModel | None, settings: MatchingSettings) -> str | None:
    """What to say when the model in use was made with other settings than those in force."""
    edited = [] if stored is None else edited_since(stored, settings)
    if stored is None or not edited:
        return None
    more = f" and {len(edited) - 3} more" if len(edited) > 3 else ""
    return (
        f"matching.yaml has changed since model {stored.version} was trained ({', '.join(edited[:3])}{more}). "
        "Until `onefold train` its weights and thresholds stay as trained; edited comparisons have the shipped weights."
    )

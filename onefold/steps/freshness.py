"""How fresh a stream is. Apart from `status`, whose imports are many: monitoring asks every few seconds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onefold.context import Context

FRESHNESS = ("fresh", "late", "stale", "never")


def freshness(context: Context, stream: dict[str, Any], now: datetime) -> str:
    """fresh, late (beyond warn_after), stale (beyond fail_after) or never, by when the stream was last synced."""
    if stream["synced_at"] is None:
        return "never"
    source = context.configuration.sources.get(stream["source"])
    if source is None or source.freshness is None:
        return "fresh"
    age = now - datetime.fromisoformat(stream["synced_at"])
    if source.freshness.fail_after and age > source.freshness.fail_after:
        return "stale"
    if source.freshness.warn_after and age > source.freshness.warn_after:
        return "late"
    return "fresh"

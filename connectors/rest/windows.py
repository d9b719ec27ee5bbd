"""Spans of time for sources that cap what one question brings: a span at the cap is halved, a quiet one doubled."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.changes import FilterChanges

Span = list[str]
"""From and until, ISO; both belong to it."""

SMALLEST = timedelta(seconds=1)


def first_span(changes: FilterChanges, low: str, until: str) -> Span:
    """The first question of a pass from `low` to `until`."""
    return _span(changes, datetime.fromisoformat(low), None, datetime.fromisoformat(until))


def next_span(changes: FilterChanges, span: Span, until: str) -> Span | None:
    """The question after `span`, up to twice as long; None when the pass is through."""
    low, high = (datetime.fromisoformat(text) for text in span)
    end = datetime.fromisoformat(until)
    return None if high >= end else _span(changes, high, (high - low) * 2, end)


def halved(span: Span) -> Span | None:
    """The first half of `span`; None when it is as short as times can tell apart."""
    low, high = (datetime.fromisoformat(text) for text in span)
    if high - low <= SMALLEST:
        return None
    # Whole seconds: most filters know no smaller ones.
    middle = low + max(SMALLEST, timedelta(seconds=int((high - low).total_seconds() / 2)))
    return [span[0], middle.isoformat()]


def _span(changes: FilterChanges, low: datetime, length: timedelta | None, end: datetime) -> Span:
    limits = [low + given for given in (length, changes.window) if given is not None]
    return [low.isoformat(), max(min([*limits, end]), low).isoformat()]

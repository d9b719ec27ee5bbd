"""How many records a stream has, where the source can tell without sending them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.manifest import Stream
from connectors.paths import as_text, compile_path
from connectors.rest.asking import Asking
from connectors.rest.reading import Pass


def volume(stream: Stream, asking: Callable[[Stream], Asking], whole: Callable[[], Pass]) -> int | None:
    """The number that the source tells: by a question of its own, or with the first page of a `whole` read."""
    if stream.count is not None:
        rule = stream.count
        question = Stream(path=rule.path, method=rule.method, params=rule.params, headers=rule.headers, body=rule.body)
        data = asking(question).fetch({}, {}, 1)[1].data
        return _number(compile_path(rule.at).get(data) if rule.at else data)
    if stream.parent is None and getattr(stream.paging, "total", None):
        return whole().told_total()
    return None


def _number(value: Any) -> int | None:
    text = as_text(value)
    return int(text) if text is not None and text.isdigit() else None

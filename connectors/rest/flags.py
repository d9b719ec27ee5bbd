"""Records that say of themselves that they are deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from connectors.deletes import FlagDeletes
from connectors.paths import as_text, compile_path
from connectors.rows import key_text

Test = Callable[[Any], bool]


def flagged(rule: FlagDeletes) -> Test:
    """Whether the rule holds for a record."""
    get, wanted, end = compile_path(rule.path).get, frozenset(text.lower() for text in rule.equals), rule.ends_with
    if end is not None:
        return lambda record: (as_text(get(record)) or "").endswith(end)
    if not wanted:
        return lambda record: get(record) is not None
    return lambda record: (as_text(get(record)) or "").lower() in wanted


def plain_test(rules: Sequence[FlagDeletes]) -> Test | None:
    """Whether any rule holds whose records carry their key where all do; None without such rules."""
    tests = [flagged(rule) for rule in rules if rule.key is None]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)


def key_reader(rules: Sequence[FlagDeletes]) -> Callable[[Any], str | None] | None:
    """The key of a record that a rule with a key of its own says is deleted; None for all others."""
    readers = [
        (flagged(rule), compile_path(rule.key).get, re.compile(rule.pattern or "(.*)")) for rule in rules if rule.key
    ]
    if not readers:
        return None

    def key_of(record: Any) -> str | None:
        for test, get, pattern in readers:
            if test(record) and (found := pattern.search(key_text(get(record)) or "")):
                return key_text(found[1])
        return None

    return key_of

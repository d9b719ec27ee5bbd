"""Blocking rules that would secure pairs which hang by a thread: found through other records only, or by one rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from identity.comparison.similarity import share_a_value
from identity.encoded import Flags, Ints
from identity.evaluation.block_report import Ground, rule_cost
from identity.hashing import mix
from identity.parts import derive
from identity.settings import IDENTIFIER_TYPES, BlockingRule, BlockingValue, rule_name

MOST_RULES: Final = 5
_TRIED: Final = 32  # the rules that hold for most pairs are made, to learn what they cost
_SCORED: Final = 20_000
_WORTH: Final = 0.01  # of the pairs that hang by a thread: a rule that secures fewer is not suggested
_DEARER: Final = 10  # times what the rules in force cost for each match a rule may cost for each pair that it secures
CHEAP: Final = 1000  # pairs: a rule may cost this much, however little the others do


_IDENTIFIERS: Final = frozenset(IDENTIFIER_TYPES) - {"kpp", "domain"}
"""What `identifier` stands for in a rule."""


@dataclass(frozen=True)
class AddRule:
    """A rule to add, what it costs, what it secures, and what it would newly find."""

    kind: str
    rule: tuple[str, ...]
    pairs: int  # what it costs: pairs in its active blocks
    through_clusters: int  # pairs of one client that it proposes and no rule in force does
    single: int  # ... that only one rule in force proposes
    new_links: int  # pairs of different clients that would link by themselves; estimated from `scored` of its new pairs
    scored: int
    refused: int  # its blocks over the cap


def additions(
    ground: Ground, values: Sequence[BlockingValue], weak: tuple[Ints, Ints], unproposed: Flags
) -> Iterator[AddRule]:
    """Again and again the rule that secures most of the `weak` pairs that are left, none dearer than the dearest in
    force. `unproposed`: of each pair whether no rule proposes it (else one does)."""
    tried = _promising(ground, values, weak, unproposed)
    if not tried:
        return
    blocks = ground.blocks_by(tried)
    secures = blocks.proposing(weak, len(tried))
    cost = [rule_cost(blocks, index) for index in range(len(tried))]
    in_force = [rule_cost(ground.blocks, index) for index in range(len(ground.rules.blocking))]
    each = _DEARER * sum(in_force) / max(len(ground.matches[0]), 1)
    allowed = [index for index in range(len(tried)) if cost[index] <= max(*in_force, CHEAP)]
    left = np.ones(len(unproposed), dtype=np.bool_)
    suggested = 0
    while allowed and suggested < MOST_RULES:
        gain: Mapping[int, int] = {index: int((secures[:, index] & left).sum()) for index in allowed}
        best = min(gain, key=lambda index: (-gain[index], cost[index], rule_name(tried[index])))
        if gain[best] < _least(unproposed):
            return
        allowed.remove(best)
        if cost[best] > max(each * gain[best], CHEAP):
            continue
        new_links, scored = _new_links(ground, tried[best])
        mine = secures[:, best]
        if scored == 0 and not (mine & unproposed).any():
            continue  # all that it would propose is proposed: it says the same in other words
        left &= ~mine
        suggested += 1
        yield AddRule(
            ground.kind,
            tuple(map(str, tried[best])),
            cost[best],
            int((mine & unproposed).sum()),
            int((mine & ~unproposed).sum()),
            new_links,
            scored,
            int(blocks.refused[blocks.of_rule(best)].sum()),
        )


def _least(unproposed: Flags) -> float:
    return max(2.0, _WORTH * len(unproposed))


def _promising(
    ground: Ground, values: Sequence[BlockingValue], weak: tuple[Ints, Ints], unproposed: Flags
) -> list[BlockingRule]:
    """The rules of one or two values that hold for most of the pairs; none that narrows a rule in force."""
    shared = {value: share_a_value(derive(ground.features.values(value.field), value), *weak) for value in values}
    single: list[BlockingRule] = [(value,) for value in values]
    double: list[BlockingRule] = [pair for pair in combinations(values, 2) if pair[0].field != pair[1].field]
    held: list[tuple[int, int, str, BlockingRule]] = []
    for rule in single + double:
        if any(narrows(rule, known) for known in ground.rules.blocking):
            continue
        holds = np.logical_and.reduce([shared[value] for value in rule])
        if holds.sum() >= _least(unproposed):
            held.append((-int(holds.sum()), -int((holds & unproposed).sum()), rule_name(rule), rule))
    return [rule for *_, rule in sorted(held, key=lambda one: one[:3])[:_TRIED]]


def _new_links(ground: Ground, rule: BlockingRule) -> tuple[int, int]:
    """How many pairs of different clients that the rule proposes weigh enough to link, and how many were weighed."""
    left, right = ground.pairs_by(rule)
    free = ground.client[left] != ground.client[right]
    left, right = left[free], right[free]
    one, two = drawn_pairs((left, right), _SCORED)
    new = ~ground.blocks.proposing((one, two), len(ground.rules.blocking)).any(axis=1)
    scores = ground.population.score(one[new], two[new])
    links = int(((scores.weight >= ground.population.model.link) & ~scores.forbidden).sum())
    return round(links * len(left) / len(one)) if len(one) else 0, int(new.sum())


def narrows(rule: BlockingRule, known: BlockingRule) -> bool:
    """Whether every pair that `rule` proposes shares the key of `known` as well."""
    whole = {value.field for value in rule if value.part is None}
    if whole & _IDENTIFIERS:
        whole.add("identifier")
    return all(value in rule or value.field in whole for value in known)


def drawn_pairs(pairs: tuple[Ints, Ints], most: int) -> tuple[Ints, Ints]:
    """`most` of the pairs of rows, drawn by a hash of the rows, in their order."""
    left, right = pairs
    if len(left) <= most:
        return pairs
    number = mix(left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64))
    drawn = np.sort(np.argsort(number, kind="stable")[:most])
    return left[drawn], right[drawn]

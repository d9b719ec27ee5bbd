"""Blocking rules that cost much and find nothing alone, and refused blocks that a further value would divide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.blocking.blocks import Blocks
from identity.encoded import Ints
from identity.evaluation.block_report import Ground, NamedBlock, named_block, rule_cost
from identity.evaluation.rule_additions import CHEAP, narrows
from identity.settings import BlockingRule, BlockingValue, rule_name

_COSTS_MUCH: Final = 0.02  # of the pairs of all rules
_MOST: Final = 5


@dataclass(frozen=True)
class DropRule:
    """A rule without which every match is still proposed, also when all rules listed before it are gone."""

    kind: str
    rule: str
    pairs: int
    linked: int  # matches that it proposes, as others do


@dataclass(frozen=True)
class RefineRule:
    """Refused blocks of a rule, which a further value would divide into blocks that are not."""

    kind: str
    rule: str
    refused: int
    refused_records: int
    largest: NamedBlock
    refined: tuple[str, ...]
    pairs: int  # what the refined rule costs within those blocks
    still_refused: int  # records whose refined block is over the cap as well
    recovered: int  # pairs of one client that no rule proposes now and the refined rule would


def droppable(ground: Ground) -> Iterator[DropRule]:
    """From the dearest on, the rules without which, together, every match is still proposed by another."""
    rules = ground.rules.blocking
    proposes = ground.blocks.proposing(ground.matches, len(rules))
    proposed_by = proposes.sum(axis=1)
    cost = [rule_cost(ground.blocks, index) for index in range(len(rules))]
    if len(proposed_by) == 0:
        return
    for index in sorted(range(len(rules)), key=lambda index: (-cost[index], rule_name(rules[index]))):
        mine = proposes[:, index]
        if cost[index] > max(_COSTS_MUCH * sum(cost), CHEAP) and not bool((mine & (proposed_by == 1)).any()):
            proposed_by = proposed_by - mine
            yield DropRule(ground.kind, rule_name(rules[index]), cost[index], int(mine.sum()))


def refinements(ground: Ground, values: Sequence[BlockingValue], lost: tuple[Ints, Ints]) -> list[RefineRule]:
    """Of the rules with most refused records the further value that recovers most of the `lost` pairs (of one client,
    proposed by no rule), then leaves fewest records over the cap, then reaches most."""
    blocks = ground.blocks
    refused = {}
    for index in range(len(ground.rules.blocking)):
        mine = blocks.of_rule(index)
        over = mine[blocks.refused[mine]]
        if len(over):
            refused[index] = over[np.lexsort((blocks.key[over], -blocks.size[over]))]
    worst = sorted(refused, key=lambda index: (-int(blocks.size[refused[index]].sum()), index))[:_MOST]
    found = [_refined(ground, ground.rules.blocking[index], refused[index], values, lost) for index in worst]
    return sorted(
        (one for one in found if one is not None), key=lambda one: (-one.recovered, -one.refused_records, one.rule)
    )


def _refined(
    ground: Ground, rule: BlockingRule, over: Ints, values: Sequence[BlockingValue], lost: tuple[Ints, Ints]
) -> RefineRule | None:
    blocks = ground.blocks
    within = np.zeros(blocks.records, dtype=np.bool_)
    within[blocks.row[np.isin(blocks.of, over)]] = True
    inside = within[lost[0]] & within[lost[1]]
    fields = {value.field for value in rule}
    others = [known for known in ground.rules.blocking if known != rule]
    tried: list[BlockingRule] = [(*rule, value) for value in values if value.field not in fields]
    tried = [one for one in tried if not any(narrows(one, known) for known in others)]
    if not tried:
        return None
    divided = ground.blocks_by(tried, within)
    proposes = divided.proposing((lost[0][inside], lost[1][inside]), len(tried))
    ranks = []
    for index, one in enumerate(tried):
        cost, still = rule_cost(divided, index), _still_refused(divided, index)
        # A value that hardly a record has, or that is the same in most, divides nothing.
        if cost and still <= within.sum() / 2:
            reached = divided.of[divided.active[divided.of] & (divided.rule == index)].size
            ranks.append((-int(proposes[:, index].sum()), still, -reached, rule_name(one), index, cost))
    if not ranks:
        return None
    recovered, still, _, _, index, cost = min(ranks)
    return RefineRule(
        ground.kind,
        rule_name(rule),
        len(over),
        int(blocks.size[over].sum()),
        named_block(ground, blocks, ground.rules, int(over[0])),
        tuple(map(str, tried[index])),
        cost,
        still,
        -recovered,
    )


def _still_refused(blocks: Blocks, index: int) -> int:
    mine = blocks.of_rule(index)
    return int(blocks.size[mine[blocks.refused[mine]]].sum())

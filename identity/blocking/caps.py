"""How large a block of each rule may grow, learnt from the data: what many rules find needs no large blocks of each.

Candidate pairs grow faster than records, since blocks grow with them. Trained limits keep their number in proportion: a
rule's larger blocks are given up where they cost most pairs for the matches that nothing else proposes. Among very many
records the last of these matches would have the price of all others together: they are given up at any number.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from identity.blocking.pairing import RuleBlocks
from identity.encoded import Flags, Ints
from identity.parallel import in_parallel
from identity.settings import KindSettings, rule_name

PAIRS_PER_RECORD: Final = 10
"""Candidate pairs to a record, rule by rule, that are never too many."""
MOST_LOST: Final = 0.01
"""Share of the expected matches that may be given up; most of them are found again through others of their client."""
PAIRS_PER_MATCH: Final = 1_000
"""Candidate pairs that one match may cost; who proposes more than these for one proposes namesakes."""
_STEPS: Final = (200, 100, 50, 25, 12, 6, 3)
_NOWHERE: Final = np.iinfo(np.int64).max


def learnt_caps(
    settings: KindSettings,
    blocks: list[RuleBlocks],
    pairs: tuple[Ints, Ints],
    probable: npt.NDArray[np.float64],
    share: float,
    records: int,
) -> dict[str, int]:
    """The cap of each rule that is to be lower than the blocks were made with, by the rule's name.

    `pairs`: a `share` of the candidate pairs (rows) that `blocks` propose; `probable`: how probably each is a match.
    """
    sizes = [found.sizes for found in blocks]
    caps = [int(size.max(initial=0)) for size in sizes]
    within = [_pairs_up_to(size) for size in sizes]
    cost = [int(pairs[cap]) for pairs, cap in zip(within, caps, strict=True)]
    likely = probable > 0.5
    weight = probable[likely]
    ends = pairs[0][likely], pairs[1][likely]
    smallest = np.stack(in_parallel(lambda found: _smallest_shared(found, *ends), blocks))
    proposed = np.array([size <= cap for size, cap in zip(smallest, caps, strict=True)])
    allowed = MOST_LOST * float(weight.sum())
    chosen: dict[int, int] = {}
    while sum(cost) > PAIRS_PER_RECORD * records:
        best: tuple[float, int, int, float, int] | None = None
        alone = proposed.sum(axis=0) == 1
        for rule, cap in enumerate(caps):
            for step in (step for step in _STEPS if step < cap):
                lost = float(weight[alone & proposed[rule] & (smallest[rule] > step)].sum())
                saved = cost[rule] - int(within[rule][step])
                is_allowed = lost <= allowed or saved * share >= PAIRS_PER_MATCH * lost
                if saved and is_allowed and (best is None or (lost / saved, -saved) < (best[0], -best[4])):
                    best = (lost / saved, rule, step, lost, saved)
        if best is None:
            break
        _, rule, step, lost, saved = best
        allowed -= lost
        caps[rule] = chosen[rule] = step
        cost[rule] -= saved
        proposed[rule] &= smallest[rule] <= step
    return {rule_name(settings.blocking[rule]): cap for rule, cap in sorted(chosen.items())}


def _pairs_up_to(sizes: Ints) -> Ints:
    """By size, the pairs within all blocks up to it."""
    number = np.bincount(sizes, minlength=1)
    size = np.arange(len(number))
    found: Ints = np.cumsum(number * (size * (size - 1) // 2))
    return found


def _smallest_shared(blocks: RuleBlocks, left: Ints, right: Ints) -> Ints:
    """Of each pair of rows the size of the smallest block that both are in."""
    wanted: Flags = np.isin(blocks.member, np.concatenate([left, right]))
    of = np.repeat(np.arange(len(blocks.sizes)), blocks.sizes)[wanted]
    entries = pd.DataFrame({"row": blocks.member[wanted].astype(np.int64), "block": of})
    ends = pd.DataFrame({"pair": np.arange(len(left)), "left": left, "right": right})
    one = ends.merge(entries, left_on="left", right_on="row")[["pair", "right", "block"]]
    both = one.merge(entries, left_on=["right", "block"], right_on=["row", "block"])
    result = np.full(len(left), _NOWHERE, dtype=np.int64)
    np.minimum.at(result, both["pair"].to_numpy(), blocks.sizes[both["block"].to_numpy()])
    return result

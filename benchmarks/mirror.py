"""The mirror's proof: 200 synthetic companies, half of which serve one segment sooner than its likes.

In all of them large clients get everything sooner, by a step and by a curve, segments differ in volume, region and
items, and clients differ from each other (tests/support/planted_service.py). Told are the companies in which anything
but what was planted is said to be different, and how often what was planted is found, at several effects and sizes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from common import Benchmark, parser

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.planted_service import differs, looked, planted

LEAD = "lead_time"


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--companies", type=int, default=200)
    given = options.parse_args()
    half = (20 if given.small else given.companies) // 2
    benchmark = Benchmark("mirror")
    for effect, size in ((0.8, 200), (0.9, 200), (0.8, 60)):
        is_asked = (effect, size) == (0.8, 200)
        wrong = tests = found = 0
        started = time.perf_counter()
        for seed in range(half):
            for favours in (False, True):
                world = planted(seed, favours=favours, effect=effect, size=size)
                at = world.favoured, LEAD
                done = looked(world, {at: 1} if favours else {})
                others = [differs(one) for key, one in done.items() if key != at]
                wrong, tests = wrong + any(others), tests + len(others)
                found += favours and done[at].verdict == "as_promised"
        name = f"lead time {1 - effect:.0%} shorter, {size} clients"
        benchmark.add(f"{name}: found", found / half, "power", target=0.9 if is_asked else None)
        benchmark.add(
            f"... companies of {2 * half} with a false difference",
            wrong / (2 * half),
            "share",
            target=0.05 if is_asked else None,
            at_least=False,
        )
        benchmark.add("... seconds a company", (time.perf_counter() - started) / (2 * half), "s", at_least=False)
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())

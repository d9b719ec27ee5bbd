"""How exactly Onefold resolves labelled data, with default settings, beside Splink 5 and recordlinkage's ECM.

One way of configuring for all: which field is which attribute (datasets.py), nothing else; no labels are
used, thresholds are each engine's default. Onefold is measured after `train; run` and, beside it, on the shipped
weights alone. At the end each data set is taken with weights that were learnt, without labels, from the others
(held_out.py says what that leaves out and what not). Splink's clusters are connected components at p >= 0.95, its
documentation's threshold; its best threshold, picked with the truth, is shown beside. Rivals get trimmed
lower-case text, ISO dates and E.164 phones, one value per field, and each kind of record on its own.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from common import Benchmark, parser
from datasets import DataSet, found_in, load
from engines import SPLINK_AT, Ours, Outcome, attempt, ecm, ours, splink
from held_out import without
from services import scratch

from identity.model import prior_model
from identity.settings import load_settings

BARS = {
    "historical_50k": {"f1": 0.92},
    "febrl3": {"f1": 0.999},
    "febrl4": {"f1": 0.999},
    "senzing_truthset": {"f1": 0.90},
    "patstat_leuven": {"f1": 0.96},
    "ru_de": {"precision": 0.99, "recall": 0.95},
}
NAME_BAR = 0.80
AT_DEFAULT = f"Splink 5 at {SPLINK_AT}"
AT_BEST = "Splink 5, best threshold"


def names(folder: Path, benchmark: Benchmark) -> None:
    """The name comparison alone, on adversarial pairs of names."""
    from name_pairs import best_f1, jaro_winkler, kernel_weights, token_set

    with (folder / "pairs.csv").open(encoding="utf-8", newline="") as stream:
        pairs = list(csv.DictReader(stream))
    wanted = [pair["label"] == "1" for pair in pairs]
    mine = best_f1(kernel_weights(pairs), wanted)
    for rival, scores in (("Jaro-Winkler", jaro_winkler(pairs)), ("token set", token_set(pairs))):
        benchmark.add(
            "nk_name_bench, best F1 of the name",
            round(mine, 4),
            "",
            rival=rival,
            rival_value=round(best_f1(scores, wanted), 4),
            target=NAME_BAR,
        )


def by_situation(data: DataSet, labels: Mapping[str, str]) -> dict[str, tuple[int, float]]:
    """True pairs and recall among the records of each situation that the generator names."""
    assert data.situations is not None
    members: dict[tuple[str, str], list[str]] = {}
    for key, situation in data.situations.items():
        members.setdefault((situation, data.truth[key]), []).append(labels[key])
    total: dict[str, int] = {}
    right: dict[str, int] = {}
    for (situation, _), found in members.items():
        pairs = [(a, b) for at, a in enumerate(found) for b in found[:at]]
        total[situation] = total.get(situation, 0) + len(pairs)
        right[situation] = right.get(situation, 0) + sum(a == b for a, b in pairs)
    return {name: (count, right[name] / count) for name, count in sorted(total.items()) if count}


def add(benchmark: Benchmark, data: DataSet, mine: Ours, rival: str, theirs: Outcome | None) -> None:
    """Rows of one data set beside one rival; the bars stand at the first."""
    first = rival == AT_DEFAULT
    bars = BARS.get(data.name, {}) if first else {}
    for name in ("f1", "precision", "recall"):
        if name == "f1" or first:
            benchmark.add(
                f"{data.name}, pairwise {name.replace('f1', 'F1')}",
                round(getattr(mine.trained, name), 4),
                "",
                rival=rival if theirs is not None else None,
                rival_value=None if theirs is None else round(getattr(theirs, name), 4),
                target=bars.get(name),
            )
    if first:
        for name in ("f1", "precision", "recall"):
            label = f"{data.name}, shipped weights, {name.replace('f1', 'F1')}"
            benchmark.add(label, round(getattr(mine.untrained, name), 4), "")
    if theirs is not None and rival != AT_BEST:
        seconds, peak = round(theirs.seconds, 2), round(theirs.peak_mib, 1)
        taken = mine.trained
        benchmark.add(
            f"{data.name}, time of train and run",
            round(taken.seconds, 2),
            "s",
            rival=rival,
            rival_value=seconds,
            at_least=False,
        )
        benchmark.add(f"{data.name}, peak memory", taken.peak_mib, "MiB", rival=rival, rival_value=peak, at_least=False)


def measured(benchmark: Benchmark, data: DataSet, rivals_too: bool) -> tuple[Ours, list[tuple[str, Outcome | None]]]:
    """Our outcomes, and the rivals' beside them."""
    with scratch("accuracy") as folder:
        benchmark.progress(f"{data.name}: Onefold")
        mine = ours(data, folder)
        if not rivals_too:
            return mine, [(AT_DEFAULT, None)]
        benchmark.progress(f"{data.name}: Splink 5")
        default, best = attempt(benchmark, splink, data, folder) or (None, None)
        benchmark.progress(f"{data.name}: recordlinkage ECM")
        third = attempt(benchmark, ecm, data, folder)
    return mine, [(AT_DEFAULT, default), (AT_BEST, best), ("recordlinkage ECM", third)]


def leave_one_out(benchmark: Benchmark, found: Mapping[str, Ours], sets: Mapping[str, DataSet]) -> None:
    """Each data set by weights learnt from the others, beside the shipped weights."""
    shipped = prior_model(load_settings())
    models = {name: mine.model for name, mine in found.items()}
    for name, mine in found.items():
        base, heard = without(name, models, shipped)
        if not heard:
            continue
        benchmark.progress(f"{name}: by the weights of {', '.join(heard)}")
        with scratch("accuracy") as folder:
            held = ours(sets[name], folder, base)
        for what, theirs, shipped_one in (
            ("untrained", held.untrained, mine.untrained),
            ("then trained", held.trained, mine.trained),
        ):
            benchmark.add(
                f"{name} left out, weights of the others, {what}, F1",
                round(theirs.f1, 4),
                "",
                rival="shipped weights",
                rival_value=round(shipped_one.f1, 4),
            )


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--data", type=Path, help="folder with labelled data sets; else FEBRL and ru_de only")
    options.add_argument("--only", nargs="*", help="these data sets")
    options.add_argument("--ru-de-records", type=int, default=100_000)
    options.add_argument("--no-leave-one-out", action="store_true", help="without the table of weights from the others")
    given = options.parse_args()
    benchmark = Benchmark("accuracy")
    size = 10_000 if given.small else given.ru_de_records
    chosen = [name for name in found_in(given.data) if not given.only or name in given.only]
    if given.small and not given.only:
        chosen = [name for name in chosen if name != "historical_50k"]
    found: dict[str, Ours] = {}
    sets: dict[str, DataSet] = {}
    for name in chosen:
        benchmark.progress(f"{name}: loading")
        sets[name] = data = load(name, given.data, size)
        mine, beside = measured(benchmark, data, not given.no_rivals)
        for rival, theirs in beside:
            add(benchmark, data, mine, rival, theirs)
        found[name] = mine
        outcomes = (mine.trained, *(outcome for _, outcome in beside))
        benchmark.notes += [outcome.note for outcome in outcomes if outcome and outcome.note]
        if data.situations is not None:
            for situation, (pairs, recall) in by_situation(data, mine.trained.labels).items():
                benchmark.add(f"{name}, recall of {situation} ({pairs:,} pairs)", round(recall, 4), "")
    if given.data is not None and (given.data / "nk_name_bench").is_dir() and not given.only:
        benchmark.progress("nk_name_bench")
        names(given.data / "nk_name_bench", benchmark)
    if not given.no_leave_one_out:
        leave_one_out(benchmark, found, sets)
        benchmark.note(
            "Left out: every m and u is the geometric mean of what training without labels found in the others; "
            "levels, blocking, thresholds, constants of training and clustering were chosen with all sets in sight."
        )
    benchmark.note("Onefold: trained without labels (fewer than 200 records of a kind stay untrained), then run; one")
    benchmark.note("configuration for every data set. `shipped weights` is the same without training.")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())

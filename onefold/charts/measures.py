"""Charts of evaluations: quality by threshold, recall of blocking rules, records that cannot be linked, drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.explanation.words import phrase
from onefold.charts.axes import Mark, percent, plain
from onefold.charts.bars import Bar, Shares, bar_chart, distribution_chart
from onefold.charts.canvas import Chart
from onefold.charts.lines import Line, line_chart

Answer = Mapping[str, Any]


def thresholds_chart(found: Answer, lang: str = "en") -> Chart:
    """Precision, recall and F1 of the pairs of one kind at each threshold; those in force are marked."""
    curve, best = found["curve"], found["best"]
    more = phrase(
        "by_threshold_more",
        lang,
        records=found["records"],
        pairs=found["true_pairs"],
        best=f"{best['f1']:.3f}",
        threshold=f"{best['threshold']:+.1f}",
    )
    return line_chart(
        phrase("by_threshold", lang, kind=phrase(found["kind"], lang)),
        more,
        [point["threshold"] for point in curve],
        [
            # Where nothing is found, nothing is wrong: no precision.
            Line(
                phrase(name, lang),
                [None if name == "precision" and not point["found"] else point[name] for point in curve],
            )
            for name in ("precision", "recall", "f1")
        ],
        x_label=phrase("weight", lang),
        marks=_marks({name: point["threshold"] for name, point in found["at"].items()}, lang),
    )


def _marks(thresholds: Mapping[str, float], lang: str) -> list[Mark]:
    return [Mark(f"{phrase(f'threshold_{name}', lang)} {at:+.1f}", at) for name, at in thresholds.items()]


def blocking_chart(found: Answer, lang: str = "en") -> Chart:
    """The true pairs of one kind that each rule proposes, most first; rules that propose none are left out."""
    proposing = [rule for rule in found["rules"] if rule["true_pairs"]]
    rules = sorted(proposing, key=lambda rule: (-rule["true_pairs"], rule["rule"]))
    more = phrase(
        "recall_of_rules_more",
        lang,
        proposed=found["proposed"],
        pairs=found["true_pairs"],
        recall=percent(found["recall"]),
        lost=found["lost"],
    )
    return bar_chart(
        phrase("recall_of_rules", lang, kind=phrase(found["kind"], lang)),
        more,
        [Bar(rule["rule"], rule["true_pairs"], phrase("alone", lang, count=plain(rule["alone"]))) for rule in rules],
        unit=phrase("true_pairs", lang),
    )


def unlinkable_chart(found: Answer, lang: str = "en") -> Chart:
    """The share of the records of one kind that would not reach each threshold even with themselves."""
    curve, records = found["curve"], max(found["records"], 1)
    shares = [point["below"] / records for point in curve]
    return line_chart(
        phrase("unlinkable", lang, kind=phrase(found["kind"], lang)),
        phrase("unlinkable_more", lang, unlinkable=found["unlinkable"], records=found["records"]),
        [point["threshold"] for point in curve],
        [Line(phrase("below", lang), shares)],
        x_label=phrase("weight", lang),
        marks=_marks(found["at"], lang),
    )


def drift_chart(found: Answer, report: Answer, lang: str = "en") -> Chart:
    """The weights of one kind (`found`, of the report of drift) then and now, in the bins that the index compares."""
    bins = found["bins"]
    return distribution_chart(
        phrase("drift", lang, kind=phrase(found["kind"], lang), run=report["run_id"]),
        drift_words(found, lang),
        [bins[0]["low"], *(one["high"] for one in bins)],
        [
            Shares(
                phrase("drift_run", lang, run=report["run_id"], model=report["model_before"]),
                [one["before"] for one in bins],
            ),
            Shares(phrase("drift_now", lang, model=report["model_now"]), [one["now"] for one in bins]),
        ],
        x_label=phrase("weight", lang),
        y_label=phrase("share", lang),
        marks=_marks({name: found[name] for name in ("review", "link")}, lang),
    )


def drift_words(found: Answer, lang: str = "en") -> str:
    """The index, what it would be by chance, and what that means."""
    return phrase(
        "drift_more",
        lang,
        index=f"{found['index']:.4f}",
        chance=f"{found['by_chance']:.4f}",
        verdict=phrase(f"drift_{found['verdict']}", lang),
        before=f"{found['mean_before']:+.1f}",
        now=f"{found['mean_now']:+.1f}",
    )

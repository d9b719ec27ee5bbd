"""evaluate: how right the hub is, with a truth file and without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.charts.canvas import Chart
    from onefold.cli.output import Output
    from onefold.steps.evaluate import EvaluateReport


@app.command(rich_help_panel="Matching")
def evaluate(
    ctx: typer.Context,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="CSV with record_id (source:stream:key) and entity_id."),
    ] = None,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Pairs against the truth at every threshold, before clustering.")
    ] = False,
    blocking: Annotated[
        bool, typer.Option("--blocking", help="The true pairs that blocking proposes, by rule, and those it misses.")
    ] = False,
    unlinkable: Annotated[
        bool, typer.Option("--unlinkable", help="Records that say too little to be linked at all. Needs no truth.")
    ] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Weights of plausible pairs now and in a former run. Needs no truth.")
    ] = False,
    against: Annotated[
        int | None,
        typer.Option("--against", help="The former run for --drift; default: the first under the model in use."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw what was measured: FILE.html, or FILE.svg (one file a chart).")
    ] = None,
    examples: Annotated[int, typer.Option("--examples", "-n", min=1, help="Missed pairs and records to name.")] = 10,
) -> None:
    """Precision, recall and F1 of the clients against a truth file, by pairs and by clusters (B-cubed).

    And what stands behind them: pairs by threshold, what blocking misses, records that cannot be linked, drift.

    Example: onefold evaluate --truth truth.csv --thresholds --blocking --plot quality.html
    """
    from onefold.errors import UsageError
    from onefold.steps.drift import drift as drift_step
    from onefold.steps.evaluate import evaluate as step
    from onefold.steps.measure import measure

    if truth is None and (thresholds or blocking):
        raise UsageError("--thresholds and --blocking compare with a truth.", "Give one: --truth FILE.")
    if truth is None and not (unlinkable or drift):
        raise UsageError("There is nothing to measure against.", "Give --truth FILE, or ask --unlinkable or --drift.")
    thresholds |= plot is not None and truth is not None and not (blocking or unlinkable or drift)
    with opened(ctx) as (context, output):
        clients = step(context, truth) if truth else None
        document: dict[str, Any] = clients.as_dict() if clients else {}
        if thresholds or blocking or unlinkable:
            asked = {"thresholds": thresholds, "blocking": blocking, "unlinkable": unlinkable}
            measured = measure(context, truth=truth, examples=examples, **asked).as_dict()
            document |= {name: measured[name] for name, is_asked in asked.items() if is_asked}
        if drift:
            document["drift"] = drift_step(context, against).as_dict()
    output.data(document)
    if clients:
        show_evaluation(output, clients)
    show_measures(output, document)
    if plot:
        _draw(output, plot, document)


def show_evaluation(output: Output, report: EvaluateReport) -> None:
    """The measures of the clients as a table."""
    rows = []
    for name in ("pairwise", "bcubed", "cluster"):
        values = [report.measures.get(f"{name}_{part}") for part in ("precision", "recall", "f1")]
        rows.append((name, *(None if v is None else f"{v:.4f}" for v in values)))
    output.table(("measure", "precision", "recall", "F1"), rows, right=(1, 2, 3))
    output.say(f"{report.records} records, {report.clients} clients, {report.entities} true entities")
    if report.truth_without_record:
        output.warn(f"named in the truth, unknown to the hub: {', '.join(report.truth_without_record)} ...")


def show_measures(output: Output, document: dict[str, Any]) -> None:
    """What was measured beside the clients."""
    for found in document.get("thresholds", ()):
        _show_thresholds(output, found)
    for found in document.get("blocking", ()):
        _show_blocking(output, found)
    for found in document.get("unlinkable", ()):
        _show_unlinkable(output, found)
    if "drift" in document:
        _show_drift(output, document["drift"])


def _show_thresholds(output: Output, found: dict[str, Any]) -> None:
    named = [*found["at"].items(), ("best F1", found["best"])]
    output.table(
        ("threshold", "bits", "pairs", "right", "precision", "recall", "F1"),
        [
            (
                name,
                f"{point['threshold']:+.1f}",
                point["found"],
                point["right"],
                *(f"{point[part]:.4f}" for part in ("precision", "recall", "f1")),
            )
            for name, point in named
        ],
        title=f"{found['kind']}: pairs by their own weight, {found['true_pairs']} true ones",
        right=range(1, 7),
    )


def _show_blocking(output: Output, found: dict[str, Any]) -> None:
    rules = sorted(found["rules"], key=lambda rule: (-rule["alone"], -rule["true_pairs"], rule["rule"]))
    output.table(
        ("rule", "true pairs", "by it alone"),
        [(rule["rule"], rule["true_pairs"], rule["alone"]) for rule in rules],
        title=f"{found['kind']}: true pairs that blocking proposes",
        right=(1, 2),
    )
    output.say(
        f"{found['kind']}: {found['proposed']} of {found['true_pairs']} true pairs are proposed, recall "
        f"{found['recall']:.4f}; {found['alike']} of them are alike in everything; {found['lost']} that no rule "
        "proposes would be linked"
    )
    if found["is_cut"]:
        output.say("Of very large entities only a part was looked at.", style="yellow")
    for pair in found["missed"]:
        output.say(f"  {pair['bits']:+6.1f}  onefold explain {pair['left']} {pair['right']}", style="dim")


def _show_unlinkable(output: Output, found: dict[str, Any]) -> None:
    share = found["unlinkable"] / max(found["records"], 1)
    output.say(
        f"{found['kind']}: {found['unlinkable']} of {found['records']} records ({share:.2%}) would not reach the link "
        f"threshold ({found['at']['link']:+.1f} bits) even compared with themselves, {found['unseen']} not even the "
        "plausible one"
    )
    if found["unlinkable"]:
        output.table(
            ("they lack", "of them", "of all records"),
            [
                (
                    column["words"]["en"],
                    f"{column['unlinkable'] / found['unlinkable']:.0%}",
                    f"{column['records'] / found['records']:.0%}",
                )
                for column in found["silent"][:12]
            ],
            right=(1, 2),
        )
    for example in found["examples"]:
        output.say(f"  {example['bits']:+6.1f}  onefold trace {example['record']}", style="dim")


def _show_drift(output: Output, report: dict[str, Any]) -> None:
    from onefold.charts.measures import drift_words

    output.heading(
        f"Plausible pairs now (model {report['model_now']}) and at the end of run {report['run_id']} "
        f"({report['at'][:16]}, model {report['model_before']})"
    )
    for found in report["kinds"]:
        output.say(f"{found['kind']}: {found['before']} pairs then, {found['now']} now; {drift_words(found)}")
    others = [str(run["run_id"]) for run in report["runs"] if run["run_id"] != report["run_id"]]
    if others:
        output.say(f"to compare with another run: --against {', '.join(others[:10])}", style="dim")


def _draw(output: Output, path: Path, document: dict[str, Any]) -> None:
    from onefold.charts.canvas import write

    for written in write(path, "Onefold: evaluation", charts_of(document)):
        output.say(f"wrote {written}")


def charts_of(document: dict[str, Any]) -> list[Chart]:
    """A chart of each thing measured, per kind."""
    from onefold.charts.measures import blocking_chart, drift_chart, thresholds_chart, unlinkable_chart

    report = document.get("drift", {"kinds": ()})
    return [
        *(thresholds_chart(found) for found in document.get("thresholds", ())),
        *(blocking_chart(found) for found in document.get("blocking", ())),
        *(unlinkable_chart(found) for found in document.get("unlinkable", ())),
        *(drift_chart(found, report) for found in report["kinds"] if found["bins"]),
    ]

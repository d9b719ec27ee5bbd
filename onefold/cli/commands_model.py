"""The match model: train, model show|list|use|diff, and label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.commands_run import EngineName, Master, with_engine
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.report import ModelEffect, TrainReport, UseReport

model_app = typer.Typer(
    no_args_is_help=True,
    help="Versions of the match model: weights, term frequencies and thresholds, frozen together.",
)
app.add_typer(model_app, name="model", rich_help_panel="Matching")

Version = Annotated[int, typer.Argument(help="A version, as `onefold model list` shows it.")]
KINDS = ("person", "organisation")


@app.command(rich_help_panel="Matching")
def train(
    ctx: typer.Context,
    use: Annotated[bool, typer.Option("--use", help="Make it current at once, and resolve and publish.")] = False,
    from_judgements: Annotated[
        bool,
        typer.Option(
            "--from-judgements",
            help="Correct the weights by people's judgements; refused unless held-back judgements are foretold better.",
        ),
    ] = False,
    engine: EngineName = None,
    master: Master = None,
) -> None:
    """Learn the weights from the hub's own records, without labels, and show what they would change.

    Saves a new version of the model and nothing else: clients stay as they are until `onefold model use`. The model is
    the same by any engine.

    Example: onefold train --engine spark --master spark://cluster:7077
    """
    from dataclasses import replace

    from onefold.steps.train import train as step
    from onefold.steps.train import use as make_current

    with opened(ctx) as (context, output):
        on_engine = with_engine(context, engine, master)
        report = step(on_engine, from_judgements=from_judgements)
        show_training(output, report)
        if use:
            report = replace(report, used=make_current(on_engine, report.version))
    output.data(report.as_dict())
    if report.used:
        show_use(output, report.used)
    elif report.effect.model_before != report.version:
        output.say(f"To use it: onefold model use {report.version}", style="bold")


def show_training(output: Output, report: TrainReport) -> None:
    """What was learnt from how much, and what it would change."""
    learnt = ", ".join(f"{count} {kind} records" for kind, count in report.records.items())
    again = "" if report.is_new else ", saved before: nothing new was learnt"
    output.say(f"Train        model {report.version} ({report.kind}) from {learnt}{again} ({report.seconds:.1f} s)")
    for kind in report.at_priors:
        output.say(f"             {kind}: too few records, the shipped weights stay", style="dim")
    for outcome in report.judgements:
        output.say(f"             {outcome['kind']}: {_judged(outcome)}")
    show_effect(output, report.effect)


def _judged(outcome: Any) -> str:
    said = f"{outcome['same']} same, {outcome['not_same']} not-same"
    if outcome["status"] == "too_few":
        return f"{said}: too few, the weights stay unsupervised"
    before, after = outcome["unsupervised"], outcome["supervised"]
    measures = (
        f"log loss {after['log_loss']:.3f} (unsupervised {before['log_loss']:.3f}) bits, "
        f"F1 {after['f1']:.3f} ({before['f1']:.3f}), cross-validated by client"
    )
    kept = "" if outcome["status"] == "better" else ": not better, the weights stay unsupervised"
    return f"{said}; {measures}{kept}"


def show_effect(output: Output, effect: ModelEffect) -> None:
    """What another model makes of the clients."""
    if effect.model_before == effect.model_after:
        output.say(f"             It is the model in use: {effect.clients_before} clients stay as they are.")
        return
    output.say(
        f"Effect       {effect.clients_before} clients with model {effect.model_before} -> {effect.clients_after} with "
        f"model {effect.model_after}: {effect.unchanged} unchanged, {effect.merged} merged, {effect.split} split, "
        f"{effect.regrouped} regrouped"
    )
    output.say(
        f"             pairs of records: {effect.pairs_joined} newly together, {effect.pairs_parted} no longer; "
        f"review cases: {effect.cases_opened} opened, {effect.cases_closed} closed"
    )
    if not effect.largest:
        return
    output.table(
        (
            "change",
            "records",
            "become",
            "pairs",
            "bits now",
            "bits then",
            "strongest pair",
        ),
        [
            (
                change["change"],
                _sizes(change["before"]),
                _sizes(change["after"]),
                change["pairs"],
                _of_link(change["bits_before"], change["link_before"]),
                _of_link(change["bits_after"], change["link_after"]),
                f"onefold explain {change['left']} {change['right']}",
            )
            for change in effect.largest
        ],
        title="Largest changes (in brackets: the bits from which a pair alone links)",
        right=(3, 4, 5),
    )


def _sizes(sizes: list[int]) -> str:
    return "+".join(map(str, sizes[:6])) + (f"+... ({len(sizes)})" if len(sizes) > 6 else "")


def _of_link(bits: float | None, link: float) -> str:
    return f"{'weak' if bits is None else f'{bits:.1f}'} ({link:.1f})"


def _bits(bits: float | None) -> str | None:
    return None if bits is None else f"{bits:+.1f}"


@model_app.command("list")
def model_list(ctx: typer.Context) -> None:
    """All saved versions, and which one is in use."""
    from onefold.steps.models import models

    with opened(ctx) as (context, output):
        rows = models(context)
    output.data(rows)
    if not rows:
        output.say("No model is saved yet; `onefold run` saves the first one.")
        return
    output.table(
        ("model", "kind", "in use", "saved", "person records", "organisation records", "settings edited since"),
        [
            (
                str(row["version"]),
                row["kind"],
                "yes" if row["is_current"] else None,
                row["created_at"],
                *((row["records"] or {}).get(kind) for kind in KINDS),
                ", ".join(row["edited_settings"]),
            )
            for row in rows
        ],
        right=(0, 4, 5),
    )


@model_app.command("show")
def model_show(
    ctx: typer.Context,
    version: Annotated[int | None, typer.Argument(help="A version; without one, the model in use.")] = None,
) -> None:
    """The weights of a model: of each column its levels with m, u and bits, thresholds, telling and common values."""
    from onefold.steps.models import show_model

    with opened(ctx) as (context, output):
        found = show_model(context, version)
    output.data(found)
    in_use = "in use" if found["is_current"] else "not in use"
    output.heading(f"Model {found['version']} ({found['kind']}, {in_use}), saved {found['created_at']:%Y-%m-%d %H:%M}")
    if found["edited_settings"]:
        output.say(f"matching.yaml has changed since: {', '.join(found['edited_settings'])}", style="yellow")
    for kind in KINDS:
        _show_kind(output, kind, found["kinds"][kind])


def _show_kind(output: Output, kind: str, found: dict[str, Any]) -> None:
    output.table(
        ("column", "level", "m", "u", "bits", "against kin"),
        [
            (column["column"] if at == 0 else None, level["level"], f"{level['m']:.4f}", f"{level['u']:.2g}",
             f"{level['bits']:+.1f}", _bits(level["kin_bits"]))
            for column in found["columns"]
            for at, level in enumerate(column["levels"])
        ],
        title=f"{kind}: levels",
        right=(2, 3, 4, 5),
    )  # fmt: skip
    thresholds = ", ".join(f"{name} {bits:+.1f}" for name, bits in found["thresholds"].items())
    output.say(f"{kind}: {thresholds} bits; {found['words']} words of names weighed")
    for column in found["columns"]:
        if terms := column["terms"]:
            output.say(
                f"{kind}, {column['column']}: {terms['values']} values weighed, any other {terms['unseen_bits']:+.1f}; "
                f"says least: {_values(terms['least'])}; says most: {_values(terms['most'])}"
            )


def _values(terms: list[dict[str, Any]]) -> str:
    return ", ".join(f"{term['value']} {term['bits']:+.1f}" for term in terms[:5])


@model_app.command("use")
def model_use(ctx: typer.Context, version: Version) -> None:
    """Make a version current, then resolve and publish with it. Ids stay with the larger part; judgements stand."""
    from onefold.steps.train import use

    with opened(ctx) as (context, output):
        report = use(context, version)
    output.data(report.as_dict())
    show_use(output, report)


def show_use(output: Output, report: UseReport) -> None:
    """A model made current."""
    from onefold.cli.commands_run import show_publish, show_resolve

    output.say(f"Model {report.version} ({report.kind}) is in use; before: {report.former}", style="bold")
    show_resolve(output, report.resolve)
    show_publish(output, report.publish)
    if report.version != report.former:
        output.say(f"To go back: onefold model use {report.former}")


@model_app.command("diff")
def model_diff(
    ctx: typer.Context,
    left: Version,
    right: Version,
    clients: Annotated[
        bool, typer.Option("--clients", help="Also what clients would change; compares all records twice.")
    ] = False,
) -> None:
    """Two versions beside each other: thresholds, and the levels and values whose weights differ most."""
    from onefold.steps.models import diff_models
    from onefold.steps.train import effect_between

    with opened(ctx) as (context, output):
        found = diff_models(context, left, right)
        effect = effect_between(context, left, right) if clients else None
    output.data({**found, "effect": effect.as_dict() if effect else None})
    for kind in KINDS:
        _show_diff(output, kind, found["kinds"][kind], left, right)
    if effect:
        show_effect(output, effect)


def _show_diff(output: Output, kind: str, found: dict[str, Any], left: int, right: int) -> None:
    thresholds = ", ".join(f"{n} {v['left']:+.1f} -> {v['right']:+.1f}" for n, v in found["thresholds"].items())
    output.heading(f"{kind}: {thresholds} bits")
    if not found["levels"]:
        output.say("The levels weigh the same.")
        return
    output.table(
        ("column", "level", f"model {left}", f"model {right}", "change"),
        [(d["column"], d["level"], _bits(d["left"]), _bits(d["right"]), _bits(d["change"])) for d in found["levels"]],
        title=f"{kind}: bits",
        right=(2, 3, 4),
    )
    for terms in found["terms"]:
        changes = ", ".join(f"{value['value']} {value['change']:+.1f}" for value in terms["largest"][:5])
        output.say(
            f"{kind}, {terms['column']}: {terms['values']['left']} -> {terms['values']['right']} values weighed; "
            f"most changed: {changes}"
        )


@app.command(rich_help_panel="Matching")
def label(
    ctx: typer.Context,
    count: Annotated[int, typer.Option("--n", "-n", min=1, help="How many pairs to propose.")] = 20,
) -> None:
    """The pairs of records whose judgement would teach most: doubtful, frequent in kind, and unlike each other.

    Judge them, then: onefold train --from-judgements
    """
    from onefold.steps.label import label as step

    with opened(ctx) as (context, output):
        rows = step(context, count)
    output.data(rows)
    for number, row in enumerate(rows, 1):
        output.heading(
            f"{number}. {row['left']}  and  {row['right']}   {row['bits']:+.1f} bits (linked from "
            f"{row['link_bits']:+.1f}), {row['alike']} alike"
        )
        output.say(f"   {'; '.join(words['en'] for words in row['evidence'])}")
        for command in ("explain", "same", "not_same"):
            output.say(f"   {row[command]}", style="dim")
    if not rows:
        output.say("Everything doubtful has been judged.")

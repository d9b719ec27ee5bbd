"""Commands about the hub as a whole: doctor, judge, demo."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, opened, settings_of

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.judge import JudgeReport

judge_app = typer.Typer(
    no_args_is_help=True,
    help="A person's word about records: same, not-same, related, cannot-tell, pin, identity, undo, list. "
    "It survives every re-run until it is undone.",
)
app.add_typer(judge_app, name="judge", rich_help_panel="Clients")

Left = Annotated[str, typer.Argument(help="A record (source:stream:key) or a client id.")]
Right = Annotated[str, typer.Argument(help="The other record or client id.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it stays with the judgement.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; default: your login name.")]


class Identity(StrEnum):
    """Whom a changed record is about."""

    same = "same"
    new = "new"


@app.command(rich_help_panel="Hub")
def doctor(
    ctx: typer.Context,
    hub: Annotated[
        bool,
        typer.Option("--hub", help="Also the hub's database: vacuum, indexes, old transactions, settings."),
    ] = False,
) -> None:
    """Look the configuration over without running anything, and name the next command to type.

    With --hub also the database: dead rows, missing statistics, unused, duplicate and unfinished indexes, who keeps
    vacuum from its work, how far transaction ids are from their end, settings against the size of the data, and the
    largest tables. `onefold maintain` does what of it is safe. Exit code 3: there is an error.

    Example: onefold doctor --hub --json
    """
    from onefold.doctor import diagnose

    output = invocation(ctx).output
    findings = diagnose(settings_of(ctx).config)
    if hub and not any(finding.severity == "error" for finding in findings):
        from onefold.steps.health import health

        with opened(ctx) as (context, output):
            found = health(context)
        findings = [*findings, *found.findings]
        output.data({"findings": [finding.as_dict() for finding in findings], "tables": found.tables})
        names = ("name", "live_rows", "dead_rows", "total_bytes", "index_bytes", "vacuumed_at")
        rows = [[one[name] for name in names] for one in found.tables[:10]]
        output.table(("table", "rows", "dead", "bytes", "of them indexes", "vacuumed"), rows, right=(1, 2, 3, 4))
    elif hub:
        output.data({"findings": [finding.as_dict() for finding in findings], "tables": []})
    else:
        output.data([finding.as_dict() for finding in findings])
    for finding in findings:
        style = {"error": "red", "warning": "yellow"}.get(finding.severity)
        output.say(str(finding), style=style)
    if not findings:
        output.say("Nothing to complain about. Next: onefold run", style="green")
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        output.say(f"{len(errors)} to mend before it can run. Next: {errors[0].next_command}", style="bold")
        raise typer.Exit(3)
    if findings:
        output.say("Nothing keeps it from running. Next: onefold run", style="green")


def login_name() -> str:
    """Who says so when nobody is named."""
    import getpass

    return getpass.getuser()


@judge_app.command("same")
def judge_same(ctx: typer.Context, left: Left, right: Right, reason: Reason = "", by: By = None) -> None:
    """These records are one client, whatever the evidence says.

    Example: onefold judge same crm:contacts:42 erp:customers:C-7 --reason "checked by phone"
    """
    _judge(ctx, "same", left, right, reason, by)


@judge_app.command("not-same")
def judge_not_same(ctx: typer.Context, left: Left, right: Right, reason: Reason = "", by: By = None) -> None:
    """These records are different clients, whatever the evidence says.

    Example: onefold judge not-same crm:contacts:42 erp:customers:C-7 --reason "father and son"
    """
    _judge(ctx, "not_same", left, right, reason, by)


@judge_app.command("related")
def judge_related(
    ctx: typer.Context,
    left: Left,
    right: Right,
    relationship: Annotated[
        str,
        typer.Option(
            "--as",
            help="What the first is to the second: branch_of, subsidiary_of, successor_of, household or namesake.",
        ),
    ],
    reason: Reason = "",
    by: By = None,
) -> None:
    """These are two clients that have to do with each other: they stay apart, and the relationship is served.

    It answers the open case about them, if there is one.

    Example: onefold judge related crm:companies:10 erp:customers:C-9 --as branch_of
    """
    _judge(ctx, "related", left, right, reason, by, relationship)


@judge_app.command("cannot-tell")
def judge_cannot_tell(ctx: typer.Context, left: Left, right: Right, reason: Reason = "", by: By = None) -> None:
    """Nobody can tell: the open case about these records is closed until the pair is eight times likelier.

    The reason says what would settle it, for whoever is asked next.

    Example: onefold judge cannot-tell crm:contacts:42 erp:customers:C-7 --reason "her date of birth"
    """
    _judge(ctx, "cannot_tell", left, right, reason, by)


def _judge(
    ctx: typer.Context, verdict: str, left: str, right: str, reason: str, by: str | None, related: str | None = None
) -> None:
    from onefold.steps.judge import judge

    with opened(ctx) as (context, output):
        who = by or login_name()
        report = judge(context, verdict, [left], [right], relationship=related, reason=reason, by=who)
    show_judgement(output, report)


@judge_app.command("undo")
def judge_undo(
    ctx: typer.Context,
    judgement: Annotated[int, typer.Argument(help="Its number, as `onefold judge list` shows it.")],
    reason: Reason = "",
    by: By = None,
) -> None:
    """Take a merge, a split or any judgement back: evidence decides again, and old client ids answer again.

    Of a pin the one whose place it took holds again, if it still would.
    """
    from onefold.steps.judge import lift

    with opened(ctx) as (context, output):
        report = lift(context, judgement, reason=reason, by=by or login_name())
    show_judgement(output, report)


@judge_app.command("identity")
def judge_identity(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="The record (source:stream:key) that has changed.")],
    answer: Annotated[Identity, typer.Argument(help="`same` client as before, or a `new` one.")],
    reason: Reason = "",
    by: By = None,
) -> None:
    """Answer a `changed_identity` case: is the record still about the same client, or was its key given to a new one?

    same: what was said of it holds for the record as it is now. new: it is lifted; for other records it stands.

    Example: onefold judge identity crm:contacts:42 new --reason "number given to another customer"
    """
    from onefold.steps.judge import settle_identity

    with opened(ctx) as (context, output):
        report = settle_identity(context, record, same=answer is Identity.same, reason=reason, by=by or login_name())
    show_judgement(output, report)


@judge_app.command("list")
def judge_list(ctx: typer.Context) -> None:
    """Judgements in force: who said what about which records, when and why."""
    from onefold.steps.judge import judgements

    with opened(ctx) as (context, output):
        rows = judgements(context)
    output.data(rows)
    output.table(
        ("no", "verdict", "records", "value", "by", "at", "reason"),
        [
            (
                r["judgement_id"],
                r["verdict"] + (f" (suspended for {', '.join(r['suspended'])})" if r["suspended"] else ""),
                " | ".join(r["records"]),
                r["value"] if r["policy"] in (None, "pin") else f"{r['value']} ({_held(r)})",
                r["by"],
                r["at"],
                r["reason"],
            )
            for r in rows
        ],
    )


def _held(row: dict[str, Any]) -> str:
    """How long a pin holds, in words."""
    words = {"until_source_changes": "until the source changes", "fill_if_empty": "if empty"}.get(row["policy"], "")
    until = f"until {row['until']}" if row["until"] else ""
    return ", ".join(part for part in (words, until) if part)


def show_judgement(output: Output, report: JudgeReport) -> None:
    """What a judgement did."""
    output.data(report.as_dict())
    events = (
        ", ".join(f"{count} {name}" for name, count in sorted(report.resolve.events.items())) or "no client changed"
    )
    said = "lifted" if report.verdict == "lift" else report.verdict.replace("_", " ")
    back = "" if report.verdict == "lift" else f" To take it back: onefold judge undo {report.judgement_id}"
    if report.again is not None:
        back = f" The pin before it holds again, as judgement {report.again}."
    output.say(
        f"Judgement {report.judgement_id} ({said}): records moved: {report.resolve.moved}; {events}; "
        f"golden records changed: {report.publish.changed}.{back}"
    )
    if report.is_held:
        output.warn("It would change more than the limits allow, and is held: `onefold runs` shows what waits.")


@app.command(rich_help_panel="Hub")
def demo(
    ctx: typer.Context,
    scale: Annotated[float, typer.Option("--scale", min=0.02, help="1 is about 5,000 client records.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another company.")] = 7,
    keep: Annotated[bool, typer.Option("--keep/--stop", help="Leave the database running afterwards.")] = True,
) -> None:
    """A fictional company with five registers: generate them, run the hub, show one client's whole story."""
    from onefold.cli.demo_tour import tour

    tour(settings_of(ctx), invocation(ctx).output, scale=scale, seed=seed, keep=keep)

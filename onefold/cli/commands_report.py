"""`onefold report`: what registers have in common, whether everything that came is served, who decides what."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation, opened, settings_of

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.overlap import Overlap

report_app = typer.Typer(no_args_is_help=True, help="Reports on the hub as a whole: overlap, reconcile, authority.")
app.add_typer(report_app, name="report", rich_help_panel="Hub")

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to show.")]


class State(StrEnum):
    """In which of two registers a client stands."""

    only_a = "only-a"
    only_b = "only-b"
    both = "both"
    conflict = "conflict"


@report_app.command("overlap")
def report_overlap(
    ctx: typer.Context,
    pair: Annotated[
        list[str] | None, typer.Argument(help="Two sources: show the clients behind one of their numbers.")
    ] = None,
    state: Annotated[State, typer.Option("--state", help="Which of them, with two sources.")] = State.conflict,
    refresh: Annotated[bool, typer.Option("--refresh", help="Count now.")] = False,
    trend: Annotated[bool, typer.Option("--trend", help="Also show the weeks before.")] = False,
    chart: Annotated[Path | None, typer.Option("--chart", help="Draw the combinations: FILE.svg or FILE.html.")] = None,
    limit: Limit = 50,
) -> None:
    """How many clients two registers have in common: only in A, only in B, in both, in conflict.

    In conflict: in both, but for some golden attribute the two have no value in common. publish counts once a week
    up to 100,000 clients; --refresh counts now.

    Examples: onefold report overlap --chart overlap.svg

    onefold report overlap crm erp --state conflict
    """
    from onefold.errors import UsageError
    from onefold.steps.overlap import overlap, overlapping_clients

    if pair and len(set(pair)) != 2:
        raise UsageError("Name two sources, or none.", "onefold report overlap crm erp --state both")
    with opened(ctx) as (context, output):
        if pair:
            registers = (pair[0], pair[1])
            rows = overlapping_clients(context, registers, state.value.replace("-", "_"), limit=limit)
        else:
            found = overlap(context, refresh=refresh)
    if pair:
        output.data(rows)
        columns = ("client", "name", "differ in")
        values = [(r["client_id"], r["display_name"], ", ".join(r["conflicting"] or ())) for r in rows]
        output.table(columns, values, title=f"{pair[0]} and {pair[1]}: {state.value.replace('-', ' ')}")
        return
    output.data(found.as_dict())
    _show_overlap(output, found, trend=trend)
    if chart:
        _draw_overlap(output, found, chart)


def _show_overlap(output: Output, found: Overlap, *, trend: bool) -> None:
    if found.latest:
        output.say(
            f"Counted at {found.latest[0].taken_at:%Y-%m-%d %H:%M}. Count anew: onefold report overlap --refresh"
        )
    pairs = [*found.earlier, *found.latest] if trend else found.latest
    output.table(
        ("week of", "A", "B", "only in A", "only in B", "in both", "in conflict"),
        [(p.week_on, p.register_a, p.register_b, p.only_a, p.only_b, p.in_both, p.in_conflict) for p in pairs],
        title="Clients of each pair of registers",
        right=(3, 4, 5, 6),
    )
    output.table(
        ("registers", "clients"),
        [(" + ".join(one.registers), one.clients) for one in found.combinations],
        title="Clients in exactly these registers",
        right=(1,),
    )


def _draw_overlap(output: Output, found: Overlap, path: Path) -> None:
    from onefold.charts.canvas import write
    from onefold.charts.upset import upset_chart

    title = "Registers and the clients that they have in common"
    description = "Clients by the registers that they stand in, most first."
    combinations = [(one.registers, one.clients) for one in found.combinations]
    for written in write(path, title, [upset_chart(title, description, combinations)]):
        output.say(f"wrote {written}")


@report_app.command("authority")
def report_authority(ctx: typer.Context) -> None:
    """Who decides what (authority.yaml): each attribute and document with its register, owner and review date.

    What several registers state and nobody has decided is listed too: there trust and dates decide. Reads the
    configuration only. Ends with code 1 where a review is overdue.

    Example: onefold report authority --json
    """
    from datetime import UTC, datetime

    from onefold.configuration import load_configuration
    from onefold.configuration.authority import authority

    output = invocation(ctx).output
    found = authority(load_configuration(settings_of(ctx).config), datetime.now(UTC).date())
    output.data(found.as_dict())
    output.table(
        ("of", "decides", "agreed by", "agreed on", "review on", "because"),
        [
            (d.subject, d.register, d.agreed_by, d.agreed_on, f"{d.review_on} overdue" if d.is_overdue else d.review_on,
             d.because)
            for d in found.decided
        ],
        title="Decided",
    )  # fmt: skip
    output.heading("Stated by several registers, and nobody decides")
    output.table(("of", "stated by"), [(u.subject, ", ".join(u.registers)) for u in found.undecided])
    if any(one.is_overdue for one in found.decided):
        raise typer.Exit(1)


@report_app.command("reconcile")
def report_reconcile(
    ctx: typer.Context,
    rows: Annotated[
        str | None, typer.Option("--rows", help="Show the records behind the last one's numbers: SOURCE[:STREAM].")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="With --rows: only this reason.")] = None,
    last: Annotated[bool, typer.Option("--last", help="Show the last one; count nothing.")] = False,
    limit: Limit = 50,
) -> None:
    """Does everything that came stand in what is served: rows and amounts of each stream, stage by stage.

    Counts now and keeps it (onefold_v1.report_reconciliation). Ends with code 1 where something is missing, too many or
    of another amount without a reason.

    Examples: onefold report reconcile

    onefold report reconcile --rows erp:orders --reason open_reference
    """
    from onefold.steps.reconcile import last_reconciliation, reconcile, rows_behind

    with opened(ctx) as (context, output):
        if rows:
            behind = rows_behind(context, rows, reason, limit=limit)
        else:
            report = None if last else reconcile(context)
            streams = last_reconciliation(context)
    if rows:
        output.data(behind)
        output.table(
            ("record", "reason", "amount at the source", "amount served"),
            [(f"{r['source']}:{r['stream']}:{r['source_key']}", r["reason"], r["raw_amount"], r["standard_amount"])
             for r in behind],
            right=(2, 3),
        )  # fmt: skip
        return
    output.data({"report": report.as_dict() if report else None, "streams": streams})
    _show_reconciliation(output, streams)
    if any(row["unexplained"] or row["unserved"] for row in streams):
        raise typer.Exit(1)


def _show_reconciliation(output: Output, streams: list[dict[str, Any]]) -> None:
    output.table(
        ("stream", "raw", "gone", "standard", "linked", "served", "the difference is", "difference"),
        [
            (f"{r['source']}:{r['stream']}", r["raw_rows"], r["tombstones"], r["standard_rows"], r["linked_rows"],
             r["served_rows"], _reasons(r), r["difference_rows"])
            for r in streams
        ],
        title="Rows",
        right=(1, 2, 3, 4, 5, 7),
    )  # fmt: skip
    output.table(
        ("stream", "raw", "waiting", "standard", "linked", "served", "difference"),
        [
            (f"{r['source']}:{r['stream']}", r["raw_amount"], r["waiting_amount"], r["standard_amount"],
             r["linked_amount"], r["served_amount"], r["difference_amount"])
            for r in streams
            if r["raw_amount"] is not None
        ],
        title="Control sums: amounts added up whatever their currency",
        right=(1, 2, 3, 4, 5, 6),
    )  # fmt: skip
    wrong = sum(r["unexplained"] + abs(r["unserved"]) for r in streams)
    if wrong:
        output.say(f"{wrong} records are not explained: onefold report reconcile --rows SOURCE", style="bold red")
    elif streams:
        output.say("Everything that came is served, or there is a reason why not.", style="green")


_REASONS = (
    "not_landed", "left_out", "rejected", "waiting", "leaving", "made", "unlinked", "open_references", "without_party",
    "unexplained", "unserved",
)  # fmt: skip


def _reasons(row: dict[str, Any]) -> str:
    return ", ".join(f"{row[name]} {name.replace('_', ' ')}" for name in _REASONS if row[name])

"""What is measured, from the client's side and from the company's; and one client's side of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

measures_app = typer.Typer(no_args_is_help=True, help="What is measured of clients, from their side and from ours.")
app.add_typer(measures_app, name="measures", rich_help_panel="Clients")
NONE = "Nothing is measured: write config/metrics.yaml (`metrics: {}` asks for the shipped ones) and `onefold run`."


def show_as_client(ctx: typer.Context, who: str, limit: int) -> None:
    """The company as one client sees it."""
    from onefold.cli.commands_hub import login_name
    from onefold.steps.as_client import as_client
    from onefold.steps.subject import looked

    with opened(ctx) as (context, output):
        found = as_client(context, who, limit=limit)
        looked(context, [found.client_id], who=login_name(), how="as-client")
    output.data(found.as_dict())
    output.heading(f"As {found.display_name or found.client_id} sees us, on {found.on}")
    output.say(f"{found.dealings} dealings from {found.first_on or '?'} to {found.last_on or '?'}")
    output.table(
        ("promise", "of", "kept", "missed", "overdue", "not yet due", "most days late"),
        [
            (p["kind"], p["label_en"], p["kept"], p["missed"], p["overdue"], p["open"], p["most_days_late"])
            for p in found.promises
        ],
        title="Promised to it" + ("" if found.kept_share is None else f": {found.kept_share:.0%} kept"),
        right=(2, 3, 4, 5, 6),
    )
    output.table(
        ("due", "came", "days late", "promise", "document", "in words"),
        [
            (b["due_on"], b["actual_on"], b["days_late"], b["kind"], b["document_number"], b["summary"])
            for b in found.broken
        ],
        title="Not kept, latest first",
        right=(2,),
    )
    output.table(
        ("waited for", "of", "times", "median days", "most days"),
        [(w["kind"], w["label_en"], w["times"], w["median_days"], w["most_days"]) for w in found.waits],
        title="Waits",
        right=(2, 3, 4),
    )
    output.table(
        ("asked", "days", "what", "document", "in words"),
        [(u["asked_on"], u["days"], u["label_en"], u["document_number"], u["summary"]) for u in found.unanswered],
        title="Without an answer",
        right=(1,),
    )
    output.table(
        ("said again", "times", "from", "to"),
        [(r["summary"], r["times"], r["first_on"], r["last_on"]) for r in found.repeats],
        title="Had to be said again",
        right=(1,),
    )
    output.table(
        ("asked", "ended", "days", "document", "in words"),
        [(c["asked_on"], c["ended"], c["days"], c["document_number"], c["summary"]) for c in found.complaints],
        title="Complaints",
        right=(2,),
    )
    if any(found.more.values()):
        words = {"broken": "broken promises", "unanswered": "requests without an answer", "repeats": "repeats"}
        told = ", ".join(f"{count} {words.get(part, part)}" for part, count in found.more.items() if count)
        output.say(f"More than is shown (--limit): {told}.")
    whom = ", ".join(f"{d['department']} ({d['dealings']})" for d in found.departments)
    output.say(f"Dealt with {whom or 'nobody'}.")
    if found.matters:
        output.say(
            f"{found.matters} matters of more than one step went through {found.mean_departments} departments on"
            f" average, {found.most_departments} at most."
        )
    output.say(f"It began {found.began_client} contacts, the company {found.began_company}.")
    left_out = sum(row["times"] for row in found.not_counted)
    if left_out:
        output.say(f"Not counted: {left_out} greetings and mailings.")


@measures_app.command("list")
def list_measures(ctx: typer.Context) -> None:
    """The metrics of metrics.yaml and the shipped ones: from whose side each is told, its value with its 95 % interval
    and its sample, or why it is not available.

    (`onefold metrics` is another thing: the hub's own figures for monitoring.)

    Example: onefold measures list --json
    """
    from onefold.steps.measures_told import registry

    with opened(ctx) as (context, output):
        rows = registry(context)
    output.data(rows)
    if not rows:
        output.say(NONE)
        return
    show_measures(output, rows)


@measures_app.command("show")
def show_measure(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="A metric, as `onefold measures list` names it.")]
) -> None:
    """One metric: its definition, and its value by segment and month.

    Example: onefold measures show promises_kept
    """
    from onefold.steps.measures_told import one_metric

    with opened(ctx) as (context, output):
        found = one_metric(context, name)
    output.data(found)
    show_measures(output, [found])
    output.say(f"Version {found['version']}, of {', '.join(found['interaction_types'])}:")
    output.say(found["definition"].rstrip())
    for part in ("segments", "months"):
        if found[part]:
            output.table(
                ("of", "value", "from", "to", "observations", "clients"),
                [
                    (
                        v.get("month", "")[:7] or f"{v['scheme']}: {v['segment']}",
                        *(amount(v[name], found["unit"]) for name in ("value", "low", "high")),
                        v["observations"],
                        v["clients"],
                    )
                    for v in found[part]
                ],
                title="By segment" if part == "segments" else "By month",
                right=(1, 2, 3, 4, 5),
            )


@measures_app.command("check")
def check_measures(ctx: typer.Context) -> None:
    """Put every definition to its check: one SELECT over the served views, that PostgreSQL plans as the reader, with
    the columns it needs. Nothing is stored; code 1 when one fails.

    Example: onefold measures check
    """
    from onefold.steps.measures_told import check

    with opened(ctx) as (context, output):
        rows = check(context)
    output.data(rows)
    wrong = [row for row in rows if row["problem"] is not None]
    for row in wrong:
        output.say(f"{row['place']}: {row['metric']}: {row['problem']}", style="yellow")
    output.say(f"{len(rows) - len(wrong)} of {len(rows)} definitions can be run.")
    if wrong:
        raise typer.Exit(1)


@measures_app.command("report")
def report_measures(
    ctx: typer.Context,
    metrics: Annotated[str | None, typer.Option("--metrics", help="Only these, separated by commas.")] = None,
) -> None:
    """The client's side and the company's next to each other. A report that tells the company's side alone says so.

    Example: onefold measures report --metrics promises_kept,revenue
    """
    from onefold.steps.measures_told import report

    names = None if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    with opened(ctx) as (context, output):
        found = report(context, names)
    output.data(found)
    for side, title in (("client", "As clients live it"), ("enterprise", "As the company counts it")):
        if found[side]:
            show_measures(output, found[side], title=title)
    if found["note"]:
        output.say(found["note"]["en"], style="yellow")
    if not found["client"] and not found["enterprise"]:
        output.say(NONE)


@measures_app.command("loyalty")
def loyalty_measures(ctx: typer.Context) -> None:
    """Whether clients to whom more was kept, and whose needs were met more often, stay and buy again: by bands, with
    intervals, clients of like volume compared. "no effect" and "cannot tell" are answers. It is what goes together, not
    what causes what.

    Example: onefold measures loyalty
    """
    from onefold.steps.measures_told import loyalty

    with opened(ctx) as (context, output):
        rows = loyalty(context)
    output.data(rows)
    if not rows:
        output.say(NONE)
    for row in rows:
        output.heading(f"{row['ground']}, {row['loyalty']} since {row['split_on']}: {row['verdict']}")
        output.table(
            ("band", "clients", "came back", "share", "from", "to"),
            [
                (
                    b["label_en"],
                    b["clients"],
                    b["came_back"],
                    *(amount(b[n], "share") for n in ("share", "low", "high")),
                )
                for b in row["bands"]
            ],
            right=(1, 2, 3, 4, 5),
        )
        if row["difference"] is not None:
            output.say(
                f"Upper bands less lower ones, like volumes compared: {100 * row['difference']:+.1f} points"
                f" ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"
            )
        if row["why_en"]:
            output.say(row["why_en"])


def show_measures(output: Output, rows: Sequence[Mapping[str, Any]], title: str | None = None) -> None:
    """Metrics with their values, and below the table why the others have none."""
    told = [row for row in rows if row["is_available"]]
    if told:
        output.table(
            ("metric", "label", "side", "value", "from", "to", "good", "observations", "clients"),
            [
                (
                    r["metric"],
                    r["label_en"],
                    r["perspective"],
                    *(amount(r[name], r["unit"]) for name in ("value", "low", "high")),
                    {"up": "up", "down": "down"}.get(r["better"], ""),
                    r["observations"],
                    r["clients"],
                )
                for r in told
            ],
            title=title,
            right=(3, 4, 5, 7, 8),
        )
    elif title:
        output.heading(title)
    for row in rows:
        if not row["is_available"]:
            output.say(f"{row['metric']}: not available. {row['why_en']}", style="dim")


def amount(value: Any, unit: str) -> str:
    """A value as people read it; nothing where there is none.

    >>> amount(0.875, "share"), amount(None, "days"), amount(12.25, "days"), amount(1200, "money")
    ('87.5%', '', '12.2', '1,200')
    """
    if value is None:
        return ""
    if unit == "share":
        return f"{float(value):.1%}"
    return f"{float(value):,.0f}" if unit == "money" else f"{float(value):.1f}"

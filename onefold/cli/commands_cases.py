"""`onefold cases`: what waits for a person's word; out to Excel and back, how good decisions are, where to ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.context import Context
    from onefold.steps.case_workbook import Row

cases_app = typer.Typer(help="What waits for a person's word.", invoke_without_command=True)
app.add_typer(cases_app, name="cases", rich_help_panel="Clients")
Limit = Annotated[int, typer.Option("--limit", "-n", min=1)]


@cases_app.callback()
def cases(ctx: typer.Context, limit: Limit = 20) -> None:
    """What waits for a person's word: doubtful pairs, contradictions, leftovers; most impact first."""
    if ctx.invoked_subcommand is not None:
        return
    with opened(ctx) as (context, output):
        rows = waiting(context, limit)
    output.data(rows)
    show_cases(output, rows)


def waiting(context: Context, limit: int) -> list[dict[str, Any]]:
    """Open cases, those put aside or proposed among them, most impact first; without their place in the queue."""
    from onefold.steps.rules import today
    from warehouse.case_queue import CaseFilter, page

    with context.connection("onefold cases") as conn:
        rows, _ = page(conn, CaseFilter(today(context), state="any"), limit=limit)
    return [{name: value for name, value in row.items() if name not in ("one", "two")} for row in rows]


def show_cases(output: Output, rows: list[dict[str, Any]]) -> None:
    """Review cases with the command that explains each."""
    if not rows:
        output.say("Nothing waits for review.")
        return
    table = []
    for row in rows:
        records = row["records"] or []
        names = [f"{r['source']}:{r['stream']}:{r['source_key']}" for r in records]
        clients = " | ".join(str(r["display_name"]) for r in records)
        bits = None if row["weight"] is None else f"{row['weight'] / 1024:.1f}"
        table.append((row["kind"], bits, clients, f"onefold explain {' '.join(names)}"))
    output.table(("why", "bits", "clients", "look at it"), table, right=(1,))


@cases_app.command("export")
def cases_export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file: .xlsx")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only cases of this kind; repeatable.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="One of the records is of this source.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=2000, help="Most impact first.")] = 2000,
    language: Annotated[str, typer.Option("--language", help="Of the words to choose from: en or ru.")] = "en",
) -> None:
    """Write open cases to a workbook: choose a word in the column `decision` of each, then import it.

    It holds personal data as it is, and says who took it in ops.access_log. Leave the columns `case` and `seen`
    as they are: by them a case that has changed meanwhile is refused.

    Example: onefold cases export cases.xlsx --source crm
    """
    from onefold.cli.commands_hub import login_name
    from onefold.errors import UsageError
    from onefold.export.parts import whole_file
    from onefold.steps.case_workbook import CHOICES, write
    from onefold.steps.rules import today
    from onefold.steps.subject import looked
    from warehouse.case_queue import CaseFilter

    if file.suffix.lower() != ".xlsx" or file.exists() or language not in CHOICES:
        raise UsageError("FILE is a new .xlsx file, and --language is en or ru.")
    with opened(ctx) as (context, output):
        if source is not None and source not in context.configuration.sources:
            raise UsageError(f"There is no source {source}.", "`onefold sources` lists them.")
        chosen = CaseFilter(today(context), kinds=kind, source=source)
        # It gets its name when the access log says who took it.
        with whole_file(file) as temporary:
            count, clients = write(context, chosen, temporary, language=language, limit=limit)
            temporary.chmod(0o600)
            looked(context, clients, who=login_name(), how="cases export", rows=count)
    output.data({"file": str(file), "cases": count})
    output.say(f"{file}: {count} cases. Decide them there, then: onefold cases import {file}")


@cases_app.command("import")
def cases_import(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A workbook of `onefold cases export`, decided.", exists=True)],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it you see what would be done.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Whose decisions they are; else yours.")] = None,
) -> None:
    """Take decided cases back: first what each line would do, and with --yes do it.

    What has changed since the export, is open no more or is not known is refused, line by line; the others are decided,
    each by a judgement of its own (`onefold judge undo N` takes it back).

    Example: onefold cases import cases.xlsx --yes
    """
    from collections import Counter

    from onefold.cli.commands_hub import login_name
    from onefold.steps import case_batch
    from onefold.steps.case_workbook import read

    who = by or login_name()
    with opened(ctx) as (context, output):
        rows = read(context, file)
        words = [row.word for row in rows if row.word is not None]
        report = None
        if yes and words:
            batch = case_batch.begin(context, "workbook", len(words), by=who)
            report = case_batch.decide_all(context, batch, words, by=who)
    told = [{"line": row.number, "case": row.case, "state": row.state, "verdict": row.verdict} for row in rows]
    output.data({"rows": told, "states": Counter(row.state for row in rows), "report": report})
    shown = [row for row in rows if row.state != "empty"]
    output.table(
        ("line", "what becomes of it", "decision", "records"),
        [(r.number, r.state, r.verdict, _records(r)) for r in shown],
    )
    if report is not None:
        output.say("; ".join(f"{outcome}: {len(cases)}" for outcome, cases in report.items()))
    elif words:
        output.say(f"Nothing has been done. Decide these {len(words)}: onefold cases import {file} --yes")
    else:
        output.say("No line is ready to be decided.")


def _records(row: Row) -> str:
    return " | ".join([*row.word.left, *row.word.right]) if row.word else row.case


@cases_app.command("agreement")
def cases_agreement(
    ctx: typer.Context, days: Annotated[int, typer.Option("--days", min=1, help="Of the last so many days.")] = 365
) -> None:
    """How good decisions are: how often the same case was answered alike twice, and how often one was taken back.

    A few decided cases are asked once more without saying so (hub.yaml: review: repeats). It is a figure of the
    process: nobody is counted.
    """
    from datetime import timedelta

    from onefold.steps.case_repeats import agreement

    with opened(ctx) as (context, output):
        found = agreement(context, timedelta(days=days))
    output.data(found)
    rates = {name: found[name] for name in ("agreement_rate", "reversal_rate")}
    told = {name: "unknown yet" if rate is None else f"{rate:.1%}" for name, rate in rates.items()}
    output.say(f"Agreement  {told['agreement_rate']}: {found['agreed']} of {found['asked']} asked twice")
    output.say(f"Reversals  {told['reversal_rate']}: {found['undone']} of {found['decided']} decisions")
    for one in found["disagreements"]:
        output.say(f"Look again {one['case']}: {one['verdict']} | {one['second_verdict']}")


@cases_app.command("plan")
def cases_plan(
    ctx: typer.Context,
    per_day: Annotated[int, typer.Option("--per-day", min=1, help="Cases that people decide in a day.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Days of work until all are decided.")] = 20,
) -> None:
    """Where the thresholds could lie for so many cases a day: band, expected errors on both sides, days to clear.

    It changes nothing, and says which lines of matching.yaml would.

    Example: onefold cases plan --per-day 25
    """
    from onefold.steps.case_plan import plan

    with opened(ctx) as (context, output):
        found = plan(context, per_day, days)
    output.data(found)
    table = [
        (one["kind"] if when == "now" else "", name, f"{band['review_bits']:+.1f} … {band['link_bits']:+.1f}",
         band["pairs"], band["cases"], f"{band['wrong']:.1f}", f"{band['missed']:.1f}")
        for one in found["kinds"]
        for when, name in (("now", "now"), ("then", "proposed"))
        for band in (one[when],)
    ]  # fmt: skip
    output.table(
        ("kind", "", "asked between, bits", "pairs", "cases", "linked wrongly", "missed"), table, right=(3, 4, 5, 6)
    )
    clear = found["days_to_clear"]
    output.say(f"Days to clear: {clear['now']:.1f} now, {clear['then']:.1f} as proposed")
    output.say(found["lines"])
    output.say("Look what they would change: onefold plan", style="bold")

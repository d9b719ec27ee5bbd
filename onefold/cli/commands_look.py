"""Looking at the hub: status, find, client, cases, trace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

RecordName = Annotated[str, typer.Argument(help="source:stream:key")]


@app.command(rich_help_panel="Hub")
def status(
    ctx: typer.Context,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the trends as charts to this page, or .svg.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with 7 when a run is held, with 1 when something else is wrong.")
    ] = False,
) -> None:
    """How the hub is: what came from where and when, what waits, how long steps take, and what to do next.

    Sources against their schedule, queues, writes without an answer, cases by age, rejects, the slowest steps and
    their trend, how the weights of pairs lie, the disk. With --check something is wrong when a source is stale or was
    never read, the last run of a step failed, or the disk is nearly full; without it the exit code is 0.

    Example: onefold status --check --html status.html
    """
    from onefold.cli.show_status import show_streams, show_trends, show_work
    from onefold.failures import EXIT_HELD
    from onefold.steps.status import status as step

    with opened(ctx) as (context, output):
        found = step(context)
    if html is not None:
        from onefold.charts.canvas import write
        from onefold.steps.status_page import charts

        found["files"] = [str(path) for path in write(html, "How the hub is", charts(found))]
    output.data(found)
    output.say(
        f"{found['clients']} clients ({found['parties']} parties) from {found['records']} records; "
        f"{found['interactions']} interactions, {found['open_references']} of them name a record that has not come yet"
    )
    show_streams(output, found)
    for hold in found["holds"]:
        for words in hold["words"]:
            output.say(f"Held         run {hold['run_id']}: {words}", style="yellow")
    show_work(output, found)
    for missing in found["missing_rates"]:
        output.say(
            f"Rates        {missing['interactions']} amounts in {missing['currency'] or 'no currency'} have no rate"
            f" ({missing['first_on']} to {missing['last_on']}); see docs/interactions.md"
        )
    show_trends(output, found)
    for concern in found["concerns"]:
        output.say(f"Wrong        {concern}", style="yellow")
    for advice in found["next"]:
        output.say(f"Next         {advice}", style="bold")
    if check and found["concerns"]:
        raise typer.Exit(EXIT_HELD if found["holds"] else 1)


def _minute(text: str | None) -> str | None:
    return None if text is None else text[:16]


@app.command(rich_help_panel="Clients")
def find(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="A name, e-mail, phone, tax id, source key or client id.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
) -> None:
    """Find clients by anything known about them."""
    from onefold.cli.commands_hub import login_name
    from onefold.steps.subject import looked
    from warehouse.queries import find_clients

    with opened(ctx) as (context, output):
        with context.connection() as conn:
            rows = find_clients(conn, text, limit=limit)
        looked(context, [row["client_id"] for row in rows], who=login_name(), how="find")
    output.data(rows)
    if not rows:
        output.say("Nobody found.")
        return
    output.table(
        ("client", "kind", "role", "name", "records", "e-mail", "phone", "matched"),
        [
            (
                r["client_id"],
                r["kind"],
                r["role"],
                r["display_name"],
                r["record_count"],
                r["email"],
                r["phone"],
                r["why"],
            )
            for r in rows
        ],
        right=(4,),
    )


@app.command(rich_help_panel="Clients")
def client(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="A client id, or a record: source:stream:key.")],
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="Interactions, or rows of each list, to show.")
    ] = 30,
    subject: Annotated[
        bool, typer.Option("--subject-report", help="Everything held about the person, for a request of access.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the subject report to a new file: .html or .json.")
    ] = None,
    as_client: Annotated[
        bool, typer.Option("--as-client", help="The company as this client sees it: promises, waits, complaints.")
    ] = False,
) -> None:
    """One client's whole story: golden values with their sources, records, the timeline of all departments.

    Example: onefold client crm:contacts:42
    Example: onefold client crm:contacts:42 --as-client
    """
    from onefold.cli.commands_hub import login_name
    from onefold.errors import UsageError
    from onefold.steps.client import client as step
    from onefold.steps.subject import looked

    if out is not None and (not subject or out.suffix not in (".html", ".json")):
        raise UsageError("--out is for --subject-report, and the file is .html or .json.")
    if subject and as_client:
        raise UsageError("--subject-report and --as-client are two answers.", "Use one of them.")
    if subject:
        show_subject(ctx, who, out)
        return
    if as_client:
        from onefold.cli.commands_measures import show_as_client

        show_as_client(ctx, who, limit)
        return
    with opened(ctx) as (context, output):
        view = step(context, who, limit=limit)
        looked(context, [view["client_id"]], who=login_name(), how="client")
    output.data(view)
    show_client(output, view)


def show_subject(ctx: typer.Context, who: str, out: Path | None) -> None:
    """The subject report on standard output as JSON, or in a new file for its owner only."""
    import json
    import os

    from onefold.cli.commands_hub import login_name
    from onefold.steps.subject import as_html, looked, subject_report

    with opened(ctx) as (context, output):
        report = subject_report(context, who)
        rows = sum(len(part) for part in report.values() if isinstance(part, list))
        looked(context, [report["client_id"]], who=login_name(), how="subject-report", rows=rows)
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    descriptor = os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(as_html(report) if out.suffix == ".html" else text)
    counts = {part: len(rows) for part, rows in report.items() if isinstance(rows, list)}
    output.data({"client_id": report["client_id"], "file": str(out), **counts})
    output.say(f"{out}: " + ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in counts.items()))


def show_client(output: Output, view: dict[str, Any]) -> None:
    """A client view for people."""
    output.heading(f"{view['display_name']}   {view['client_id']}")
    gone = "  (merged away or without records)" if view["is_deleted"] else ""
    output.say(f"{view['kind']}, {view['role']}, {view['record_count']} records{gone}")
    rows = []
    for attribute, value in sorted(view["attributes"].items()):
        line = view["lineage"].get(attribute, {})
        losers = [f"{v['value']} ({v['record']})" for v in line.get("losers", ())]
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        rows.append((attribute, shown, line.get("record"), line.get("rule"), "; ".join(losers[:3])))
    output.table(("attribute", "golden value", "from", "because", "what lost"), rows, title="Golden record")
    output.table(
        ("record", "role", "since", "run", "trace", "card"),
        [
            (r["name"], r["role"], _minute(r["since"]), r["run_id"], (r["trace_id"] or "")[:8], r["url"])
            for r in view["records"]
        ],
        title="Records",
    )
    if view["relationships"]:
        output.table(
            ("relationship", "client", "name", "in words"),
            [(_arrow(r), r["client_id"], r["display_name"], r["role"]) for r in view["relationships"]],
            title="Relationships",
        )
    if view["departments"]:
        shares = ", ".join(f"{d['department']} {d['share']:.0%} (last {d['last_on']})" for d in view["departments"])
        outside = sum(d["share"] for d in view["departments"] if d["department"] != "sales")
        output.say(f"Story told by {shares}: {outside:.0%} from outside sales")
    output.table(
        ("when", "department", "what", "number", "amount", "in words", "promise", "record"),
        [
            (
                (i["occurred_at"] if i["precision"] != "day" else i["occurred_on"] or "")[:16]
                if i["occurred_at"]
                else None,
                i["department"],
                i["label_en"] or i["type"],
                i["document_number"],
                f"{i['amount']} {i['currency'] or ''}" if i["amount"] else None,
                i["summary"],
                _promise(i["promises"]),
                f"{i['source']}:{i['stream']}:{i['source_key']}",
            )
            for i in view["interactions"]
        ],
        title=f"Timeline, latest first ({view['interaction_count']} in all)",
        right=(4,),
    )


def _promise(promises: list[dict[str, Any]] | None) -> str | None:
    found = []
    for promise in promises or ():
        due, actual = promise["due_on"], promise["actual_on"]
        if due and actual:
            found.append(f"due {due}: {'kept' if actual <= due else f'late, came {actual}'}")
        elif due:
            found.append(f"due {due}" if due >= f"{datetime.now(UTC):%Y-%m-%d}" else f"overdue since {due}")
    return "; ".join(found) or None


@app.command(rich_help_panel="Clients")
def trace(ctx: typer.Context, record: RecordName) -> None:
    """Every stage of one record: versions, standard form, keys, pairs, client, queues, rejects, judgements."""
    from onefold.steps.client import trace as step

    with opened(ctx) as (context, output):
        found = step(context, record)
    output.data(found)
    show_trace(output, record, found)


def _arrow(relationship: dict[str, Any]) -> str:
    """The relationship as seen from here: `owner_of ->` what it owns, `owner_of <-` who owns it."""
    return f"{relationship['type']} {'->' if relationship['direction'] == 'to' else '<-'}"


def show_trace(output: Output, record: str, found: dict[str, Any]) -> None:
    """A record's way for people."""
    output.heading(f"{record}   (record {found['record_id']})")
    if raw := found["raw"]:
        state = "deleted at the source" if raw["is_deleted"] else "live"
        inferred = ", inferred: a complete pass did not show it" if raw["is_deletion_inferred"] else ""
        output.say(
            f"raw          {state}{inferred}; landed {_minute(raw['ingested_at'])} by run {raw['run_id']}, "
            f"{len(found['versions'])} earlier versions"
        )
    if standard := found["standard_record"]:
        columns = {k: v for k, v in standard["columns"].items() if v is not None and k != "attributes"}
        output.say(
            "standard     "
            + ", ".join(f"{k}={v}" for k, v in columns.items() if k not in ("source", "stream", "source_key"))
        )
    for identifier in found["identifiers"]:
        wrong = "" if identifier["is_valid"] else f"  invalid: {identifier['invalid_reason']}"
        output.say(f"identifier   {identifier['type']} {identifier['value']}{wrong}")
    if found["blocking"]:
        output.say(f"blocking     {', '.join(f'{k}={v}' for k, v in found['blocking'].items())}")
    for pair in found["pairs"]:
        output.say(
            f"pair         {pair['source']}:{pair['stream']}:{pair['source_key']} {pair['weight'] / 1024:+.1f} bits"
        )
    if crosswalk := found["crosswalk"]:
        output.say(f"client       {crosswalk['client_id']}  {crosswalk.get('display_name') or ''}")
    for row in found["crosswalk_history"]:
        output.say(
            f"  belonged   {row['client_id']} from {_minute(row['valid_from'])} to {_minute(row['valid_to']) or 'now'}",
            style="dim",
        )
    if fact := found["interaction"]:
        output.say("interaction  " + ", ".join(f"{k}={v}" for k, v in fact.items() if v is not None))
    for row in found["relationships"]:
        known = row["source"], row["stream"], row["source_key"]
        other = ":".join(known) if row["source"] else f"record {row['record_id']}"
        output.say(f"related      {_arrow(row)} {other}  {row['role'] or ''}".rstrip())
    for name in ("pending", "rejects", "cases", "judgements", "feeds", "fed_by"):
        for row in found[name]:
            output.say(f"{name:<12} " + ", ".join(f"{k}={v}" for k, v in row.items() if v is not None))

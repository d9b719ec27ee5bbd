"""What is measured, from the client's side and from the company's; and one client's side of it."""

from __future__ import annotations

import typer

from onefold.cli.opening import opened


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

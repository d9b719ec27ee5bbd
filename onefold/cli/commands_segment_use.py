"""`onefold segments export`, `override`, `overrides`, `uses`: lists of clients, their guards, and uses."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.commands_needs import segments_app
from onefold.cli.opening import opened


@segments_app.command("export")
def export_segment(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The segment: SCHEME.SEGMENT, or its name where only one scheme has it.")],
    purpose: Annotated[str, typer.Option("--purpose", help="What the list is for: one of guards.purposes.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write: .csv or .xlsx; without it, it is shown.")
    ] = None,
) -> None:
    """A segment's clients as a list for a purpose. Left out, and told why: whoever refused consent or is banned from
    contact, always; and by the guards of the purpose whoever has an open complaint or a broken promise, or was
    contacted as often as was agreed, unless `segments override` says otherwise. Who took the list is written down.

    Example: onefold segments export by_need.in_a_hurry --purpose upsell --to upsell.xlsx
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.segment_use import segment_list

    with opened(ctx) as (context, output):
        found = segment_list(context, name, purpose=purpose, who=login_name(), how="segments export", path=to)
    output.data({**found.as_dict(), "reasons": found.reasons})
    output.heading(f"{found.scheme}.{found.segment} for {purpose}: {len(found.clients)} clients")
    if to is None:
        output.table(
            ("client", "name", "probability", "overridden"),
            [
                (one["client_id"], one["display_name"], one["probability"],
                 f"{', '.join(one['overridden'])} by {one['overridden_by']}" if one["overridden"] else None)
                for one in found.clients
            ],
            right=(2,),
        )  # fmt: skip
        output.table(
            ("left out", "name", "because of"),
            [(one["client_id"], one["display_name"], ", ".join(one["left_out"])) for one in found.left_out],
        )
    for reason, count in found.reasons.items():
        output.say(f"{reason}: {count} left out")
    if found.file:
        output.say(f"Written to {found.file}.")


@segments_app.command("override")
def override(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="A client's id, or a record as source:stream:key.")],
    purpose: Annotated[str, typer.Option("--purpose", help="What the lists are for.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the client may be on them.")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, within a year.")],
    guard: Annotated[
        list[str] | None,
        typer.Option("--guard", help="Only this: open_complaint, broken_promise or contact_pressure; may be repeated."),
    ] = None,
) -> None:
    """Let a client be on lists for a purpose in spite of guards, in your name, until a day. A refused consent and a
    contact ban cannot be overridden.

    Example: onefold segments override crm:companies:10 --purpose upsell --reason "they asked" --until 2026-12-31
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.segment_use import override_guard

    with opened(ctx) as (context, output):
        said = override_guard(
            context, who, purpose=purpose, reason=reason, by=login_name(), until=until.date(), only=guard or ()
        )
    output.data(said)
    output.say(f"Override {said['override_id']}: {', '.join(said['guards'])} for {purpose}, until {said['until']}.")


@segments_app.command("overrides")
def list_overrides(
    ctx: typer.Context,
    end: Annotated[int | None, typer.Option("--end", min=1, help="Take this override back.")] = None,
) -> None:
    """Which clients may be on lists in spite of guards: who said so, why, and until when.

    Example: onefold segments overrides
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.segment_use import end_override, overrides

    with opened(ctx) as (context, output):
        if end is not None:
            end_override(context, end, by=login_name())
        rows = overrides(context)
    output.data(rows)
    output.table(
        ("number", "client", "name", "purpose", "guards", "reason", "by", "until", "in force"),
        [
            (r["override_id"], r["client_id"], r["display_name"], r["purpose"], ", ".join(r["guards"]), r["reason"],
             r["made_by"], r["until"], r["is_in_force"])
            for r in rows
        ],
    )  # fmt: skip


@segments_app.command("uses")
def list_uses(
    ctx: typer.Context,
    scheme: Annotated[str | None, typer.Argument(help="Only of this scheme.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many to show.")] = 50,
) -> None:
    """Who read or exported which segment, when and for what purpose, the latest first.

    Example: onefold segments uses by_need
    """
    from onefold.steps.segment_use import uses

    with opened(ctx) as (context, output):
        rows = uses(context, scheme, limit=limit)
    output.data(rows)
    output.table(
        ("when", "who", "how", "purpose", "scheme", "segment", "clients", "left out"),
        [
            (r["at"][:16], r["who"], r["how"], r["purpose"], r["scheme"], r["segment"], r["clients"], r["left_out"])
            for r in rows
        ],
        right=(6, 7),
    )

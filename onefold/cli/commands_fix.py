"""`onefold fix`: what is to be mended in the registers themselves."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import login_name
from onefold.cli.opening import opened


class What(StrEnum):
    """What may be wrong."""

    duplicate = "duplicate"
    invalid = "invalid"
    outvoted = "outvoted"
    contradicts = "contradicts"
    emptied = "emptied"


@app.command(rich_help_panel="Hub")
def fix(
    ctx: typer.Context,
    register: Annotated[str | None, typer.Option("--register", help="Only this source.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this person is to mend.")] = None,
    kind: Annotated[What | None, typer.Option("--kind", help="Only what is wrong in this way.")] = None,
    attribute: Annotated[str | None, typer.Option("--attribute", help="Only of this attribute.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="What is mended, instead of what is open.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write them to this workbook (.xlsx).")] = None,
    masked: Annotated[bool, typer.Option("--masked", help="Masks in place of personal data.")] = False,
    after: Annotated[int, typer.Option("--after", min=0, help="On from this entry.")] = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, max=10_000, help="How many to show; 50 without it.")
    ] = None,
) -> None:
    """What is wrong in each register, for those who keep it: records that are there twice, values that are invalid,
    that lost against a better one, that contradict another register, or that were emptied.

    Without options: how many, by register and owner. An entry closes when a run shows it mended, or when somebody says
    that two records are not the same client.

    Example: onefold fix --register crm --out fix.xlsx
    """
    from onefold.errors import UsageError
    from onefold.steps.fix_at_source import KINDS, fix_counts, fixes, write_fixes
    from onefold.steps.subject import looked
    from onefold.web.api.views import fix_of
    from onefold.web.masking import Masks
    from warehouse.source_fixes import Wanted

    if out is not None and out.suffix.lower() != ".xlsx":
        raise UsageError(f"{out} is no workbook.", "Give it a name that ends with .xlsx.")
    if out is not None and limit is not None:
        raise UsageError("A workbook holds all entries: --limit is for what is shown.", "Leave out --limit.")
    wanted = Wanted(register, None if kind is None else kind.value, attribute, is_open=not closed)
    is_all = wanted == Wanted() and owner is None and after == 0
    with opened(ctx) as (context, output):
        masks = Masks(context.configuration.attributes) if masked else None
        fields: list[str] | None = None if masks is None else []
        if out is not None:
            report = write_fixes(
                context,
                out,
                wanted,
                owner=owner,
                after=after,
                shown=lambda row: fix_of(row, masks),
                about=lambda clients: looked(context, clients, who=login_name(), how="fix", fields=fields),
            )
            output.data(report.as_dict())
            output.say(f"{report.rows} entries in {report.file}{'; there are more' if report.is_cut else ''}")
            return
        counts = fix_counts(context)
        rows, end = ([], None) if is_all else fixes(context, wanted, owner=owner, after=after, limit=limit or 50)
        if rows:
            looked(context, sorted({r["client_id"] for r in rows}), who=login_name(), how="fix", fields=fields)
    told = [fix_of(row, masks) for row in rows]
    output.data({"counts": counts, "fixes": told, "next": end})
    if is_all:
        output.table(
            ("register", "owner", "open", *KINDS),
            [(one["source"], one["owner"], one["entries"], *(one[name] for name in KINDS)) for one in counts["rows"]],
            title=f"{counts['open']} to mend",
            right=tuple(range(2, 3 + len(KINDS))),
        )
        output.say("`onefold fix --register NAME` lists them, `--out fix.xlsx` writes them to a workbook.")
        return
    output.table(
        ("record", "what", "attribute", "says", "better", "rule", "other", "since"),
        [
            (
                r["record"],
                r["kind"],
                r["attribute"],
                r["value"],
                r["better"],
                r["rule"],
                r["other"],
                r["opened_at"][:10],
            )
            for r in told
        ],
    )
    if end is not None:
        output.say(f"There are more: --after {end}")

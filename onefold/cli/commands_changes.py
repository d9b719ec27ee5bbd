"""The change feed on the command line: changes."""

from __future__ import annotations

from typing import Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened


@app.command(rich_help_panel="For tools")
def changes(
    ctx: typer.Context,
    after: Annotated[
        int | None, typer.Option("--after", min=0, help="Read on from this changed_seq; 0: from the beginning.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Then wait for more, until it is stopped (Ctrl+C).")] = False,
    reader: Annotated[
        str | None, typer.Option("--reader", help="Read on from where this reader is, and note how far it comes.")
    ] = None,
    read: Annotated[
        int | None, typer.Option("--read", min=0, help="Print nothing: --reader has read up to this number by SQL.")
    ] = None,
    readers: Annotated[bool, typer.Option("--readers", help="List the registered readers.")] = False,
    forget: Annotated[str | None, typer.Option("--forget", help="Keep nothing for this reader any more.")] = None,
) -> None:
    """What changed, in order. Without --after: the last 20, and with --follow only what comes from now on.

    With --json one JSON document a line, each flushed: a consumer keeps the last changed_seq and reads on from it.
    Nothing is skipped and nothing comes twice. Example: onefold changes --follow --after 4711 --json

    With --reader NAME the hub remembers how far NAME has read, and `onefold maintain` keeps what it has not (after a
    kill the last ones may come again). Exit code 10: what you ask for is no longer kept; read the views anew.
    """
    from onefold.errors import UsageError
    from onefold.steps import changes as steps

    if read is not None and reader is None:
        raise UsageError("--read needs --reader: who has read up to there?")
    with opened(ctx) as (context, output):
        if forget is not None:
            steps.forget_reader(context, forget)
            output.data({"forgotten": forget})
            output.say(f"Nothing is kept for {forget} any more.")
            return
        if readers:
            found = steps.feed_readers(context)
            output.data([one._asdict() for one in found])
            output.table(
                ("reader", "read up to", "behind", "registered", "read last", "too late"),
                [tuple(one) for one in found],
                right=(1, 2),
            )
            return
        if reader is not None and read is not None:
            steps.note_read(context, reader, read)
            output.data({"reader": reader, "read_seq": read})
            output.say(f"{reader} has read up to {read}.")
            return
        for change in steps.changes(context, after=after, limit=limit, follow=follow, reader=reader):
            output.line(change._asdict())
            where = f"client {change.client_id}" if change.client_id else ""
            output.say(f"{change.changed_seq:>10}  {change.changed_at:%Y-%m-%d %H:%M:%S}  {change.change:<10}  {where}")

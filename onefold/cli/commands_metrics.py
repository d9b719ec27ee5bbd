"""What monitoring reads: metrics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened
from onefold.errors import OnefoldError, UsageError

if TYPE_CHECKING:
    from onefold.context import Context

DEFAULT = "127.0.0.1:9464"


@app.command(rich_help_panel="Hub")
def metrics(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Replace this .prom file at once, for node_exporter's textfile collector."),
    ] = None,
    serve: Annotated[
        str | None,
        typer.Option("--serve", metavar="ADDRESS:PORT", help=f"Answer there until stopped, such as {DEFAULT}."),
    ] = None,
) -> None:
    """The hub's figures in OpenMetrics: freshness, queues, rejects, cases, runs, weights, sizes. Asks by indexes only.

    Names of sources, streams and tables are the only labels. --serve has no password: stay on loopback, or behind what
    has one. Exit code 6: the hub's database does not answer.

    Example: onefold metrics --out /var/lib/node_exporter/textfile/onefold.prom
    """
    from onefold.metrics import registry

    if out is not None and serve is not None:
        raise UsageError("--out writes once, --serve answers for as long as it runs.", "Use one of them.")
    if out is not None and out.suffix != ".prom":
        raise UsageError(f"The textfile collector reads no {out.name}.", "Let the file's name end in .prom.")
    with opened(ctx) as (context, output):
        if serve is not None:
            answer(context, *address(serve), told=output.warn)
            return
        figures = registry(context)
        if out is not None:
            from prometheus_client import write_to_textfile

            write_to_textfile(str(out), figures)
            output.data({"file": str(out)})
            return
        from prometheus_client.openmetrics.exposition import generate_latest

        text = generate_latest(figures).decode()  # type: ignore[no-untyped-call]
    output.data({"openmetrics": text})
    if not output.as_json:
        typer.echo(text, nl=False)


def address(text: str) -> tuple[str, int]:
    """Host and port; a port alone is one of loopback.

    >>> address("9464")
    ('127.0.0.1', 9464)
    """
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if separator else "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535 or not host:
        raise UsageError(f"{text} is no address.", f"Write host and port, such as {DEFAULT}.")
    return host, int(port)


def answer(context: Context, host: str, port: int, *, told: Callable[[str], None]) -> None:
    """Answer whoever asks until SIGTERM or Ctrl-C; where, is `told`."""
    import signal
    import threading

    from prometheus_client import start_http_server

    from onefold.metrics import registry

    stop = threading.Event()
    former = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        server, thread = start_http_server(port, addr=host, registry=registry(context))
    except OSError as error:
        raise OnefoldError(f"Nothing can listen on {host}:{port}: {error.strerror}.", "Use another port.") from None
    told(f"answers on http://{host}:{server.server_port}/metrics until it is stopped")
    try:
        with suppress(KeyboardInterrupt):
            stop.wait()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        signal.signal(signal.SIGTERM, former)

"""The demo's company in a database of a test's own: generated registers, its CRM served, and one run through the hub."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onefold.context import Context, open_context
from onefold.demo.hub import DemoHub, prepare, start_crm, stop_crm
from onefold.steps.run import run


@dataclass(frozen=True)
class Demo:
    """The hub, and where it lives."""

    hub: DemoHub
    environ: dict[str, str]

    @contextmanager
    def context(self) -> Iterator[Context]:
        """An open context on it."""
        with open_context(self.hub.settings, environ=self.environ) as context:
            yield context


@contextmanager
def demo(folder: Path, database_url: str, *, scale: float) -> Iterator[Demo]:
    """The demo after its first run; its CRM answers until the end of the block."""
    made = prepare(folder, seed=7, scale=scale, database_url=database_url)
    with warnings.catch_warnings():
        # The CRM goes on beside us; stop_crm ends it.
        warnings.simplefilter("ignore", ResourceWarning)
        start_crm(folder)
    try:
        lines = (folder / ".env").read_text("utf-8").splitlines()
        found = Demo(made, dict(line.split("=", 1) for line in lines))
        with found.context() as context:
            assert run(context).status == "done"
        yield found
    finally:
        stop_crm(folder)

"""The command line, called as a person calls it: in this process for speed, or in one of its own where that matters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that a person or a log could have seen."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """The one JSON document on standard output; anything else there is an error."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """The environment without a hub of the developer's own, with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEFOLD_")}
    return kept | variables


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with mock.patch.dict(os.environ, environment(**variables), clear=True):
        yield


def onefold(*arguments: str | Path, environ: Mapping[str, str] | None = None, stdin: str = "") -> Done:
    """`onefold ARGUMENTS` in this process, through the entry point that the script calls; `stdin` is what it can read."""
    from onefold.cli.app import main

    words = ["onefold", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with (
        _environment(environ or {}),
        mock.patch.object(sys, "argv", words),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code: object = 0
        except SystemExit as stop:
            code = stop.code
    return Done(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())


def onefold_process(
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 240,
) -> Done:
    """`onefold ARGUMENTS` in a process of its own, forked from one that has imported everything; by the checkout."""
    from tests.support.ready import programs

    with _environment(environ or {}):
        done = subprocess.run(
            [programs() / "onefold", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    return Done(done.returncode, done.stdout, done.stderr)

"""Errors of the command line: printed for people or, with --json, for machines, and turned into an exit code."""

from __future__ import annotations

import json
import logging
import sys

from onefold import logs
from onefold.failures import describe, exit_code, frames, is_expected

log = logging.getLogger(__name__)


def report_failure(error: Exception) -> int:
    """Print an error to standard error (as JSON with `--json`) and give the exit code."""
    code = exit_code(error)
    if logs.is_json_asked():
        # All of standard error is JSON then; with the keys that `--json` gives.
        trace = None if is_expected(error) else frames(error.__traceback__)
        found = {"error": type(error).__name__, "exit_code": code, "frames": trace}
        logs.tell(log, logging.ERROR, "command.failed", describe(error), **found)
        return code
    if "--json" in sys.argv:
        problem = {"error": type(error).__name__, "message": describe(error), "exit_code": code}
        sys.stderr.write(json.dumps(problem, ensure_ascii=False) + "\n")
        return code
    if not is_expected(error):
        # Frames only: an exception's arguments or locals could hold client data.
        sys.stderr.write(frames(error.__traceback__))
        sys.stderr.write("This is a fault in Onefold, not in your configuration. Please report the lines above.\n")
    sys.stderr.write(f"error: {describe(error)}\n")
    return code

"""Links documents in a process of its own, so that its memory is its own: `documents.py` runs it.

The folder of the configuration comes as the argument, the database's URL in the environment. What a publish writes
before it comes to documents is taken for written in that publish: `onefold.steps.publish` passes the number of the last
change event before it in the same way.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps import link_documents

STEPS = {
    "with_registers": "read",
    "columns_of": "laid out in columns",
    "_store_places": "places stored, beside what follows",
    "weigh_documents": "pairs found and weighed",
    "link_weighed": "events, payments and cases",
    "instalments": "sums",
    "store_links": "links stored, beside what follows",
    "events_of": "what counts",
    "store_events": "events stored",
    "store_first_events": "events stored",
}
"""Functions of the step, and what they do; in the order in which they come."""


def main() -> None:
    """Link, and print what was done and how long it and its steps took."""
    folder = Path(sys.argv[1])
    settings = Settings.from_environment(os.environ, {"config": folder, "home": folder.parent / "home"})
    taken: dict[str, float] = {}
    for name, step in STEPS.items():
        place = link_documents if hasattr(link_documents, name) else link_documents.stored
        setattr(place, name, _timed(getattr(place, name), step, taken))
    with open_context(settings) as context, context.connection("benchmark") as conn:
        started = time.perf_counter()
        done = link_documents.link_documents(context, conn, after=0)
        seconds = round(time.perf_counter() - started, 3)
    steps = {step: round(taken[step], 1) for step in STEPS.values() if step in taken}
    print(json.dumps(asdict(done) | {"seconds": seconds, "steps": steps}))


def _timed(function: Callable[..., Any], step: str, taken: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            taken[step] = taken.get(step, 0.0) + time.perf_counter() - started

    return timed


if __name__ == "__main__":
    main()

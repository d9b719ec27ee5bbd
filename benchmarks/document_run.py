"""Publishes facts for the first time in a process of its own, so that its memory is its own: `documents.py` runs it.

The folder of the configuration comes as the first argument, the database's URL in the environment. The second one is
`linked`, or `plain`: then documents are not linked, as if there were no types of them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from identity.documents.schema import EVENT
from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps import link_documents, publish
from onefold.steps.document_work import Linked
from warehouse import derived_facts, facts

STEPS: dict[str, tuple[Any, str]] = {
    "_unpublished": (link_documents, "documents read, while the server finds whose they are"),
    "derive": (derived_facts, "chains, reversals and rates found, beside what follows"),
    "columns_of": (link_documents, "laid out in columns"),
    "_store_places": (link_documents, "places stored, beside what follows"),
    "weigh_documents": (link_documents, "pairs found and weighed"),
    "link_weighed": (link_documents, "events, payments and cases"),
    "instalments": (link_documents, "sums"),
    "_store_links": (link_documents, "links stored, beside what follows"),
    "events_of_links": (link_documents, "what counts"),
    "_write_first": (facts, "facts written, with their events"),
}
"""Functions of the step with their modules, and what they do; in the order in which they come."""


def main() -> None:
    """Publish, and print what was done and how long it and its steps took."""
    folder = Path(sys.argv[1])
    settings = Settings.from_environment(os.environ, {"config": folder, "home": folder.parent / "home"})
    taken: dict[str, float] = {}
    for name, (module, step) in STEPS.items():
        setattr(module, name, _timed(getattr(module, name), step, taken))
    if sys.argv[2] == "plain":
        publish.first_links = _no_links  # type: ignore[assignment]
        publish.link_documents = lambda *_, **__: Linked()  # type: ignore[assignment]
    with open_context(settings) as context:
        done = publish._publish(context, is_read=True, limited=True)
    steps = {step: round(taken[step], 1) for _, step in STEPS.values() if step in taken}
    print(json.dumps({"documents": done.documents_linked, "seconds": done.seconds, "steps": steps}))


@contextmanager
def _no_links(*_: Any) -> Iterator[facts.EventsOf]:
    def events_of(_: pa.Table, meanwhile: Callable[[], None]) -> pa.Table:
        meanwhile()
        return EVENT.empty_table()

    yield events_of


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

"""In what order the files of a stream are read, where a later one has the last word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.errors import SourceDataError
from connectors.files import datev
from connectors.files.commerceml import formed_at
from connectors.files.enterprisedata import message_order
from connectors.files.find import Fingerprint
from connectors.files.periods import scope_ahead
from connectors.files.settings import FileOptions, Replaces

log = logging.getLogger(__name__)


def in_order(now: dict[str, Fingerprint], files: dict[str, Path], options: FileOptions) -> dict[str, Fingerprint]:
    """The files by what they say of themselves, else by name: messages by sender and number, CommerceML and DATEV
    exports by the time they were made. One that cannot be read stands first, so that its error stops what is newer.
    """
    told: Callable[[Path, FileOptions], Any]
    if options.format == "enterprisedata":
        told = message_order
    elif options.format == "commerceml":
        told = formed_at
    elif options.preset == "datev":
        told = _written
    else:
        return now
    return dict(sorted(now.items(), key=lambda item: (told(files[item[0]], options), item[0])))


def _written(path: Path, options: FileOptions) -> str:
    try:
        return datev.read_metadata(path, options).created
    except SourceDataError:
        return ""


def to_read(
    now: dict[str, Fingerprint], changed: list[str], files: dict[str, Path], options: FileOptions
) -> tuple[list[str], list[str]]:
    """Of files in their order with some changed: those to read, and those that later ones make needless.

    What stands behind a changed file is read again, because a later file has the last word; where it is known ahead
    which periods files restate, only what overlaps.
    """
    if not changed:
        return [], []
    order = list(now)
    scopes = {name: scope_ahead(files[name], options) for name in order} if isinstance(options.mode, Replaces) else {}
    if not scopes or None in scopes.values():
        return order[order.index(changed[0]) :], []
    known: dict[str, Any] = scopes
    needless = [
        name
        for place, name in enumerate(order)
        if any(known[later].covers(known[name]) for later in order[place + 1 :])
    ]
    for name in set(needless) & set(changed):
        log.info("%s is not read: a later file restates its whole period", name)
    wanted: list[str] = []
    for name in order:
        if name in needless:
            continue
        if name in changed or any(known[earlier].overlaps(known[name]) for earlier in wanted):
            wanted.append(name)
    return wanted, [name for name in needless if name in changed]

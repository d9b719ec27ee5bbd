"""In what order the files of a stream are read: by what they say of themselves, else by name."""

from __future__ import annotations

from pathlib import Path

from connectors.files.enterprisedata import message_order
from connectors.files.find import Fingerprint
from connectors.files.settings import FileOptions


def in_order(now: dict[str, Fingerprint], files: dict[str, Path], options: FileOptions) -> dict[str, Fingerprint]:
    """The files whose later ones have the last word: messages by sender and number, all others by name."""
    if options.format != "enterprisedata":
        return now
    return dict(sorted(now.items(), key=lambda item: (message_order(files[item[0]], options), item[0])))

"""A source's YAML as Onefold writes it: a ready mapping, or guesses with their reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from connectors.manifest import Manifest
    from connectors.page import StreamInfo
    from onefold.configuration.proposals import Proposal

_CYRILLIC: Final = re.compile("[А-Яа-яЁё]")


def source_yaml(
    name: str,
    connector: str,
    values: Mapping[str, Any],
    streams: Sequence[StreamInfo],
    proposals: Mapping[str, Proposal],
    known: Manifest | None = None,
    *,
    title: str | None = None,
    defaults: Mapping[str, str] | None = None,
) -> str:
    """The source's file: the ready mapping of a known system, else guesses with the reason beside each.

    `title` and `defaults` are written where no known system says its own.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    document = CommentedMap()
    document["source"] = name
    known_title = known.title if known else None
    document["title"] = CommentedMap(known_title) if isinstance(known_title, Mapping) else known_title or title or name
    document["department"] = (known.department if known else None) or "sales"
    document.yaml_add_eol_comment("whose register it is: please set", "department")
    document["connector"] = connector
    document["settings"] = CommentedMap(values)
    if known and known.defaults:
        document["defaults"] = CommentedMap(known.defaults)
    elif defaults:
        document["defaults"] = CommentedMap(defaults)
        document.yaml_add_eol_comment("guessed from the values: for phones and addresses without a country", "defaults")
    elif any(_CYRILLIC.search(field.path) for info in streams for field in info.fields):
        document["defaults"] = CommentedMap(country="RU", timezone="Europe/Moscow", currency="RUB", language="ru")
        document.yaml_add_eol_comment("guessed from the field names: for phones, dates and amounts", "defaults")
    document["trust"] = 50
    document.yaml_add_eol_comment("0..100: whose word wins when registers differ", "trust")
    document["schedule"] = "0 * * * *"
    made = CommentedMap()
    for info in streams:
        if info.name not in proposals:
            made[info.name] = CommentedMap(_ready(info))
            continue
        proposal = proposals[info.name]
        stream = CommentedMap(proposal.as_config())
        if "fields" in stream:
            fields = CommentedMap(stream["fields"])
            for guess in proposal.guesses:
                if guess.attribute in fields:
                    # A header may be broken into lines, and a comment ends with its line.
                    fields.yaml_add_eol_comment(" ".join(guess.because.split()), guess.attribute)
            stream["fields"] = fields
        made[info.name] = stream
    document["streams"] = made
    yaml = YAML()
    yaml.width = 120
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _ready(info: StreamInfo) -> dict[str, Any]:
    """The shipped mapping of a stream, in plain values; without one, the stream is landed and feeds others."""
    from copy import deepcopy

    titled = {"title": deepcopy(info.title)} if info.title and "title" not in info.mapping else {}
    return {**titled, **deepcopy(dict(info.mapping))}

"""What concerns.yaml and the guards of segments.yaml say of the other files."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.configuration.crosscheck_needs import Path, detail_fields
from onefold.configuration.errors import Problem
from onefold.configuration.model import Configuration
from onefold.nearest import did_you_mean


def check_concerns(configuration: Configuration) -> Iterator[Problem]:
    """Types, registers, fields of detail and attributes that must exist, and shipped concerns by their names."""
    # An empty file says nothing that could be wrong.
    if configuration.concerns is not None and "concerns.yaml" in configuration.documents:
        yield from _concerns(configuration)
    yield from _guards(configuration)


def _concerns(configuration: Configuration) -> Iterator[Problem]:
    from onefold.configuration.shipped import shipped_concerns

    file, document = configuration.concerns, configuration.documents["concerns.yaml"]
    assert file is not None
    shipped = shipped_concerns()
    for name in file.shipped if isinstance(file.shipped, list) else ():
        if name not in shipped:
            message = f"`{name}` is no concern that comes with Onefold."
            yield document.problem(("shipped",), message, did_you_mean(name, shipped, limit=9))
    for name, concern in file.concerns.items():
        at: Path = ("concerns", name)
        yield from _types(configuration, "concerns.yaml", (*at, "types"), concern.types)
        yield from _types(configuration, "concerns.yaml", (*at, "contact_pressure"), concern.contact_pressure or [])
        for where, wanted, _ in concern.looked_at():
            for one in wanted:
                path: Path = (*at, *where.split("."))
                yield from _types(configuration, "concerns.yaml", path, one.types)
                if one.source is not None and one.source not in configuration.sources:
                    message = f"There is no source `{one.source}`."
                    yield document.problem(path, message, did_you_mean(one.source, configuration.sources))
                fields = detail_fields(configuration, one.types)
                for looked in one.when:
                    field = looked.split(".")[1] if looked.startswith("detail.") else None
                    if field is not None and field not in fields:
                        message = f"No interaction of {', '.join(one.types)} has `{field}` in its detail."
                        yield document.problem(path, message, did_you_mean(field, fields))


def _guards(configuration: Configuration) -> Iterator[Problem]:
    guards = configuration.segments.guards
    if "segments.yaml" not in configuration.documents:
        return
    document = configuration.documents["segments.yaml"]
    for name in guards.bans:
        if name not in configuration.attributes:
            message = f"`{name}` is no known attribute."
            yield document.problem(("guards", "bans", name), message, did_you_mean(name, configuration.attributes))
    if guards.pressure is not None:
        yield from _types(configuration, "segments.yaml", ("guards", "pressure", "types"), guards.pressure.types)
    for one in guards.open_complaint:
        yield from _types(configuration, "segments.yaml", ("guards", "open_complaint"), one.types)


def _types(configuration: Configuration, file: str, path: Path, types: list[str]) -> Iterator[Problem]:
    known = configuration.interaction_types
    for type_ in types:
        if type_ not in known:
            message = f"`{type_}` is no known interaction type."
            yield configuration.documents[file].problem(path, message, did_you_mean(type_, known))

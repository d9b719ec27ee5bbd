"""What needs.yaml and segments.yaml say of the other files, and of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onefold.configuration.errors import Problem
from onefold.configuration.model import Configuration
from onefold.nearest import did_you_mean

Path = tuple[str | int, ...]


def check_needs(configuration: Configuration) -> Iterator[Problem]:
    """Types, fields of detail and needs that must exist."""
    yield from _signals(configuration)
    yield from _schemes(configuration)
    yield from _outcomes(configuration)


def _signals(configuration: Configuration) -> Iterator[Problem]:
    for code, need in configuration.needs.needs.items():
        document = configuration.documents["needs.yaml"]
        for name, signal in need.signals.items():
            at: Path = ("needs", code, "signals", name)
            known = configuration.interaction_types
            for type_ in signal.types:
                if type_ not in known:
                    message = f"`{type_}` is no known interaction type."
                    yield document.problem((*at, "types"), message, did_you_mean(type_, known))
            fields = detail_fields(configuration, signal.types)
            looked: list[tuple[Path, str]] = [(("when", path), path) for path in signal.when]
            looked += [(("in",), path) for path in (signal.look_in if signal.words else ())]
            for where, path in looked:
                field = path.split(".")[1] if path.startswith("detail.") else None
                if field is not None and field not in fields:
                    message = f"No interaction of {', '.join(signal.types)} has `{field}` in its detail."
                    yield document.problem((*at, *where), message, did_you_mean(field, fields), key=len(where) > 1)


def detail_fields(configuration: Configuration, types: Sequence[str]) -> list[str]:
    """Fields of detail that the registry names for these types, or that a stream maps."""
    found = {field for type_ in types if type_ in configuration.interaction_types
             for field in configuration.interaction_types[type_].detail}  # fmt: skip
    for source in configuration.sources.values():
        for stream in source.streams.values():
            if set(stream.type_codes) & set(types):
                found.update(stream.detail or {})
    return sorted(found)


def _schemes(configuration: Configuration) -> Iterator[Problem]:
    known = configuration.needs.needs
    for name, scheme in configuration.segments.schemes.items():
        document = configuration.documents["segments.yaml"]
        for code, segment in scheme.segments.items():
            for need in segment.needs:
                if need not in known:
                    path: Path = ("schemes", name, "segments", code, "needs")
                    hint = did_you_mean(need, known) if known else "Write it into needs.yaml."
                    yield document.problem(path, f"`{need}` is no need of needs.yaml.", hint)


def _outcomes(configuration: Configuration) -> Iterator[Problem]:
    known = configuration.interaction_types
    for name, outcome in configuration.segments.mirror.outcomes.items():
        document = configuration.documents["segments.yaml"]
        at: Path = ("mirror", "outcomes", name)
        for key, types in (("types", outcome.types), ("until", outcome.until)):
            for type_ in types:
                if type_ not in known:
                    yield document.problem(
                        (*at, key), f"`{type_}` is no known interaction type.", did_you_mean(type_, known)
                    )
        fields = detail_fields(configuration, outcome.types)
        for path in outcome.when:
            field = path.split(".")[1] if path.startswith("detail.") else None
            if field is not None and field not in fields:
                message = f"No interaction of {', '.join(outcome.types)} has `{field}` in its detail."
                yield document.problem((*at, "when", path), message, did_you_mean(field, fields), key=True)

"""Reads a configuration folder. Every mistake of every file is collected before anything is said."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from onefold.configuration.attributes import AttributesFile
from onefold.configuration.concerns import ConcernsFile
from onefold.configuration.crosscheck import cross_check
from onefold.configuration.errors import ConfigurationError, Problem
from onefold.configuration.hub import HubConfiguration
from onefold.configuration.interactions import InteractionsFile
from onefold.configuration.metrics import MetricsFile
from onefold.configuration.model import Configuration
from onefold.configuration.needs import NeedsFile
from onefold.configuration.records import AuthorityFile, ExpectationsFile
from onefold.configuration.segments import SegmentsFile
from onefold.configuration.shipped import shipped_interactions
from onefold.configuration.sources import SourceConfiguration
from onefold.configuration.tree import Document, parse
from onefold.configuration.validate import salvage, validate

Model = TypeVar("Model", bound=BaseModel)

FILES: Final = (
    "hub.yaml", "matching.yaml", "survivorship.yaml", "attributes.yaml", "authority.yaml",
    "interactions.yaml", "documents.yaml", "expectations.yaml", "needs.yaml", "segments.yaml",
    "metrics.yaml", "concerns.yaml",
)  # fmt: skip
"""The files beside sources/; each may be absent."""


_MODELS: Final = {
    "matching": ("identity.settings", "MatchingSettings"),
    "survivorship": ("identity.survive.settings", "SurvivorshipSettings"),
    "documents": ("identity.documents.settings", "DocumentSettings"),
}


@dataclass
class Reading:
    """What was read of a folder so far, and what is wrong with it."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    sources: dict[str, SourceConfiguration] = field(default_factory=dict)
    streams: dict[str, list[str]] = field(default_factory=dict)
    """Stream names of every source that has a readable name, also of those with mistakes elsewhere."""


def load_configuration(folder: Path) -> Configuration:
    """The folder's configuration. Raises ConfigurationError with every problem of every file."""
    configuration, problems = read_configuration(folder)
    if problems or configuration is None:
        raise ConfigurationError(problems)
    return configuration


def read_configuration(folder: Path) -> tuple[Configuration | None, list[Problem]]:
    """What could be read, and the problems; without a problem the configuration is there and whole."""
    reading = Reading(folder)
    if not folder.is_dir():
        hint = "`onefold init DIR` writes a commented starter."
        return None, [Problem(str(folder), 1, 1, "There is no such folder.", hint)]
    _read_sources(reading)
    hub = _read(reading, "hub.yaml", HubConfiguration)
    attributes = _read(reading, "attributes.yaml", AttributesFile)
    own_types = _read(reading, "interactions.yaml", InteractionsFile)
    authority = _read(reading, "authority.yaml", AuthorityFile)
    expectations = _read(reading, "expectations.yaml", ExpectationsFile)
    needs = _read(reading, "needs.yaml", NeedsFile)
    segments = _read(reading, "segments.yaml", SegmentsFile)
    own_metrics = _read(reading, "metrics.yaml", MetricsFile)
    concerns = None
    if (folder / "concerns.yaml").is_file():
        concerns = _read(reading, "concerns.yaml", ConcernsFile)
    matching = _read(reading, "matching.yaml", settings_model("matching"))
    document_rules = _read(reading, "documents.yaml", settings_model("documents"))
    # Its model comes with Arrow, which a sync must not load: without the file, it is made when asked for.
    own_survivorship = None
    if (folder / "survivorship.yaml").is_file():
        own_survivorship = _read(reading, "survivorship.yaml", settings_model("survivorship"))
    configuration = Configuration(
        folder=folder,
        hub=hub,
        sources=dict(sorted(reading.sources.items())),
        attributes=attributes.all(),
        open_attributes=attributes.attributes,
        interaction_types={**shipped_interactions(), **own_types.interactions},
        matching=matching.at_grain(hub.grain),  # type: ignore[attr-defined]
        own_survivorship=own_survivorship,  # type: ignore[arg-type]
        document_rules=document_rules,  # type: ignore[arg-type]
        authority=tuple(authority.authority),
        expectations=expectations,
        needs=needs,
        segments=segments,
        own_metrics=own_metrics,
        concerns=concerns,
        documents=reading.documents,
    )
    reading.problems.extend(cross_check(configuration, reading.streams))
    return configuration, reading.problems


def source_files(folder: Path) -> list[Path]:
    """The YAML files of `sources/`, by name."""
    return sorted(
        path for path in (folder / "sources").glob("*") if path.suffix in (".yaml", ".yml") and path.is_file()
    )


def settings_model(name: str) -> type[BaseModel]:
    """identity's model of `matching` or `survivorship`.

    Imported only here, as reading needs nothing heavier.
    """
    module, model = _MODELS[name]
    found: type[BaseModel] = getattr(importlib.import_module(module), model)
    return found


def relative(folder: Path, path: Path) -> str:
    """A file as messages name it: from the folder that holds the configuration folder."""
    return path.relative_to(folder.parent).as_posix() if folder.name else path.as_posix()


def _read_sources(reading: Reading) -> None:
    paths = source_files(reading.folder)
    if not paths:
        file = f"{reading.folder.name}/sources"
        hint = "`onefold source add NAME --connector files` writes one."
        reading.problems.append(Problem(file, 1, 1, "There is no source: no *.yaml file stands here.", hint))
    for path in paths:
        for document in _documents(reading, path):
            name = document.data.get("source") if isinstance(document.data, dict) else None
            if isinstance(name, str):
                if name in reading.documents:
                    first = reading.documents[name]
                    where = f"{first.file}:{first.key_place(('source',))[0]}"
                    message = f"The source `{name}` is configured twice; the first stands in {where}."
                    reading.problems.append(document.problem(("source",), message))
                    continue
                reading.documents[name] = document
                streams = document.data.get("streams")
                reading.streams[name] = list(streams) if isinstance(streams, dict) else []
            model, problems = validate(document, SourceConfiguration)
            reading.problems.extend(problems)
            if model is None:
                model = salvage(document, SourceConfiguration)
            if model is not None:
                reading.sources[model.source] = model


def _read(reading: Reading, name: str, model: type[Model]) -> Model:
    """One file, or its defaults when it is absent or holds mistakes (which are noted)."""
    path = reading.folder / name
    if path.is_file():
        documents = list(_documents(reading, path))
        for extra in documents[1:]:
            reading.problems.append(extra.problem((), f"{name} holds one document; `---` begins a second here."))
        if documents:
            reading.documents[name] = documents[0]
            found, problems = validate(documents[0], model)
            reading.problems.extend(problems)
            if found is not None:
                return found
    return model.model_validate({})


def _documents(reading: Reading, path: Path) -> Iterator[Document]:
    file = relative(reading.folder, path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reading.problems.append(Problem(file, 1, 1, f"The file cannot be read: {error.strerror}."))
        return
    documents, problems = parse(raw, file)
    reading.problems.extend(problems)
    yield from documents

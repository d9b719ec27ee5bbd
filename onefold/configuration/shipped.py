"""The definitions that come with Onefold, where those of a configuration stand beside or above them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

from pydantic import BaseModel

from onefold.configuration.concerns import Concern, ConcernsFile
from onefold.configuration.errors import ConfigurationError
from onefold.configuration.interactions import InteractionsFile, InteractionType
from onefold.configuration.metrics import MetricsFile
from onefold.configuration.mirror import Mirror, Outcome
from onefold.configuration.tree import parse
from onefold.configuration.validate import validate

Model = TypeVar("Model", bound=BaseModel)


@cache
def shipped_interactions() -> Mapping[str, InteractionType]:
    """The interaction types that come with Onefold."""
    return _read("interactions.yaml", InteractionsFile).interactions


@cache
def shipped_concerns() -> Mapping[str, Concern]:
    """The concerns that come with Onefold."""
    return _read("concerns.yaml", ConcernsFile).concerns


@cache
def shipped_metrics() -> MetricsFile:
    """The metrics that come with Onefold."""
    return _read("metrics.yaml", MetricsFile)


@cache
def shipped_outcomes() -> Mapping[str, Outcome]:
    """What the mirror compares without a word in segments.yaml."""
    return _read("mirror.yaml", Mirror).outcomes


@cache
def shipped_text(name: str) -> str:
    """A shipped file as it is: read and not parsed, for who asks only whether it is another."""
    return files("onefold.configuration").joinpath("data", name).read_text("utf-8")


def _read(name: str, model: type[Model]) -> Model:
    documents, problems = parse(shipped_text(name).encode(), name)
    found, more = validate(documents[0], model)
    if found is None:
        raise ConfigurationError([*problems, *more])
    return found

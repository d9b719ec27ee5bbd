"""The definitions that come with Onefold, where those of a configuration stand beside or above them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from onefold.configuration.errors import ConfigurationError
from onefold.configuration.metrics import MetricsFile
from onefold.configuration.tree import parse
from onefold.configuration.validate import validate


@cache
def shipped_metrics() -> MetricsFile:
    """The metrics that come with Onefold."""
    path = files("onefold.configuration").joinpath("data", "metrics.yaml")
    documents, problems = parse(path.read_bytes(), "metrics.yaml")
    model, more = validate(documents[0], MetricsFile)
    if model is None:
        raise ConfigurationError([*problems, *more])
    return model

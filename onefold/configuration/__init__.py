"""The configuration folder: YAML read into frozen models, every mistake told with its place."""

from onefold.configuration.errors import ConfigurationError, Problem, SecretMissing
from onefold.configuration.load import load_configuration, read_configuration
from onefold.configuration.model import Configuration
from onefold.configuration.secrets import environment, resolve_secrets
from onefold.configuration.sources import SourceConfiguration, StreamConfiguration

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Problem",
    "SecretMissing",
    "SourceConfiguration",
    "StreamConfiguration",
    "environment",
    "load_configuration",
    "read_configuration",
    "resolve_secrets",
]

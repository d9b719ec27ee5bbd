"""Connector classes of the manifests that packages ship: their settings are the manifest's parameters by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, create_model

from connectors.manifest import Parameter, RestSettings, in_english
from connectors.manifest_file import load_manifest
from connectors.rest.connector import RestConnector
from connectors.settings import ConnectorSettings, validated


def manifest_connector(path: Path) -> type[RestConnector]:
    """A connector class for a manifest that a package ships; register it under the group
    `onefold.connectors`.

    Its settings are the manifest's parameters by name, `base_url`, and nothing else.
    """
    manifest = load_manifest(path, path.stem)
    options = "Options of configured streams, so that `check` and `discover` know them."
    fields: dict[str, Any] = {
        "base_url": (str | None, Field(None, description="Instead of the manifest's.")),
        "streams": (dict[str, dict[str, Any]], Field(default_factory=dict, description=options)),
    }
    for name, parameter in manifest.parameters.items():
        kind: Any = SecretStr if parameter.is_secret else str
        default: Any = ... if parameter.default is None else kind(parameter.default)
        if parameter.is_optional and parameter.default is None:
            kind, default = kind | None, None
        fields[name] = (kind, Field(default, description=_about(parameter)))
    model = create_model(f"{path.stem.title()}Settings", __base__=ConnectorSettings, **fields)

    class ManifestConnector(RestConnector):
        settings_model = model
        shipped = manifest

        def _settings(self, settings: Any) -> RestSettings:
            given = validated(model, settings, source=self.source)
            values = {name: getattr(given, name) for name in manifest.parameters if getattr(given, name) is not None}
            streams = getattr(given, "streams", {})
            base_url = getattr(given, "base_url", None)
            return RestSettings(manifest=manifest, base_url=base_url, parameters=values, streams=streams)

    ManifestConnector.__name__ = ManifestConnector.__qualname__ = f"{path.stem.title()}Connector"
    ManifestConnector.__doc__ = in_english(manifest.title) or path.stem
    return ManifestConnector


def _about(parameter: Parameter) -> str | None:
    """What a parameter is, in one line."""
    texts = (in_english(parameter.title), in_english(parameter.description))
    return ". ".join(text.rstrip(".") for text in texts if text) or None

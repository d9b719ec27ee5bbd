"""Manifests in YAML files; one may extend another beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.errors import SourceConfigurationError
from connectors.manifest import Manifest
from connectors.settings import validated


def load_manifest(path: Path, source: str) -> Manifest:
    """The manifest in a YAML file. Raises SourceConfigurationError with the line of what cannot be read."""
    values = read_manifest(path, source)
    base = values.pop("extends", None)
    if base is not None:
        below = read_manifest(path.with_name(f"{base}.yaml"), source)
        if "extends" in below:
            message = f"`extends: {base}` names a manifest that extends another itself"
            raise SourceConfigurationError(message, source=source, place=path.name)
        values = _laid_over(below, values)
    return validated(Manifest, values, source=source)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One manifest over another; a stream that is null there goes, other streams keep the members not named."""
    streams = dict(below.get("streams") or {})
    for name, stream in (above.get("streams") or {}).items():
        streams[name] = None if stream is None else {**(streams.get(name) or {}), **stream}
    kept = {name: stream for name, stream in streams.items() if stream is not None}
    return {**below, **above, "streams": kept}


def read_manifest(path: Path, source: str) -> dict[str, Any]:
    """What a manifest's file says, not yet checked. Raises SourceConfigurationError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        values: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceConfigurationError(
            f"the manifest cannot be read ({error.strerror})", source=source, place=path.name
        ) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SourceConfigurationError(
            f"not YAML: {error.problem}", source=source, place=f"{path.name}:{line}"
        ) from None
    except (YAMLError, UnicodeDecodeError):
        raise SourceConfigurationError("not YAML", source=source, place=path.name) from None
    if not isinstance(values, Mapping):
        raise SourceConfigurationError("the manifest is empty", source=source, place=path.name)
    return dict(values)

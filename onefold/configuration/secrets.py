"""`${NAME}` in a source's settings: named in YAML, resolved only when a source is opened, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from onefold.configuration.errors import SecretMissing

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MALFORMED: Final = re.compile(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})")
"""A reference that is not closed or holds something other than a name."""


def resolve_secrets(settings: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Settings with every `${NAME}` replaced from `environ`.

    Raises SecretMissing, which names all that are absent.
    """
    missing = sorted({name for name in secret_names(settings) if name not in environ})
    if missing:
        raise SecretMissing(missing)

    def resolved(value: Any) -> Any:
        if isinstance(value, str):
            return _REFERENCE.sub(lambda found: environ[found[1]], value)
        if isinstance(value, Mapping):
            return {key: resolved(one) for key, one in value.items()}
        return [resolved(one) for one in value] if isinstance(value, list | tuple) else value

    return {key: resolved(value) for key, value in settings.items()}


def secret_names(value: Any) -> Iterator[str]:
    """Every name that `${NAME}` stands for anywhere in a value."""
    if isinstance(value, str):
        for found in _REFERENCE.finditer(value):
            yield found[1]
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from secret_names(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from secret_names(one)


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines of a .env file ('#' comments, optional quotes and `export`).

    An absent file gives nothing.
    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$", line)
        if match is None:
            continue
        value = match[2]
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = re.sub(r"\s+#.*$", "", value)
        found[match[1]] = value
    return found


def environment(config: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` completed from the .env file beside the configuration folder.

    The process's own values win.
    """
    return {**read_env_file(config.resolve().parent / ".env"), **environ}

"""What the settings of every connector share."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from connectors.errors import SourceConfigurationError
from connectors.times import as_duration

Duration = Annotated[
    timedelta,
    BeforeValidator(as_duration),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m|min|h|d|w)?$"}]}
    ),
]
"""Seconds, or a text such as 90s, 5m, 2h, 7d."""

M = TypeVar("M", bound=BaseModel)


class Settings(BaseModel):
    """Unknown names are mistakes; a mistake's message never shows the value, which may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ConnectorSettings(Settings):
    """Settings of a source, without its streams' options."""

    base_dir: Path | None = None
    """Where relative paths start; given by Onefold: the folder of the configuration."""


def validated(model: type[M], values: Any, *, source: str, stream: str | None = None) -> M:
    """`values` as `model`. Raises SourceConfigurationError that names each mistake, without the values."""
    if isinstance(values, model):
        return values
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(explain(error))
        raise SourceConfigurationError(f"the settings do not fit: {problems}", source=source, stream=stream) from None


def explain(error: ValidationError) -> list[str]:
    """One sentence per mistake: `auth.token: Field required`."""
    return [
        f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]

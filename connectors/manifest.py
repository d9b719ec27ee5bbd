"""The manifest: a system described by a small closed set of parts. Unknown names are mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, model_validator

from connectors.auth import Auth, NoAuth
from connectors.errors import SourceConfigurationError
from connectors.limits import Limits
from connectors.paging import NoPaging, Paging
from connectors.paths import compile_path
from connectors.settings import Duration, Settings, validated
from connectors.templates import names_in


def _checked_path(text: str) -> str:
    compile_path(text)
    return text


FieldPath = Annotated[str, BeforeValidator(lambda value: _checked_path(value) if isinstance(value, str) else value)]


class ErrorRule(Settings):
    """An error that hides in an answer: something stands at `path` (and equals one of `equals`, if given)."""

    path: FieldPath
    equals: tuple[str, ...] = ()
    status: tuple[int, ...] = Field(default=(), description="Only in answers with these statuses; any if not given.")
    then: Literal["retry", "fail", "credentials"] = "fail"
    message: FieldPath | None = Field(default=None, description="Path of the source's own words.")


class Changes(Settings):
    """How to ask for what changed since."""

    param: str | None = Field(default=None, description="Or use {since} and {until} in params, headers or body.")
    into: Literal["query", "header", "body"] = "query"
    template: str = Field(default="{since}", description="Such as `updated>={since}`.")
    until_param: str | None = None
    format: str = Field(
        default="iso",
        description="iso | epoch | epoch_ms | date | sql | http | odata, or a strftime pattern with %.",
    )
    lookback: Duration = Field(
        default=timedelta(minutes=5), description="Read again what changed this long before the last read."
    )

    @model_validator(mode="after")
    def _known_format(self) -> Changes:
        if self.format not in FORMATS and "%" not in self.format:
            raise ValueError(f"format is one of {', '.join(FORMATS)} or a pattern with %")
        return self


FORMATS = ("iso", "epoch", "epoch_ms", "date", "sql", "http", "odata")


class FlagDeletes(Settings):
    """A field of the record says that it is deleted."""

    kind: Literal["flag"] = "flag"
    path: FieldPath
    equals: tuple[str, ...] = ("true", "1")


class SweepDeletes(Settings):
    """Everything is read; what did not show is deleted. With `every`, only when that long has passed."""

    kind: Literal["sweep"] = "sweep"
    every: Duration = timedelta(0)


def _listed(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple({"kind": item} if isinstance(item, str) else item for item in items if item not in ("none", None))


Deletes = Annotated[
    tuple[Annotated[FlagDeletes | SweepDeletes, Field(discriminator="kind")], ...], BeforeValidator(_listed)
]


class Stream(Settings):
    """One kind of record and how it is asked for."""

    path: str = Field(description="Below `base_url`.")
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any] | list[Any] | None = None
    records: FieldPath | None = Field(
        default=None, description="Path of the records in the answer; the answer itself if not given."
    )
    key: FieldPath | tuple[FieldPath, ...] | None = Field(
        default=None, validation_alias=AliasChoices("key", "primary_key")
    )
    updated_at: FieldPath | None = None
    volatile: tuple[FieldPath, ...] = ()
    paging: Paging = Field(default_factory=NoPaging)
    changes: Changes | None = None
    deletes: Deletes = ()
    weight: float = Field(default=1, gt=0, description="What one request costs of the budgets.")
    title: str | None = None
    mapping: dict[str, Any] = Field(default_factory=dict, description="The ready mapping, read by Onefold.")

    @property
    def flag(self) -> FlagDeletes | None:
        """The rule for flagged records."""
        return next((rule for rule in self.deletes if isinstance(rule, FlagDeletes)), None)

    @property
    def sweep(self) -> SweepDeletes | None:
        """The rule for sweeps."""
        return next((rule for rule in self.deletes if isinstance(rule, SweepDeletes)), None)


class Parameter(Settings):
    """A value that the user of the manifest gives, used as {name}."""

    title: str | None = None
    default: str | None = None
    is_secret: bool = Field(default=False, alias="secret")


class Manifest(Settings):
    """A system: where it is, how it is asked, what it offers."""

    title: str | None = None
    base_url: str
    auth: Auth = Field(default_factory=NoAuth)
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    limits: Limits = Limits()
    errors: tuple[ErrorRule, ...] = ()
    check: str | None = Field(
        default=None, description="Path that answers when all is well; the first stream if not given."
    )
    streams: dict[str, Stream] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_names(self) -> Manifest:
        known = {*self.parameters, "since", "until", "offset", "page", "cursor", "after", "limit"}
        known |= set(self.auth.path_values({})) if not self._needs_parameters() else {getattr(self.auth, "name", "")}
        for place, text in self._templates():
            for name in names_in(text):
                if name not in known:
                    raise ValueError(f"{place} uses {{{name}}}, which is not among `parameters`")
        return self

    def _needs_parameters(self) -> bool:
        return any(True for secret in self.auth.secrets() for _ in names_in(secret.get_secret_value()))

    def _templates(self) -> Iterator[tuple[str, Any]]:
        yield "base_url", self.base_url
        yield "headers", self.headers
        yield "params", self.params
        for name, stream in self.streams.items():
            for part in ("path", "params", "headers", "body"):
                yield f"streams.{name}.{part}", getattr(stream, part)


class RestSettings(Settings):
    """A source described by a manifest, inline or in a file of its own."""

    base_dir: Path | None = None
    manifest: Manifest | None = None
    manifest_file: Path | None = None
    base_url: str | None = Field(default=None, description="Instead of the manifest's.")
    parameters: dict[str, SecretStr] = Field(default_factory=dict, description="Values for the manifest's {names}.")

    @model_validator(mode="after")
    def _one_manifest(self) -> RestSettings:
        if (self.manifest is None) == (self.manifest_file is None):
            raise ValueError("give either `manifest` or `manifest_file`")
        return self


def load_manifest(path: Path, source: str) -> Manifest:
    """The manifest in a YAML file. Raises SourceConfigurationError with the line of what cannot be read."""
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
    return validated(Manifest, values, source=source)

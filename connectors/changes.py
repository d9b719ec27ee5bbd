"""How a stream is asked for what changed since: by a filter on times, or by a token that the source hands out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from connectors.paths import FieldPath
from connectors.settings import Duration, Settings

FORMATS = (
    "iso", "iso_ms", "iso_local", "epoch", "epoch_ms", "date", "sql", "http", "odata", "odata_offset", "tryton",
)  # fmt: skip
"""iso: 2026-03-01T09:00:00Z; iso_local, date, sql and odata: in the source's time zone, without an offset."""


class FilterChanges(Settings):
    """A filter on the time of change: as a parameter, or as {since} and {until} anywhere in the request."""

    kind: Literal["filter"] = "filter"
    param: str | None = Field(default=None, description="Or use {since} and {until} in params, headers or body.")
    into: Literal["query", "header", "body"] = "query"
    template: str = Field(default="{since}", description="Such as `updated>={since}`.")
    until_param: str | None = None
    format: str = Field(default="iso", description=f"{' | '.join(FORMATS)}, or a strftime pattern with %.")
    lookback: Duration = Field(
        default=timedelta(minutes=5), description="Read again what changed this long before the last read."
    )
    start: datetime | None = Field(
        default=None, description="What a full read asks since, where the source wants a bound; UTC if naive."
    )
    window: Duration | None = Field(default=None, description="Longest span that one question may cover.")
    cap: int | None = Field(
        default=None, ge=2, description="Most records that one question can bring; at the cap its span is halved."
    )
    verify: bool = Field(
        default=False,
        description="Say so when older records come than were asked for: some accounts ignore the filter.",
    )
    oldest: Duration | None = Field(default=None, description="The source knows changes no older; beyond, read all.")

    @model_validator(mode="after")
    def _fits(self) -> FilterChanges:
        if self.format not in FORMATS and "%" not in self.format:
            raise ValueError(f"format is one of {', '.join(FORMATS)} or a pattern with %")
        return self

    @property
    def start_at(self) -> str | None:
        """`start` as an aware ISO time."""
        if self.start is None:
            return None
        return (self.start if self.start.tzinfo else self.start.replace(tzinfo=UTC)).isoformat()

    @property
    def is_windowed(self) -> bool:
        """A pass is cut into questions, each with its own span of time."""
        return self.window is not None or self.cap is not None


class DeltaChanges(Settings):
    """The last page of a pass holds a link or token with which the next pass asks for what changed since."""

    kind: Literal["delta"]
    link: FieldPath | None = Field(default=None, description="Path of the next pass's address.")
    token: FieldPath | None = Field(default=None, description="Path of a token, sent as `param` or as {delta}.")
    param: str | None = None
    first: dict[str, str] = Field(default_factory=dict, description="Headers that ask for a delta in a full read.")
    expired: tuple[int, ...] = Field(
        default=(410,), description="Statuses that say that the token is too old: everything is read anew."
    )

    @model_validator(mode="after")
    def _one_place(self) -> DeltaChanges:
        if (self.link is None) == (self.token is None):
            raise ValueError("give either `link` or `token`")
        return self


def _kind(value: Any) -> str:
    kind = value.get("kind", "filter") if isinstance(value, dict) else getattr(value, "kind", "filter")
    return str(kind)


def _with_kind(value: Any) -> Any:
    return {"kind": "filter", **value} if isinstance(value, dict) else value


Changes = Annotated[
    Annotated[FilterChanges, Tag("filter")] | Annotated[DeltaChanges, Tag("delta")],
    Discriminator(_kind),
    BeforeValidator(_with_kind),
]

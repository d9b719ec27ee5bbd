"""Settings of a database source and of its streams."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr, model_validator

from connectors.deletes import FlagDeletes
from connectors.settings import ConnectorSettings, Duration, Settings


class SqlOptions(Settings):
    """One stream: a table or a query."""

    table: str | None = Field(
        default=None, description="Table or view, `schema.table` if need be; the stream's name if not given."
    )
    query: str | None = Field(default=None, description="A SELECT instead of a table; it is read as a sub-query.")
    lookback: Duration = Field(
        default=timedelta(minutes=5), description="Read again what changed this long before the last read."
    )
    sweep: bool | Duration = Field(
        default=False,
        description="With `updated_at`: read everything to see deletions, on every run or every so long.",
    )
    deleted: FlagDeletes | None = Field(
        default=None, description="How a row says that its record is gone, such as `{path: is_deleted}`."
    )
    page_size: int = Field(default=5000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _one_of(self) -> SqlOptions:
        if self.table and self.query:
            raise ValueError("give `table` or `query`, not both")
        return self


class SqlSettings(ConnectorSettings):
    """A database and how it is reached."""

    url: SecretStr = Field(description="SQLAlchemy URL, e.g. postgresql+psycopg://user:password@host/database")
    schema_: str | None = Field(
        default=None, alias="schema", description="Where tables stand that are named without a schema."
    )
    connect_timeout: int = Field(15, ge=1, le=300)
    streams: dict[str, SqlOptions] = Field(default_factory=dict)

    def options(self, stream: str, overrides: dict[str, object]) -> SqlOptions:
        """The options of `stream`, with `overrides`. Raises ValidationError."""
        known = self.streams.get(stream)
        return SqlOptions.model_validate((known.model_dump(exclude_unset=True) if known else {}) | overrides)

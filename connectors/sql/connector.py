"""Reads tables, views and queries of a database."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from connectors.canonical import canonical
from connectors.errors import SourceConfigurationError
from connectors.fields import SAMPLE, described
from connectors.page import CheckResult, Page, State, StreamInfo, StreamRequest
from connectors.prefetch import prefetch
from connectors.rows import CONTENT, RowMaker
from connectors.settings import explain, validated
from connectors.sql.engine import make_engine, translate
from connectors.sql.reading import Reading, utc_now
from connectors.sql.relation import Relation, relation, split_name
from connectors.sql.settings import SqlOptions, SqlSettings

_CHANGED = re.compile(r"(?:updated|modified|changed|write|last_modified|modification)_?(?:at|on|date|time|ts)?$", re.I)


class SqlConnector:
    """A database: tables, views and queries, by any SQLAlchemy URL."""

    settings_model: ClassVar[type[SqlSettings]] = SqlSettings

    def __init__(
        self, source: str, settings: SqlSettings | dict[str, Any], *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.source = source
        self.settings = validated(SqlSettings, settings, source=source)
        self._clock = clock
        self._engine = make_engine(self._url(), self.settings.connect_timeout, source)

    def _url(self) -> str:
        url, base = self.settings.url.get_secret_value(), self.settings.base_dir
        found = re.match(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:|[A-Za-z]:)(.+)", url)
        return f"{found[1]}{base / found[2]}" if found and base else url

    def __enter__(self) -> SqlConnector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the database's connections."""
        self._engine.dispose()

    def check(self) -> CheckResult:
        """The database answers, and the configured tables are there."""
        self._require_file()
        try:
            with self._engine.connect() as connection:
                for name, options in self.settings.streams.items():
                    relation(connection, options, StreamRequest(name), self.settings.schema_, self.source)
                names = list(self.settings.streams) or self._tables(connection)
        except SQLAlchemyError as error:
            raise translate(error, self._engine, self.source) from None
        kind = self._engine.dialect.name
        return CheckResult(f"connected to {kind}; {len(names)} table(s) or stream(s)", names)

    def discover(self) -> Sequence[StreamInfo]:
        """Tables and views, or the configured streams, with keys, columns, samples and counts."""
        self._require_file()
        try:
            with self._engine.connect() as connection:
                names = list(self.settings.streams) or self._tables(connection)
                return [self._describe(connection, name) for name in names]
        except SQLAlchemyError as error:
            raise translate(error, self._engine, self.source) from None

    def volumes(self, streams: Sequence[str]) -> Mapping[str, int]:
        """How many rows these tables and queries have."""
        found: dict[str, int] = {}
        with self._engine.connect() as connection:
            for name in streams:
                try:
                    options = self.settings.streams.get(name) or SqlOptions()
                    made = relation(connection, options, StreamRequest(name), self.settings.schema_, self.source)
                    found[name] = _count(connection, made)
                except (SQLAlchemyError, SourceConfigurationError):
                    connection.rollback()
        return found

    def _require_file(self) -> None:
        # SQLite would make an empty database where there is none.
        url = self._engine.url
        if (
            url.get_backend_name() == "sqlite"
            and url.database
            and url.database != ":memory:"
            and "file:" not in url.database
        ):
            from pathlib import Path

            if not Path(url.database).is_file():
                raise SourceConfigurationError(
                    "there is no such database file", source=self.source, place=Path(url.database).name
                )

    def _tables(self, connection: sa.Connection) -> list[str]:
        inspector, schema = sa.inspect(connection), self.settings.schema_
        return sorted({*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)})

    def _describe(self, connection: sa.Connection, name: str) -> StreamInfo:
        options = self.settings.streams.get(name) or SqlOptions()
        found = relation(connection, options, StreamRequest(name), self.settings.schema_, self.source)
        rows = connection.execute(found.select().limit(SAMPLE)).mappings()
        records = [dict(row) for row in rows]
        count = _count(connection, found)
        labels: dict[str, str] = {}
        if not options.query:
            space, table = split_name(options.table or name, self.settings.schema_)
            for column in sa.inspect(connection).get_columns(table, schema=space):
                if column.get("comment"):
                    labels[column["name"]] = str(column["comment"])
        fields, likely = described(records, labels)
        times = {field.path for field in fields if field.type in ("timestamp", "date", "number")}
        changed = next((name for name in found.columns if _CHANGED.match(name) and name in times), None)
        key: str | list[str] = list(found.key) if len(found.key) > 1 else (found.key[0] if found.key else "")
        return StreamInfo(
            name,
            key or likely or CONTENT,
            fields,
            changed,
            "flag" if options.deleted else "sweep" if changed else "snapshot",
            count,
            changes=changed,
        )

    def read(self, stream: StreamRequest, state: State | None) -> Iterator[Page]:
        """Pages since `state`: changed rows by `updated_at`, or the whole table as a snapshot.

        The next page is read while the current one lands.
        """
        try:
            options = self.settings.options(stream.name, dict(stream.options))
        except ValidationError as error:
            message = f"the options do not fit: {'; '.join(explain(error))}"
            raise SourceConfigurationError(message, source=self.source, stream=stream.name) from None
        self._require_file()
        before = dict(state or {})
        reading = blake2b(
            canonical(
                [
                    options.table,
                    options.query,
                    stream.key,
                    stream.updated_at,
                    list(stream.volatile),
                    stream.timezone,
                    *([options.deleted.model_dump(mode="json")] if options.deleted else []),
                ]
            ),
            digest_size=8,
        ).hexdigest()
        if before.get("reading") != reading:
            before = {"reading": reading, "pass": before.get("pass", 0)}

        def pages(_stop: threading.Event) -> Iterator[Page]:
            return self._pages(stream, options, before)

        with closing(prefetch(pages, finish=stream.finish)) as ready:
            yield from ready

    def _pages(self, stream: StreamRequest, options: SqlOptions, before: dict[str, Any]) -> Iterator[Page]:
        try:
            with self._engine.connect() as connection:
                found = relation(connection, options, stream, self.settings.schema_, self.source)
                quoted = ["'" + name.replace("'", "''") + "'" for name in found.key]
                changed = None if found.updated_at is None else "'" + found.updated_at.replace("'", "''") + "'"
                maker = RowMaker(
                    quoted or CONTENT,
                    changed,
                    stream.volatile,
                    stream.timezone,
                    source=self.source,
                    stream=stream.name,
                )
                yield from Reading(connection, found, maker, options, stream.timezone, stream.name).pages(
                    before, self._clock()
                )
        except SQLAlchemyError as error:
            raise translate(error, self._engine, self.source, stream.name) from None


def _count(connection: sa.Connection, found: Relation) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(found.table)).scalar_one())

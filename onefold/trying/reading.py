"""Rows of every sheet and table that may hold persons or organisations, read once by the connectors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from connectors.errors import ConnectorError
from connectors.fields import quoted, type_of
from connectors.page import FieldInfo, StreamInfo, StreamRequest
from connectors.registry import open_connector
from connectors.rows import CONTENT
from onefold.configuration.proposals import changed_at, propose_mapping
from onefold.errors import UsageError

if TYPE_CHECKING:
    from connectors.page import Connector, Row
    from onefold.progress import Stage
    from onefold.trying.inputs import Input

SAMPLED_ROWS: Final = 400
SAMPLES: Final = 40
"""Different values of a column that are looked at."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file, a sheet or a database's table, with all its rows."""

    source: str
    info: StreamInfo
    title: str
    """What people know it by."""
    key: str | Sequence[str]
    rows: list[Row]
    rejects: Counter[str]
    """How many could not be read, by reason."""
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Source and stream."""
        return self.source, self.info.name


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, sheet or table that gives no records, and why."""

    title: str
    because: str


def read_input(
    one: Input, folder: Path, key_of: Callable[[str], str | None], stage: Stage
) -> Iterator[Table | LeftOut]:
    """The tables of an input; of a database only those that look like registers of persons or organisations.

    `folder`: where relative paths begin; `key_of`: title -> the key that somebody has said. A connector's error leaves
    out what it speaks of, not its neighbours.
    """
    settings = {**one.settings, **({"url": next(iter(one.secrets.values()))} if one.secrets else {})}
    try:
        with open_connector(one.connector, one.source, {"base_dir": str(folder), **settings}) as connector:
            offered = list(connector.discover())
            for info in offered:
                title = one.title if len(offered) == 1 else f"{one.title} / {info.name}"
                try:
                    yield _table(one, connector, info, title, key_of(title), stage)
                except ConnectorError as error:
                    yield LeftOut(title, str(error))
    except ConnectorError as error:
        yield LeftOut(one.title, str(error))


def _table(
    one: Input, connector: Connector, info: StreamInfo, title: str, said_key: str | None, stage: Stage
) -> Table | LeftOut:
    key = said_key or info.key or CONTENT
    request = StreamRequest(info.name, key, changed_at(info))
    rows: list[Row] = []
    rejects: Counter[str] = Counter()
    # The pages are read ahead by a thread, which ends with its generator.
    with closing(cast("Any", connector.read(request, None))) as pages:
        for page in pages:
            if not rows and page.rows and one.connector == "sql":
                looked = replace(info, fields=sampled(info, page.rows))
                if propose_mapping(looked).as_ not in ("person", "organisation"):
                    return LeftOut(title, "nothing in this table looks like a person or an organisation")
            rows += page.rows
            rejects.update(reject.reason for reject in page.rejects)
            stage.advance(len(page.rows))
    if key != CONTENT and (_repeats(rows) or rejects["duplicate-key"] or rejects["missing-key"]):
        if said_key is not None:
            raise UsageError(f"{title}: `{key}` is empty or repeats in some rows, so it is no key.")
        note = f"`{key}` is empty or repeats in some rows, so rows are told apart by all that they say."
        stage.advance(-len(rows))
        again = _table(one, connector, replace(info, key=CONTENT), title, None, stage)
        return replace(again, notes=(note,)) if isinstance(again, Table) else again
    if not rows:
        said = ", ".join(f"{count} {reason}" for reason, count in rejects.items())
        return LeftOut(title, f"no row could be read ({said})" if said else "it holds no row")
    info = replace(info, fields=sampled(info, rows))
    return Table(one.source, info, title, key, rows, rejects)


def _repeats(rows: Sequence[Row]) -> bool:
    return len({row.key for row in rows}) < len(rows)


def sampled(info: StreamInfo, rows: Sequence[Row]) -> tuple[FieldInfo, ...]:
    """The stream's fields with more of their values, taken from rows all along; with how full they are."""
    records = sample(rows)
    seen: dict[str, dict[str, None]] = {}
    filled: Counter[str] = Counter()
    for record in records:
        for name, value in record.items():
            if value is None or value == "" or type_of(value) in ("object", "list"):
                continue
            path = quoted(name)
            filled[path] += 1
            values = seen.setdefault(path, {})
            if len(values) < SAMPLES:
                values.setdefault(str(value))
    return tuple(
        replace(one, samples=tuple(seen.get(one.path, one.samples)), filled=filled[one.path] / len(records))
        for one in info.fields
    )


def sample(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Some of the records, taken all along; the same ones every time."""
    step = max(1, len(rows) // SAMPLED_ROWS)
    return [json.loads(row.payload) for row in rows[::step]]

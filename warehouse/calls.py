"""Statements that travel in one call, with arrays in PostgreSQL's binary form.

While the server works on a call the interpreter is free. A driver's cursor takes it again for every piece that the
socket takes or gives, and beside a thread that makes rows each turn is waited for, up to 5 ms. Only for statements
that are short: a call cannot be interrupted from the keyboard before its answer is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, repeat
from struct import Struct, pack
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format

from warehouse.sql import sql

Parameter: TypeAlias = bytes | str | None
"""Bytes are the type's binary form, a text its text form."""

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NULL: Final = b"\xff\xff\xff\xff"
_LENGTH: Final = Struct(">i").pack
_BOOL, _BIGINT, _TEXT, _TIMESTAMPTZ, _UUID, _JSONB = 16, 20, 25, 1184, 2950, 3802


def call(conn: psycopg.Connection[Any], name: str, parameters: Mapping[str, Parameter]) -> list[tuple[Any, ...]]:
    """The rows of the statement `file.statement`, whose every `%(name)s` stands under a cast; raises psycopg's errors.

    Without an open transaction it is one of its own. It is planned anew each time, for the tables as they are now.
    """
    text, names = _numbered(name)
    values = [parameters[each] for each in names]
    result = conn.pgconn.exec_params(
        text,
        [value.encode() if isinstance(value, str) else value for value in values],
        None,
        [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in values],
        Format.BINARY,
    )
    if result.status not in _DONE:
        if conn.pgconn.status != ConnStatus.OK:
            raise errors.OperationalError("the connection to the hub's database is lost")
        raise errors.error_from_result(result)
    if not result.ntuples:
        return []
    reader = Transformer.from_context(conn)
    reader.set_pgresult(result)
    return reader.load_rows(0, result.ntuples, tuple)


@cache
def _numbered(name: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with $1, $2 ... in place of names, and the names in that order."""
    text = sql(name).as_string(None)
    names = tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))
    numbers = {each: f"${number}" for number, each in enumerate(names, start=1)}
    return _PLACEHOLDER.sub(lambda found: numbers[found[1]], text).encode(), names


def bigints(values: Sequence[int]) -> bytes:
    """A bigint[]."""
    pairs = chain.from_iterable(zip(repeat(8), values, strict=False))
    return _array(_BIGINT, len(values), pack(">" + "iq" * len(values), *pairs))


def booleans(values: Sequence[bool]) -> bytes:
    """A boolean[]."""
    return _array(_BOOL, len(values), b"".join([b"\0\0\0\1\1" if value else b"\0\0\0\1\0" for value in values]))


def texts(values: Sequence[bytes]) -> bytes:
    """A text[] of texts in UTF-8."""
    return _array(_TEXT, len(values), _fields(map(len, values), values))


def jsons(values: Sequence[bytes]) -> bytes:
    """A jsonb[] of JSON in UTF-8."""
    heads = [_LENGTH(len(value) + 1) + b"\1" for value in values]
    return _array(_JSONB, len(values), b"".join(chain.from_iterable(zip(heads, values, strict=True))))


def uuids(values: Sequence[bytes]) -> bytes:
    """A uuid[] of 16 bytes each."""
    return _array(_UUID, len(values), b"".join([b"\0\0\0\x10" + value for value in values]))


def timestamps(values: Sequence[datetime | None]) -> bytes:
    """A timestamptz[] of aware times."""
    if not any(values):
        return _array(_TIMESTAMPTZ, len(values), _NULL * len(values))
    return _array(_TIMESTAMPTZ, len(values), b"".join([_NULL if at is None else _timestamp(at) for at in values]))


def _timestamp(at: datetime) -> bytes:
    return pack(">iq", 8, (at - _EPOCH) // _MICROSECOND)


def _fields(lengths: Iterable[int], values: Sequence[bytes]) -> bytes:
    return b"".join(chain.from_iterable(zip(map(_LENGTH, lengths), values, strict=True)))


def _array(oid: int, size: int, elements: bytes) -> bytes:
    """One dimension from 1 on; an empty array has none."""
    head = pack(">iiIii", 1, 1, oid, size, 1) if size else pack(">iiI", 0, 0, oid)
    return head + elements


NO_BIGINTS: Final = bigints(())

"""Arrow columns in COPY's binary format: the server finds a field by its length and parses no digits, quotes or UUIDs.

https://www.postgresql.org/docs/current/sql-copy.html: per row the number of fields, then each field's length (-1: null)
and its bytes, as the type's receive function reads them; numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END: Final = b"\xff\xff"
_NOTHING: Final = pa.scalar(b"", pa.binary())
_JSONB_VERSION: Final = pa.scalar(b"\x01", pa.binary())
_EPOCH_DAYS: Final = 10_957
"""From 1970-01-01 to 2000-01-01, from which PostgreSQL counts."""
_NUMBERS: Final = {("int8", pa.int64()): ">i8", ("int4", pa.int32()): ">i4", ("bool", pa.bool_()): "u1"}
_ARRAY_HEAD: Final = np.dtype([(name, ">i4") for name in ("bytes", "dimensions", "nulls", "type", "size", "from")])
_ELEMENT: Final = np.dtype([("length", ">i4"), ("value", ">i8")])
_AMOUNT: Final = np.dtype(
    [(name, ">u2") for name in ("digits", "weight", "sign", "scale", *(f"d{n}" for n in range(5)))]
)
_MINUS: Final = 0x4000
_BIGINT_OID: Final = 20
_TEXT_OID: Final = 25
_NULL: Final = pa.scalar(b"\xff\xff\xff\xff", pa.binary())
_NO_DIGIT: Final = 0xFF
_DIGITS: Final = np.full(256, _NO_DIGIT, dtype=np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdefABCDEF", np.uint8)] = [*range(16), *range(10, 16)]

Bytes = npt.NDArray[np.uint8]
Pieces = list[pa.Array]
"""Binary arrays that make up the field of every row, one after the other; a null stands for nothing."""


def is_encodable(rows: pa.Table, types: Mapping[str, str]) -> bool:
    """Whether `encode` knows every column; `types` are the names of PostgreSQL's types by column."""
    return not any(
        _encoder(column.type, types.get(name, "")) is None or (pa.types.is_list(column.type) and _has_empty(column))
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    )


def encode(batch: pa.RecordBatch, types: Mapping[str, str]) -> memoryview:
    """The rows between HEAD and END. A text that is no UUID where one belongs raises ValueError with its column."""
    fields = np.full(batch.num_rows, batch.num_columns)
    pieces: Pieces = [_fixed_width(_big_endian(fields, ">i2"))]
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        encoder = _encoder(column.type, types[name])
        assert encoder is not None
        values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        try:
            pieces += encoder(values)
        except ValueError:
            raise ValueError(f"column {name} holds a text that is no UUID") from None
    joined = pc.binary_join_element_wise(*pieces, _NOTHING, null_handling="replace", null_replacement="")
    _, offsets, data = joined.buffers()
    ends = np.frombuffer(offsets, np.int32, count=len(joined) + 1)
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _encoder(arrow: pa.DataType, postgres: str) -> Callable[[pa.Array], Pieces] | None:
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if pa.types.is_string(arrow):
        return {"text": _text, "jsonb": _jsonb, "uuid": _uuid, "_text": _names}.get(postgres)
    if pa.types.is_list(arrow):
        return _bigints if arrow.value_type == pa.int64() and postgres == "_int8" else None
    if pa.types.is_timestamp(arrow):
        return _timestamp if postgres == "timestamptz" and arrow.tz is not None else None
    if pa.types.is_date32(arrow):
        return _date if postgres == "date" else None
    if pa.types.is_decimal128(arrow):
        return _amounts if postgres == "numeric" and arrow.precision <= 18 and arrow.scale == 4 else None
    form = _NUMBERS.get((postgres, arrow))
    return None if form is None else lambda column: _numbers(column, form)


def _has_empty(lists: pa.ChunkedArray) -> bool:
    """A null or an empty list, which have heads of their own."""
    return lists.null_count > 0 or bool(pc.any(pc.equal(pc.list_value_length(lists), 0)).as_py())


def _text(column: pa.Array) -> Pieces:
    return [_lengths(column), column.cast(pa.binary())]


def _jsonb(column: pa.Array) -> Pieces:
    version = pc.if_else(column.is_valid(), _JSONB_VERSION, _NOTHING) if column.null_count else _JSONB_VERSION
    return [_lengths(column, more=1), version, column.cast(pa.binary())]


def _names(column: pa.Array) -> Pieces:
    """Arrays of names, written as PostgreSQL writes them without quotes, such as `{crm,erp}`: few different ones."""
    found = column.dictionary_encode()
    made = pa.array([_array_of_names(text) for text in found.dictionary.to_pylist()], pa.binary())
    return [pc.fill_null(made.take(found.indices), _NULL)]


def _array_of_names(text: str) -> bytes:
    names = [name.encode() for name in text[1:-1].split(",") if name]
    head = struct.pack(">iiiii", 1, 0, _TEXT_OID, len(names), 1) if names else struct.pack(">iii", 0, 0, _TEXT_OID)
    body = b"".join([head, *(struct.pack(">i", len(name)) + name for name in names)])
    return struct.pack(">i", len(body)) + body


def _lengths(column: pa.Array, more: int = 0) -> pa.Array:
    lengths = pc.binary_length(column)
    if column.null_count:
        lengths = pc.fill_null(lengths, -1 - more)
    return _fixed_width(_big_endian(lengths.to_numpy() + more, ">i4"))


def _uuid(column: pa.Array) -> Pieces:
    known = _known(column)
    texts = pc.replace_substring(column.drop_null(), "-", "")
    if pc.any(pc.not_equal(pc.binary_length(texts), 32)).as_py():
        raise ValueError
    _, offsets, data = texts.buffers()
    start = np.frombuffer(offsets, np.int32, count=1)[0] if len(texts) else 0
    letters = np.frombuffer(data or b"", np.uint8, count=32 * len(texts), offset=start).reshape(-1, 32)
    digits = _DIGITS[letters]
    if (digits == _NO_DIGIT).any():
        raise ValueError
    values = np.zeros((len(column), 16), dtype=np.uint8)
    values[known] = digits[:, 0::2] << 4 | digits[:, 1::2]
    return [_field(values, known)]


def _timestamp(column: pa.Array) -> Pieces:
    micros = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    return _numbers(micros, ">i8", _EPOCH_DAYS * 86_400_000_000)


def _date(column: pa.Array) -> Pieces:
    return _numbers(column.cast(pa.int32()), ">i4", _EPOCH_DAYS)


def _numbers(column: pa.Array, form: str, less: int = 0) -> Pieces:
    known = _known(column)
    if column.null_count:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values = column.to_numpy(zero_copy_only=False)
    return [_field(_big_endian(values - less if less else values, form), known)]


def _amounts(column: pa.Array) -> Pieces:
    """Numbers with four places: five digits of base 10,000, of which the server drops leading zeros."""
    known = _known(column)
    # The low half of each 128 bits holds what eighteen digits need.
    pairs = np.frombuffer(column.buffers()[1], np.int64)[2 * column.offset :][: 2 * len(column)]
    whole = np.where(known, pairs[::2], 0)
    rest = np.abs(whole)
    out = np.zeros(len(column), dtype=_AMOUNT)
    out["digits"], out["weight"], out["scale"] = 5, 3, 4
    out["sign"] = np.where(whole < 0, _MINUS, 0)
    for at in range(4, -1, -1):
        rest, out[f"d{at}"] = np.divmod(rest, 10_000)
    return [_field(out.view(np.uint8).reshape(-1, _AMOUNT.itemsize), known)]


def _bigints(column: pa.Array) -> Pieces:
    counts = pc.list_value_length(column).to_numpy()
    head = np.zeros(len(counts), dtype=_ARRAY_HEAD)
    head["bytes"], head["size"] = 20 + _ELEMENT.itemsize * counts, counts
    head["dimensions"], head["type"], head["from"] = 1, _BIGINT_OID, 1
    elements = np.zeros(int(counts.sum()), dtype=_ELEMENT)
    elements["length"], elements["value"] = 8, column.flatten().to_numpy()
    heads = head.view(np.uint8).reshape(-1, _ARRAY_HEAD.itemsize)
    return [_fixed_width(heads), _binary(np.cumsum(_ELEMENT.itemsize * counts), elements.view(np.uint8))]


def _known(column: pa.Array) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return known


def _big_endian(values: npt.NDArray[Any], form: str) -> Bytes:
    wanted = np.dtype(form)
    return np.ascontiguousarray(values, dtype=wanted).view(np.uint8).reshape(-1, wanted.itemsize)


def _field(values: Bytes, known: npt.NDArray[np.bool_]) -> pa.Array:
    """Values of one width with their length before them; only the length, -1, where the value is null."""
    size, width = values.shape
    out = np.empty((size, 4 + width), dtype=np.uint8)
    out[:, :4] = _big_endian(np.where(known, width, -1), ">i4")
    out[:, 4:] = values
    if known.all():
        return _fixed_width(out)
    kept = np.ones(out.shape, dtype=bool)
    kept[~known, 4:] = False
    return _binary(np.cumsum(np.where(known, 4 + width, 4)), out[kept])


def _fixed_width(values: Bytes) -> pa.Array:
    size, width = values.shape
    return _binary(np.arange(1, size + 1) * width, values.reshape(-1))


def _binary(ends: npt.NDArray[np.integer[Any]], data: Bytes) -> pa.Array:
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = ends
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])

"""JSON as the hub keeps it: UTF-8, sorted keys, no spaces, every number with the digits the source wrote.

What PostgreSQL's jsonb cannot hold (NUL, lone surrogates, NaN, numbers of absurd size) is refused here, as
`NotStorable`,
so that one row never stops the page it came with.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

DIGEST_SIZE = 16
MAX_PAYLOAD = 64 * 1024 * 1024
"""A longer payload is rejected: jsonb holds less than 256 MiB, and memory is shared by a whole page."""


class TruncatedJsonError(ValueError):
    """The text ends before the value does."""


_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted", enc_hook=str)
_unsorted = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_exponent = re.compile(rb"[0-9]E[+-][0-9]{4,}")
_digits = re.compile(rb"[0-9]{100000,}")
_nul = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_int_limit = 4000  # Python refuses to convert longer texts to int; Decimal takes them


class NotStorable(ValueError):
    """The value cannot be kept in jsonb; the message says why without showing the value."""


def decode(data: bytes | str) -> Any:
    """The value in `data`; fractions come as Decimal. Raises ValueError (TruncatedJsonError if cut off).

    Lone surrogates and NaN are let through, so that the row that holds them can be named; `canonical`
    refuses them.
    """
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as first:
        try:
            return json.loads(data, parse_float=Decimal, parse_int=_integer, parse_constant=Decimal)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except ValueError:
            raise (TruncatedJsonError if "truncated" in str(first) else ValueError)(str(first)) from None


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _int_limit else Decimal(text)


def canonical(value: Any) -> bytes:
    """Canonical JSON of `value`; dates become ISO text, bytes Base64, UUIDs and anything unknown their text.

    Raises NotStorable.
    """
    return _checked_numbers(_checked_text(_encode(value, _encoder)), value)


def canonical_sorted(record: Mapping[str, Any]) -> bytes:
    """As `canonical`, for a flat record whose keys are in order already: that saves the sorting."""
    return _checked_numbers(_checked_text(_encode(record, _unsorted)), record)


def canonical_texts(record: Mapping[str, str]) -> bytes:
    """As `canonical_sorted`, for a record of texts: there are no numbers to look at."""
    return _checked_text(_encode(record, _unsorted))


_encoders: Mapping[Callable[[Any], bytes], msgspec.json.Encoder] = {
    canonical: _encoder,
    canonical_sorted: _unsorted,
    canonical_texts: _unsorted,
}


def canonical_lines(records: Sequence[Any], encode: Callable[[Any], bytes] = canonical_sorted) -> list[bytes] | None:
    """Many records at once, each as `encode` (`canonical` or one of its kin) would write it.

    None where one of them has to be looked at by itself, or `encode` is another one.
    """
    if encode not in _encoders:
        return None
    try:
        data = _encoders[encode].encode_lines(records)
    except (TypeError, OverflowError, ValueError, RecursionError):
        return None
    if (b"\\" in data and b"\\u0000" in data) or (encode is not canonical_texts and _may_hold_odd_numbers(data)):
        return None
    lines = data.split(b"\n")
    lines.pop()
    # The longest run of digits that is let through unseen, and the longest payload, are far beyond this.
    return None if len(data) > 100_000 and max(map(len, lines)) > 100_000 else lines


def _encode(value: Any, encoder: msgspec.json.Encoder) -> bytes:
    try:
        return encoder.encode(value)
    except UnicodeEncodeError:
        raise NotStorable("a text holds an undecodable character") from None
    except RecursionError:
        raise NotStorable("nested too deeply") from None
    except (TypeError, OverflowError, ValueError):
        return _encode_plain(value)


def _checked_text(data: bytes) -> bytes:
    # Looking for one byte first is several times faster than looking for a word.
    if b"\\" in data and b"\\u0000" in data and _nul.search(data):
        raise NotStorable("a text holds a NUL character")
    if len(data) > MAX_PAYLOAD:
        raise NotStorable(f"the record is longer than {MAX_PAYLOAD // 1024 // 1024} MiB")
    return data


def _checked_numbers(data: bytes, value: Any) -> bytes:
    is_suspect = _may_hold_odd_numbers(data) or (len(data) > 100_000 and _digits.search(data))
    if is_suspect and _absurd(value):
        raise NotStorable("a number is NaN, infinite or too large to keep")
    return data


def _may_hold_odd_numbers(data: bytes) -> bool:
    return bool(
        (b"E" in data and (b"E+" in data or b"E-" in data) and _exponent.search(data))
        or (b"N" in data and b"NaN" in data)
        or (b"I" in data and b"Infinity" in data)
    )


def _encode_plain(value: Any) -> bytes:
    try:
        return _encoder.encode(plain(value))
    except (TypeError, OverflowError, ValueError, RecursionError) as error:
        raise NotStorable(f"cannot be written as JSON ({type(error).__name__})") from None


def _absurd(value: Any) -> bool:
    """Holds a number that jsonb refuses."""
    if isinstance(value, Mapping):
        return any(_absurd(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_absurd(item) for item in value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            return True
        exponent = value.as_tuple().exponent
        return value.adjusted() > 100_000 or not isinstance(exponent, int) or exponent < -16_000
    return isinstance(value, int) and value.bit_length() > 332_000


def digest(data: bytes) -> bytes:
    """The 16-byte BLAKE2b of canonical JSON."""
    return blake2b(data, digest_size=DIGEST_SIZE).digest()


AS_IS = frozenset({str, int, bool, Decimal, type(None), datetime, date, UUID, bytes})
"""Types whose values are written as they are."""


def plain(value: Any) -> Any:
    """`value` with Python's floats as exact Decimals (7707083893.0 as 7707083893), tuples as lists, the
    rest unchanged.

    Raises NotStorable for NaN and infinities, which JSON encoders silently turn into null.
    """
    kind = type(value)
    if kind in AS_IS:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise NotStorable("a number is NaN or infinite")
        return int(value) if value.is_integer() and abs(value) < 2**53 else Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    return value


def plain_row(values: tuple[Any, ...] | list[Any]) -> list[Any] | tuple[Any, ...]:
    """The values of a database or sheet row, made `plain` only when one of them needs it."""
    return values if AS_IS.issuperset(map(type, values)) else [plain(value) for value in values]

"""Memory that was freed and is still held by the process."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any, Final

import pyarrow as pa

_LARGE: Final = 200_000  # records below which it is not worth the look


@cache
def _trim() -> Any:
    """The C library's `malloc_trim`; None where there is none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back(records: int) -> None:
    """Give the system what the work on so many records left behind: between two phases it would add to what the next
    one needs. A few records leave little, and nothing is done."""
    if records < _LARGE:
        return
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)

"""Memory that was freed and is still held by the process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import pyarrow as pa

_LARGE: Final = 200_000  # records below which it is not worth the look
ALWAYS: Final = 1 << 30
"""What was worked on, for `give_back`: with little memory the least of it counts."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_FREED: Final = 1 << 20  # bytes from which on a block goes back to the system when it is freed


@cache
def _of_system(name: str) -> Any:
    """A function of the C library; None where there is none."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


@contextmanager
def held_little() -> Iterator[None]:
    """Within, what is freed goes back to the system at once, for a tenth more processor time: else what one phase freed
    lies between the blocks of the next, and a process takes a third more than it uses. Blocks of NumPy stay so."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    change = _of_system("mallopt")
    if change is not None:
        change(_M_MMAP_THRESHOLD, _FREED)
        change(_M_TRIM_THRESHOLD, 16 * _FREED)
        change(_M_ARENA_MAX, 2)  # else threads that meet each keep some of their own
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def give_back(records: int) -> None:
    """Give the system what the work on so many records left behind: between two phases it would add to what the next
    one needs. A few records leave little, and nothing is done."""
    if records < _LARGE:
        return
    pa.default_memory_pool().release_unused()
    trim = _of_system("malloc_trim")
    if trim is not None:
        trim(0)

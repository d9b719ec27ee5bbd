"""Work on all cores within one process: NumPy, Arrow and rapidfuzz let go of the interpreter while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


_told: list[int] = []


def use(count: int) -> None:
    """Use so many threads from now on: the other cores are at work for other processes."""
    _told[:] = [count]


def threads() -> int:
    """How many threads are used: as many as this process may have cores, unless it was told (`use`)."""
    if _told:
        return _told[0]
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


SMALL: Final = 2_000
"""Rows or pairs below which to start threads takes longer than the work."""


def in_parallel(work: Callable[[Piece], Result], pieces: Iterable[Piece], size: int = SMALL) -> list[Result]:
    """`work` of each piece, in their order; results never depend on the number of threads. `size`: of all pieces
    together, in rows or pairs."""
    return list(map(work, pieces) if size < SMALL else streamed(work, pieces))


def streamed(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """`in_parallel`, one result after the other: only a few are held at a time."""
    count = threads()
    if count == 1:
        yield from map(work, pieces)
        return
    waiting: list[Future[Result]] = []
    with ThreadPoolExecutor(count) as pool:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > count:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()

"""Fetch ahead: the next page is on its way while the current one lands."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """The reader was closed while it waited."""


class _End(Generic[T]):
    __slots__ = ("error",)

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(
    source: Callable[[threading.Event], Iterator[T]],
    *,
    finish: Callable[[T], T] | None = None,
    ahead: int = 1,
    patience: float = 10.0,
) -> Generator[T, None, None]:
    """The items of `source(stop)`, made and finished by one background thread that keeps at most `ahead` of them ready.

    Closing the generator sets `stop` and waits (at most `patience` seconds) until the thread has ended; an
    error of the
    source is raised at the place where its item would have come.
    """
    stop = threading.Event()
    ready: queue.Queue[T | _End[T]] = queue.Queue(maxsize=ahead)

    def put(item: T | _End[T]) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def run() -> None:
        try:
            for item in source(stop):
                put(finish(item) if finish is not None else item)
                if stop.is_set():
                    return
            put(_End(None))
        except Stopped:
            put(_End(None))
        except BaseException as error:
            put(_End(error))

    # What the thread logs belongs to the trace of whoever reads.
    worker = threading.Thread(target=copy_context().run, args=(run,), name="onefold-prefetch", daemon=True)
    worker.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        worker.join(patience)

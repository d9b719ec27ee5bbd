"""The database at work while the next is made: one item ahead, or one task meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from onefold.logs import carried

T = TypeVar("T")


def ahead(items: Generator[T]) -> Iterator[T]:
    """The items in their order, each next one made in a thread of its own while the former is in use.

    At most two are held at a time. The generator is closed at the end, also after an error on either side.
    """
    end = object()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
            coming = pool.submit(carried(next), items, end)
            while (item := coming.result()) is not end:
                coming = pool.submit(carried(next), items, end)
                yield item  # type: ignore[misc]
    finally:
        items.close()


@contextmanager
def storing(store: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """`store` has the database at work during the block, in which nobody else may use its connection before having
    called what is given: it waits for `store`, and says what came of it."""
    with ThreadPoolExecutor(1, thread_name_prefix="store") as pool:
        stored = pool.submit(carried(store))
        yield stored.result
        stored.result()

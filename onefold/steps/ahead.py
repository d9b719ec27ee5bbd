"""One item ahead: what comes next is made while the database stores what was made before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T]) -> Iterator[T]:
    """The items in their order, each next one made in a thread of its own while the former is in use.

    At most two are held at a time. The generator is closed at the end, also after an error on either side.
    """
    end = object()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
            coming = pool.submit(next, items, end)
            while (item := coming.result()) is not end:
                coming = pool.submit(next, items, end)
                yield item  # type: ignore[misc]
    finally:
        items.close()

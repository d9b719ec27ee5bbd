"""Where tokens that a source hands out are kept between runs. Connectors know no database: Onefold gives the store.

with store.locked("crm") as slot:      # one process at a time
    saved = slot.load()
    slot.save({...})                   # is durable when `save` returns
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, runtime_checkable


class TokenSlot(Protocol):
    """One source's saved token, while its lock is held."""

    def load(self) -> Mapping[str, Any] | None:
        """What was saved last, read anew under the lock; None if nothing was."""

    def save(self, token: Mapping[str, Any]) -> None:
        """Keep a small JSON object; it survives a kill as soon as this returns."""


class TokenStore(Protocol):
    """Saved tokens by source."""

    def locked(self, source: str) -> AbstractContextManager[TokenSlot]:
        """The source's slot; everybody else who asks for it waits, in other processes too."""


@runtime_checkable
class KeepsTokens(Protocol):
    """A connector that wants a store."""

    def keep_tokens(self, store: TokenStore) -> None:
        """Use `store` from now on."""


class MemoryTokens:
    """Tokens for the life of this process: for checks and tests, and where nothing rotates."""

    def __init__(self) -> None:
        self._saved: dict[str, Mapping[str, Any]] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    @contextmanager
    def locked(self, source: str) -> Iterator[TokenSlot]:
        """The source's slot, one thread at a time."""
        with self._locks[source]:
            yield _MemorySlot(self._saved, source)


class _MemorySlot:
    def __init__(self, saved: dict[str, Mapping[str, Any]], source: str) -> None:
        self._saved, self._source = saved, source

    def load(self) -> Mapping[str, Any] | None:
        return self._saved.get(self._source)

    def save(self, token: Mapping[str, Any]) -> None:
        self._saved[self._source] = dict(token)

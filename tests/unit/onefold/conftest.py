"""What unit tests of onefold/ need."""

from __future__ import annotations

from contextvars import ContextVar
from types import MappingProxyType

import pytest

from onefold import logs, tracing


@pytest.fixture(autouse=True)
def _nothing_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub or a run that a fixture of another module holds open in this process is not this test's."""
    monkeypatch.setattr(tracing, "_current", ContextVar("onefold_trace", default=None))
    monkeypatch.setattr(logs, "_fields", ContextVar("onefold_log", default=MappingProxyType({})))

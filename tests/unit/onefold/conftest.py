"""What unit tests of onefold/ need."""

from __future__ import annotations

from contextvars import ContextVar

import pytest

from onefold import tracing


@pytest.fixture(autouse=True)
def _no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trace is under way: a hub that a fixture of another module holds open in this process is not this test's."""
    monkeypatch.setattr(tracing, "_current", ContextVar("onefold_trace", default=None))

"""Spark in tests: where it is there, what it did, and a machine that has none."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

EXECUTORS: Final = "local-cluster[2,1,2048]"
"""Two executors, processes of their own with a core each."""
_MARKS: Final = (
    pytest.mark.scale,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
    # Spark closes its sockets and processes when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
)


def on_spark(test: Callable[..., Any]) -> Callable[..., Any]:
    """A test that starts Spark."""
    for mark in _MARKS:
        test = mark(test)
    return test


def hide_spark(patch: pytest.MonkeyPatch) -> None:
    """Nothing of Spark can be found or imported, as where the extra is not installed."""
    for name in {"pyspark", "py4j", *sys.modules}:
        if name.partition(".")[0] in ("pyspark", "py4j"):
            patch.setitem(sys.modules, name, None)


def settings_of(log: Path) -> dict[str, str]:
    """Spark's settings for small executors, and for an application that writes down in a folder what it does."""
    log.mkdir(exist_ok=True)
    event_log = {"enabled": "true", "dir": log.as_uri(), "compress": "false", "rolling.enabled": "false"}
    return {"spark.executor.memory": "1g"} | {f"spark.eventLog.{name}": value for name, value in event_log.items()}


def events(log: Path) -> Counter[str]:
    """How many of each kind of event applications wrote down there; TaskEnd, ExecutorAdded, ..."""
    lines = list[str]()
    for file in log.iterdir():
        clean_up(file.stem)
        lines += file.read_text(encoding="utf-8").splitlines()
    return Counter(json.loads(line)["Event"].removeprefix("SparkListener") for line in lines)


def clean_up(application: str) -> None:
    """Remove where executors of an application had their code and logs; others may be at work beside it."""
    import pyspark

    shutil.rmtree(Path(pyspark.__file__).parent / "work" / application, ignore_errors=True)

"""What a Spark application that fails says, and that another one can be started after it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from identity.spark.session import Cluster, SparkFailed, SparkMissing, application, check, what_it_says

TRACEBACK = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "work.py", line 1, in settled
{}

\tat org.apache.spark.api.python.BasePythonRunner
"""
HANDLED = "KeyError: 'Anna Kern'\n\nDuring handling of the above exception, another exception occurred:\n\n"
STAGE = "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times"


class FromJava(Exception):
    """As Py4JJavaError: its own words are of no use."""

    def __init__(self, words: str) -> None:
        super().__init__("An error occurred while calling o1.parquet")
        self.java_exception = words


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError(TRACEBACK.format("ValueError: Anna Kern, born 1980")), "ValueError"),
        (RuntimeError(TRACEBACK.format("identity.errors.ModelError: Anna Kern")), "identity.errors.ModelError"),
        (
            RuntimeError(TRACEBACK.format("ModuleNotFoundError: No module named 'rapidfuzz'")),
            "ModuleNotFoundError: No module named 'rapidfuzz'",
        ),
        (RuntimeError(2 * TRACEBACK.format(HANDLED + "OSError: /home/anna")), "OSError"),
        (FromJava(STAGE + TRACEBACK.format("KeyError: 'Anna Kern'")), "KeyError"),
        (FromJava(STAGE + "\n\tat org.apache.spark.Scheduler"), STAGE),
        (ConnectionRefusedError(), "ConnectionRefusedError"),
    ],
)
def test_of_an_error_in_python_only_the_kind_is_told(error: Exception, expected: str) -> None:
    assert what_it_says(error) == expected


@pytest.mark.scale
@pytest.mark.parametrize(
    ("there", "release", "said"),
    [
        (False, None, "there is no `java` in JAVA_HOME"),
        (True, 'IMPLEMENTOR="Debian"\nJAVA_VERSION="11.0.27"\n', "is of version 11.0.27"),
        (True, 'JAVA_VERSION="1.8.0_292"\n', "is of version 1.8.0_292"),
        (True, 'JAVA_VERSION="17.0.15"\n', None),
        (True, 'JAVA_VERSION="21"\n', None),
        (True, None, None),
    ],
)
def test_a_java_that_spark_cannot_use_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, release: str | None, said: str | None
) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if there:
        (tmp_path / "bin").mkdir()
        java = tmp_path / "bin" / "java"
        java.write_text("#!/bin/sh\n")
        java.chmod(0o755)
    if release is not None:
        (tmp_path / "release").write_text(release)
    if said is None:
        check()
        return
    with pytest.raises(SparkMissing, match="needs Java 17 or newer") as missing:
        check()
    assert said in str(missing.value)


@pytest.mark.scale
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:Unable to cleanly shutdown Spark JVM:RuntimeWarning")
def test_whatever_ends_an_application_is_told_without_values_and_the_next_one_starts(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")

    def refuse(_: Any) -> Any:
        raise ValueError("Anna Kern")

    def refuse_arrow(_: Any) -> Any:
        raise pa.ArrowInvalid("Anna Kern")

    def kill(session: Any) -> None:
        os.kill(session.sparkContext._gateway.proc.pid, signal.SIGKILL)
        session.range(1).collect()

    ends: list[tuple[Callable[[Any], object], str]] = [
        (lambda session: session.range(1).mapInArrow(refuse, "id long").collect(), "ValueError"),
        (lambda session: session.range(1).mapInArrow(refuse_arrow, "id long").collect(), ""),
        (lambda session: session.sparkContext.parallelize([1]).map(refuse).collect(), "ValueError"),
        (kill, ""),
    ]
    for end, kind in ends:
        with pytest.raises(SparkFailed, match="gave up") as failed, application(Cluster("local[1]", {})) as session:
            end(session)
        assert str(failed.value).endswith(kind) and "Anna" not in str(failed.value)
    with application(Cluster("local[1]", {"spark.local.dir": str(tmp_path / "spilled")})) as session:
        assert session.range(3).repartition(2).count() == 3
        assert list((tmp_path / "spilled").rglob("shuffle_*"))

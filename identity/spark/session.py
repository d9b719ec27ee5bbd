"""A Spark application: started for one run, with the rules' own code sent along, and what it cost."""

from __future__ import annotations

import os
import py_compile
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINE: Final = "onefold"
# Java only deals out tasks: to start soon is worth more to it than to run fast.
_JAVA: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_ALWAYS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.extraJavaOptions": _JAVA,
    "spark.executor.extraJavaOptions": _JAVA,
}
_UNCHECKED: Final = py_compile.PycInvalidationMode.UNCHECKED_HASH  # the source lies beside it
_ON_THIS_MACHINE: Final = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
_LEAST_JAVA: Final = 17
_RELEASE: Final = re.compile(r'^JAVA_VERSION="(\d[\d._]*)', re.MULTILINE)
# The last line of a Python traceback names the error itself.
_RAISED: Final = re.compile(r"([A-Za-z_][\w.]*Error)(?::|$)")


class SparkMissing(Exception):
    """Spark cannot be started here: the extra or Java is not installed. Says which, and how to get it."""


class SparkFailed(Exception):
    """The Spark application came to no result; nothing was stored. Says what Spark said."""


@dataclass(frozen=True)
class Cluster:
    """Where to compute."""

    master: str  # local[2], local-cluster[2,1,2048], spark://host:7077, yarn, k8s://...
    settings: Mapping[str, str]  # of Spark: spark.executor.memory, ...

    @property
    def is_here(self) -> bool:
        """Whether executors are processes of this machine, started by the driver."""
        return self.master.startswith("local")


@dataclass(frozen=True)
class Cost:
    """What an application did so far."""

    executors: int  # that were there at any time, lost ones among them
    lost: int
    shuffle_bytes: int  # written to be read by others
    failed_tasks: int


def check() -> None:
    """Raise SparkMissing unless pyspark is here, and a Java that it can use."""
    from importlib.util import find_spec

    if find_spec("pyspark") is None:
        raise SparkMissing("Apache Spark is not installed here: the extra `spark` is missing.")
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        where = "in JAVA_HOME" if home else "on PATH and no JAVA_HOME"
        raise SparkMissing(f"Apache Spark needs Java {_LEAST_JAVA} or newer: there is no `java` {where}.")
    version = _version_of(Path(java))
    if version and int(version.partition(".")[0]) < _LEAST_JAVA:
        raise SparkMissing(f"Apache Spark needs Java {_LEAST_JAVA} or newer, and {java} is of version {version}.")


def _version_of(java: Path) -> str | None:
    """What the file `release` of an installation says; None: it has none."""
    with suppress(OSError):
        found = _RELEASE.search((java.resolve().parents[1] / "release").read_text(encoding="utf-8", errors="replace"))
        return found[1] if found else None
    return None


@contextmanager
def application(cluster: Cluster) -> Iterator[SparkSession]:
    """A session on the cluster, stopped at the end with its Java process. SparkMissing, SparkFailed.

    The executors get the code of `identity` from here; its libraries they must have, in the versions of the driver.
    """
    check()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(prefix="onefold-spark-") as scratch:
        builder = SparkSession.builder.master(cluster.master).appName(ENGINE)
        given = {**_ALWAYS, **(_ON_THIS_MACHINE if cluster.is_here else {}), "spark.sql.warehouse.dir": scratch}
        for name, value in {**given, **cluster.settings}.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:
            said = what_it_says(error)
            _stop(None)
            raise SparkFailed(f"Spark at {cluster.master} could not be started: {said}") from error
        try:
            if cluster.is_here:
                session.sparkContext.pythonExec = sys.executable
            session.sparkContext.addPyFile(str(_code(Path(scratch))))
            yield session
        except (PySparkException, Py4JError, ConnectionError) as error:
            raise SparkFailed(f"Spark at {cluster.master} gave up: {what_it_says(error)}") from error
        finally:
            _stop(session)


def what_it_says(error: Exception) -> str:
    """The first line of what Spark says of an error; of one that Python raised, here or on an executor, only the kind:
    the rest may be a client's values. A module that is missing is named."""
    told = ""
    with suppress(Exception):  # asks the Java process, which may have gone
        told = str(getattr(error, "java_exception", None) or error)
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    found = ""
    for line in lines:
        if raised := _RAISED.match(line):  # the last one: those before it were being handled
            found = line if raised[1] == "ModuleNotFoundError" else raised[1]
        elif found and line.startswith("at "):
            break
    return (found or (lines or [type(error).__name__])[0])[:300]


def _stop(session: SparkSession | None) -> None:
    """Stop the application and the Java process behind it, which else lives as long as this one. Where that has died,
    what is left of it here goes, so that another application can be started."""
    from pyspark import SparkContext

    gateway: Any = SparkContext._gateway
    if session is not None:
        with suppress(Exception):
            session.stop()
    SparkContext._gateway, SparkContext._jvm = None, None
    SparkContext._active_spark_context = None
    with suppress(Exception):
        gateway.shutdown()
    with suppress(Exception):
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=30)


def _code(folder: Path) -> Path:
    """The package `identity` as an archive that Python imports from: the same rules on every machine. Compiled too, for
    what is imported from an archive is else compiled by every process."""
    package, target = Path(__file__).resolve().parents[1], folder / "identity.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(package.rglob("*")):
            if not path.is_file() or path.suffix == ".pyc":
                continue
            name = f"{package.name}/{path.relative_to(package).as_posix()}"
            archive.write(path, name)
            if path.suffix == ".py":
                compiled = str(folder / "compiled")
                py_compile.compile(str(path), compiled, name, doraise=True, invalidation_mode=_UNCHECKED)
                archive.write(compiled, f"{name}c")
    return target


def cost(session: SparkSession) -> Cost:
    """What the application did so far, on executors that are gone too."""
    store = session.sparkContext._jsc.sc().statusStore()
    found: Any = store.executorList(False)
    each = [found.apply(at) for at in range(found.size())]
    executors = [one for one in each if one.id() != "driver"]
    return Cost(
        max(len(executors), 1),
        sum(not one.isActive() for one in executors),
        sum(int(one.totalShuffleWrite()) for one in each),
        sum(int(one.failedTasks()) for one in each),
    )

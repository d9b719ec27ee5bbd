"""pg_dump and pg_restore of the server's own major version, and how they are run.

Another version will not do: an older pg_dump refuses the server, and what a newer one writes can go back only into
a newer server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from warehouse.backup.errors import ProgramFailedError, ProgramsMissingError
from warehouse.connect import libpq_environment
from warehouse.server.binaries import bundled_programs
from warehouse.server.errors import ServerBinariesError

_PIECE: Final = 1 << 20
# Where the packages of Debian, Red Hat and Homebrew put the programs of each version.
_USUAL: Final = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/opt/homebrew/opt/postgresql@{}/bin")
_ERROR: Final = re.compile(r"^pg_(?:dump|restore): (?:error|detail): (.*)$", re.MULTILINE)
# `invalid input syntax for type uuid: "..."` repeats the value.
_VALUE: Final = re.compile(r"(invalid [^:]*|out of range[^:]*): .*")


def find_programs(major: int) -> Path:
    """The folder with pg_dump and pg_restore of this major version: the wheel's, the system's, or those on PATH.

    Raises `ProgramsMissingError`, which names the versions that are here.
    """
    found: dict[int, Path] = {}
    for folder in _folders(major):
        version = _version(folder)
        if version == major:
            return folder
        if version is not None:
            found[version] = folder
    here = f" Here are those of {', '.join(map(str, sorted(found)))}." if found else ""
    raise ProgramsMissingError(
        f"the server is PostgreSQL {major}, and pg_dump and pg_restore of that version are not on this machine.{here}"
        f" Install them (Debian: apt-get install postgresql-client-{major}) or put their folder first on PATH"
    )


def output_of(program: Path, arguments: Sequence[str], url: str) -> Iterator[bytes]:
    """What a program writes to its standard output, piece by piece; raises `ProgramFailedError` at the end."""
    with (
        tempfile.TemporaryFile() as errors,
        _started(program, arguments, url, errors, stdin=subprocess.DEVNULL) as process,
    ):
        assert process.stdout is not None
        try:
            while piece := process.stdout.read(_PIECE):
                yield piece
        except BaseException:
            process.kill()
            raise
        _judge(program, process.wait(), errors)


def feed(program: Path, arguments: Sequence[str], url: str | None, pieces: Iterable[bytes]) -> bytes:
    """Give a program the pieces on its standard input; what it wrote. Raises `ProgramFailedError`.

    A program that has read enough may end before the pieces do.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as written:
        with _started(program, arguments, url, errors, stdin=subprocess.PIPE, stdout=written) as process:
            assert process.stdin is not None
            try:
                with suppress(BrokenPipeError):
                    for piece in pieces:
                        process.stdin.write(piece)
                with suppress(BrokenPipeError):
                    process.stdin.close()
            except BaseException:
                process.kill()
                raise
            _judge(program, process.wait(), errors)
        written.seek(0)
        return written.read()


def told(pieces: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    """The pieces; `advance` is told the bytes of each when it has gone on."""
    for piece in pieces:
        yield piece
        advance(len(piece))


def _started(
    program: Path,
    arguments: Sequence[str],
    url: str | None,
    errors: IO[bytes],
    *,
    stdin: int,
    stdout: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    # The URL goes by environment: arguments are visible to every user of the machine.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= libpq_environment(url) if url else {}
    return subprocess.Popen(
        [str(program), *arguments],
        env={**environment, "LC_ALL": "C.UTF-8"},
        stdin=stdin,
        stdout=stdout,
        stderr=errors,
    )


def _judge(program: Path, code: int, errors: IO[bytes]) -> None:
    if code == 0:
        return
    errors.seek(0)
    lines = _ERROR.findall(errors.read().decode("utf-8", "replace"))
    # The first line of the error only: DETAIL and CONTEXT repeat values of rows.
    said = _VALUE.sub(r"\1: …", lines[0]) if lines else f"it ended with {code}"
    raise ProgramFailedError(f"{program.name} failed: {said}")


def _folders(major: int) -> Iterator[Path]:
    with suppress(ServerBinariesError):
        yield bundled_programs()
    yield from (Path(pattern.format(major)) for pattern in _USUAL)
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent


def _version(folder: Path) -> int | None:
    """The major version of the pg_dump in a folder; None without one, or without a pg_restore beside it."""
    program = folder / "pg_dump"
    if not (program.is_file() and (folder / "pg_restore").is_file()):
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else None

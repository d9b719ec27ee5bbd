"""Virtual environments for packages whose pins conflict with everything: made once, kept under the hub's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.adapters.masking import masker
from connectors.errors import RetriableError, SourceConfigurationError

INSTALL_SECONDS = 1800

_passed_on = (
    "PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "LD_LIBRARY_PATH", "SYSTEMROOT",
)  # fmt: skip


def clean_environ(added: Mapping[str, str], prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """What a package's process may see of ours: where things are, but no secret of another source or of the hub."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _passed_on or (prefixes and name.startswith(prefixes))
    }
    return {**kept, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", **added}


def executable(cache: Path, requirements: Sequence[str], name: str, python: str | None, source: str) -> Path:
    """The command `name` of an environment that holds `requirements`; it is made if it is not there.

    Two processes at once make one environment; other requirements or another interpreter make another one. Raises
    SourceConfigurationError when the packages cannot be installed or bring no such command.
    """
    interpreter = shutil.which(python or sys.executable)
    if interpreter is None:
        raise SourceConfigurationError(f"there is no interpreter {python}", source=source, hint="Correct `python`")
    mark = hashlib.blake2b("\n".join([*requirements, interpreter, sys.version]).encode(), digest_size=6).hexdigest()
    folder = cache.resolve() / "environments" / f"{name}-{mark}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements, interpreter, source)
            (folder / "ready").touch()
    found = folder / "bin" / name
    if not found.is_file():
        raise SourceConfigurationError(
            f"{requirements[0]} brings no command {name}",
            source=source,
            hint="Name it by `executable`; what is there stands in the environment's bin folder",
        )
    return found


def _make(folder: Path, requirements: Sequence[str], interpreter: str, source: str) -> None:
    uv = shutil.which("uv")
    inside = str(folder / "bin" / "python")
    if uv:
        commands = [
            [uv, "venv", "--quiet", "--python", interpreter, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", inside, *requirements],
        ]
    else:
        pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        commands = [[interpreter, "-m", "venv", str(folder)], [*pip, *requirements]]
    for command in commands:
        _run(command, requirements[0], source)


def _run(command: Sequence[str], what: str, source: str) -> None:
    # Installing needs the index that the company uses.
    environ = clean_environ({}, ("PIP_", "UV_"))
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=INSTALL_SECONDS, env=environ, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise RetriableError(f"installing {what} took longer than {INSTALL_SECONDS} s", source=source) from None
    except OSError as error:
        raise SourceConfigurationError(
            f"{Path(command[0]).name} cannot be run: {error.strerror}", source=source
        ) from None
    if done.returncode:
        lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        said = masker({}, {})(" / ".join(lines[-4:]))[-1500:]
        raise SourceConfigurationError(
            f"{what} cannot be installed: {said}", source=source, hint="Correct `package`, `pins` or `python`"
        )

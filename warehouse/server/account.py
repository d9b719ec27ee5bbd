"""Under which operating-system account the server runs.

PostgreSQL refuses to run as root. Started by root (a container), it runs as an unprivileged account that is
already there; no account is created and no folder of the user's is opened to others for it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.server.errors import PermissionsError, ServerBinariesError

_UNPRIVILEGED = ("postgres", "nobody")
_INHERITED_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server's programs."""

    uid: int
    gid: int
    name: str
    is_foreign: bool
    """True when it is not the account that runs Onefold (Onefold runs as root)."""

    def own(self, path: Path) -> None:
        """Hand a file or folder over to the account."""
        if self.is_foreign:
            os.chown(path, self.uid, self.gid)

    def run(
        self, command: Sequence[str | Path], *, needs: Sequence[Path], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as the account, which must be able to enter the `needs` folders."""
        arguments = [str(part) for part in command]
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        environment |= {name: os.environ[name] for name in _INHERITED_ENVIRONMENT if name in os.environ}
        identity: dict[str, int | Sequence[int]] = {}
        if self.is_foreign and self._reaches(Path(arguments[0]), needs):
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        elif self.is_foreign:
            arguments = self._through_closed_folders(needs) + arguments
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            arguments,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            **identity,
        )

    def _reaches(self, program: Path, folders: Sequence[Path]) -> bool:
        """Whether the account can run the program and enter the folders, as their owners left them."""
        test = 'for d in "$@"; do cd "$d" || exit 1; done; '
        script = f'{test} cd / && exec "$PROGRAM" --version'
        tried = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *map(str, folders)],
            env={"PATH": os.defpath, "PROGRAM": str(program)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )
        return tried.returncode == 0

    def _through_closed_folders(self, folders: Sequence[Path]) -> list[str]:
        """A prefix that lets the account pass closed folders above its data (a checkout below /root).

        It is given root's right to pass file modes instead of opening those folders to everybody.
        """
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise PermissionsError(
                f"PostgreSQL cannot run as root, and the account {self.name} cannot enter"
                f" {', '.join(map(str, folders))}. Put the data where every account may enter,"
                " install util-linux (setpriv), or run Onefold as a normal user"
            )
        capability = "+dac_override"
        return [
            setpriv,
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            f"--inh-caps={capability}",
            f"--ambient-caps={capability}",
            "--",
        ]


def server_account(cluster: Path) -> Account:
    """The account for the server whose files are in `cluster` (which need not exist yet)."""
    uid = os.geteuid()
    if uid != 0:
        return _named(uid, is_foreign=False)
    if cluster.exists():
        owner = cluster.stat().st_uid
        if owner == 0:
            raise PermissionsError(
                f"{cluster} belongs to root, and PostgreSQL refuses to run as root. Choose another data"
                " folder or give it to the account that made it: chown -R"
            )
        return _named(owner, is_foreign=True)
    for name in _UNPRIVILEGED:
        try:
            return _named(pwd.getpwnam(name).pw_uid, is_foreign=True)
        except KeyError:
            continue
    raise PermissionsError(
        f"PostgreSQL cannot run as root and there is no account {' or '.join(_UNPRIVILEGED)} to run it."
        " Run Onefold as a normal user or set ONEFOLD_DATABASE_URL"
    )


def _named(uid: int, *, is_foreign: bool) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ServerBinariesError(
            f"the user id {uid} has no name on this machine, and PostgreSQL needs one (initdb, peer)."
            f" Add it to /etc/passwd (useradd -u {uid} onefold), or set ONEFOLD_DATABASE_URL"
        ) from None
    return Account(uid=uid, gid=entry.pw_gid, name=entry.pw_name, is_foreign=is_foreign)

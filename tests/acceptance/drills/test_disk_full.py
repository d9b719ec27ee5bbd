"""A disk that is full: an error that says so, nothing half done, and on from there once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.acceptance.drills.test_kills import differences
from tests.support import kill_scenes as scenes
from tests.support.cli import Done, onefold
from tests.support.hub import Hub
from warehouse.connect import connect, create_database, database_name, with_database
from warehouse.server import EmbeddedServer, ServerOptions

pytestmark = [
    pytest.mark.scale,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]
MEGABYTE = 1024 * 1024


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own of that size."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(disk: Path, leave: int) -> Path:
    """All room but `leave` bytes is taken."""
    ballast, left = disk / "ballast", os.statvfs(disk)
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in range(left.f_bavail * left.f_frsize - leave, 0, -MEGABYTE):
            file.write(b"\0" * min(size, MEGABYTE))
    return ballast


def run(hub: Hub, *arguments: str | Path) -> Done:
    """A command on the hub."""
    return onefold(*hub.place, *arguments)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of its own, whose whole folder stands on a disk of 200 MiB."""
    with small_disk(tmp_path / "disk", 200) as disk:
        tmp_path.chmod(0o755)
        disk.chmod(0o755)
        found = EmbeddedServer(disk / "server", ServerOptions(is_durable=False))
        found.start(keep=True)
        try:
            yield found
        finally:
            found.stop("immediate")


def in_a_database(server: EmbeddedServer, folder: Path, name: str) -> Hub:
    url = with_database(server.start(keep=True).url, name)
    create_database(url, None)
    hub = Hub(folder, url)
    with hub.context():
        (folder / "config" / "hub.yaml").write_text(scenes.HELD_BY_NOTHING, encoding="utf-8")
    return hub


def test_a_run_that_fills_the_disk_of_its_database_says_so_and_is_completed_when_there_is_room(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    quiet, hub = (in_a_database(server, tmp_path / name, name) for name in ("quiet", "hub"))
    for one in (quiet, hub):
        scenes.registers(one)
    shutil.copytree(quiet.folder / "data", hub.folder / "data", dirs_exist_ok=True)
    assert quiet.run().status == "done"
    said = []
    for leave in (0, MEGABYTE, 2 * MEGABYTE, 4 * MEGABYTE):
        ballast = fill_up(disk, leave)
        done = run(hub, "run")
        if done.code:
            assert done.code == 6, done.said
            assert "full" in done.said or "has gone" in done.said or "cannot connect" in done.said, done.said
            assert "Traceback" not in done.said and "fault in Onefold" not in done.said
            said.append(done.said.strip().splitlines()[-1])
        ballast.unlink()
        server.start(keep=True)
    assert said, "the disk was not filled"
    assert any("disk" in one for one in said), said
    assert run(hub, "run").code == 0
    assert differences(scenes.dump_after_kills(quiet.database_url), scenes.dump_after_kills(hub.database_url)) == {}


def test_a_table_space_that_is_full_ends_a_run_with_what_to_do(server: EmbeddedServer, tmp_path: Path) -> None:
    hub = in_a_database(server, tmp_path / "hub", "hub")
    scenes.registers(hub)
    hub.run()
    before = scenes.dump_after_kills(hub.database_url)
    open_to_all = Path(mkdtemp(prefix="onefold-drill-"))  # the server's account does not get into the folders of tests
    open_to_all.chmod(0o755)
    with small_disk(open_to_all / "space", 48) as space:
        owner = server.folders.cluster.stat()
        os.chown(space, owner.st_uid, owner.st_gid)
        name = database_name(hub.database_url)
        with connect(with_database(hub.database_url, "postgres"), application_name="drill") as conn:
            conn.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
            conn.execute(f'ALTER DATABASE "{name}" SET TABLESPACE small')
        assert scenes.dump_after_kills(hub.database_url) == before
        ballast = fill_up(space, 64 * 1024)
        scenes.registers(hub, seed=6, changed=True)
        done = run(hub, "run")
        assert done.code == 6, done.said
        assert "53100" in done.said and "make room" in done.said, done.said
        readable = hub.query("SELECT count(*) FROM onefold_v1.dim_client")
        assert readable[0][0] > 0, "what was published is served"
        ballast.unlink()
        assert run(hub, "run").code == 0
        hub.has_nothing_to_do()
        with connect(with_database(hub.database_url, "postgres"), application_name="drill") as conn:
            conn.execute(f'ALTER DATABASE "{name}" SET TABLESPACE pg_default')
            conn.execute("DROP TABLESPACE small")
    shutil.rmtree(open_to_all)

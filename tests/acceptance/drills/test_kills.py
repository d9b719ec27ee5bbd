"""Kill it anywhere (invariant 3), a few hundred times: SIGKILL in each step and of the server beneath a run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support import database as databases
from tests.support import kill_scenes as scenes
from tests.support.crm_server import Crm, crm
from tests.support.drills import PROPERTY, SEED, so_many
from tests.support.first_version import DEMO, restore
from tests.support.hub import Hub
from tests.support.kill_scenes import Scene
from tests.support.warm import Working
from warehouse.connect import create_database, database_name, drop_database, with_database
from warehouse.server import EmbeddedServer, ServerOptions

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1800)]
KILLS = 12
"""Of each step ..."""
SERVER_KILLS = 20
"""... and of the server."""


def differences(left: dict[str, list[str]], right: dict[str, list[str]]) -> dict[str, Any]:
    """Table -> rows that only one of the dumps has, the first of them."""
    return {
        table: (sorted(set(left[table]) - set(right[table]))[:3], sorted(set(right[table]) - set(left[table]))[:3])
        for table in left
        if left[table] != right[table]
    }


class Stage:
    """The hub before a scene's step, and copies of it."""

    def __init__(self, scene: Scene, server_url: str, folder: Path, before_url: str, system: Crm) -> None:
        self.scene, self._server_url, self._folder, self._system = scene, server_url, folder, system
        self._number = 0
        self.hub = Hub(folder / "before", before_url)
        (self.hub.folder / "crm.json").write_text(json.dumps(system.manifest()))
        if scene.name == "migrate":
            restore(before_url, DEMO)
        scene.before(self.hub)
        self._contacts = deepcopy((system.contacts, system._ticks))

    @contextmanager
    def copy(self) -> Iterator[Hub]:
        """The very same hub, file times included: checkpoints remember them."""
        self._number += 1
        folder = self._folder / f"copy-{self._number}"
        shutil.copytree(self.hub.folder, folder)
        self._system.contacts, self._system._ticks = deepcopy(self._contacts)
        with databases.database(self._server_url, database_name(self.hub.database_url)) as url:
            yield Hub.at(folder, url)
        shutil.rmtree(folder)

    def system(self) -> Any:
        """What the system behind holds now."""
        return deepcopy(self._system.contacts)

    def begin(self, hub: Hub) -> Working:
        return Working(scenes.perform, self.scene.name, hub.folder, hub.database_url)

    def go_on(self, hub: Hub) -> tuple[Any, Any]:
        """What is typed next, and the state that it ends in."""
        self.scene.again(hub)
        if self.scene.is_run:
            hub.run()
        return scenes.dump_after_kills(hub.database_url), self.system()


@pytest.fixture
def stage(server_url: str, template: str, tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """Makes the stage of a scene."""
    with ExitStack() as stack:
        system = stack.enter_context(crm())
        for number in range(40):
            system.put(f"{number}", first="Иван", last=scenes.surname(number), email=f"p{number}@example.ru")

        def make(name: str) -> Stage:
            (tmp_path / "before").mkdir()
            url = stack.enter_context(databases.database(server_url, None if name == "migrate" else template))
            return Stage(scenes.BY_NAME[name], server_url, tmp_path, url, system)

        yield make


@pytest.mark.parametrize("name", [scene.name for scene in scenes.SCENES])
def test_a_step_killed_at_any_moment_is_made_good_by_the_next_run(
    name: str, stage: Callable[[str], Stage], record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(f"{SEED} {name}")
    at, began = stage(name), time.monotonic()
    with at.copy() as quiet:
        ended = at.begin(quiet).end()
        assert (ended.exit_code, ended.error) == (0, None)
        expected, seconds = at.go_on(quiet), ended.seconds
    hit = tried = 0
    while hit < so_many(KILLS):
        tried += 1
        assert tried < 10 * KILLS, "the step ends before it can be killed"
        with at.copy() as hub:
            working = at.begin(hub)
            moment = rng.uniform(0, seconds)
            time.sleep(moment)
            working.kill()
            ended = working.end()
            if ended.exit_code == -signal.SIGKILL:
                hit += 1
            else:
                seconds = min(seconds, ended.seconds)
            found = at.go_on(hub)
            different = differences(expected[0], found[0]), expected[1] == found[1]
            assert different == ({}, True), f"seed {SEED}, {name}, kill {tried} after {moment:.3f} s: {different}"
    took = time.monotonic() - began
    record_property(PROPERTY, f"kills, {name}: {hit} of {tried} tries, the step takes {seconds:.2f} s; {took:.0f} s")


class _Beneath:
    """A hub on a server of its own, which is ended beneath a run: the way in which a command of the hub starts it again."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedServer(folder / "server", ServerOptions(is_durable=False))
        self.folder = folder
        self.url = self.server.start(keep=True).url
        self._number = 0

    def new_hub(self, template: str | None) -> Hub:
        """A hub of its own, empty or a copy."""
        self._number += 1
        url = with_database(self.url, f"hub_{self._number}")
        create_database(url, template, is_file_copy=True)
        if template is None:
            scenes.do_migrate(Hub(self.folder / "empty", url))
        return Hub(self.folder / f"hub-{self._number}", url)

    def end_beneath(self, how: str) -> None:
        """The server is gone: killed outright, or stopped without waiting for anybody."""
        if how == "kill":
            os.kill(self.server.status().pid or 0, signal.SIGKILL)
        else:
            self.server.stop("immediate")

    def start_again(self) -> None:
        assert self.server.start(keep=True).url == self.url, "the server came back elsewhere"


@pytest.fixture
def beneath(tmp_path: Path) -> Iterator[_Beneath]:
    found = _Beneath(tmp_path)
    yield found
    found.server.stop("immediate")


@pytest.mark.parametrize(("how", "count"), [("kill", SERVER_KILLS), ("immediate stop", SERVER_KILLS // 2)])
def test_a_server_that_ends_beneath_a_run_ends_the_run_with_a_reason_and_the_next_one_completes_it(
    how: str, count: int, beneath: _Beneath, record_property: Callable[[str, object], None]
) -> None:
    rng, began = random.Random(f"{SEED} {how}"), time.monotonic()
    before = beneath.new_hub(None)
    scenes._changed(before)
    name = database_name(before.database_url)

    def copied() -> Hub:
        hub = beneath.new_hub(name)
        shutil.copytree(before.folder, hub.folder, dirs_exist_ok=True)
        return hub

    quiet = copied()
    ended = Working(scenes.perform, "first run", quiet.folder, quiet.database_url).end()
    assert ended.exit_code == 0, ended.error
    expected, seconds = scenes.dump_after_kills(quiet.database_url), ended.seconds
    said: Counter[str] = Counter()
    tried = 0
    while sum(said.values()) < so_many(count):
        tried += 1
        assert tried < 10 * count, "the run ends before the server can be ended"
        hub = copied()
        working = Working(scenes.perform, "first run", hub.folder, hub.database_url)
        moment = rng.uniform(0, seconds)
        time.sleep(moment)
        beneath.end_beneath(how)
        ended = working.end()
        place = f"seed {SEED}, {how}, try {tried} after {moment:.3f} s"
        if ended.exit_code:
            assert ended.error is not None, f"{place}: the run ended without a word"
            kind, _, code, is_expected = ended.error
            assert is_expected and code in (6, 75), f"{place}: {ended.error}"
            said[kind] += 1
        beneath.start_again()
        hub.run()
        assert differences(expected, scenes.dump_after_kills(hub.database_url)) == {}, place
        drop_database(hub.database_url)
    record_property(
        PROPERTY,
        f"server, {how}: {sum(said.values())} of {tried} tries, {time.monotonic() - began:.0f} s; said {dict(said)}",
    )

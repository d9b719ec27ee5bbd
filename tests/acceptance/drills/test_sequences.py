"""Two thousand random sequences of operations on a small hub: what must hold holds after each, and at the end the hub knows what one
that was made from scratch knows."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.acceptance.conftest import FreshDatabases
from tests.support import database as databases
from tests.support import hub_checks as checks
from tests.support.drills import PROPERTY, SEED, so_many
from tests.support.hub import Hub
from tests.support.operations import HUB, KEYS, Machine, Operation, drawn, shrunk, told
from warehouse.connect import connect, database_name

SEQUENCES = 2_000
PARTS = 4
"""That workers share."""
WORLDS = 4
SHRINKS = 40


@pytest.fixture(autouse=True)
def few_records_are_enough_to_learn_from() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("identity.training.train._LEAST_RECORDS", 8)
        yield


class Runner:
    """Carries out sequences, each on a copy of a hub that has run."""

    def __init__(
        self, folder: Path, server_url: str, template: str, fresh: FreshDatabases, worlds: Sequence[Machine]
    ) -> None:
        self._folder, self._server_url, self._fresh, self._worlds = folder, server_url, fresh, worlds
        self._number = 0
        self.done: Counter[str] = Counter()
        self.suspended = 0

    def run(self, world: int, operations: Sequence[Operation]) -> None:
        """AssertionError (or the error of a step) where something does not hold."""
        self._number += 1
        folder, anew = self._folder / f"s{self._number}", self._folder / f"f{self._number}"
        of = self._worlds[world]
        try:
            with databases.database(self._server_url, database_name(of.hub.database_url)) as url:
                self._run(Machine.at(folder, url, of, world), operations, anew)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(anew, ignore_errors=True)

    def _run(self, machine: Machine, operations: Sequence[Operation], anew: Path) -> None:
        with machine, connect(machine.hub.database_url, application_name="drill") as conn:
            watch = checks.Watch(conn)
            for operation in [*operations, ("run", 0, 0, 0)]:
                machine.do(operation)
                self.done[operation[0]] += 1
                watch.look(machine)
            standing = machine.standing()
            assert checks.landed(conn) == {
                register: sorted(standing[register], key=lambda one: str(one[KEYS[register]]).encode())
                for register in KEYS
            }
            if checks.is_suspended(conn):
                self.suspended += 1
                return
            with self._fresh() as url:
                hub = Hub(anew, url)
                (anew / "config" / "hub.yaml").write_text(HUB, encoding="utf-8")
                other = Machine(hub, {}, machine.stack, configuration=machine.configuration)
                other.configured()
                assert (
                    checks.differences(checks.known(conn, machine.erased), checks.made_anew(machine, hub, conn)) == ""
                )


@pytest.fixture
def runner(
    tmp_path: Path, server_url: str, template: str, fresh_databases: FreshDatabases
) -> Iterator[Callable[..., Runner]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(count: int = WORLDS) -> Runner:
            worlds = []
            for number in range(count):
                url = stack.enter_context(databases.database(server_url, template))
                worlds.append(Machine.at(tmp_path / f"world-{number}", url, None, number))
            return Runner(tmp_path, server_url, template, fresh_databases, worlds)

        yield make


def fails(runner: Runner, world: int, operations: Sequence[Operation]) -> str | None:
    """What went wrong, if something did."""
    try:
        runner.run(world, operations)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def carry_out(runner: Runner, seed: str, world: int, operations: Sequence[Operation]) -> None:
    """Run a sequence; of one that fails say the shortest part that does."""
    said = fails(runner, world, operations)
    if said is None:
        return
    left = shrunk(operations, lambda fewer: fails(runner, world, fewer) is not None, SHRINKS)
    pytest.fail(
        f"seed {seed}, world {world}: {told(left)}\n{fails(runner, world, left) or said}\n"
        f"Once more: ONEFOLD_DRILL_SEQUENCE='{world} {told(left)}' pytest -m scale {__file__} -k one_sequence"
    )


@pytest.mark.scale
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_any_sequence_of_operations_ends_in_what_the_records_alone_say(
    part: int, runner: Callable[..., Runner], record_property: Callable[[str, object], None]
) -> None:
    at, began = runner(), time.monotonic()
    count = so_many(SEQUENCES // PARTS)
    for number in range(count):
        seed = f"{SEED} {part} {number}"
        carry_out(at, seed, number % WORLDS, drawn(seed))
    took = time.monotonic() - began
    of = dict(at.done.most_common())
    record_property(
        PROPERTY, f"sequences, part {part}: {count}, {at.suspended} of them not compared; {took:.0f} s; {of}"
    )


@pytest.mark.scale
@pytest.mark.skipif("ONEFOLD_DRILL_SEQUENCE" not in os.environ, reason="ONEFOLD_DRILL_SEQUENCE is not set")
def test_one_sequence_that_is_given(runner: Callable[..., Runner]) -> None:
    world, operations = os.environ["ONEFOLD_DRILL_SEQUENCE"].split(" ", 1)
    runner().run(int(world), [tuple(one) for one in json.loads(operations)])


def test_a_few_sequences(runner: Callable[..., Runner]) -> None:
    at = runner(1)
    for number in range(2):
        carry_out(at, f"few {number}", 0, drawn(f"few {number}"))
    assert at.done["run"] >= 2

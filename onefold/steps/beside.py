"""Work in processes beside this one, one for each core: for what holds the interpreter most of its time.

The processes are this module, run with pipes as their input and output. They end when their input does, so also when
the process that started them is killed; what started it (a script, a notebook, a scheduler) is not loaded again.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from onefold import logs

log = logging.getLogger("onefold.steps.beside")  # a process beside runs this module as its main one
Item = TypeVar("Item")
Made = TypeVar("Made")
Setup = TypeVar("Setup")
Opener = Callable[[Setup], AbstractContextManager[Callable[[Item], Made]]]
"""A function of a module that gives the work to do, ready; it, its argument, items and results are pickled."""


class _Worker:
    """A process that works items one after the other."""

    def __init__(self, opener: Opener[Any, Any, Any], setup: Any) -> None:
        # A session of its own: Ctrl-C is for this process, which ends that one by closing its input.
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **logs.handed_on()},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        _send(self._in, (sys.path, opener, setup))

    def work(self, item: Any) -> Any:
        """What the process makes of the item; raises what it raised."""
        _send(self._in, item)
        is_made, found = pickle.load(self._out)
        if not is_made:
            raise found
        return found

    def close(self) -> None:
        """End the process, also in the midst of its work."""
        self._process.kill()
        self._in.close()
        self._out.close()
        self._process.wait()


def beside(
    opener: Opener[Setup, Item, Made], setup: Setup, items: Iterable[Item], processes: int
) -> Generator[Made, None, None]:
    """What the work of `opener(setup)` makes of the items, in their order; at most two a process are on their way."""
    waiting: deque[Future[Made]] = deque()
    free: SimpleQueue[_Worker] = SimpleQueue()

    def work(item: Item) -> Made:
        worker = free.get()
        try:
            made: Made = worker.work(item)
        finally:
            free.put(worker)
        return made

    with ThreadPoolExecutor(processes, thread_name_prefix="beside") as pool:
        workers = [_Worker(opener, setup) for _ in range(processes)]
        try:
            for worker in workers:
                free.put(worker)
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            for worker in workers:
                worker.close()


def _send(pipe: IO[bytes], what: Any) -> None:
    pickle.dump(what, pipe, protocol=5)
    pipe.flush()


def main() -> None:
    """The process: what comes in is worked, until nothing more comes."""
    outside = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    with closing(outside), logs.of_worker():
        sys.path, opener, setup = pickle.load(sys.stdin.buffer)
        logs.tell(log, logging.DEBUG, "worker.started", "a process beside begins")
        with opener(setup) as work:
            while True:
                try:
                    item = pickle.load(sys.stdin.buffer)
                except EOFError:
                    return
                try:
                    answer = True, work(item)
                except Exception as error:
                    answer = False, error
                _send(outside, answer)


if __name__ == "__main__":
    main()

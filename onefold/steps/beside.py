"""Work in processes beside this one, one for each core: for what holds the interpreter most of its time.

The processes are this module, run with pipes as their input and output; or, where that is asked for and safe, copies of
this process, which have everything loaded. They end when their input does, so also when the process that started them
is killed; what started it (a script, a notebook, a scheduler) is not loaded again.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from queue import SimpleQueue
from typing import IO, Any, Final, NoReturn, Protocol, TypeVar

from onefold import logs

log = logging.getLogger("onefold.steps.beside")  # a process beside runs this module as its main one
Item = TypeVar("Item")
Made = TypeVar("Made")
Setup = TypeVar("Setup")
Opener = Callable[[Setup], AbstractContextManager[Callable[[Item], Made]]]
"""A function of a module that gives the work to do, ready; it, its argument, items and results are pickled."""


class _Process(Protocol):
    """A process that can be ended."""

    def kill(self) -> None:
        """End it, whatever it does."""

    def wait(self) -> int:
        """Until it has ended."""


class _Copy:
    """A copy of this process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        """End it; it is not waited for yet, so that its number is nobody else's."""
        os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Until it has ended."""
        return os.waitpid(self._pid, 0)[1]


class _Worker:
    """A process that works items one after the other."""

    def __init__(self, process: _Process, inside: IO[bytes], outside: IO[bytes]) -> None:
        self._process, self._in, self._out = process, inside, outside
        self._job: tuple[Any, Any] | None = None

    @classmethod
    def started(cls) -> _Worker:
        """A new interpreter."""
        # A session of its own: Ctrl-C is for this process, which ends that one by closing its input.
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **logs.handed_on()},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        _send(process.stdin, sys.path)
        return cls(process, process.stdin, process.stdout)

    @classmethod
    def copied(cls, others: Iterable[_Worker]) -> _Worker:
        """A copy of this process, in a session of its own, that keeps open nothing of `others`."""
        (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()
        for stream in (sys.stdout, sys.stderr):
            if stream:  # there is none where it was closed
                stream.flush()  # or what it holds would be written twice
        with warnings.catch_warnings():
            # Of any thread, since Python 3.12; see `copies`.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _be_copy((its_in, its_out), [our_out, our_in, *(end for other in others for end in other.ends)])
        os.close(its_in)
        os.close(its_out)
        return cls(_Copy(pid), os.fdopen(our_out, "wb"), os.fdopen(our_in, "rb"))

    @property
    def ends(self) -> tuple[int, int]:
        """This process's ends of the pipes."""
        return self._in.fileno(), self._out.fileno()

    def work(self, opener: Opener[Any, Any, Any], setup: Any, item: Any) -> Any:
        """What the process makes of the item; raises what it raised."""
        job = opener, setup
        is_known = self._job is not None and all(one is other for one, other in zip(self._job, job, strict=True))
        _send(self._in, (None if is_known else job, item))
        is_made, found = pickle.load(self._out)
        if not is_made:
            self._job = None  # it may have another one by now
            raise found
        self._job = job
        return found

    def close(self) -> None:
        """End the process, also in the midst of its work."""
        self._process.kill()
        with suppress(OSError):  # what could not be sent is still to be sent
            self._in.close()
        self._out.close()
        self._process.wait()


class Team:
    """Processes that stay for several kinds of work, one after the other."""

    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in workers:
            self._free.put(worker)
        self._pool = ThreadPoolExecutor(max(1, len(workers)), thread_name_prefix="beside")

    def __len__(self) -> int:
        """How many they are."""
        return len(self._workers)

    def begin(self, opener: Opener[Setup, Item, Made], setup: Setup, item: Item) -> Future[Made]:
        """What `opener(setup)` makes of one item, once a process is free."""

        def work() -> Made:
            worker = self._free.get()
            try:
                made: Made = worker.work(opener, setup, item)
            finally:
                self._free.put(worker)
            return made

        return self._pool.submit(work)

    def each(
        self, opener: Opener[Setup, Item, Made], setup: Setup, items: Iterable[Item], *, joining: bool = False
    ) -> Generator[Made]:
        """What the work of `opener(setup)` makes of the items, in their order; at most two a process are on their way.

        `joining`: this process works too, instead of waiting for the others.
        """
        waiting: deque[Future[Made]] = deque()
        with ExitStack() as stack:
            here = stack.enter_context(opener(setup)) if joining or not self._workers else None
            try:
                for item in items:
                    if here is not None and sum(not one.done() for one in waiting) >= 2 * len(self):
                        made: Future[Made] = Future()
                        made.set_result(here(item))
                        waiting.append(made)
                    else:
                        waiting.append(self.begin(opener, setup, item))
                    if here is None and len(waiting) >= 2 * len(self):
                        yield waiting.popleft().result()
                    while waiting and waiting[0].done():
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def close(self) -> None:
        """End the processes, also in the midst of their work."""
        for worker in self._workers:
            worker.close()
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def team(processes: int) -> Iterator[Team]:
    """So many processes, until the end of the block."""
    with closing(Team([_Worker.started() for _ in range(processes)])) as made:
        yield made


@contextmanager
def copies(processes: int) -> Iterator[Team]:
    """So many copies of this process, until the end of the block, ready at once; none where a copy would not be safe.

    Safe is a process without a thread that may hold a lock, on Linux: Arrow, OpenBLAS and the C library have handlers
    for their own threads. And one whose standard streams are open, or a pipe would get the number of one.
    """
    workers: list[_Worker] = []
    has_streams = None not in (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if sys.platform == "linux" and has_streams and threading.active_count() == 1:
        for _ in range(processes):
            workers.append(_Worker.copied(workers))
    with closing(Team(workers)) as made:
        yield made


def beside(
    opener: Opener[Setup, Item, Made], setup: Setup, items: Iterable[Item], processes: int
) -> Generator[Made, None, None]:
    """What the work of `opener(setup)` makes of the items, in their order; at most two a process are on their way."""
    with team(processes) as made:
        yield from made.each(opener, setup, items)


def _send(pipe: IO[bytes], what: Any) -> None:
    pickle.dump(what, pipe, protocol=5)
    pipe.flush()


_STANDARD_INPUT: Final = 0


def _be_copy(ends: tuple[int, int], foreign: list[int]) -> NoReturn:
    """The copy: works what comes in and ends, without a step of what this process was about to do."""
    code = 1
    try:
        os.setsid()
        for end in foreign:
            os.close(end)
        os.dup2(os.open(os.devnull, os.O_RDONLY), _STANDARD_INPUT)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        gc.freeze()  # what the two have in common stays in common
        with os.fdopen(ends[0], "rb") as inside, os.fdopen(ends[1], "wb") as outside:
            _serve(inside, outside)
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _serve(inside: IO[bytes], outside: IO[bytes]) -> None:
    """Work what comes in, until nothing more comes."""
    os.dup2(2, 1)  # what a library prints is no answer
    logs.tell(log, logging.DEBUG, "worker.started", "a process beside begins")
    with ExitStack() as stack:
        work: Callable[[Any], Any] | None = None
        while True:
            try:
                job, item = pickle.load(inside)
            except EOFError:
                return
            try:
                if job is not None or work is None:
                    stack.close()
                    opener, setup = job
                    work = stack.enter_context(opener(setup))
                answer = True, work(item)
            except Exception as error:
                answer = False, error
            _send(outside, answer)


def main() -> None:
    """The process: what comes in is worked, until nothing more comes."""
    with os.fdopen(os.dup(1), "wb") as outside, logs.of_worker():
        os.dup2(2, 1)
        sys.path = pickle.load(sys.stdin.buffer)
        _serve(sys.stdin.buffer, outside)


if __name__ == "__main__":
    main()

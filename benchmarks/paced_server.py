"""A register of any size on 127.0.0.1 that takes its time and remembers when it was asked.

`python benchmarks/paced_server.py --records 1000000 --page-size 1000 --latency-ms 200 --seconds 600` prints its port
and serves `GET /contacts?page=N` (from 1), made when it is asked for: the contacts of contacts_server.py over and over,
each with an id of its own. `GET /asked` tells, as JSON, page and time (seconds, monotonic) of every request so far.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from contacts_server import KeepAlive, answered, contact, run


class Register:
    """The contacts and what was asked of them."""

    def __init__(self, records: int, page_size: int, latency: float) -> None:
        self.records, self.page_size, self.latency = records, page_size, latency
        self.pages = -(-records // page_size)
        made = [contact(number, changed=False) for number in range(1, page_size + 1)]
        # What follows the id, which is a contact's first field.
        self.tails = [json.dumps(one, ensure_ascii=False).encode().partition(b",")[2] for one in made]
        self.asked: list[tuple[int, float]] = []

    def page(self, number: int) -> bytes:
        """One page as a complete HTTP answer; empty behind the last."""
        first = (number - 1) * self.page_size
        count = max(0, min(self.page_size, self.records - first))
        items = b", ".join(b'{"id": %d,%b' % (first + i + 1, self.tails[i]) for i in range(count))
        return answered(b'{"page": %d, "pages": %d, "items": [%b]}' % (number, self.pages, items))


class PacedAnswer(KeepAlive):
    """Answers after the register's latency."""

    def __init__(self, register: Register) -> None:
        super().__init__()
        self.register = register

    def asked_for(self, path: str, page: int) -> None:
        """A page in due time, or at once what was asked so far."""
        if path == "/asked":
            self.transport.write(answered(json.dumps(self.register.asked).encode()))
            return
        self.register.asked.append((page, time.monotonic()))
        asyncio.get_running_loop().call_later(self.register.latency, self.reply, page)

    def reply(self, number: int) -> None:
        """A page; nothing where the reader has hung up (it was killed)."""
        if not self.transport.is_closing():
            self.transport.write(self.register.page(number))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--records", type=int, default=50_000)
    options.add_argument("--page-size", type=int, default=1_000)
    options.add_argument("--latency-ms", type=float, default=0)
    options.add_argument("--seconds", type=float, default=600)
    given = options.parse_args()
    register = Register(given.records, given.page_size, given.latency_ms / 1000)
    run(lambda: PacedAnswer(register), given.seconds)

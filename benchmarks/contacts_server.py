"""A CRM of many contacts on 127.0.0.1: 25 fields, pages prepared in memory, so that it is no bottleneck.

`python benchmarks/contacts_server.py --records 50000 --page-size 1000 --seconds 600` prints its port and
serves `GET /contacts?page=N` (from 1) of three page sets: `/base`, `/same` (equal content, spelled
differently) and `/changed` (every record has another status). `GET /use/NAME` switches the set behind
`/contacts`. It ends by itself after `--seconds`, or when its standard input closes, which is when its
parent ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

CITIES = ("Leeds", "Hamburg", "Казань", "Lyon", "Porto", "Gdańsk", "Turin", "Омск", "Malmö", "Ghent")
GIVEN = ("Anna", "Boris", "Clara", "Денис", "Elif", "Farid", "Greta", "Hugo", "Ирина", "Jonas")
FAMILY = ("Albers", "Bauer", "Costa", "Дроздов", "Evans", "Fischer", "Громова", "Hansen", "Ivanov", "Jansen")


def contact(number: int, changed: bool) -> dict[str, Any]:
    """One contact of 25 fields; a pure function of its arguments."""
    rng = random.Random(number)
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    return {
        "id": number,
        "external_id": f"EXT-{number:08d}",
        "given_name": given,
        "family_name": family,
        "middle_name": rng.choice((None, "A.", "Петровна", "Marie")),
        "email": f"{rng.randrange(10**9)}@example.com",
        "work_email": f"office{rng.randrange(10**6)}@example.org",
        "phone": f"+4930{rng.randrange(10**7, 10**8)}",
        "mobile": f"+7916{rng.randrange(10**6, 10**7)}",
        "birth_date": f"{rng.randrange(1940, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "company": f"{family} & Co. {rng.randrange(1000)}",
        "job_title": rng.choice(("buyer", "chief accountant", "директор", "engineer")),
        "street": f"{rng.choice(FAMILY)}straße {rng.randrange(1, 200)}",
        "city": rng.choice(CITIES),
        "postcode": f"{rng.randrange(10**4, 10**5)}",
        "country": rng.choice(("DE", "RU", "FR", "GB")),
        "language": rng.choice(("de", "ru", "fr", "en")),
        "owner_id": rng.randrange(1, 60),
        "lead_source": rng.choice(("web", "fair", "partner", "call")),
        "status": "won" if changed else rng.choice(("new", "open", "paused")),
        "score": round(rng.random() * 100, 2),
        "is_subscribed": rng.random() < 0.4,
        "tags": [rng.choice(("vip", "newsletter", "опт", "b2b")) for _ in range(2)],
        "created_at": f"2023-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}T09:15:00Z",
        "note": "Asked for a callback after the fair; prefers e-mail. " * rng.randrange(1, 4),
    }


def page_sets(records: int, page_size: int) -> dict[str, list[bytes]]:
    """Whole HTTP responses by set and page; one empty page follows the last."""
    sets: dict[str, list[bytes]] = {"base": [], "same": [], "changed": []}
    pages = -(-records // page_size)
    for page in range(pages):
        numbers = range(page * page_size + 1, min((page + 1) * page_size, records) + 1)
        base = [contact(number, changed=False) for number in numbers]
        # Equal content in another order of keys: what changes nothing must be seen as nothing.
        same = [dict(reversed(item.items())) for item in base]
        changed = [contact(number, changed=True) for number in numbers]
        for name, items in (("base", base), ("same", same), ("changed", changed)):
            sets[name].append(response(items, page + 1, pages))
    for prepared in sets.values():
        prepared.append(response([], pages + 1, pages))
    return sets


def response(items: list[dict[str, Any]], page: int, pages: int) -> bytes:
    """One page as a complete HTTP/1.1 answer."""
    return answered(json.dumps({"page": page, "pages": pages, "items": items}, ensure_ascii=False).encode())


def answered(body: bytes) -> bytes:
    """A body as a complete HTTP answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class KeepAlive(asyncio.Protocol, ABC):
    """GETs one after the other on one connection; nothing else is understood."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            parts = urlsplit(head.split(b" ", 2)[1].decode("ascii", "replace"))
            self.asked_for(parts.path, int(parse_qs(parts.query).get("page", ["1"])[0]))

    @abstractmethod
    def asked_for(self, path: str, page: int) -> None:
        """Answer, now or later."""


class PreparedAnswer(KeepAlive):
    """Answers at once from the chosen page set."""

    def __init__(self, sets: dict[str, list[bytes]], chosen: list[str]) -> None:
        super().__init__()
        self.sets, self.chosen = sets, chosen

    def asked_for(self, path: str, page: int) -> None:
        """A page, or another set from now on."""
        if path.startswith("/use/") and path[5:] in self.sets:
            self.chosen[0] = path[5:]
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif path != "/contacts" or page < 1:
            self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            pages = self.sets[self.chosen[0]]
            self.transport.write(pages[min(page, len(pages)) - 1])


async def serve(protocol: Callable[[], asyncio.Protocol], seconds: float) -> None:
    """Serve on a free port of the loopback interface until the time is over or standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent_ended = loop.run_in_executor(None, sys.stdin.buffer.read)
    async with server:
        await asyncio.wait([asyncio.ensure_future(parent_ended)], timeout=seconds)


def run(protocol: Callable[[], asyncio.Protocol], seconds: float) -> None:
    """`serve`, then leave at once."""
    asyncio.run(serve(protocol, seconds))
    # The thread that reads standard input may still be waiting; nothing is left to be tidied up.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--records", type=int, default=50_000)
    options.add_argument("--page-size", type=int, default=1_000)
    options.add_argument("--seconds", type=float, default=600)
    given = options.parse_args()
    sets, chosen = page_sets(given.records, given.page_size), ["base"]
    run(lambda: PreparedAnswer(sets, chosen), given.seconds)

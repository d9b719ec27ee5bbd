"""The read API under load: requests come at their times whether or not those before are answered, as users' do.

A request's time counts from when it was due, so that a server that stands still is not flattered. The client views are
of any client, and of those of any interaction: who has much comes up more.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
from common import Benchmark, parser
from serve import CLIENTS
from served_hub import CLIENTS_PER_RECORD, add_keep, filled

WARM_SECONDS, CONNECTIONS = 3, 64
SCOPES = ("clients", "values", "match")


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def serving(config: Path, database: str, workers: int) -> Iterator[tuple[str, int]]:
    """`onefold serve` on loopback, until the end: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "onefold", "--config", config, "--home", config.parent / "var", "serve"]
    command += ["--port", str(port), "--workers", str(workers)]
    environment = {**os.environ, "ONEFOLD_DATABASE_URL": database}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=10).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def token(config: Path, database: str) -> str:
    """A token that may read clients."""
    from onefold.context import open_context
    from onefold.settings import Settings
    from onefold.steps.accounts import create_token

    settings = Settings(home=config.parent / "var", config=config, database_url=database)
    with open_context(settings) as context:
        made = create_token(context, f"benchmark {time.time()}", SCOPES, purpose="benchmark", by="x", valid_for=None)
    return made.token


async def load(
    address: str, secret: str, paths: Sequence[str], rate: int, seconds: float
) -> tuple[list[float], Counter[int]]:
    """Milliseconds of each request from when it was due, and how many were answered with which status.

    By bare sockets: who asks takes from the same cores, and a library's pool takes more the more requests wait.
    """
    host, _, port = address.removeprefix("http://").partition(":")
    taken: list[float] = []
    codes: Counter[int] = Counter()
    numbers = iter(range(int(rate * (seconds + WARM_SECONDS))))
    start = time.perf_counter() + 0.2

    async def keep_asking() -> None:
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
        for number in numbers:
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            path = paths[number % len(paths)]
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))
            codes[int(head.split(None, 2)[1])] += 1
            if number >= WARM_SECONDS * rate:
                taken.append(1000 * (time.perf_counter() - due))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(keep_asking() for _ in range(CONNECTIONS)))
    return taken, codes


def measure(benchmark: Benchmark, config: Path, database: str, given: Namespace) -> None:
    """Client views at the given rate."""
    from warehouse.connect import connect

    secret = token(config, database)
    with connect(database, application_name="benchmark") as conn:
        count = int(given.rate * (given.seconds + WARM_SECONDS))
        clients = [row[0] for row in conn.execute(CLIENTS, {"percent": 20, "n": 5 * count}).fetchall()]
    paths = [f"/v1/clients/{one}" for one in Random(given.seed).choices(clients, k=count)]
    with serving(config, database, given.workers) as (address, _):
        taken, codes = asyncio.run(load(address, secret, paths, given.rate, given.seconds))
    cuts = statistics.quantiles(taken, n=100)
    what = f"client views, {given.rate}/s for {given.seconds:g} s by {given.workers} workers"
    benchmark.add(f"{what}, p50", round(cuts[49], 1), "ms", at_least=False)
    benchmark.add("..., p99", round(cuts[98], 1), "ms", target=100, at_least=False)
    benchmark.add("..., longest", round(max(taken), 1), "ms", at_least=False)
    benchmark.add("..., not answered with 200", sum(codes.values()) - codes[200], "requests", target=0, at_least=False)


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--interactions", type=int, default=1_000_000)
    options.add_argument("--rate", type=int, default=200, help="requests a second")
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    add_keep(options)
    given = options.parse_args()
    clients, interactions = (5_000, 50_000) if given.small else (given.clients, given.interactions)
    benchmark = Benchmark("api")
    with filled(benchmark, clients, interactions, given) as (config, database):
        measure(benchmark, config, database, given)
    records = round(clients / CLIENTS_PER_RECORD)
    benchmark.note(f"{records:,} records, {interactions:,} interactions, seed {given.seed}; who asks shares the cores")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())

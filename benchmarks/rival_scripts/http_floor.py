"""The floor of landing: httpx + msgspec.Raw + COPY and nothing else, as an append and as a keyed upsert.

Keeps no checkpoint, history, queue or rejects; it is what the machine could do, not what a hub must do.
Arguments: ADDRESS append|upsert SET...; the database's URL comes in BENCH_DATABASE_URL. Prints one JSON
line.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time

import httpx
import msgspec
import psycopg


class Page(msgspec.Struct):
    """A page with its items undecoded."""

    page: int
    pages: int
    items: list[msgspec.Raw]


class Key(msgspec.Struct):
    """The only field that is looked at."""

    id: int


UPSERT = """
INSERT INTO floor_upsert (id, hash, payload)
SELECT page.id, page.hash, page.payload
FROM page
LEFT JOIN LATERAL (SELECT hash FROM floor_upsert AS old WHERE old.id = page.id OFFSET 0) AS stored ON true
WHERE stored.hash IS DISTINCT FROM page.hash
ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, payload = excluded.payload
"""


def prepare(conn: psycopg.Connection) -> None:
    """The two tables."""
    conn.execute("CREATE TABLE floor_append (payload jsonb NOT NULL)")
    conn.execute("CREATE TABLE floor_upsert (id bigint PRIMARY KEY, hash bytea NOT NULL, payload jsonb NOT NULL)")
    conn.execute("CREATE TEMP TABLE page (id bigint, hash bytea, payload jsonb) ON COMMIT DELETE ROWS")
    conn.commit()


def land(conn: psycopg.Connection, client: httpx.Client, address: str, how: str) -> int:
    """All pages, a transaction each; the number of records."""
    pages, keys, records, number = msgspec.json.Decoder(Page), msgspec.json.Decoder(Key), 0, 0
    while True:
        number += 1
        page = pages.decode(client.get(f"{address}/contacts", params={"page": number}).content)
        if how == "append":
            with conn.cursor().copy("COPY floor_append (payload) FROM STDIN") as copy:
                for item in page.items:
                    copy.write_row((bytes(item).decode(),))
        else:
            with conn.cursor().copy("COPY page (id, hash, payload) FROM STDIN") as copy:
                for item in page.items:
                    raw = bytes(item)
                    copy.write_row((keys.decode(raw).id, hashlib.blake2b(raw, digest_size=16).digest(), raw.decode()))
            conn.execute(UPSERT)
        conn.commit()
        records += len(page.items)
        if number >= page.pages:
            return records


def main() -> None:
    """Land each page set in turn and say how long each took."""
    address, how, *sets = sys.argv[1:]
    answer = {}
    with psycopg.connect(os.environ["BENCH_DATABASE_URL"]) as conn, httpx.Client(trust_env=False) as client:
        prepare(conn)
        for name in sets:
            client.get(f"{address}/use/{name}")
            started = time.perf_counter()
            records = land(conn, client, address, how)
            answer[name] = {"records": records, "seconds": time.perf_counter() - started}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

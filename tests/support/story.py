"""A hub's life at random, by the functions that the steps call: edits, deletions, merges, splits, undo, late facts."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg

from identity.schema import IDENTIFIER, RECORD
from tests.integration.warehouse.hub_rows import (
    NOW,
    assign,
    client,
    golden_row,
    interaction,
    party,
    rid,
    rows,
    store_parties,
)
from warehouse import facts, golden, shapes, standard
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

KEYS = {
    "dim_party": "client_id",
    "dim_client": "client_id",
    "dim_client_history": "client_id, valid_from",
    "xref_client_record": "record_id",
    "xref_client_redirect": "old_client_id",
    "fct_interaction": "record_id",
    "fct_interaction_line": "record_id, position",
    "fct_promise": "promise_key",
    "fct_interaction_as_of": "record_id",
    "bridge_relationship": "relationship_key",
    "client_field_lineage": "client_id",
}
"""View -> what an incremental reader replaces by."""
PARTIES = 12


@dataclass
class Story:
    """Twelve parties, and what becomes of them. `waiting` are the records that publish has to look at."""

    conn: psycopg.Connection[Any]
    seed: int
    clients: dict[str, str] = field(default_factory=dict)
    """Party -> its client; who has none was deleted."""
    minted: set[str] = field(default_factory=set)
    facts: dict[str, str] = field(default_factory=dict)
    """Order -> party."""
    waiting: set[int] = field(default_factory=set)
    undo: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """Merges that can be undone: who went, to whom, with which parties."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        for number in range(PARTIES):
            self._come(str(number))
        for number in range(2 * PARTIES):
            self._write(f"o{number}", str(number % PARTIES))
        self.publish()

    def go_on(self) -> None:
        """One thing happens."""
        happenings: tuple[tuple[Callable[[], None], int], ...] = (
            (self.merge, 3), (self.split, 2), (self.lift, 2), (self.leave, 1), (self.come_back, 2), (self.edit_party, 2),
            (self.edit_fact, 4), (self.delete_fact, 1), (self.late_fact, 2), (self.relate, 2),
        )  # fmt: skip
        (happening,) = self.random.choices([h for h, _ in happenings], [weight for _, weight in happenings])
        happening()

    def publish(self, share: float = 1.0) -> None:
        """Publish what waits, or a share of it."""
        chosen = sorted(self.waiting)
        if share < 1:
            chosen = self.random.sample(chosen, int(len(chosen) * share))
        self.waiting -= set(chosen)
        with unit_of_work(self.conn):
            hub_lock(self.conn)
            as_of = next_as_of(self.conn, lambda: NOW)
            touched = golden.touched_clients(self.conn, chosen)
            members: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for row in golden.load_contributions(self.conn, touched).to_pylist():
                members[row["client_id"]].append((row["source_key"], row["attributes"]))
            entries = [self._golden(client_id, records) for client_id, records in members.items()]
            golden.store_golden(self.conn, rows(shapes.GOLDEN, entries), touched, as_of=as_of)
            facts.refresh(self.conn, chosen, as_of=as_of)

    def _golden(self, client_id: str, records: list[tuple[str, str]]) -> dict[str, Any]:
        name = max(json.loads(text)["full_name"][0]["v"] for _, text in records)
        lineage = {"full_name": {"record_id": rid(records[0][0]), "rule": "latest", "losers": []}}
        attributes = json.dumps({"full_name": name, "phones": [key for key, _ in records]})
        return golden_row(
            client_id, name, record_count=len(records), attributes=attributes, lineage=json.dumps(lineage)
        )

    def merge(self) -> None:
        """Two clients are found to be one."""
        alive = sorted(set(self.clients.values()))
        if len(alive) < 2:
            return
        survivor, gone = self.random.sample(alive, 2)
        moved = [key for key, of in self.clients.items() if of == gone]
        self._assign(dict.fromkeys(moved, survivor), ("redirect", gone, survivor))
        self.undo.append((gone, survivor, moved))

    def lift(self) -> None:
        """The last merge that still can be is undone: the parties that went come back under their id."""
        while self.undo:
            gone, survivor, moved = self.undo.pop()
            back = [key for key in moved if self.clients.get(key) == survivor]
            if gone in self.clients.values() or not back or len(back) == list(self.clients.values()).count(survivor):
                continue
            self._assign(dict.fromkeys(back, gone), ("revive", gone, None))
            return

    def split(self) -> None:
        """One record leaves a client of several, for the id that it founded or would found."""
        among = [key for key, of in self.clients.items() if list(self.clients.values()).count(of) > 1]
        if not among:
            return
        key = self.random.choice(sorted(among))
        own = client(int(key) + 1)
        if own not in self.clients.values():
            self._assign({key: own}, ("revive" if own in self.minted else "mint", own, None))

    def leave(self) -> None:
        """A source deletes a record; a client without records is retired."""
        if len(self.clients) < PARTIES // 2:
            return
        key = self.random.choice(sorted(self.clients))
        with unit_of_work(self.conn):
            standard.store_parties(self.conn, RECORD.empty_table(), IDENTIFIER.empty_table(), [rid(key)])
        was = self.clients.pop(key)
        events = () if was in self.clients.values() else (("retire", was, None),)
        assign(self.conn, {rid(key): None}, *events)
        self.waiting.add(rid(key))

    def come_back(self) -> None:
        """A deleted record is there again."""
        gone = [str(n) for n in range(PARTIES) if str(n) not in self.clients]
        if gone:
            self._come(self.random.choice(gone))

    def edit_party(self) -> None:
        """A source changes a record's name or card."""
        key = self.random.choice(sorted(self.clients))
        self._store_party(key)
        self.waiting.add(rid(key))

    def edit_fact(self) -> None:
        """An order is corrected, perhaps also to whom it went; it comes back if it was deleted."""
        key = self.random.choice(sorted(self.facts))
        if self.random.random() < 0.2:
            self.facts[key] = str(self.random.randrange(PARTIES))
        self._write(key, self.facts[key])

    def delete_fact(self) -> None:
        """A source deletes an order."""
        key = self.random.choice(sorted(self.facts))
        with unit_of_work(self.conn):
            gone = standard.store_interactions(self.conn, None, None, None, [rid(key, "erp", "orders")])
        self.waiting.update(gone.all)

    def late_fact(self) -> None:
        """Something comes in that happened long ago, or for a party that is not there."""
        self._write(f"o{len(self.facts)}", str(self.random.randrange(PARTIES)), days=self.random.randrange(-2000, 3))

    def relate(self) -> None:
        """A record states whom it works for, or nobody any more."""
        key, other = (str(self.random.randrange(PARTIES)) for _ in range(2))
        entry = {"record_id": rid(key), "from_record_id": rid(key), "to_record_id": rid(other), "type": "works_at"}
        stated = None if self.random.random() < 0.4 else rows(shapes.RELATIONSHIP, [entry])
        with unit_of_work(self.conn):
            self.waiting.update(standard.store_relationships(self.conn, stated, [rid(key)]))

    def _come(self, key: str) -> None:
        own = client(int(key) + 1)
        self._store_party(key)
        event = () if own in self.clients.values() else (("revive" if own in self.minted else "mint", own, None),)
        self._assign({key: own}, *event)

    def _store_party(self, key: str) -> None:
        name = f"{self.random.choice('abcdef')}{key}"
        url = f"https://crm.example.org/{key}/{self.random.randrange(2)}"
        text = json.dumps({"full_name": [{"v": name}], "url": [{"v": url}]})
        with unit_of_work(self.conn):
            store_parties(self.conn, [party(key, name, attributes=text)])

    def _assign(self, links: dict[str, str], *events: tuple[str, str, str | None]) -> None:
        assign(self.conn, {rid(key): to for key, to in links.items()}, *events)
        self.clients |= links
        self.minted.update(links.values())
        self.waiting.update(map(rid, links))

    def _write(self, key: str, party_key: str, days: int = 0) -> None:
        """An order with a few lines and promises."""
        self.facts[key] = party_key
        chance, record_id = self.random, rid(key, "erp", "orders")
        at = NOW + timedelta(days=days)
        amounts = [f"{chance.randrange(1, 1000)}.{chance.randrange(10)}0" for _ in range(chance.randrange(4))]
        values = [str(chance.randrange(9)) for _ in range(chance.randrange(3))]
        entry = interaction(
            key, party_key, str(chance.randrange(10_000) / 100), occurred_at=at, occurred_on=at.date(), summary=f"{amounts} {values}"
        )  # fmt: skip
        lines = [{"record_id": record_id, "position": n + 1, "amount": amount} for n, amount in enumerate(amounts)]
        promises = [{"record_id": record_id, "kind": "discount", "due_value": value} for value in values]
        with unit_of_work(self.conn):
            stored = standard.store_interactions(
                self.conn,
                rows(shapes.INTERACTION, [entry]),
                rows(shapes.INTERACTION_LINE, lines),
                rows(shapes.PROMISE, promises),
            )
        self.waiting.update(stored.all)


def read(conn: psycopg.Connection[Any], view: str, columns: str = "*") -> list[str]:
    """All rows of a view as text, ordered."""
    return sorted(row[0] for row in conn.execute(f"SELECT v::text FROM (SELECT {columns} FROM {view}) AS v").fetchall())

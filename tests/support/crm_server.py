"""A CRM on a real server: it lists contacts by their time of change, takes batches of changes, refuses rows, asks to wait.

with crm() as system:
    system.put("1", name="Ann")
    system.url, system.manifest()
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.http_source import Asked, HttpSource, Reply, http_source, records

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


class Crm:
    """The system. `writes` holds the batches that it took in, each a list of [id, properties]."""

    def __init__(self, server: HttpSource) -> None:
        self.server, self.contacts = server, dict[str, dict[str, Any]]()
        self.writes: list[list[tuple[str, dict[str, Any]]]] = []
        self.keys: list[str] = []
        """Idempotence keys, in the order of coming."""
        self.refuses: Callable[[str, dict[str, Any]], str | None] = lambda _key, _fields: None
        """A code for a change that is not taken."""
        self.busy = 0
        """So many of the next writes are answered by 429."""
        self.mute = 0
        """So many of the next writes are taken, and the answer is cut off."""
        self.hold = threading.Event()
        self.hold.set()
        """While it is clear, a write waits: for its answer, or (`drops`) to be lost without being taken."""
        self.drops = False
        self.held = threading.Event()
        self.token = "made-up-token"
        self._ticks = 0
        server.answers = {
            "/contacts": self._list,
            "/contacts/batch/update": self._update,
            "/contacts/batch/read": self._read,
        }

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def put(self, key: str, **properties: Any) -> None:
        """A contact is made or changed by people."""
        known = self.contacts.get(key, {"id": key, "archived": False, "properties": {}})
        self.contacts[key] = {
            **known,
            "properties": {**known["properties"], **properties},
            "updatedAt": self._now(),
        }

    def archive(self, key: str) -> None:
        """A contact is deleted by people."""
        self.contacts[key] |= {"archived": True, "updatedAt": self._now()}

    def value(self, key: str, name: str) -> Any:
        """What stands in a field."""
        return self.contacts[key]["properties"].get(name)

    def _now(self) -> str:
        self._ticks += 1
        return (FIRST + timedelta(seconds=self._ticks)).isoformat()

    def _refused(self, asked: Asked) -> Reply | None:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return records({"message": "who are you"}, 401)
        return None

    def _list(self, asked: Asked) -> Reply:
        if refused := self._refused(asked):
            return refused
        since = asked.params.get("since", "")
        found = sorted((one for one in self.contacts.values() if one["updatedAt"] >= since), key=lambda one: one["id"])
        return records({"results": found})

    def _read(self, asked: Asked) -> Reply:
        ids = json.loads(asked.body)["ids"]
        return records({"results": [self.contacts[key] for key in ids if key in self.contacts]})

    def _update(self, asked: Asked) -> Reply:
        if refused := self._refused(asked):
            return refused
        if self.busy:
            self.busy -= 1
            return records({"message": "busy"}, 429, **{"Retry-After": "0"})
        if self.drops and not self.hold.is_set():
            self.held.set()
            self.hold.wait(30)
            return Reply(503)
        taken: list[tuple[str, dict[str, Any]]] = []
        errors: list[dict[str, Any]] = []
        for row in json.loads(asked.body)["inputs"]:
            key, fields = row["id"], row["properties"]
            code = "OBJECT_NOT_FOUND" if key not in self.contacts else self.refuses(key, fields)
            if code:
                errors.append({"id": key, "code": code, "message": f"cannot set {fields} of {key}"})
                continue
            taken.append((key, fields))
            # Setting what stands there already changes no time, as in real systems.
            if any(self.value(key, name) != value for name, value in fields.items()):
                self.put(key, **fields)
        self.writes.append(taken)
        self.keys.append(asked.headers.get("Idempotency-Key", ""))
        reply = records({"results": [{"id": key} for key, _ in taken], "errors": errors}, 207 if errors else 200)
        if self.mute:
            self.mute -= 1
            return Reply(reply.status, reply.body, reply.headers, announced=len(reply.body) + 10)
        if not self.hold.is_set():
            self.held.set()
            self.hold.wait(30)
        return reply

    def manifest(self, **more: Any) -> dict[str, Any]:
        """How the hub reads and writes it; `empty` is how it empties a field, all else is limits."""
        limits = {name: value for name, value in more.items() if name != "empty"}
        return {
            "base_url": self.url,
            "parameters": {"token": {"secret": True}},
            "auth": {"kind": "bearer", "token": "{token}"},
            "limits": {"backoff": 0.01, "attempts": 2, **limits},
            "streams": {
                "contacts": {
                    "path": "contacts",
                    "params": {"since": "{since}"},
                    "records": "results",
                    "key": "id",
                    "updated_at": "updatedAt",
                    "changes": {"format": "iso", "lookback": 0},
                    "deletes": [{"kind": "flag", "path": "archived"}],
                    "write": {
                        "path": "contacts/batch/update",
                        "method": "POST",
                        "batch": 3,
                        "headers": {"Idempotency-Key": "{token}"},
                        "body": {"inputs": {"$each": "rows", "$value": {"id": "{key}", "properties": "{fields}"}}},
                        "value": "properties.{field}",
                        **({"empty": more["empty"]} if "empty" in more else {}),
                        "answer": {
                            "accepted": {"rows": "results", "key": "id"},
                            "refused": {"rows": "errors", "key": "id", "code": "code", "message": "message"},
                        },
                        "look": {
                            "path": "contacts/batch/read",
                            "method": "POST",
                            "body": {"ids": "{keys}"},
                            "records": "results",
                        },
                    },
                }
            },
        }


@contextmanager
def crm() -> Iterator[Crm]:
    """A CRM for the length of the block."""
    with http_source() as server:
        system = Crm(server)
        try:
            yield system
        finally:
            system.hold.set()

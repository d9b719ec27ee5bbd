"""Writing to an HTTP source: what is asked, and what is made of the answers, whole and in part."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError, RetriableError, SourceConfigurationError
from connectors.page import Change, Receipt, StreamRequest, WritesBack
from connectors.rest.connector import RestConnector
from connectors.templates import render

REQUEST = StreamRequest("people", owned=("hub_id",))
WRITE: dict[str, Any] = {
    "path": "people/{key}",
    "method": "PUT",
    "headers": {"Idempotency-Key": "{token}"},
    "body": {"set": "{fields}"},
    "value": "custom.{field}",
    "marks": ["version"],
}
BATCH: dict[str, Any] = {
    "path": "people",
    "method": "POST",
    "batch": 4,
    "body": {"$each": "rows", "$value": {"id": "{key}", "set": "{fields}"}},
    "answer": {"in_order": {"ok": "ok", "code": "code", "message": "why"}, "busy": ["LOCKED"]},
}
Answer = Callable[[httpx.Request], httpx.Response]


def connector(write: dict[str, Any], answer: Answer) -> RestConnector:
    manifest = {
        "base_url": "https://crm.test",
        "limits": {"attempts": 2},
        "errors": [{"path": "error", "message": "error"}],
        "streams": {
            "people": {"path": "people", "key": "id", "updated_at": "at", "volatile": ["seen"], "write": write}
        },
    }
    return RestConnector("crm", {"manifest": manifest}, transport=httpx.MockTransport(answer), pause=lambda _: None)


def changes(*keys: str) -> list[Change]:
    return [Change(key, {"hub_id": f"client of {key}"}, f"{number:032x}") for number, key in enumerate(keys)]


def sent(write: dict[str, Any], answer: Answer, *keys: str) -> list[Receipt]:
    with connector(write, answer) as opened:
        assert isinstance(opened, WritesBack)
        return list(opened.write(REQUEST, changes(*keys)))


def test_one_record_is_named_in_the_path_and_the_change_by_its_key() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    assert sent(WRITE, answer, "7") == [Receipt("7", "accepted", "204")]
    assert (asked[0].method, asked[0].url.path) == ("PUT", "/people/7")
    assert asked[0].headers["Idempotency-Key"] == "0" * 32
    assert json.loads(asked[0].content) == {"set": {"hub_id": "client of 7"}}


@pytest.mark.parametrize(
    ("response", "status", "code"),
    [
        (httpx.Response(404, json={"why": "no such"}), "refused", "404"),
        (httpx.Response(422, json={}), "refused", "422"),
        (httpx.Response(200, json={"error": "client of 7 is too long"}), "refused", "error"),
        (httpx.Response(200, content=b""), "accepted", "200"),
        (httpx.Response(200, json={"id": 7}), "accepted", "200"),
    ],
)
def test_a_refusal_is_a_receipt_and_shows_no_value(response: httpx.Response, status: str, code: str) -> None:
    (receipt,) = sent(WRITE, lambda _: response, "7")
    assert (receipt.status, receipt.code) == (status, code)
    assert "client of 7" not in (receipt.message or "")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(401, json={}), CredentialsError),
        (httpx.Response(403, json={}), CredentialsError),
        (httpx.Response(500, json={}), RetriableError),
        (httpx.Response(404, text="<html>proxy</html>"), SourceConfigurationError),
    ],
)
def test_what_says_nothing_of_the_row_is_no_receipt(response: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        sent(WRITE, lambda _: response, "7")


def test_rows_in_order_are_taken_refused_or_not_now() -> None:
    rows = [{"ok": True}, {"ok": False, "code": "BAD", "why": "client of b is bad"}, {"ok": False, "code": "LOCKED"}]
    receipts = sent(BATCH, lambda _: httpx.Response(200, json=rows), "a", "b", "c")
    assert receipts == [
        Receipt("a", "accepted", "200"),
        Receipt("b", "refused", "BAD", "*** is bad"),
        Receipt("c", "unknown", "LOCKED"),
    ]


def test_an_answer_with_too_few_rows_says_nothing_of_any() -> None:
    receipts = sent(BATCH, lambda _: httpx.Response(200, json=[{"ok": True}]), "a", "b")
    assert [one.status for one in receipts] == ["unknown", "unknown"]


def test_a_row_that_is_in_neither_list_is_unknown() -> None:
    listed = {"accepted": {"rows": "done", "key": "id"}, "refused": {"rows": "bad", "shape": "map", "code": "code"}}
    answer = {"done": [{"id": 1}], "bad": {"2": {"code": "X"}}}
    receipts = sent({**BATCH, "answer": listed}, lambda _: httpx.Response(200, json=answer), "1", "2", "3")
    assert [(one.key, one.status, one.code) for one in receipts] == [
        ("1", "accepted", "200"),
        ("2", "refused", "X"),
        ("3", "unknown", "200"),
    ]


def test_a_batch_that_is_refused_whole_is_halved_until_the_row_stands_alone() -> None:
    asked: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids = [row["id"] for row in json.loads(request.content)]
        asked.append(ids)
        return httpx.Response(400, json={}) if "c" in ids else httpx.Response(200, json=[{"ok": True} for _ in ids])

    receipts = sent(BATCH, answer, "a", "b", "c", "d")
    assert [(one.key, one.status) for one in receipts] == [
        ("a", "accepted"), ("b", "accepted"), ("c", "refused"), ("d", "accepted"),
    ]  # fmt: skip
    assert asked == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]


def test_a_row_of_a_table_is_changed_among_the_others_and_is_added_at_its_end() -> None:
    table = {"match": "[0-9]+", "into": "extra", "key": "property", "value": "value", "row": {"type": "text"}}
    write = {
        **WRITE,
        "body": "{fields}",
        "table": table,
        "look": {"path": "people/{key}", "shape": "object"},
    }
    now = {
        "id": 7,
        "extra": [
            {"LineNumber": "1", "property": "1", "value": "old"},
            {"LineNumber": "2", "property": "5", "value": "theirs"},
        ],
    }
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=now)
        bodies.append(json.loads(request.content))
        return httpx.Response(204)

    with connector(write, answer) as opened:
        opened.write(REQUEST, [Change("7", {"1": "new", "9": "added", "name": "plain"}, "0" * 32)])
        assert opened.look(REQUEST, ["7"], ["1", "9"]) == {"7": {"1": "old", "9": None}}
    (body,) = bodies
    assert body["name"] == "plain"
    assert [row["value"] for row in body["extra"]] == ["new", "theirs", "added"]
    assert body["extra"][2] == {"LineNumber": "3", "property": "9", "value": "added", "type": "text"}


def test_how_a_stream_is_written_is_told_without_asking() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is asked")

    with connector({**WRITE, "fields": "hub_[a-z]+"}, answer) as opened:
        writing = opened.writing(REQUEST, ["hub_id"])
        assert writing is not None
        assert (writing.batch, writing.paths, writing.can_look) == (1, {"hub_id": "custom.hub_id"}, False)
        assert set(writing.marks) == {"at", "version", "seen"}
        with pytest.raises(SourceConfigurationError, match="'name' cannot be written"):
            opened.writing(REQUEST, ["name"])


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ({**WRITE, "answer": {"in_order": {"ok": "ok"}, "refused": {"rows": "bad", "key": "id"}}}, "either `in_order`"),
        ({**WRITE, "answer": {"refused": {"rows": "bad"}}}, "needs `key`"),
        ({**WRITE, "fields": "("}, "not a regular expression"),
        ({**WRITE, "body": {"a": "{unknown}"}}, "unknown"),
        ({**WRITE, "batches": 2}, "batches"),
        ({**WRITE, "table": {"match": "x", "into": "a", "key": "b", "value": "c"}}, "needs `look`"),
    ],
)
def test_a_mistake_in_write_is_named(write: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceConfigurationError, match=said):
        connector(write, lambda _: httpx.Response(200))


def test_directives_of_bodies_that_write() -> None:
    names = {"owned": ["x", "a"], "fields": {"n": 1}, "text": "ä b"}
    assert render({"$append": "owned", "$to": ["a", "b"]}, names) == ["a", "b", "x"]
    assert render({"$append": "owned", "$to": ["a"]}, {}) == ["a"]
    assert render({"$merge": [{"id": 7}, "{fields}"]}, names) == {"id": 7, "n": 1}
    query = {"$query": {"id": 7, "is": True, "fields": {"T": "{text}", "L": ["p", "q"]}}, "$prefix": "call?"}
    assert (
        render(query, names) == "call?id=7&is=1&fields%5BT%5D=%C3%A4%20b&fields%5BL%5D%5B0%5D=p&fields%5BL%5D%5B1%5D=q"
    )
    rows = {"$each": "rows", "$value": {"id": "{key}", "all": {"$each": "pairs", "$value": "{field}={value}"}}}
    row = {"key": 7, "pairs": [{"field": "f", "value": 1}]}
    assert render(rows, {"rows": [row]}) == [{"id": 7, "all": ["f=1"]}]

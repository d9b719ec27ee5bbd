"""Paths, transforms and templates, compiled once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.mapping.paths import PathError, compile_reader, fields_of
from onefold.mapping.transforms import Unreadable, guarded

RECORD: dict[str, Any] = {
    "a": {"b": "x", "list": [{"k": 1, "v": "one"}, {"k": 2, "v": "two"}, {"k": 2, "v": None}]},
    "КонтактнаяИнформация": [
        {"Тип": "Телефон", "Представление": "+7 1"},
        {"Тип": "Адрес", "Представление": "Москва"},
    ],
    "E-mail адрес": "A@B.example",
    "Тел.": "1",
    "tags": ["p", "q"],
    "flag": True,
    "n": Decimal("1.50"),
    "first": " Anna ",
    "last": "",
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", "x"),
        ("a.list[0].v", "one"),
        ("a.list[-2].v", "two"),
        ("a.list[].v", ["one", "two", None]),
        ("a.list[k=1].v", "one"),
        ("КонтактнаяИнформация[Тип=Телефон].Представление", "+7 1"),
        ("E-mail адрес", "A@B.example"),
        ("E-mail адрес | lower", "a@b.example"),
        ("Тел.", "1"),
        ("tags[]", ["p", "q"]),
        ("tags[] | upper", ["P", "Q"]),
        ("flag", True),
        ("none", None),
        ("none | lower", None),
        ("missing.deep[0].x", None),
        ("a.b.c", None),
        ("a.list[9].v", None),
        ("first | trim | upper", "ANNA"),
        ("{first} {last}", "Anna"),
        ("{first}, {last}", "Anna"),
        ("{last}{none}", None),
        ("{a.b}-{a.list[0].v}", "x-one"),
        ("{first | upper}!", "ANNA!"),
    ],
)
def test_a_path_reads_what_stands_there(path: str, value: Any) -> None:
    assert compile_reader(path)(RECORD) == value


@pytest.mark.parametrize(
    ("path", "given_value", "value"),
    [
        ('x | split ","', "a, b,,c ", ["a", "b", "c"]),
        ('x | split ";" | lower', "A;B", ["a", "b"]),
        ("x | digits", "+7 (916) 1", "79161"),
        ("x | digits", "none", None),
        ('x | date "dd.MM.yyyy"', "31.01.2026", "2026-01-31"),
        ('x | date "d/M/yy"', "1/2/18", "2018-02-01"),
        ('x | date "MM/dd/yyyy"', "12/11/1978", "1978-12-11"),
        ('x | date "yyyyMMdd"', 20260131, "2026-01-31"),
        ('x | date "dd.MM.yyyy HH:mm"', "31.01.2026 17:05", "2026-01-31T17:05:00"),
        ('x | date "yyyy-MM-ddTHH:mm:ss"', "2026-01-31T17:05:00", "2026-01-31T17:05:00"),
        ('x | date "dd.MM.yyyy"', " ", None),
        ("x | epoch", 1769878800, "2026-01-31T17:00:00+00:00"),
        ("x | epoch", "1769878800000", "2026-01-31T17:00:00+00:00"),
        ("x | lower", 5, "5"),
        ("x | lower", {"a": 1}, None),
    ],
)
def test_a_transform_changes_the_value(path: str, given_value: Any, value: Any) -> None:
    assert compile_reader(path)({"x": given_value}) == value


def test_a_date_that_does_not_fit_is_unreadable_and_not_shown() -> None:
    with pytest.raises(Unreadable) as caught:
        compile_reader('x | date "dd.MM.yyyy"')({"x": "31.02.2026"})
    assert caught.value.reason == "unreadable-date"
    assert "31.02" not in str(caught.value)


def test_a_third_partys_function_that_fails_spoils_its_value_only() -> None:
    def broken(_value: Any) -> Any:
        raise RuntimeError("client data")

    with pytest.raises(Unreadable) as caught:
        guarded(broken, "mine")("x")
    assert caught.value.reason == "transform-failed"
    assert "client data" not in str(caught.value)


def test_the_value_itself_is_written_as_a_dollar() -> None:
    assert compile_reader("$")("sku-1") == "sku-1"


@pytest.mark.parametrize(
    "path", ["", " ", "| lower", "a |", "a | nope", "{a", "a}", "{}", "a[", "a | split", "a | date", "'a"]
)
def test_what_cannot_be_compiled_says_why(path: str) -> None:
    with pytest.raises(PathError):
        compile_reader(path)


def test_the_fields_that_an_expression_reads() -> None:
    assert fields_of("{given | trim} {family}") == ["given", "family"]
    assert fields_of('a.b | split "|" | lower') == ["a.b"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_payload_breaks_a_path(payload: Any) -> None:
    for path in ("a.b[0].c", "a[].b", "a[k=v].b", "{a} {b}", "a | lower", "a | digits"):
        compile_reader(path)({"a": payload, "b": payload})


def test_a_key_of_zeros_means_that_nothing_is_referred_to() -> None:
    read = compile_reader("Owner_Key | nonzero")
    assert read({"Owner_Key": "00000000-0000-0000-0000-000000000000"}) is None
    assert read({"Owner_Key": "00000000-0000-4000-8000-000000000001"}) == "00000000-0000-4000-8000-000000000001"

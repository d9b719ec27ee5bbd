"""Dotted paths: fields, positions, all elements, chosen rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.paths import PathError, compile_path, compile_paths

RECORD: dict[str, Any] = {
    "id": 7,
    "properties": {"email": "a@x.org", "first.name": "Анна"},
    "Тел. моб.": "+7",
    "phones": [{"type": "work", "n": 1}, {"type": "home", "n": 2}, {"type": "work", "n": 3}],
    "КонтактнаяИнформация": [
        {"Тип": "Телефон", "Представление": "1"},
        {"Тип": "АдресЭлектроннойПочты", "Представление": "2"},
    ],
    "tags": ["a", "b"],
    "codes": [{"no": Decimal("4.0"), "v": "four"}, {"no": True, "v": "true"}],
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 7),
        ("properties.email", "a@x.org"),
        ("properties.'first.name'", "Анна"),
        ('properties."first.name"', "Анна"),
        ("Тел. моб.", "+7"),
        ("phones[0].n", 1),
        ("phones[-1].n", 3),
        ("phones[9].n", None),
        ("phones[].n", 1),
        ("phones[type=home].n", 2),
        ("КонтактнаяИнформация[Тип=Телефон].Представление", "1"),
        ("tags[1]", "b"),
        ("codes[no=4].v", "four"),
        ("codes[no=true].v", "true"),
        ("codes[no='4'].v", "four"),
        ("nothing.deeper", None),
        ("missing", None),
        ("id.deeper", None),
        ("phones.n", None),
    ],
)
def test_a_path_gives_the_first_value(path: str, value: Any) -> None:
    assert compile_path(path).get(RECORD) == value


def test_a_path_gives_every_value() -> None:
    assert compile_path("phones[].n").all(RECORD) == [1, 2, 3]
    assert compile_path("phones[type=work].n").all(RECORD) == [1, 3]
    assert compile_path("missing[].n").all(RECORD) == []
    assert compile_path("nothing").all(RECORD) == [None]


@pytest.mark.parametrize("path", ["", "a..b", "a[0].", "a[", "a[x", "a]b", "a[0]b", ".a", "'a"])
def test_a_path_that_cannot_be_read_says_where(path: str) -> None:
    with pytest.raises(PathError, match="path"):
        compile_path(path)


def test_without_removes_what_a_path_names_and_leaves_the_record_alone() -> None:
    record = {"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, {"x": 3}], "v": 9, "d.t": 1}
    assert compile_path("v").without(record) == {
        "a": {"b": 1, "c": 2},
        "l": [{"x": 1, "y": 2}, {"x": 3}],
        "d.t": 1,
    }
    assert compile_path("a.b").without(record)["a"] == {"c": 2}
    assert compile_path("l[].x").without(record)["l"] == [{"y": 2}, {}]
    assert compile_path("l[x=3]").without(record)["l"] == [{"x": 1, "y": 2}]
    assert compile_path("l[0]").without(record)["l"] == [{"x": 3}]
    assert compile_path("missing.x").without(record) == record
    assert "d.t" not in compile_path("d.t").without(record)
    assert record["a"] == {"b": 1, "c": 2}


def test_paths_survive_records_that_are_no_objects() -> None:
    for value in (None, 3, "text", [1]):
        assert compile_path("a.b").get(value) is None
        assert compile_path("a[].b").all(value) == []


def test_one_text_or_several_compile_alike() -> None:
    assert [path.text for path in compile_paths("a")] == ["a"]
    assert [path.text for path in compile_paths(["a", "b.c"])] == ["a", "b.c"]


def test_a_path_of_thousands_of_letters_is_told_by_its_beginning() -> None:
    with pytest.raises(PathError, match="at character 5001") as told:
        compile_path("9" * 5000 + "'")
    assert len(str(told.value)) < 250

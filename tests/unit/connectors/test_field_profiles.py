"""What discovery tells of a sample of records."""

from __future__ import annotations

from connectors.fields import likely_key, profile


def test_nested_fields_come_with_paths_types_samples_and_fill() -> None:
    records = [
        {
            "id": 1,
            "p": {"mail": "a@x"},
            "phones": [{"n": "1"}, {"n": "2"}],
            "tags": ["t"],
            "on": "2024-01-01",
            "x": None,
        },
        {"id": 2, "p": {"mail": ""}, "phones": [], "tags": [], "on": "2024-01-02T10:00", "x": None},
        {"id": 3, "ok": True},
    ]
    found = {field.path: field for field in profile(records)}
    assert (found["id"].type, found["id"].filled, found["id"].samples) == ("number", 1.0, ("1", "2", "3"))
    assert found["p.mail"].type == "text"
    assert found["p.mail"].filled == round(1 / 3, 4)
    assert found["phones[].n"].samples == ("1", "2")
    assert found["tags[]"].samples == ("t",)
    assert found["ok"].type == "boolean"
    assert found["x"].filled == 0.0


def test_names_with_brackets_are_quoted_so_that_the_path_can_be_used() -> None:
    from connectors.paths import compile_path

    record = {"Сумма [руб]": 5}
    (field,) = profile([record])
    assert compile_path(field.path).get(record) == 5


def test_long_samples_are_cut() -> None:
    (field,) = profile([{"a": "x" * 500}])
    assert len(field.samples[0]) == 60


def test_a_key_is_distinct_filled_and_named_like_one() -> None:
    assert likely_key([{"name": "a", "Код": "1"}, {"name": "b", "Код": "2"}]) == "Код"
    assert likely_key([{"id": 1}, {"id": 1}]) is None
    assert likely_key([{"paid": 1}, {"paid": 2}]) is None
    assert likely_key([]) is None

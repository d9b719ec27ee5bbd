"""Files in which others say what they call our records."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.errors import OnefoldError, UsageError
from onefold.steps.named_ids import match_named_ids, name_index, read_named_ids

KEYS = [("crm", "contacts", "1"), ("crm", "companies", "1"), ("erp", "customers", "C-7"), ("erp", "crm:contacts", "9")]


def file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "ids.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_record_is_named_in_full_by_source_and_key_or_by_its_key(tmp_path: Path) -> None:
    path = file(tmp_path, "record_id,entity_id\ncrm:contacts:1,a\nERP:c-7,b\n9,c\ngone,d\n")
    found = match_named_ids(path, read_named_ids(path), KEYS)
    assert found.of == {0: "a", 2: "b", 3: "c"}
    assert found.unknown == ("gone",)


def test_a_record_may_be_named_by_three_columns_and_the_id_by_another(tmp_path: Path) -> None:
    path = file(tmp_path, "\ufefftheirs,key,stream,source\nX,1,companies,crm\n")
    assert match_named_ids(path, read_named_ids(path, "theirs"), KEYS).of == {1: "X"}


def test_a_name_in_full_is_nobody_elses_short_name() -> None:
    index = name_index([("a", "b", "c"), ("a", "x", "b:c")])
    assert index["a:b:c"] == 0
    assert index["b:c"] == 1
    assert name_index(KEYS)["1"] == -1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"ids\.csv:1: no column entity_id and record_id"),
        ("record_id\n1\n", r"ids\.csv:1: no column entity_id"),
        ("source,stream,entity_id\na,b,c\n", "no column record_id"),
        ("record_id,entity_id\n1,a\n1,b\n", r"ids\.csv:3: 1 stands twice"),
        ("record_id,entity_id\n1,a\n2\n", r"ids\.csv:3: no record_id or entity_id"),
        ("record_id,entity_id\n1,\n", r"ids\.csv:2: no record_id or entity_id"),
    ],
)
def test_what_cannot_be_read_is_named_by_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_named_ids(file(tmp_path, text))


def test_another_encoding_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no UTF-8"):
        read_named_ids(file(tmp_path, "record_id,entity_id\nИванов,a\n", "cp1251"))
    with pytest.raises(UsageError, match="There is no file"):
        read_named_ids(tmp_path / "nowhere.csv")


def test_names_of_several_records_and_several_names_of_one_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path, "record_id,entity_id\n1,a\n")
    with pytest.raises(OnefoldError, match="1 names several records"):
        match_named_ids(path, read_named_ids(path), KEYS)
    with pytest.raises(OnefoldError, match="under two names"):
        match_named_ids(path, {"erp:C-7": "a", "C-7": "b"}, KEYS)

"""Which files are read again, what a snapshot is, and how a killed run goes on."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import RetriableError, SourceConfigurationError
from connectors.files.connector import FilesConnector
from connectors.page import Page, StreamRequest

REQUEST = StreamRequest("clients", key="id", options={"page_size": 2})


def write(path: Path, ids: list[int], header: str = "id;name") -> None:
    path.write_text(header + "\n" + "".join(f"{number};n{number}\n" for number in ids))


def read(settings: Mapping[str, Any], state: Any = None, request: StreamRequest = REQUEST) -> list[Page]:
    with FilesConnector("acc", dict(settings)) as connector:
        return list(connector.read(request, json.loads(json.dumps(state)) if state else None))


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def test_one_file_is_a_snapshot_and_is_not_read_again_unchanged(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", [1, 2, 3])
    settings = {"path": "clients.csv", "base_dir": tmp_path}
    first = read(settings)
    assert [page.snapshot.is_complete for page in first if page.snapshot] == [False, True]
    assert len({page.snapshot.pass_id for page in first if page.snapshot}) == 1
    assert read(settings, first[-1].state) == []
    os.utime(tmp_path / "clients.csv", (1, 1))
    assert keys(read(settings, first[-1].state)) == []
    write(tmp_path / "clients.csv", [1, 3])
    again = read(settings, first[-1].state)
    assert keys(again) == ["1", "3"]
    assert again[-1].snapshot is not None
    assert first[-1].snapshot is not None
    assert again[-1].snapshot.pass_id != first[-1].snapshot.pass_id


def test_a_killed_run_goes_on_behind_its_last_page(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", list(range(1, 8)))
    settings = {"path": "clients.csv", "base_dir": tmp_path}
    whole = read(settings)
    for count in range(1, len(whole)):
        rest = read(settings, whole[count - 1].state)
        assert keys(whole[:count]) + keys(rest) == keys(whole)
        assert rest[-1].state == whole[-1].state
        assert [page.snapshot for page in rest] == [page.snapshot for page in whole[count:]]


def test_a_file_that_changed_after_a_kill_is_read_from_its_beginning(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", [1, 2, 3, 4])
    settings = {"path": "clients.csv", "base_dir": tmp_path}
    killed = read(settings)[0]
    write(tmp_path / "clients.csv", [9, 1, 2, 3, 4])
    rest = read(settings, killed.state)
    assert keys(rest) == ["9", "1", "2", "3", "4"]
    assert rest[-1].snapshot is not None
    assert killed.snapshot is not None
    assert rest[-1].snapshot.pass_id != killed.snapshot.pass_id


@pytest.mark.parametrize("path", ["in", "in/*.csv"])
def test_a_directory_or_glob_adds_new_and_changed_files_only(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.csv", [1, 2, 3])
    write(tmp_path / "in" / "b.csv", [4])
    settings = {"path": path, "base_dir": tmp_path}
    first = read(settings)
    assert keys(first) == ["1", "2", "3", "4"]
    assert all(page.snapshot is None for page in first)
    write(tmp_path / "in" / "c.csv", [5])
    write(tmp_path / "in" / "b.csv", [4, 6])
    second = read(settings, first[-1].state)
    assert keys(second) == ["4", "6", "5"]
    assert read(settings, second[-1].state) == []
    (tmp_path / "in" / "a.csv").unlink()
    assert keys(read(settings, second[-1].state)) == []
    for count in range(1, len(first)):
        rest = read(settings, first[count - 1].state)
        assert set(keys(first[:count]) + keys(rest)) == {"1", "2", "3", "4", "5", "6"} - {
            "1",
            "2",
            "3",
        } | set(keys(first[:count]))


def test_several_files_may_be_one_snapshot(tmp_path: Path) -> None:
    for name, ids in (("a", [1, 2]), ("b", [3])):
        write(tmp_path / f"{name}.csv", ids)
    settings = {"path": "*.csv", "base_dir": tmp_path, "mode": "snapshot"}
    first = read(settings)
    assert keys(first) == ["1", "2", "3"]
    (tmp_path / "b.csv").unlink()
    second = read(settings, first[-1].state)
    assert keys(second) == ["1", "2"]
    assert second[-1].snapshot is not None
    assert second[-1].snapshot.is_complete


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4])
def test_keyless_rows_keep_their_keys_when_a_run_is_killed(tmp_path: Path, killed_after: int) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("name\nx\ny\nx\nx\n")
    settings = {"path": "*.csv", "base_dir": tmp_path, "mode": "snapshot"}
    request = StreamRequest("clients", key="content", options={"page_size": 2})
    whole = read(settings, request=request)
    assert len(set(keys(whole))) == 8
    rest = read(settings, whole[killed_after - 1].state, request) if killed_after < len(whole) else []
    assert keys(whole[:killed_after]) + keys(rest) == keys(whole)


def test_another_key_or_option_reads_everything_again(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", [1])
    settings = {"path": "clients.csv", "base_dir": tmp_path}
    state = read(settings)[-1].state
    assert keys(read(settings, state, StreamRequest("clients", key="name"))) == ["n1"]


def test_columns_that_disappear_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "clients.csv", [1])
    settings = {"path": "clients.csv", "base_dir": tmp_path}
    state = read(settings)[-1].state
    write(tmp_path / "clients.csv", [1], header="id;title")
    with caplog.at_level(logging.WARNING):
        read(settings, state)
    assert "columns gone from clients.csv: name" in caplog.text


def test_a_missing_file_is_an_error_and_no_deletion(tmp_path: Path) -> None:
    with pytest.raises(SourceConfigurationError, match=r"acc:clients.*no such file.*clients\.csv"):
        read({"path": "clients.csv", "base_dir": tmp_path})


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    # So many rows that the pages parsed ahead are not all of them.
    write(tmp_path / "clients.csv", list(range(60_000)))
    with FilesConnector("acc", {"path": "clients.csv", "base_dir": tmp_path}) as connector:
        pages = connector.read(REQUEST, None)
        next(pages)
        write(tmp_path / "clients.csv", list(range(60_006)))
        with pytest.raises(RetriableError, match="changed while it was read"):
            list(pages)


def test_streams_name_their_files_in_settings_options_or_a_template(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", [1])
    write(tmp_path / "staff.csv", [2])
    by_settings = {"base_dir": tmp_path, "streams": {"clients": {"path": "clients.csv"}}}
    assert keys(read(by_settings)) == ["1"]
    by_options = StreamRequest("clients", key="id", options={"path": "staff.csv"})
    assert keys(read({"base_dir": tmp_path}, request=by_options)) == ["2"]
    assert keys(read({"base_dir": tmp_path, "path": "{stream}.csv"}, request=StreamRequest("staff", key="id"))) == ["2"]
    assert keys(read({"path": str(tmp_path)}, request=StreamRequest("staff", key="id"))) == ["2"]
    with FilesConnector("acc", {"path": str(tmp_path)}) as connector:
        assert [info.name for info in connector.discover()] == ["clients", "staff"]
        assert connector.check().streams == ["clients", "staff"]


def test_unknown_settings_are_named_without_their_values() -> None:
    with pytest.raises(SourceConfigurationError, match=r"pth.*not permitted") as caught:
        FilesConnector("acc", {"pth": "geheim.csv"})
    assert "geheim" not in str(caught.value)
    with (
        FilesConnector("acc", {"path": "x.csv"}) as connector,
        pytest.raises(SourceConfigurationError, match="delimeter"),
    ):
        list(connector.read(StreamRequest("clients", options={"delimeter": ";"}), None))


def changes_folder(folder: Path) -> dict[str, Any]:
    (folder / "in").mkdir()
    for name, lines in {"1": "1;Ann;\n2;Bob;\n", "2": "1;;D\n3;Cid;\n", "3": "2;Bert;\n"}.items():
        (folder / "in" / f"{name}.csv").write_text("id;name;action\n" + lines)
    deleted = {"path": "action", "equals": ["D"]}
    return {"path": "in", "base_dir": folder, "mode": "changes", "deleted": deleted}


def told(pages: list[Page]) -> list[tuple[list[str], list[str]]]:
    return [([row.key for row in page.rows], list(page.tombstones)) for page in pages if page.rows or page.tombstones]


def test_files_of_changes_tell_deletions_in_the_order_of_their_names(tmp_path: Path) -> None:
    pages = read(changes_folder(tmp_path))
    assert told(pages) == [(["1", "2"], []), (["3"], ["1"]), (["2"], [])]
    assert not any(page.snapshot for page in pages)


def test_a_file_of_changes_that_changes_is_read_again_with_all_behind_it_also_after_a_kill(tmp_path: Path) -> None:
    settings = changes_folder(tmp_path)
    first = read(settings)
    assert read(settings, first[-1].state) == []
    (tmp_path / "in" / "2.csv").write_text("id;name;action\n2;Robert;\n")
    again = read(settings, first[-1].state)
    assert told(again) == [(["2"], []), (["2"], [])]
    assert told(read(settings, again[0].state)) == [(["2"], [])]


def test_the_settings_may_name_the_key_of_streams_that_name_none(tmp_path: Path) -> None:
    write(tmp_path / "clients.csv", [1, 2])
    settings = {"path": "clients.csv", "base_dir": tmp_path, "key": "content"}
    (page,) = read(settings, request=StreamRequest("clients"))
    assert all(len(row.key) == 32 for row in page.rows)
    assert keys(read(settings)) == ["1", "2"], "the stream's own key stands over it"


def test_a_row_of_a_snapshot_may_say_that_its_record_is_gone(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text("id;closed\n1;\n2;yes\n")
    settings = {"path": "clients.csv", "base_dir": tmp_path, "deleted": {"path": "closed", "equals": ["yes"]}}
    (page,) = read(settings)
    assert ([row.key for row in page.rows], list(page.tombstones)) == (["1"], ["2"])


def test_discovery_tells_how_deletions_are_seen(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "sales.csv", [1])
    rules: list[tuple[dict[str, Any], str]] = [
        ({"path": "in/sales.csv"}, "snapshot"),
        ({"path": "in/*.csv"}, "none"),
        ({"path": "in/*.csv", "mode": {"replaces": "period", "column": "name"}}, "snapshot"),
        ({"path": "in/*.csv", "deleted": {"path": "gone"}}, "flag"),
    ]
    for settings, told_by in rules:
        with FilesConnector("acc", {"base_dir": tmp_path, **settings}) as connector:
            assert [info.deletes for info in connector.discover()] == [told_by], settings

"""The conformance suite for systems that are read from files: what every manifest with `connector: files` promises.

    class TestAcme(FilesSuite):
        folder = Path(__file__).with_name("acme")

The folder holds `first/` and `later/`, two deliveries of made-up files, and `expect.yaml`: the connector, `settings`,
the keys that a full read brings (`expect`), and what the second delivery adds and deletes (`later`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from connectors.cassette import Expected
from connectors.page import Page, State, StreamRequest
from connectors.registry import open_connector
from connectors.settings import Settings, validated
from connectors.testing_parts import Ledger, keys_of


class Deliveries(Settings):
    """What `expect.yaml` says."""

    connector: str
    source: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Expected]
    later: dict[str, Expected] = Field(default_factory=dict)


class FilesSuite:
    """Every test reads the real files of `folder`."""

    folder: ClassVar[Path]

    @cached_property
    def said(self) -> Deliveries:
        """The expectations."""
        from ruamel.yaml import YAML

        values = YAML(typ="safe", pure=True).load((self.folder / "expect.yaml").read_text("utf-8"))
        return validated(Deliveries, values, source=self.folder.name)

    def settings(self, where: Path) -> Mapping[str, Any]:
        """The source's settings for files in a folder."""
        return {"path": str(where), **self.said.settings}

    def read(self, name: str, where: Path, state: State | None = None, **options: Any) -> list[Page]:
        """The pages of a stream; `state` goes through JSON as in the database."""
        expected = self.said.expect[name]
        request = StreamRequest(name, expected.key, expected.updated_at, options={**expected.options, **options})
        saved = json.loads(json.dumps(state)) if state is not None else None
        with open_connector(self.said.connector, "it", self.settings(where)) as connector:
            return list(connector.read(request, saved))

    def test_the_files_are_found_and_every_stream_is_discovered(self) -> None:
        with open_connector(self.said.connector, "it", self.settings(self.folder / "first")) as connector:
            assert connector.check().message
            streams = {info.name: info for info in connector.discover()}
        for name, expected in self.said.expect.items():
            assert streams[name].fields or not expected.keys, f"discover shows no fields of `{name}`"
            assert streams[name].key, f"discover shows no key of `{name}`"

    def test_everything_is_read(self) -> None:
        for name, expected in self.said.expect.items():
            pages = self.read(name, self.folder / "first")
            assert Ledger().land(pages).alive == set(expected.keys), name
            assert sum(len(page.rejects) for page in pages) == expected.rejects, name

    def test_reading_again_gives_the_same_bytes_and_nothing_that_is_unchanged(self) -> None:
        for name in self.said.expect:
            first, second = (self.read(name, self.folder / "first") for _ in range(2))
            assert [page.rows for page in first] == [page.rows for page in second], name
            assert not first or not keys_of(self.read(name, self.folder / "first", first[-1].state)), name

    def test_a_kill_loses_nothing_and_ends_where_an_undisturbed_run_does(self) -> None:
        for name in self.said.expect:
            whole = self.read(name, self.folder / "first", page_size=1)
            for count in range(1, len(whole)):
                rest = self.read(name, self.folder / "first", whole[count - 1].state, page_size=1)
                assert keys_of(whole[:count]) + keys_of(rest) == keys_of(whole), f"{name}, killed after page {count}"
                assert rest[-1].state == whole[-1].state, f"{name}, killed after page {count}"

    def test_the_second_delivery_changes_what_it_says(self, tmp_path: Path) -> None:
        where = tmp_path / "in"
        shutil.copytree(self.folder / "first", where)
        first = {name: self.read(name, where) for name in self.said.later}
        shutil.copytree(self.folder / "later", where, dirs_exist_ok=True)
        for name, expected in self.said.later.items():
            ledger = Ledger().land(first[name])
            before = set(ledger.alive)
            second = self.read(name, where, first[name][-1].state)
            ledger.land(second)
            assert set(keys_of(second)) == set(expected.keys), name
            assert (before | set(keys_of(second))) - ledger.alive == set(expected.deleted), name

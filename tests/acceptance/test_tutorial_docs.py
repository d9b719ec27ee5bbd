"""The tutorial, followed to the letter from two files to a scheduled hub, on the embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import CHECKOUT, environment
from tests.support.follow import absent, blocks, follow
from tests.support.http_source import Asked, HttpSource, Reply, http_source
from tests.support.ready import programs
from warehouse.server import EmbeddedServer

PAGE, RUSSIAN = CHECKOUT / "docs" / "tutorial.md", CHECKOUT / "docs" / "tutorial.ru.md"


@pytest.fixture
def chat() -> Iterator[HttpSource]:
    """What takes the page's messages."""
    with http_source() as source:
        yield source


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder of a reader who stands in the repository, and an environment with `onefold` and a home of its own."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "docs").symlink_to(CHECKOUT / "docs")
    folders = os.pathsep.join([str(programs()), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environ = environment(PATH=folders, PYTHONPATH=str(CHECKOUT), HOME=str(tmp_path), COLUMNS="120")
    yield tmp_path / "repository", environ
    EmbeddedServer(tmp_path / "tour" / "hub" / "var" / "postgres").stop("immediate")


def test_the_tutorial_leads_from_two_files_to_a_scheduled_hub(
    reader: tuple[Path, dict[str, str]], chat: HttpSource
) -> None:
    told: list[Asked] = []

    def takes(asked: Asked) -> Reply:
        told.append(asked)
        return Reply(200)

    chat.answers["/hooks/onefold"] = takes
    folder, environ = reader
    _, hub = follow(PAGE, folder, environ, lambda text: text.replace("https://chat.example.com", chat.url))
    assert hub == folder.parent / "tour" / "hub"
    assert len(told) == 1
    applied = json.loads((hub / "var" / "applied.json").read_text("utf-8"))
    assert "Волкова" in json.dumps(applied, ensure_ascii=False)
    report = (hub.parent / "onefold-report.html").read_text("utf-8")
    assert "Петров" in report and not re.search(r"(?:src|href)=[\"']https?:", report)


def test_both_tutorials_have_the_same_commands_pieces_and_outputs() -> None:
    for kind in ("sh", "yaml", "text"):
        assert blocks(RUSSIAN, kind) == blocks(PAGE, kind)
    headings = [len(re.findall(r"^## ", page.read_text("utf-8"), re.M)) for page in (PAGE, RUSSIAN)]
    assert headings[0] == headings[1] == 8


def test_an_output_that_differs_is_seen() -> None:
    printed = "Sync\n crm 12 done\n shop 10 done\nDone in 3.2 s.\n"
    assert absent("crm 12 done\n...\nDone in 0.4 s.\n", printed) is None
    assert absent("crm 13 done\n", printed) == "crm 13 done"
    assert absent("shop 10 done\ncrm 12 done\n", printed) == "crm 12 done", "the order counts"

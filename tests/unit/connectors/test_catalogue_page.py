"""The page of the catalogue says of every connector what its manifest says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.files.system import FilesManifest
from connectors.manifest import Manifest
from connectors.registry import names, shipped

PAGES = Path(__file__).parents[3] / "docs" / "connectors"
LISTED = [name for name in names() if (found := shipped(name)) is not None and found.streams]


def rows() -> dict[str, list[str]]:
    """Connector -> the cells of its row."""
    lines = [line for line in (PAGES / "catalogue.md").read_text("utf-8").splitlines() if line.startswith("| [")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[1].strip("`"): row for row in cells}


def test_every_system_of_the_catalogue_is_listed_and_no_other() -> None:
    assert sorted(rows()) == sorted(LISTED)


@pytest.mark.parametrize("name", LISTED)
def test_a_row_says_what_the_manifest_says(name: str) -> None:
    manifest = shipped(name)
    _, _, streams, deletes, counted, written, proven = rows()[name]
    assert manifest is not None and int(streams) == len(manifest.streams)
    if isinstance(manifest, FilesManifest):
        assert (deletes, counted, written) == ("files", "", "")
    else:
        assert isinstance(manifest, Manifest)
        found = manifest.streams.values()
        kinds = {rule.kind for stream in found for rule in stream.deletes}
        assert set(deletes.split(", ")) == kinds
        told = sum(stream.count is not None or bool(getattr(stream.paging, "total", None)) for stream in found)
        assert counted == ("all" if told == len(found) else f"{told} of {len(found)}" if told else "")
        assert written == ", ".join(one for one, stream in manifest.streams.items() if stream.write)
    page = (PAGES / re.findall(r"\]\((\S+\.md)\)", rows()[name][0])[0]).read_text("utf-8")
    assert ("live" in proven) == ("Proven live" in page)

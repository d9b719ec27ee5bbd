"""docs/pictures are as they are drawn, say in words what they show, and are legible on white and on black."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.support.cli import CHECKOUT
from tests.support.pictures.drawn import FOLDER, pictures, stale

SVG = "{http://www.w3.org/2000/svg}"


def test_the_pictures_are_as_they_are_drawn() -> None:
    assert [path.name for path, _ in stale()] == [], "run: make reference"
    assert {path.name for path in FOLDER.iterdir()} == set(pictures())


@pytest.mark.parametrize("name", pictures())
def test_a_picture_says_in_words_what_it_shows_and_knows_light_and_dark(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert len((root.findtext(f"{SVG}title") or "").split()) >= 3
    assert len((root.findtext(f"{SVG}desc") or "").split()) >= 20
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for one in root.iter(f"{SVG}text"):
        # The charts' average character; nothing may run over the edge.
        assert float(one.attrib["y"]) < height
        if one.get("text-anchor") == "start":
            assert float(one.attrib["x"]) + 6.7 * len(one.text or "") <= width + 4, one.text


@pytest.mark.parametrize("name", pictures())
def test_a_picture_stands_on_a_page_with_words_for_those_who_do_not_see_it(name: str) -> None:
    pages = [path.read_text("utf-8") for path in (CHECKOUT / "docs").rglob("*.md")]
    shown = [alt for page in pages for alt in re.findall(rf"!\[([^\]]*)\]\([./]*pictures/{name}\)", page)]
    assert shown
    assert all(len(alt.split()) >= 3 for alt in shown)

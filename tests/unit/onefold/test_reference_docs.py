"""docs/reference says what the code says."""

from __future__ import annotations

import re

from tests.support.cli import CHECKOUT
from tests.support.reference.codes import MEANINGS
from tests.support.reference.pages import FOLDER, pages, stale
from tests.support.reference.variables import VARIABLES, named_in_code


def test_the_reference_is_current() -> None:
    assert [path.name for path, _ in stale()] == [], "run: make reference"
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages())


def test_every_variable_that_the_code_names_is_told() -> None:
    assert named_in_code() == set(VARIABLES)


def test_the_codes_are_those_of_the_operations_page() -> None:
    told = (CHECKOUT / "docs" / "operations.md").read_text("utf-8").split("## Exit codes")[1].split("\n## ")[0]
    assert {int(code) for line in re.findall(r"^\| ([\d, ]+) \|", told, re.M) for code in line.split(",")} == set(
        MEANINGS
    )


def test_every_error_with_a_code_of_its_own_has_a_code_that_is_told() -> None:
    codes = re.findall(r"^\| (\d+) \|", pages()["exit-codes.md"], re.M)
    assert {int(code) for code in codes} == set(MEANINGS)
    assert len(codes) > len(MEANINGS) + 20

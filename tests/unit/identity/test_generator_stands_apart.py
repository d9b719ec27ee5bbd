"""The generator of `ru_de` measures the matcher, so that it may know nothing of what the matcher knows."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("ru_de*.py")), ids=lambda path: path.name)
def test_the_generator_reads_no_table_of_the_matcher(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("ru_de") for name in foreign)
    assert ".yaml" not in path.read_text(encoding="utf-8")

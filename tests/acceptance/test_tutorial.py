"""The tutorial of the plug-in kit, followed to the letter in an environment of its own."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.cassette import load_cassette
from connectors.errors import SourceConfigurationError
from connectors.manifest_file import load_manifest
from connectors.scaffold import write_package
from tests.support.cli import CHECKOUT
from tests.support.follow import follow
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records

PAGE = CHECKOUT / "docs" / "connectors" / "tutorial.md"


@pytest.fixture
def acme() -> Iterator[HttpSource]:
    """The system that the page connects."""
    with http_source() as source:
        yield source


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A virtual environment that sees this one's packages, so that the reader's `pip install -e .` needs no network."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    packages = next(venv.glob("lib/python*/site-packages"))
    seen = [path for path in site.getsitepackages() if Path(path).is_dir()]
    lines = [f"import site; site.addsitedir({path!r})" for path in seen]
    (packages / "here.pth").write_text("\n".join([str(CHECKOUT), *lines]) + "\n", "utf-8")
    command = venv / "bin" / "onefold"
    command.write_text(f"#!{venv}/bin/python\nfrom onefold.cli.app import main\nmain()\n", "utf-8")
    command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONEFOLD_", "PYTEST_"))}
    return {
        **kept,
        "PATH": os.pathsep.join([str(venv / "bin"), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of `build_isolation`
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "COLUMNS": "120",
    }


def test_the_tutorial_leads_from_nothing_to_a_source(
    tmp_path: Path, environment: dict[str, str], acme: HttpSource
) -> None:
    def served(asked: Asked) -> Reply:
        assert {k.lower(): v for k, v in asked.headers.items()}["authorization"] == "Bearer made-up-token"
        recorded = load_cassette(tmp_path / "onefold-acme" / "tests" / "acme.cassette.yaml").exchanges
        for exchange in recorded:
            wanted = exchange.request.params
            assert isinstance(wanted, dict)
            if exchange.request.path == asked.path and asked.params == {k: str(v) for k, v in wanted.items()}:
                return records(exchange.response.body)
        return Reply(404)

    acme.answers |= {"/api/v1/contacts": served, "/api/v1/orders": served}
    steps, folder = follow(PAGE, tmp_path, environment, lambda text: text.replace("https://acme.example.com", acme.url))
    printed = [step.printed for step in steps]
    assert printed[1].split().count("acme") == 1
    assert [" passed" in text and "failed" not in text for text in (printed[0], printed[2])] == [True, True]
    assert all(word in printed[3] for word in ("orders", "contacts", "sweep", "Weber"))
    assert "made-up-token" not in (folder / "config" / "sources" / "crm.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["acme2", "my_crm"])
def test_a_scaffold_is_called_by_its_name_everywhere(name: str, tmp_path: Path) -> None:
    written = write_package(name, tmp_path)
    assert f"onefold_{name}/{name}.yaml" in {path.relative_to(written[0].parent).as_posix() for path in written}
    for path in written:
        text = path.read_text("utf-8")
        assert "acme" not in text.lower().replace("acme2", ""), path
        assert "acme22" not in text, path
    assert set(load_manifest(written[3], name).streams) == {"contacts"}
    assert load_cassette(written[4]).connector == name
    assert f'name = "onefold-{name.replace("_", "-")}"' in written[0].read_text("utf-8")


@pytest.mark.parametrize("name", ["Acme", "class", "1c", "a-b", "rest", "../x"])
def test_a_name_that_cannot_be_a_connectors_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceConfigurationError):
        write_package(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    write_package("acme", tmp_path)
    with pytest.raises(SourceConfigurationError, match="exists already"):
        write_package("acme", tmp_path)

"""What the documentation says is so: its commands run, its links lead somewhere, its options exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from identity.settings import load_settings
from identity.survive.settings import SurvivorshipSettings
from tests.support.cli import CHECKOUT, environment, onefold
from tests.support.ready import programs
from warehouse.server import EmbeddedServer

DOCS = CHECKOUT / "docs"
PAGES = sorted([*CHECKOUT.glob("README*.md"), CHECKOUT / "CHANGELOG.md", *DOCS.rglob("*.md")])
RUNS = re.compile(r"<!-- runs -->\n```sh\n(.*?)```", re.DOTALL)
IN_STARTER = re.compile(r"<!-- runs in the starter hub -->\n```sh\n(.*?)```", re.DOTALL)
OUTPUT = re.compile(r"<!-- output.*?-->\n```text\n(.*?)```", re.DOTALL)
SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MANY = 6
"""Calls; a page with more runs in make test-scale."""
CLIENTS = "id;ФИО;Телефон;E-mail\n1;Иванов Пётр Сергеевич;8 916 555-01-01;p@example.ru\n2;Керн Анна;;kern@example.ru\n"


def text(page: Path) -> str:
    """A page's source."""
    return page.read_text("utf-8")


def named(page: Path) -> str:
    """A page as tests are called by it."""
    return page.relative_to(CHECKOUT).as_posix()


def script(page: Path) -> str:
    """The page's runnable blocks, one after the other, without what sets up the environment that runs the test."""
    lines = [line for block in RUNS.findall(text(page)) for line in block.splitlines()]
    return "\n".join(line for line in lines if not line.startswith("make "))


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Path]:
    """A folder for hubs; their embedded databases stop with the test."""
    (tmp_path / "clients.csv").write_text(CLIENTS, encoding="cp1251")
    yield tmp_path
    for folder in tmp_path.glob("*/var/postgres"):
        EmbeddedServer(folder).stop("immediate")


def shell(commands: str, folder: Path, database_url: str, *, is_cold: bool = False) -> str:
    """What bash prints; it must end well. `onefold` is this environment's if it `is_cold`, or has imported all already.

    The test's own database serves where the commands are not about the embedded one: that saves its start each time.
    """
    kept = environment()
    if "onefold db" not in commands:
        kept["ONEFOLD_DATABASE_URL"] = database_url
    installed = str(Path(sys.executable).parent)
    found_in = os.pathsep.join([*([] if is_cold else [str(programs())]), installed, kept.get("PATH", os.defpath)])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**kept, "PATH": found_in, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def calls_of(page: Path) -> int:
    """How many programs a page starts."""
    return sum("onefold" in line for line in script(page).splitlines())


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.scale] if calls_of(page) > MANY and page.name != "README.md" else [])
        for page in PAGES if RUNS.search(text(page))
    ],
    ids=named,
)  # fmt: skip
def test_every_command_that_a_page_says_runs_runs_and_prints_what_it_shows(
    page: Path, playground: Path, database_url: str
) -> None:
    commands = script(page).replace("/data/clients.csv", str(playground / "clients.csv"))
    printed = words(shell(commands, playground, database_url, is_cold=page.name == "README.md"))
    for shown in OUTPUT.findall(text(page)):
        assert [line for line in words(shown) if line not in printed] == []


def test_the_commands_of_the_how_to_pages_run_in_the_starter_hub_one_after_the_other(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = sorted((DOCS / "howto").glob("*.md"))
    lines = [line for page in pages for block in IN_STARTER.findall(text(page)) for line in block.splitlines()]
    assert len(lines) >= 20
    printed: dict[str, str] = {}
    monkeypatch.chdir(tmp_path)
    for line in ["onefold init .", "onefold run", *lines]:
        call, _, file = line.split("#")[0].partition(" > ")
        program, *arguments = shlex.split(call)
        done = onefold("--database", database_url, *arguments)
        assert (program, done.code) == ("onefold", 0), line + done.said
        printed[line] = done.out
        if file.strip():
            Path(file.strip()).write_text(done.out, "utf-8")
    for shown in ("Judgement 1 (same)", "Judgement 2 (not same)", "Potsdam", "Nothing is rejected", "mailing"):
        assert any(shown in one for one in printed.values()), shown
    assert len(Path("news.jsonl").read_text("utf-8").splitlines()) > 3


def words(printed: str) -> list[str]:
    """Lines without figures and spacing: weights are data and may be tuned, words are what the page explains."""
    lines = (" ".join(re.sub(r"[-+]?[\d.]+|[-+]{2,}", "", line).split()) for line in printed.splitlines())
    return [line for line in lines if line]


def test_the_queries_of_the_warehouse_page_run_for_the_reader_and_find_the_starters_clients(
    playground: Path, database_url: str
) -> None:
    queries = SQL.findall(text(DOCS / "warehouse.md"))
    asked = " ".join(f"-c {shlex.quote(query)} -c '\\echo ==='" for query in queries)
    run = "onefold init hub > /dev/null && cd hub && onefold run --quiet > /dev/null\n"
    printed = shell(f"{run}onefold db psql --reader -- -v ON_ERROR_STOP=1 -At {asked}", playground, database_url)
    answers = printed.split("===\n")
    assert len(queries) >= 3
    assert "Anna Weber|anna.weber@mail.example|3" in answers[0]
    assert "Sales order" in answers[1]
    assert "lineage" not in answers[2]
    assert "Ana Weber" in answers[2]


def test_the_russian_readme_names_the_same_commands_as_the_english_one() -> None:
    def commands(page: str) -> list[list[str]]:
        found = (block for kind, block in BLOCK.findall(text(CHECKOUT / page)) if kind == "sh")
        return [shlex.split(line, comments=True) for block in found for line in block.splitlines()]

    assert commands("README.ru.md") == commands("README.md")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    broken = []
    for link in LINK.findall(re.sub(r"```.*?```", "", text(page), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(link)
    assert broken == []


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def calls(page: Path) -> Iterator[list[str]]:
    """Every `onefold ...` of a page, in shell blocks and within lines, as words; `a|b` stands for two commands."""
    source = text(page)
    lines = [line for kind, block in BLOCK.findall(source) if kind in ("sh", "", "ini") for line in block.splitlines()]
    lines += re.findall(r"`(onefold [^`]+)`", BLOCK.sub("", source))
    for line in lines:
        for called in re.findall(r"(?:^|[\s/(])onefold ([-a-z].*)$", re.sub(r"\s#\s.*$", "", line)):
            for part in re.split(r"&&|\|\||>>|[;>)]", called)[:1]:
                first, *rest = part.replace('"', " ").replace("'", " ").split() or [""]
                chosen = next((word for word in [first, *rest[:1]] if "|" in word), None)
                for option in chosen.split("|") if chosen else [""]:
                    yield [option if word == chosen else word for word in [first, *rest]]


@cache
def program() -> Any:
    """The real parser."""
    import typer

    from onefold.cli.app import _register, app

    _register()
    return typer.main.get_command(app)


def wrong(called: list[str]) -> str | None:
    """What the command line does not know of a call."""
    from onefold.cli.app import GLOBAL_OPTIONS

    command = program()
    own = called[: called.index("--")] if "--" in called else called
    rest = list(own)
    while hasattr(command, "commands"):
        named_here = [word for word in rest if not word.startswith("-")]
        if not named_here:
            break
        if named_here[0] not in command.commands:
            return f"no command {named_here[0]}"
        rest.remove(named_here[0])
        command = command.commands[named_here[0]]
    known = {*GLOBAL_OPTIONS, "-h", "--help", "--version"}
    for parameter in command.params:
        known |= {*parameter.opts, *parameter.secondary_opts}
    strange = [word for word in rest if word.startswith("-") and word.split("=")[0] not in known]
    return f"no option {strange[0]}" if strange else None


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    found = {" ".join(called): wrong(called) for called in calls(page)}
    assert {call: reason for call, reason in found.items() if reason} == {}


def test_the_commands_of_the_readme_are_seen_by_that_test() -> None:
    readme = [" ".join(called) for called in calls(CHECKOUT / "README.md")]
    assert {"init myhub", "doctor", "judge same", "judge not-same", "db url --reader"} <= set(readme)
    assert wrong(["run", "--no-such"]) == "no option --no-such"
    assert wrong(["db", "burn"]) == "no command burn"


def test_the_settings_that_the_matching_page_shows_are_accepted() -> None:
    found = {}
    for kind, block in BLOCK.findall(text(DOCS / "matching.md")):
        if kind == "yaml":
            found[block.splitlines()[0]] = YAML(typ="safe").load(block)
    settings = load_settings(found["# matching.yaml"])
    assert settings.person.link_at == 0.95
    assert "occupation" not in settings.person.compare
    assert SurvivorshipSettings.model_validate(found["# survivorship.yaml"]).fields["email"].keep == "all"


def test_every_served_view_stands_on_the_warehouse_page_and_every_page_in_the_index() -> None:
    definitions = "\n".join(text(file) for file in (CHECKOUT / "warehouse" / "sql" / "definitions").glob("*.sql"))
    views = set(re.findall(r"VIEW onefold_v1\.(\w+)", definitions)) | {"dim_client", "dim_party", "dim_client_history"}
    assert [view for view in sorted(views) if f"| `{view}` |" not in text(DOCS / "warehouse.md")] == []
    index = text(DOCS / "README.md")
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if page.name != "README.md"]
    assert [page for page in pages if f"]({page})" not in index] == []

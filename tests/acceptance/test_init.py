"""The first commands of a newcomer: four questions on a terminal, options elsewhere, and what a shell completes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cli import CHECKOUT, environment, onefold

CLIENTS = "Код;ФИО;Телефон\n1;Иванов Иван Петрович;8 916 555-00-01\n2;Керн Анна;8 903 555-00-02\n"


def typed(answers: list[str], folder: Path, *arguments: str) -> tuple[int, str]:
    """How `onefold init` ends on a terminal at which somebody types, and what is to be seen there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold", "init", *arguments],
        cwd=folder,
        env=environment(PYTHONPATH=str(CHECKOUT), LC_ALL="C.UTF-8", TERM="dumb"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown, waiting, until = b"", list(answers), time.monotonic() + 60
    try:
        while time.monotonic() < until:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed: the command has ended
                break
            if not part:
                break
            shown += part
            if waiting and re.search(rb"\]: $", shown):
                os.write(ours, waiting.pop(0).encode() + b"\n")
        return process.wait(30), shown.decode()
    finally:
        process.kill()
        os.close(ours)


def test_on_a_terminal_four_questions_are_asked(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text(CLIENTS, "utf-8")
    code, shown = typed(["ООО Пример", "ru", "", "clients.csv"], tmp_path, "hub")
    assert code == 0, shown
    assert len(re.findall(r"\]: ", shown)) == 4
    hub = (tmp_path / "hub" / "config" / "hub.yaml").read_text("utf-8")
    assert 'title: {ru: "ООО Пример"}' in hub and "currency: RUB" in hub
    assert "full_name: ФИО" in (tmp_path / "hub" / "config" / "sources" / "clients.yaml").read_text("utf-8")
    assert not (tmp_path / "hub" / ".env").exists(), "the embedded database needs none"
    assert "Next: cd hub && onefold doctor && onefold preview clients && onefold run" in shown


def test_return_four_times_writes_the_examples_and_yes_asks_nothing(tmp_path: Path) -> None:
    asked, shown = typed(["", "", "", ""], tmp_path, "a")
    silent, said = typed([], tmp_path, "b", "--yes")
    assert (asked, silent) == (0, 0), shown + said
    assert "]: " not in said
    sources = [sorted(path.name for path in (tmp_path / hub / "config" / "sources").iterdir()) for hub in "ab"]
    assert sources == [["customers.yaml", "shop.yaml"]] * 2
    assert onefold("--config", tmp_path / "a" / "config", "doctor").code == 0


def test_options_answer_where_nobody_types(tmp_path: Path) -> None:
    url = "postgresql://onefold:pw@db.example.com/hub"
    done = onefold(
        "init", tmp_path / "hub", "--title", "Пример", "--country", "RU", "--source", "bitrix24", "--database", url
    )
    assert done.code == 0, done.said
    assert "onefold source add bitrix24 --connector bitrix24" in done.out
    assert (tmp_path / "hub" / ".env").read_text("utf-8") == f"ONEFOLD_DATABASE_URL={url}\n"
    assert "pw" not in done.said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--source", "bitrx24"], "Did you mean bitrix24?"),
        (["--source", "nowhere.csv"], "no such file, folder or connector"),
        (["--country", "XX"], "ISO 3166"),
        (["--database", "mysql://h/x"], "postgresql://"),
    ],
)
def test_an_answer_that_cannot_be_writes_nothing(tmp_path: Path, options: list[str], says: str) -> None:
    done = onefold("init", tmp_path / "hub", *options)
    assert done.code == 2, done.said
    assert says in done.err
    assert not (tmp_path / "hub").exists()


def test_a_file_that_cannot_be_a_source_leaves_no_half_a_hub(tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4")
    done = onefold("init", tmp_path / "hub", "--yes", "--source", tmp_path / "notes.pdf")
    assert done.code != 0 and "notes.pdf" in done.err
    assert not (tmp_path / "hub").exists()


def test_what_to_type_next_for_a_package_is_a_command_that_is_taken(tmp_path: Path) -> None:
    done = onefold("init", tmp_path / "hub", "--yes", "--source", "singer:tap-rest-api-msdk")
    assert "onefold source add tap_rest_api_msdk --connector singer:tap-rest-api-msdk" in done.said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_calls_the_program_back(shell: str) -> None:
    done = onefold("completion", shell)
    assert done.code == 0, done.said
    assert f"complete_{shell}" in done.out and "_ONEFOLD_COMPLETE" in done.out


def test_bash_completes_commands_options_and_the_names_of_sources(tmp_path: Path) -> None:
    assert onefold("init", tmp_path / "hub").code == 0
    command = Path(sys.executable).parent / "onefold"
    script = """
        eval "$(onefold completion bash)"
        ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _onefold_completion onefold; echo "${COMPREPLY[*]}"; }
        ask onefold stan; ask onefold run --du; ask onefold preview s; ask onefold db mig
    """
    programs = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path / "hub",
        env=environment(PATH=programs, PYTHONPATH=str(CHECKOUT)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["standardise", "--due", "shop", "migrate"], done.stderr

"""A page of documentation, followed to the letter: its commands run, its pieces go where it says, its output is compared.

Blocks, in the order of the page: ```sh is run by bash, in the folder where the one before has ended. ```yaml behind a comment
`at the end of FILE`, `under LINE in FILE` or `new file FILE` is written there. ```text behind the comment `output` is what the
commands before it print: each line, in order, where figures that differ from run to run (times, seconds, bits, memory) are
not compared; a line of three dots leaves lines out.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:<!-- (?P<what>at the end of|under (?P<under>.+?) in|new file|output)(?: (?P<file>\S+))? -->\n)?"
    r"```(?P<kind>sh|yaml|text)\n(?P<text>.*?)```",
    re.DOTALL,
)
_DIFFERS = (
    re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d\+00:00)?"),
    re.compile(r"[-+]?\b\d[\d,]*\.\d+\b"),
    re.compile(r"\b\d+ MiB\b"),
    re.compile(r"(?<=127\.0\.0\.1:)\d+"),
    re.compile(r"[-+]{2,}"),
    re.compile(r"(?<![-\w])[0-9a-f]{8}(?![-\w])"),  # traces; an id of a client is longer
)


@dataclass(frozen=True)
class Step:
    """A block of commands, and what it printed on standard output."""

    commands: str
    printed: str


def blocks(page: Path, kind: str) -> list[str]:
    """The page's blocks of a kind, in order."""
    return [found["text"] for found in _BLOCK.finditer(page.read_text("utf-8")) if found["kind"] == kind]


def follow(
    page: Path, folder: Path, environ: Mapping[str, str], spelled: Callable[[str], str] = lambda text: text
) -> tuple[list[Step], Path]:
    """Do what the page says, beginning in `folder`; the steps, and the folder where it ends.

    `spelled` puts addresses that are here in the place of those that the page shows.
    """
    steps: list[Step] = []
    where = folder / ".where"
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        what, kind, text = found["what"], found["kind"], found["text"]
        if kind == "sh":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", f"{spelled(text)}\npwd > {where}"],
                cwd=Path(where.read_text("utf-8").strip()) if steps else folder,
                env=dict(environ), capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, text + done.stdout[-3000:] + done.stderr[-3000:]
            steps.append(Step(text, done.stdout))
        elif what == "output":
            missing = absent(text, steps[-1].printed)
            assert missing is None, f"not printed by\n{steps[-1].commands}: {missing}\n{steps[-1].printed}"
        elif kind == "yaml" and what:
            _put(Path(where.read_text("utf-8").strip()) / found["file"], what, found["under"], spelled(text))
    return steps, Path(where.read_text("utf-8").strip())


def absent(shown: str, printed: str) -> str | None:
    """The first line of `shown` that `printed` does not have after the one before; None if it has them all."""
    there = iter(_lines(printed))
    for line in _lines(shown):
        if line != "..." and line not in there:
            return line
    return None


def _lines(text: str) -> list[str]:
    for pattern in _DIFFERS:
        text = pattern.sub("#", text)
    lines = (" ".join(line.replace("─", "").split()) for line in text.splitlines())
    return [line for line in lines if line]


def _put(target: Path, what: str, under: str | None, text: str) -> None:
    if what == "new file":
        assert not target.exists(), f"{target} is there already"
        target.write_text(text, "utf-8")
        return
    before = target.read_text("utf-8")
    if not under:
        target.write_text(before + text, "utf-8")
        return
    lines = before.splitlines(keepends=True)
    place = next((number for number, line in enumerate(lines) if line.split("#")[0].strip() == under), None)
    assert place is not None, f"{target} has no line {under}"
    target.write_text("".join([*lines[: place + 1], text, *lines[place + 1 :]]), "utf-8")

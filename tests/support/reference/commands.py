"""The command line as a page, from the parser itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from onefold.cli.app import EPILOG, _register, app

LATER = "Everything else"
ORDER = ("Start", "Hub", "Sources", "Pipeline", "Clients", "Matching", "Review", "For tools", LATER)


def commands_page() -> str:
    """All commands, grouped as `onefold --help` groups them, with their arguments and options."""
    _register()
    root: Any = typer.main.get_command(app)
    lines = [
        "# Command line",
        "",
        "Made from the program by `python -m tests.support.reference`; `onefold COMMAND --help` says the same.",
    ]
    lines += ["", _prose(EPILOG.replace("Exit codes:", "[Exit codes](exit-codes.md):")), ""]
    lines += ["| option | meaning |", "|---|---|", *_rows(root, "option"), ""]
    groups: dict[str, list[tuple[str, Any]]] = {}
    for name, command in root.commands.items():
        groups.setdefault(command.rich_help_panel or LATER, []).append((name, command))
    for title in sorted(groups, key=lambda one: (ORDER.index(one) if one in ORDER else len(ORDER), one)):
        lines += [f"## {title}", ""]
        for name, command in groups[title]:
            for words, one in _leaves((name,), command):
                lines += [*_section(words, one), ""]
    return "\n".join(lines).rstrip() + "\n"


def _leaves(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, one in command.commands.items():
        yield from _leaves((*words, name), one)


def _section(words: tuple[str, ...], command: Any) -> Iterator[str]:
    called = f"onefold {' '.join(words)}"
    arguments = [_argument(one) for one in command.params if one.param_type_name == "argument"]
    yield f"### {called}"
    yield ""
    yield _prose(command.help or "")
    yield ""
    options = list(_rows(command, "option"))
    yield "```text"
    yield " ".join([called, *arguments, *(["[OPTIONS]"] if options else [])])
    yield "```"
    rows = [*_rows(command, "argument"), *options]
    if rows:
        yield from ("", "| argument or option | meaning |", "|---|---|", *rows)


def _rows(command: Any, kind: str) -> Iterator[str]:
    context = typer.Context(command, info_name="onefold")
    for one in command.params:
        if one.param_type_name != kind or one.hidden:
            continue
        if kind == "argument":
            written = f"`{_argument(one)}`"
        else:
            said = one.get_help_record(context)[0].replace("|", " or ").replace(" <bool>", "")
            written = "`" + re.sub(r"<list.(.+).>", r"<\1> ...", said) + "`"
        facts = [_prose(one.help or "")]
        if one.default not in (None, False, ()) and not callable(one.default) and "efault" not in facts[0]:
            facts.append(f"Default: `{getattr(one.default, 'value', one.default)}`.")
        yield f"| {written} | {' '.join(fact for fact in facts if fact).replace('|', chr(92) + '|')} |"


def _argument(one: Any) -> str:
    name = one.name.upper() + ("..." if one.nargs == -1 or "list" in str(one.type_descriptor.annotation) else "")
    return name if one.required else f"[{name}]"


def _prose(text: str) -> str:
    """A docstring's paragraphs, one line each; examples as code, and nothing read as HTML."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(_example(part) for part in paragraphs).replace("<", "&lt;")


def _example(paragraph: str) -> str:
    found = re.search(r"(?:^|(?<=\. ))Examples?: (?=onefold |psql )", paragraph)
    if found is None:
        return paragraph
    calls = ", ".join(f"`{call.strip()}`" for call in paragraph[found.end() :].split("; "))
    return f"{paragraph[: found.start()].strip()}\n\n{found[0]}{calls}".strip()

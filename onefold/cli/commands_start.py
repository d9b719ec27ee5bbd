"""The first commands of a newcomer: init, completion."""

from __future__ import annotations

import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.app import app
from onefold.cli.opening import invocation

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.trying.inputs import Input

EXAMPLES, LATER = "examples", "later"


class Shell(StrEnum):
    """Shells that can be taught the commands."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@app.command(rich_help_panel="Start")
def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")] = Path(),
    title: Annotated[str | None, typer.Option(help="Whose clients these are: the company's name.")] = None,
    country: Annotated[
        str | None,
        typer.Option(help="Where most of them are, such as RU, DE, US: phones, time zone, currency, language."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="What to begin with: a file or a folder, a connector, `examples` or `later`."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: what is not said is as in the examples.")
    ] = False,
) -> None:
    """Write a commented configuration that runs as it is; on a terminal it asks four questions first.

    They are: the company's name, its country, where the database lives (the embedded one, or a PostgreSQL of yours:
    `--database`, which goes to .env), and the first source. Elsewhere, and with --yes, the options answer them.

    Examples: onefold init myhub && cd myhub && onefold run; onefold init myhub --title "ООО Пример" --country RU
    --source clients.csv --yes
    """
    from onefold.configuration.starter import Answers, write_starter

    given = invocation(ctx)
    output = given.output
    database = given.database
    if sys.stdin.isatty() and not yes and not output.as_json:
        title = title or _ask("Whose clients are these (the company's name)", "My company")
        country = country or _ask("Country of most of them", _country_here())
        database = database or _ask("Database: embedded, or the URL of a PostgreSQL", "embedded")
        source = source or _ask("First source: a file, a folder, a connector, examples, later", EXAMPLES)
    begin = source or EXAMPLES
    inputs, connector = _beginning(begin)
    answers = Answers(title, _country(country), _database(database), begin == EXAMPLES)
    written = [str(path) for path in write_starter(folder, answers)]
    steps = ["onefold doctor", "onefold run"]
    if inputs:
        written += _added(folder, inputs, output)
        steps.insert(1, "onefold preview " + Path(written[-1]).stem)
    elif connector:
        name = re.sub(r"[^a-z0-9]+", "_", connector.rpartition(":")[2].lower()).strip("_")
        steps.insert(0, f"onefold source add {name} --connector {connector}")
    elif begin == LATER:
        steps.insert(0, "onefold source add NAME --connector files --path FILE")
    output.data({"written": written})
    for path in written:
        output.say(f"wrote {path}")
    output.say(f"Next: {' && '.join([f'cd {shlex.quote(str(folder))}', *steps])}", style="bold")


@app.command(rich_help_panel="Start")
def completion(shell: Annotated[Shell, typer.Argument(help="The shell you type in.")]) -> None:
    """Print what teaches a shell to complete commands, options and the names of sources.

    bash: eval "$(onefold completion bash)" in ~/.bashrc. zsh: the same with zsh in ~/.zshrc, after compinit. fish:
    onefold completion fish > ~/.config/fish/completions/onefold.fish

    Example: onefold completion bash
    """
    from typer._completion_shared import get_completion_script

    typer.echo(get_completion_script(prog_name="onefold", complete_var="_ONEFOLD_COMPLETE", shell=shell.value))


def _ask(question: str, default: str) -> str:
    return str(typer.prompt(question, default=default, err=True))


def _beginning(begin: str) -> tuple[list[Input], str | None]:
    """Files to read, or the connector to tell of. UsageError for what is neither."""
    from connectors.registry import names
    from onefold.errors import UsageError
    from onefold.nearest import nearest
    from onefold.trying.inputs import inputs_of

    if begin in (EXAMPLES, LATER):
        return [], None
    path = Path(begin).expanduser()
    if path.exists():
        return inputs_of([str(path.resolve())]), None
    known = names()
    if begin in known or begin.partition(":")[0] in ("singer", "airbyte"):
        return [], begin
    guess = nearest(begin, known)
    hint = f"Did you mean {guess}?" if guess else "`onefold connector list` shows the connectors."
    raise UsageError(f"{begin}: there is no such file, folder or connector.", hint)


def _added(folder: Path, inputs: list[Input], output: Output) -> list[str]:
    """Sources of what was named, as `onefold source add` writes them."""
    from onefold.settings import Settings
    from onefold.steps.source_add import source_add

    settings = Settings(home=folder / "var", config=folder / "config")
    files = []
    for one in inputs:
        added = source_add(settings, one.source, one.connector, one.settings)
        output.table(("stream", "field", "becomes", "because"), added.guesses, title="What was guessed: please look")
        files.append(added.file)
    return files


def _country(code: str | None) -> str | None:
    """A country's two letters. UsageError for others."""
    if code is None:
        return None
    from phonenumbers import SUPPORTED_REGIONS

    from onefold.errors import UsageError

    if code.upper() not in SUPPORTED_REGIONS:
        raise UsageError(f"{code}: no country has these two letters.", "Such as RU, DE, US (ISO 3166).")
    return code.upper()


def _database(url: str | None) -> str | None:
    """A PostgreSQL's URL; None for the embedded one. UsageError for what is no such URL."""
    from onefold.errors import UsageError

    if url in (None, "", "embedded"):
        return None
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            "The database's URL cannot be read.", "Such as postgresql://user:password@host/name, or `embedded`."
        )
    return url


def _country_here() -> str:
    """The country that the terminal's language names."""
    import locale

    from onefold.configuration.countries import COUNTRIES

    named = (locale.getlocale()[0] or "").partition("_")[2].upper()
    return named if named in COUNTRIES else "DE"

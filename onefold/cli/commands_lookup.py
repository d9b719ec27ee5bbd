"""lookup: search before create."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onefold.cli.output import Output

Kind = Literal["person", "organisation"]


@app.command(rich_help_panel="Clients")
def lookup(
    ctx: typer.Context,
    values: Annotated[
        list[str] | None, typer.Argument(help="ATTRIBUTE=VALUE; one attribute may come several times.")
    ] = None,
    kind: Annotated[Kind, typer.Option("--as", help="What it is.")] = "person",
    country: Annotated[
        str | None, typer.Option("--country", help="Of phones and addresses without one, as in DE.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Records as JSON lines instead: one object a line.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most clients to name.")] = 5,
    lang: Annotated[Literal["en", "ru"], typer.Option("--lang", help="The language of the evidence.")] = "en",
) -> None:
    """Search before create: which client a record that is not in any register yet would belong to, and why.

    It is compared as a run would compare it, with the same keys and weights; nothing is stored.

    Examples: onefold lookup family_name=Петров given_name=Иван phone="+7 916 555-00-01"

    onefold lookup --as organisation legal_name="ООО Ромашка" inn=7707083893

    onefold --json lookup --file new_cards.jsonl
    """
    from onefold.errors import UsageError
    from onefold.steps.lookup import Lookup, values_of

    if bool(values) == (file is not None):
        raise UsageError("Give either values or --file.", "As in `onefold lookup email=anna@example.com`.")
    with opened(ctx) as (context, output), context.connection("onefold lookup") as conn:
        search = Lookup(context, conn)
        if file is None:
            pairs = [_pair(text) for text in values or ()]
            found: Any = search.match(kind, pairs, country=country, limit=limit)
            _show(output, found, lang)
        else:
            found = []
            for number, document in _documents(file):
                named = document.pop("as", kind)
                try:
                    answer = search.match(named, values_of(document), country=country, limit=limit)
                except UsageError as error:
                    raise UsageError(f"{file}:{number}: {error}") from None  # with its hint
                output.say(f"line {number}:")
                _show(output, answer, lang)
                found.append({"line": number, **answer})
    output.data(found)


def _pair(text: str) -> tuple[str, str]:
    from onefold.errors import UsageError

    name, mark, value = text.partition("=")
    if not mark:
        raise UsageError(f"`{name}` has no value.", "Values are written ATTRIBUTE=VALUE.")
    return name.strip(), value


def _documents(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    from onefold.errors import UsageError

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}.") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                document = json.loads(line)
            except json.JSONDecodeError as error:
                raise UsageError(f"{path}:{number}:{error.colno}: this is no JSON: {error.msg}.") from None
            if not isinstance(document, dict):
                raise UsageError(f'{path}:{number}: a record is an object, as in {{"email": ...}}.')
            yield number, document


def _show(output: Output, found: dict[str, Any], lang: str) -> None:
    if not found["matches"]:
        output.say("No client is like this.")
    for match in found["matches"]:
        output.heading(f"{match['client_id']}  {match['display_name'] or ''}")
        output.say(
            f"{match['verdict']}: {match['bits']:+.1f} bits of {match['link_bits']:.1f} "
            f"(probability {match['probability']:.3f}), nearest record {match['record']}"
        )
        output.table(
            ("evidence", "bits"),
            [(one["words"][lang], f"{one['bits']:+.1f}") for one in match["evidence"]],
            right=(1,),
        )
    if found["truncated"]:
        output.say(f"More records share a key than the {found['compared']} that were compared.")

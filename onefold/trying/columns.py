"""What each column is taken for, why, how surely; and what somebody says instead (`--as`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from connectors.fields import quoted
from onefold.configuration.attributes import STANDARD
from onefold.configuration.kinds import by_likely_name, kinds_by_value
from onefold.configuration.proposals import Proposal, propose_mapping
from onefold.errors import UsageError
from onefold.nearest import did_you_mean
from onefold.trying.reading import sample

if TYPE_CHECKING:
    from onefold.trying.reading import Table

IGNORE: Final = "ignore"
KEY: Final = "key"
KIND: Final = "kind"
KINDS: Final = ("person", "organisation")
_EMPTY_TELLS: Final = "it is empty where the row is an organisation"
_LEAST_MIXED: Final = 0.1
"""Of the rows at least so many are of each kind where a file without a column of kinds holds both."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    title: str
    """Of the file, sheet or table."""
    column: str
    becomes: str | None
    """A standard attribute, `key`, `kind`, or None: it is not used."""
    because: str
    is_doubtful: bool
    filled: float
    """Share of the rows that have it, 0..1."""


@dataclass(frozen=True, slots=True)
class Told:
    """One `--as FILE:COLUMN=attribute`, or FILE=person|organisation."""

    file: str
    column: str | None
    becomes: str


@dataclass(frozen=True, slots=True)
class Understood:
    """A table as it is understood."""

    table: Table
    proposal: Proposal
    columns: tuple[Column, ...]

    @property
    def is_used(self) -> bool:
        """Its rows are persons or organisations."""
        return self.proposal.as_ in KINDS or isinstance(self.proposal.as_, Mapping)


def told_of(words: Iterable[str]) -> list[Told]:
    """`--as` as it was typed. UsageError for what cannot be meant."""
    made = []
    for word in words:
        place, equals, becomes = word.rpartition("=")
        becomes = becomes.strip().casefold()
        # A sheet is called FILE/SHEET; a column may hold a colon, a file's name does not.
        file, colon, column = place.partition(":")
        if not equals or not file or (colon and not column) or (not colon and becomes not in KINDS):
            raise UsageError(
                f"--as {word}: it is written FILE:COLUMN=attribute, or FILE=person, or FILE=organisation.",
                "Such as --as clients.csv:Code=customer_number; `ignore` for a column that is not to be used.",
            )
        known = (*STANDARD, IGNORE, KEY, KIND)
        if colon and becomes not in known:
            raise UsageError(f"--as {word}: there is no attribute {becomes}.", did_you_mean(becomes, known, 60))
        made.append(Told(file.strip().replace(" / ", "/"), column.strip() if colon else None, becomes))
    return made


def meant(told: Sequence[Told], title: str) -> list[Told]:
    """Those that speak of a file, sheet or table: by its name, with or without its ending; `*` of every one."""
    name = title.replace(" / ", "/")
    file = name.partition("/")[0]
    names = {name, file, file.rpartition(".")[0], name.rpartition("/")[2]}
    return [one for one in told if one.file == "*" or one.file in names]


def unused(told: Sequence[Told], understood: Sequence[Understood], left_out: Sequence[str]) -> None:
    """UsageError for a file or column that none of the tables has."""
    titles = [*(one.table.title for one in understood), *left_out]
    for one in told:
        mine = [known for known in understood if meant([one], known.table.title)]
        if not any(meant([one], title) for title in titles):
            raise UsageError(f"--as {one.file}: there is no such file here.", did_you_mean(one.file, titles))
        columns = [column.column for known in mine for column in known.columns]
        if one.column is not None and mine and one.column not in columns:
            raise UsageError(f"--as {one.file}: it has no column {one.column}.", did_you_mean(one.column, columns, 40))


def understand(table: Table, told: Sequence[Told]) -> Understood:
    """A table's columns recognised by name and content; what was said about them comes first."""
    mine = meant(told, table.title)
    said = {quoted(one.column): one.becomes for one in mine if one.column is not None}
    attributes = {path: becomes if becomes in STANDARD else None for path, becomes in said.items()}
    # By the key that the rows were read with, so that none is guessed.
    stream = replace(table.info, key=table.key)
    proposal, because = propose_mapping(stream, attributes), ""
    whole = next((one.becomes for one in mine if one.column is None), None)
    if whole is not None:
        proposal = propose_mapping(stream, attributes, whole)
    elif proposal.as_ in KINDS or KIND in said.values():
        kinds, because = _kinds(table, proposal, said)
        if kinds:
            # A column of kinds is nothing else; a name that is empty here and there is a name.
            only = {} if because == _EMPTY_TELLS else {kinds["when"]: None}
            proposal = propose_mapping(stream, {**only, **attributes}, kinds)
    proposal = replace(proposal, key=table.key)
    return Understood(table, proposal, tuple(_columns(table, proposal, said, because)))


def _kinds(table: Table, proposal: Proposal, said: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """`as: {when: ...}` of a table that holds both kinds, and why; nothing where it holds one."""
    told = next((path for path, becomes in said.items() if becomes == KIND), None)
    other = proposal.as_ if isinstance(proposal.as_, str) and proposal.as_ in KINDS else "person"
    samples = {field.path: field.samples for field in table.info.fields}
    for path in by_likely_name(samples):
        if path == told or (told is None and path not in said):
            by_value = kinds_by_value(samples[path])
            if by_value:
                return {"when": path, **by_value, "else": other}, "its values are kinds of client"
    if told is not None:
        raise UsageError(f"{table.title}: the values of {told} do not tell persons from organisations.")
    return _kinds_by_names(table, said)


def _kinds_by_names(table: Table, said: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Where a row has a firm's name or a person's and hardly ever both, the column that is empty tells the kind."""
    both = propose_mapping(table.info, dict.fromkeys(said), {"when": ""}).fields
    firm, person = (next(iter(both.get(name, ())), None) for name in ("legal_name", "family_name"))
    if firm is None or person is None:
        return {}, ""
    firms = persons = 0
    records = sample(table.rows)
    for record in records:
        values = [record.get(unquoted(path)) for path in (firm, person)]
        if None in values:  # an empty cell of a workbook is no text that a choice could name
            return {}, ""
        firms += bool(values[0]) and not values[1]
        persons += bool(values[1]) and not values[0]
    if min(firms, persons) < _LEAST_MIXED * len(records) or firms + persons < 0.9 * len(records):
        return {}, ""
    return {"when": person, "": "organisation", "else": "person"}, _EMPTY_TELLS


def _columns(table: Table, proposal: Proposal, said: Mapping[str, str], because: str) -> list[Column]:
    """Every column of the table with what became of it."""
    guessed = {guess.path: guess for guess in proposal.guesses}
    used = {path: attribute for attribute, paths in proposal.fields.items() for path in paths}
    keys = {table.key} if isinstance(table.key, str) else set(table.key)
    kind_path = proposal.as_["when"] if isinstance(proposal.as_, Mapping) else None
    made = []
    for field in table.info.fields:
        path, filled = field.path, field.filled or 0.0
        guess = guessed.get(path)
        found: tuple[str | None, str, bool]
        if path in used and guess is not None:
            of_kind = path == kind_path
            told = f"{guess.because}; {because}" if of_kind else guess.because
            found = used[path], told, guess.is_doubtful or of_kind
        elif path == kind_path:
            found = KIND, because, False
        elif path in keys:
            found = KEY, "it tells the rows apart", False
        else:
            found = None, "you said so" if path in said else "", False
        made.append(Column(table.title, unquoted(path), found[0], found[1], found[2], filled))
    return made


def unquoted(path: str) -> str:
    """A top-level path as the file has it."""
    return path[1:-1].replace("''", "'") if path.startswith("'") else path

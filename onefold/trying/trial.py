"""The trial as a whole: read, recognise, configure, resolve in memory, count, explain, write what was asked for."""

from __future__ import annotations

import re
import resource
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.fields import quoted
from identity.parallel import threads
from identity.schema import KINDS, WEIGHT_ONE_BIT
from onefold.errors import NothingFound, UsageError
from onefold.progress import SilentProgress
from onefold.steps.beside import Team, copies
from onefold.steps.collecting import rare_collections
from onefold.trying import columns as recognised
from onefold.trying.advice import advice
from onefold.trying.country import defaults_of
from onefold.trying.examples import doubtful, merges
from onefold.trying.findings import (
    Membership,
    Places,
    combinations,
    conflicts,
    file_counts,
    generic_values,
    shared,
)
from onefold.trying.folder import refuse_taken, write_configuration
from onefold.trying.inputs import Input, inputs_of
from onefold.trying.kernel import Resolved, run
from onefold.trying.outcome import Outcome
from onefold.trying.reading import LeftOut, Table, read_input

if TYPE_CHECKING:
    from onefold.progress import Progress, Stage
    from onefold.trying.columns import Told, Understood


MOST_PROCESSES: Final = 8
"""More would be of no use to what takes the longest."""
FEW_BYTES: Final = 100_000
"""Bytes of files below which nothing is worked beside this process."""
READ_BESIDE: Final = 4_000_000
"""Bytes of files from which on they are read beside each other; of fewer the rows take longer on their way."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for."""

    inputs: Sequence[str]
    """Files, folders, database URLs."""
    told: Sequence[str] = ()
    """`--as`, as it was typed."""
    country: str | None = None
    report: Path | None = None
    out: Path | None = None
    save: Path | None = None
    command: str = "onefold try"
    """What was typed, for the page."""


@dataclass(slots=True)
class _Clock:
    """Seconds by stage."""

    started: float
    stages: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        began = time.perf_counter()
        yield
        self.stages[name] = round(self.stages.get(name, 0.0) + time.perf_counter() - began, 3)


def trial(wish: Wish, progress: Progress, started: float | None = None) -> Outcome:
    """Try it. `started`: the clock (`time.perf_counter`) when the command began, so that imports count.

    UsageError and NothingFound say what to do; what cannot be read is left out and named, unless it is all there is.
    """
    clock = _Clock(time.perf_counter() if started is None else started)
    if wish.save is not None:
        refuse_taken(wish.save)
    country = wish.country.upper() if wish.country else None
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        raise UsageError(f"--country {wish.country}: a country is two letters, such as RU or DE.")
    told = recognised.told_of(wish.told)
    inputs = inputs_of(wish.inputs)
    # Before anything is read, which a thread does: this process is copied as it is now.
    with rare_collections(), copies(_helpers_for(inputs)) as helpers:
        with clock.stage("read"), progress.stage("read") as stage:
            tables, left_out = _read(inputs, told, stage, helpers)
            understood = [recognised.understand(table, told) for table in tables]
        recognised.unused(told, understood, [one.title for one in left_out])
        used = _used(understood, left_out)
        with _folder(wish.save) as folder:
            defaults = {one.table.source: said for one in used if (said := defaults_of(one, country))}
            configuration = write_configuration(folder, inputs, used, defaults)
            with clock.stage("resolve"):
                found = run(configuration, used, progress, helpers, every_client=wish.out is not None)
    with clock.stage("explain"), progress.stage("explain", 1):
        outcome, places = _outcome(found, used, understood, left_out, country)
    if wish.out is not None:
        from onefold.trying.workbook import write_merged

        with clock.stage("write workbook"), progress.stage("write workbook", 1), _writing(wish.out):
            write_merged(wish.out, found, places)
    written = {name: str(path) for name in ("report", "out", "save") if (path := getattr(wish, name)) is not None}
    clock.stages["total"] = round(time.perf_counter() - clock.started, 3)
    outcome = replace(outcome, seconds=clock.stages, memory_mib=_peak(found.processes), written=written)
    if wish.report is not None:
        from onefold.trying.page import page

        with _writing(wish.report):
            wish.report.write_text(page(outcome, wish.command), "utf-8")
    return outcome


def _read(
    inputs: Sequence[Input], told: Sequence[Told], stage: Stage, helpers: Team
) -> tuple[list[Table], list[LeftOut]]:
    """Every table, in the inputs' order: large files beside each other."""
    found: list[Table | LeftOut] = []
    if len(helpers) and len(inputs) > 1 and sum(map(_bytes_of, inputs)) >= READ_BESIDE:
        for parts in helpers.each(_reading, told, inputs, joining=True):
            found += parts
            stage.advance(sum(len(part.rows) for part in parts if isinstance(part, Table)))
    else:
        for one in inputs:
            found += read_input(one, Path(), partial(_key_of, told), stage)
    tables = [part for part in found if isinstance(part, Table)]
    return tables, [part for part in found if isinstance(part, LeftOut)]


@contextmanager
def _reading(told: Sequence[Told]) -> Iterator[Callable[[Input], list[Table | LeftOut]]]:
    """Reading, here or in another process."""
    with rare_collections(), SilentProgress().stage("read") as stage:
        yield lambda one: list(read_input(one, Path(), partial(_key_of, told), stage))


def _key_of(told: Sequence[Told], title: str) -> str | None:
    """The key that somebody has said a table has."""
    mine = recognised.meant(told, title)
    return next((quoted(one.column) for one in mine if one.column and one.becomes == recognised.KEY), None)


def _helpers_for(inputs: Sequence[Input]) -> int:
    """How many processes beside this one are worth their start."""
    if all("path" in one.settings for one in inputs) and sum(map(_bytes_of, inputs)) < FEW_BYTES:
        return 0
    return min(threads(), MOST_PROCESSES) - 1


def _bytes_of(one: Input) -> int:
    """How large a file is; of a database nothing is known."""
    path = one.settings.get("path")
    return Path(path).stat().st_size if path else 0


def _used(understood: Sequence[Understood], left_out: list[LeftOut]) -> list[Understood]:
    """The tables that are compared; the others are added to what is left out. NothingFound if none is."""
    # Said to be persons, and yet without a column that says who: its neighbours are compared all the same.
    used = [one for one in understood if one.is_used and one.proposal.fields]
    taken = {id(one) for one in used}
    left_out += [LeftOut(one.table.title, _why(one)) for one in understood if id(one) not in taken]
    if not used:
        reasons = "; ".join(f"{one.title}: {one.because.rstrip('.')}" for one in left_out)
        raise NothingFound(f"There is nothing to compare. {reasons}.", "Say what a column is: --as FILE:COLUMN=email.")
    return used


def _why(one: Understood) -> str:
    if one.proposal.as_ == "interaction":
        kind = one.proposal.interaction["type"]
        word = shlex.quote(f"{one.table.title.replace(' / ', '/')}=person")
        return f"its rows look like events ({kind}), not like clients; --as {word} says otherwise"
    return "no column looks like a name, an address or a number of a client"


@contextmanager
def _folder(save: Path | None) -> Iterator[Path]:
    """Where the configuration is written: for good, or for the trial."""
    if save is not None:
        with _writing(save):
            save.mkdir(parents=True, exist_ok=True)
        yield save
        return
    with tempfile.TemporaryDirectory(prefix="onefold-try-") as made:
        yield Path(made)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _outcome(
    found: Resolved,
    used: Sequence[Understood],
    understood: Sequence[Understood],
    left_out: Sequence[LeftOut],
    country: str | None,
) -> tuple[Outcome, Places]:
    member, places = Membership.of(found, used), Places(used)
    there = member.presence(len(used))
    counts = file_counts(used, member)
    notes = [f"{one.table.title}: {note}" for one in used for note in one.table.notes]
    rejects = sum((one.table.rejects for one in used), Counter[str]())
    notes += [f"{count:,} rows could not be read: {reason}." for reason, count in sorted(rejects.items())]
    if found.rejected:
        notes.append(f"{found.rejected:,} values or rows could not be mapped.")
    outcome = Outcome(
        files=tuple(counts),
        rows=sum(one.rows for one in counts),
        clients=member.clients,
        duplicates=sum(one.duplicates for one in counts),
        in_several=int((there.sum(axis=1) > 1).sum()),
        doubtful=found.resolution.cases.num_rows,
        columns=tuple(column for one in understood for column in one.columns),
        left_out=tuple(left_out),
        notes=tuple(notes),
        overlap=tuple(combinations(used, there)),
        shared=tuple(map(tuple, shared(there))),
        conflicts=tuple(conflicts(found.lost, places)),
        merges=tuple(merges(found, places)),
        questions=tuple(doubtful(found, places)),
        generic=tuple(generic_values(found)),
        advice=tuple(advice(found, used, country_said=country is not None)),
        weights=found.resolution.report.weights,
        thresholds={
            kind: {name: getattr(found.model.kind(kind), name) / WEIGHT_ONE_BIT for name in ("review", "link")}
            for kind in KINDS
        },
        trained=found.trained,
        rejected=found.rejected,
    )
    return outcome, places


def _peak(processes: int) -> int:
    """The most memory held, in MiB: by this process, and by those beside it, each counted as the largest with what
    it has in common with this one."""
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + child * processes) // unit

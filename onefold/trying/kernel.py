"""The pipeline in memory: mapping, standard forms, training, resolution, golden values; the functions of the steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from identity.minting import mint_all
from identity.model import MatchModel, prior_model
from identity.parallel import threads
from identity.register import Register
from identity.resolve import Resolution, together
from identity.schema import KINDS
from onefold.context import Context
from onefold.mapping import RawRow, compile_source
from onefold.settings import Settings
from onefold.steps.beside import Team, team
from onefold.steps.collecting import rare_collections
from onefold.steps.forms import party_forms
from onefold.steps.rules import standard_profile
from onefold.trying.kinds import Finding, Found, finding
from warehouse.keys import record_ids

if TYPE_CHECKING:
    from connectors.page import Row
    from identity.standard import Profile
    from onefold.configuration import Configuration
    from onefold.progress import Progress
    from onefold.trying.advice import Lacking
    from onefold.trying.columns import Understood
    from onefold.trying.findings import Lost


@dataclass(frozen=True)
class Resolved:
    """What a run would have stored."""

    context: Context
    records: pa.Table
    """identity.schema.RECORD in natural order."""
    identifiers: pa.Table
    model: MatchModel
    resolution: Resolution
    crosswalk: pa.Table
    """record_id, client_id; in the records' order."""
    golden: pa.Table
    """identity.survive.GOLDEN, by client_id; of clients of one record only where all were asked for."""
    rejected: int
    """Rows that could not be mapped, wholly or in part."""
    trained: tuple[str, ...]
    """Kinds whose weights were learnt from these records; the others keep the shipped ones."""
    lacking: tuple[Lacking, ...]
    """What records of each kind lack, in sentences."""
    lost: tuple[dict[str, Lost], ...]
    """In which attributes records of clients of each kind differ."""
    processes: int
    """That worked beside this one."""


def run(
    configuration: Configuration,
    understood: Sequence[Understood],
    progress: Progress,
    helpers: Team,
    *,
    every_client: bool = True,
) -> Resolved:
    """Resolve all rows of the tables that are used, exactly as a hub with this configuration would after training.

    `helpers`: processes beside this one, for whatever is large enough; without any, large tables have them started.
    `every_client`: golden values also of clients of one record, in which no records differ.
    """
    used = [one for one in understood if one.is_used]
    rows = sum(len(one.table.rows) for one in used)
    if not len(helpers) and rows >= BESIDE and threads() > 1:
        with team(threads() - 1) as started:
            return _run(configuration, used, progress, started, every_client=every_client)
    return _run(configuration, used, progress, helpers, every_client=every_client)


def _run(
    configuration: Configuration, used: Sequence[Understood], progress: Progress, helpers: Team, *, every_client: bool
) -> Resolved:
    folder = configuration.folder
    # Nothing is asked of a database: the URL is empty.
    context = Context(Settings(home=folder.parent / "var", config=folder), configuration, "", os.environ)
    rows = sum(len(one.table.rows) for one in used)
    setup = Setup(configuration, standard_profile(context))
    with rare_collections(), progress.stage("standardise", rows) as stage:
        parts = []
        for part in helpers.each(_standardising, setup, _portions(used, rows, len(helpers) + 1), joining=True):
            parts.append(part)
            stage.advance(part.rows)
    records = pa.concat_tables([part.records for part in parts])
    identifiers = pa.concat_tables([part.identifiers for part in parts])
    register = Register(records, identifiers, configuration.matching)
    prior = prior_model(configuration.matching)
    with progress.stage("learn weights from these records, and resolve", len(KINDS)) as stage:
        found = []
        # No variables of the environment: they may hold secrets.
        work = Finding(replace(context, environ={}), prior, every_client)
        for one in _of_kinds(helpers, work, register):
            found.append(one)
            stage.advance()
    resolution = together((one.resolution for one in found), register.records)
    models = {one.kind: one.model for one in found}
    model = MatchModel(2, "trained", models["person"], models["organisation"], prior.component_bound)
    return Resolved(
        context,
        register.records,
        identifiers,
        model,
        resolution,
        crosswalk=mint_all(resolution.labels).crosswalk,
        golden=pa.concat_tables([one.golden for one in found]).sort_by("client_id"),
        rejected=sum(part.rejected for part in parts),
        trained=tuple(kind for kind in KINDS if model.kind(kind) != prior.kind(kind)),
        lacking=tuple(one.lacking for one in found),
        lost=tuple(one.lost for one in found),
        processes=len(helpers),
    )


def _of_kinds(helpers: Team, setup: Finding, register: Register) -> Iterator[Found]:
    """What is found among the records of each kind: of the smaller one beside this process, if that is worth it."""
    alone = {kind: register.alone(kind) for kind in KINDS}
    with finding(setup) as work:
        fewest = min(KINDS, key=lambda kind: alone[kind].records.num_rows)
        if not len(helpers) or alone[fewest].records.num_rows < WORTH_SENDING:
            yield from map(work, alone.items())
            return
        beside = helpers.begin(finding, setup, (fewest, alone[fewest]))
        here = {kind: work((kind, mine)) for kind, mine in alone.items() if kind != fewest}
        yield from (here.get(kind) or beside.result() for kind in KINDS)


PORTION = 10_000
"""Rows, at the most, that are mapped at a time: what they are decoded to is gone before the next."""
LEAST_PORTION = 1_000
"""Rows, at the least, that are worth another process's time."""
PORTIONS_EACH = 4
"""Portions for each process, at the least, so that none is long without any."""
WORTH_SENDING = 1_000
"""Records of a kind from which on it is worked beside the other."""
BESIDE = 40_000
"""Rows from which processes are started anew; below it that takes longer than it saves."""
Item = tuple[str, str, "Sequence[Row]"]
"""Source, stream, rows."""


@dataclass(frozen=True)
class Setup:
    """What standardising has to know."""

    configuration: Configuration
    profile: Profile


@dataclass(frozen=True)
class Part:
    """Some of the rows in standard form."""

    rows: int
    records: pa.Table
    identifiers: pa.Table
    rejected: int


def _portions(used: Sequence[Understood], rows: int, processes: int) -> Iterator[Item]:
    """All rows, in their order; any portions and any number of processes give the same."""
    size = min(PORTION, max(LEAST_PORTION, -(-rows // (PORTIONS_EACH * processes))))
    for one in used:
        for start in range(0, len(one.table.rows), size):
            yield (*one.table.place, one.table.rows[start : start + size])


@contextmanager
def _standardising(setup: Setup) -> Iterator[Callable[[Item], Part]]:
    """The work of one process."""
    configuration = setup.configuration
    context = Context(Settings(config=configuration.folder), configuration, "", {})
    mappers = {name: compile_source(source, configuration) for name, source in configuration.sources.items()}

    def work(item: Item) -> Part:
        source, stream, rows = item
        id_of = record_ids(source, stream)
        raws = [RawRow(id_of(row.key), row.key, row.payload, row.updated_at) for row in rows]
        mapped = mappers[source][stream].map_batch(raws)
        forms = party_forms(context, [mapped], setup.profile)
        return Part(len(rows), forms.records, forms.identifiers, len(mapped.rejects))

    with rare_collections():
        yield work

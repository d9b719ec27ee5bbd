"""The pipeline in memory: mapping, standard forms, training, resolution, golden values; the functions of the steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from identity.minting import mint_all
from identity.model import MatchModel, prior_model
from identity.parallel import threads
from identity.register import Register
from identity.resolve import Resolution, resolve_register
from identity.schema import KINDS
from identity.survive import CONTRIBUTION, golden
from identity.training.train import train_register
from onefold.context import Context
from onefold.mapping import RawRow, compile_source
from onefold.settings import Settings
from onefold.steps.beside import beside
from onefold.steps.collecting import rare_collections
from onefold.steps.forms import party_forms
from onefold.steps.rules import standard_profile, survivorship_rules, with_trust
from warehouse.keys import record_ids

if TYPE_CHECKING:
    from connectors.page import Row
    from identity.standard import Profile
    from onefold.configuration import Configuration
    from onefold.progress import Progress
    from onefold.trying.columns import Understood


@dataclass(frozen=True)
class Resolved:
    """What a run would have stored."""

    context: Context
    register: Register
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
    processes: int
    """That standardised; 1: this one."""

    @property
    def records(self) -> pa.Table:
        """identity.schema.RECORD in natural order."""
        return self.register.records


def run(
    configuration: Configuration, understood: Sequence[Understood], progress: Progress, *, every_client: bool = True
) -> Resolved:
    """Resolve all rows of the tables that are used, exactly as a hub with this configuration would after training.

    `every_client`: golden values also of clients of one record, in which no records differ.
    """
    folder = configuration.folder
    # Nothing is asked of a database: the URL is empty.
    context = Context(Settings(home=folder.parent / "var", config=folder), configuration, "", os.environ)
    used = [one for one in understood if one.is_used]
    rows = sum(len(one.table.rows) for one in used)
    processes = threads() if rows >= BESIDE else 1
    setup = Setup(configuration, standard_profile(context))
    with rare_collections(), progress.stage("standardise", rows) as stage:
        parts = []
        for part in _standard_parts(setup, used, processes):
            parts.append(part)
            stage.advance(part.rows)
    records = pa.concat_tables([part.records for part in parts])
    identifiers = pa.concat_tables([part.identifiers for part in parts])
    settings = configuration.matching
    register = Register(records, identifiers, settings)
    prior = prior_model(settings)
    with progress.stage("learn weights from these records", 1):
        model = train_register(register, prior, 2)
    with progress.stage("resolve", 1):
        resolution = resolve_register(register, None, model, by_rule=False)
    with progress.stage("choose golden values", 1):
        crosswalk = mint_all(resolution.labels).crosswalk
        clients = _golden(context, register.records, crosswalk, every_client=every_client)
    trained = tuple(kind for kind in KINDS if model.kind(kind) != prior.kind(kind))
    rejected = sum(part.rejected for part in parts)
    return Resolved(context, register, identifiers, model, resolution, crosswalk, clients, rejected, trained, processes)


PORTION = 10_000
"""Rows that are mapped at a time: what they are decoded to is gone before the next."""
BESIDE = 40_000
"""Rows from which processes are started to standardise; below it that takes longer than it saves."""
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


def _standard_parts(setup: Setup, used: Sequence[Understood], processes: int) -> Iterator[Part]:
    """All rows in standard form, in their order; any batching and any number of processes gives the same."""
    items = (
        (*one.table.place, one.table.rows[start : start + PORTION])
        for one in used
        for start in range(0, len(one.table.rows), PORTION)
    )
    if processes > 1:
        yield from beside(_standardising, setup, items, processes)
        return
    with _standardising(setup) as work:
        yield from map(work, items)


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


def _golden(context: Context, records: pa.Table, crosswalk: pa.Table, *, every_client: bool) -> pa.Table:
    """identity.survive.GOLDEN, by client_id."""
    contributions = _contributions(context, records, crosswalk)
    if not every_client:
        counts = contributions["client_id"].value_counts()
        several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        contributions = contributions.filter(pc.is_in(contributions["client_id"], value_set=several))
    return golden(contributions, survivorship_rules(context))


def _contributions(context: Context, records: pa.Table, crosswalk: pa.Table) -> pa.Table:
    """identity.survive.CONTRIBUTION of all records."""
    where = pc.index_in(records["record_id"], crosswalk["record_id"].combine_chunks())
    columns = {name: records[name] for name in CONTRIBUTION.names if name not in ("client_id", "trust")}
    table = pa.table({"client_id": crosswalk["client_id"].combine_chunks().take(where.combine_chunks()), **columns})
    return with_trust(context, table).select(CONTRIBUTION.names).cast(CONTRIBUTION)

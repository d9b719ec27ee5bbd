"""The pipeline in memory: mapping, standard forms, training, resolution, golden values; the functions of the steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from identity.model import MatchModel, prior_model
from identity.register import Register
from identity.resolve import Resolution, resolve_register
from identity.schema import KINDS
from identity.survive import CONTRIBUTION, golden
from identity.training.train import train_register
from onefold.context import Context
from onefold.mapping import RawRow, compile_source
from onefold.settings import Settings
from onefold.steps.client_ids import first_ids
from onefold.steps.collecting import rare_collections
from onefold.steps.publish import with_trust
from onefold.steps.rules import standard_profile, survivorship_rules
from onefold.steps.standardise import party_forms
from warehouse.keys import record_ids

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.mapping import Mapped
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
    """identity.survive.GOLDEN, by client_id."""
    rejected: int
    """Rows that could not be mapped, wholly or in part."""
    trained: tuple[str, ...]
    """Kinds whose weights were learnt from these records; the others keep the shipped ones."""

    @property
    def records(self) -> pa.Table:
        """identity.schema.RECORD in natural order."""
        return self.register.records


def run(configuration: Configuration, understood: Sequence[Understood], progress: Progress) -> Resolved:
    """Resolve all rows of the tables that are used, exactly as a hub with this configuration would after training."""
    folder = configuration.folder
    # Nothing is asked of a database: the URL is empty.
    context = Context(Settings(home=folder.parent / "var", config=folder), configuration, "", os.environ)
    used = [one for one in understood if one.is_used]
    with rare_collections(), progress.stage("map", sum(len(one.table.rows) for one in used)) as stage:
        mapped = [part for one in used for part in _mapped(configuration, one, stage.advance)]
    rejected = sum(len(part.rejects) for part in mapped)
    with progress.stage("standardise", 1):
        forms = party_forms(context, mapped, standard_profile(context))
    settings = configuration.matching
    register = Register(forms.records, forms.identifiers, settings)
    prior = prior_model(settings)
    with progress.stage("learn weights from these records", 1):
        model = train_register(register, prior, 2)
    with progress.stage("resolve", 1):
        resolution = resolve_register(register, None, model, by_rule=False)
    with progress.stage("choose golden values", 1):
        crosswalk = first_ids(resolution.labels).assignments
        clients = golden(_contributions(context, register.records, crosswalk), survivorship_rules(context))
    trained = tuple(kind for kind in KINDS if model.kind(kind) != prior.kind(kind))
    return Resolved(context, register, forms.identifiers, model, resolution, crosswalk, clients, rejected, trained)


PORTION = 20_000
"""Rows that are mapped at a time, as in a step's transaction: what they are decoded to is gone before the next."""


def _mapped(configuration: Configuration, one: Understood, done: Callable[[int], None]) -> list[Mapped]:
    source, stream = one.table.place
    mapper = compile_source(configuration.sources[source], configuration)[stream]
    id_of, rows, found = record_ids(source, stream), one.table.rows, []
    for start in range(0, len(rows), PORTION):
        portion = rows[start : start + PORTION]
        found.append(
            mapper.map_batch([RawRow(id_of(row.key), row.key, row.payload, row.updated_at) for row in portion])
        )
        done(len(portion))
    return found


def _contributions(context: Context, records: pa.Table, crosswalk: pa.Table) -> pa.Table:
    """identity.survive.CONTRIBUTION of all records."""
    where = pc.index_in(records["record_id"], crosswalk["record_id"].combine_chunks())
    columns = {name: records[name] for name in CONTRIBUTION.names if name not in ("client_id", "trust")}
    table = pa.table({"client_id": crosswalk["client_id"].combine_chunks().take(where.combine_chunks()), **columns})
    return with_trust(context, table).select(CONTRIBUTION.names).cast(CONTRIBUTION)

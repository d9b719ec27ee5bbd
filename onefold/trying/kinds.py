"""Records of one kind: weights learnt, clients found, golden values chosen. The kinds know nothing of each other, so
that one may be worked beside the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from identity.minting import mint_all
from identity.model import KindModel, MatchModel
from identity.population import Population, Rules
from identity.register import Register
from identity.resolve import Resolution, resolve_register
from identity.schema import JUDGEMENT
from identity.survive import CONTRIBUTION, golden
from identity.training.train import train_register
from onefold.context import Context
from onefold.steps.rules import survivorship_rules, with_trust
from onefold.trying.advice import Lacking, lacking_of
from onefold.trying.findings import Lost, lost_values


@dataclass(frozen=True)
class Finding:
    """What the work on a kind has to know."""

    context: Context
    prior: MatchModel
    every_client: bool
    """Golden values also of clients of one record."""


@dataclass(frozen=True)
class Found:
    """What was found among the records of a kind."""

    kind: str
    model: KindModel
    resolution: Resolution
    golden: pa.Table
    """identity.survive.GOLDEN, by client_id."""
    lacking: Lacking
    lost: dict[str, Lost]


Work = tuple[str, Register]
"""A kind, and its records alone."""


@contextmanager
def finding(setup: Finding) -> Iterator[Callable[[Work], Found]]:
    """The work on a kind, here or in another process."""

    def work(item: Work) -> Found:
        kind, register = item
        model = train_register(register, setup.prior, 2)
        resolution = resolve_register(register, None, model, by_rule=False)
        crosswalk = mint_all(resolution.labels).crosswalk
        chosen = _golden(setup.context, register.records, crosswalk, every_client=setup.every_client)
        rules = Rules(model, register.settings, JUDGEMENT.empty_table(), (), register.generic)
        population = Population(kind, register.records, register.identifiers, rules, register.of(kind))
        return Found(
            kind, model.kind(kind), resolution, chosen, lacking_of(population, resolution.cases), lost_values(chosen)
        )

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

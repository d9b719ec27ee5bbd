"""Whether a record is still about whom it was about: two of its versions, compared as if they were two records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.accepted import ACCEPTED
from identity.comparison.score import KIN
from identity.encoded import Flags, Ints
from identity.generic import GENERIC
from identity.model import MatchModel
from identity.population import Population, Rules
from identity.schema import IDENTIFIER, JUDGEMENT, KINDS, RECORD
from identity.settings import MatchingSettings


@dataclass(frozen=True)
class Versions:
    """One version of each of several records."""

    records: pa.Table  # RECORD; record_id is the row's number, from 0
    identifiers: pa.Table  # IDENTIFIER of those numbers


def changed_identity(before: Versions, after: Versions, model: MatchModel, settings: MatchingSettings) -> Flags:
    """Of each row whether its version after would not match its version before.

    So it is when an identifier contradicts, when a person has become an organisation, or when the pair is not plausible
    and something speaks against it: a record that says little cannot prove that it is the same. A function of
    the two versions and the model alone: what others bear (generic values), what registers and people say is left out.
    """
    count = before.records.num_rows
    records = pa.concat_tables([_numbered(before.records, 0), _numbered(after.records, 1)])
    order = np.argsort(records["record_id"].to_numpy())
    records = records.take(pa.array(order))
    identifiers = pa.concat_tables([_renumbered(before.identifiers, 0), _renumbered(after.identifiers, 1)])
    rules = Rules(model, settings, JUDGEMENT.empty_table(), (), GENERIC.empty_table(), ACCEPTED.empty_table())
    result = np.ones(count, dtype=np.bool_)  # whoever is in no kind's comparison below has changed its kind
    for kind in KINDS:
        population = Population(kind, records, identifiers, rules)
        at = np.flatnonzero(np.diff(population.ids // 2, prepend=-1) == 0)  # the later versions that follow an earlier
        if len(at):
            result[population.ids[at] // 2] = _is_other(population, at - 1, at)
    return result


def _is_other(population: Population, left: Ints, right: Ints) -> Flags:
    scorer = population.scorer
    scores = scorer.score(left, right)
    parts = scorer.parts(scorer.vectors(left, right), left, right)
    against = np.zeros(len(left), dtype=np.bool_)
    for name, weight in parts.items():
        against |= (weight < 0) & (name != KIN)
    result: Flags = scores.forbidden | (against & (scores.weight < population.model.plausible))
    return result


def _numbered(records: pa.Table, later: int) -> pa.Table:
    """The rows as those of a register of their own in which the versions of one record follow each other."""
    numbers = records["record_id"].to_numpy() * 2 + later
    own = {
        "record_id": pa.array(numbers, pa.int64()),
        "source": pa.repeat(pa.scalar(""), len(numbers)),
        "stream": pa.repeat(pa.scalar(""), len(numbers)),
        "source_key": pa.array([f"{number:019d}" for number in numbers.tolist()], pa.string()),
    }
    return pa.table({name: own.get(name, records[name]) for name in RECORD.names}, schema=RECORD)


def _renumbered(identifiers: pa.Table, later: int) -> pa.Table:
    numbers = pa.array(identifiers["record_id"].to_numpy() * 2 + later, pa.int64())
    return identifiers.set_column(0, IDENTIFIER.field(0), numbers)

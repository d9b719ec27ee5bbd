"""The stored records as of one moment, to learn from and to resolve with one model and another: in memory, or in parts
where `memory` or `engine: spark` of hub.yaml say so. What is learnt and found is the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from identity.generic import GENERIC
from identity.judgements import judged_ids
from identity.model import MatchModel
from identity.population import Rules
from identity.register import Register
from identity.resolve import Resolution, resolve_register
from identity.schema import CROSSWALK, IDENTIFIER, JUDGEMENT, RECORD
from identity.training.supervised import KindOutcome, train_from_judgements
from identity.training.train import train_register
from onefold.steps.blocking import keep_blocks
from onefold.steps.engine import calculator, check_spark, is_staged, work_folder, write_cards
from onefold.steps.rules import distinct_sources
from warehouse import judgements as stored_judgements
from warehouse import resolution
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from identity.settings import MatchingSettings
    from identity.staged.calculator import Calculator
    from onefold.context import Context


class Stored(Protocol):
    """The records of one moment."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each kind."""

    def trained(self, base: MatchModel) -> MatchModel:
        """A model that is learnt from them without labels; `base` gives the priors."""

    def corrected(self, model: MatchModel) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
        """A model that was learnt from them, corrected by people's judgements, and how well each kind fares."""

    def resolved(self, model: MatchModel) -> Resolution:
        """Their clients by a model."""

    def kinds(self, record_ids: Sequence[int]) -> dict[int, str]:
        """Of each of these records its kind."""

    def keep_blocks(self, context: Context, model: MatchModel) -> None:
        """Count what each blocking rule costs and finds, and keep it."""


@dataclass
class _Basis:
    """What both kinds of `Stored` know."""

    settings: MatchingSettings
    apart: Collection[str]  # sources that hold each client once
    judgements: pa.Table
    crosswalk: pa.Table  # in parts: of the records that judgements name

    @property
    def said(self) -> pa.Table:
        """What people said; what registers state is heeded, and nothing to learn from."""
        return self.judgements.filter(pc.field("judgement_id") < stored_judgements.STATED)


@dataclass
class _Held(_Basis):
    """All records in memory."""

    register: Register

    @property
    def counts(self) -> Mapping[str, int]:
        return _counts(self.register.records["kind"])

    def trained(self, base: MatchModel) -> MatchModel:
        return train_register(self.register, base, 0, self.apart)

    def corrected(self, model: MatchModel) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
        records, identifiers = self.register.records, self.register.identifiers
        return train_from_judgements(records, identifiers, self.said, self.settings, model, 0, self.crosswalk)

    def resolved(self, model: MatchModel) -> Resolution:
        return resolve_register(self.register, self.judgements, model, distinct_sources=self.apart, by_rule=False)

    def kinds(self, record_ids: Sequence[int]) -> dict[int, str]:
        return _kinds(self.register.records, record_ids)

    def keep_blocks(self, context: Context, model: MatchModel) -> None:
        if self.crosswalk.num_rows:
            records, identifiers = self.register.records, self.register.identifiers
            keep_blocks(context, records, identifiers, self.crosswalk, self.judgements, model)


@dataclass
class _InParts(_Basis):
    """The records in parts of an engine. Here are those that judgements name, and ids."""

    engine: Calculator
    judged: tuple[pa.Table, pa.Table]  # RECORD, IDENTIFIER
    generic: pa.Table | None = None  # of the whole register, when it has been trained on

    @property
    def counts(self) -> Mapping[str, int]:
        return _counts(self._columns("kind")["kind"])

    def trained(self, base: MatchModel) -> MatchModel:
        from identity.staged.training import train_cards

        model, self.generic = train_cards(self.engine, self.settings, base, 0, self.apart)
        return model

    def corrected(self, model: MatchModel) -> tuple[MatchModel, tuple[KindOutcome, ...]]:
        return train_from_judgements(*self.judged, self.said, self.settings, model, 0, self.crosswalk, self.generic)

    def resolved(self, model: MatchModel) -> Resolution:
        from identity.staged.run import resolve_cards

        return resolve_cards(
            self.engine, Rules(model, self.settings, self.judgements, self.apart, GENERIC.empty_table())
        )

    def kinds(self, record_ids: Sequence[int]) -> dict[int, str]:
        return _kinds(self._columns("record_id", "kind"), record_ids)

    def keep_blocks(self, context: Context, model: MatchModel) -> None:
        """Nothing: that is counted of records in memory."""

    def _columns(self, *names: str) -> pa.Table:
        from identity.staged.calculator import read
        from identity.staged.run import CARDS

        return read(self.engine.folder, CARDS, pa.schema([RECORD.field(name) for name in names]))


def _counts(kinds: pa.ChunkedArray) -> dict[str, int]:
    return {one["values"]: one["counts"] for one in pc.value_counts(kinds).to_pylist()}


def _kinds(records: pa.Table, record_ids: Sequence[int]) -> dict[int, str]:
    chosen = records.filter(pc.is_in(records["record_id"], pa.array(record_ids, pa.int64())))
    return dict(zip(chosen["record_id"].to_pylist(), chosen["kind"].to_pylist(), strict=True))


@contextmanager
def stored_now(context: Context, command: str) -> Iterator[Stored]:
    """What is stored at this moment, for the length of the block. EngineMissing, EngineFailed.

    What lies on disk meanwhile, client records among it, is removed at the end, or by the next run after a kill.
    """
    hub, settings = context.configuration.hub, context.configuration.matching
    if hub.engine == "spark":
        check_spark()
    with ExitStack() as held:
        with context.connection(command) as conn:
            # One moment for all tables, without making anybody wait.
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with unit_of_work(conn):
                is_in_parts = is_staged(hub, resolution.record_count(conn))
                said = stored_judgements.load_judgements(conn, JUDGEMENT)
                basis = _Basis(settings, distinct_sources(context), said, CROSSWALK.empty_table())
                found: Stored
                if not is_in_parts:
                    records = resolution.load_records(conn, RECORD, attributes=settings.open_attributes)
                    register = Register(records, resolution.load_identifiers(conn, IDENTIFIER), settings)
                    crosswalk = resolution.load_crosswalk(conn, CROSSWALK)
                    found = _Held(**vars(replace(basis, crosswalk=crosswalk)), register=register)
                else:
                    folder = held.enter_context(work_folder(context))
                    write_cards(conn, folder, settings.open_attributes)
                    ids = sorted(set(judged_ids(basis.said).tolist()))
                    judged = (
                        resolution.load_records(conn, RECORD, ids, settings.open_attributes),
                        resolution.load_identifiers(conn, IDENTIFIER, ids),
                    )
                    basis = replace(basis, crosswalk=resolution.load_crosswalk(conn, CROSSWALK, ids))
        if is_in_parts:
            engine = held.enter_context(calculator(hub, folder))
            found = _InParts(**vars(basis), engine=engine, judged=judged)
        yield found

"""The stages of a whole run: the steps of `identity.resolve`, each on parts of the register.

Every stage writes its outcome as Parquet files and the next one reads them. The driver holds ids, keys and pairs, and
never a whole record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import BLOCK_LIMIT, block_limits, sql
from identity.clustering.cases import CASE
from identity.generic import GENERIC
from identity.judgements import same_groups
from identity.population import Population, Rules
from identity.resolve import REFUSED, Resolution
from identity.schema import BLOCKING_KEY, KINDS, PAIR
from identity.staged.assembly import NAMED, Found, resolution
from identity.staged.calculator import Calculator, count, give, parts_of, read
from identity.staged.cards import CARD, tables_of
from identity.staged.closures import closures
from identity.staged.offers import OFFER, generic_of, offers_of
from identity.staged.work import KEYED, SETTLED, alike, keyed, keys_of, settled

CARDS: Final = "cards"
"""The table from which a run starts: CARD rows, in any number of files."""
_ENDS: Final = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())])
_EXAMPLE: Final = pa.schema([("key", pa.int64()), ("record_id", pa.int64())])


def resolve_cards(calculator: Calculator, rules: Rules, stage: Callable[[str], None] | None = None) -> Resolution:
    """What `resolve` gives of the records whose cards lie in the calculator's folder, but for what each blocking rule
    did. Of the rules `generic` is empty and `accepted` None: both are found here.

    `stage` is told what begins. What is written to the folder is the caller's to remove.
    """
    run = StagedRun(calculator, rules)
    for step in (
        run.find_generic,
        run.find_accepted,
        run.make_keys,
        run.find_alike,
        run.make_blocks,
        run.compare,
        run.settle,
    ):
        if stage is not None:
            stage(step.__name__)
        step()
    return run.resolution()


@dataclass
class StagedRun:
    """The stages of a run, and what they hand on; training begins with the first of them."""

    engine: Calculator
    rules: Rules

    def __post_init__(self) -> None:
        self.engine.begin(CARDS)
        self._parts = parts_of(self.engine, count(self.engine.folder, CARDS))
        names = self.rules.settings.generic_names
        self._give("parting", pa.table({"mask": [self._parts - 1], "names": [names]}))

    def find_generic(self) -> None:
        """Which values say nothing about one client."""
        self.engine.each("offers", CARDS, offers_of, OFFER)
        counted = partial(generic_of, more_than=self.rules.settings.generic_names)
        self.engine.query("borne_by_many", _query("borne_by_many"))
        self.engine.grouped("generic", "offers", _query("offers_in_parts"), counted, GENERIC)
        order = [(name, "ascending") for name in ("kind", "type", "value")]
        self.rules = replace(self.rules, generic=self._read("generic", GENERIC).sort_by(order))

    def find_accepted(self) -> None:
        """Which values people's words make one: the records that they speak of come to the driver."""
        ids = [record for group in same_groups(self.rules.judgements) for record in group]
        self._give("joined", pa.table({"record_id": pa.array(ids, pa.int64())}))
        self.engine.query("spoken_of", _query("spoken_of"))
        records, identifiers = tables_of(self._read("spoken_of", CARD))
        found = [Population(kind, records, identifiers, self.rules).accepted for kind in KINDS]
        self.rules = replace(self.rules, accepted=pa.concat_tables(found))

    def make_keys(self) -> None:
        """Fingerprints and blocking keys of every record."""
        self.engine.each("keyed", CARDS, partial(keyed, self.rules), KEYED)

    def find_alike(self) -> None:
        """Which records are alike in everything and taken as one."""
        self.engine.query("repeated", _query("repeated"))
        self.engine.grouped("alike", CARDS, _query("alike_in_parts"), partial(alike, self.rules), PAIR)

    def make_blocks(self) -> None:
        """The keys of points, and how many of them a block may hold."""
        self.engine.each("blocking_key", "keyed", keys_of, BLOCKING_KEY, _query("firsts"))
        settings, model = self.rules.settings, self.rules.model
        limits = [block_limits(kind, settings.kind(kind), settings.block_cap, model.kind(kind).caps) for kind in KINDS]
        self._give("block_limit", pa.concat_tables(limits).cast(BLOCK_LIMIT))

    def compare(self) -> None:
        """Which records that have a key in common are plausible pairs."""
        self._candidates = self.engine.compare(self.rules)

    def settle(self) -> None:
        """Clients and cases. What hangs together is told by ids alone, on the driver."""
        pairs, tied = (self._read(name, _ENDS) for name in ("pairs", "alike"))
        spoken = [(group[0], other) for group in same_groups(self.rules.judgements) for other in group[1:]]
        joined = pa.table([[pair[side] for pair in spoken] for side in (0, 1)], schema=_ENDS)
        found = closures(pa.concat_tables([pairs, tied, joined]), pairs, self._parts)
        self._give("members", found.members)
        self._give("member_pairs", found.pairs)
        inside, cards = _query("pairs_of_members"), _query("cards_of_members")
        self.engine.cogrouped("settled", inside, cards, partial(settled, self.rules), SETTLED)

    def resolution(self) -> Resolution:
        """All of it on the driver, in the order of the run in memory."""
        return resolution(
            Found(
                records=self._read(CARDS, NAMED),
                points=self._read("keyed", pa.schema([KEYED.field("record_id"), KEYED.field("fingerprint")])),
                alike=self._read("alike", PAIR),
                candidates=self._candidates,
                pairs=self._read("pairs", PAIR),
                refused=self._read("refused_blocks", REFUSED),
                first=self._read("first_of_blocks", _EXAMPLE),
                labels=self._settled("record_id", "label"),
                cases=self._settled(*CASE.names),
                told=self._settled("report"),
            ),
            self.rules,
            partial(self._read, "blocking_key", BLOCKING_KEY),
        )

    def _settled(self, *names: str) -> pa.Table:
        """The rows of SETTLED of one sort, the columns that it has."""
        schema = pa.schema([SETTLED.field(name) for name in names])
        return self._read("settled", schema, pc.field(names[0]).is_valid())

    def _give(self, name: str, rows: pa.Table) -> None:
        give(self.engine.folder, name, rows)
        self.engine.known(name)

    def _read(self, name: str, schema: pa.Schema, where: pc.Expression | None = None) -> pa.Table:
        return read(self.engine.folder, name, schema, where)


def _query(name: str) -> str:
    return sql(f"staged/{name}")

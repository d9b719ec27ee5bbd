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

from identity.blocking.keys import BLOCK_LIMIT, block_limits, sql
from identity.generic import GENERIC
from identity.judgements import same_groups
from identity.plausible import COMPARED
from identity.population import Population, Rules
from identity.resolve import REFUSED, Resolution
from identity.schema import BLOCKING_KEY, KINDS, PAIR
from identity.staged.assembly import NAMED, Found, resolution
from identity.staged.calculator import Calculator, count, give, parts_of, read
from identity.staged.cards import CARD, tables_of
from identity.staged.components import components_of, dealt_out
from identity.staged.offers import OFFER, generic_of, offers_of
from identity.staged.work import KEYED, SETTLED, alike, keyed, keys_of, settled

CARDS: Final = "cards"
"""The table from which a run starts: CARD rows, in any number of files."""
_ENDS: Final = pa.schema([COMPARED.field(name) for name in ("left_id", "right_id")])
_WEIGHED: Final = pa.schema([*_ENDS, COMPARED.field("weight"), COMPARED.field("forbidden")])
_OF_KIND: Final = pa.schema([CARD.field("record_id"), CARD.field("kind")])
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
        """Clients. What hangs together is told by ids alone, on the driver."""
        records, alike = self._read(CARDS, _OF_KIND), self._read("alike", _ENDS)
        found = components_of(self.rules, records, self._read("pairs", _WEIGHED), alike)
        self._split = found.split
        part = dealt_out(found.members["component"].to_numpy(), self._parts, self.engine.per_part)
        self._give("members", found.members.append_column("part", pa.array(part)))
        self.engine.grouped("settled", CARDS, _query("cards_of_components"), partial(settled, self.rules), SETTLED)

    def resolution(self) -> Resolution:
        """All of it on the driver, in the order of the run in memory."""
        return resolution(
            Found(
                records=self._read(CARDS, NAMED),
                points=self._read("keyed", pa.schema([KEYED.field("record_id"), KEYED.field("fingerprint")])),
                alike=self._read("alike", PAIR),
                candidates=self._candidates,
                pairs=self._read("pairs", COMPARED),
                refused=self._read("refused_blocks", REFUSED),
                first=self._read("first_of_blocks", _EXAMPLE),
                settled=self._read("settled", SETTLED),
                split=self._split,
            ),
            self.rules,
            partial(self._read, "blocking_key", BLOCKING_KEY),
        )

    def _give(self, name: str, rows: pa.Table) -> None:
        give(self.engine.folder, name, rows)
        self.engine.known(name)

    def _read(self, name: str, schema: pa.Schema) -> pa.Table:
        return read(self.engine.folder, name, schema)


def _query(name: str) -> str:
    return sql(f"staged/{name}")

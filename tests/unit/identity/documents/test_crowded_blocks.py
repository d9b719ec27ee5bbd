"""Of a block that is over its limit it is enough to know that it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity.documents.columns import columns_of, faces_of, places_of
from identity.documents.link import Weighed, weigh_documents
from identity.documents.pairs import blocks_of, slot_lengths, with_blocks
from identity.documents.schema import DOCUMENT, RELATED, SAID, Ints, Register, Registers
from identity.documents.settings import DocumentSettings
from tests.support.drills import examples

REGISTERS = Registers(
    (
        Register("erp", "sales_order", "ordered", "gross", 2),
        Register("accounting", "invoice", "invoiced", "gross", 0),
        Register("shop", "web_order", "ordered", "net", 1),
    )
)
SETTINGS = DocumentSettings(largest_block=4, review_at=-30)


@pytest.mark.searches
@pytest.mark.parametrize("seed", range(examples(1, 4)))
def test_pairs_without_the_documents_of_crowded_blocks_are_those_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 400
    rows = {
        "record_id": np.arange(count),
        "register": rng.integers(0, 3, count),
        "day": rng.integers(0, 900, count),
        "amount": rng.integers(1, 40, count) * 1_000_000,
        "client": rng.integers(0, 8, count),
        "number": [f"N-{n}" for n in rng.integers(1_000, 1_060, count)],
        "state": np.zeros(count, np.int64),
        "currency": ["RUB"] * count,
        "parent_record_id": pa.nulls(count, pa.int64()),
    }
    every = pa.table({field.name: pa.array(rows[field.name]).cast(field.type) for field in DOCUMENT}, schema=DOCUMENT)
    mine = np.sort(rng.choice(count, 25, replace=False))
    here, crowded = around(every, mine)
    some = every.filter(pa.array(np.isin(rows["record_id"], here)))
    assert some.num_rows < count
    assert any(len(codes) for lengths in crowded.values() for codes in lengths.values())
    whole = rows_of(weighed(every, mine, None))
    assert whole
    assert rows_of(weighed(some, mine, crowded)) == whole


def weighed(documents: pa.Table, near: Ints, crowded: Any) -> Weighed:
    columns = columns_of(documents, REGISTERS)
    is_near = np.isin(columns.record_id, near)
    return weigh_documents(
        columns, REGISTERS, SAID.empty_table(), RELATED.empty_table(), SETTINGS, 13, is_near, crowded
    )


def rows_of(found: Weighed) -> set[tuple[int, ...]]:
    """Pairs by record with their bits."""
    ids, pairs, bits = found.columns.record_id, found.pairs, found.evidence
    parts = (ids[pairs.left], ids[pairs.right], bits.amount_bits, bits.number_bits, bits.total)
    return set(zip(*(part.tolist() for part in parts), strict=True))


def around(every: pa.Table, near: Ints) -> tuple[Ints, dict[str, dict[int, Ints]]]:
    """The documents of the blocks of `near` that are within the limit, and the other blocks."""
    columns = columns_of(every, REGISTERS)
    places = places_of(columns, faces_of(columns, REGISTERS, SETTINGS), REGISTERS, every)
    of = places["record_id"].to_numpy()
    asked = places.filter(pa.array(np.isin(of, near)))
    here, crowded = [near], dict[str, dict[int, Ints]]()
    for column in ("amount_key", "client_key", "number_key"):
        held = with_blocks(places, column)
        day, keys = held["day"].to_numpy(), held[column].to_numpy()
        for length in slot_lengths(SETTINGS):
            blocks = blocks_of(with_blocks(asked, column), column, length)
            members = [
                held["record_id"].to_numpy()[(keys == key) & (day >= first) & (day < last)]
                for key, first, last in zip(blocks.key, blocks.first, blocks.last, strict=True)
            ]
            over = np.array([len(one) > SETTINGS.largest_block for one in members], np.bool_)
            here += [one for one, many in zip(members, over, strict=True) if not many]
            crowded.setdefault(column, {})[length] = blocks.codes(over)
    return np.unique(np.concatenate(here)), crowded

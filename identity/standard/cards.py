"""Cards that name several organisations: a record with two valid INNs becomes that record and one more for each INN.

The card keeps everything else as its evidence. These INNs stay on it, marked, and are no evidence there: nobody knows
to which of the firms its name, its telephone and its address belong. Only a person keeps the one INN that can be a
person's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.schema import HEAD, VALUE
from identity.standard.batch import Batch
from identity.standard.columns import Column, Ints, fragments

SEVERAL: Final = "several on one card"
"""Why an INN on a card with several valid ones is no evidence there."""
KEY_MARK: Final = "#inn="
"""Between the card's key and the INN in the key of a record that was made of it."""
CARD: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),  # a record that was made of a card
        pa.field("card_id", pa.int64(), nullable=False),  # the card's own record
        pa.field("inn", pa.string(), nullable=False),
    ]
)
IdOf = Callable[[str, str, str], int]
"""(source, stream, key) -> record id."""
_BESIDE: Final = (("kpp", 10), ("ogrn", 10), ("ogrnip", 12))
"""Numbers that stand beside an INN of so many digits."""
_NAME_OF: Final = {"organisation": "legal_name", "person": "full_name"}


@dataclass(frozen=True)
class Parts:
    """Records made of a batch's cards: as if they were mapped, and what is shown as their name."""

    head: pa.Table  # schema.HEAD
    values: pa.Table  # schema.VALUE
    names: pa.Array  # the card's name, or null where it is no name of this kind
    cards: pa.Table  # CARD


def part_cards(batch: Batch, id_of: IdOf) -> Parts | None:
    """Take the INNs (and the KPP and OGRN that stand beside each) off the batch's cards that have several valid ones,
    and give the records that they make; None: there is no such card.

    The records' keys are `KEY#inn=INN`, so that the same card gives the same records, and a card that was put right
    leaves none.
    """
    if "inn" not in batch.columns:
        return None
    often = np.flatnonzero(np.bincount(batch.columns["inn"].rows, minlength=batch.size) > 1)
    several = {row: _foreign(inns, batch.is_person[row]) for row, inns in _valid(batch, "inn", often).items()}
    several = {row: inns for row, inns in several.items() if inns}
    if not several:
        return None
    beside = {name: _valid(batch, name, np.array(sorted(several))) for name, _ in _BESIDE}
    heads: list[dict[str, object]] = []
    values: list[tuple[int, str, str]] = []
    cards: list[tuple[int, int, str]] = []
    names: list[str | None] = []
    taken: dict[str, set[tuple[int, str]]] = defaultdict(set)
    urls = batch.columns.get("url")
    for row, inns in several.items():
        card = batch.head.slice(row, 1).to_pylist()[0]
        for inn in inns:
            # Ten digits are no person's number.
            kind = "organisation" if len(inn) == 10 else card["kind"]
            key = f"{card['source_key']}{KEY_MARK}{inn}"
            record_id = id_of(card["source"], card["stream"], key)
            numbers = {"inn": inn}
            for name, digits in _BESIDE:
                alike, stated = [one for one in inns if len(one) == digits], beside[name].get(row, [])
                if inn in alike and len(alike) == len(stated):
                    numbers[name] = stated[alike.index(inn)]
            for name, value in numbers.items():
                values.append((len(heads), name, value))
                taken[name].add((row, value))
            if urls is not None:
                values += [(len(heads), "url", text) for text in _shown(urls, row)]
            names.append(_name(batch, row, kind) if kind == card["kind"] else None)
            cards.append((record_id, card["record_id"], inn))
            heads.append({**card, "record_id": record_id, "source_key": key, "kind": kind})
    for name, found in taken.items():
        batch.columns[name] = _set_aside(batch.columns[name], found)
    return Parts(
        pa.Table.from_pylist(heads, schema=HEAD),
        pa.table([*zip(*values, strict=True), [None] * len(values)], schema=VALUE),
        pa.array(names, pa.string()),
        pa.table(list(zip(*cards, strict=True)), schema=CARD),
    )


def _foreign(inns: list[str], is_person: bool) -> list[str]:
    """The INNs that make records of their own; none where there is but one."""
    own = [inn for inn in inns if len(inn) == 12] if is_person else []
    return [inn for inn in inns if [inn] != own] if len(inns) > 1 else []


def _valid(batch: Batch, name: str, wanted: Ints) -> dict[int, list[str]]:
    """The distinct valid values of an attribute by row, as they came, of the rows wanted."""
    column = batch.columns.get(name)
    found: dict[int, dict[str, None]] = defaultdict(dict)
    if column is not None:
        here = np.isin(column.rows, wanted)
        values = column.value.take(pa.array(column.codes[here])).to_pylist()
        for row, value in zip(column.rows[here].tolist(), values, strict=True):
            if value is not None:
                found[row][value] = None
    return {row: list(values) for row, values in found.items()}


def _shown(column: Column, row: int) -> list[str]:
    texts = column.display.take(pa.array(column.codes[column.rows == row])).to_pylist()
    return [text for text in texts if text is not None]


def _name(batch: Batch, row: int, kind: str) -> str | None:
    column = batch.columns.get(_NAME_OF[kind])
    return next(iter(_shown(column, row)), None) if column is not None else None


def _set_aside(column: Column, taken: set[tuple[int, str]]) -> Column:
    """The column with the values `taken` from rows kept as invalid ones, for SEVERAL."""
    size = len(column.value)
    marked = np.isin(column.rows, sorted({row for row, _ in taken}))
    values = column.value.take(pa.array(column.codes[marked])).to_pylist()
    marked[marked] = [one in taken for one in zip(column.rows[marked].tolist(), values, strict=True)]
    reason = pc.if_else(column.value.is_valid(), SEVERAL, column.reason)
    codes: Ints = np.where(marked, column.codes + size, column.codes)
    return Column(
        column.rows,
        codes,
        [*column.raws, *column.raws],
        pa.concat_arrays([column.display, column.display]),
        pa.concat_arrays([column.value, pa.nulls(size, pa.string())]),
        pa.concat_arrays([column.reason, reason]),
        lambda: pa.concat_arrays([column.fragments, fragments(column.display, reason)]),
    )

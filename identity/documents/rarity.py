"""How rare an amount or a number is in its window: the documents of one book that share it, and their days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity.documents.blocks import ROWS, Ordered, Small, rivals_in, slot
from identity.documents.columns import Columns, Faces
from identity.documents.pairs import Found, slot_lengths
from identity.documents.schema import Ints
from identity.documents.settings import DocumentSettings
from identity.parallel import in_parallel


@dataclass(frozen=True, slots=True)
class Rivals:
    """How many rows of its own book share a row's value in its slot, for both rows of slots."""

    length: int
    counts: tuple[Small, Small]

    def of(self, left: Ints, right: Ints, days: tuple[Ints, Ints]) -> Ints:
        """Of pairs of rows with one value: the larger count of the two in the slots that they share; 0 where none."""
        most = np.zeros(len(left), np.int64)
        for row, counts in zip(ROWS, self.counts, strict=True):
            shared = slot(days[0], self.length, row) == slot(days[1], self.length, row)
            np.maximum(most, np.where(shared, np.maximum(counts[left], counts[right]), 0), out=most)
        return most


@dataclass(frozen=True, slots=True)
class Rarity:
    """The rivals of all rows of faces by amount, of one client's by weeks and by the window, and of documents by
    number."""

    first: Ints
    """The first row of faces of each document: its amount as it is."""
    amounts: Rivals
    client_weeks: Rivals
    clients: Rivals
    numbers: Rivals


def rarity_of(columns: Columns, faces: Faces, found: Found, settings: DocumentSettings) -> Rarity:
    """The rivals of everything that can be looked for."""
    wide, weeks, _ = slot_lengths(settings)
    rows, cap = len(faces.document), settings.largest_block
    book = columns.book[faces.document]
    documents = len(columns.record_id)
    wanted = (
        (found.amounts, book, rows, wide),
        (found.clients, book, rows, weeks),
        (found.clients, book, rows, wide),
        (found.numbers, columns.book, documents, wide),
    )
    amounts, client_weeks, clients, numbers = in_parallel(lambda one: _rivals(*one, cap), wanted, rows)
    first = np.searchsorted(faces.document, np.arange(documents))
    return Rarity(first, amounts, client_weeks, clients, numbers)


def _rivals(ordered: Ordered, book: Ints, rows: int, length: int, cap: int) -> Rivals:
    counts = []
    by_place = book[ordered.order]
    for row in ROWS:
        blocks = ordered.blocks(length, row)
        count = np.zeros(rows, np.int16)
        count[ordered.order] = rivals_in(blocks, by_place, cap)
        counts.append(count)
    return Rivals(length, (counts[0], counts[1]))

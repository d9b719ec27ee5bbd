"""Which documents are one event: evidence and judgements, under the rule that an event stands in a book once.

Pairs are taken by their bits, ties by record; two groups join unless both hold a document of one book, or somebody
said that they are not one. What a register states and what people said goes before, and is not bound by that rule:
one order may be invoiced in two parts. The outcome is a function of the pairs alone.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from identity.documents.schema import Flags, Ints


def groups(count: int, left: Ints, right: Ints) -> Ints:
    """The group of each of `count` places: the smallest place that it hangs together with."""
    if len(left) == 0:
        return np.arange(count)
    graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    smallest = np.full(labels.max() + 1, count, np.int64)
    np.minimum.at(smallest, labels, np.arange(count))
    found: Ints = smallest[labels]
    return found


def put_together(
    book: Ints, left: Ints, right: Ints, bits: Ints, *, sure: Flags, apart: tuple[Ints, Ints]
) -> tuple[Ints, Flags]:
    """The event of each document (the smallest place in it), and which of the pairs made it.

    `sure`: pairs that were judged or stated. `apart`: pairs that were judged to be different.
    """
    count = len(book)
    label = groups(count, left, right)
    # Where a group holds every book once, and nobody objects, all its pairs are its own.
    books = int(book.max(initial=0)) + 1
    order = np.sort(label * books + book)
    hard = np.zeros(count, np.bool_)
    hard[order[1:][order[1:] == order[:-1]] // books] = True
    objected = label[apart[0]] == label[apart[1]]
    hard[label[apart[0][objected]]] = True
    by_itself = ~hard[label[left]]
    event = groups(count, left[by_itself], right[by_itself])
    made = by_itself.copy()
    rest = np.flatnonzero(~by_itself)
    if len(rest):
        ranked = rest[np.lexsort((right[rest], left[rest], -bits[rest], ~sure[rest]))]
        _join(event, made, book, left, right, ranked, sure=sure, apart=apart)
    return event, made


def _join(
    event: Ints,
    made: Flags,
    book: Ints,
    left: Ints,
    right: Ints,
    ranked: Ints,
    *,
    sure: Flags,
    apart: tuple[Ints, Ints],
) -> None:
    """Join groups pair by pair, in the order of `ranked`."""
    members: dict[int, list[int]] = {}
    for place in sorted({*left[ranked].tolist(), *right[ranked].tolist()}):
        members[place] = [place]
    of = {place: place for place in members}
    enemies: dict[int, set[int]] = {}
    for one, other in zip(apart[0].tolist(), apart[1].tolist(), strict=True):
        enemies.setdefault(one, set()).add(other)
        enemies.setdefault(other, set()).add(one)
    books = {place: {int(book[place])} for place in members}
    for at in ranked.tolist():
        one, other = of[int(left[at])], of[int(right[at])]
        if one == other:
            made[at] = True
            continue
        if not sure[at] and books[one] & books[other]:
            continue
        if enemies and any(enemies.get(m, set()).intersection(members[other]) for m in members[one]):
            continue
        made[at] = True
        keep, gone = min(one, other), max(one, other)
        members[keep] += members.pop(gone)
        books[keep] |= books.pop(gone)
        for place in members[keep]:
            of[place] = keep
    for place, group in of.items():
        event[place] = group

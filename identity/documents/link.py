"""Documents in, links out: which documents are one event, and which payments and credit notes settle which event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.documents.columns import Columns, Faces, columns_of, faces_of
from identity.documents.events import put_together
from identity.documents.evidence import Evidence, size_class, weigh
from identity.documents.matching import best_first
from identity.documents.pairs import Pairs, candidate_pairs, distinct
from identity.documents.schema import LINK, SAID, SALES, Flags, Ints, Registers
from identity.documents.settings import ONE_BIT, DocumentSettings
from identity.documents.settling import settle
from identity.documents.words import evidence_texts


@dataclass(frozen=True, slots=True)
class Weighed:
    """Documents with their plausible pairs."""

    columns: Columns
    faces: Faces
    pairs: Pairs
    evidence: Evidence
    judged_same: Flags
    judged_apart: Flags


def weigh_documents(
    documents: pa.Table,
    registers: Registers,
    said: pa.Table,
    related: pa.Table,
    settings: DocumentSettings,
    size: int | None = None,
) -> Weighed:
    """The pairs from `review_at` on, and those that somebody judged or a register states.

    `documents` as DOCUMENT, `said` as SAID, `related` as RELATED; `size`: the hub's `size_class`, where these are not
    all. The blocks of a document must be whole for its pairs
    to be right.
    """
    columns = columns_of(documents, registers)
    faces = faces_of(columns, registers, settings)
    proposed = candidate_pairs(columns, faces, settings)
    child = np.flatnonzero(columns.parent >= 0)
    child = child[columns.parent[child] != child]
    judged, is_same = _judged(columns, said)
    ends = [child, columns.parent[child]], [judged.left, judged.right]
    pairs = distinct(
        [proposed.left, np.minimum(*ends[0]), ends[1][0]],
        [proposed.right, np.maximum(*ends[0]), ends[1][1]],
        len(columns.record_id),
    )
    size = size_class(documents.num_rows) if size is None else size
    found = weigh(columns, faces, registers, related, pairs, settings, size)
    code, known = _codes(columns, pairs), _codes(columns, judged)
    at = np.minimum(np.searchsorted(known, code), max(len(known) - 1, 0))
    is_judged = known[at] == code if len(known) else np.zeros(len(code), np.bool_)
    same = is_judged & (is_same[at] if len(known) else False)
    keep = (found.total >= round(settings.review_at * ONE_BIT)) | is_judged
    return Weighed(columns, faces, pairs.only(keep), found.only(keep), same[keep], (is_judged & ~same)[keep])


def link(
    documents: pa.Table, registers: Registers, said: pa.Table, related: pa.Table, settings: DocumentSettings
) -> pa.Table:
    """The links (LINK) of these documents, ordered; without sums of instalments, which `instalments` finds."""
    return link_weighed(weigh_documents(documents, registers, said, related, settings), settings)


def link_weighed(weighed: Weighed, settings: DocumentSettings) -> pa.Table:
    """The links that plausible pairs make."""
    columns, pairs, found = weighed.columns, weighed.pairs, weighed.evidence
    is_sale = np.isin(columns.money, SALES)
    one_kind = (is_sale[pairs.left] & is_sale[pairs.right]) | (columns.money[pairs.left] == columns.money[pairs.right])
    sure = weighed.judged_same | (found.stated & ~weighed.judged_apart)
    strong = (sure | (found.total >= round(settings.link_at * ONE_BIT))) & ~weighed.judged_apart
    together = np.flatnonzero(strong & one_kind)
    apart = np.flatnonzero(weighed.judged_apart)
    event, made = put_together(
        columns.book,
        pairs.left[together],
        pairs.right[together],
        found.total[together] + 100 * STATED_FIRST * weighed.judged_same[together],
        sure=sure[together],
        apart=(pairs.left[apart], pairs.right[apart]),
    )
    linked = together[made]
    across = is_sale[pairs.left] != is_sale[pairs.right]
    paying = _not_apart(np.flatnonzero(strong & across), np.flatnonzero(weighed.judged_apart & across), pairs, event)
    settled, amounts = settle(columns, pairs.only(paying), found.only(paying), event, is_sale, sure[paying])
    asked = _asked(weighed, event, strong, one_kind, paying[settled])
    return _links(columns, weighed, (linked, paying[settled], asked), amounts, is_sale, settings)


STATED_FIRST = ONE_BIT
"""What people said goes before what registers state."""


def _not_apart(rows: Ints, apart: Ints, pairs: Pairs, event: Ints) -> Ints:
    """The rows whose two events nobody held apart by a word about any of their documents."""
    if not len(apart):
        return rows
    ends = event[pairs.left], event[pairs.right]
    low, high = np.minimum(*ends), np.maximum(*ends)
    code = low * len(event) + high
    return rows[~np.isin(code[rows], code[apart])]


def _asked(weighed: Weighed, event: Ints, strong: Flags, one_kind: Flags, settled: Ints) -> Ints:
    """Pairs for people: too weak to link, of events that may still be one; each document once, best first."""
    columns, pairs, found = weighed.columns, weighed.pairs, weighed.evidence
    weak = ~strong & ~weighed.judged_apart & (event[pairs.left] != event[pairs.right])
    paid = np.zeros(len(columns.record_id), np.bool_)
    for ends in (pairs.left, pairs.right):
        paid[ends[settled]] = True
    free = one_kind | ~(paid[pairs.left] | paid[pairs.right])
    at = np.flatnonzero(weak & free)
    at = at[np.lexsort((pairs.right[at], pairs.left[at], -found.total[at]))]
    # An event that stands in a book already takes no other document of it.
    size = int(columns.book.max(initial=0)) + 1
    held = np.unique(event * size + columns.book)
    for ends, others in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        code = event[ends[at]] * size + columns.book[others[at]]
        place = np.minimum(np.searchsorted(held, code), max(len(held) - 1, 0))
        at = at[(held[place] != code) | ~one_kind[at]] if len(at) else at
    taken = best_first(pairs.left[at], pairs.right[at], len(columns.record_id))
    return at[taken]


def _links(
    columns: Columns,
    weighed: Weighed,
    rows: tuple[Ints, Ints, Ints],
    amounts: Ints,
    is_sale: Flags,
    settings: DocumentSettings,
) -> pa.Table:
    """LINK of pairs that are the same, that settle (with their amounts), and that people are asked about."""
    same, settled, asked = rows
    at = np.concatenate(rows)
    left, right = weighed.pairs.left[at], weighed.pairs.right[at]
    kind = np.where(is_sale[left] != is_sale[right], "settles", "same")
    status = np.repeat(["linked", "review"], [len(same) + len(settled), len(asked)])
    amount = np.zeros(len(at), np.int64)
    amount[len(same) : len(same) + len(settled)] = amounts
    found = weighed.evidence.only(at)
    table = pa.table(
        [
            columns.record_id[left],
            columns.record_id[right],
            pa.array(kind, pa.string()),
            pa.array(status, pa.string()),
            found.total.astype(np.int32),
            pa.array(amount, mask=(np.arange(len(at)) < len(same)) | (np.arange(len(at)) >= len(same) + len(settled))),
            evidence_texts(found, weighed.judged_same[at], settings),
        ],
        schema=LINK,
    )
    return table.sort_by([("left_record_id", "ascending"), ("right_record_id", "ascending")])


def _judged(columns: Columns, said: pa.Table) -> tuple[Pairs, Flags]:
    """The judged pairs of documents that are here, and whether they were called the same; opposing words about a pair
    are refused when they are said."""
    ids = [said[name].to_numpy() for name in SAID.names[:2]]
    verdicts = said["is_same"].to_numpy(zero_copy_only=False)
    places = [np.searchsorted(columns.record_id, one) for one in ids]
    places = [np.minimum(one, max(len(columns.record_id) - 1, 0)) for one in places]
    here = np.zeros(len(ids[0]), np.bool_)
    if len(columns.record_id) and len(ids[0]):
        here = np.logical_and(*(columns.record_id[at] == one for at, one in zip(places, ids, strict=True)))
    left, right = np.minimum(*places)[here], np.maximum(*places)[here]
    codes, first = np.unique(left * max(len(columns.record_id), 1) + right, return_index=True)
    count = max(len(columns.record_id), 1)
    return Pairs(codes // count, codes % count), verdicts[here][first]


def _codes(columns: Columns, pairs: Pairs) -> Ints:
    return pairs.left * max(len(columns.record_id), 1) + pairs.right


def neighbours(weighed: Weighed, documents: Ints) -> Ints:
    """Records with a plausible pair to one of `documents` (records), these among them; ordered."""
    ids = weighed.columns.record_id
    here = np.isin(ids, documents)
    reached = here[weighed.pairs.left] | here[weighed.pairs.right]
    return np.union1d(ids[here], np.concatenate([ids[weighed.pairs.left[reached]], ids[weighed.pairs.right[reached]]]))


def only_among(weighed: Weighed, documents: Ints) -> Weighed:
    """The same with the pairs only whose two documents are among these (records)."""
    here = np.isin(weighed.columns.record_id, documents)
    keep = here[weighed.pairs.left] & here[weighed.pairs.right]
    return Weighed(
        weighed.columns,
        weighed.faces,
        weighed.pairs.only(keep),
        weighed.evidence.only(keep),
        weighed.judged_same[keep],
        weighed.judged_apart[keep],
    )

"""Documents in, links out: which documents are one event, and which payments and credit notes settle which event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from identity.documents.blocks import Crowded
from identity.documents.columns import Columns, columns_of, faces_of
from identity.documents.events import put_together
from identity.documents.evidence import CLIENT, Evidence, Measure, size_class, together, weigh
from identity.documents.kin import kin_of
from identity.documents.matching import best_first
from identity.documents.pairs import Pairs, candidate_pairs, distinct
from identity.documents.rarity import rarity_of
from identity.documents.schema import LINK, RELATED, SAID, SALES, Flags, Ints, Registers
from identity.documents.sets import isin, union, unique
from identity.documents.settings import ONE_BIT, DocumentSettings
from identity.documents.settling import settle
from identity.documents.words import evidence_texts
from identity.parallel import in_parallel

_SLICE: Final = 1 << 20
"""Pairs that are weighed at a time."""


RelatedOf = Callable[[Ints], pa.Table]
"""From places of documents, one for each client, to what these clients are related to (RELATED)."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Documents with their plausible pairs."""

    columns: Columns
    pairs: Pairs
    evidence: Evidence
    judged_same: Flags
    judged_apart: Flags


def weigh_documents(
    columns: Columns,
    registers: Registers,
    said: pa.Table,
    related: pa.Table | RelatedOf,
    settings: DocumentSettings,
    size: int,
    near: Flags | None = None,
    crowded: Mapping[str, Crowded] | None = None,
) -> Weighed:
    """The pairs from `review_at` on, and those that somebody judged; with `near` those with an end among these.

    `said` as SAID, `related` as RELATED, or who tells it of clients; `size`: the hub's `size_class`. The blocks of a
    document must be whole for its pairs to be right, or be said to be over their limit (`crowded`, as
    `candidate_pairs` has it).
    """
    faces = faces_of(columns, registers, settings)
    proposed = candidate_pairs(columns, faces, settings, near, crowded)
    child = np.flatnonzero(columns.parent >= 0)
    child = child[columns.parent[child] != child]
    judged, is_same = _judged(columns, said)
    stated = Pairs(np.minimum(child, columns.parent[child]), np.maximum(child, columns.parent[child]))
    further = [one if near is None else one.only(near[one.left] | near[one.right]) for one in (stated, judged)]
    pairs = distinct([proposed.pairs, *further], len(columns.record_id))
    rarity = rarity_of(columns, faces, proposed, settings)
    known, least = _codes(columns, judged), round(settings.review_at * ONE_BIT)
    measure = Measure(columns, registers, rarity, kin_of(RELATED.empty_table()), settings, size)
    del proposed
    if not isinstance(related, pa.Table):
        related = related(_strangers(measure, pairs, isin(_codes(columns, pairs), known), least))
    measure = replace(measure, kin=kin_of(related))

    def plausible(first: int) -> tuple[Pairs, Evidence, Flags, Flags]:
        some = pairs.only(slice(first, first + _SLICE))
        found = weigh(measure, some)
        at = np.minimum(np.searchsorted(known, _codes(columns, some)), max(len(known) - 1, 0))
        is_judged = known[at] == _codes(columns, some) if len(known) else np.zeros(len(some.left), np.bool_)
        same = is_judged & (is_same[at] if len(known) else False)
        keep = np.flatnonzero((found.total >= least) | is_judged)
        return some.only(keep), found.only(keep), same[keep], (is_judged & ~same)[keep]

    # Most are dropped at once: memory is bounded by what is kept.
    parts = in_parallel(plausible, range(0, max(len(pairs.left), 1), _SLICE), len(pairs.left))
    kept = Pairs(*(np.concatenate([getattr(part[0], name) for part in parts]) for name in ("left", "right")))
    same, apart = (np.concatenate([part[at] for part in parts]) for at in (2, 3))
    return Weighed(columns, kept, together([part[1] for part in parts]), same, apart)


def _strangers(measure: Measure, pairs: Pairs, judged: Flags, least: int) -> Ints:
    """The places of documents, one of each client, of all clients that have a pair with another one's which would be
    plausible if the two were related; `measure` knows of none that are."""
    columns, found = measure.columns, weigh(measure, pairs)
    if_related = found.total - found.client_bits + measure.settings.weights.unit("client_related")
    wanted = (found.client == CLIENT.index("differs")) & ((if_related >= least) | judged)
    places = union(pairs.left[wanted], pairs.right[wanted])
    _, first = np.unique(columns.client[places], return_index=True)
    return places[first]


def link(
    documents: pa.Table, registers: Registers, said: pa.Table, related: pa.Table, settings: DocumentSettings
) -> pa.Table:
    """The links (LINK) of these documents (DOCUMENT), which are all that there are, ordered; without sums of
    instalments, which `instalments` finds."""
    columns, size = columns_of(documents, registers), size_class(documents.num_rows)
    return link_weighed(weigh_documents(columns, registers, said, related, settings, size), settings)


def link_weighed(weighed: Weighed, settings: DocumentSettings) -> pa.Table:
    """The links that plausible pairs make."""
    columns, pairs, found = weighed.columns, weighed.pairs, weighed.evidence
    is_sale = np.isin(columns.money, SALES)
    one_kind = (is_sale[pairs.left] & is_sale[pairs.right]) | (columns.money[pairs.left] == columns.money[pairs.right])
    sure = weighed.judged_same | (found.stated & ~weighed.judged_apart)
    strong = (sure | (found.total >= round(settings.link_at * ONE_BIT))) & ~weighed.judged_apart
    alike = np.flatnonzero(strong & one_kind)
    apart = np.flatnonzero(weighed.judged_apart)
    event, made = put_together(
        columns.book,
        pairs.left[alike],
        pairs.right[alike],
        found.total[alike] + 100 * STATED_FIRST * weighed.judged_same[alike],
        sure=sure[alike],
        apart=(pairs.left[apart], pairs.right[apart]),
    )
    linked = alike[made]
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
    held = unique(event * size + columns.book)
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
    same, settled, _ = rows
    at = np.concatenate(rows)
    left, right = weighed.pairs.left[at], weighed.pairs.right[at]
    kind = pa.array(["same", "settles"]).take(pa.array((is_sale[left] != is_sale[right]).astype(np.int8)))
    status = pa.array(["linked", "review"]).take(
        pa.array((np.arange(len(at)) >= len(same) + len(settled)).astype(np.int8))
    )
    amount = np.zeros(len(at), np.int64)
    amount[len(same) : len(same) + len(settled)] = amounts
    found = weighed.evidence.only(at)
    table = pa.table(
        [
            columns.record_id[left],
            columns.record_id[right],
            kind,
            status,
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
    """Records with a plausible pair to one of `documents` (records, ascending), these among them; ordered."""
    ids = weighed.columns.record_id
    here = isin(ids, documents)
    reached = here[weighed.pairs.left] | here[weighed.pairs.right]
    return union(ids[here], ids[weighed.pairs.left[reached]], ids[weighed.pairs.right[reached]])


def joined(parts: Sequence[Weighed], columns: Columns) -> Weighed:
    """The pairs of all parts, each once, of those documents alone that are in `columns`."""
    ids = columns.record_id
    known = [
        np.concatenate([np.zeros(0, np.int64), *(part.columns.record_id[getattr(part.pairs, end)] for part in parts)])
        for end in ("left", "right")
    ]
    places = [np.minimum(np.searchsorted(ids, one), max(len(ids) - 1, 0)) for one in known]
    here = np.logical_and(*(ids[at] == one for at, one in zip(places, known, strict=True)))
    at = np.flatnonzero(here)
    _, first = np.unique(places[0][at] * max(len(ids), 1) + places[1][at], return_index=True)
    at = at[first]
    flags = (np.concatenate([getattr(part, name) for part in parts])[at] for name in ("judged_same", "judged_apart"))
    return Weighed(columns, Pairs(places[0][at], places[1][at]), together([p.evidence for p in parts]).only(at), *flags)

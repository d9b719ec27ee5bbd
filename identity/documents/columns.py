"""Documents as arrays, ordered by record: what pairs, weights and events are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.schema import PLACE, PLAIN, SOLD, UNIT, VOID, Flags, Ints, Registers
from identity.documents.settings import DocumentSettings
from identity.hashing import combine, hash_strings, mix, signed

_FEWEST_DIGITS = 4
"""Numbers with fewer are on too many documents."""
_SLOTS = np.uint64(0xFFFF_FFFF_FFFF_F000)
"""Of an amount's key; the rest of the bits tell days."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One row per document that is not void, by record_id."""

    record_id: Ints
    register: Ints
    money: Ints
    book: Ints
    rank: Ints
    day: Ints
    has_day: Flags
    amount: Ints
    has_amount: Flags
    currency: Ints
    """A hash; 0: not known."""
    client: Ints
    has_client: Flags
    number: Ints
    """A hash of the number as it is written, without signs and case; 0: none."""
    number_core: Ints
    """A hash of its digits, leading zeros left out; 0: none, or too few."""
    number_digits: Ints
    parent: Ints
    """The place of the document that it belongs to; -1: none here."""
    sold: Flags


@dataclass(frozen=True, slots=True)
class Faces:
    """The amounts under which documents are looked for: as they are; those without tax also with that of each rate."""

    document: Ints
    face: Ints
    amount_key: npt.NDArray[np.uint64]
    """0: nothing to look for."""
    client_key: npt.NDArray[np.uint64]
    """Amount and client; 0: nothing to look for."""


def columns_of(documents: pa.Table, registers: Registers) -> Columns:
    """The documents (DOCUMENT) that are not void."""
    documents = by_record(documents.filter(pc.not_equal(documents["state"], VOID)))
    register, currency = _ints(documents, "register")[0], signed(_hashes(documents["currency"]))
    return _columns(documents, registers, register, currency, _numbers(documents["number"]))


def columns_of_places(places: pa.Table, registers: Registers) -> Columns:
    """The documents of which these are the places as they are (PLACE, face 0)."""
    places = by_record(places)
    register = registers.places(_ints(places, "register_key")[0])
    number, core, digits = (_ints(places, name)[0] for name in ("number", "number_key", "digits"))
    return _columns(places, registers, register, _ints(places, "currency")[0], (number, core, digits))


def _columns(
    rows: pa.Table, registers: Registers, register: Ints, currency: Ints, numbers: tuple[Ints, Ints, Ints]
) -> Columns:
    """Of rows by record_id that say all else in columns that DOCUMENT and PLACE have in common; `numbers`: as they are
    written, their digits alone, and how many these are."""
    record_id = _ints(rows, "record_id")[0]
    parent, has_parent = _ints(rows, "parent_record_id")
    day, has_day = _ints(rows, "day")
    amount, has_amount = _ints(rows, "amount")
    client, has_client = _ints(rows, "client")
    return Columns(
        record_id,
        register,
        registers.money()[register] if len(register) else register,
        registers.books()[register] if len(register) else register,
        registers.ranks()[register] if len(register) else register,
        day,
        has_day,
        amount,
        has_amount,
        currency,
        client,
        has_client,
        *numbers,
        np.where(has_parent, _places(record_id, parent), -1),
        _ints(rows, "state")[0] == SOLD,
    )


def by_record(documents: pa.Table) -> pa.Table:
    """The same rows by record_id, in one piece."""
    ids = documents["record_id"].to_numpy()
    if not (ids[1:] > ids[:-1]).all():
        documents = documents.sort_by("record_id")
    return documents.combine_chunks()


def faces_of(columns: Columns, registers: Registers, settings: DocumentSettings) -> Faces:
    """All faces, by document and face."""
    usable = np.flatnonzero(columns.has_amount & (columns.amount != 0) & columns.has_day)
    document, face, amount = [usable], [np.zeros(len(usable), np.int64)], [columns.amount[usable]]
    is_net = registers.is_net()
    if is_net.any():
        net = usable[is_net[columns.register[usable]]]
        for number, rate in enumerate(settings.tax_rates, 1):
            share = round(rate * UNIT)
            document.append(net)
            face.append(np.full(len(net), number, np.int64))
            amount.append(with_tax(columns.amount[net], share))
    of, which, much = np.concatenate(document), np.concatenate(face), np.concatenate(amount)
    order = np.lexsort((which, of))
    of, which, much = of[order], which[order], much[order]
    key = combine(mix(much.view(np.uint64)), columns.currency[of].view(np.uint64))
    client_key = np.where(columns.has_client[of], combine(key, columns.client[of].view(np.uint64)), np.uint64(0))
    return Faces(of, which, key, client_key)


def places_of(columns: Columns, faces: Faces, registers: Registers, parents: pa.Table) -> pa.Table:
    """Where the documents are looked for (PLACE), those of one amount together, by day; `parents`: record_id and
    parent_record_id of all of them."""
    is_bare = np.ones(len(columns.record_id), np.bool_)
    is_bare[faces.document] = False
    bare = np.flatnonzero(is_bare)
    nothing = np.zeros(len(bare), np.uint64)
    of = np.concatenate([faces.document, bare])
    face = np.concatenate([faces.face, np.zeros(len(bare), np.int64)])
    amount_key = np.concatenate([faces.amount_key, nothing])
    # What is asked for together stands together, where it is stored as it comes.
    order = np.argsort(amount_key & _SLOTS | columns.day[of].view(np.uint64) & ~_SLOTS)
    of, face, amount_key = of[order], face[order], amount_key[order]
    client_key = np.concatenate([faces.client_key, nothing])[order]
    known = by_record(parents)
    parent, has_parent = _ints(known, "parent_record_id")
    at = np.searchsorted(known["record_id"].to_numpy(), columns.record_id[of])
    first = face == 0
    code = registers.codes()[columns.register] if len(registers.registers) else columns.register

    def once(values: Ints, known: Flags) -> pa.Array:
        """Of a document's rows the one as it is says it."""
        return pa.array(values[of], mask=~(known[of] & first))

    return pa.table(
        [
            columns.record_id[of],
            face.astype(np.int32),
            pa.array(columns.day[of].astype(np.int32), mask=~columns.has_day[of]),
            pa.array(signed(amount_key), mask=amount_key == 0),
            pa.array(signed(client_key), mask=client_key == 0),
            once(columns.number_core, columns.number_core != 0),
            pa.array(parent[at], mask=~(has_parent[at] & first)),
            once(columns.client, columns.has_client),
            once(code, np.ones(len(code), np.bool_)),
            once(columns.amount, columns.has_amount),
            once(columns.currency, columns.currency != 0),
            once(columns.number, columns.number_core != 0),
            once(columns.number_digits.astype(np.int32), columns.number_core != 0),
            once(np.where(columns.sold, SOLD, PLAIN).astype(np.int32), np.ones(len(code), np.bool_)),
        ],
        schema=PLACE,
    )


def with_tax(amount: Ints, share: int) -> Ints:
    """Amounts with a tax of `share` ten-thousandths, to the cent, half away from zero as invoices are written."""
    cents = np.abs(amount) // 100
    taxed: Ints = np.sign(amount) * ((cents * (UNIT + share) + UNIT // 2) // UNIT) * 100
    return taxed


def significant_digits(amount: Ints) -> Ints:
    """Digits of amounts without the zeros at their end: 1250.00 has three."""
    rest = np.abs(amount)
    rest = np.where(rest == 0, 1, rest)
    for power in (8, 4, 2, 1):
        while True:
            ends = (rest % 10**power == 0) & (rest >= 10**power)
            if not ends.any():
                break
            rest = np.where(ends, rest // 10**power, rest)
    count = np.ones(len(rest), np.int64)
    for power in range(1, 19):
        count += rest >= 10**power
    return count


def _ints(table: pa.Table, name: str) -> tuple[Ints, Flags]:
    """A column as integers, and which of them are known; what is not is 0."""
    column = table[name]
    known = pc.is_valid(column).to_numpy(zero_copy_only=False) if column.null_count else np.ones(len(column), np.bool_)
    return pc.fill_null(column, 0).to_numpy().astype(np.int64), known


def _places(sorted_ids: Ints, wanted: Ints) -> Ints:
    at = np.searchsorted(sorted_ids, wanted)
    at = np.minimum(at, max(len(sorted_ids) - 1, 0))
    return np.where(sorted_ids[at] == wanted, at, -1) if len(sorted_ids) else np.full(len(wanted), -1)


def _hashes(texts: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Hashes of texts of which few are distinct; 0 for null."""
    coded = pc.dictionary_encode(texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    codes = pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy()
    hashes = np.append(hash_strings(coded.dictionary.cast(pa.string())), np.uint64(0))
    found: npt.NDArray[np.uint64] = hashes[codes]
    return found


def _numbers(texts: pa.ChunkedArray) -> tuple[Ints, Ints, Ints]:
    """Hash as written, hash of the digits, how many digits."""
    texts = texts.combine_chunks()
    has = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    written = pc.replace_substring_regex(pc.utf8_upper(pc.fill_null(texts, "")), r"[^\p{L}\p{N}]+", "")
    core = pc.utf8_ltrim(pc.replace_substring_regex(written, r"[^0-9]+", ""), "0")
    digits = pc.binary_length(core).to_numpy().astype(np.int64)
    enough = has & (digits >= _FEWEST_DIGITS)
    at = np.flatnonzero(enough)
    number, short = np.zeros(len(has), np.int64), np.zeros(len(has), np.int64)
    for into, found in ((number, written), (short, core)):
        into[at] = signed(hash_strings(found.take(pa.array(at)).cast(pa.string())))
    return number, short, np.where(enough, digits, 0)

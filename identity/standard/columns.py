"""Columns of one attribute: every distinct value is normalised once, the rows hold codes into the forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.standard.form import MAX_LENGTH, Form
from identity.standard.values import too_long

Ints: TypeAlias = npt.NDArray[np.int64]
Normaliser: TypeAlias = Callable[[str, str | None], Form]
_SPECIAL = r'[\x00-\x1f"\\]'


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one attribute within a batch, ordered by row, then as they came."""

    rows: Ints
    values: pa.Array  # string
    repairs: pa.Array  # string, null where nothing was mended


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute in standard form: `rows[i]` holds form `codes[i]`; ordered by row, then as the values
    came."""

    rows: Ints
    codes: Ints
    raws: Sequence[str]
    """The source's spelling of each form."""
    display: pa.Array
    value: pa.Array
    """Comparable; null when the form is invalid."""
    reason: pa.Array
    shown: Callable[[], pa.Array]
    """`fragments`, made when they are asked for."""

    @property
    def fragments(self) -> pa.Array:
        """Each form as a JSON object for `attributes`."""
        return self.shown()


def encode_json_strings(strings: pa.Array) -> pa.Array:
    """Each string as a JSON string; null stays null."""
    quoted = pc.binary_join_element_wise('"', strings, '"', "")
    special = pc.match_substring_regex(strings, _SPECIAL)
    if not pc.any(special).as_py():
        return quoted
    encode = msgspec.json.Encoder().encode
    mended = [encode(text).decode() for text in strings.filter(special).to_pylist()]
    return pc.replace_with_mask(quoted, pc.fill_null(special, False), pa.array(mended, pa.string()))


def fragments(
    display: pa.Array,
    reason: pa.Array | None = None,
    repaired: pa.Array | None = None,
    derived: str | None = None,
) -> pa.Array:
    """JSON objects `{"v": ..., "invalid"?: ..., "repaired"?: ..., "derived"?: ...}`; null where display is
    null."""
    parts: list[Any] = ['{"v":', encode_json_strings(display)]
    for name, notes in (("invalid", reason), ("repaired", repaired)):
        if notes is not None and notes.null_count < len(notes):
            note = pc.binary_join_element_wise(f',"{name}":', encode_json_strings(notes), "")
            parts.append(pc.fill_null(note, ""))
    parts.append(f',"derived":"{derived}"}}' if derived else "}")
    return pc.binary_join_element_wise(*parts, "")


def _encode(values: Values, countries: Ints | None) -> tuple[Ints, list[str], Ints | None, list[str | None]]:
    """Codes of the distinct (value, country, repair), and the values, country codes and repairs behind
    them."""
    encoded = values.values.dictionary_encode()
    codes: Ints = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    distinct: list[str] = encoded.dictionary.to_pylist()
    has_repairs = values.repairs.null_count < len(values.repairs)
    if countries is None and not has_repairs:
        return codes, distinct, None, []
    keys = codes
    radix_country = radix_repair = 1
    repairs: list[str | None] = [None]
    if countries is not None and len(countries):
        radix_country = int(countries.max()) + 2
        keys = keys * radix_country + countries + 1
    if has_repairs:
        mended = values.repairs.dictionary_encode()
        repairs = [*mended.dictionary.to_pylist(), None]
        radix_repair = len(repairs)
        keys = keys * radix_repair + pc.fill_null(mended.indices, radix_repair - 1).to_numpy(zero_copy_only=False)
    unique, inverse = np.unique(keys, return_inverse=True)
    repair_of, rest = unique % radix_repair, unique // radix_repair
    return (
        inverse.astype(np.int64),
        [distinct[i] for i in (rest // radix_country).tolist()],
        (rest % radix_country - 1) if countries is not None else None,
        [repairs[i] for i in repair_of.tolist()] if has_repairs else [],
    )


def _strings(items: Iterable[str | None]) -> pa.Array:
    return pa.array(list(items), pa.string())


def column(
    values: Values, normalise: Normaliser, countries: Ints | None = None, country_names: Sequence[str] = ()
) -> Column:
    """Normalise an attribute: once per distinct value (and country, where `countries` are given by value;
    -1: none)."""
    codes, raws, nations, repairs = _encode(values, countries)
    if nations is None:
        forms = [normalise(raw, None) if len(raw) <= MAX_LENGTH else _long(raw) for raw in raws]
    else:
        names: list[str | None] = [*country_names, None]  # -1 is the last
        forms = [
            normalise(raw, names[nation]) if len(raw) <= MAX_LENGTH else _long(raw)
            for raw, nation in zip(raws, nations.tolist(), strict=True)
        ]
    if repairs:
        forms = [
            form._replace(repaired=form.repaired or repair)
            for form, repair in zip(forms, repairs, strict=True)
        ]  # fmt: skip
    return from_forms(values.rows, codes, raws, forms)


def _long(raw: str) -> Form:
    form = too_long(raw)
    assert form is not None
    return form


def from_forms(rows: Ints, codes: Ints, raws: Sequence[str], forms: Sequence[Form]) -> Column:
    """A column of these forms."""
    display, value, reason, repaired = (
        (_strings(part) for part in zip(*forms, strict=True)) if forms else [_strings(())] * 4
    )
    return Column(rows, codes, raws, display, value, reason, lambda: fragments(display, reason, repaired))


def pick(source: Column, size: int) -> Ints:
    """For each row of the batch the code of its first valid form, or -1."""
    valid = source.value.is_valid().to_numpy(zero_copy_only=False)[source.codes]
    rows, codes = source.rows[valid], source.codes[valid]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = rows[1:] != rows[:-1]
    chosen = np.full(size, -1, dtype=np.int64)
    chosen[rows[first]] = codes[first]
    return chosen


def take(values: pa.Array, indices: Ints) -> pa.Array:
    """`values` by index; null for -1."""
    return values.take(pa.array(indices, mask=indices < 0))


def present(source: Column | None, size: int) -> npt.NDArray[np.bool_]:
    """Which rows of the batch have the attribute, valid or not."""
    found = np.zeros(size, dtype=bool)
    if source is not None:
        found[source.rows] = True
    return found


def joined(*parts: pa.Array) -> pa.Array:
    """Element by element, what is not null with a space between; null where all are.

    (Arrow's own `null_handling="skip"` leaves out rows in which all are null, and so shortens the array.)
    """
    whole = parts[0]
    for part in parts[1:]:
        whole = pc.coalesce(pc.binary_join_element_wise(whole, part, " "), whole, part)
    return whole

"""A few values are worked one by one: with the same result as a column of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.blocking.keys import keys_by_rule
from identity.blocking.single import SingleKeys
from identity.encoded import encode
from identity.features import Features
from identity.hashing import hash_strings
from identity.parts import parts_of, parts_of_one, sounds
from identity.settings import load_settings
from tests.unit.identity.conftest import make_tables

_MANY = 40
"""So many values are always worked as a column."""


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_string_alone_has_the_hash_that_it_has_in_a_column(text: str) -> None:
    alone = hash_strings(pa.array([text], pa.string()))
    column = hash_strings(pa.array([text, *map(str, range(_MANY))], pa.string()))
    assert alone[0] == column[0]


@given(st.text("abcehiknopqrstuwxyz '-é", max_size=20))
def test_a_name_alone_sounds_as_it_does_in_a_column(name: str) -> None:
    alone = sounds(pa.array([name], pa.string()))
    column = sounds(pa.array([name, *map(str, range(_MANY))], pa.string()))
    assert alone[0] == column[0]


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=3), max_size=20))
def test_few_values_have_the_codes_that_they_have_in_a_column(values: list[str | None]) -> None:
    few, few_codes = encode(pa.array(values, pa.string()))
    many, many_codes = encode(pa.array([*values, *["zz"] * _MANY], pa.string()))
    assert many[: len(few)] == few
    assert many_codes[: len(values)].tolist() == few_codes.tolist()
    assert few_codes.dtype == np.int32


WORDS = st.text("abcdé ßя\u2003\u0301𐐷", max_size=40)


@given(WORDS, st.sampled_from(["sorted", "token", "token_pairs"]))
def test_a_name_alone_has_the_parts_that_it_has_in_a_column(name: str, part: str) -> None:
    column = parts_of(pa.array([name, *["x y"] * _MANY], pa.string()), part)
    assert parts_of_one(name, part) == column.texts[: column.offsets[1]].to_pylist()


NAME = st.none() | st.text("abß -'", min_size=1, max_size=12).filter(str.strip)
PERSON = st.fixed_dictionaries(
    {
        "key": st.just("1"),
        "given": NAME,
        "family": NAME,
        "born": st.none() | st.dates().map(str),
        "email": st.lists(st.sampled_from(["a@b.example", "c@d.example", "a@d.example", "!no"]), max_size=3),
        "phone": st.lists(st.sampled_from(["+1", "+2"]), max_size=2, unique=True),
        "postcode": st.none() | st.sampled_from(["1", "12345", "AB1 2CD"]),
        "city": NAME,
        "street": NAME,
        "house": st.none() | st.sampled_from(["1", "2a"]),
    }
)
FIRM = st.fixed_dictionaries(
    {
        "key": st.just("1"),
        "org": st.text("ab ß", min_size=1, max_size=30).filter(str.strip),
        "inn": st.lists(st.sampled_from(["1", "2"]), max_size=2, unique=True),
        "email": st.lists(st.sampled_from(["a@b.example", "c@d.example"]), max_size=2, unique=True),
        "postcode": st.none() | st.just("12345"),
        "city": NAME,
    }
)


@pytest.mark.parametrize(("kind", "rows"), [("person", PERSON), ("organisation", FIRM)])
@given(data=st.data())
def test_a_record_alone_has_the_keys_that_it_has_among_many(kind: str, rows: Any, data: Any) -> None:
    row = data.draw(rows)
    settings = load_settings().kind(kind)
    others = [{**row, "key": f"2{n}"} for n in range(_MANY)]
    alone = SingleKeys(kind, settings).of(Features.of(*make_tables([row])))
    keys = keys_by_rule(Features.of(*make_tables([row, *others])), kind, settings, np.ones(_MANY + 1, dtype=np.bool_))
    assert len(set(alone)) == len(alone)
    assert set(alone) == set(keys.key[keys.row == 0].tolist())

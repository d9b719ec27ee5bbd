"""A few values are worked one by one: with the same result as a column of them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from identity.hashing import hash_strings
from identity.parts import sounds

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

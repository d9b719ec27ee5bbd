"""Record ids depend on nothing but where a record comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.keys import record_id, record_ids


def test_a_record_id_never_changes_between_releases() -> None:
    assert record_id("crm", "contacts", "42") == 7404652346254949904


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_ids_of_a_stream_are_the_ids_of_its_records_and_fit_a_bigint(key: str) -> None:
    found = record_ids("crm", "contacts")(key)
    assert found == record_id("crm", "contacts", key)
    assert -(2**63) <= found < 2**63


def test_source_stream_and_key_are_told_apart() -> None:
    assert (
        len(
            {
                record_id("a", "b", "c"),
                record_id("ab", "", "c"),
                record_id("a", "bc", ""),
                record_id("", "ab", "c"),
            }
        )
        == 4
    )


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        record_id("crm", "contacts", "\ud800")

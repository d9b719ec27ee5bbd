"""Two versions of a record: whether the later one is about somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from identity.changed_identity import Versions, changed_identity
from identity.model import prior_model
from identity.schema import IDENTIFIER, RECORD
from identity.settings import load_settings
from tests.unit.identity.conftest import make_tables

ANNA = {"given": "anna", "family": "kern", "born": "1990-02-11", "email": "anna@mail.example", "phone": "+79035550202"}
FIRM = {"org": "romashka", "inn": "7707083893"}


def version(*rows: Mapping[str, Any]) -> Versions:
    """The rows as versions 0, 1, ..."""
    records, identifiers = [], []
    for place, row in enumerate(rows):
        one, ids = make_tables([{"key": "1", **row}])
        records.append(one.set_column(0, RECORD.field(0), pa.array([place], pa.int64())))
        identifiers.append(ids.set_column(0, IDENTIFIER.field(0), pa.array([place] * ids.num_rows, pa.int64())))
    return Versions(pa.concat_tables(records), pa.concat_tables(identifiers))


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (ANNA, ANNA, False),
        (ANNA, ANNA | {"phone": "+79160000001", "email": "kern@work.example"}, False),
        (ANNA, ANNA | {"family": "petrova"}, False),
        (ANNA, {"given": "anna"}, False),  # says less, but nothing else
        ({"given": "anna"}, {"given": "anna", "phone": "+79035550202"}, False),
        ({"given": "anna"}, ANNA, False),
        (ANNA, {"given": "ivan", "family": "petrov", "born": "1971-01-01", "email": "i@mail.example"}, True),
        ({"given": "anna", "family": "kern"}, {"given": "ivan", "family": "petrov"}, True),
        (FIRM, FIRM | {"org": "vasilek"}, False),  # renamed
        (FIRM, FIRM | {"inn": "7736050003"}, True),  # two valid numbers
        (FIRM, FIRM | {"inn": "!7736050004"}, False),  # an invalid one is no evidence
        (FIRM, ANNA, True),
    ],
)
def test_a_version_is_somebody_else_s_when_it_would_not_match(
    before: dict[str, Any], after: dict[str, Any], changed: bool
) -> None:
    settings = load_settings()
    model = prior_model(settings)
    # Among others, and in both directions: nobody else counts, and neither does the order.
    one, two = version(FIRM, before, ANNA), version(FIRM, after, ANNA)
    assert changed_identity(one, two, model, settings).tolist() == [False, changed, False]
    assert changed_identity(two, one, model, settings).tolist() == [False, changed, False]

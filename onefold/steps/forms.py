"""Standard forms of what was mapped: records and identifiers, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from identity.schema import HEAD, VALUE
from identity.standard import standardise
from onefold.steps.rules import standard_profile
from warehouse.keys import record_id

if TYPE_CHECKING:
    from identity.standard import IdOf, Profile, Standardised
    from onefold.context import Context
    from onefold.mapping import Mapped


def party_tables(
    context: Context, mapped: Iterable[Mapped], profile: Profile | None = None
) -> tuple[pa.Table, pa.Table]:
    """Standard records and identifiers (RECORD, IDENTIFIER) of all parts, each of one record."""
    forms = _forms(context, mapped, profile, None)
    return forms.records, forms.identifiers


def party_forms(context: Context, mapped: Iterable[Mapped], profile: Profile) -> Standardised:
    """The same, with a card that names several organisations made into several records."""
    return _forms(context, mapped, profile, record_id)


def _forms(context: Context, mapped: Iterable[Mapped], profile: Profile | None, id_of: IdOf | None) -> Standardised:
    """Unique values are normalised once for all parts."""
    heads, values, offset = [HEAD.empty_table()], [VALUE.empty_table()], 0
    for part in mapped:
        heads.append(part.head)
        rows = pc.add(part.values.column("row"), pa.scalar(offset, pa.int32()))
        values.append(part.values.set_column(0, VALUE.field("row"), rows))
        offset += part.head.num_rows
    return standardise(pa.concat_tables(heads), pa.concat_tables(values), profile or standard_profile(context), id_of)

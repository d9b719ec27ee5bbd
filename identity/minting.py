"""Client ids for a register that never had any: whole columns at a time, the same ids as `ids.assign_ids` gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.hashing import uuid_texts
from identity.ids import NAMESPACE
from identity.schema import CROSSWALK

MINT: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),
        pa.field("founding_key", pa.string(), nullable=False),
        pa.field("mint_number", pa.int32(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Minted:
    """The crosswalk of all records, in their order, and the ids that were minted, ordered by client id."""

    crosswalk: pa.Table  # schema.CROSSWALK
    mints: pa.Table  # MINT


def mint_all(labels: pa.Table) -> Minted:
    """A new id, the first of its founding key, for every cluster of `labels` (record_id, label, natural_key).

    Equals `assign_ids` where nothing was ever linked, minted or redirected.
    """
    keys = labels["natural_key"].combine_chunks()
    codes = labels["label"].combine_chunks().dictionary_encode()
    of_row = codes.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    order = pc.sort_indices(keys).to_numpy().astype(np.int64)
    _, first = np.unique(of_row[order], return_index=True)  # the smallest natural key of each cluster
    founding = keys.take(pa.array(order[first]))
    ids = _first_ids(founding)
    mints = pa.table([ids, founding, np.ones(len(ids), dtype=np.int32)], schema=MINT)
    crosswalk = pa.table([labels["record_id"].combine_chunks(), ids.take(pa.array(of_row))], schema=CROSSWALK)
    return Minted(crosswalk, mints.sort_by("client_id"))


def _first_ids(founding: pa.StringArray) -> pa.StringArray:
    """`ids.client_id(key, 1)` of each key."""
    space = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)

    def digest(key: str) -> bytes:
        state = space.copy()
        state.update(f"{key}#1".encode())
        return state.digest()

    data = b"".join(map(digest, founding.to_pylist()))
    octets: npt.NDArray[np.uint8] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 20)[:, :16].copy()
    octets[:, 6] = octets[:, 6] & 0x0F | 0x50
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    return uuid_texts(octets)

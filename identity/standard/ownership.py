"""The hub's own firms and staff: never clients, never evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.standard import emails
from identity.standard.batch import Batch, Bools
from identity.standard.columns import Column, fragments
from identity.standard.form import Form
from identity.standard.normalisers import normaliser
from identity.standard.profile import ENTITY_IDENTIFIERS, Profile

OWN: Final = "own organisation"
"""Why a shared address of the hub's own firms is invalid on anybody's card."""


def own_values(profile: Profile) -> Mapping[str, frozenset[str]]:
    """The hub's own identifiers and domains in standard form, by type."""
    own: dict[str, set[str]] = {}
    for kind, raw in profile.own_identifiers:
        form = normaliser(kind, profile)(raw, profile.default_country)
        own.setdefault("domain" if kind == "website" else kind, set()).add(form.value or raw)
    own.setdefault("domain", set()).update(emails.domain(raw).value or raw.lower() for raw in profile.own_domains)
    return {kind: frozenset(found) for kind, found in own.items() if found}


def mark_own(batch: Batch, own: Mapping[str, frozenset[str]]) -> Bools:
    """Which records are the hub's own firms or staff; their shared addresses are no evidence on anybody's
    card."""
    is_own = pc.equal(batch.head["role"], "staff").combine_chunks().to_numpy(zero_copy_only=False).copy()
    domains = own.get("domain", frozenset())
    holds, foreign = np.zeros(batch.size, dtype=bool), np.zeros(batch.size, dtype=bool)
    for name, found in list(batch.columns.items()):
        kind = "domain" if name == "website" else name
        held = own.get(kind, frozenset())
        if name == "email" and (held or domains):
            ours = [v is not None and (v in held or v.rpartition("@")[2] in domains) for v in found.value.to_pylist()]
        elif held:
            ours = pc.fill_null(pc.is_in(found.value, pa.array(sorted(held), pa.string())), False).to_pylist()
        else:
            continue
        mask = np.array(ours, dtype=bool)
        hit = mask[found.codes]
        if kind in {"email", "domain"}:
            valid = found.value.is_valid().to_numpy(zero_copy_only=False)[found.codes]
            foreign[found.rows[valid & ~hit]] = True
            holds[found.rows[hit]] = True
        if not mask.any():
            continue
        if kind in ENTITY_IDENTIFIERS:
            is_own[found.rows[hit]] = True
            continue
        batch.columns[name] = _refused(found, mask)
    # an own address beside a foreign one is a colleague's, written on a client's card
    result: Bools = is_own | (holds & ~foreign)
    return result


def _refused(found: Column, mask: Bools) -> Column:
    forms = [
        Form(d, None, OWN) if ours else Form(d, v, r)
        for d, v, r, ours in zip(
            found.display.to_pylist(),
            found.value.to_pylist(),
            found.reason.to_pylist(),
            mask.tolist(),
            strict=True,
        )
    ]
    marked = pa.array(mask)
    value = pa.array([form.value for form in forms], pa.string())
    reason = pa.array([form.invalid for form in forms], pa.string())
    refused = fragments(found.display, reason)
    return Column(
        found.rows,
        found.codes,
        found.raws,
        found.display,
        value,
        reason,
        lambda: pc.if_else(marked, refused, found.fragments),
    )

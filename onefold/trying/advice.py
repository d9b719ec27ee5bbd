"""What more data would help, and by how much: what doubtful pairs lack, what cannot be read, what says too little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.evaluation.unlinkable import self_evidence
from identity.explanation.words import column_words
from identity.features import positions

if TYPE_CHECKING:
    from identity.population import Population
    from onefold.trying.columns import Understood
    from onefold.trying.kernel import Resolved

_TELLING: Final = ("email", "phone", "birth_date", "inn", "vat", "national_id", "address", "name.middle")
_OFTEN: Final = 0.3
_KNOWN: Final = 0.1
_SAMPLE: Final = 5_000
_MOST_UNREADABLE: Final = 0.2


@dataclass(frozen=True)
class Lacking:
    """Sentences on what records of a kind lack."""

    questions: tuple[str, ...]
    """What the pairs in question most often lack."""
    alone: tuple[str, ...]
    """Of records that not even a copy would be linked to."""


def lacking_of(population: Population, cases: pa.Table) -> Lacking:
    """What the records of a kind lack; `cases` are the pairs of them that are in question."""
    return Lacking(tuple(_of_questions(population, cases)), tuple(_of_unlinkable(population)))


def advice(found: Resolved, used: Sequence[Understood], *, country_said: bool) -> list[str]:
    """Sentences for people, the most telling first."""
    made = [sentence for lacking in found.lacking for sentence in lacking.questions]
    made += [sentence for lacking in found.lacking for sentence in lacking.alone]
    made += _of_unreadable(found, country_said=country_said)
    made += _of_tables(used)
    return made or ["Nothing in these files stands out: most records say enough to be told apart."]


def _of_questions(population: Population, cases: pa.Table) -> Iterator[str]:
    left, right = (positions(pa.chunked_array([population.ids]), cases[side]) for side in ("left_id", "right_id"))
    mine = (left >= 0) & (right >= 0)
    if mine.sum() < 5:
        return
    vectors = population.scorer.vectors(left[mine], right[mine])
    some = np.arange(0, len(population.ids), max(1, len(population.ids) // _SAMPLE))
    known = {name: float((levels > 0).mean()) for name, levels in population.scorer.vectors(some, some).items()}
    # What hardly anybody has is of another country, or was never asked for.
    lacking = {
        name: float((levels == 0).mean())
        for name, levels in vectors.items()
        if name in _TELLING and known[name] >= _KNOWN
    }
    for name, share in sorted(lacking.items(), key=lambda one: (-one[1], one[0]))[:3]:
        if share >= _OFTEN:
            yield (
                f"In {share:.0%} of the {int(mine.sum()):,} doubtful pairs of {population.kind}s one side has no "
                f"{column_words(name)}: a column with it would decide many of them."
            )


def _of_unlinkable(population: Population) -> Iterator[str]:
    alone = self_evidence(population, 0)
    if alone.unlinkable and alone.records:
        lacking = ", ".join(column_words(column.column) for column in alone.silent[:3])
        yield (
            f"{alone.unlinkable:,} of {alone.records:,} records of {population.kind}s say so little that not even an "
            f"exact copy would be linked to them." + (f" They lack: {lacking}." if lacking else "")
        )


def _of_unreadable(found: Resolved, *, country_said: bool) -> Iterator[str]:
    """Numbers that are no evidence because they cannot be read."""
    identifiers = found.identifiers
    for one in identifiers.group_by("type").aggregate([("is_valid", "count"), ("is_valid", "sum")]).to_pylist():
        bad = one["is_valid_count"] - (one["is_valid_sum"] or 0)
        if bad > _MOST_UNREADABLE * one["is_valid_count"]:
            invalid = identifiers.filter(
                pc.and_(pc.equal(identifiers["type"], one["type"]), pc.invert(identifiers["is_valid"]))
            )
            reasons = invalid["invalid_reason"].value_counts().to_pylist()
            why = max(reasons, key=lambda reason: (reason["counts"], str(reason["values"])))["values"]
            hint = " If they are of one country, say which: --country RU." if one["type"] == "phone" else ""
            yield (
                f"{bad:,} of {one['is_valid_count']:,} values of {column_words(one['type'])} are no evidence, mostly "
                f"because of: {why}." + ("" if country_said else hint)
            )


def _of_tables(used: Sequence[Understood]) -> Iterator[str]:
    """What one file has and another lacks: nothing can agree on it."""
    if len(used) < 2:
        return
    held = {one.table.title: set(one.proposal.fields) for one in used}
    for attribute in ("email", "phone", "birth_date", "inn", "vat"):
        without = [title for title, fields in held.items() if attribute not in fields]
        if without and len(without) < len(held):
            yield (
                f"{column_words(attribute)} stands in {len(held) - len(without)} of {len(held)} files; "
                f"{', '.join(without[:5])} could be compared by it too."
            )

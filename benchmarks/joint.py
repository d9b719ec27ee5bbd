"""What documents in common add to finding clients: the kernel on `ru_de` with and without them.

Orders of the ERP and invoices of accounting, generated with planted noise (joint_documents.py) for the parties of
ru_de.py. Names and numbers are hidden to several degrees. Precision and recall are of pairs in the final clusters at
the default thresholds: of all pairs, and of the pairs between the two registers that keep the documents, where alone
documents can say something; and the recall with a link threshold that is raised until the precision is .99 (picked with
the truth, for both ways alike). On the shipped weights, and after training without labels.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
from common import Benchmark, parser
from joint_documents import FIRST, MONEY, SECOND, Noise, Paper, papers
from kernel_run import mapped
from ru_de import RuDe, ru_de

from identity.documents.in_common import LEVELS, as_identifiers, in_common
from identity.documents.papers import PAPER, keys_of
from identity.documents.settings import DocumentSettings
from identity.documents.twins import twins_of
from identity.encoded import Ints
from identity.evaluation.evaluate import compare_partitions
from identity.model import KindModel, MatchModel, bits, prior_model
from identity.resolve import resolve
from identity.schema import IDENTIFIER, KINDS
from identity.settings import DOCUMENTS, MatchingSettings, load_settings
from identity.standard import Profile, standardise
from identity.training.train import train

TAX = ("inn", "kpp", "ogrn", "vat")
NAMES = ("legal_name", "family_name", "given_name", "middle_name")
REST = ("birth_date", "email", "phone", "city", "street", "house", "postcode")
HIDDEN: Mapping[str, tuple[str, ...]] = {
    "nothing hidden": (),
    "tax ids hidden": TAX,
    "names and tax ids hidden": (*TAX, *NAMES),
    "everything hidden": (*TAX, *NAMES, *REST),
}
PRECISION = 0.99
MOST_BITS, LEAST_BITS = 16.0, 0.5
RECALLS = ("recall", f"recall {FIRST}-{SECOND}")


def records_of(made: RuDe, hidden: tuple[str, ...]) -> pa.Table:
    """The records in natural order, without the hidden fields."""
    names = [name for name in made.records[0] if name not in hidden]
    columns = {name: pa.array([row[name] or None for row in made.records], pa.string()) for name in names}
    columns["source"] = columns.pop("register")
    return pa.table(columns).sort_by([("source", "ascending"), ("record_id", "ascending")])


def shared_identifiers(found: list[Paper], place: Mapping[str, int]) -> tuple[pa.Table, int]:
    """What the documents say of records (by `place`), as IDENTIFIER rows; how many twins they have."""
    stated = pa.table(
        [
            pa.array(range(len(found)), pa.int64()),
            [place[one.party] for one in found],
            [one.register for one in found],
            [MONEY[one.register] for one in found],
            [False] * len(found),
            [False] * len(found),
            pa.array([one.day for one in found], pa.int32()),
            [one.amount * 100 for one in found],
            ["RUB"] * len(found),
            [one.number for one in found],
        ],
        schema=PAPER,
    )
    settings = DocumentSettings()
    twins = twins_of(keys_of(stated, settings), settings)
    shared = in_common(twins)
    size = shared.num_rows
    columns = [shared["record_id"], [DOCUMENTS] * size, as_identifiers(shared), [True] * size, [None] * size]
    return pa.table(columns, schema=IDENTIFIER), twins.num_rows


def quality(labels: pa.Table, truth: Ints, between: Ints) -> dict[str, float]:
    """Precision and recall of all pairs, and recall of those between the two registers (`between`: 0, 1, or -1)."""
    label = labels.sort_by("record_id")["label"].to_numpy()
    whole = compare_partitions(label, truth).pairwise
    both = across(label * (int(truth.max()) + 1) + truth, between)
    return {"precision": whole.precision, "recall": whole.recall, RECALLS[1]: both / across(truth, between)}


def across(group: Ints, between: Ints) -> int:
    """The pairs of records of the two registers that are of one group."""
    _, code = np.unique(group, return_inverse=True)
    first, second = (np.bincount(code[between == side], minlength=int(code.max()) + 1) for side in (0, 1))
    return int((first * second).sum())


def main() -> int:
    """Measure and print."""
    own = parser(__doc__)
    own.add_argument("--records", type=int, default=20_000)
    own.add_argument("--seed", type=int, default=1)
    options = own.parse_args()
    benchmark = Benchmark("joint")
    made = ru_de(4_000 if options.small else options.records, options.seed)
    entities = {key: entity for key, (entity, _) in made.truth.items()}
    order = records_of(made, ())
    place = {key: at for at, key in enumerate(order["record_id"].to_pylist())}
    truth = np.unique([entities[key] for key in place], return_inverse=True)[1]
    between = np.array([{FIRST: 0, SECOND: 1}.get(name, -1) for name in order["source"].to_pylist()])
    for label, noise in (("nobody pays for others", Noise(paid_by_group=0)), ("all noise", Noise())):
        found = papers(made.records, entities, options.seed, noise)
        shared, twins = shared_identifiers(found, place)
        benchmark.add(f"{label}: documents, and pairs of them that are one", len(found), f"{twins:,} pairs")
        by_level(benchmark, label, shared, truth, across(truth, between))
    on, off = (
        load_settings({kind: {"compare": {DOCUMENTS: levels}} for kind in KINDS}) for levels in ({}, None)
    )  # fmt: skip
    for name, hidden in HIDDEN.items():
        benchmark.progress(name)
        standard = standardise(*mapped(records_of(made, hidden)), Profile())
        without = outcomes(standard.records, standard.identifiers, off, truth, between)
        known = pa.concat_tables([standard.identifiers, shared])
        for weights, (after, at) in outcomes(standard.records, known, on, truth, between).items():
            before, before_at = without[weights]
            for what in after:
                benchmark.add(
                    f"{name}, {weights}: {what}",
                    round(after[what], 4),
                    f"link +{at}, +{before_at} bits" if "at precision" in what else "",
                    rival="without documents",
                    rival_value=round(before[what], 4),
                )
    return benchmark.finish(options)


def by_level(benchmark: Benchmark, label: str, shared: pa.Table, truth: Ints, every: int) -> None:
    """How many pairs of records have how much in common, and how many of them are one client; `every`: the pairs of
    one client that documents might find."""
    ends = shared.group_by("value").aggregate([("record_id", "min"), ("record_id", "max")])
    right = truth[ends["record_id_min"].to_numpy()] == truth[ends["record_id_max"].to_numpy()]
    level = np.array([int(text[0]) for text in ends["value"].to_pylist()])
    for number, word in enumerate(LEVELS, 1):
        of = right[level == number]
        share = round(float(of.mean()), 4) if len(of) else None
        benchmark.add(f"{label}: {word} in common, share of one client", share, f"of {len(of)}")
    benchmark.add(f"{label}: pairs of one client found by documents alone", round(int(right.sum()) / every, 4), "")


def outcomes(
    records: pa.Table, identifiers: pa.Table, settings: MatchingSettings, truth: Ints, between: Ints
) -> dict[str, tuple[dict[str, float], str]]:
    """By the weights that were used: precision and recall at the default thresholds; and the recall from so many more
    bits to a link on that the precision is high enough, with these bits."""
    model, found = prior_model(settings), {}
    for weights in ("shipped", "trained"):
        if weights == "trained":
            model = train(records, identifiers, settings, model, 2)

        def stricter(more: float, model: MatchModel = model) -> dict[str, float]:
            strict = replace(model, **{kind: linking_at(model.kind(kind), more) for kind in KINDS})
            return quality(resolve(records, identifiers, None, strict, settings, by_rule=False).labels, truth, between)

        measured = best = stricter(0)
        low, more = 0.0, 0.0
        if measured["precision"] < PRECISION:
            more, best = MOST_BITS, stricter(MOST_BITS)
            while more - low > LEAST_BITS:
                now = stricter((low + more) / 2)
                if now["precision"] >= PRECISION:
                    more, best = (low + more) / 2, now
                else:
                    low = (low + more) / 2
        is_enough = best["precision"] >= PRECISION
        at_precision = {f"{what} at precision {PRECISION}": best[what] if is_enough else 0.0 for what in RECALLS}
        found[weights] = measured | at_precision, f"{more:g}" if is_enough else "never"
    return found


def linking_at(model: KindModel, more: float) -> KindModel:
    """A model with a link threshold that is so many bits higher."""
    return replace(model, link=model.link + bits(more))


if __name__ == "__main__":
    sys.exit(main())

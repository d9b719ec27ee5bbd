"""A run in stages over parts of the register, with DuckDB as calculator, is the run in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from identity.model import prior_model, to_json
from identity.resolve import resolve
from identity.schema import IDENTIFIER, KINDS, RECORD
from identity.settings import MatchingSettings, load_settings
from identity.staged.calculator import parts_of
from identity.staged.cards import CARD, cards_of, tables_of
from identity.staged.run import resolve_cards
from identity.staged.spilled import SpillingCalculator
from identity.staged.training import train_cards
from identity.training.train import train
from tests.support.engines import chained_persons, differences, febrl, messy_rows, plain_persons, rules_of, write_cards
from tests.support.within import STATUS

SETTINGS = load_settings({"block_cap": 6, "generic_names": 3, "component_bound": 12})
MODEL = prior_model(SETTINGS)
Tables = tuple[pa.Table, pa.Table]


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.scale) for seed in range(3, 30))])
def test_parts_of_a_register_give_what_the_whole_gives(tables: Any, judgements: Any, tmp_path: Path, seed: int) -> None:
    records, identifiers = tables(messy_rows(seed, 120))
    ids = records["record_id"].to_pylist()
    said = judgements(("same", ids[:2], []), ("not_same", [ids[2]], ids[3:6]), ("same", [ids[1]], [ids[7], 12345]))
    whole = resolve(records, identifiers, said, MODEL, SETTINGS, distinct_sources=["list"], by_rule=False)
    folder = write_cards(tmp_path, (records, identifiers))
    with SpillingCalculator(folder, 256 << 20) as engine:
        engine.per_part = 60
        in_parts = resolve_cards(engine, rules_of(MODEL, SETTINGS, said, ["list"]))
    assert differences(whole, in_parts) == []
    assert whole.refused.num_rows > 3 and whole.generic.num_rows > 3 and whole.cases.num_rows > 10
    assert whole.report.clusters < records.num_rows and whole.report.refused


@pytest.mark.parametrize("number", [1, *(pytest.param(number, marks=pytest.mark.scale) for number in (2, 3, 4))])
def test_parts_of_a_public_register_give_what_the_whole_gives(tmp_path: Path, number: int) -> None:
    register, settings = febrl(number), load_settings()
    model = prior_model(settings)
    whole = resolve(*register, None, model, settings, by_rule=False)
    with SpillingCalculator(write_cards(tmp_path, register), 256 << 20) as engine:
        engine.per_part = register[0].num_rows // 3
        in_parts = resolve_cards(engine, rules_of(model, settings, None))
    assert differences(whole, in_parts) == []
    assert whole.pairs.num_rows > 400 and whole.cases.num_rows


def test_records_that_only_points_or_words_tie_are_one_client(tables: Any, judgements: Any, tmp_path: Path) -> None:
    twin = {"given": "ivan", "family": "sidorov", "email": "ivan@example.com", "phone": "+79165550001"}
    others = [{"given": "anna", "family": "kern"}, {"given": "bob", "family": "schmidt"}]
    register = tables([{**row, "key": str(key)} for key, row in enumerate([twin, twin, *others])])
    ids = register[0]["record_id"].to_pylist()
    said = judgements(("same", [ids[2]], [ids[3]]))
    whole = resolve(*register, said, MODEL, SETTINGS, by_rule=False)
    with SpillingCalculator(write_cards(tmp_path, register), 256 << 20) as engine:
        in_parts = resolve_cards(engine, rules_of(MODEL, SETTINGS, said))
    assert whole.report.clusters == 2 and whole.pairs.num_rows == 1, "the twins, as a point"
    assert differences(whole, in_parts) == []


@pytest.mark.parametrize(
    ("seed", "settings"),
    [(5, SETTINGS), *(pytest.param(n, load_settings(), marks=pytest.mark.scale) for n in range(6, 12))],
)
def test_a_model_is_learnt_from_counts_of_parts_as_from_the_whole(
    tables: Any, tmp_path: Path, seed: int, settings: MatchingSettings
) -> None:
    register = tables(messy_rows(seed, 600))
    base = prior_model(settings)
    whole = train(*register, settings, base, 3, distinct_sources=["list"])
    with SpillingCalculator(write_cards(tmp_path, register), 256 << 20) as engine:
        engine.per_part = 300
        in_parts, generic = train_cards(engine, settings, base, 3, ["list"])
    assert to_json(in_parts) == to_json(whole)
    assert all(whole.kind(kind) != base.kind(kind) for kind in KINDS) and whole.organisation.columns["name"].terms
    assert generic.num_rows


def test_too_few_records_of_parts_leave_the_priors(tables: Any, tmp_path: Path) -> None:
    with SpillingCalculator(write_cards(tmp_path, tables([])), 256 << 20) as engine:
        found, _ = train_cards(engine, SETTINGS, MODEL, 7)
    assert found == train(*tables([]), SETTINGS, MODEL, 7)


@pytest.mark.scale
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from Linux")
@pytest.mark.parametrize(
    ("persons", "count", "largest"), [(plain_persons, 500_000, 0), (chained_persons, 800_000, 800_000)]
)
def test_a_run_in_parts_stays_within_its_bound_however_long_pairs_chain(
    tmp_path: Path, persons: Callable[[int], Tables], count: int, largest: int
) -> None:
    bound, found = 1_024, {}
    for name, mebibytes in (("whole", 0), ("parts", bound)):
        folder = write_cards(tmp_path / name, persons(count))
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.within", str(folder), str(mebibytes)],
            capture_output=True, text=True, check=True, timeout=1500,
        )  # fmt: skip
        found[name] = [int(number) for number in done.stdout.split()]
    (_, _, *clients), (before, peak, *same) = found["whole"], found["parts"]
    assert before < 400, "nothing of the tests' own counts"
    assert clients == same
    assert clients[1] == largest, "what hung together before it was divided"
    assert peak <= bound


def test_no_records_have_no_parts(tables: Any, tmp_path: Path) -> None:
    with SpillingCalculator(write_cards(tmp_path, tables([])), 256 << 20) as engine:
        found = resolve_cards(engine, rules_of(MODEL, SETTINGS, None))
    assert differences(resolve(*tables([]), None, MODEL, SETTINGS), found) == []


def test_cards_hold_records_and_their_valid_identifiers(tables: Any) -> None:
    records, identifiers = tables(
        [{"key": "1", "email": ["a@example.com", "!bad"], "phone": "+79165550001"}, {"key": "0", "org": "alpha"}]
    )
    cards = cards_of(records, identifiers)
    assert cards.schema == CARD
    back, borne = tables_of(pa.concat_tables([cards, cards]))
    assert (back.schema, borne.schema) == (RECORD, IDENTIFIER)
    assert back.equals(records)
    assert borne.equals(identifiers.filter(identifiers["is_valid"]))


@pytest.mark.parametrize(("records", "expected"), [(0, 2), (100, 2), (101, 2), (1000, 16), (10**12, 1 << 16)])
def test_parts_are_a_power_of_two(tmp_path: Path, records: int, expected: int) -> None:
    with SpillingCalculator(tmp_path, 256 << 20) as engine:
        engine.per_part = 100
        assert parts_of(engine, records) == expected

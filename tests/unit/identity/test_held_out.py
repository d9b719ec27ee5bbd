"""Weights for a data set that were learnt from the others: benchmarks/held_out.py."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from identity.model import ColumnModel, MatchModel, level_weight, prior_model
from identity.settings import load_settings

SHIPPED = prior_model(load_settings())


@pytest.fixture(scope="module")
def held_out() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "held_out.py"
    spec = importlib.util.spec_from_file_location("held_out", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def taught(m: float) -> MatchModel:
    """A model that has learnt how often persons of one client agree on gender, and nothing else."""
    levels = (level_weight("exact", m, 0.5, None), level_weight("different", 1 - m, 0.5, None))
    columns = {**SHIPPED.person.columns, "gender": ColumnModel(levels)}
    return replace(SHIPPED, person=replace(SHIPPED.person, columns=columns, pooled=True))


def test_weights_come_from_the_other_data_sets_and_not_from_siblings(held_out: ModuleType) -> None:
    trained = {"a": taught(0.9), "febrl3": taught(0.6), "febrl4": taught(0.6)}
    base, heard = held_out.without("febrl3", trained, SHIPPED)
    assert heard == ["a"]
    assert base.person.columns["gender"].levels[0].m == pytest.approx(0.9)
    assert not base.person.pooled  # they are not estimates of this data set


def test_what_nobody_learnt_keeps_the_shipped_weights(held_out: ModuleType) -> None:
    base, heard = held_out.without("a", {"a": taught(0.9), "b": taught(0.8)}, SHIPPED)
    assert heard == ["b"]
    assert base.person.columns["birth_date"] == SHIPPED.person.columns["birth_date"]
    assert held_out.without("a", {"a": taught(0.9), "b": SHIPPED}, SHIPPED)[1] == []

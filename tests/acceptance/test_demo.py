"""The demo: a whole company through the hub, held against what was planted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import onefold_process


@pytest.mark.timeout(280)
def test_the_demo_finds_who_is_who_says_when_nothing_changed_and_follows_the_sources(tmp_path: Path) -> None:
    done = onefold_process("--home", str(tmp_path / "var"), "--json", "--quiet", "demo", "--scale", "0.3", "--stop")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["quality"]["pairwise_precision"] > 0.95
    assert facts["quality_trained"]["pairwise_recall"] > 0.9
    assert facts["quality_trained"]["pairwise_f1"] > 0.93
    assert facts["story"]["registers"] == ["accounting", "crm", "erp", "sales_sheet", "service_desk"]
    assert facts["second_run"]["changed"] == 0
    assert facts["third_run"]["changed"] > 10
    assert [change for change in facts["changes"] if not change["seen"]] == []
    assert facts["overlap"]
    assert {"broken_without_a_word", "complaints_unanswered"} <= set(facts["concerns"])
    needs = facts["needs"]
    assert not needs["served"] or needs["right"] / needs["assigned"] >= 0.9

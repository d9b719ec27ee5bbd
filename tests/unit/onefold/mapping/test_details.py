"""Detail in the types of the registry: what is read, what stays as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onefold.mapping import StreamMapper
from tests.unit.onefold.mapping.conftest import row

TYPES = """\
interactions:
  inspection:
    department: service
    labels: Inspection
    detail: {verdict: text, score: number, passed: boolean, next_on: date, signed_at: timestamp, parts: list, device: object}
  visit_report: {department: sales, labels: Report}
"""
STREAM = """\
  main:
    as: interaction
    type: {when: kind, I: inspection, else: visit_report}
    key: id
    detail: {verdict: verdict, score: score, passed: passed, next_on: next, signed_at: signed, parts: parts, device: device}
"""


@pytest.fixture
def detail(tmp_path: Path, mappers: Callable[..., dict[str, StreamMapper]]) -> Callable[..., tuple[Any, list[str]]]:
    """The detail of one record as JSON text, and the paths that could not be read."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "interactions.yaml").write_text(TYPES, encoding="utf-8")

    def read(**payload: Any) -> tuple[Any, list[str]]:
        mapped = mappers(STREAM)["main"].map_batch([row({"id": 1, "kind": "I", **payload})])
        (found,) = mapped.interactions.to_pylist()
        return found["detail"], [reject.path for reject in mapped.rejects]

    return read


def test_values_are_read_as_their_types(detail: Callable[..., tuple[Any, list[str]]]) -> None:
    text, rejects = detail(
        verdict="ok", score="1 234,50", passed="да", next="03.04.2026", signed="2026-07-01 12:30:05", parts="seal",
        device={"no": 7},
    )  # fmt: skip
    assert rejects == []
    assert json.loads(text) == {
        "verdict": "ok", "score": 1234.5, "passed": True, "next_on": "2026-04-03",
        "signed_at": "2026-07-01T09:30:05+00:00", "parts": ["seal"], "device": {"no": 7},
    }  # fmt: skip
    assert '"score":1234.50' in text  # digit by digit


def test_what_cannot_be_read_is_kept_and_reported(detail: Callable[..., tuple[Any, list[str]]]) -> None:
    text, rejects = detail(score="much", passed="perhaps", next="soon", signed="9999-12-31")
    assert json.loads(text) == {"score": "much", "passed": "perhaps", "next_on": "soon", "signed_at": "9999-12-31"}
    assert rejects == ["detail.score", "detail.passed", "detail.next_on", "detail.signed_at"]


def test_a_field_that_the_type_does_not_declare_stays_as_it_comes(
    detail: Callable[..., tuple[Any, list[str]]],
) -> None:
    text, rejects = detail(kind="R", score="1 234,50", next="soon")
    assert (json.loads(text), rejects) == ({"score": "1 234,50", "next_on": "soon"}, [])


def test_another_type_of_a_field_maps_the_streams_of_that_type_anew(tmp_path: Path) -> None:
    from onefold.configuration import load_configuration
    from onefold.steps.rules import mapping_fingerprints

    def fingerprints(types: str) -> dict[str, Any]:
        config = tmp_path / "config"
        (config / "sources").mkdir(parents=True, exist_ok=True)
        (config / "interactions.yaml").write_text(types, encoding="utf-8")
        other = "  calls: {as: interaction, type: call, key: id}\n"
        text = f"source: crm\nconnector: files\nsettings: {{path: data}}\nstreams:\n{STREAM}{other}"
        (config / "sources" / "crm.yaml").write_text(text, encoding="utf-8")
        return dict(mapping_fingerprints(load_configuration(config)))

    before, after = fingerprints(TYPES), fingerprints(TYPES.replace("score: number", "score: text"))
    assert before["crm:main"] != after["crm:main"]
    assert before["crm:calls"] == after["crm:calls"]

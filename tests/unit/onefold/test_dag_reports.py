"""What of a step's report goes through XCom into Airflow's database."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dags.runner import CODES, COUNTS, MOST, PARTS, travelling
from onefold.steps.report import PublishReport, ResolveReport, StreamReport, SyncReport, UseReport

NAME = "Анна Керн"
ADDRESS = "anna.kern@example.ru"
NAMES = st.sampled_from([*CODES, *COUNTS, *PARTS, "clients", "names", "rows", "error", NAME])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([NAME, ADDRESS, "Kern, Anna", "failure:api:people", "done", 7, None, True, 0.5, "x" * 200]),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=4),
)


def test_counts_codes_and_moments_travel() -> None:
    stream = StreamReport(
        "people", pages=2, inserted=3, columns=("first", "last"), status="deferred",
        error=f"people.jsonl:4: {NAME}", error_class="ComeBackLater", retry_at="2026-03-01T08:00:00+00:00",
    )  # fmt: skip
    found = travelling(SyncReport("api", 7, 0.5, (stream,)).as_dict())
    (told,) = found.pop("streams")
    assert found == {"source": "api", "run_id": 7, "seconds": 0.5}
    assert told["retry_at"] == stream.retry_at and (told["stream"], told["status"]) == ("people", "deferred")
    assert (told["pages"], told["inserted"], told["error_class"]) == (2, 3, "ComeBackLater")
    assert told.keys().isdisjoint({"columns", "error"})

    resolved = ResolveReport(8, 0.1, events={"mint": 2}, refused_blocks=({"key": NAME},), model_note=NAME)
    used = travelling(UseReport(3, "em", 2, resolved, PublishReport(9, 0.1, created=2)).as_dict())
    assert used["resolve"]["events"] == {"mint": 2} and used["publish"]["created"] == 2
    assert used["resolve"].keys().isdisjoint({"refused_blocks", "model_note"})


def test_a_field_that_is_new_stays_behind_unless_it_is_a_number() -> None:
    rows = [{"name": NAME, "email": ADDRESS}] * 3
    assert travelling({"clients": rows, "found": {"name": NAME}, "said": "Kern", "ids": [1, 2], "count": 3}) == {
        "count": 3
    }
    assert travelling({"status": NAME, "kind": ADDRESS, "events": {NAME: 1, "mint": 1}}) == {"events": {"mint": 1}}


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_no_name_and_no_address_travels_however_a_report_is_built(report: dict[str, Any]) -> None:
    assert not {text for text in texts(travelling(report)) if any(one in text for one in ("Керн", "Kern", "@", "xx"))}


def test_what_travels_is_bounded() -> None:
    found = travelling({
        "streams": [{"stream": f"s{n}"} for n in range(1000)],
        "opened": ["failure:api:people"] * 1000,
        "events": {f"e{n}": n for n in range(1000)},
        **{f"count_{n}": n for n in range(1000)},
    })  # fmt: skip
    assert [len(found[name]) for name in ("streams", "opened", "events")] == [MOST] * 3
    assert len(found) == MOST


def texts(value: Any) -> list[str]:
    """Every text in it, names of fields among them."""
    if isinstance(value, dict):
        return [text for name, one in value.items() for text in (name, *texts(one))]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []

"""One trace: read from whoever starts the hub, shared by what works below it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from onefold import tracing
from onefold.logs import carried

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_trace_that_is_handed_on_is_joined_with_a_span_of_its_own() -> None:
    found = tracing.read(GIVEN)
    assert found is not None
    assert (found.trace_id, found.flags) == ("4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert found.span_id != "00f067aa0ba902b7"
    assert tracing.read(found.parent) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        None, "", "nonsense", GIVEN.upper(), GIVEN[:-1], GIVEN + "-more", "ff" + GIVEN[2:],
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    ],
)  # fmt: skip
def test_what_is_no_trace_is_not_joined(wrong: str | None) -> None:
    assert tracing.read(wrong) is None


def test_a_later_version_of_the_standard_may_say_more() -> None:
    assert tracing.read("01" + GIVEN[2:] + "-more") is not None


def test_nested_work_and_threads_share_the_trace_and_nothing_stays_behind() -> None:
    with tracing.traced({"TRACEPARENT": GIVEN}) as outer, tracing.traced({}) as inner, ThreadPoolExecutor(1) as pool:
        assert inner == outer
        assert pool.submit(carried(tracing.current)).result() == outer
        assert tracing.handed_on() == {"TRACEPARENT": outer.parent}
    assert tracing.current() is None
    assert tracing.handed_on() == {}
    with tracing.traced({"TRACEPARENT": "nonsense"}) as one, tracing.traced({}):
        assert len(one.trace_id) == 32

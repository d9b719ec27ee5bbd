"""Rate budgets are kept over any span of time; prefetching ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.limits import Budget, Limits, Throttle
from connectors.prefetch import Stopped, prefetch


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    rate=st.sampled_from([0.5, 2.0, 7.0, 45.0]),
    per=st.sampled_from([1.0, 3.0, 60.0]),
    burst=st.integers(1, 5),
    pauses=st.lists(st.floats(0, 2), min_size=10, max_size=60),
)
def test_a_budget_is_never_exceeded_over_any_window(rate: float, per: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    # The slowest budget lets one pass in two minutes, which is the longest wait unless said otherwise.
    limits = Limits.model_validate({"rate": rate, "per": per, "burst": burst, "max_wait": "1h"})
    throttle = Throttle(limits, clock)
    sent = []
    for pause in pauses:
        clock.sleep(pause)
        with throttle.slot(1, clock.sleep):
            sent.append(clock.now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate / per * (sent[last] - sent[first]) + 1e-6


def test_a_budget_is_used_to_the_full() -> None:
    clock = Clock()
    throttle = Throttle(Limits.model_validate({"rate": 2}), clock)
    for _ in range(201):
        with throttle.slot(1, clock.sleep):
            clock.sleep(0.3)
    assert 200 / (clock.now - 100.3) >= 0.95 * 2


def test_every_budget_holds_and_weight_counts() -> None:
    clock = Clock()
    throttle = Throttle(Limits(budgets=(Budget(rate=10), Budget.model_validate({"rate": 60, "per": "1m"}))), clock)
    for _ in range(11):
        with throttle.slot(1, clock.sleep):
            pass
    assert clock.now == pytest.approx(110.0)
    heavy = Throttle(Limits.model_validate({"rate": 1}), clock)
    for _ in range(2):
        with heavy.slot(5, clock.sleep):
            pass
    assert clock.now == pytest.approx(115.0)


def test_items_and_errors_come_in_order() -> None:
    def source(_stop: threading.Event) -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("third")

    seen = []
    with pytest.raises(ValueError, match="third"):
        seen.extend(iter_into(seen, source))
    assert seen == [1, 2]


def iter_into(seen: list[int], source: object) -> list[int]:
    for item in prefetch(source):  # type: ignore[arg-type]
        seen.append(item)  # type: ignore[arg-type]
    return []


def test_at_most_one_item_is_made_ahead() -> None:
    made: list[int] = []

    def source(_stop: threading.Event) -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = prefetch(source)
    next(items)
    items.close()
    assert len(made) <= 4
    assert "onefold-prefetch" not in {thread.name for thread in threading.enumerate()}


def test_closing_interrupts_a_wait() -> None:
    def source(stop: threading.Event) -> Iterator[int]:
        yield 1
        if stop.wait(60):
            raise Stopped
        yield 2

    items = prefetch(source)
    assert next(items) == 1
    items.close()
    assert "onefold-prefetch" not in {thread.name for thread in threading.enumerate()}


def test_what_is_prefetched_is_finished_where_it_is_made_and_its_error_comes_in_its_place() -> None:
    threads: list[str] = []

    def finish(item: int) -> int:
        threads.append(threading.current_thread().name)
        if item == 3:
            raise ValueError("three")
        return item * 10

    items = prefetch(lambda _stop: iter([1, 2, 3, 4]), finish=finish)
    assert [next(items), next(items)] == [10, 20]
    with pytest.raises(ValueError, match="three"):
        next(items)
    assert set(threads) == {"onefold-prefetch"}

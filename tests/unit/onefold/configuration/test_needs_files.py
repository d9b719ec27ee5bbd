"""needs.yaml and segments.yaml: what is refused, where it stands, and what is meant instead."""

from __future__ import annotations

from collections.abc import Callable

from onefold.configuration import Problem, load_configuration
from onefold.steps.need_rules import need_rules

from .conftest import GOOD_SOURCE, Write

ORDERS = (
    GOOD_SOURCE
    + "  orders: {as: interaction, type: sales_order, key: id, occurred_at: day, party: {stream: people, key: who}, detail: {shipping: s}}\n"
)
NEEDS = """\
needs:
  urgency:
    job: Get it running.
    labels: Urgency
    dimension: time
    half_life: 365d
    signals:
      express: {types: sales_order, when: {detail.shipping: express}}
      large: {types: sales_order, when: {amount: {at_least: 10.5}}, against: true}
      asks: {types: [sales_order, call], words: line down}
"""
Problems = Callable[..., list[Problem]]


def test_signals_are_numbered_by_need_and_name(folder: Write) -> None:
    rules = need_rules(load_configuration(folder(source_crm=ORDERS, needs=NEEDS)))
    assert [(s.key, s.code, s.is_against) for s in rules.signals] == [
        (1, "asks", False),
        (2, "express", False),
        (3, "large", True),
    ]
    assert rules.types == ["call", "sales_order"] and rules.signals[0].half_life_days == 365


def test_what_does_not_exist_is_told_with_its_line(problems: Problems) -> None:
    wrong = (
        NEEDS.replace("detail.shipping", "detail.shiping")
        .replace("[sales_order, call]", "[sales_ordr]")
        .replace("words: line down", "words: '!'")
    )
    (words,) = problems(source_crm=ORDERS, needs=wrong)
    assert (words.line, words.file) == (10, "config/needs.yaml") and "letters or digits" in words.message
    found = problems(source_crm=ORDERS, needs=wrong.replace("'!'", "x"))
    assert {(one.line, one.hint and "shipping" in one.hint) for one in found} == {(8, True), (10, False)}


def test_a_half_life_below_a_day_and_a_need_that_stands_twice_are_refused(problems: Problems) -> None:
    for short in ("0s", "23h"):
        (one,) = problems(source_crm=ORDERS, needs=NEEDS.replace("365d", short))
        assert one.line == 6 and f"`{short}`" in one.message and "1d" in one.message
    twice = "schemes:\n  s:\n    basis: needs\n    labels: S\n    segments:\n      a: {labels: L, needs: [urgency, urgency]}\n"
    (one,) = problems(source_crm=ORDERS, needs=NEEDS, segments=twice)
    assert one.line == 6 and "`urgency` twice" in one.message


def test_a_scheme_by_needs_may_not_look_at_how_lately_how_often_or_for_how_much(problems: Problems) -> None:
    scheme = "schemes:\n  s:\n    basis: needs\n    labels: S\n    segments:\n      late: {labels: L, needs: urgency, when: {%s: {at_most: 5}}}\n"
    for figure, kind in (("days_since_last", "recency"), ("dealings_12m", "frequency"), ("amount", "money")):
        (one,) = problems(source_crm=ORDERS, needs=NEEDS, segments=scheme % figure)
        assert f"{figure} ({kind})" in one.message and "basis: lifecycle" in (one.hint or "")
    unknown = "schemes:\n  s:\n    basis: needs\n    labels: S\n    segments:\n      a: {labels: L, needs: urgncy}\n"
    (one,) = problems(source_crm=ORDERS, needs=NEEDS, segments=unknown)
    assert one.line == 6 and "urgency" in (one.hint or "")

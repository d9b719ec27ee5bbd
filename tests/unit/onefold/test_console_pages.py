"""Pages of the console that are made of little: what is told of a finding, and of what is not as it should be."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from onefold.errors import HubBusy, NewerHub, TooLate, UsageError
from onefold.steps.limits import in_words
from onefold.web.console import problems
from onefold.web.console.render import _environment, translations
from onefold.web.problems import answer_to
from warehouse.connect import HubDatabaseError

SHARE = {"allowed": 0.2, "count": 20, "of": 40}
PLACE = {"source": "sheet", "stream": "people"}
FINDINGS: list[dict[str, Any]] = [
    {"limit": "deleted", **SHARE, **PLACE},
    {"limit": "changed", **SHARE, **PLACE},
    {"limit": "emptied", **SHARE, **PLACE, "field": "email"},
    {"limit": "merged", **SHARE, "merged": 19, "split": 1, "largest": []},
    {"limit": "largest_client", "allowed": 30, "client_id": "7", "count": 31},
    {"limit": "golden", **SHARE},
]


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda one: str(one["limit"]))
def test_what_went_beyond_each_limit_is_told_as_on_the_command_line(finding: dict[str, Any]) -> None:
    text = '{% from "finding.html" import findings %}{{ findings([one, one]) }}'
    english, russian = (
        " ".join(_environment(language).from_string(text).render(one=finding).split()) for language in ("en", "ru")
    )
    said = in_words(finding).replace("20 %", "20%")
    assert english == f"{said}; {said}"
    assert "limit" not in russian and "предел" in russian


def told(error: Exception, language: str = "en") -> str:
    """The page that tells a visitor of an error."""
    headers = [(b"accept-language", language.encode())]
    scope = {"type": "http", "method": "GET", "path": "/cases", "query_string": b"", "headers": headers}
    return bytes(answer_to(Request(scope), error).body).decode()


def test_advice_fits_what_happened() -> None:
    assert "once more" not in told(UsageError("Give a reason.")) and "Give a reason." in told(
        UsageError("Give a reason.")
    )
    assert "what is missing stands below" in told(UsageError("Give a reason."))
    assert "Others are at work on it" in told(HubBusy("crm is being synced."))
    for error in (HubDatabaseError("It is away."), NewerHub("0099")):
        assert "Others are at work" not in told(error)
    assert "database does not answer" in told(HubDatabaseError("It is away."))
    assert "the number below" in told(ZeroDivisionError()) and "as fault" in told(ZeroDivisionError())
    assert "what it names is gone" in told(TooLate("It is over.")) and "number below" not in told(
        TooLate("It is over.")
    )
    assert "number below" not in problems.advice_of(405, None)


def test_every_title_and_advice_has_its_russian() -> None:
    said = {*problems._TITLES.values(), *problems._ADVICE.values(), *sum(problems._OF_KIND.values(), ())}
    said |= {problems._FAULT, problems._NOT_SO}
    assert {one for one in said if translations("ru").gettext(one) == one} == set()
    assert "чего не хватает" in told(UsageError("Give a reason."), "ru")

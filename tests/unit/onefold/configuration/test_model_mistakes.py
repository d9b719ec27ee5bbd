"""What the models refuse: place, what was found, what is allowed, and the nearest name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onefold.configuration import Problem

Problems = Callable[..., list[Problem]]
HEAD = "source: crm\nconnector: files\n"
STREAMS = HEAD + "streams:\n  people:\n    as: person\n    key: id\n"

# text of the source -> (line, column, words of the message with its hint)
CASES: dict[str, tuple[str, int, int, str]] = {
    "unknown key": (HEAD + "conector: x\n", 3, 1, "`conector` is not known here. Did you mean `connector`?"),
    "missing key": ("source: crm\n", 1, 1, "`connector` is missing here; it is required."),
    "missing key below": (STREAMS + "    fields: {email: e}\n    works_at: {key: x}\n", 8, 5, "`stream` is missing here"),
    "name with capitals": ("source: My CRM\nconnector: files\n", 1, 9, "For example `my_crm`."),
    "country in words": (HEAD + "defaults: {country: Russia}\n", 3, 21, "ISO 3166-1"),
    "unknown time zone": (HEAD + "defaults: {timezone: Europe/Moskow}\n", 3, 22, "Did you mean `Europe/Moscow`?"),
    "currency sign": (HEAD + "defaults: {currency: €}\n", 3, 22, "ISO 4217"),
    "trust in words": (HEAD + "trust: high\n", 3, 8, "found `high`; allowed: a whole number"),
    "trust too high": (HEAD + "trust: 101\n", 3, 8, "less than or equal to 100"),
    "no boolean": (HEAD + "distinct: perhaps\n", 3, 11, "found `perhaps`; allowed: true or false"),
    "no duration": (HEAD + "freshness: {warn_after: 2 hours}\n", 3, 25, "found `2 hours`; a duration is"),
    "warning after failure": (HEAD + "freshness: {warn_after: 2d, fail_after: 1d}\n", 3, 12, "shorter than `warn_after`"),
    "schedule of three fields": (HEAD + 'schedule: "* * *"\n', 3, 11, "five fields"),
    "schedule at minute 75": (HEAD + 'schedule: "75 * * * *"\n', 3, 11, "`75` is no minute; it goes from 0 to 59"),
    "schedule alias": (HEAD + 'schedule: "@hourli"\n', 3, 11, "allowed words are @hourly"),
    "text where a mapping stands": (HEAD + "defaults: RU\n", 3, 11, "found `RU`; allowed: a mapping"),
    "list where a mapping stands": (HEAD + "streams: [a, b]\n", 3, 10, "found a list; allowed: a mapping"),
    "nothing where a mapping stands": (HEAD + "streams:\n", 3, 1, "found nothing; allowed: a mapping"),
    "unknown kind": (HEAD + "streams: {a: {as: persn, fields: {email: e}}}\n", 3, 19, "Did you mean `person`?"),
    "unknown kind in a choice": (
        HEAD + "streams: {a: {as: {when: t, x: organization}, fields: {email: e}}}\n", 3, 32, "Did you mean `organisation`?",
    ),
    "choice without a value": (HEAD + "streams: {a: {as: {when: t}, fields: {email: e}}}\n", 3, 19, "at least one value"),
    "unknown transform": (STREAMS + "    fields: {email: e | lowr}\n", 7, 21, "Did you mean `lower`?"),
    "transform with a wrong argument": (STREAMS + "    fields: {email: e | split ,}\n", 7, 21, "takes one quoted text"),
    "date transform without year": (STREAMS + "    fields: {birth_date: 'd | date \"dd.MM\"'}\n", 7, 26, "day, month and year"),
    "date transform with a strange part": (STREAMS + "    fields: {birth_date: 'd | date \"DD.MM.yyyy\"'}\n", 7, 26, "`DD` is no part"),
    "unregistered function": (STREAMS + "    fields: {email: 'e | fn:nope'}\n", 7, 21, "no function `nope` is registered"),
    "path with an open bracket": (STREAMS + "    fields: {email: 'a[0'}\n", 7, 21, "cannot read the path"),
    "template that is not closed": (STREAMS + "    fields: {full_name: '{a} {b'}\n", 7, 25, "not closed"),
    "empty path": (STREAMS + "    fields: {email: ''}\n", 7, 21, "the path is empty"),
    "empty list of paths": (STREAMS + "    fields: {email: []}\n", 7, 21, ""),
    "object of no known form": (STREAMS + "    fields: {email: {foo: 1}}\n", 7, 21, "found an object with `foo`"),
    "child without $key": (
        STREAMS + "    fields: {inn: {stream: people, where: {A: 1}, path: b}}\n", 7, 43, "exactly one condition must be `$key`",
    ),
    "promise without a due date": (
        HEAD + "streams: {a: {as: interaction, type: invoice, promise: {kind: x}}}\n", 3, 56, "needs `due`",
    ),
    "lines of no origin": (HEAD + "streams: {a: {as: interaction, type: invoice, lines: {amount: x}}}\n", 3, 54, "either `each`"),
    "url with another field": (STREAMS + "    fields: {email: e}\n    url: 'https://x/{id}'\n", 8, 10, "only {key}"),
    "broken key path": (HEAD + "streams: {a: {key: 'a['}}\n", 3, 20, "cannot read the path"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "words"), CASES.values(), ids=CASES)
def test_a_mistake_is_told_where_it_stands(problems: Problems, text: str, line: int, column: int, words: str) -> None:
    found = problems(source_crm=text)
    told = [str(problem) for problem in found if (problem.line, problem.column) == (line, column)]
    assert any(words in text for text in told), "\n".join(map(str, found))


def test_all_mistakes_of_one_file_are_told_with_those_against_other_files(problems: Problems) -> None:
    found = problems(
        source_crm=HEAD + "trust: high\nstreams:\n  people:\n    as: person\n    key: id\n"
        "    fields: {given_nam: a, email: 'b | lowr'}\n    works_at: {stream: companis, key: x}\n"
    )
    assert [(p.line, p.column) for p in found] == [(3, 8), (8, 14), (8, 35), (9, 24)], "\n".join(map(str, found))


def test_a_wrong_value_of_hub_and_attributes_is_told(problems: Problems) -> None:
    found = problems(
        hub="grain: establishmnt\nlanguages: [english]\nlimits: {deleted: 20}\n",
        attributes="attributes:\n  email: {labels: {en: E-mail}}\n",
    )
    said = "\n".join(map(str, found))
    assert "config/attributes.yaml:2:3" in said or "`email` is a standard attribute" in said
    assert "config/hub.yaml:1:8: found `establishmnt`. Did you mean `establishment`?" in said
    assert "config/hub.yaml:2:13" in said
    assert "config/hub.yaml:3:19" in said


def test_matching_mistakes_are_told_with_their_place(problems: Problems) -> None:
    found = problems(matching="person:\n  blocking: [[emal]]\n  linkat: 0.9\n")
    said = "\n".join(map(str, found))
    assert "config/matching.yaml:3:3: `linkat` is not known here. Did you mean `link_at`?" in said
    assert "config/matching.yaml:2:" in said
    assert "email" in said


def test_settings_are_never_shown_in_a_message(problems: Problems) -> None:
    found = problems(source_crm="source: crm\nconnector: files\nsettings: sup3r-secret-value\n")
    assert "sup3r" not in "\n".join(map(str, found))

"""YAML mistakes of every kind, each with the place where an editor should jump."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onefold.configuration import Problem

Problems = Callable[..., list[Problem]]


def at(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}"


CASES = {
    "a tab as indentation": (
        "source: crm\nconnector: files\nsettings:\n\tpath: x\n",
        "4:1", "'\\t'", "spaces",
    ),
    "a colon inside an unquoted text": ("source: crm\nconnector: files\nowner: sales: team\n", "3:13", "mapping values", "Quote"),
    "wrong indentation": ("source: crm\n connector: files\n", "2:11", "mapping values", "indentation"),
    "an unclosed quote": ('source: "crm\nconnector: files\n', "3:1", "end of stream", "not closed"),
    "an unclosed bracket": ("source: crm\nsettings: {path: [a, b\nconnector: files\n", "3:10", "expected ',' or", "not closed"),
    "a secret's name inside braces": ("source: crm\nsettings: {token: ${X}}\n", "2:20", "expected ',' or", "quote a secret's name"),
    "a value that begins with a percent sign": ("source: crm\nowner: %x\n", "2:8", "cannot start", "Quote"),
    "an alias without anchor": ("source: crm\nsettings: *common\n", "2:11", "undefined alias", "anchor"),
    "a list where keys should stand": ("- source: crm\nconnector: files\n", "2:1", "block end", "indentation"),
    "a tag": ("source: !!python/object:os.system crm\nconnector: files\n", "1:9", "tag", None),
    "a key that is no text": ("source: crm\nconnector: files\n? [a, b]\n: c\n", "3:3", "plain text", "Quote"),
    "a merge of something other than a mapping": ("source: crm\nconnector: files\n<<: 1\n", "3:1", "merges a mapping", None),
    "a control character": (b"source: crm\nowner: a\x01b\n", "2:9", "control character", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "hint"), CASES.values(), ids=CASES)
def test_a_file_that_is_not_yaml_is_told_with_its_place(
    problems: Problems, text: str | bytes, place: str, message: str, hint: str | None
) -> None:
    found = problems(source_crm=text)
    told = [problem for problem in found if at(problem) == f"config/sources/crm.yaml:{place}"]
    assert told, [str(problem) for problem in found]
    assert message in told[0].message
    assert hint is None or hint in (told[0].hint or "")


def test_a_key_that_stands_twice_names_both_lines(problems: Problems) -> None:
    (found,) = problems(source_crm="source: crm\nconnector: files\nowner: a@b.example\nconnector: sql\n")
    assert at(found) == "config/sources/crm.yaml:4:1"
    assert "`connector` stands here twice; the first is in line 2" in found.message


def test_every_duplicate_key_of_a_file_is_told(problems: Problems) -> None:
    found = problems(source_crm="source: crm\nsource: crm\nconnector: files\nsettings: {a: 1, a: 2}\n")
    assert [at(p) for p in found if "twice" in p.message] == [
        "config/sources/crm.yaml:2:1",
        "config/sources/crm.yaml:4:18",
    ]


def test_an_empty_file_is_told(problems: Problems) -> None:
    (found,) = problems(hub="# nothing yet\n")
    assert at(found) == "config/hub.yaml:1:1"
    assert "empty" in found.message


def test_a_file_of_text_or_a_list_is_told(problems: Problems) -> None:
    found = problems(hub="just a word\n", attributes="- a\n- b\n")
    assert [at(p) for p in found] == ["config/attributes.yaml:1:1", "config/hub.yaml:1:1"]
    assert "found text" in found[1].message
    assert "found a list" in found[0].message


def test_a_file_in_another_encoding_is_told_with_the_byte(problems: Problems) -> None:
    (found,) = problems(hub=b"title: x\nlanguages: [en]\n" + "# Кириллица\n".encode("cp1251"))
    assert at(found) == "config/hub.yaml:3:3"
    assert "UTF-8" in found.message


def test_a_byte_order_mark_is_no_mistake(folder: Callable[..., object]) -> None:
    from onefold.configuration import load_configuration

    assert load_configuration(folder(hub=b"\xef\xbb\xbflanguages: [ru]\n")).hub.languages == ["ru"]  # type: ignore[arg-type]


def test_an_alias_bomb_is_refused_quickly(problems: Problems) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    found = problems(hub="\n".join(levels))
    assert any("expand to more than" in problem.message for problem in found)


def test_an_alias_inside_its_own_anchor_is_refused(problems: Problems) -> None:
    found = problems(hub="languages: &a [en, *a]\n")
    assert any("inside its own anchor" in p.message and at(p) == "config/hub.yaml:1:12" for p in found)


def test_anchors_and_merges_are_usable(folder: Callable[..., object]) -> None:
    from onefold.configuration import load_configuration

    text = (
        "source: a\nconnector: files\ndefaults: &d {country: RU}\n---\n"
        "source: b\nconnector: files\ndefaults:\n  <<: &e {country: DE, currency: EUR}\n  country: AT\n"
    )
    found = load_configuration(folder(source_two=text))  # type: ignore[arg-type]
    assert found.sources["b"].defaults.country == "AT"
    assert found.sources["b"].defaults.currency == "EUR"


def test_mistakes_of_all_files_are_told_at_once(problems: Problems) -> None:
    found = problems(
        source_a="source: a\nconector: files\n",
        source_b="source: b\n\tconnector: files\n",
        hub="grain: legal\n",
        attributes="attributes: {X: {}}\n",
    )
    assert {problem.file for problem in found} == {
        "config/attributes.yaml",
        "config/hub.yaml",
        "config/sources/a.yaml",
        "config/sources/b.yaml",
    }


def test_a_second_document_in_a_single_file_is_told(problems: Problems) -> None:
    (found,) = problems(hub="languages: [en]\n---\nlanguages: [ru]\n")
    assert at(found) == "config/hub.yaml:3:1"


def test_a_folder_that_is_not_there_names_the_command(tmp_path: object) -> None:
    from pathlib import Path

    from onefold.configuration import ConfigurationError, load_configuration

    with pytest.raises(ConfigurationError, match=r"no such folder.*onefold init"):
        load_configuration(Path(str(tmp_path)) / "nowhere")


def test_a_folder_without_sources_names_the_command(tmp_path: object) -> None:
    from pathlib import Path

    from onefold.configuration import ConfigurationError, load_configuration

    with pytest.raises(ConfigurationError, match=r"no source.*onefold source add"):
        load_configuration(Path(str(tmp_path)))


def test_leading_zeros_and_dates_stay_as_they_are_written() -> None:
    from onefold.configuration.tree import parse

    (document,), problems = parse(b"inn: 0123456789\non: 2026-01-31\nn: 12\nflag: yes\nreal: 0.5\n", "x.yaml")
    assert problems == []
    assert document.data == {"inn": "0123456789", "on": "2026-01-31", "n": 12, "flag": "yes", "real": 0.5}

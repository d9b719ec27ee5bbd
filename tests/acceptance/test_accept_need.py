"""A suggestion becomes a need of needs.yaml in a person's words, and nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.configuration.load import load_configuration
from tests.support.cli import Done, onefold
from tests.support.hub import CRM

SUGGESTED = """\
# Suggested by `onefold needs discover`
needs:
  # 40 clients; found again in halves: 0.98
  suggestion_1:
    job: say it in the client's words
    labels: Suggestion 1
    dimension: name_it
    signals:
      signal_1:
        types: sales_order
        words: Срочно
      signal_2:
        types: sales_deal
        when:
          detail.stage: rush
"""
KNOWN = """\
# What our clients need.
held_sightings: 4   # we have many dealings

needs:
  # asked for by the board
  advice:
    job: {en: "Help me choose.", ru: Помогите}   # from the interviews
    labels: Advice
    dimension: knowledge
    signals:
      asks: {types: sales_deal, words: [подобрать,   advise]}
  # nothing follows
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with a source, and suggestions beside it."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "sources" / "crm.yaml").write_text(CRM, encoding="utf-8")
    (tmp_path / "suggested.yaml").write_text(SUGGESTED, encoding="utf-8")
    return tmp_path


def accept(folder: Path, *more: str, name: str = "suggestion_1", code: str = "urgency") -> Done:
    place = ("--config", str(folder / "config"), "--home", str(folder / "var"), "--json")
    return onefold(*place, "needs", "accept", name, "--as", code, "--file", str(folder / "suggested.yaml"), *more)


SAID = ("--job", "Get us running: now.", "--job-ru", "Запустите нас.", "--dimension", "time", "--label-ru", "Срочность")


def test_a_need_is_written_behind_the_others_and_comments_stay(folder: Path) -> None:
    path = folder / "config" / "needs.yaml"
    path.write_text(KNOWN, encoding="utf-8")
    done = accept(folder, *SAID)
    assert done.code == 0, done.said
    assert done.json["signals"] == ["signal_1", "signal_2"]
    written = path.read_text(encoding="utf-8")
    head, tail = KNOWN.split("  # nothing follows\n")
    assert written.startswith(head) and written.endswith("  # nothing follows\n" + tail)
    needs = load_configuration(folder / "config").needs
    assert list(needs.needs) == ["advice", "urgency"] and needs.held_sightings == 4
    made = needs.needs["urgency"]
    assert made.job == {"en": "Get us running: now.", "ru": "Запустите нас."}
    assert (made.labels, made.dimension) == ({"en": "Urgency", "ru": "Срочность"}, "time")
    assert made.signals["signal_1"].words == ["Срочно"]
    # Once more under the same name: refused, and nothing is written.
    again = accept(folder, *SAID)
    assert again.code != 0 and "has a need `urgency`" in again.said
    assert path.read_text(encoding="utf-8") == written


@pytest.mark.parametrize(
    "known",
    [
        None,
        "needs: {}  # none yet\n",
        "needs: # none yet\n  {}\n\n# more\nheld_sightings: 3\n",
        "held_sightings: 3\n",
        KNOWN.rstrip("\n").rpartition("\n")[0],
    ],
)
def test_the_first_need_of_a_file_is_written_too(folder: Path, known: str | None) -> None:
    path = folder / "config" / "needs.yaml"
    if known is not None:
        path.write_text(known, encoding="utf-8")
    done = accept(folder, *SAID, "--without", "signal_2")
    assert done.code == 0, done.said
    needs = load_configuration(folder / "config").needs
    assert list(needs.needs["urgency"].signals) == ["signal_1"]
    assert needs.held_sightings == (4 if known and "advice" in known else 3)
    assert "# none yet" not in (known or "") or "# none yet" in path.read_text(encoding="utf-8")


def test_a_file_that_is_a_link_stays_one(folder: Path) -> None:
    elsewhere, path = folder / "ours.yaml", folder / "config" / "needs.yaml"
    elsewhere.write_text(KNOWN, encoding="utf-8")
    path.symlink_to(elsewhere)
    assert accept(folder, *SAID).code == 0
    assert path.is_symlink() and "urgency:" in elsewhere.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dimension", "time"), "What is the job"),
        (("--job", "say it in the client's words"), "What is the job"),
        ((*SAID, "--without", "signl_1"), "signal_1"),
        ((*SAID, "--without", "signal_1", "--without", "signal_2"), "Nothing is left"),
    ],
)
def test_without_a_job_or_signals_nothing_is_written(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = accept(folder, *arguments)
    assert done.code != 0 and said in done.said
    assert not (folder / "config" / "needs.yaml").exists()
    assert "suggestion_1" in accept(folder, *SAID, name="sugestion_1").said

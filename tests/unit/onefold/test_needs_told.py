"""What is told of a dealing in which a need was seen."""

from __future__ import annotations

from pathlib import Path

from onefold.configuration.load import load_configuration
from onefold.web.console.needs_told import LONGEST, said_in
from tests.support.hub import CRM

NEEDS = """
needs:
  calm:
    job: {en: "Do not frighten it."}
    labels: Calm
    dimension: comfort
    signals:
      says: {types: sales_deal, words: тёплый}
"""


def test_a_long_text_is_cut_around_the_word_however_it_is_spelt(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "crm.yaml").write_text(CRM, encoding="utf-8")
    (tmp_path / "needs.yaml").write_text(NEEDS, encoding="utf-8")
    configuration = load_configuration(tmp_path)
    row = {"need": "calm", "signal": "says", "word_starts": "тепл"}
    for before, after in ((0, 900), (500, 400), (900, 0)):
        text = "а " * (before // 2) + "Тёплый" + " б" * (after // 2)
        (said,) = said_in(configuration, {**row, "summary": text}, None)
        assert "Тёплый" in said and len(said) <= LONGEST + 2
        assert (said[0] == "…", said[-1] == "…") == (before > 0, after > 0)
    assert said_in(configuration, {**row, "summary": "Холодный"}, None) == []
    assert said_in(configuration, {**row, "summary": "тёплый приём"}, None) == ["тёплый приём"]

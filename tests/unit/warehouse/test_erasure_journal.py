"""The journal of erasures is read whatever a kill in the middle of writing has left."""

from __future__ import annotations

from pathlib import Path

from warehouse.erasure import journal
from warehouse.erasure.journal import Lift


def test_a_line_that_was_torn_within_a_letter_costs_no_other_line(tmp_path: Path) -> None:
    journal.append_lift(tmp_path, Lift("one", "2026-03-01", "Ада"))
    (file,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    file.write_bytes(file.read_bytes() + '{"lifted": "two", "at": "2026-03-02", "by": "А'.encode()[:-1])
    journal.append_lift(tmp_path, Lift("three", "2026-03-03", "Ева"))
    assert journal.entries(tmp_path) == [Lift("one", "2026-03-01", "Ада"), Lift("three", "2026-03-03", "Ева")]

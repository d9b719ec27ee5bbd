"""What the DAGs keep of the configuration between two parses."""

from __future__ import annotations

from pathlib import Path

from dags.kept import fingerprint


def test_every_file_that_the_configuration_reads_is_watched_and_no_other(tmp_path: Path) -> None:
    config, elsewhere = tmp_path / "config", tmp_path / "elsewhere"
    config.mkdir()
    elsewhere.mkdir()
    (config / "hub.yaml").write_text("schedule: '@daily'\n", "utf-8")
    (config / "sources").symlink_to(elsewhere)
    seen = [fingerprint(config)]
    for name, text in (("erp.yml", "a"), ("crm.yaml", "a"), ("crm.yaml", "b")):
        (elsewhere / name).write_text(text, "utf-8")
        seen.append(fingerprint(config))
    assert len(set(seen)) == 4
    (elsewhere / "notes.txt").write_text("a", "utf-8")
    (elsewhere / "old.yaml").mkdir()
    assert fingerprint(config) == seen[-1]

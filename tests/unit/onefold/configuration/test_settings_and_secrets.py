"""Where the hub runs, and the secrets that sources name."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.configuration import SecretMissing, environment, resolve_secrets
from onefold.configuration.secrets import read_env_file
from onefold.settings import Settings


def test_without_anything_the_hub_lives_beside_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}) == Settings(Path("var"), Path("config"), None)


def test_a_flag_wins_over_the_environment_which_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONEFOLD_HOME=from-file\nONEFOLD_DATABASE_URL=postgresql:///file\n")
    environ = {"ONEFOLD_CONFIG": str(tmp_path / "config"), "ONEFOLD_HOME": "from-env"}
    found = Settings.from_environment(environ)
    assert (found.home, found.database_url) == (Path("from-env"), "postgresql:///file")
    found = Settings.from_environment(
        environ, {"home": "from-flag", "database_url": "postgresql:///flag", "config": None}
    )
    assert (found.home, found.database_url) == (Path("from-flag"), "postgresql:///flag")
    assert found.config == tmp_path / "config"


def test_empty_values_count_as_absent(tmp_path: Path) -> None:
    environ = {"ONEFOLD_CONFIG": str(tmp_path), "ONEFOLD_HOME": "", "ONEFOLD_DATABASE_URL": ""}
    assert Settings.from_environment(environ, {"home": ""}).home == Path("var")
    assert Settings.from_environment(environ).database_url is None


def test_an_unknown_override_is_a_fault_of_the_caller() -> None:
    with pytest.raises(TypeError, match="hoem"):
        Settings.from_environment({}, {"hoem": "x"})


def test_settings_do_not_show_the_database_url() -> None:
    assert "s3cret" not in repr(Settings(database_url="postgresql://u:s3cret@h/db"))


def test_secrets_are_resolved_everywhere_in_the_settings() -> None:
    settings = {"token": "${A}", "auth": {"user": "u-${B}"}, "urls": ["https://${A}/x", 5], "plain": True}
    found = resolve_secrets(settings, {"A": "1", "B": "2"})
    assert found == {"token": "1", "auth": {"user": "u-2"}, "urls": ["https://1/x", 5], "plain": True}
    assert settings["token"] == "${A}"


def test_every_missing_secret_is_named_and_no_value_is_shown() -> None:
    with pytest.raises(SecretMissing) as caught:
        resolve_secrets({"a": "${B_TOKEN}", "b": ["${A_TOKEN} ${SET}"]}, {"SET": "hush-hush"})
    assert caught.value.names == ("A_TOKEN", "B_TOKEN")
    assert "${A_TOKEN}, ${B_TOKEN}" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_resolved_value_is_not_resolved_again() -> None:
    assert resolve_secrets({"a": "${A}"}, {"A": "${B}", "B": "x"}) == {"a": "${B}"}


def test_the_env_file_is_read_as_shells_write_it(tmp_path: Path) -> None:
    text = "# comment\nexport A=1\nB = 'two words'\nC=\"x # y\"\nD=z # why\nnonsense\nE=\n"
    (tmp_path / ".env").write_text(text)
    assert read_env_file(tmp_path / ".env") == {"A": "1", "B": "two words", "C": "x # y", "D": "z", "E": ""}
    assert environment(tmp_path / "config", {"A": "process"})["A"] == "process"
    assert read_env_file(tmp_path / "absent") == {}

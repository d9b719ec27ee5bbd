"""What each connector of the catalogue asks for, and what counts as a secret."""

from __future__ import annotations

import pytest

from connectors.wanted import missing, settings_of, ways_in, welcome


@pytest.mark.parametrize(
    ("connector", "given", "lacks"),
    [
        ("bitrix24", (), ["domain", "webhook"]),
        ("bitrix24", ("domain", "webhook"), []),
        ("bitrix24", ("domain", "client_id", "client_secret", "refresh_token"), []),
        ("bitrix24", ("domain", "client_id"), ["webhook"]),
        ("salesforce", ("domain", "client_id", "private_key", "username"), []),
        ("onec_accounting", ("url",), ["username"]),
        ("odata_v4", ("url",), []),
        ("sql", (), ["url"]),
        ("files", (), []),
    ],
)
def test_one_way_in_of_several_is_enough(connector: str, given: tuple[str, ...], lacks: list[str]) -> None:
    assert [setting.name for setting in missing(connector, given)] == lacks


@pytest.mark.parametrize(
    ("connector", "given", "offered"),
    [
        ("onec_accounting", ("url", "username"), ["password"]),
        ("odata_v4", ("url",), ["token"]),
        ("odata_v4", ("url", "token"), []),
        ("bitrix24", ("domain", "webhook"), []),
        ("files", (), []),
    ],
)
def test_credentials_are_offered_where_none_are_needed(
    connector: str, given: tuple[str, ...], offered: list[str]
) -> None:
    assert [setting.name for setting in welcome(connector, given)] == offered


def test_a_setting_says_what_it_is_and_optional_secrets_are_secrets_too() -> None:
    settings = {setting.name: setting for setting in settings_of("onec_accounting")}
    assert list(settings)[:2] == ["url", "username"]
    assert "odata/standard.odata" in settings["url"].about
    assert settings["password"].is_secret
    assert not settings["username"].is_secret
    assert not {"base_dir", "streams"} & set(settings)
    assert ways_in("bitrix24") == [("webhook",), ("client_id", "client_secret", "refresh_token")]

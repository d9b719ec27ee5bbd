"""What registers of a country are mostly kept in, where they do not say so: time zone, currency, language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COUNTRIES: Final[Mapping[str, Mapping[str, str]]] = {
    code: {"country": code, "timezone": timezone, "currency": currency, "language": language}
    for code, timezone, currency, language in (
        ("RU", "Europe/Moscow", "RUB", "ru"),
        ("BY", "Europe/Minsk", "BYN", "ru"),
        ("KZ", "Asia/Almaty", "KZT", "ru"),
        ("DE", "Europe/Berlin", "EUR", "de"),
        ("AT", "Europe/Vienna", "EUR", "de"),
        ("CH", "Europe/Zurich", "CHF", "de"),
        ("FR", "Europe/Paris", "EUR", "fr"),
        ("IT", "Europe/Rome", "EUR", "it"),
        ("ES", "Europe/Madrid", "EUR", "es"),
        ("NL", "Europe/Amsterdam", "EUR", "nl"),
        ("PL", "Europe/Warsaw", "PLN", "pl"),
        ("GB", "Europe/London", "GBP", "en"),
        ("US", "America/New_York", "USD", "en"),
    )
}


def country_defaults(code: str) -> dict[str, str]:
    """`defaults` of hub.yaml or a source; of a country that is not listed only its code."""
    return dict(COUNTRIES.get(code, {"country": code}))

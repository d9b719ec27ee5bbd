"""Pages in the visitor's language: templates, words, dates and numbers as people write them."""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from onefold.web.asking import Asker
from onefold.web.console import plots
from onefold.web.console.session import Visitor

LANGUAGES: Final = ("en", "ru")
_WORDS: Final = 4_096
"""Of the templates; there are fewer."""
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere, nothing in a frame: a name with a script in it stays a name."""


def language_of(request: Request, asker: Asker | None = None) -> str:
    """What was chosen, else what the browser asks for, else English."""
    chosen = request.cookies.get("onefold_language") or (asker.language if asker else None)
    if chosen in LANGUAGES:
        return str(chosen)
    wanted = [part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((one for one in wanted if one in LANGUAGES), "en")


def page(
    request: Request, template: str, who: Visitor | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page; with its words in the visitor's language and the policy that keeps strangers' scripts out."""
    language = language_of(request, who.asker if who else None)
    body = _environment(language).get_template(template).render(
        request=request, who=who, language=language, path=request.url.path, **values
    )  # fmt: skip
    return HTMLResponse(body, status, headers={"Content-Security-Policy": POLICY, "Content-Language": language})


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The words of a language, from `words/LANGUAGE.po`; of English those of codes: the rest is in the templates."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = (files(__package__) / "words" / f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _environment(language: str) -> Environment:
    found = Environment(
        loader=PackageLoader("onefold.web.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    found.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    said = _sayer(language)
    found.globals.update({"_": said, "gettext": said})
    found.filters.update(
        word=lambda text: _word(text, language),
        said=lambda row, what="label": _said(row, what, language),
        day=lambda value: _day(value, language),
        moment=lambda value: _moment(value, language),
        minute=lambda value: _moment(_to_minute(value), language),
        number=lambda value: _number(value, language),
        seconds=lambda value: _seconds(value, language),
        share=lambda value: _share(value, language),
        span=lambda value: _span(value, language),
        money=lambda value, currency=None: _money(value, currency, language),
        urlpart=lambda value: quote(str(value), safe=""),
    )
    found.globals.update(
        plots.MAKERS,
        short_day=lambda value: _short_day(value, language),
        short_month=lambda value: _short_day(value, language, "yMMM"),
        share=lambda value: _share(value, language),
        tenth=lambda value: _number(round(value, 1), language),
        month=lambda value: _short_day(date.fromisoformat(value[:10]), language, "yMMM"),
    )
    return found


def _sayer(language: str) -> Callable[..., str]:
    """What templates say by `_`: their own words, translated and taken for markup once and not each time; a page has a
    hundred. Values are escaped into them."""

    @lru_cache(_WORDS)
    def words(text: str) -> tuple[Markup, str | None]:
        found = Markup(translations(language).gettext(text))
        return found, None if "%(" in found else found % {}

    def said(text: str, **values: object) -> str:
        found, plain = words(text)
        return found % values if plain is None else plain

    return said


def _word(text: str | None, language: str) -> str:
    """The word of the language for a code or name that comes from data: never taken for markup or for a format, as what
    stands in a template is."""
    return translations(language).gettext(text) if text else ""


def _said(row: Mapping[str, Any], what: str, language: str) -> str:
    """What a row of the configuration is called in the language, else in English."""
    return str(row.get(f"{what}_{language}") or row.get(f"{what}_en") or "")


def _day(value: str | date | None, language: str) -> str:
    from babel.dates import format_date

    if value is None:
        return ""
    return format_date(date.fromisoformat(value[:10]) if isinstance(value, str) else value, "medium", locale=language)


def _short_day(value: date, language: str, skeleton: str = "MMMd") -> str:
    from babel.dates import format_skeleton

    return str(format_skeleton(skeleton, value, locale=language))


def _moment(value: str | datetime | None, language: str) -> str:
    from babel.dates import format_datetime

    if value is None:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return format_datetime(at, "medium" if at.second else "short", locale=language)


def _to_minute(value: str | datetime | None) -> datetime | None:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return None if at is None else at.replace(second=0, microsecond=0)


def _number(value: float | Decimal | None, language: str) -> str:
    from babel.numbers import format_decimal

    text = str(value)
    if text.isdecimal() and len(text) < 4:
        return text  # as most numbers are, and in both languages
    return "" if value is None else format_decimal(value, locale=language)


def _share(value: float | None, language: str) -> str:
    """A share as per cent, with as many digits as tell a small one from nothing."""
    from babel.numbers import format_percent

    if value is None:
        return ""
    small = "#,##0.####%" if 0 < value < 0.01 else "#,##0.#%"
    return format_percent(value, format=small, locale=language)


def _seconds(value: float, language: str) -> str:
    """A duration, short: to the tenth of a second up to a minute, then in minutes or hours."""
    from babel.units import format_unit

    for unit, size in (("hour", 3600), ("minute", 60)):
        if value >= size:
            return str(format_unit(round(value / size, 1), unit, "short", locale=language))
    return str(format_unit(round(value, 1), "second", "short", locale=language))


def _span(value: timedelta, language: str) -> str:
    from babel.dates import format_timedelta

    return format_timedelta(value, granularity="minute", threshold=1, format="short", locale=language)


def _money(value: str | None, currency: str | None, language: str) -> str:
    from babel.numbers import UnknownCurrencyError, format_currency

    if value is None:
        return ""
    if currency is None:
        return _number(Decimal(value), language)
    try:
        return format_currency(Decimal(value), currency, locale=language)
    except UnknownCurrencyError:
        return f"{_number(Decimal(value), language)} {currency}"


def labels(attributes: Mapping[str, Any], language: str) -> dict[str, str]:
    """What attributes are called."""
    return {name: one.labels.get(language) or one.labels.get("en") or name for name, one in attributes.items()}

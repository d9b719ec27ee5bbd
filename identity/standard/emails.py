"""E-mail addresses and domains. Syntax is the one of `email-validator`; nothing asks the network."""

from __future__ import annotations

import re
from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from identity.standard.form import Form, Memo, invalid
from identity.standard.text import clean, is_placeholder

# Local parts of this shape are valid whatever the domain; the library then only has to judge the domain,
# once.
_PLAIN_LOCAL = re.compile(r"[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*", re.ASCII)
_BRACKETED = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>", re.ASCII)
_NOBODY: Final = frozenset(
    {
        "test",
        "тест",
        "none",
        "no",
        "noemail",
        "no-email",
        "nomail",
        "нет",
        "na",
        "n/a",
        "unknown",
        "null",
        "xxx",
        "asdf",
        "a",
    }
)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.ASCII)
_END_OF_HOST = re.compile(r"[/?#:\s]")


# What the library says of every domain of this shape that it keeps for no special use: valid as it is written.
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)
_LONGEST_DOMAIN: Final = 250
_SPECIAL: Final = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


def _domain(domain: str) -> str:
    """The domain in lower case as the library writes it; empty when it is invalid."""
    if (
        len(domain) <= _LONGEST_DOMAIN
        and "--" not in domain
        and _PLAIN_DOMAIN.fullmatch(domain)
        and not domain.endswith(_SPECIAL)
    ):
        return domain
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).domain.lower()
    except EmailNotValidError:
        return ""


_known_domain = Memo(_domain, 100_000)


def _library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def _standard(raw: str) -> Form:
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    repaired = None
    if text[:7].lower() == "mailto:":
        text, repaired = text[7:], "mailto"
    elif match := _BRACKETED.fullmatch(text):
        text, repaired = match[1], "name beside the address"
    lower = text.lower()
    local, at, domain = lower.rpartition("@")
    if not at:
        return invalid(text, "no @")
    name = domain.partition(".")[0]
    if local in _NOBODY and (name in _NOBODY or name == "email"):
        return invalid(text, "placeholder")
    if len(local) <= 64 and len(lower) <= 254 and _PLAIN_LOCAL.fullmatch(local) and domain.isascii():
        standard: str | None = f"{local}@{known}" if (known := _known_domain(domain)) else None
    else:
        standard = _library(text)
    if standard is None:
        return invalid(text, "syntax")
    return Form(standard, standard, None, repaired)


_memo = Memo(_standard, 200_000)


def email(raw: str) -> Form:
    """An address in lower case. Dots before the @ are kept: they differ at most providers.

    Invalid as `placeholder`, `no @` or `syntax`.
    """
    return _memo(raw)


def domain(raw: str) -> Form:
    """The host of a web address or e-mail address, without `www.`, in lower case.

    Invalid as `placeholder` or `syntax`.
    """
    text = clean(raw)
    if is_placeholder(text):
        return invalid(text, "placeholder")
    host = _END_OF_HOST.split(_SCHEME.sub("", text.lower()).rpartition("@")[2], maxsplit=1)[0].rstrip(".")
    host = _known_domain(host.removeprefix("www."))
    return Form(host, host) if host else invalid(text, "syntax")


def website(raw: str) -> Form:
    """A web address as the source wrote it; its comparable value is the domain. Invalid as `domain` is."""
    found = domain(raw)
    return found if found.value is None else found._replace(display=clean(raw))

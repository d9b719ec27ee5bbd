"""Passwords: Argon2id with the parameters of RFC 9106 for little memory, 64 MiB and three passes."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

from onefold.errors import UsageError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST: Final = 12
MOST: Final = 200


def hashed(password: str) -> str:
    """What is stored of a password. UsageError: it is too short to be one, or too long to be read."""
    if not LEAST <= len(password) <= MOST:
        raise UsageError(f"A password has {LEAST} to {MOST} characters.")
    return _hasher().hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Where none is stored it takes as long: the time tells nothing."""
    from argon2.exceptions import VerificationError

    try:
        _hasher().verify(stored or _nobodys(), password)
    except VerificationError:
        return False
    return stored is not None and len(password) <= MOST


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe())

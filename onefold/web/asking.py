"""Who asks: a program with a token, or a person who is signed in; what each may do and see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onefold.errors import OnefoldError
from onefold.steps.accounts import SCOPES

OF_ROLE: Final[Mapping[str, frozenset[str]]] = {
    "reader": frozenset({"clients", "match"}),
    "steward": frozenset({"clients", "match", "changes", "cases", "judge"}),
    "admin": frozenset(set(SCOPES) - {"values"} | {"admin"}),
}
"""What people of a role may do. `values` is given to a person apart from the role."""


class NotSignedIn(OnefoldError):
    """Nobody knows who asks."""


class NotAllowed(OnefoldError):
    """It is known who asks, and it is not theirs."""


class TooManyAttempts(OnefoldError):
    """So many wrong attempts that no more are looked at for a while."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, with the rights of now."""

    name: str
    """A login, or a token's name as `token:NAME`: what the access log and judgements have."""
    scopes: frozenset[str]
    purpose: str | None
    language: str | None = None
    account_id: int | None = None

    @property
    def sees_values(self) -> bool:
        """Personal data is shown; else masked."""
        return "values" in self.scopes

    def needs(self, scope: str) -> None:
        """NotAllowed unless they may."""
        if scope not in self.scopes:
            raise NotAllowed(f"{self.name} may not do this: it needs the right `{scope}` ({SCOPES.get(scope, scope)}).")

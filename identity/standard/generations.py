"""Which of several people of one name in a family somebody is: junior, senior, II, III."""

from __future__ import annotations

from functools import cache

from identity.standard.form import Memo
from identity.standard.text import clean, comparable
from identity.standard.vocabulary import mapping


@cache
def _words() -> dict[str, str]:
    return mapping("generations")


def _generation(raw: str) -> str:
    # The first word is a name, whatever it looks like.
    keys = comparable(clean(raw)).split()[1:]
    return next((_words()[key] for key in reversed(keys) if key in _words()), "")


_memo = Memo(_generation, 200_000)


def generation(raw: str) -> str | None:
    """`junior`, `senior`, `ii`, `iii` or `iv` where a name says so (`Smith Jr.`, `Иванов мл.`), else None."""
    return _memo(raw) or None

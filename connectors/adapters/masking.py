"""Takes secrets out of what a package says about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

_secret_name = re.compile(
    r"pass|pwd|secret|token|key|auth|credential|cookie|session|dsn|private|signature|header|code|login|user|email", re.I
)
_plain = re.compile(r"https?://[^\s@?]+$|\d{4}-\d\d-\d\d")
_userinfo = re.compile(r"(://)[^/\s@]+@")
_bearer = re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{8,}")
MASK = "***"


def masker(config: Mapping[str, Any], env: Mapping[str, str]) -> Callable[[str], str]:
    """Replaces what may be a secret of `config` or `env` by `***`, and whatever looks like one in any text.

    Nobody says which settings of a package are secret, so a value counts as one if its name sounds so or if it
    is long and no sentence, plain address or date.
    """
    found: set[str] = set()
    for value in [*_values(config, False), *(value for value in env.values() if len(value) >= 4)]:
        for form in (value, *(word for word in value.split() if len(word) >= 8)):
            found |= {form, quote(form, safe=""), quote_plus(form), json.dumps(form)[1:-1]}
    longest = sorted(found, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def mask(text: str) -> str:
        if pattern is not None:
            text = pattern.sub(MASK, text)
        return _bearer.sub(rf"\1 {MASK}", _userinfo.sub(rf"\1{MASK}@", text))

    return mask


def _values(value: Any, is_secret: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _values(item, is_secret or bool(_secret_name.search(str(name))))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, is_secret)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value)
        if len(text) >= 4 and (is_secret or (len(text) >= 16 and " " not in text)) and not _plain.match(text):
            yield text

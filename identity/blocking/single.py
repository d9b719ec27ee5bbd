"""The blocking keys of one record: the parts and hashes are those of whole columns, without their arrays."""

from __future__ import annotations

from itertools import product

from identity.blocking.keys import RULE_BITS, rule_number
from identity.encoded import Values
from identity.features import Features
from identity.hashing import combine_one, hash_one, hash_text
from identity.parts import parts_of_one
from identity.settings import KindSettings, rule_name
from identity.standard.form import Memo

_SIGN = 1 << 63


def _hashes(asked: tuple[str, str | None, int | None]) -> tuple[int, ...]:
    """The hashes of a value, or of its parts."""
    text, part, count = asked
    if part is None:
        return (hash_one(text),)
    return tuple(map(hash_one, parts_of_one(text, part, count)))


_hashes_of = Memo(_hashes, 100_000)


def _texts(values: Values) -> list[str]:
    """The values of the only record; a dictionary may hold those of other columns too."""
    unique = values.unique.to_pylist()
    return [unique[code] for code in values.codes.tolist()]


class SingleKeys:
    """Makes the keys of single records of one kind."""

    def __init__(self, kind: str, settings: KindSettings) -> None:
        self._values = list(dict.fromkeys(value for rule in settings.blocking for value in rule))
        place = {value: at for at, value in enumerate(self._values)}
        self._rules = [
            (int(hash_text(f"{kind}:{rule_name(rule)}")), rule_number(kind, at), [place[value] for value in rule])
            for at, rule in enumerate(settings.blocking)
        ]

    def of(self, features: Features) -> list[int]:
        """What `keys_by_rule` makes of the only record of `features`; each key once."""
        texts = {name: _texts(features.values(name)) for name in {value.field for value in self._values}}
        hashes = [
            {hashed for text in texts[value.field] for hashed in _hashes_of((text, value.part, value.count))}
            for value in self._values
        ]
        found: dict[int, None] = {}
        for start, number, places in self._rules:
            for chosen in product(*(hashes[at] for at in places)):
                key = start
                for hashed in chosen:
                    key = combine_one(key, hashed)
                key = key & ~RULE_BITS | number
                found[key - 2 * _SIGN if key & _SIGN else key] = None
        return list(found)

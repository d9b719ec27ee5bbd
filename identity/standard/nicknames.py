"""Which given names may stand for one another: short forms, pet forms, one name in several languages."""

from __future__ import annotations

from functools import cache
from itertools import chain

from identity.shipped import shipped
from identity.standard.form import Memo
from identity.standard.latin import latin_key
from identity.standard.text import comparable


@cache
def _classes() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Comparable name -> canonical names, and the same by Latin key."""
    canonical: dict[str, set[str]] = {}
    for file in ("nicknames_en", "nicknames_ru"):
        for name, forms in shipped(file).items():
            for form in (name, *forms):
                canonical.setdefault(comparable(form), set()).add(comparable(name))
    international: dict[str, set[str]] = {}
    for name, forms in shipped("nicknames_international").items():
        for form in (name, *forms):
            international.setdefault(comparable(form), set()).add(comparable(name))
    by_name = {
        name: tuple(sorted(names | set(chain.from_iterable(international.get(n, ()) for n in (name, *names)))))
        for name in sorted(canonical.keys() | international.keys())
        for names in (canonical.get(name, set()),)
    }
    by_latin: dict[str, set[str]] = {}
    for name, names in by_name.items():
        by_latin.setdefault(latin_key(name), set()).update(names)
    return by_name, {key: tuple(sorted(names)) for key, names in by_latin.items()}


def _look_up(name: str) -> tuple[str, ...]:
    by_name, by_latin = _classes()
    return tuple(sorted({*by_name.get(name, ()), *by_latin.get(name, ()), *by_latin.get(latin_key(name), ())}))


_class_of = Memo(_look_up, 200_000)


def nickname_class(name: str) -> tuple[str, ...]:
    """The canonical names for which a given name may stand, sorted; empty when it is in no class.

    `name` is comparable (`given_name`) or a Latin key (`given_latin`). Two names are forms of one name when
    their
    classes share a member: bob -> (robert), саша -> (alexander, alexandra, александр, александра).
    """
    return _class_of(name)


@cache
def _alone() -> frozenset[str]:
    """Latin keys of the given names that have no other forms."""
    return frozenset(latin_key(comparable(name)) for names in shipped("given_names").values() for name in names)


def is_given_name(key: str) -> bool:
    """The Latin key is that of a given name, and not of one garbled or unheard of."""
    return key in _alone() or bool(nickname_class(key))


@cache
def _letters_of_classes() -> dict[str, frozenset[str]]:
    """Canonical name -> first letters of all its forms' Latin keys."""
    letters: dict[str, set[str]] = {}
    for form, names in _classes()[1].items():
        for name in names:
            letters.setdefault(name, set()).add(form[0])
    return {name: frozenset(found) for name, found in letters.items()}


def initials(name: str) -> frozenset[str]:
    """The letters with which a given name may be abbreviated: robert, by its form Bob, as b as well as r."""
    return frozenset(name[:1]).union(*(_letters_of_classes().get(found, ()) for found in nickname_class(name)))


@cache
def given_names() -> frozenset[str]:
    """Comparable forms and Latin keys that are known as given names; used to tell the order of a name's
    parts."""
    by_name, by_latin = _classes()
    return frozenset(by_name) | frozenset(by_latin)

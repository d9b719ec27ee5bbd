"""Masks in place of personal data, for who may see clients but not their data.

A mask says that there is a value and how it begins or ends, so that two can be told apart by who knows them already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from onefold.configuration.attributes import Attribute

BLANK: Final = "•••"


def mask(value: object, attribute: Attribute | None) -> Any:
    """The mask of a value: of a number or identifier its last two characters, of a name its initials, of an e-mail its
    first letter; of all else, and of what is as short as that, nothing."""
    if value is None:
        return None
    if isinstance(value, list):
        return [mask(one, attribute) for one in value]
    text = str(value).strip()
    how = None if attribute is None else _BY_TYPE.get(attribute.type) or _BY_CLASS.get(attribute.personal_data)
    return BLANK if how is None or len(text) < 4 else how(text)


def initials(name: str) -> str:
    """Of each word its first letter: "A. K."."""
    return " ".join(f"{word[0]}." for word in name.split() if word[0].isalnum()) or BLANK


_BY_TYPE: Final[Mapping[str, Callable[[str], str]]] = {
    "email": lambda text: f"{text[0]}{BLANK}@{BLANK}",
    "phone": lambda text: f"{BLANK}{text[-2:]}",
    "identifier": lambda text: f"{BLANK}{text[-2:]}",
    "date": lambda _text: BLANK,
}
_BY_CLASS: Final[Mapping[str, Callable[[str], str]]] = {"name": initials}


class Masks:
    """What of a hub's answers is masked, by its attributes."""

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        self._attributes = attributes
        self.personal = frozenset(name for name, one in attributes.items() if one.personal_data != "none")

    def value(self, name: str, value: object, kind: str) -> Any:
        """The value of an attribute, or its mask. A name of an organisation is nobody's."""
        return mask(value, self._attributes.get(name)) if self.is_masked(name, kind) else value

    def is_masked(self, name: str, kind: str) -> bool:
        """Whether an attribute is shown as a mask; one that the configuration knows no more is, and a name of a person
        also where it stands with an organisation."""
        one = self._attributes.get(name)
        if one is None:
            return True
        is_firms_name = kind == "organisation" and one.personal_data == "name" and one.kind != "person"
        return name in self.personal and not is_firms_name

    def display_name(self, name: str | None, kind: str | None) -> str | None:
        """Initials of persons, and of whom nobody says what they are."""
        return name if name is None or kind == "organisation" else initials(name)

    def shown(self, names: Iterable[str], kind: str) -> list[str]:
        """Of these attributes those that are shown as they are."""
        return sorted(name for name in set(names) if not self.is_masked(name, kind))

"""Guesses a mapping from names, labels and content, in English, Russian and German, and says why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol

from onefold.configuration.attributes import STANDARD
from onefold.configuration.contents import by_content, contradiction, holds_legal_form
from onefold.configuration.tree import parse


class FieldLike(Protocol):
    """A field of a source as `discover` found it (connectors.page.FieldInfo)."""

    @property
    def path(self) -> str:
        """Its path in the record."""

    @property
    def label(self) -> str | None:
        """What users of the source see."""

    @property
    def samples(self) -> Sequence[str]:
        """Some of its values."""


class StreamLike(Protocol):
    """A stream as `discover` found it (connectors.page.StreamInfo)."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def key(self) -> str | Sequence[str] | None:
        """Path(s) of its key, when the connector knows."""

    @property
    def fields(self) -> Sequence[FieldLike]:
        """Its fields."""

    @property
    def updated_at(self) -> str | None:
        """Path of its time of change, when the connector knows."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One field that probably means something."""

    path: str
    attribute: str
    because: str
    score: int
    """The higher the surer; content that was verified counts more than a name."""
    is_doubtful: bool = False
    """Only a part of the name or the look of the values speaks for it, or values speak against the name."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed stream configuration, ready to be written, with every reason."""

    stream: str
    as_: str | Mapping[str, str] | None
    """Or a choice by value, as configuration writes it."""
    key: str | Sequence[str] | None
    fields: dict[str, list[str]] = field(default_factory=dict)
    interaction: dict[str, Any] = field(default_factory=dict)
    """For an interaction: type, occurred_at, amount, document_number."""
    guesses: tuple[Guess, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why this kind, why this key, and what was left out."""
    updated_at: str | None = None

    def as_config(self) -> dict[str, Any]:
        """The stream as it is written in YAML."""
        made: dict[str, Any] = {}
        if self.as_ is not None:
            made["as"] = self.as_ if isinstance(self.as_, str) else dict(self.as_)
        if self.key:
            made["key"] = self.key if isinstance(self.key, str) else list(self.key)
        if self.updated_at:
            made["updated_at"] = self.updated_at
        made.update(self.interaction)
        if self.fields:
            made["fields"] = {name: paths[0] if len(paths) == 1 else paths for name, paths in self.fields.items()}
        return made


@cache
def _attribute_of() -> dict[str, str]:
    """Word of a name or label (see `data/words.yaml`) -> attribute."""
    path = files("onefold.configuration").joinpath("data", "words.yaml")
    (document,), _ = parse(path.read_bytes(), "words.yaml")
    return {word: attribute for attribute, words in document.data.items() for word in words}


_KEYS: Final = (
    "id",
    "key",
    "recordid",
    "uuid",
    "guid",
    "code",
    "код",
    "номер",
    "refkey",
    "ссылка",
    "nr",
    "recid",
)
_CHANGED: Final = (
    "updatedat",
    "modifiedat",
    "updated",
    "modified",
    "lastmodified",
    "changedat",
    "изменен",
    "датаизменения",
    "geaendertam",
)
_MONEY: Final = ("amount", "total", "sum", "price", "сумма", "итого", "betrag", "summe", "gesamtbetrag")
_DATES: Final = (
    "date",
    "orderdate",
    "orderedat",
    "createdat",
    "occurredat",
    "closedate",
    "дата",
    "датазаказа",
    "datum",
    "bestelldatum",
)
_TYPES: Final = (
    ("sales_order", ("order", "заказ", "bestellung", "auftrag")),
    ("invoice", ("invoice", "счет", "счёт", "rechnung")),
    ("payment", ("payment", "оплат", "платеж", "платёж", "zahlung")),
    ("sales_deal", ("deal", "opportunit", "сделк", "chance")),
    ("service_ticket", ("ticket", "case", "обращени", "заявк", "anfrage")),
    ("complaint", ("complaint", "жалоб", "рекламац", "reklamation", "beschwerde")),
    ("delivery", ("deliver", "shipment", "доставк", "отгрузк", "lieferung")),
    ("call", ("call", "звонок", "звонк", "anruf")),
    ("contract", ("contract", "договор", "vertrag")),
)
_PEOPLE: Final = (
    "contact",
    "person",
    "people",
    "lead",
    "контакт",
    "физлиц",
    "сотрудник",
    "kontakt",
    "person",
)
_FIRMS: Final = (
    "compan",
    "organi",
    "account",
    "supplier",
    "vendor",
    "контрагент",
    "компани",
    "поставщик",
    "firm",
    "lieferant",
    "kunden",
)


def propose_mapping(
    stream: StreamLike, told: Mapping[str, str | None] | None = None, as_: str | Mapping[str, str] | None = None
) -> Proposal:
    """The proposed configuration of one stream; every guess has its reason, nothing is certain.

    `told`: path -> attribute that somebody has said; None: none at all. `as_`: the kind of the records where it is
    known, person | organisation, or a choice by value as configuration writes it.
    """
    said = told or {}
    found = [_said(one, said[one.path]) if one.path in said else _guess(one) for one in stream.fields]
    guesses = [guess for guess in found if guess is not None]
    reasons: list[str] = []
    key = stream.key or _key(stream.fields, reasons)
    changed = changed_at(stream)
    found_type = _interaction(stream, guesses) if as_ is None else None
    if found_type is not None:
        type_, interaction, because = found_type
        return Proposal(
            stream.name,
            "interaction",
            key,
            {},
            {"type": type_, **interaction},
            (),
            (*reasons, because),
            changed,
        )
    kind = as_ or _kind(stream, guesses, reasons)
    if kind is None:
        reasons.append("No field looks like a name, an address or an identifier: landed only, until you write `as`.")
        return Proposal(stream.name, None, key, {}, {}, tuple(guesses), tuple(reasons), changed)
    fields = _fields(guesses, kind if isinstance(kind, str) else "both", reasons)
    used = {path for paths in fields.values() for path in paths}
    kept = tuple(guess for guess in guesses if guess.path in used)
    return Proposal(stream.name, kind, key, fields, {}, kept, tuple(reasons), changed)


def changed_at(stream: StreamLike) -> str | None:
    """Path of the time of change: the stream's own, else by its name."""
    return stream.updated_at or next((one.path for one in stream.fields if _plain(one.path) in _CHANGED), None)


def _said(one: FieldLike, attribute: str | None) -> Guess | None:
    return Guess(one.path, attribute, "you said so", 9) if attribute is not None else None


def _guess(one: FieldLike) -> Guess | None:
    samples = [sample.strip() for sample in one.samples if sample and sample.strip()]
    named, content = _by_name(one), by_content(samples)
    if named is None:
        return Guess(one.path, content.attribute, content.because, 1, not content.is_sure) if content else None
    attribute, because, is_whole = named
    if content is not None and content.attribute == attribute:
        return Guess(one.path, attribute, f"{because}; {content.because}", 3)
    against = contradiction(attribute, samples)
    if against is None:
        return Guess(one.path, attribute, because, 2, not is_whole)
    # A personal number of another country is still the number of one person.
    attribute = "national_id" if attribute == "ssn" else attribute
    return Guess(one.path, attribute, f"{because}, but {against}", 1, True)


def _by_name(one: FieldLike) -> tuple[str, str, bool] | None:
    """Attribute, why, and whether the whole name says so."""
    known = _attribute_of()
    for text, what in ((one.label, "label"), (one.path, "name")):
        if not text:
            continue
        plain = _plain(text)
        if plain in known:
            return known[plain], f"its {what} `{text}` says so", True
    words = [word for word in re.split(r"[^a-zа-яёäöüß0-9]+", _spaced(one.label or _leaf(one.path)).casefold()) if word]
    for size in (2, 1):
        for i in range(len(words) - size + 1):
            attribute = known.get("".join(words[i : i + size]).replace("ё", "е"))
            # A part of a name says little when it is one of the vague words.
            if attribute is not None and attribute not in (
                "name",
                "customer_number",
                "house",
                "country",
                "region",
                "legal_name",
            ):
                return (
                    attribute,
                    f"`{one.label or one.path}` holds the word `{' '.join(words[i : i + size])}`",
                    False,
                )
    return None


def _interaction(stream: StreamLike, guesses: Sequence[Guess]) -> tuple[str, dict[str, Any], str] | None:
    plain = {_plain(_leaf(one.path)): one.path for one in stream.fields}
    when = next((plain[word] for word in _DATES if word in plain), None)
    if when is None:
        when = next(
            (path for word, path in plain.items() if word.startswith("дата") or word.endswith(("date", "at"))),
            None,
        )
    name = stream.name.casefold()
    found = next((type_ for type_, words in _TYPES if any(word in name for word in words)), None)
    if found is None or when is None:
        return None
    if sum(guess.attribute in ("given_name", "family_name", "email", "phone") for guess in guesses) >= 2:
        return None
    made: dict[str, Any] = {"occurred_at": when}
    if (money := next((plain[word] for word in _MONEY if word in plain), None)) is not None:
        made["amount"] = {"value": money}
    number = next(
        (plain[word] for word in ("number", "no", "номер", "nummer", "documentnumber") if word in plain), None
    )
    if number is not None:
        made["document_number"] = number
    because = f"the stream is called `{stream.name}` and `{when}` is a date. "
    because += "Name the client's record: party: {stream: ..., key: ...}."
    return found, made, because


def _kind(stream: StreamLike, guesses: Sequence[Guess], reasons: list[str]) -> str | None:
    found = {guess.attribute for guess in guesses}
    if not found & {name for name, one in STANDARD.items() if one.is_identifying}:
        return None
    for_person = (
        len(found & {"given_name", "family_name", "middle_name", "birth_date", "full_name", "snils", "ssn"}) * 2
    )
    for_firm = len(found & {"legal_name", "kpp", "ogrn", "okpo", "vat", "hrb", "ein"}) * 2
    name = stream.name.casefold()
    for_person += any(word in name for word in _PEOPLE)
    for_firm += any(word in name for word in _FIRMS)
    # Beside a person's own name the name of a firm is the employer's.
    of_firms = ("name",) if found & {"given_name", "family_name"} else ("name", "legal_name")
    names = [guess.path for guess in guesses if guess.attribute in of_firms]
    samples = [sample for one in stream.fields if one.path in names for sample in one.samples]
    if samples and sum(holds_legal_form(sample) for sample in samples) * 2 >= len(samples):
        for_firm += 3
        reasons.append("Half of the names or more hold a legal form, so these are organisations.")
    kind = "organisation" if for_firm > for_person else "person"
    said = f"Names and fields speak {for_person} : {for_firm} for persons against organisations."
    if for_person and for_firm:
        said += " If both stand here, write `as: {when: FIELD, VALUE: person, OTHER: organisation}`."
    reasons.append(said)
    return kind


def _fields(guesses: Iterable[Guess], kind: str, reasons: list[str]) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    found = {guess.attribute for guess in guesses}
    for guess in sorted(guesses, key=lambda one: (one.is_doubtful, -one.score)):
        attribute = guess.attribute
        if attribute == "address" and "house" in found and "street" not in found:
            attribute = "street"  # where the house stands by itself
        if kind != "both" and attribute in ("name", "legal_name", "full_name"):
            attribute = "full_name" if kind == "person" else "legal_name"
            if guess.attribute == "legal_name" and kind == "person":
                reasons.append(f"`{guess.path}` looks like the employer's name; map it with works_at if it has a key.")
                continue
        known = STANDARD[attribute]
        if "both" not in (kind, known.kind) and known.kind != kind:
            reasons.append(f"`{guess.path}` looks like {attribute}, which belongs to a {known.kind}; left out.")
        elif attribute in made and not known.multi:
            reasons.append(f"`{guess.path}` looks like {attribute} too; `{made[attribute][0]}` was taken.")
        else:
            made.setdefault(attribute, []).append(guess.path)
    if kind != "organisation" and {"given_name", "family_name"} <= set(made) and "full_name" in made:
        reasons.append(f"`{made['full_name'][0]}` was left out: the parts of the name are mapped.")
        del made["full_name"]
    order = list(STANDARD)
    return dict(sorted(made.items(), key=lambda item: order.index(item[0])))


def _key(fields: Sequence[FieldLike], reasons: list[str]) -> str | None:
    plain = {_plain(one.path): one.path for one in fields}
    for word in _KEYS:
        if word in plain:
            reasons.append(f"`{plain[word]}` is taken as the key because of its name.")
            return plain[word]
    first = fields[0] if fields else None
    if first is not None and _plain(first.path).endswith(("id", "key", "no", "код", "nr")):
        reasons.append(f"`{first.path}` is taken as the key: the first field, and named like one.")
        return first.path
    reasons.append("No field is named like a key: rows are recognised by their content.")
    return "content"


def _leaf(path: str) -> str:
    return re.split(r"[.\]]", path.rstrip("]"))[-1] or path


def _spaced(text: str) -> str:
    return re.sub(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])", " ", text)


def _plain(text: str) -> str:
    return re.sub(r"[^a-zа-яäöüß0-9]", "", _leaf(text).casefold().replace("ё", "е"))

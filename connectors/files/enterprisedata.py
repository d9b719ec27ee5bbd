"""EnterpriseData 1.x: the messages that 1C configurations exchange.

A message is a header (format, sender, number) and a body of objects, each with `КлючевыеСвойства.Ссылка` as its key.
Deletions stand among them as `УдалениеОбъекта`, which names no more than the reference. Tabular parts are lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from connectors.errors import SourceDataError
from connectors.files.batch import Part
from connectors.files.settings import FileOptions
from connectors.files.xml_file import elements, exchange_part

KEY = "КлючевыеСвойства.Ссылка"
KEYS, REFERENCE, DELETION, MARK = "КлючевыеСвойства", "Ссылка", "УдалениеОбъекта", "ПометкаУдаления"
_FORMAT = re.compile(r"http://v8\.1c\.ru/edi/edi_stnd/EnterpriseData(?:/(\d+)\.[\d.]+)?/?$")
_KNOWN = "1"
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_STEMS = {
    "Контрагент": "Справочник.Контрагенты", "Партнер": "Справочник.Партнеры",
    "Организация": "Справочник.Организации", "Договор": "Справочник.Договоры",
    "Номенклатура": "Справочник.Номенклатура", "КонтактноеЛицо": "Справочник.КонтактныеЛица",
    "ФизическоеЛицо": "Справочник.ФизическиеЛица",
}  # fmt: skip

_PAID_OUT = ("Документ.РБДС", "Документ.РНДС")
"""Documents of money that goes out, from the bank account and in cash."""


class Header(NamedTuple):
    """What a message says of itself."""

    sender: str
    number: int
    """Counts the messages of a sender to a recipient; 0 in the first, empty one."""


class _Message:
    """Objects of the kinds that are wanted, deletions, and the header."""

    rows = frozenset({"Строка"})

    def __init__(self, wanted: frozenset[str] | None) -> None:
        self._wanted = wanted

    def is_record(self, names: Sequence[str]) -> bool:
        """The header, or an object of a wanted kind."""
        if len(names) == 2:
            return names[1] == "Header"
        return len(names) == 3 and names[1] == "Body" and self._wanted is not None and names[2] in self._wanted

    def opened(self, names: Sequence[str], attributes: Mapping[str, str]) -> None:
        """The root is a message and its body is of a known version."""
        if len(names) == 1 and names[0] != "Message":
            raise ValueError(f"this is no EnterpriseData message: it begins with <{names[0]}>")
        for name, address in attributes.items():
            if name.startswith("xmlns") and "EnterpriseData" in address:
                _check_version(address)


def _check_version(address: str) -> None:
    found = _FORMAT.match(address.strip())
    if found is None or found[1] not in (None, _KNOWN):
        said = address.strip().rpartition("edi_stnd/")[2][:60]
        raise ValueError(f"the message is in {said!r}; EnterpriseData 1.x is known: set that version in the exchange")


def read_enterprisedata(path: Path, options: FileOptions, start: int) -> Part:
    """The objects of the kind `records` in a message, after the `start`-th, and the deletions among them."""
    wanted = options.records or ""
    return exchange_part(path, options, start, _objects(path, wanted, options.encoding), is_deleted=_is_deleted)


def _objects(path: Path, wanted: str, encoding: str | None) -> Iterator[tuple[int, Any]]:
    for found in elements(path, _Message(frozenset({wanted, DELETION})), encoding):
        if found.names[-1] == "Header":
            _checked_header(found.value, f"{path.name}:{found.line}")
        elif found.names[-1] == DELETION and wanted != DELETION:
            yield from ((found.line, gone) for gone in _deletions(found.value, wanted))
        elif isinstance(found.value, dict):
            _complete(found.value, found.names[-1])
            yield found.line, found.value


def _checked_header(header: Any, place: str) -> Header:
    said = header if isinstance(header, dict) else {}
    try:
        _check_version(str(said.get("Format") or ""))
    except ValueError as error:
        raise SourceDataError(str(error), place=place) from None
    confirmation = said.get("Confirmation")
    known = confirmation if isinstance(confirmation, dict) else {}
    number = str(known.get("MessageNo") or "0")
    return Header(str(known.get("From") or ""), int(number) if number.isdigit() else 0)


@lru_cache(maxsize=10_000)
def _header(path: Path, _size: int, _mtime_ns: int, encoding: str | None) -> Header:
    for found in elements(path, _Message(None), encoding):
        return _checked_header(found.value, f"{path.name}:{found.line}")
    return Header("", 0)


def message_order(path: Path, options: FileOptions) -> tuple[str, int]:
    """By what the messages of a folder are read one after another: sender and number.

    A file that cannot be read sorts first: its error stops the reading before anything newer is taken.
    """
    stat = path.stat()
    try:
        header = _header(path, stat.st_size, stat.st_mtime_ns, options.encoding)
    except SourceDataError:
        return "", -1
    return header.sender, header.number


def _deletions(value: Any, wanted: str) -> Iterator[dict[str, Any]]:
    """The references of a deletion as records of nothing but their key.

    `КонтрагентСсылка` tells of which kind they are and others are left out; a name that tells none stands for any.
    """
    for name, text in _leaves("", value):
        stem = name.removesuffix("Ссылка")
        tells_kind = stem not in ("", name)
        if _GUID.match(text) and (not tells_kind or _STEMS.get(stem, f"Документ.{stem}") == wanted):
            yield {KEYS: {REFERENCE: text}, DELETION: "true"}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(key, item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(name, item)
    elif isinstance(value, str):
        yield name, value


def _is_deleted(record: Any) -> bool:
    keys = record.get(KEYS)
    return DELETION in record or (isinstance(keys, dict) and keys.get(MARK) == "true")


def _complete(record: dict[str, Any], kind: str) -> None:
    """Lay beside what the object says what a mapping can read by one path: lines, the amount of money that goes out
    with its sign, and contact data as text."""
    lines = [_line(row) for part in ("Товары", "Услуги") for row in record.get(part) or () if isinstance(row, dict)]
    if lines:
        record["Строки"] = lines
    payment = record.get("ОбщиеДанные")
    if kind.startswith(_PAID_OUT) and isinstance(payment, dict) and isinstance(amount := payment.get("Сумма"), str):
        text = amount.strip()
        if text:
            record["СуммаСоЗнаком"] = text[1:] if text.startswith("-") else f"-{text}"
    _show_contacts(record)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of goods or services; the item stands in it at one of three places."""
    data = row.get("ДанныеНоменклатуры")
    held = data.get("Номенклатура") if isinstance(data, dict) else None
    item = next((one for one in (held, data, row.get("Номенклатура")) if isinstance(one, dict)), {})
    unit = next(
        (one for one in (row.get("ЕдиницаИзмерения"), item.get("ЕдиницаИзмерения")) if isinstance(one, dict)), {}
    )
    classified = unit.get("ДанныеКлассификатора")
    line = {
        "Номенклатура": item.get(REFERENCE),
        "Наименование": row.get("Содержание") or item.get("Наименование") or item.get("НаименованиеПолное"),
        "Единица": classified.get("Наименование") if isinstance(classified, dict) else None,
        **{name: row.get(name) for name in ("Количество", "Цена", "Сумма")},
    }
    return {name: value for name, value in line.items() if value is not None}


def _show_contacts(record: dict[str, Any]) -> None:
    """Contact data come as a document inside a text: beside it stands, as `Представление`, what it shows."""
    rows = record.get("КонтактнаяИнформация")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(said := row.get("ЗначенияПолей") or row.get("Значение"), str):
            shown = _shown(said)
            if shown and "Представление" not in row:
                row["Представление"] = shown


def _shown(said: str) -> str | None:
    """What contact data show: an attribute of their XML, a member of their JSON, or the text itself."""
    if said.startswith("{"):
        try:
            value = json.loads(said)
        except ValueError:
            return None
        return value.get("value") if isinstance(value, dict) and isinstance(value.get("value"), str) else None
    if not said.startswith("<"):
        return said
    shown: list[str] = []
    parser = expat.ParserCreate()

    def start(_tag: str, attributes: dict[str, str]) -> None:
        shown.append(attributes.get("Представление", ""))

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    try:
        parser.Parse(said, True)
    except (expat.ExpatError, ValueError):
        return None
    return shown[0] or None if shown else None

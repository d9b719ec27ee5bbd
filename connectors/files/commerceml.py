"""CommerceML 2.x: clients and documents as 1C and web shops exchange them.

`records` chooses the elements: `Контрагент` (in lists of clients and inside documents) or `Документ` (alone, or several
in a `Контейнер`). Beside what a file says stand `ДатаВремя` (`Дата` with `Время`), `СуммаСоЗнаком` (negative for money
given back) and, of a client, `ВидКонтрагента`, which the format only lets one infer from its requisites.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.files.batch import Part
from connectors.files.settings import FileOptions
from connectors.files.xml_file import elements, exchange_part, root_attributes

KEY = "Ид"
ROOT, CLIENT, DOCUMENT = "КоммерческаяИнформация", "Контрагент", "Документ"
_KNOWN = ("2.", "3.1")
_GIVEN_BACK = ("Возврат наличных денег", "Возврат безналичных денег")
_COMPANY = ("ОфициальноеНаименование", "ЮридическийАдрес", "КПП", "ОГРН", "Руководитель")


class _Information:
    """Elements of one name, wherever they stand."""

    rows = frozenset(
        {
            CLIENT, "Товар", "Контакт", "ЗначениеРеквизита", "АдресноеПоле", "Представитель", "РасчетныйСчет", "Налог",
            "Скидка", "Склад", "СтавкаНалога", "ХарактеристикаТовара", "ДокументОснование",
        }
    )  # fmt: skip

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def is_record(self, names: Sequence[str]) -> bool:
        """An element of the wanted name; inside one of them none is another."""
        return names[-1] == self._wanted

    def opened(self, names: Sequence[str], attributes: Mapping[str, str]) -> None:
        """The root is CommerceML of a known version."""
        if len(names) > 1:
            return
        if names[0] != ROOT:
            raise ValueError(f"this is no CommerceML: it begins with <{names[0]}>")
        version = attributes.get("ВерсияСхемы", "")
        if not version.startswith(_KNOWN):
            raise ValueError(
                f"the file is CommerceML {version[:20]!r}; 2.x and 3.1 are known: choose one in the export"
            )


def read_commerceml(path: Path, options: FileOptions, start: int) -> Part:
    """The elements named `records`, after the `start`-th."""
    found = _completed(path, options.records or DOCUMENT, options.encoding)
    return exchange_part(path, options, start, found, is_deleted=_is_deleted)


def formed_at(path: Path, options: FileOptions) -> str:
    """When a file was made, as text that sorts; empty where it does not say."""
    return root_attributes(path, options.encoding).get("ДатаФормирования", "")


def _completed(path: Path, wanted: str, encoding: str | None) -> Iterator[tuple[int, Any]]:
    for found in elements(path, _Information(wanted), encoding):
        record = found.value
        if isinstance(record, dict):
            if wanted == CLIENT:
                record["ВидКонтрагента"] = _kind(record)
            if isinstance(record.get("Дата"), str) and isinstance(record.get("Время"), str):
                record["ДатаВремя"] = f"{record['Дата']}T{record['Время']}"
            if wanted == DOCUMENT and isinstance(amount := record.get("Сумма"), str):
                record["СуммаСоЗнаком"] = f"-{amount}" if record.get("ХозОперация") in _GIVEN_BACK else amount
        yield found.line, record


def _kind(client: Mapping[str, Any]) -> str:
    """A company has requisites of one, or an INN of ten digits; everybody else is a person."""
    inn = client.get("ИНН")
    is_company = any(client.get(name) for name in _COMPANY) or (isinstance(inn, str) and len(inn.strip()) == 10)
    return "ЮридическоеЛицо" if is_company else "ФизическоеЛицо"


def _is_deleted(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    if record.get("ПометкаУдаления") == "true":
        return True
    told = record.get("ЗначенияРеквизитов")
    return any(
        isinstance(one, dict) and one.get("Наименование") == "ПометкаУдаления" and one.get("Значение") == "true"
        for one in (told if isinstance(told, list) else ())
    )

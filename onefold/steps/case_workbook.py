"""Cases as a workbook: they go out with what is known of their records, are decided there, and come back."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from connectors.errors import SourceDataError
from connectors.files.excel_file import read_excel
from connectors.files.settings import FileOptions
from identity.schema import WEIGHT_ONE_BIT
from onefold.errors import UsageError
from onefold.steps.case_desk import Word
from warehouse import case_queue, queries, resolution

if TYPE_CHECKING:
    from onefold.context import Context

MOST: Final = 2000
"""Cases of a workbook."""
_LARGEST: Final = 64 << 20
"""Bytes of a workbook unpacked: one that is more was made to fill memory."""
COLUMNS: Final = (
    "decision", "reason", "why", "bits", "impact", "opened", "record_1", "name_1", "values_1", "record_2", "name_2",
    "values_2", "case", "seen",
)  # fmt: skip
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"same": "same", "not_same": "not same"},
    "ru": {"same": "один клиент", "not_same": "разные"},
}
"""What stands in the column `decision`, by language; any of them is understood."""
_VERDICTS: Final = {
    word.casefold(): verdict
    for words in ({"same": "same", "not_same": "not_same"}, *CHOICES.values())
    for verdict, word in words.items()
}


def _as_it_is(_name: str, value: Any, _kind: str) -> Any:
    return value


def _named_as_it_is(name: str | None, _kind: str | None) -> str | None:
    return name


@dataclass(frozen=True, slots=True)
class Shown:
    """How values and names stand in the workbook: as they are, or masked."""

    value: Callable[[str, Any, str], Any] = _as_it_is
    name: Callable[[str | None, str | None], str | None] = _named_as_it_is


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of a workbook would do."""

    number: int
    """Of the line in the sheet."""
    case: str
    state: str
    """ready, empty (nobody has decided it), stale, unknown (no such case), wrong (no allowed word), twice."""
    verdict: str | None = None
    word: Word | None = None
    """Of what is ready."""


def write(
    context: Context, chosen: case_queue.CaseFilter, path: Path, *, shown: Shown | None = None, language: str = "en",
    limit: int = MOST,
) -> tuple[int, list[str]]:  # fmt: skip
    """Write the cases of two records that a filter leaves to a workbook; how many, and the clients that stand in it.

    `decision` is a list of the allowed words. No text is a formula.
    """
    from onefold.export.excel import Sheet, write_sheets

    shown = shown or Shown()
    with context.connection("onefold cases export") as conn:
        cases, _ = case_queue.page(conn, chosen, limit=min(limit, MOST))
        cases = [case for case in cases if len(case["record_ids"]) == 2]
        ids = sorted({i for case in cases for i in case["record_ids"]})
        records = {one["record_id"]: one for one in queries.records_side_by_side(conn, ids)}
    cases = [case for case in cases if all(i in records for i in case["record_ids"])]
    rows = [_cells(case, [records[i] for i in case["record_ids"]], shown) for case in cases]
    choices = {"decision": list(CHOICES[language].values())}
    write_sheets(path, [Sheet("cases", COLUMNS, rows, choices)])
    return len(rows), sorted({one["client_id"] for one in records.values()} - {None})


def _cells(case: Mapping[str, Any], records: Sequence[Mapping[str, Any]], shown: Shown) -> tuple[Any, ...]:
    seen = {one["client_id"]: one["changed_seq"] for one in records if one["client_id"]}
    told: list[Any] = []
    for one in records:
        values = [
            f"{name}: {', '.join(str(shown.value(name, value['v'], one['kind'])) for value in found)}"
            for name, found in sorted(one["attributes"].items())
            if name != "url" and found
        ]
        name = shown.name(one["display_name"], one["kind"])
        told += [f"{one['source']}:{one['stream']}:{one['source_key']}", name, "; ".join(values)]
    bits = None if case["weight"] is None else round(case["weight"] / WEIGHT_ONE_BIT, 1)
    seen_words = " ".join(f"{client}:{number}" for client, number in sorted(seen.items()))
    why = (case["kind"], bits, case["impact"], case["opened_at"][:10])
    return (None, None, *why, *told, case["fingerprint"], seen_words)


def read(context: Context, path: Path) -> list[Row]:
    """What the lines of a decided workbook would do now; nothing is done. UsageError: it is no such workbook."""
    lines = _lines(path)
    with context.connection("onefold cases import") as conn:
        asked = sorted({case for _, case, *_ in lines if case})
        known = case_queue.records_of(conn, asked)
        now = queries.change_numbers(conn, sorted({client for *_, seen in lines for client in seen or ()}))
        ids = sorted({i for one in known.values() for i in one["record_ids"]})
        names = resolution.names_of(conn, ids)
        clients = queries.clients_of_records(conn, ids)
    found, met = [], set()
    for number, case, decision, reason, seen in lines:
        verdict = _VERDICTS.get(decision.casefold())
        one = known.get(case)
        if not decision:
            state = "empty"
        elif one is None or seen is None:
            state = "unknown"
        elif verdict is None:
            state = "wrong"
        elif case in met:
            state = "twice"
        else:
            whose = {clients[i] for i in one["record_ids"] if i in clients}
            is_same = one["status"] == "open" and set(seen) == whose and all(now.get(c) == s for c, s in seen.items())
            state = "ready" if is_same else "stale"
        word = None
        if state == "ready":
            assert verdict is not None
            assert seen is not None
            assert one is not None
            sides = [names[i] for i in one["record_ids"]]
            word = Word(case, verdict, sides[:1], sides[1:], reason, seen)
        if decision:
            met.add(case)
        found.append(Row(number, case, state, verdict, word))
    return found


_Line = tuple[int, str, str, str, dict[str, int] | None]


def _lines(path: Path) -> list[_Line]:
    """Number, case, decision, reason, seen of each line; seen None: it cannot be read."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(one.file_size for one in packed.infolist())
        if size > _LARGEST:
            raise UsageError("This workbook is too large.", f"At most {MOST} cases are taken back at once.")
        part = read_excel(path, FileOptions(header_row=1, totals=False), 0)
        missing = {"case", "decision", "reason", "seen"} - set(part.columns)
        if missing:
            raise UsageError(f"This workbook has no column {', '.join(sorted(missing))}.", "Take one of an export.")
        records = [record for batch in part.batches for record in batch.records]
    except (zipfile.BadZipFile, SourceDataError, OSError):
        raise UsageError("This is no workbook that could be read.", "Save it as .xlsx, without a password.") from None
    if len(records) > MOST:
        raise UsageError(f"This workbook has {len(records)} cases; at most {MOST} are taken back at once.")
    found = []
    for number, row in records:
        case, decision, reason, seen = (_text(row.get(name)) for name in ("case", "decision", "reason", "seen"))
        found.append((number, case, decision, reason, _seen(seen)))
    return found


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()[:2000].replace("\x00", "")


def _seen(text: str) -> dict[str, int] | None:
    try:
        pairs = [one.split(":") for one in text.split()]
        return {str(UUID(client)): int(number) for client, number in pairs} or None
    except ValueError:
        return None

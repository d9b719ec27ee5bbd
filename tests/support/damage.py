"""Files of every kind as bytes, and strategies that damage them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

VALUE: Final = "Кенарева7261"
"""A client's value: it stands in the last records only, and no error may repeat it."""
RECORDS: Final[list[dict[str, Any]]] = [
    {"id": n, "name": f"Клиент {n}" if n < 18 else VALUE, "sum": f"{n}.50", "at": f"2026-03-{n + 1:02d}", "note": None}
    for n in range(20)
]
EXCHANGES: Final = Path(__file__).resolve().parents[1] / "unit" / "connectors" / "catalogue" / "files"
_TOKENS: Final = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b";", b",", b"\t", b"\r", b"\n", b"\r\n", b"{", b"}", b"[", b"]", b"<", b">", b"</",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"]]>", b"1e999", b"-", b"NaN", b"1" * 400, b"[" * 300, b"9" * 5000, b"\xd0",
    b"\xed\xa0\x80", b"=1+1", b"2026-02-30", b"null", b"<a>" * 200, "﷽".encode(), b"\\ud800", b'{"a":1}', b"PK\x03\x04", b"PAR1",
)  # fmt: skip
Damage = tuple[str, float, float, bytes]


def damages() -> st.SearchStrategy[list[Damage]]:
    """Some places of a file, and what becomes of them."""
    place = st.floats(0, 1, exclude_max=True)
    bits = st.sampled_from(_TOKENS) | st.binary(min_size=1, max_size=6)
    one = st.tuples(st.sampled_from(["insert", "replace", "remove", "repeat", "cut", "swap"]), place, place, bits)
    return st.lists(one, min_size=1, max_size=4)


def damaged(content: bytes, what: list[Damage]) -> bytes:
    """The content after that."""
    for kind, first, second, bits in what:
        begin, end = sorted((int(first * (len(content) + 1)), int(second * (len(content) + 1))))
        near = min(end, begin + 40)
        if kind == "insert":
            content = content[:begin] + bits + content[begin:]
        elif kind == "replace":
            content = content[:begin] + bits + content[begin + len(bits) :]
        elif kind == "remove":
            content = content[:begin] + content[near:]
        elif kind == "repeat":
            content = content[:near] + content[begin:near] * 3 + content[near:]
        elif kind == "cut":
            content = content[: max(begin, end)]
        else:
            content = content[:begin] + content[begin:near][::-1] + content[near:]
    return content


def csv_file() -> bytes:
    """Semicolons, as most of them have."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(RECORDS[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(RECORDS)
    return text.getvalue().encode()


def datev_file() -> bytes:
    """A batch of bookings."""
    head = (
        '"EXTF";700;21;"Buchungsstapel";13;20260401080000000;;"RE";"";"";29098;55003;20250701;4;20260301;20260331;"Verkauf";"WD";1;0;0;"EUR"'
        ';;"";;;"03";;;"";""\r\n'
        "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Belegdatum;Buchungstext\r\n"
    )
    rows = "".join(
        f'{one["sum"].replace(".", ",")};"S";"";1000{one["id"]};{1 + one["id"]:02d}03;"Text"\r\n' for one in RECORDS
    )
    return (head + rows + f'1,00;"H";"";10001;0103;"{VALUE}"\r\n').encode("utf-8")


def excel_file() -> bytes:
    """A workbook of one sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(list(RECORDS[0]))
    for one in RECORDS:
        book.active.append(list(one.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet_file() -> bytes:
    """A table of two row groups."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(RECORDS), out, row_group_size=10)
    return out.getvalue()


def inside(content: bytes, what: list[Damage], member: int) -> bytes:
    """A workbook of which one part is damaged, in a whole archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        for number, name in enumerate(names):
            data = old.read(name)
            new.writestr(name, damaged(data, what) if number == member % len(names) else data)
    return out.getvalue()


FILES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "csv": ("table.csv", csv_file),
    "jsonl": ("table.jsonl", lambda: b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in RECORDS)),
    "json": ("table.json", lambda: json.dumps({"items": RECORDS}, ensure_ascii=False, indent=1).encode()),
    "excel": ("table.xlsx", excel_file),
    "parquet": ("table.parquet", parquet_file),
    "enterprisedata": (
        "message.xml",
        lambda: (EXCHANGES / "onec_exchange" / "first" / "Message_UT_HB_2.xml").read_bytes(),
    ),
    "commerceml": ("orders.xml", lambda: (EXCHANGES / "commerceml" / "first" / "orders-0001.xml").read_bytes()),
    "datev": ("EXTF_batch.csv", datev_file),
}
"""Format -> a file's name and its whole content."""


def odd_values() -> st.SearchStrategy[Any]:
    """What a system may answer in the place of any value."""
    plain = (
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=12)
        | st.sampled_from(["", " ", "\x00", "2026-02-30", "31.12.9999", "0001-01-01", "1e400", "-0", "NaN", "１２", "٣", "+7", "@", "https://", "\ud800"])
    )  # fmt: skip
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )

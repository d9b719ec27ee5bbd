"""What the evidence on two documents says, as data for machines and as sentences for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from identity.documents.evidence import AMOUNT, CLIENT, NUMBER, STATED, Evidence
from identity.documents.schema import Flags
from identity.documents.settings import ONE_BIT, DocumentSettings
from identity.hashing import combine

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "prior": ("Two documents of different registers", "Два документа разных регистров"),
    "amount:equal": ("The amounts are equal", "Суммы равны"),
    "amount:net": ("The amounts are equal but for the tax", "Суммы равны с учётом налога"),
    "amount:differs": ("The amounts differ", "Суммы разные"),
    "amount:other_currency": ("The currencies differ", "Валюты разные"),
    "number:equal": ("The numbers are equal", "Номера равны"),
    "number:digits": ("The numbers have the same digits", "Цифры номеров равны"),
    "client:unknown": ("The client of one is not known", "Клиент одного не известен"),
    "client:same": ("They are of one client", "Один клиент"),
    "client:related": (
        "Their clients belong together and may pay for each other",
        "Клиенты связаны и могут платить друг за друга",
    ),
    "client:differs": ("Their clients are different", "Клиенты разные"),
    "lag": ("{days} days lie between them", "Между ними {days} дн."),
    "stated": ("One names the other", "Один ссылается на другой"),
    "judged": ("A human said so", "Так решил человек"),
    "sum": ("{count} payments add up to it", "{count} платежа(ей) в сумме дают его"),
}
"""Finding -> sentence in English and in Russian."""


def sentence(finding: str, lang: str, values: Mapping[str, Any]) -> str:
    """What a finding says to people."""
    return WORDS[finding][lang == "ru"].format_map(dict(values))


def evidence_texts(found: Evidence, judged: Flags, settings: DocumentSettings) -> pa.Array:
    """The evidence of each pair as a JSON list of findings with bits; the same one is written once."""
    columns = [
        one.astype(np.int64)
        for one in (
            found.amount, found.amount_bits, found.number, found.number_bits, found.client, found.client_bits,
            found.lag, found.lag_bits, found.stated, judged,
        )
    ]  # fmt: skip
    code = np.zeros(len(judged), np.uint64)
    for column in columns:
        code = combine(code, column.view(np.uint64))
    _, first, at = np.unique(code, return_index=True, return_inverse=True)
    unique = np.stack([column[first] for column in columns], axis=1)
    prior = settings.weights.unit("prior")
    texts = pa.array([_text(row, prior) for row in unique.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(at.reshape(-1).astype(np.int32)), texts)


def _text(row: list[int], prior: int) -> str:
    amount, amount_bits, number, number_bits, client, client_bits, lag, lag_bits, stated, judged = row
    findings: list[dict[str, Any]] = []

    def add(name: str, bits: int, **values: Any) -> None:
        findings.append({"finding": name, "bits": round(bits / ONE_BIT, 2), **values})

    if judged:
        add("judged", 0)
    if stated:
        add("stated", STATED)
    for name, levels, level, bits in (
        ("amount", AMOUNT, amount, amount_bits),
        ("number", NUMBER, number, number_bits),
        ("client", CLIENT, client, client_bits),
    ):
        if f"{name}:{levels[level]}" in WORDS and (levels[level] != "unknown" or bits):
            add(f"{name}:{levels[level]}", bits)
    add("lag", lag_bits, days=lag)
    add("prior", prior)
    return json.dumps(findings, ensure_ascii=False, separators=(",", ":"))

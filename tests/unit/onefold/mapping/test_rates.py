"""Exchange rates from a register: exact, dated, with a nominal; what lacks a part is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from onefold.mapping import StreamMapper
from tests.unit.onefold.mapping.conftest import row
from warehouse.keys import record_id

Mappers = Callable[..., dict[str, StreamMapper]]
RATES = """\
  main:
    as: rate
    key: [Код, Дата]
    rate: {from: Код, on: Дата, value: Курс, nominal: Номинал}
  fixed:
    as: rate
    key: day
    rate: {from: {constant: EUR}, to: USD, on: [day, since], value: usd}
"""


def test_a_rate_is_read_digit_by_digit(mappers: Mappers) -> None:
    payload = {"Код": "978", "Дата": "27.02.2026", "Курс": "91,2345", "Номинал": "1"}
    yen = {"Код": "JPY", "Дата": "27.02.2026", "Курс": "59,0071", "Номинал": "100"}
    mapped = mappers(RATES)["main"].map_batch([row(payload, "978"), row(yen, "JPY")])
    assert mapped.rejects == []
    first, second = mapped.rates.to_pylist()
    assert first == {
        "record_id": record_id("crm", "main", "978"), "source": "crm", "stream": "main", "source_key": "978",
        "from_currency": "EUR", "to_currency": "RUB", "on_date": date(2026, 2, 27), "rate": "91.2345", "nominal": "1",
    }  # fmt: skip
    assert (second["from_currency"], second["rate"], second["nominal"]) == ("JPY", "59.0071", "100")
    (other,) = mappers(RATES)["fixed"].map_batch([row({"since": "2026-03-01", "usd": 1.0845})]).rates.to_pylist()
    assert (other["from_currency"], other["to_currency"], other["rate"]) == ("EUR", "USD", "1.0845")


def test_a_rate_without_its_parts_is_kept_out_and_told(mappers: Mappers) -> None:
    good = {"Код": "EUR", "Дата": "27.02.2026", "Курс": "91,2345"}
    bad = [{"Код": "Евро"}, {"Дата": ""}, {"Курс": None}, {"Курс": "0"}, {"Номинал": "-1"}]
    mapped = mappers(RATES)["main"].map_batch([row({**good, **one}, str(n)) for n, one in enumerate(bad)])
    assert mapped.rates.num_rows == 0
    assert [reject.path for reject in mapped.rejects] == [
        "rate.from", "rate.on", "rate.value", "rate.value", "rate.nominal"
    ]  # fmt: skip

"""EnterpriseData and CommerceML: what records look like, and what becomes of files that are not as they should be."""

from __future__ import annotations

import json
import resource
import zipfile
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.files.connector import FilesConnector
from connectors.page import Page, StreamRequest
from connectors.registry import open_connector
from connectors.testing_parts import keys_of

FILES = Path(__file__).parent / "catalogue" / "files"
MESSAGE = (FILES / "onec_exchange" / "first" / "Message_UT_HB_2.xml").read_text("utf-8")
ORDERS = (FILES / "commerceml" / "first" / "orders-0001.xml").read_bytes()


def read(folder: Path, connector: str, stream: str, state: Any = None, **options: Any) -> list[Page]:
    with open_connector(connector, "it", {"path": str(folder)}) as opened:
        return list(opened.read(StreamRequest(stream, options=options), state))


def payloads(pages: list[Page]) -> dict[str, Any]:
    return {row.key: json.loads(row.payload) for page in pages for row in page.rows}


def message(folder: Path, text: str, name: str = "message.xml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def refused(folder: Path, connector: str, stream: str, **options: Any) -> str:
    with pytest.raises(SourceDataError) as caught:
        read(folder, connector, stream, **options)
    return str(caught.value)


def test_a_document_has_its_lines_of_goods_and_services_and_a_client_its_contacts() -> None:
    (order, single) = payloads(read(FILES / "onec_exchange" / "first", "onec_exchange", "orders")).values()
    assert [line["Наименование"] for line in order["Строки"]] == ["Гайка М8", "Доставка до склада"]
    assert order["Строки"][0] | {"Номенклатура": ""} == {
        "Номенклатура": "", "Наименование": "Гайка М8", "Единица": "шт", "Количество": "100", "Цена": "10.50",
        "Сумма": "1050.00",
    }  # fmt: skip
    assert isinstance(single["Товары"], list) and len(single["Товары"]) == 1
    client = next(iter(payloads(read(FILES / "onec_exchange" / "first", "onec_exchange", "counterparties")).values()))
    shown = [row["Представление"] for row in client["КонтактнаяИнформация"]]
    assert shown == ["zakaz@vymysel.example", "+7 (495) 000-00-01", "Москва, Примерная ул., 1"]


def test_any_other_object_of_a_message_is_a_stream_by_its_name(tmp_path: Path) -> None:
    message(tmp_path, MESSAGE.replace("Справочник.Партнеры", "Справочник.Договоры"))
    settings = {"path": str(tmp_path), "format": "enterprisedata"}
    with FilesConnector("it", settings) as connector:
        assert len(keys_of(list(connector.read(StreamRequest("Справочник.Договоры"), None)))) == 1


def test_messages_are_read_by_their_number_whatever_their_files_are_called(tmp_path: Path) -> None:
    newer = MESSAGE.replace("<msg:MessageNo>2<", "<msg:MessageNo>11<").replace("ООО Вымысел", "ООО Новое имя")
    message(tmp_path, newer, "a.xml")
    message(tmp_path, MESSAGE, "b.xml")
    pages = read(tmp_path, "onec_exchange", "counterparties")
    last = [row for page in pages for row in page.rows if b"7707083893" in row.payload][-1]
    assert "ООО Новое имя" in last.payload.decode()


def test_commerceml_is_read_in_the_order_of_its_making(tmp_path: Path) -> None:
    newer = ORDERS.replace(b"2026-03-01T10:20:00", b"2026-03-02T10:20:00").replace(
        b"<\xd1\xf3\xec\xec\xe0>1050.00", b"<\xd1\xf3\xec\xec\xe0>999.00"
    )
    (tmp_path / "orders-10.xml").write_bytes(newer)
    (tmp_path / "orders-9.xml").write_bytes(ORDERS)
    pages = read(tmp_path, "commerceml", "documents")
    assert {json.loads(row.payload)["Сумма"] for row in pages[-1].rows} == {"999.00"}


def test_a_zipped_message_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Message_UT_HB.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Message_UT_HB.xml", MESSAGE)
    assert len(keys_of(read(tmp_path, "onec_exchange", "orders"))) == 2
    with zipfile.ZipFile(tmp_path / "Message_UT_HB.zip", "a") as packed:
        packed.writestr("other.xml", MESSAGE)
    assert "Message_UT_HB.zip" in (told := refused(tmp_path, "onec_exchange", "orders")) and "2 files" in told


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path: Path, declaration: str) -> None:
    text = MESSAGE.replace("<Message", f"{declaration}\n<Message", 1).replace("Самовывоз", "&lol2;&secret;")
    told = refused(message(tmp_path, text), "onec_exchange", "orders")
    assert "it:orders" in told and "message.xml:2" in told and "DOCTYPE" in told and "root:" not in told


def test_a_file_that_is_cut_off_is_told_with_its_line_and_read_again_when_it_is_whole(tmp_path: Path) -> None:
    cut = MESSAGE[: MESSAGE.index("<Документ.РеализацияТоваровУслуг>")]
    told = refused(message(tmp_path, cut), "onec_exchange", "orders")
    assert f"message.xml:{cut.count(chr(10)) + 1}" in told and "cut off" in told
    pages: list[Page] = []
    with open_connector("onec_exchange", "it", {"path": str(tmp_path)}) as connector:
        with pytest.raises(SourceDataError):
            pages.extend(connector.read(StreamRequest("orders", options={"page_size": 1}), None))
        message(tmp_path, MESSAGE)
        again = connector.read(StreamRequest("orders", options={"page_size": 1}), pages[-1].state if pages else None)
        assert len(set(keys_of(pages)) | set(keys_of(list(again)))) == 2


def test_a_wrong_declaration_of_the_encoding_is_told_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "orders.xml").write_bytes(ORDERS.replace(b'"windows-1251"', b'"utf-8"'))
    told = refused(tmp_path, "commerceml", "documents")
    assert "orders.xml:2" in told and "encoding" in told and "cp1251" in told
    assert len(keys_of(read(tmp_path, "commerceml", "documents", encoding="cp1251"))) == 5
    (tmp_path / "orders.xml").write_bytes(ORDERS.decode("cp1251").encode())
    told = refused(tmp_path, "commerceml", "documents")
    assert "orders.xml:1" in told and "windows-1251" in told and "encoding: utf-8" in told
    assert len(keys_of(read(tmp_path, "commerceml", "documents", encoding="utf-8"))) == 5
    (tmp_path / "orders.xml").write_bytes(ORDERS.replace(b'"windows-1251"', b'"x-unknown"'))
    assert "encoding" in refused(tmp_path, "commerceml", "documents")
    with pytest.raises(SourceConfigurationError, match="koi9"):
        read(tmp_path, "commerceml", "documents", encoding="koi9")


@pytest.mark.parametrize(
    ("connector", "text", "words"),
    [
        ("onec_exchange", MESSAGE.replace("EnterpriseData/1.8", "EnterpriseData/2.0"), ["message.xml:3", "EnterpriseData/2.0"]),
        ("onec_exchange", "<html><body/></html>", ["message.xml:1", "<html>"]),
        ("commerceml", ORDERS.decode("cp1251").replace("windows-1251", "utf-8").replace('"2.10"', '"4.0"'), ["message.xml:2", "4.0"]),
        ("commerceml", MESSAGE, ["message.xml:2", "<Message>"]),
        ("commerceml", "{}", ["message.xml:1", "not XML"]),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_or_version_is_named(
    tmp_path: Path, connector: str, text: str, words: list[str]
) -> None:
    told = refused(message(tmp_path, text), connector, "orders" if connector == "onec_exchange" else "documents")
    assert all(word in told for word in words), told


def test_a_key_that_stands_twice_is_a_newer_version_in_changes_and_told_in_a_snapshot(tmp_path: Path) -> None:
    start, end = MESSAGE.index("\t\t<Документ.ЗаказКлиента>"), MESSAGE.index("\t\t<Документ.РеализацияТоваровУслуг>")
    twice = MESSAGE.replace("\t</Body>", MESSAGE[start:end].replace("Самовывоз", "Доставка") + "\t</Body>")
    message(tmp_path, twice)
    (page,) = read(tmp_path, "onec_exchange", "orders")
    assert not page.rejects and len(page.rows) == 2 and any("Доставка" in row.payload.decode() for row in page.rows)
    (page,) = read(tmp_path, "onec_exchange", "orders", mode="snapshot")
    assert [(one.reason, one.place.partition(":")[0]) for one in page.rejects] == [("duplicate-key", "message.xml")]
    line = int(page.rejects[0].place.partition(":")[2])
    assert twice.splitlines()[line - 1].strip() == "<Документ.ЗаказКлиента>"


def test_an_object_without_its_key_is_set_aside_with_its_line(tmp_path: Path) -> None:
    head, _, rest = MESSAGE.partition("<Документ.ЗаказКлиента>")
    rest = rest[: rest.index("<Ссылка>")] + rest[rest.index("</Ссылка>") + len("</Ссылка>") :]
    (page,) = read(message(tmp_path, head + "<Документ.ЗаказКлиента>" + rest), "onec_exchange", "orders")
    assert len(page.rows) == 1
    assert [(one.reason, one.place) for one in page.rejects] == [
        ("missing-key", f"message.xml:{head.count(chr(10)) + 1}")
    ]


def test_dates_that_were_never_filled_stay_as_the_source_says_them() -> None:
    (payment,) = payloads(read(FILES / "onec_exchange" / "first", "onec_exchange", "payments")).values()
    assert payment["ОбщиеДанные"]["ДатаВыписки"] == "0001-01-01T00:00:00"


def test_nesting_and_length_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = MESSAGE.replace("<Комментарий>Самовывоз", "<Комментарий>" + "<a>" * 70)
    assert "message.xml" in (told := refused(message(tmp_path, deep), "onec_exchange", "orders")) and "deep" in told
    monkeypatch.setattr("connectors.files.xml_file.MAX_RECORD", 10_000)
    long = MESSAGE.replace("Самовывоз", "с" * 20_000)
    assert "longer than" in refused(message(tmp_path, long), "onec_exchange", "orders")


def test_a_large_message_is_read_in_bounded_memory(tmp_path: Path) -> None:
    start, end = MESSAGE.index("\t\t<Документ.ЗаказКлиента>"), MESSAGE.index("\t\t<Документ.РеализацияТоваровУслуг>")
    order = MESSAGE[start : MESSAGE.index("\t\t<Документ.ЗаказКлиента>", start + 10)]
    with (tmp_path / "big.xml").open("w", encoding="utf-8") as file:
        file.write(MESSAGE[:start])
        for number in range(20_000):
            file.write(order.replace("0000000b-0001", f"{number:08x}-0002"))
        file.write(MESSAGE[end:])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    with open_connector("onec_exchange", "it", {"path": str(tmp_path)}) as connector:
        for page in connector.read(StreamRequest("orders", options={"page_size": 500}), None):
            count += len(page.rows)
    assert count == 20_000
    assert (tmp_path / "big.xml").stat().st_size > 40_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "KiB more than before the reading"


@pytest.mark.parametrize(("stream", "amount"), [("refunds", "-200.00"), ("cash_refunds", "-50.00"), ("payments", None)])
def test_money_that_goes_out_has_its_sign_beside_its_amount(stream: str, amount: str | None) -> None:
    (paid,) = payloads(read(FILES / "onec_exchange" / "first", "onec_exchange", stream)).values()
    assert paid.get("СуммаСоЗнаком") == amount
    assert not paid["ОбщиеДанные"]["Сумма"].startswith("-")

"""What each system changes of a record when the hub writes to it is known: its record comes back as an echo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical import canonical
from connectors.cassette import load_cassette
from connectors.page import StreamRequest
from connectors.registry import open_connector
from onefold.steps.echo import echo_test

CASSETTES = Path(__file__).parents[2] / "connectors" / "catalogue"
ID = "6f1c0f5e-0a51-5c1e-9d3b-1d2f3a4b5c6d"
PROPERTY = "d5f3a1b2-0c4e-11ee-8a6b-0242ac120002"

HUBSPOT = (
    {"id": "901", "updatedAt": "2026-02-01T10:00:00Z",
     "properties": {"firstname": "Anna", "lastmodifieddate": "2026-02-01T10:00:00Z"}},
    {"id": "901", "updatedAt": "2026-03-01T12:00:01Z",
     "properties": {"firstname": "Anna", "lastmodifieddate": "2026-03-01T12:00:01Z", "onefold_id": ID}},
)  # fmt: skip
BITRIX24 = (
    {"id": 11, "name": "Анна", "updatedTime": "2026-02-01T10:00:00+03:00", "updatedBy": 1, "UF_CRM_ONEFOLD": ""},
    {"id": 11, "name": "Анна", "updatedTime": "2026-03-01T15:00:01+03:00", "updatedBy": 9, "UF_CRM_ONEFOLD": ID},
)
AMOCRM = (
    {"id": 101, "name": "Anna", "updated_at": 1769900000, "updated_by": 1, "custom_fields_values": None},
    {"id": 101, "name": "Anna", "updated_at": 1772366401, "updated_by": 9, "custom_fields_values": [
        {"field_id": 777001, "field_name": "Onefold", "field_code": None, "field_type": "text", "values": [{"value": ID}]},
    ]},
)  # fmt: skip
ODOO = (
    {"id": 7, "name": "Alfa", "write_date": "2026-02-01 10:00:00"},
    {"id": 7, "name": "Alfa", "write_date": "2026-03-01 12:00:01", "x_onefold_id": ID},
)
SALESFORCE = (
    {"Id": "001", "Name": "Alfa", "SystemModstamp": "2026-02-01T10:00:00.000+0000", "LastModifiedById": "005A",
     "LastModifiedDate": "2026-02-01T10:00:00.000+0000"},
    {"Id": "001", "Name": "Alfa", "SystemModstamp": "2026-03-01T12:00:01.000+0000", "LastModifiedById": "005B",
     "LastModifiedDate": "2026-03-01T12:00:01.000+0000", "Onefold_Id__c": ID},
)  # fmt: skip
OTHER_ROW = {"LineNumber": "1", "Свойство_Key": "11111111-0c4e-11ee-8a6b-0242ac120002", "Значение": "Розница"}
OUR_ROW = {"LineNumber": "2", "Свойство_Key": PROPERTY, "Значение": ID, "Значение_Type": "Edm.String"}
ONEC = (
    {"Ref_Key": "k", "Description": "Ромашка", "DataVersion": "AAAAAQ=", "ДополнительныеРеквизиты": [OTHER_ROW]},
    {
        "Ref_Key": "k",
        "Description": "Ромашка",
        "DataVersion": "AAAAAg=",
        "ДополнительныеРеквизиты": [OTHER_ROW, OUR_ROW],
    },
)
TRYTON = (
    {"id": 2, "name": "Alpha", "last_modified_at": {"__class__": "datetime", "year": 2026, "month": 2}},
    {
        "id": 2,
        "name": "Alpha",
        "last_modified_at": {"__class__": "datetime", "year": 2026, "month": 3},
        "x_onefold_id": ID,
    },
)
SYSTEMS: dict[str, tuple[str, str, tuple[dict[str, Any], dict[str, Any]], Callable[[dict[str, Any]], Any]]] = {
    "hubspot": ("contacts", "onefold_id", HUBSPOT, lambda record: record["properties"].update(firstname="Olga")),
    "bitrix24": ("contacts", "UF_CRM_ONEFOLD", BITRIX24, lambda record: record.update(name="Ольга")),
    "amocrm": ("contacts", "777001", AMOCRM, lambda record: record.update(name="Olga")),
    "odoo": ("partners", "x_onefold_id", ODOO, lambda record: record.update(name="Beta")),
    "odoo_json2": ("partners", "x_onefold_id", ODOO, lambda record: record.update(name="Beta")),
    "salesforce": ("accounts", "Onefold_Id__c", SALESFORCE, lambda record: record.update(Name="Beta")),
    "onec_accounting": ("counterparties", PROPERTY, ONEC, lambda record: record.update(Description="Василёк")),
    "onec_erp": ("partners", PROPERTY, ONEC, lambda record: record.update(Description="Василёк")),
    "onec_small_business": ("counterparties", PROPERTY, ONEC, lambda record: record.update(Description="Василёк")),
    "tryton": ("parties", "x_onefold_id", TRYTON, lambda record: record.update(name="Beta")),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_was_written_is_an_echo_and_a_change_beside_it_is_none(name: str) -> None:
    stream, field, (before, after), change = SYSTEMS[name]
    settings = load_cassette(CASSETTES / f"{name}.cassette.yaml").settings
    with open_connector(name, "crm", settings) as connector:
        test = echo_test(connector, StreamRequest(stream, owned=(field,)))
        assert test is not None
        landed, read, written = canonical(before).decode(), canonical(after), canonical([{field: ID}]).decode()
        assert test(landed, read, written) == "echo"
        assert test(landed, canonical(before), written) == "other"
        more = {name: dict(value) if isinstance(value, dict) else value for name, value in after.items()}
        change(more)
        assert test(landed, canonical(more), written) == "seen"
        assert echo_test(connector, StreamRequest(stream)) is None

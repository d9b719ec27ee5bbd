from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.standard.normalisers import normaliser
from identity.standard.profile import AttributeType, Profile
from identity.standard.tax_ids import identifier


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("inn", "7707083893", "7707083893"),
        ("inn", "7707 083 893", "7707083893"),
        ("inn", "500100732259", "500100732259"),
        ("kpp", "770701001", "770701001"),
        ("kpp", "7707AB001", "7707AB001"),
        ("ogrn", "1027700132195", "1027700132195"),
        ("ogrnip", "304500116000157", "304500116000157"),
        ("ogrnip", "354246509178751", "354246509178751"),  # remainder 11: its last digit counts
        ("snils", "112-233-445 95", "11223344595"),
        ("okpo", "00032537", "00032537"),
        ("vat", "DE136695976", "DE136695976"),
        ("vat", "de 136 695 976", "DE136695976"),
        ("lei", "529900T8BM49AURSDO55", "529900T8BM49AURSDO55"),
        ("ein", "91-1144442", "911144442"),
        ("ssn", "536-90-4399", "536904399"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("bank_account", "40702810 1 0000 0000 123", "40702810100000000123"),
        ("passport", "45 10 123456", "4510123456"),
        ("national_id", "201012345A", "201012345A"),
        ("drivers_license", "112233", "112233"),
        ("customer_number", "K-000 17", "K00017"),
        ("hrb", "HRB 12345 B", "HRB 12345B"),
        ("hrb", "Amtsgericht München, HRB 12345", "HRB 12345 munchen"),
    ],
)
def test_identifiers_lose_separators_and_pass_their_check(kind: str, written: str, value: str) -> None:
    form = identifier(kind, written)
    assert (form.value, form.invalid, form.repaired) == (value, None, None)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("siren", "552 008 443", "552008443"),
        ("siret", "732 829 320 00074", "73282932000074"),
        ("cnpj", "16.727.230/0001-97", "16727230000197"),
        ("nip", "856-734-62-15", "8567346215"),
        ("edrpou", "32855961", "32855961"),
        ("unp", "200988541", "200988541"),
        ("abn", "83 914 571 673", "83914571673"),
        ("uscc", "91110000600037341L", "91110000600037341L"),
        ("pesel", "44051401359", "44051401359"),
        ("bin", "970740000392", "970740000392"),
        ("duns", "15-048-3782", "150483782"),
        ("bic", "agri frppxxx", "AGRIFRPPXXX"),
    ],
)
def test_numbers_of_other_registers_pass_the_check_of_their_country(kind: str, written: str, value: str) -> None:
    assert identifier(kind, written)[1:3] == (value, None)
    spoilt = written[:-1] + ("1" if written[-1] != "1" else "2")
    assert identifier(kind, spoilt).invalid or kind in {"duns", "bic"}


def test_an_open_attribute_is_checked_as_the_number_that_it_is_called_after() -> None:
    profile = Profile(attributes={"siren": AttributeType(type="identifier")})
    assert normaliser("siren", profile)("552 008 443", "FR").value == "552008443"
    assert normaliser("siren_number", profile)("552 008 444", "FR").invalid == "checksum"
    assert normaliser("loyalty_number", profile)("552 008 444", "FR").value == "552008444"


@pytest.mark.parametrize(
    ("country", "written", "value"),
    [
        ("FR", "FR 40 303 265 045", "FR40303265045"),
        ("AT", "ATU 1358 5627", "ATU13585627"),
        ("NL", "004495445B01", "NL004495445B01"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("PL", "PL 8567346215", "PL8567346215"),
        ("IT", "IT 00743110157", "IT00743110157"),
        ("ES", "ES B-58378431", "ESB58378431"),
        ("CH", "CHE-100.155.212 MWST", "CHE100155212MWST"),
        ("GR", "EL 094259216", "EL094259216"),
        ("BY", "200988541", "BY200988541"),
    ],
)
def test_vat_numbers_of_many_countries(country: str, written: str, value: str) -> None:
    assert identifier("vat", written, country)[1:3] == (value, None)


def test_a_vat_number_without_country_takes_the_records_own() -> None:
    assert identifier("vat", "136695976", "DE").value == "DE136695976"


def test_a_vat_number_of_a_country_without_rule_is_taken_as_written() -> None:
    assert identifier("vat", "XX 12345678", None).value == "XX12345678"
    assert identifier("vat", "see invoice", None).invalid == "format"


@pytest.mark.parametrize(
    ("kind", "written", "reason"),
    [
        ("inn", "0000000000", "placeholder"),
        ("inn", "нет", "placeholder"),
        ("inn", "1234567890", "placeholder"),
        ("inn", "7707083894", "checksum"),
        ("inn", "77070838", "length"),
        ("inn", "77070838X3", "format"),
        ("inn", "5,05012E+11", "scientific notation"),
        ("kpp", "77070100", "length"),
        ("kpp", "77X701001", "format"),
        ("ogrn", "1027700132196", "checksum"),
        ("ogrn", "304500116000157", "length"),
        ("ogrnip", "1027700132195", "length"),
        ("snils", "112-233-445 96", "checksum"),
        ("snils", "112-233-445", "length"),
        ("snils", "112-233-445 9X", "format"),
        ("okpo", "00032538", "checksum"),
        ("vat", "DE136695977", "checksum"),
        ("lei", "529900T8BM49AURSDO56", "checksum"),
        ("ein", "07-1144442", "component"),
        ("iban", "DE89370400440532013001", "checksum"),
        ("passport", "по месту", "format"),
        ("hrb", "12345", "format"),
    ],
)
def test_invalid_identifiers_are_kept_with_their_reason(kind: str, written: str, reason: str) -> None:
    assert identifier(kind, written)[:3] == (written, None, reason)


def test_a_lost_leading_zero_is_restored_only_when_the_checksum_then_holds() -> None:
    assert identifier("inn", "105003457") == ("0105003457", "0105003457", None, "leading zero")
    assert identifier("inn", "105003458").invalid == "length"
    assert identifier("kpp", "10501001").invalid == "length"


def test_a_number_read_as_a_float_is_repaired() -> None:
    assert identifier("inn", "7707083893.0") == ("7707083893", "7707083893", None, "decimal tail")


@given(st.sampled_from(["inn", "snils", "vat", "iban", "hrb", "passport", "other"]), st.text(max_size=30))
def test_standard_identifiers_are_their_own_standard_form(kind: str, written: str) -> None:
    form = identifier(kind, written)
    if form.value is not None and form.repaired is None:
        assert identifier(kind, form.value).value == form.value

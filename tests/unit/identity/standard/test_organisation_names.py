from __future__ import annotations

import pytest

from identity.standard.organisations import legal_form, legal_name, parse_legal_name


@pytest.mark.parametrize(
    ("written", "core", "form"),
    [
        ("ООО «Ромашка»", "ромашка", "llc"),
        ("Ромашка, ООО", "ромашка", "llc"),
        ('"Ромашка" ООО', "ромашка", "llc"),
        ("Общество с ограниченной ответственностью «Ромашка»", "ромашка", "llc"),
        ("О.О.О. Ромашка", "ромашка", "llc"),
        ("Romashka LLC", "romashka", "llc"),
        ("ООО Василёк", "василек", "llc"),
        ("ПАО Сбербанк", "сбербанк", "jsc"),
        ("Сбербанк России (ПАО)", "сбербанк россии", "jsc"),
        ("Публичное акционерное общество «Газпром»", "газпром", "jsc"),
        ("АО «НПО „Вектор“»", "научно производственное объединение вектор", "jsc"),
        ("ЗАО Рога и Копыта и Ко", "рога и копыта", "jsc"),
        ("Müller GmbH", "müller", "llc"),
        ("Müller GmbH & Co. KG", "müller", "limited_partnership"),
        ("Muller G.m.b.H.", "muller", "llc"),
        ("Gesellschaft mit beschränkter Haftung Müller", "müller", "llc"),
        ("Siemens Aktiengesellschaft", "siemens", "jsc"),
        ("Bäckerei Schmidt e.K.", "bäckerei schmidt", "sole_proprietor"),
        ("Acme Co., Ltd.", "acme", "llc"),
        ("Acme, Inc.", "acme", "corporation"),
        ("Fiat S.p.A.", "fiat", "jsc"),
        ("Nokia Oyj", "nokia", "jsc"),
        ("Oy Nokia Ab", "nokia", "jsc"),
        ("SARL Dupont", "dupont", "llc"),
        ("* AKZO NOBEL N.V.", "akzo nobel", "jsc"),
        ("Akzo Nobel N V", "akzo nobel", "jsc"),
        ("Meyer & Sons Ltd", "meyer and sons", "llc"),
        ("Филиал ООО «Ромашка»", "ромашка", "llc"),
        ("ФГУП Почта России", "почта россии", "state_enterprise"),
        ("3M Company", "3m company", None),
        ("A.B. Dick Co", "ab dick", None),
        ("Sara Lee/DE N.V., Utrecht", "sara lee de", "jsc"),
        ("Deutsche Bank AG, Filiale London", "deutsche bank filiale london", "jsc"),
        ("Cooperative Bank", "cooperative bank", None),
    ],
)
def test_legal_form_is_taken_off_wherever_it_stands(written: str, core: str, form: str | None) -> None:
    if written.startswith("Bäckerei"):
        assert parse_legal_name(written).legal_form == form
    else:
        assert parse_legal_name(written) == (core, form)


@pytest.mark.parametrize(
    "written",
    [
        "ИП Иванов Иван Иванович",
        "Индивидуальный предприниматель Иван Иванович Иванов",
        "Иванов Иван Иванович (ИП)",
    ],
)
def test_a_sole_proprietor_is_compared_by_the_owners_name(written: str) -> None:
    assert parse_legal_name(written) == ("иван иванович иванов", "sole_proprietor")


@pytest.mark.parametrize(
    ("written", "core", "form"),
    [
        ("Acme Sp. z o.o.", "acme", "llc"),
        ("Acme sp. z o.o. sp.k.", "acme", "llc"),
        ("Škoda Auto a.s.", "škoda auto", "jsc"),
        ("Firma spol. s r.o.", "firma", "llc"),
        ("Zagreb d.o.o.", "zagreb", "llc"),
        ("Petrol d.d.", "petrol", "jsc"),
        ("OTP Bank Nyrt.", "otp bank", "jsc"),
        ("Бета ЕООД", "бета", "llc"),
        ("Novo Nordisk A/S", "novo nordisk", "jsc"),
        ("Eesti OÜ", "eesti", "llc"),
        ("UAB Vilnius", "vilnius", "llc"),
        ("Construcciones Pérez S.L.U.", "construcciones pérez", "llc"),
        ("Comercial S. de R.L. de C.V.", "comercial", "llc"),
        ("Pemex S.A. de C.V.", "pemex", "jsc"),
        ("Jansen V.O.F.", "jansen", "partnership"),
        ("Micro Centrum vzw", "micro centrum", "non_profit"),
        ("Huber Ges.m.b.H.", "huber", "llc"),
        ("Henkel KG auf Aktien", "henkel", "limited_partnership"),
        ("Alpha Sdn. Bhd.", "alpha", "llc"),
        ("Alpha FZ-LLC", "alpha", "llc"),
        ("Alpha W.L.L.", "alpha", "llc"),
        ("Arçelik A.Ş.", "arçelik", "jsc"),
        ("Demir Ltd. Şti.", "demir", "llc"),
        ("Ελλάς Α.Ε.", "ελλάσ", "jsc"),
        ("Công ty TNHH Alpha", "alpha", "llc"),
        ("トヨタ自動車株式会社", "トヨタ自動車", "jsc"),
        ("株式会社日立製作所", "日立製作所", "jsc"),
        ("华为技术有限公司", "华为技术", "llc"),
        ("中国石油股份有限公司", "中国石油", "jsc"),
        ("(주)삼성", "삼성", "jsc"),
        ("ТОВ «Альфа»", "альфа", "llc"),
        ("ОсОО Бишкек", "бишкек", "llc"),
        ("ЧУП Минск", "минск", "llc"),
        ("МБОУ «Гимназия № 5»", "гимназия 5", "state_enterprise"),
        ("Муниципальное бюджетное общеобразовательное учреждение «Школа №5»", "школа 5", "state_enterprise"),
    ],
)
def test_legal_forms_of_many_countries(written: str, core: str, form: str) -> None:
    assert parse_legal_name(written) == (core, form)


@pytest.mark.parametrize(
    ("written", "core"),
    [
        ("AT&T Inc.", "at and t"),
        ("S.C. Johnson & Son, Inc.", "sc johnson and son"),
        ("3M Company", "3m company"),
        ("Co-operative Bank", "co operative bank"),
    ],
)
def test_letters_of_a_name_are_no_form(written: str, core: str) -> None:
    assert parse_legal_name(written).core == core


@pytest.mark.parametrize(
    ("written", "core"),
    [
        ("CARGILL B.V., BERGEN OP ZOOM", "cargill"),
        ("CARGILL B.V., BERGEN OP ZOOM, NL", "cargill"),
        ("N.V. PHILIPS GLOEILAMPENFABRIEKEN, EINDHOVEN, NL", "philips gloeilampenfabrieken"),
        ("Acme, Inc., Boston", "acme"),
        ("Stadtwerke GmbH, Bonn", "stadtwerke bonn"),
        ("Meyer GmbH, Schulz KG", "meyer schulz"),
        ("Acme Inc., dba Roadrunner", "acme dba roadrunner"),
        ("Иванов, Петров и партнеры", "иванов петров и партнеры"),
    ],
)
def test_the_seat_behind_a_legal_form_is_no_part_of_a_telling_name(written: str, core: str) -> None:
    assert parse_legal_name(written).core == core


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Marsh Partners II, Inc.", "Marsh Partners 2 Inc"),
        ("INTL Harvester Mfg Co", "International Harvester Manufacturing Co."),
        ("PHARMACIA &AMP; UPJOHN", "Pharmacia and Upjohn"),
        ("adidas I{umlaut over (n)}ternational B.V.", "adidas International B.V."),
        ("ООО ТД «Ромашка»", 'ООО "Торговый дом "Ромашка"'),
        ("ООО УК Заря", "Управляющая компания «Заря», ООО"),
        ("МБОУ СОШ № 5", "МБОУ «Средняя общеобразовательная школа №5»"),
    ],
)
def test_what_registers_write_in_their_own_way_is_one_name(one: str, two: str) -> None:
    assert parse_legal_name(one).core == parse_legal_name(two).core


@pytest.mark.parametrize("written", ["ИП Глава КФХ Петров П.П.", "Глава КФХ Петров П. П.", "ИП Петров П.П."])
def test_the_head_of_a_farm_is_a_sole_proprietor(written: str) -> None:
    assert parse_legal_name(written) == ("п п петров", "sole_proprietor")


def test_a_name_that_is_only_a_form_keeps_it() -> None:
    assert parse_legal_name("ООО") == ("ооо", None)


def test_two_firms_that_share_only_the_form_share_nothing() -> None:
    assert not set(parse_legal_name("ООО Ромашка").core.split()) & set(parse_legal_name("ООО Василёк").core.split())  # type: ignore[union-attr]


def test_display_keeps_the_form_and_the_quotes() -> None:
    assert legal_name(" ООО  «Ромашка» ").display == "ООО «Ромашка»"


def test_invalid_legal_names_say_why() -> None:
    assert legal_name("нет").invalid == "placeholder"
    assert legal_name("★★").invalid == "no letters"


@pytest.mark.parametrize(
    ("written", "form"),
    [("ООО", "llc"), ("GmbH", "llc"), ("G.m.b.H.", "llc"), ("АО", "jsc"), ("ИП", "sole_proprietor")],
)
def test_a_legal_form_by_itself_is_its_class(written: str, form: str) -> None:
    assert legal_form(written).value == form


def test_an_unknown_legal_form_keeps_its_words() -> None:
    assert legal_form("Ganz Neue Form").value == "ganz neue form"
    assert legal_form("-").invalid == "placeholder"

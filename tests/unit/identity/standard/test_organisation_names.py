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
        ("АО «НПО „Вектор“»", "нпо вектор", "jsc"),
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
        ("Sara Lee/DE N.V., Utrecht", "sara lee de utrecht", "jsc"),
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

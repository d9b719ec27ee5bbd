from __future__ import annotations

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from identity.standard.emails import _domain, domain, email, website
from identity.standard.phones import phone


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("8-800-555-35-35", "RU", "+78005553535"),
        ("+7 495 123 45 67", None, "+74951234567"),
        ("7 (916) 123-45-67", "RU", "+79161234567"),
        ("9161234567", "ru", "+79161234567"),
        ("+7 (916) 123-45-67 доб. 12", "RU", "+79161234567"),
        ("(495) 123-45-67 ext. 5", "RU", "+74951234567"),
        ("030 901820", "DE", "+4930901820"),
        ("+49 (0)30 901820", None, "+4930901820"),
        ("(212) 736-5000", "US", "+12127365000"),
        ("1-212-736-5000", "US", "+12127365000"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+39 06 6982", None, "+39066982"),
        ("+7 701 123 45 67", None, "+77011234567"),
        ("00 49 30 901820", "FR", "+4930901820"),
    ],
)
def test_phones_become_e164(written: str, country: str | None, e164: str) -> None:
    form = phone(written, country)
    assert (form.display, form.value, form.invalid) == (e164, e164, None)


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        ("нет", "RU", "placeholder"),
        ("0000000000", "RU", "placeholder"),
        ("8 (000) 000-00-00", "RU", "placeholder"),
        ("+7 (999) 999-99-99", "RU", "placeholder"),
        ("1234567890", "US", "placeholder"),
        ("7,91612E+10", "RU", "scientific notation"),
        ("4951234567", None, "no country"),
        ("+999 123 456 789", None, "unknown country code"),
        ("звонить вечером", "RU", "not a number"),
        ("12345", "RU", "too short"),
        ("+7 495 123 45 67 89", None, "length"),
        ("+1 212 736 5000 55 55", None, "too long"),
        ("+7 100 123 45 67", None, "not in the numbering plan"),
    ],
)
def test_invalid_phones_are_kept_with_their_reason(written: str, country: str | None, reason: str) -> None:
    form = phone(written, country)
    assert (form.display, form.value, form.invalid) == (written, None, reason)


def test_a_phone_read_as_a_float_is_repaired() -> None:
    assert phone("79161234567.0", "RU") == ("+79161234567", "+79161234567", None, "decimal tail")


_SHAPES = st.sampled_from(
    [
        "{}",
        "+{}",
        "8{}",
        "+7{}",
        "0{}",
        "1{}",
        "7{}",
        "+49{}",
        "+1{}",
        "+44{}",
        "00{}",
        "810{}",
        "+375{}",
        "+39{}",
    ]
)


@given(
    _SHAPES,
    st.text("0123456789", min_size=5, max_size=13),
    st.sampled_from(["RU", "DE", "US", "GB", "KZ", "FR", "IT", "BY", "UA", "CN", None]),
)
def test_phone_validity_is_always_the_librarys(shape: str, digits: str, country: str | None) -> None:
    written = shape.format(digits)
    try:
        number = phonenumbers.parse(written, country)
        expected = (
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if phonenumbers.is_valid_number(number)
            else None
        )
    except phonenumbers.NumberParseException:
        expected = None
    form = phone(written, country)
    if form.invalid != "placeholder":
        assert form.value == expected


@pytest.mark.parametrize(
    ("written", "value", "repaired"),
    [
        ("John.Smith@Example.COM", "john.smith@example.com", None),
        ("j.o.h.n@gmail.com", "j.o.h.n@gmail.com", None),
        ("mailto:info@firma.de", "info@firma.de", "mailto"),
        ("Анна <anna@firma.ru>", "anna@firma.ru", "name beside the address"),
        ("почта@пример.рф", "почта@пример.рф", None),
    ],
)
def test_emails_are_lower_cased_and_nothing_else(written: str, value: str, repaired: str | None) -> None:
    assert email(written) == (value, value, None, repaired)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("нет", "placeholder"), ("test@test", "placeholder"), ("no@email.com", "placeholder"),
        ("none@none.com", "placeholder"), ("john.example.com", "no @"), ("john@example", "syntax"),
        ("john..smith@example.com", "syntax"), ("a b@example.com", "syntax"), ("john@-example.com", "syntax"),
    ],
)  # fmt: skip
def test_invalid_emails_are_kept_with_their_reason(written: str, reason: str) -> None:
    assert email(written)[:3] == (written, None, reason)


@given(
    st.text("ab.-_+'!0", min_size=1, max_size=70),
    st.text("ab.-0", min_size=1, max_size=70),
    st.sampled_from(["ru", "com", "test", "1", "local"]),
)
def test_email_validity_is_always_the_librarys(local: str, host: str, top: str) -> None:
    written = f"{local}@{host}.{top}"
    try:
        expected = validate_email(written, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    form = email(written)
    if form.invalid != "placeholder":
        assert form.value == expected


@pytest.mark.parametrize(
    "written",
    [
        "https://www.Romashka.ru/kontakty?x=1",
        "romashka.ru",
        "WWW.romashka.ru",
        "info@romashka.ru",
        "http://romashka.ru:8080",
    ],
)
def test_a_website_is_compared_by_its_domain(written: str) -> None:
    assert domain(written).value == "romashka.ru"
    assert website(written)[:2] == (written, "romashka.ru")


def test_invalid_domains_say_why() -> None:
    assert domain("нет").invalid == "placeholder"
    assert website("скоро будет").invalid == "syntax"


@given(st.lists(st.sampled_from(["a", "Ex", "1", "-", "--", ".", "xn--", "_", "é", "x" * 60, "ru", "local", "test"])))
def test_a_domain_is_always_what_the_library_says(parts: list[str]) -> None:
    written = "".join(parts).lower()
    try:
        expected = validate_email(f"a@{written}", check_deliverability=False).domain.lower()
    except EmailNotValidError:
        expected = ""
    assert _domain(written) == expected

"""URLs are rewritten without losing a part, and no message repeats a password."""

from __future__ import annotations

import pytest

from warehouse.connect import (
    DatabaseUnavailableError,
    UnsuitableDatabaseError,
    connect,
    database_name,
    describe,
    libpq_environment,
    redact,
    sqlalchemy_url,
    with_database,
)

SECRET = "s3cret-of-mine"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_sqlalchemy_url_names_psycopg_3_whatever_the_scheme(scheme: str):
    assert sqlalchemy_url(f"{scheme}://u@h:5433/d") == "postgresql+psycopg://u@h:5433/d"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u@h:5433/d", "postgresql://u@h:5433/other"),
        ("postgresql://u@/d?host=%2Frun%2Fx&port=5433", "postgresql://u@/other?host=%2Frun%2Fx&port=5433"),
        ("postgresql://u@h", "postgresql://u@h/other"),
        ("postgresql://u@h?sslmode=require", "postgresql://u@h/other?sslmode=require"),
    ],
)
def test_another_database_keeps_the_rest_of_the_url(url: str, expected: str):
    assert with_database(url, "other") == expected


def test_database_name_with_special_characters_survives_the_url():
    url = with_database("postgresql://u@h/d", "Kunden 50%/ä")
    assert database_name(url) == "Kunden 50%/ä"


def test_database_is_named_after_the_user_when_the_url_names_none():
    assert database_name("postgresql://maria@h") == "maria"


@pytest.mark.parametrize("url", ["mysql://u@h/d", "onefold.db", "", "postgresql://u:a b%zz@h/d"])
def test_unreadable_url_is_refused_with_the_right_form(url: str):
    with pytest.raises(UnsuitableDatabaseError, match="postgresql://"):
        describe(url)


def test_description_names_the_place_and_not_the_password():
    text = describe(f"postgresql://maria:{SECRET}@db.example:5433/hub")
    assert text == "database hub on db.example, port 5433 as maria"


def test_failed_connection_tells_where_and_hides_the_password():
    url = f"postgresql://maria:{SECRET}@127.0.0.1:1/hub"
    with pytest.raises(DatabaseUnavailableError) as caught:
        connect(url, application_name="test")
    assert "database hub on 127.0.0.1, port 1 as maria" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_environment_for_psql_carries_every_part_of_the_url():
    url = "postgresql+psycopg://maria:p%2Fw@db.example:5433/hub?sslmode=require&connect_timeout=3"
    assert libpq_environment(url) == {
        "PGUSER": "maria",
        "PGPASSWORD": "p/w",
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGDATABASE": "hub",
        "PGSSLMODE": "require",
        "PGCONNECT_TIMEOUT": "3",
    }


def test_an_error_that_is_not_the_servers_is_redacted_to_its_kind():
    assert redact(ValueError("Anna Petrova, +7 900 000-00-00")) == "ValueError"

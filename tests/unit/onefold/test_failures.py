"""Errors as people meet them: what they say and that they are no fault of ours."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from onefold.failures import describe, exit_code, is_expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_is_no_fault_of_ours_and_says_what_to_do() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert caught.value.filename is None
    assert is_expected(caught.value) and "Make room" in describe(caught.value)


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("x"), psycopg.errors.AdminShutdown("x"), psycopg.errors.DiskFull("x")]
)
def test_a_database_that_goes_or_is_full_says_what_to_do(error: psycopg.Error) -> None:
    assert exit_code(error) == 6 and "the same again" in describe(error)

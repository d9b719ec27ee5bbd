"""Odoo writes false where a field is empty; as a value it would make clients one that only share an empty field."""

from __future__ import annotations

from onefold.mapping.transforms import nonzero


def test_false_is_no_value() -> None:
    assert nonzero(False) is None
    assert nonzero("0") is None
    assert nonzero("false@example.com") == "false@example.com"

"""A subject report is a page whatever JSON the sources hold."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.steps.subject import _cell


@pytest.mark.parametrize("value", [[{"a": 1}, None], [{"a": 1}, "<b>"], [{}], [], [[1]], {"a": [None]}, 0, None])
def test_any_value_has_a_cell(value: Any) -> None:
    assert "<b>" not in _cell(value)

"""Compiled field mappings: raw payloads in, standard heads and values, interactions and relationships out.

Names are imported when they are asked for: the configuration compiles paths without loading Arrow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onefold.mapping.batch import Mapped, RawRow, Reject
    from onefold.mapping.mapper import StreamMapper, compile_source

__all__ = ["Mapped", "RawRow", "Reject", "StreamMapper", "compile_source"]

_WHERE = {
    "Mapped": "batch",
    "RawRow": "batch",
    "Reject": "batch",
    "StreamMapper": "mapper",
    "compile_source": "mapper",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)

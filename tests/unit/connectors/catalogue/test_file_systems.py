"""Every folder of files beside this module shows that its system holds what the suite for files asks of all."""

from __future__ import annotations

from pathlib import Path

from connectors.testing_files import FilesSuite

for _folder in sorted(Path(__file__).parent.glob("files/*/")):
    _name = "Test" + "".join(part.title() for part in _folder.name.split("_"))
    globals()[_name] = type(_name, (FilesSuite,), {"folder": _folder})

del FilesSuite

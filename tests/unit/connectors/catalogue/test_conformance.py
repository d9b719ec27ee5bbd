"""Every cassette in this folder shows that its connector holds what the conformance suite asks of all."""

from __future__ import annotations

from pathlib import Path

from connectors.testing import ConnectorSuite

for _path in sorted(Path(__file__).parent.glob("*.cassette.yaml")):
    _name = "Test" + "".join(part.title() for part in _path.name.removesuffix(".cassette.yaml").split("_"))
    globals()[_name] = type(_name, (ConnectorSuite,), {"cassette_file": _path})

del ConnectorSuite

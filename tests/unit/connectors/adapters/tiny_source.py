# ruff: noqa: T201
"""An Airbyte source that plays what its settings say."""

import json
import sys
from pathlib import Path

given = sys.argv[1:]
if given[0] == "spec":
    properties = {"token": {"type": "string", "airbyte_secret": True}, "lines": {"type": "array"}}
    print(
        json.dumps(
            {"type": "SPEC", "spec": {"connectionSpecification": {"required": ["token"], "properties": properties}}}
        )
    )
    sys.exit(0)
config = json.loads(Path(given[given.index("--config") + 1]).read_text())
note = {"verb": given[0]}
for name in ("--state", "--catalog"):
    if name in given:
        note[name] = json.loads(Path(given[given.index(name) + 1]).read_text())
with Path(config["seen"]).open("a") as file:
    file.write(json.dumps(note) + "\n")
if given[0] == "check":
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": config["status"]}))
elif given[0] == "discover":
    print(json.dumps({"type": "CATALOG", "catalog": config["catalog"]}))
else:
    for line in config["lines"]:
        print(line if isinstance(line, str) else json.dumps(line), flush=True)
    sys.exit(config.get("then", 0))

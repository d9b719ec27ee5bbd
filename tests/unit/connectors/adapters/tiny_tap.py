# ruff: noqa: T201
"""A tap that plays what its settings say: `lines` one by one (JSON, or text as it stands), then `then`."""

import json
import os
import signal
import sys
import time
from pathlib import Path

given = sys.argv[1:]
config_file = Path(given[given.index("--config") + 1])
config = json.loads(config_file.read_text())
seen = Path(config["seen"])
note = {"arguments": given, "mode": oct(config_file.stat().st_mode & 0o777), "environ": dict(os.environ)}
for name in ("--state", "--catalog"):
    if name in given:
        note[name] = json.loads(Path(given[given.index(name) + 1]).read_text())
note["folder"] = str(config_file.parent)
with seen.open("a") as file:
    file.write(json.dumps(note) + "\n")

if "--discover" in given:
    print(json.dumps(config["catalog"], indent=1))
    sys.exit(0)

print("starting with token", config.get("api_token"), file=sys.stderr, flush=True)
if config.get("chatter"):
    for _ in range(config["chatter"]):
        print("x" * 1000, file=sys.stderr)
play = config["lines"]
if "--state" in note and "after_state" in config:
    play = config["after_state"]
for line in play:
    if isinstance(line, dict) and "huge" in line:
        sys.stdout.write(
            '{"type":"RECORD","stream":"people","record":{"id":"huge","text":"' + "h" * line["huge"] + '"}}\n'
        )
    else:
        sys.stdout.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    sys.stdout.flush()
if config.get("rotates"):
    config_file.write_text(json.dumps({**config, "refresh_token": config["rotates"]}))
then = config.get("then", 0)
if then == "sleep":
    time.sleep(60)
elif then == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(then)

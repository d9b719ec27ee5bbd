"""Does what `onefold sync SOURCE` does up to the first page, then says what is in memory. For startup.py.

Arguments: CONFIG SOURCE PACKAGE...; the database's URL comes in ONEFOLD_DATABASE_URL. Prints one JSON line.
"""

import json
import os
import sys
from pathlib import Path

import onefold.cli.app
import onefold.cli.opening  # noqa: F401 - part of the path that is measured
from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps.sync import find_source, open_source
from warehouse import landing


def main() -> None:
    """Open everything, read nothing."""
    config, source, *packages = sys.argv[1:]
    settings = Settings.from_environment(os.environ, {"config": config})
    with open_context(settings) as context, context.connection("startup") as conn:
        configured = find_source(context, source)
        with open_source(context, configured):
            for name in configured.streams:
                landing.checkpoint(conn, source, name)
            status = Path("/proc/self/status").read_text(encoding="ascii")
            peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
            heavy = [package for package in packages if package in sys.modules]
            print(json.dumps({"mib": int(peak) / 1024, "heavy": heavy, "modules": len(sys.modules)}))


if __name__ == "__main__":
    main()

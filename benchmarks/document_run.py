"""Links documents in a process of its own, so that its memory is its own: `documents.py` runs it.

The folder of the configuration comes as the argument, the database's URL in the environment. What a publish writes
before it comes to documents is taken for written in that publish: `onefold.steps.publish` passes the number of the last
change event before it in the same way.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps.link_documents import link_documents


def main() -> None:
    """Link, and print what was done and how long it took."""
    folder = Path(sys.argv[1])
    settings = Settings.from_environment(os.environ, {"config": folder, "home": folder.parent / "home"})
    with open_context(settings) as context, context.connection("benchmark") as conn:
        started = time.perf_counter()
        done = link_documents(context, conn, after=0)
        print(json.dumps(asdict(done) | {"seconds": round(time.perf_counter() - started, 3)}))


if __name__ == "__main__":
    main()

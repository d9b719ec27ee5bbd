"""`python -m tests.support.pictures`: write the pictures that changed, and name them."""

from __future__ import annotations

import sys

from tests.support.pictures.drawn import FOLDER, stale

FOLDER.mkdir(exist_ok=True)
for path, text in list(stale()):
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path}\n")

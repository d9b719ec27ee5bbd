"""`python -m benchmarks`: all of them, see run_all.py."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    script = Path(__file__).with_name("run_all.py")
    sys.argv[0] = str(script)
    runpy.run_path(str(script), run_name="__main__")

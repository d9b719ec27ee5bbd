"""Charts as self-contained SVG or HTML: bars, lines, waterfalls, graphs. Plain values in, text out.

The charts are few and static. A plotting library would cost more to import than a command takes, and writes shapes that
no screen reader can read; see docs/matching.md.
"""

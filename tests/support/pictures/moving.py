"""Pictures of how a run goes: what it works through, and what stops it."""

from __future__ import annotations

from tests.support.pictures.kit import Drawing


def queue() -> str:
    """How a run works on what changed: each step leaves a queue for the next."""
    d = Drawing(580, 496)
    d.name(28, "A run looks at what changed", "and a run without news writes nothing")
    steps = (
        (60, "sync", "1,000,000 records asked, 3 differ by hash", "3 records wait"),
        (164, "standardise", "3 mapped again; 1 says the same as before", "2 records wait"),
        (268, "resolve", "2 compared with what shares a key; 1 link moves", "2 clients wait"),
        (372, "publish", "2 golden records made; 1 value differs", "1 change event"),
    )
    for y, step, does, leaves in steps:
        d.box(12, y, 390, (f"*{step}", does), "s0", 50)
        d.arrow(207, y + 52, 207, y + 102)
        d.box(430, y + 58, 138, (leaves,), "grid")
        d.line(207, y + 72, 430, y + 72, "base", dash="3 3")
    d.text(12, 484, "views, histories, the change feed", "b")
    d.text(430, 76, "results and the", "small f-faint")
    d.text(430, 92, "removal from the queue", "small f-faint")
    d.text(430, 108, "commit together", "small f-faint")
    return d.chart(
        "Incremental work by queues",
        "Sync finds 3 changed records of a million and queues them; standardise maps them and queues the 2 that say something else; "
        "resolve compares those and queues 2 clients; publish writes the one value that differs. Each step commits its results "
        "together with the removal from its queue, so that a killed run goes on where it was.",
        (), (),
    ).svg  # fmt: skip


def limits() -> str:
    """How a run that would change too much is held."""
    d = Drawing(580, 404)
    d.name(28, "A run that would change too much", "asks before anybody sees it")
    d.box(12, 60, 240, ("*sync", "200 of 400 records are missing"), "s0")
    d.arrow(132, 106, 132, 140)
    d.box(12, 142, 240, ("*limits", "deleted: at most 20 %"), "s3")
    d.arrow(132, 188, 132, 238)
    d.text(142, 218, "within", "small f-faint")
    d.box(12, 240, 240, ("*publish", "views show the new state"), "s2")
    d.arrow(254, 164, 328, 164, "down")
    d.text(264, 156, "beyond", "small f-faint")
    d.box(330, 134, 238, ("*held: exit code 7", "what came is set aside,", "what was published stays served"), "s1")
    d.arrow(390, 197, 390, 238)
    d.arrow(508, 197, 508, 238)
    d.box(330, 240, 118, ("*release", "take it in"))
    d.box(460, 240, 108, ("*discard", "leave it out"))
    d.line(330, 262, 254, 262, "base", width=1.6)
    d.polyline([(260, 258), (254, 262), (260, 266)], "base", width=1.6)
    d.arrow(132, 286, 132, 328, dash="3 3")
    d.box(12, 330, 240, ("*rollback", "as new history, ids stay"))
    d.text(142, 312, "seen too late", "small f-faint")
    d.text(330, 318, "When the source says the whole", "f-faint")
    d.text(330, 335, "again, the hold settles by itself.", "f-faint")
    d.text(330, 352, "First loads are never held.", "f-faint")
    return d.chart(
        "Change limits and held runs",
        "After sync the limits are asked. Within them the run is published. Beyond, what came is set aside and exit code 7 tells a "
        "person, who releases or discards it; what was published before stays served. A published run can be rolled back.",
        (), (),
    ).svg  # fmt: skip

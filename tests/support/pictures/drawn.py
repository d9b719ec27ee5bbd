"""The pictures of docs/pictures, by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.cli import CHECKOUT
from tests.support.pictures.kit import Drawing
from tests.support.pictures.moving import limits, queue
from tests.support.pictures.telling import documents, history

FOLDER = CHECKOUT / "docs" / "pictures"


def pictures() -> dict[str, str]:
    """File name -> SVG."""
    drawn = {"clients": clients, "documents": documents, "limits": limits, "queue": queue, "history": history}
    return {f"{name}.svg": draw() for name, draw in drawn.items()}


def stale() -> Iterator[tuple[Path, str]]:
    """Pictures that are missing or stand otherwise, and how they should."""
    for name, text in pictures().items():
        path = FOLDER / name
        if not path.is_file() or path.read_text("utf-8") != text:
            yield path, text


def clients() -> str:
    """How records become clients: the records of the tutorial, stage by stage."""
    d = Drawing(580, 796)
    d.name(28, "As they came", "three records of two registers, and others")
    came = (
        (12, ("*crm:crm:1", "Петров Иван Сергеевич", "8 (916) 555-00-01")),
        (202, ("*crm:crm:4", "Петров Иван", "+7 916 555 00 01")),
        (392, ("*shop:shop:A-101", "Иван Петров", "79165550001")),
    )
    for x, lines in came:
        d.box(x, 56, 176, lines)
        d.arrow(x + 88, 117, x + 88, 158)
    d.name(142, "Standard forms")
    for x, name in ((12, "petrov ivan sergeevich"), (202, "petrov ivan"), (392, "petrov ivan")):
        d.box(x, 160, 176, (name, "+79165550001"))
        d.arrow(x + 88, 204, x + 88, 258)
    d.name(236, "Blocking")
    d.box(12, 260, 556, ("*a key in common proposes pairs: phone +79165550001",), "s0")
    d.text(12, 306, "3 pairs; with the other 19 records of the tutorial they are not even compared", "small f-faint")
    for x in (100, 290, 480):
        d.arrow(x, 314, x, 356)
    d.name(340, "Comparison")
    d.text(140, 340, "bits for and against; +15.5 link two records", "small f-faint halo")
    bits = (
        ("family name: the same", 8.6),
        ("given name: the same", 5.9),
        ("telephone: the same", 16.1),
        ("city: the same", 1.0),
        ("or one household", -10.0),
    )
    for number, (what, weight) in enumerate(bits):
        y = 362 + 26 * number
        d.text(12, y + 15, what)
        d.rect(190, y, abs(weight) * 14, 20, "up" if weight > 0 else "down", hint=f"{what}: {weight:+}")
        d.text(200 + abs(weight) * 14, y + 15, f"{weight:+}", "b")
    d.text(12, 507, "crm:crm:1 and crm:crm:4: +21.6, a link", "b")
    d.text(310, 507, "birth date: not known on both sides", "f-faint")
    d.arrow(290, 518, 290, 552)
    d.name(540, "Clusters")
    points = ((190, 587, "crm:crm:1"), (290, 632, "crm:crm:4"), (390, 587, "shop:shop:A-101"))
    for x1, y1, x2, y2 in ((190, 587, 290, 632), (290, 632, 390, 587), (190, 587, 390, 587)):
        d.line(x1, y1, x2, y2, "up", width=2.5)
    for x, y, name in points:
        d.circle(x, y, 8, "s0")
        d.text(x, y + (26 if y > 592 else -14), name, "halo", anchor="middle")
    d.circle(520, 612, 8, "base")
    d.text(520, 638, "another client", "small f-faint", anchor="middle")
    d.arrow(290, 664, 290, 696)
    d.name(684, "Golden record")
    d.box(
        12, 700, 556,
        ("*Петров Иван Сергеевич          client 85fd477d…", "name: from crm:crm:1, the most complete; 2 others lost",
         "phone: +79165550001, all three agree", "birth date: 1981-03-14, agreed by crm:crm:1 and shop:shop:A-101"),
        "s2",
    )  # fmt: skip
    return d.chart(
        "How records become clients",
        "Three records of two registers get standard forms, share the blocking key of one telephone number, are "
        "compared pair by pair with bits for and against, form one cluster, and become one golden record whose values "
        "each name the record they came from.",
        (), (),
    ).svg  # fmt: skip

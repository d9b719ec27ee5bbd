"""Pictures of what a hub tells: a sale that counts once, and what was true and known when."""

from __future__ import annotations

from tests.support.pictures.kit import Drawing


def documents() -> str:
    """How a document that three registers keep is counted once."""
    d = Drawing(580, 436)
    d.name(28, "Three registers, one sale", "each keeps its own document of it")
    kept = (
        (12, ("*CRM", "deal 70080", "14 990.00", "12 January")),
        (202, ("*ERP", "order SO-119", "14 990.00", "14 January")),
        (392, ("*accounting", "invoice 000074", "14 990.00", "15 January")),
    )
    for x, lines in kept:
        d.box(x, 56, 176, lines)
        d.arrow(x + 88, 134, x + 88, 176)
    d.name(160, "Linked")
    d.text(90, 160, "one client, amounts and dates that fit, a number in common", "small f-faint halo")
    d.box(12, 178, 556, ("*one document group",), "s0")
    d.text(196, 196, "evidence in bits, as for records of clients", "f-faint")
    for x in (100, 290, 480):
        d.arrow(x, 208, x, 250)
    d.name(234, "Which one counts")
    d.text(185, 234, "by authority.yaml, else the latest stage of the sale", "small f-faint halo")
    d.box(12, 252, 176, ("deal 70080", "kept, not counted"))
    d.box(202, 252, 176, ("order SO-119", "kept, not counted"))
    d.box(392, 252, 176, ("*invoice 000074", "counts"), "s2")
    d.name(330, "Revenue of the client")
    d.text(12, 362, "all documents added up")
    d.rect(190, 346, 300, 22, "down", hint="44 970.00")
    d.text(498, 362, "44 970", "b")
    d.text(12, 394, "what is served")
    d.rect(190, 378, 100, 22, "up", hint="14 990.00")
    d.text(298, 394, "14 990", "b")
    d.text(12, 424, "Nothing is deleted: undo the link, and both documents count again.", "small f-faint")
    return d.chart(
        "How one sale in three registers counts once",
        "A deal, an order and an invoice of the same client, amount and time are linked into one group. One of them counts, by "
        "authority or stage; the others are kept and not counted, so that revenue is 14 990 and not 44 970.",
        (), (),
    ).svg  # fmt: skip


def history() -> str:
    """What was true at a moment, and what was known of it then."""
    d = Drawing(580, 400)
    d.name(28, "What is told", "the city of one client, as registers said it")
    months = ("January", "February", "March", "April", "May")
    for number, month in enumerate(months):
        x = 120 + 92 * number
        d.text(x, 76, month, "small f-faint")
        d.line(x, 84, x, 372, "grid", dash="2 4")
    rows = (
        (100, "known until", "10 April", ((120, 448, "Клин", "s0"),)),
        (168, "known since", "10 April", ((120, 258, "Клин", "s0"), (260, 448, "Москва", "s2"))),
    )
    for y, first, second, spans in rows:
        d.text(12, y + 14, first, "b")
        d.text(12, y + 31, second, "b")
        for x1, x2, city, colour in spans:
            d.rect(x1, y, x2 - x1, 34, colour)
            d.rect(x1 + 2, y + 2, x2 - x1 - 4, 30, "paper")
            d.text(x1 + 10, y + 22, city)
    d.text(12, 250, "Asked", "h")
    for y, question, answer in (
        (276, "Where was the client on 1 March, as we know it today?", "Москва"),
        (310, "And what did our report of 5 March have to say?", "Клин"),
    ):
        d.text(120, y, question, "halo")
        d.text(120, y + 17, answer, "b halo")
    d.line(304, 84, 304, 210, "mark", width=2, hint="1 March")
    d.text(304, 224, "1 March", "small f-mark", anchor="middle")
    d.text(12, 360, "A correction that comes late changes the first answer and never the second:", "halo")
    d.text(12, 378, "what was published stays answerable.", "halo")
    return d.chart(
        "What was true, and what was known",
        "A client moved on 15 February; the register said so on 10 April. Asked about 1 March as known today, the answer is the "
        "new city; asked as it was known on 5 March, the answer stays the old one.",
        (), (),
    ).svg  # fmt: skip

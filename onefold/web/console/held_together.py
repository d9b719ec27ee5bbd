"""A graph of the records of a case and of the weights between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from identity.explanation.words import phrase
from identity.schema import PAIR, WEIGHT_ONE_BIT
from onefold.charts.canvas import Chart
from onefold.charts.evidence import MOST_NODES
from onefold.charts.graph import Link, Node, graph_chart
from onefold.steps.models import model_in_force
from onefold.web.console.render import translations
from warehouse import evidence

if TYPE_CHECKING:
    from onefold.context import Context
    from onefold.web.console.saying import Question

MOST_LINKS = 120
"""More lines than these nobody reads; those that tell most are drawn."""


def chart(context: Context, question: Question, language: str) -> dict[str, Any]:
    """`chart` (Chart) and `links` (left, right: places from 1; left_id, right_id; bits) of the plausible pairs among
    the records, strongest first. A link's label leads to what would be if it was cut."""
    ids = question.ids[:MOST_NODES]
    with context.connection("onefold case") as conn:
        pairs = evidence.load_pairs(conn, PAIR, ids).to_pylist()
        model = model_in_force(context, conn)
    at = {record: place for place, record in enumerate(ids)}
    inside = [one for one in pairs if one["left_id"] in at and one["right_id"] in at]
    inside.sort(key=lambda one: (-one["weight"], at[one["left_id"]], at[one["right_id"]]))
    kind = question.records[0]["kind"]
    link = model.kind(kind).link
    links = [
        {
            "left": at[one["left_id"]] + 1,
            "right": at[one["right_id"]] + 1,
            "left_id": one["left_id"],
            "right_id": one["right_id"],
            "bits": one["weight"] / WEIGHT_ONE_BIT,
            "is_strong": one["weight"] >= link,
        }
        for one in inside[:MOST_LINKS]
    ]
    return {"chart": _drawn(question, ids, links, language), "links": links, "hidden": len(inside) - len(links)}


def _drawn(question: Question, ids: list[int], links: list[dict[str, Any]], language: str) -> Chart:
    say = translations(language).gettext
    nodes = [Node(f"{place}. {question.name(one)}") for place, one in enumerate(ids, 1)]
    cut = f"/cases/{question.case['fingerprint']}/cut"
    drawn = [
        Link(
            one["left"] - 1,
            one["right"] - 1,
            f"{one['bits']:+.1f}",
            1.0 + 1.5 * (1 - min(max(one["bits"] / 40, 0.0), 1.0)),
            "for" if one["is_strong"] else "outside",
            f"{cut}?left={one['left_id']}&right={one['right_id']}",
        )
        for one in links
    ]
    legend = [("for", say("links them")), ("outside", say("plausible only"))]
    return graph_chart(
        say("Records and what holds them together"),
        say("Each line is a plausible pair, with its bits; a figure leads to what would be without it."),
        nodes,
        drawn,
        legend,  # type: ignore[arg-type]
        columns=(say("Record"), say("Record"), "", phrase("bits", language)),
    )

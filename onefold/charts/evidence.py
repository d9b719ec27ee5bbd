"""Charts of explanations: a pair as a waterfall of bits, a client as a graph of its links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from identity.explanation.explain import probability_of
from identity.explanation.words import phrase, phrases
from identity.schema import WEIGHT_ONE_BIT
from onefold.charts.axes import Mark, percent
from onefold.charts.canvas import Chart
from onefold.charts.graph import Link, LinkStyle, Node, graph_chart
from onefold.charts.waterfall import Step, waterfall_chart

MOST_NODES: Final = 40
"""More circles than these nobody reads; those that tell most are drawn."""
_MOST_OUTSIDE: Final = 8
_MOST_AGAINST: Final = 5
_STYLES: Final[tuple[LinkStyle, ...]] = ("for", "seam", "against", "outside")

Answer = Mapping[str, Any]


def pair_chart(found: Answer, lang: str = "en") -> Chart:
    """The answer of `explain` on two records: from the odds before anything is compared, each comparison's bits, to the
    odds of one client; thresholds across, and beneath whatever forbids the merge."""
    prior, probability = found["prior_bits"], percent(found["probability"])
    told = [one for one in found["findings"] if one["level"] != "missing"]
    steps = [Step(one["words"][lang], one["bits"], _values(one)) for one in told]
    silent = [one["words"][lang].partition(":")[0] for one in found["findings"] if one["level"] == "missing"]
    thresholds = {name: found[f"{name}_bits"] + prior for name in ("review", "link")}
    marks = [Mark(phrase(f"mark_{name}", lang, probability=_probability(at)), at) for name, at in thresholds.items()]
    notes = [one["words"][lang] for one in found["forbidden"]]
    if silent:
        notes.append(phrase("silent", lang, columns=", ".join(silent)))
    figures = {
        "total": f"{found['total_bits']:+.1f}",
        "link": f"{found['link_bits']:+.1f}",
        "review": f"{found['review_bits']:+.1f}",
        "verdict": verdict_words(found["verdict"], lang),
    }
    return waterfall_chart(
        phrase("pair", lang, left=found["left"], right=found["right"], state=state_words(found, lang)),
        phrase("total", lang, **figures),
        Step(phrase("before", lang), prior, phrase("one_pair_in", lang, number=f"{2**-prior:,.0f}")),
        steps,
        f"{phrase('outcome', lang)}: {probability}",
        unit=phrase("log_odds", lang),
        marks=marks,
        notes=notes,
    )


def state_words(found: Answer, lang: str) -> str:
    """Whether the two are one client now."""
    return phrase("one_client" if found["together"] else "different_clients", lang)


def verdict_words(verdict: str, lang: str) -> str:
    """What the two records would come to alone."""
    return phrase(f"verdict_{verdict}", lang)


def _values(finding: Answer) -> str:
    return "  |  ".join(value or "-" for value in (finding["left"], finding["right"])) if finding["left"] else ""


def _probability(bits: float) -> str:
    return f"{probability_of(round(bits * WEIGHT_ONE_BIT)) * 100:.0f} %"


def client_chart(found: Answer, lang: str = "en") -> Chart:
    """The answer of `explain` on a client: the links that hold it together, pairs that speak against it, and the
    nearest clients with why they are others. Of a large client the links that tell most."""
    nodes, links = _drawn(found, lang)
    hidden = len(found["members"]) - sum(not node.outside for node in nodes)
    notes = [
        f"{number}. {border['display_name'] or ''} {border['client_id']}: {border['words'][lang]}"
        for number, border in enumerate(_borders(found), 1)
    ]
    if hidden:
        notes.append(phrase("cut", lang, more=hidden))
    names = {style: phrase(f"legend_{style}", lang) for style in _STYLES}
    return graph_chart(
        phrase("client", lang, name=found["display_name"] or "", client=found["client_id"]).strip(),
        size_words(found, lang),
        nodes,
        links,
        list(names.items()),
        columns=(phrase("left", lang), phrase("right", lang), "", phrase("bits", lang)),
        notes=notes,
    )


def size_words(found: Answer, lang: str) -> str:
    """How large a client is and how closely it hangs together."""
    return phrase(
        "client_size",
        lang,
        kind=phrase(found["kind"], lang),
        records=found["records"],
        points=len(found["members"]),
        pairs=found["pairs"],
        linking=found["linking_pairs"],
        plausible=found["plausible_pairs"],
    )


def _borders(found: Answer) -> list[Any]:
    return list(found["borders"][:_MOST_OUTSIDE])


def _drawn(found: Answer, lang: str) -> tuple[list[Node], list[Link]]:
    alike = {member["record"]: member["alike"] for member in found["members"]}
    shared = len(_shared_beginning(list(alike)))
    at: dict[str, int] = {}
    nodes: list[Node] = []

    def node(record: str) -> int | None:
        if record not in at:
            if len(nodes) >= MOST_NODES - len(_borders(found)):
                return None
            at[record] = len(nodes)
            count = alike.get(record, 1)
            detail = phrase("alike", lang, count=count) if count > 1 else ""
            nodes.append(Node(record[shared:], detail, count, name=record))
        return at[record]

    links: list[Link] = []
    several = len(found["held_by"]) > 1
    seam = {found["seam"]["left"], found["seam"]["right"]} if several else None
    for pair in sorted(found["held_by"], key=lambda pair: {pair["left"], pair["right"]} != seam):
        one, two = node(pair["left"]), node(pair["right"])
        if one is not None and two is not None:
            links.append(_link(pair, one, two, "seam" if {pair["left"], pair["right"]} == seam else "for", lang))
    for member in found["members"]:
        node(member["record"])
    for pair in found["against"][:_MOST_AGAINST]:
        one, two = at.get(pair["left"]), at.get(pair["right"])
        if one is not None and two is not None:
            links.append(_link(pair, one, two, "against", lang))
    for number, border in enumerate(_borders(found), 1):
        one = at.get(border["left"])
        if one is not None:
            name = border["display_name"] or border["client_id"]
            detail = phrase("records", lang, count=border["records"])
            nodes.append(Node(f"{number}. {name}", detail, border["records"], outside=True, name=border["client_id"]))
            links.append(_link(border, one, len(nodes) - 1, "outside", lang))
    return nodes, links


def _shared_beginning(names: list[str]) -> str:
    """`source:stream:` where all records are of one stream; a circle has no room for it."""
    beginnings = {name[: name.rfind(":") + 1] for name in names}
    return beginnings.pop() if len(beginnings) == 1 else ""


def _link(pair: Answer, one: int, two: int, style: LinkStyle, lang: str) -> Link:
    """Strong links are short; what speaks against stretches."""
    bits = pair["bits"]
    length = 3.0 if style == "against" else 1.0 + 1.5 * (1 - min(max(bits / 40, 0.0), 1.0)) + (style == "outside")
    label = phrases("judged")[lang] if pair["judged"] else f"{bits:+.1f}"
    return Link(one, two, label, length, style)

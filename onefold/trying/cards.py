"""One pair of rows as a card of the report: both values of each field, and the bits that they add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.charts.axes import percent
from onefold.trying.cells import Raw, bar, safe, table

if TYPE_CHECKING:
    from onefold.trying.examples import Example


def card(one: Example) -> str:
    """Closed until it is asked for; its head tells both names, the places and the sum."""
    evidence = one.evidence
    told = [finding for finding in evidence["findings"] if finding["level"] != "missing"]
    silent = [
        finding["words"]["en"].partition(":")[0] for finding in evidence["findings"] if finding["level"] == "missing"
    ]
    widest = max((abs(finding["bits"]) for finding in told), default=1.0) or 1.0
    rows = [
        (
            finding["words"]["en"],
            finding["left"],
            finding["right"],
            Raw(f'<span class="{_side(finding)}">{finding["bits"]:+.1f}</span>'),
            bar(finding["bits"] / widest),
        )
        for finding in told
    ]
    against = "".join(
        f"<p class=doubt>{safe(name)} contradicts: two valid values exclude each other.</p>"
        for name in evidence["contradictions"]
    )
    lacking = f"<p class=faint>Not known of both: {safe(', '.join(silent))}.</p>" if silent else ""
    total = (
        f"{evidence['total_bits']:+.1f} bits; a link takes {evidence['link_bits']:+.1f}, a question "
        f"{evidence['review_bits']:+.1f}. Probability {percent(evidence['probability'])}."
    )
    why = f" <small>{safe(one.why)}</small>" if one.why else ""
    places = f"<small>{safe(one.left_place)} · {safe(one.right_place)}</small>"
    head = f"<b>{evidence['total_bits']:+.1f} bits</b> {safe(one.left_name)} | {safe(one.right_name)} {places}{why}"
    heads = ("", one.left_place, one.right_place, "bits", "")
    body = f"{against}{table(heads, rows, (3,))}{lacking}<p>{safe(total)}</p>"
    return f"<details><summary>{head}</summary>{body}</details>"


def _side(finding: dict[str, Any]) -> str:
    return "for" if finding["bits"] >= 0 else "against"

"""Evidence on a pair in plain values, for JSON and pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from identity.explanation.explain import probability_of
from identity.schema import WEIGHT_ONE_BIT

if TYPE_CHECKING:
    from identity.explanation.explain import Evidence


def as_plain(evidence: Evidence) -> dict[str, Any]:
    """Evidence in plain values, weights in bits."""
    return {
        "verdict": evidence.verdict,
        "total_bits": evidence.total / WEIGHT_ONE_BIT,
        "link_bits": evidence.link / WEIGHT_ONE_BIT,
        "review_bits": evidence.review / WEIGHT_ONE_BIT,
        "missing_bits": evidence.missing_bits,
        "prior_bits": evidence.prior / WEIGHT_ONE_BIT,
        "odds_bits": evidence.odds / WEIGHT_ONE_BIT,
        "probability": probability_of(evidence.odds),
        "findings": [
            {
                "column": f.column,
                "level": f.level,
                "left": f.left,
                "right": f.right,
                "bits": f.bits,
                "words": dict(f.words),
            }
            for f in evidence.findings
        ],
        "contradictions": list(evidence.contradictions),
        "rules": [asdict(rule) for rule in evidence.rules],
        "is_candidate": evidence.is_candidate,
    }

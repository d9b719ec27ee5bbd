"""Where the nodes of a small graph are drawn: the same graph, the same picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_STEPS = 300
_FAR = 1.6
"""Between nodes without a path: so many times the longest path of the graph."""

Places = npt.NDArray[np.float64]


def stress_layout(count: int, edges: Sequence[tuple[int, int, float]]) -> Places:
    """Positions (count x 2) in -1..1 whose distances follow the lengths (> 0) of the shortest paths between the nodes.

    Stress majorisation (Gansner, Koren, North 2004) from a circle in the order of the nodes: no chance in it.
    """
    if count < 2:
        return np.zeros((count, 2))
    wanted = _distances(count, edges)
    angle = 2 * np.pi * np.arange(count) / count
    at = np.stack([np.cos(angle), np.sin(angle)], axis=1) * wanted.max() / 2
    with np.errstate(divide="ignore"):
        weight = np.where(wanted > 0, wanted**-2.0, 0.0)
    share = weight / weight.sum(axis=1, keepdims=True)
    for _ in range(_STEPS):
        apart = at[:, None, :] - at[None, :, :]
        length = np.maximum(np.sqrt((apart**2).sum(axis=2)), 1e-9)
        # Each node goes to where the others would have it, on average; never beyond, so the stress only falls.
        at = (share[:, :, None] * (at[None, :, :] + apart * (wanted / length)[:, :, None])).sum(axis=1)
    at = _lying(at - at.mean(axis=0))
    at -= (at.max(axis=0) + at.min(axis=0)) / 2
    placed: Places = np.round(at / max(float(np.abs(at).max()), 1e-9), 3)
    return placed


def _lying(at: Places) -> Places:
    """Turned so that the graph is widest from left to right, with the first node on the left and in the upper half."""
    x, y = at[:, 0], at[:, 1]
    angle = 0.5 * np.arctan2(2 * (x * y).sum(), (x * x).sum() - (y * y).sum())
    turned = np.stack([x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)], axis=1)
    return np.where(turned[0] > 0, -turned, turned)


def _distances(count: int, edges: Sequence[tuple[int, int, float]]) -> Places:
    """Lengths of the shortest paths (Floyd and Warshall)."""
    found = np.full((count, count), np.inf)
    np.fill_diagonal(found, 0.0)
    for one, two, length in edges:
        found[one, two] = found[two, one] = min(float(found[one, two]), length)
    for through in range(count):
        found = np.minimum(found, found[:, through, None] + found[None, through, :])
    reached = found[np.isfinite(found)]
    return np.where(np.isfinite(found), found, _FAR * max(float(reached.max(initial=0.0)), 1.0))

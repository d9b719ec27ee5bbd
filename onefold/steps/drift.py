"""evaluate --drift: whether the weights of plausible pairs are spread as they were in a former run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from identity.evaluation.drift import drift as compare
from identity.schema import WEIGHT_ONE_BIT
from onefold.errors import NothingFound
from onefold.steps.report import Report
from onefold.steps.resolve import current_model
from warehouse import surroundings

if TYPE_CHECKING:
    from onefold.context import Context
    from warehouse.surroundings import WeightHistory


@dataclass(frozen=True, slots=True)
class DriftReport(Report):
    """The plausible pairs of now beside those of a former run."""

    run_id: int
    """The former run."""
    at: str
    model_before: int | None
    model_now: int
    kinds: tuple[Mapping[str, Any], ...]
    """kind, index (population stability index), by_chance, verdict (same, slight, drifted, too_few), before and now
    (pairs), mean_before and mean_now (bits), bins (low, high, before, now: shares), link and review (bits)."""
    runs: tuple[Mapping[str, Any], ...]
    """The runs that could be compared with: run_id, at, model_version."""


def drift(context: Context, against: int | None = None) -> DriftReport:
    """Compare the weights of the stored plausible pairs with those that run `against` kept; without one, with the first
    run under the model in use that kept them. Raises NothingFound where there is no such run.
    """
    with context.connection("onefold evaluate") as conn:
        model = current_model(context, conn)
        histories = surroundings.weight_histories(conn)
        former = _chosen(histories, against, model.version)
        now = surroundings.weight_histogram(conn)
    kinds = []
    for kind in sorted({*former.weights, *now}):
        found = compare(_bins(former.weights.get(kind, {})), _bins(now.get(kind, {})))
        limits = model.kind(kind)
        thresholds = {"review": limits.review / WEIGHT_ONE_BIT, "link": limits.link / WEIGHT_ONE_BIT}
        kinds.append({"kind": kind, **asdict(found), **thresholds})
    runs = tuple({"run_id": run.run_id, "at": run.at, "model_version": run.model_version} for run in histories)
    return DriftReport(former.run_id, former.at, former.model_version, model.version, tuple(kinds), runs)


def _chosen(histories: Sequence[WeightHistory], against: int | None, model_version: int) -> WeightHistory:
    known = [run.run_id for run in histories]
    if not histories:
        raise NothingFound("No run has kept how its weights were spread yet.", "`onefold resolve --all` keeps it.")
    if against is None:
        of_model = [run for run in histories if run.model_version == model_version]
        return (of_model or histories)[-1]
    found = [run for run in histories if run.run_id == against]
    if not found:
        listed = ", ".join(map(str, known[:10]))
        raise NothingFound(f"Run {against} has kept no weights.", f"Those that have: {listed}.")
    return found[0]


def _bins(counts: Mapping[str, int]) -> dict[int, int]:
    return {int(at): count for at, count in counts.items()}

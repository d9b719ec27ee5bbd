"""`/v1/metrics` and `/v1/loyalty`: what is measured of clients, from their side and from the company's."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from onefold.steps.measures_told import loyalty as loyalty_step
from onefold.steps.measures_told import report as report_step
from onefold.web.api import shapes
from onefold.web.asking import Asker
from onefold.web.door import TheHub, answer, needs

router: Final = APIRouter(tags=["Metrics"])
Asks = Annotated[Asker, Depends(needs("clients"))]
Name = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@router.get("/metrics", response_model=shapes.MetricsReport)
def metrics(
    hub: TheHub,
    _asker: Asks,
    metric: Annotated[list[Name] | None, Query(max_length=50, description="Only these.")] = None,
) -> Response:
    """The client's side and the company's side, each metric with its value, 95 % interval and sample, by month and
    segment; of no client in particular. `is_one_sided`: only the company's side is told."""
    return answer(report_step(hub.reading, metric))


@router.get("/loyalty", response_model=shapes.LoyaltyReport)
def loyalty(hub: TheHub, _asker: Asks) -> Response:
    """Whether clients to whom more was kept come back more often; of no client in particular."""
    return answer({"loyalty": loyalty_step(hub.reading)})

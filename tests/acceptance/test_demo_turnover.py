"""The turnover that the demo planted stands in fct_revenue to the kopek, whoever is merged and taken apart again."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from onefold.context import Context
from onefold.demo.world import read_documents
from onefold.steps.judge import judge, lift
from onefold.steps.train import train, use
from tests.support.demo import demo
from warehouse.keys import record_id


def turnover(context: Context) -> dict[str, Decimal]:
    with context.connection("test") as conn:
        rows = conn.execute(
            "SELECT currency, sum(amount) FROM onefold_v1.fct_revenue WHERE NOT is_deleted AND amount IS NOT NULL"
            " GROUP BY currency ORDER BY currency"
        ).fetchall()
    return dict(rows)


def events(context: Context, documents: dict[str, str]) -> dict[str, set[int]]:
    """Planted event -> the events that its documents are in."""
    with context.connection("test") as conn:
        of = dict(conn.execute("SELECT record_id, event_id FROM onefold_v1.xref_document").fetchall())
    found: defaultdict[str, set[int]] = defaultdict(set)
    for name, event in documents.items():
        found[event].add(of[record_id(*name.split(":", 2))])
    return found


@pytest.mark.timeout(280)
def test_the_planted_turnover_is_counted_to_the_kopek_before_and_after_merges(
    tmp_path: Path, database_url: str
) -> None:
    with demo(tmp_path, database_url, scale=0.3) as company, company.context() as context:
        use(context, train(context).version)
        world = company.hub.world
        planted = read_documents(world.folder)
        found = events(context, planted)
        assert [event for event, of in found.items() if len(of) != 1] == []
        assert len({next(iter(of)) for of in found.values()}) == len(found)
        assert turnover(context) == world.planted_turnover
        with context.connection("test") as conn:
            clients = [
                row[0]
                for row in conn.execute(
                    "SELECT client_id::text FROM onefold_v1.dim_client WHERE NOT is_deleted AND kind = 'organisation'"
                    " AND client_id IN (SELECT client_id FROM onefold_v1.fct_interaction) ORDER BY 1"
                )
            ]
            doubled = conn.execute(
                "SELECT 1 FROM onefold_v1.xref_document WHERE money IN ('quoted', 'ordered', 'invoiced')"
                " GROUP BY event_id, source, money HAVING count(*) > 1"
            ).fetchall()
        assert doubled == []
        rng = Random(7)
        said = []
        for _ in range(4):
            pair = rng.sample(clients, 2)
            said.append(judge(context, "same", pair[:1], pair[1:], reason="a test", by="test").judgement_id)
            clients = [one for one in clients if one not in pair]
            assert turnover(context) == world.planted_turnover
        rng.shuffle(said)
        for number in said:
            lift(context, number, reason="a test", by="test")
        assert turnover(context) == world.planted_turnover
        assert events(context, planted) == found

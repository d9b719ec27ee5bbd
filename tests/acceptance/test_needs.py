"""Needs and segments from a hub's registers: found, weighed, dated, and the same whether clients are looked at one by one or all at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import UsageError
from onefold.steps.discover_needs import discover_needs
from onefold.steps.erase import erase
from onefold.steps.needs import NeedsReport, find_needs, needs_of
from tests.support.hub import ERP, Hub
from warehouse import discovery
from warehouse.connect import unit_of_work
from warehouse.dump import row_versions

NEEDS = """
needs:
  urgency:
    job: {en: "Get it running again before the line stands still.", ru: "Запустить, пока не встала линия."}
    labels: {en: Urgency, ru: Срочность}
    dimension: time
    half_life: 365d
    signals:
      express: {types: sales_order, when: {detail.shipping: express}, labels: {en: express delivery}}
      stands: {types: sales_order, words: [линия стоит, urgent breakdown]}
      calm: {types: sales_order, when: {detail.shipping: slow}, against: true}
      said: {types: survey, when: {detail.shipping: fast}, origin: declared}
      said_no: {types: survey, when: {detail.shipping: any}, origin: declared, against: true}
  advice:
    job: {en: "Help me choose the right one."}
    labels: {en: Advice}
    dimension: knowledge
    signals:
      asks: {types: sales_order, words: [подобрать, choose]}
"""
SEGMENTS = """
schemes:
  by_need:
    basis: needs
    labels: By need
    segments:
      urgent: {labels: Urgent, needs: urgency, policy: Answered within two hours.}
      advised: {labels: Advised, needs: [advice]}
  stage:
    basis: lifecycle
    labels: Stage
    segments:
      recent: {labels: Recent, when: {days_since_last: {at_most: 90}}}
      former: {labels: Former, when: {dealings: {at_least: 1}}}
"""
SURVEY = """
interactions:
  survey:
    department: sales
    labels: {en: Survey}
    direction: inbound
"""
CLIENTS = 150
STORED = (
    "SELECT * FROM core.client_need ORDER BY client_id, need, origin",
    "SELECT * FROM core.client_need_evidence ORDER BY client_id, signal_key, record_id",
    "SELECT client_id, scheme, segment, entered_reason, probability, runner_up FROM core.client_segment"
    " WHERE left_at IS NULL ORDER BY client_id, scheme",
)


def fill(hub: Hub) -> dict[int, str | None]:
    """Orders of clients a fifth of whom are in a hurry and a fifth of whom ask for advice; which client is what."""
    stream = "document_number: no\n    summary: text\n    detail: {shipping: ship}"
    types = "type: {when: sort, survey: survey, else: sales_order}"
    hub.configure("erp", ERP.replace("document_number: no", stream).replace("type: sales_order", types))
    for name, text in (("needs", NEEDS), ("segments", SEGMENTS), ("interactions", SURVEY)):
        (hub.folder / "config" / f"{name}.yaml").write_text(text, encoding="utf-8")
    rng, orders, truth = random.Random(5), hub.registers["erp_orders"], {}
    for client in range(CLIENTS):
        hub.registers["erp_customers"].append(
            {
                "code": f"C{client}",
                "kind": "person",
                "person": f"Имя{client} Фамилия{client}",
                "mail": f"a{client}@ex{client}.example",
            }
        )
        truth[client] = {0: "urgent", 1: "advised"}.get(client % 5)
        orders += [order(rng, f"N{client}-{n}", client, truth[client]) for n in range(rng.randint(5, 22))]
    orders.append({"no": "S1", "customer": "C2", "date": "2025-06-01", "sort": "survey", "ship": "fast"})
    orders.append({"no": "S2", "customer": "C0", "date": "2025-06-01", "sort": "survey", "ship": "fast"})
    orders.append({"no": "S3", "customer": "C0", "date": "2025-07-01", "sort": "survey", "ship": "any"})
    for name in ("erp_customers", "erp_orders"):
        hub.write(name)
    return truth


def order(rng: random.Random, number: str, client: int, kind: str | None) -> dict[str, Any]:
    text = "Насос НЦ-100"
    if rng.random() < (0.5 if kind == "urgent" else 0.04):
        text = rng.choice(("Вчера линия стояла весь день", "Two urgent breakdowns", "ЛИНИЯ СТОИТ!"))
    elif rng.random() < (0.7 if kind == "advised" else 0.05):
        text = rng.choice(("Подберите нам замену", "help us choosing a pump"))
    slow = 0.02 if kind == "urgent" else 0.15
    ship = (
        "express"
        if rng.random() < (0.7 if kind == "urgent" else 0.1)
        else "slow"
        if rng.random() < slow
        else "standard"
    )
    return {"no": number, "customer": f"C{client}", "date": f"2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}", "total": 10, "ship": ship, "text": text}  # fmt: skip


def stored(hub: Hub) -> list[Any]:
    return [hub.query(query) for query in STORED]


def look_again(hub: Hub, *, anew: bool = False) -> NeedsReport:
    with hub.context() as context, context.connection() as conn:
        return find_needs(context, conn, anew=anew)


def served_segments(hub: Hub) -> dict[int, str | None]:
    query = "SELECT x.source_key, b.segment FROM onefold_v1.bridge_client_segment b JOIN onefold_v1.xref_client_record x USING (client_id) WHERE b.is_current AND b.scheme = 'by_need'"
    return {int(key[1:]): segment for key, segment in hub.query(query)}


def test_needs_are_found_and_stay_right_as_dealings_change_move_and_go(hub: Hub) -> None:
    truth = fill(hub)
    hub.run()
    # Served: mostly right where anything is said, and unknown is an answer.
    found = served_segments(hub)
    assigned = {client: segment for client, segment in found.items() if segment is not None}
    assert len(assigned) > 30 and None in found.values()
    assert sum(truth[client] == segment for client, segment in assigned.items()) / len(assigned) >= 0.9
    texts = {
        text
        for (text,) in hub.query(
            "SELECT DISTINCT summary FROM onefold_v1.client_need_evidence WHERE signal IN ('stands', 'asks')"
        )
    }
    assert texts == {
        "Вчера линия стояла весь день",
        "Two urgent breakdowns",
        "ЛИНИЯ СТОИТ!",
        "Подберите нам замену",
        "help us choosing a pump",
    }

    # The client's own word stands beside what it does, and the last one counts.
    with hub.context() as context:
        said = needs_of(context, "erp:customers:C0", need="urgency")
    by_origin = {one["origin"]: one for one in said["needs"]}
    assert by_origin["declared"]["is_held"] is False and by_origin["observed"]["is_held"] is True
    assert {e["signal"] for e in said["evidence"] if e["is_against"]} >= {"said_no"}
    with hub.context() as context, pytest.raises(UsageError, match="no need `urgncy`") as typo:
        needs_of(context, "erp:customers:C0", need="urgncy")
    assert "`urgency`" in str(typo.value.hint)
    assert hub.query(
        "SELECT DISTINCT n.is_disputed FROM onefold_v1.client_need n JOIN onefold_v1.xref_client_record x USING (client_id)"
        " WHERE x.source_key = 'C0' AND n.need = 'urgency'"
    ) == [(True,)]

    # How lately somebody buys is another scheme, which needs no check.
    stages = dict(
        hub.query("SELECT segment, count(*) FROM onefold_v1.bridge_client_segment WHERE scheme = 'stage' GROUP BY 1")
    )
    late = "SELECT count(*) FROM (SELECT client_id FROM onefold_v1.fct_interaction GROUP BY 1 HAVING max(occurred_on) >= date '2026-03-01' - 90) AS r"
    assert stages["recent"] == hub.query(late)[0][0] and sum(stages.values()) == CLIENTS

    # Nothing new, nothing written.
    before = versions(hub)
    hub.run()
    assert versions(hub) == before

    # Orders change, move to other clients, and go; two clients become one.
    rng, orders = random.Random(9), hub.registers["erp_orders"]
    for one in rng.sample(orders[:-3], 40):
        one.update(order(rng, one["no"], rng.randrange(CLIENTS), "urgent"))
    for one in rng.sample(orders, 25):
        orders.remove(one)
    hub.registers["erp_customers"][7] |= {"person": "Имя8 Фамилия8", "mail": "a8@ex8.example"}
    for name in ("erp_customers", "erp_orders"):
        hub.write(name)
    hub.run()
    changed = stored(hub)
    assert look_again(hub) == NeedsReport()
    with hub.context() as context, context.connection() as conn:
        # As if the scheme were new: everybody is looked at, with the same rates.
        conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'segments'")
        whole = find_needs(context, conn)
    assert whole.clients >= CLIENTS - 5 and not whole.measured
    assert stored(hub) == changed and (whole.needs, whole.sightings) == (0, 0)
    left = hub.query(
        "SELECT count(*) FROM onefold_v1.bridge_client_segment WHERE NOT is_current AND left_at > entered_at AND left_reason IS NOT NULL"
    )
    assert left[0][0] > 0

    # Where everything has aged to nothing, nothing is expected; a dealing of long ago is no error.
    short = NEEDS.replace("half_life: 365d", "half_life: 1d")
    signal = "      told: {types: survey, when: {detail.shipping: fast}}\n      calm:"
    (hub.folder / "config" / "needs.yaml").write_text(short.replace("      calm:", signal), encoding="utf-8")
    orders.append({"no": "OLD", "customer": "C3", "date": "2015-01-01", "ship": "express"})
    hub.write("erp_orders")
    hub.run()
    rate = "SELECT r.rate FROM core.need_rate r JOIN core.need_signal s USING (signal_key) WHERE s.code = 'told'"
    assert hub.query(rate) == [(0.0,)]

    # Without the file nothing is left but when who was in which segment.
    (hub.folder / "config" / "segments.yaml").unlink()
    (hub.folder / "config" / "needs.yaml").unlink()
    hub.run()
    assert stored(hub) == [[], [], []]
    assert look_again(hub) == NeedsReport()


def test_features_are_counted_for_those_that_are_looked_at_and_no_file_is_written_over(hub: Hub) -> None:
    fill(hub)
    hub.run()
    every = "SELECT place, type, looked, value, is_word, count(*) FROM discover_shown GROUP BY 1, 2, 3, 4, 5"
    with hub.context() as context:
        with context.connection() as conn, unit_of_work(conn):
            features, counts, _ = discovery.read(conn, minimum=6, clients=100, features=4)
            place = {feature: at for at, (feature, _) in enumerate(features)}
            shown = [((row[1:5]), row[0], row[5]) for row in conn.execute(every)]
        assert len(features) == 4 and len(shown) > len(counts) > 0
        assert sorted(counts) == sorted((client, place[one], n) for one, client, n in shown if one in place)
        taken = Path(hub.folder / "config" / "needs.yaml")
        with pytest.raises(UsageError, match="exists"):
            discover_needs(context, path=taken)
    assert taken.read_text(encoding="utf-8") == NEEDS

    # An erased client's dealings stand under its bare id: no look, however whole, asks what they show.
    theirs = "SELECT (SELECT count(*) FROM core.client_need WHERE client_id = %(id)s), (SELECT count(*) FROM core.client_segment WHERE client_id = %(id)s)"
    erased = {"id": hub.client_of("erp:customers:C5")}
    assert all(count > 0 for count in hub.query(theirs, erased)[0])
    with hub.context() as context:
        erase(context, "erp:customers:C5", reason="request 5", by="ada", ground="kept for audits")
    hub.ticks += 86_400  # a day: schemes of lifecycle are told anew
    assert look_again(hub, anew=True).clients > 0
    assert hub.query(theirs, erased) == [(0, 0)]
    assert hub.query("SELECT count(*) FROM core.interaction WHERE client_id = %(id)s", erased)[0][0] > 0


def versions(hub: Hub) -> Any:
    with hub.context() as context, context.connection() as conn:
        return row_versions(conn)

"""Pins: a steward's word on one attribute, held by one record and following that record's client."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from identity.survive.candidates import Ints, Records
from identity.survive.choice import Chosen
from identity.survive.settings import SurvivorshipRules

PIN: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("attribute", pa.string(), nullable=False),
        pa.field("value", pa.string()),  # null: the attribute is to be empty
        pa.field("policy", pa.string(), nullable=False),  # pin | until_source_changes | until_date | fill_if_empty
        pa.field("reason", pa.string()),
        pa.field("until", pa.date32()),  # the last day on which it holds; null: no such day
        pa.field("judgement_id", pa.int64()),  # which decision it is, for people
    ]
)
"""Pins in force: what has expired (by date, or because the source changed) is not handed over."""


def apply_pins(records: Records, chosen: dict[str, Chosen], pins: pa.Table, rules: SurvivorshipRules) -> None:
    """Put pinned values in place of the chosen ones, in `chosen`; what they replace becomes a loser
    (`pinned`).

    Of two pins on one field the one of the smaller natural key holds, and its lineage says `conflict`.
    """
    row_of = {record: row for row, record in enumerate(records.record_id.to_pylist())} if pins.num_rows > 1000 else None
    if row_of is None:
        wanted = np.unique(pins["record_id"].to_numpy())
        ids = records.record_id.to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(np.isin(ids, wanted))
        row_of = {int(ids[row]): int(row) for row in rows}
    held: dict[str, dict[int, list[tuple[int, dict[str, Any]]]]] = {}
    for pin in pins.to_pylist():
        row = row_of.get(pin["record_id"])
        if row is not None:
            client = int(records.client[row])
            held.setdefault(pin["attribute"], {}).setdefault(client, []).append((row, pin))
    for attribute, by_client in held.items():
        chosen[attribute] = _pinned(chosen.get(attribute), by_client, rules.keeps_all(attribute))


def _pinned(old: Chosen | None, by_client: dict[int, list[tuple[int, dict[str, Any]]]], is_list: bool) -> Chosen:
    clients: list[int] = [] if old is None else old.client.tolist()
    values: list[str | None] = [] if old is None else old.first_value.to_pylist()
    jsons: list[str] = [] if old is None else old.value_json.to_pylist()
    lineages: list[str] = [] if old is None else old.lineage_json.to_pylist()
    place = {client: i for i, client in enumerate(clients)}
    for client, pins in by_client.items():
        pins.sort(key=lambda held: (held[0], *_order(held[1])))
        at = place.get(client)
        empty = at is None or '"invalid"' in lineages[at].partition('"losers"')[0]
        in_force = [(row, pin) for row, pin in pins if pin["policy"] != "fill_if_empty" or empty]
        if not in_force:
            continue
        pin = in_force[0][1]
        before = None if at is None else msgspec.json.decode(lineages[at])
        lineage = _lineage(pin, before, None if at is None else values[at], is_list)
        if len({held["value"] for _, held in in_force}) > 1:
            lineage["conflict"] = True
        if at is None:
            at = len(clients)
            place[client] = at
            clients.append(client)
            values.append(None)
            jsons.append("")
            lineages.append("")
        values[at] = pin["value"]
        content = pin["value"] if not is_list else [] if pin["value"] is None else [pin["value"]]
        jsons[at] = msgspec.json.encode(content).decode()
        lineages[at] = msgspec.json.encode(lineage).decode()
    ascending = np.argsort(np.array(clients, dtype=np.int64), kind="stable")
    order: Ints = ascending.astype(np.int64)
    return Chosen(
        np.array(clients, dtype=np.int64)[order],
        pa.array(values, pa.string()).take(pa.array(order)),
        pa.array(jsons, pa.string()).take(pa.array(order)),
        pa.array(lineages, pa.string()).take(pa.array(order)),
    )


def _order(pin: dict[str, Any]) -> tuple[Any, ...]:
    """Of several pins on one record those that only fill come last; then everything that the lineage tells."""
    until, number, reason = pin["until"] or date.max, pin["judgement_id"] or 0, pin["reason"] or ""
    return (
        pin["policy"] == "fill_if_empty",
        pin["value"] is None,
        pin["value"] or "",
        pin["policy"],
        until,
        number,
        reason,
    )


def _lineage(pin: dict[str, Any], before: dict[str, Any] | None, value: str | None, is_list: bool) -> dict[str, Any]:
    """What a pinned value's lineage says: the record that holds the pin, and the values that it replaced."""
    rule = "fill_if_empty" if pin["policy"] == "fill_if_empty" else "pinned"
    lineage: dict[str, Any] = {"record_id": pin["record_id"], "rule": rule, "policy": pin["policy"]}
    for name, said in (("until", pin["until"] and pin["until"].isoformat()), ("judgement", pin["judgement_id"])):
        if said is not None:
            lineage[name] = said
    if pin["reason"]:
        lineage["note"] = pin["reason"]
    if before is None:
        return lineage
    if "group" in before:
        lineage["group"] = before["group"]
    if is_list:
        replaced = [(kept["record_id"], kept["value"]) for kept in before.get("values", [])]
    else:
        replaced = [(before["record_id"], value)]
    losers = [
        {"record_id": record, "value": lost, "reason": "pinned"} for record, lost in replaced if lost != pin["value"]
    ] + [loser for loser in before.get("losers", []) if loser["value"] != pin["value"]]
    if losers:
        lineage["losers"] = losers
    return lineage

"""A record that is gone at its source takes its client out of the picture, not out of the hub; it comes back with its id."""

from __future__ import annotations

from typing import Any

from tests.support.hub import Hub

TOTAL = "SELECT count(*), sum(amount) FROM onefold_v1.fct_interaction WHERE NOT is_deleted"


def served(hub: Hub, client_id: str) -> tuple[Any, ...]:
    (row,) = hub.query("SELECT display_name, is_deleted FROM onefold_v1.dim_party WHERE client_id = %s", (client_id,))
    return row


def kinds(hub: Hub, client_id: str) -> list[str]:
    found = hub.query(
        "SELECT change FROM onefold_v1.change_feed WHERE client_id = %s ORDER BY changed_seq", (client_id,)
    )
    return [row[0] for row in found]


def test_the_client_of_a_tombstone_is_retired_not_dropped_and_comes_back_with_its_id(filled_hub: Hub) -> None:
    hub = filled_hub
    hub.registers["erp_orders"].append({"no": "SO-4", "customer": "C3", "date": "2026-02-07", "total": "33.00"})
    hub.write("erp_orders")
    hub.run()
    client, total = hub.client_of("erp:customers:C3"), hub.query(TOTAL)
    name, is_deleted = served(hub, client)
    assert not is_deleted
    assert kinds(hub, client) == ["created"]
    gone = next(one for one in hub.registers["erp_customers"] if one["code"] == "C3")
    for times in (1, 2):
        hub.registers["erp_customers"].remove(gone)
        hub.write("erp_customers")
        hub.run()
        assert hub.query("SELECT is_deleted FROM raw.record WHERE source_key = 'C3'") == [(True,)]
        assert served(hub, client) == (name, True), "retired, and still there with its name"
        assert kinds(hub, client)[-1] == "retired"
        links = hub.query(
            "SELECT client_id::text, is_deleted FROM onefold_v1.xref_client_record WHERE source_key = 'C3'"
        )
        assert links == [(client, True)], "where it was is known"
        assert hub.query(TOTAL) == total, "its order stands"
        hub.has_nothing_to_do()
        hub.registers["erp_customers"].append(gone)
        hub.write("erp_customers")
        hub.run()
        assert hub.client_of("erp:customers:C3") == client
        assert served(hub, client) == (name, False)
        assert kinds(hub, client) == ["created", *["retired", "revived"] * times]
        orders = hub.query("SELECT client_id::text FROM onefold_v1.fct_interaction WHERE source_key = 'SO-4'")
        assert orders == [(client,)]
        assert hub.query(TOTAL) == total
    versions = hub.query(
        "SELECT count(*), count(*) FILTER (WHERE valid_to IS NULL) FROM onefold_v1.dim_client_history WHERE client_id = %s",
        (client,),
    )
    assert versions == [(5, 1)], "each of its lives, and the times between, are versions"

"""plan says what an edited configuration does and writes nothing; apply does just that; expectations are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.errors import HubBusy
from onefold.steps.expectations import check_hub
from onefold.steps.plan import NotApplied, apply, plan
from onefold.steps.report import PlanReport
from tests.support.cli import onefold
from tests.support.hub import CRM, Hub
from warehouse import runs
from warehouse.connect import connect, create_database, database_name, with_database
from warehouse.dump import row_versions

EXPECTED = """
same_client:
  - {records: [crm:contacts:1, erp:customers:C2], because: "one Чайковский"}
different_clients:
  - {records: [crm:contacts:1, crm:contacts:2]}
values:
  - {record: crm:contacts:1, attribute: city, value: Клин}
counts:
  - {view: dim_client, at_least: 2, at_most: 100}
"""


def planned(hub: Hub) -> PlanReport:
    with hub.context() as context:
        return plan(context)


def everything(hub: Hub) -> Any:
    with connect(hub.database_url, application_name="test") as conn:
        runs = conn.execute("SELECT count(*) FROM ops.run").fetchone()
        databases = conn.execute("SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_plan\\_%'").fetchone()
        return row_versions(conn), runs, databases


def expect(hub: Hub, text: str) -> None:
    (hub.folder / "config" / "expectations.yaml").write_text(text, encoding="utf-8")


def test_a_plan_writes_nothing_and_is_what_apply_does(ready_hub: Hub) -> None:
    hub = ready_hub
    assert not planned(hub).changes
    before, clients = everything(hub), hub.partition()
    # Without birth dates, e-mails and phones nothing but a name holds the people together; cities come as places.
    hub.configure("crm", CRM.replace(", birth_date: born, email: emails, phone: phone, city: city", ""))
    report = planned(hub)
    assert report.changes and everything(hub) == before
    assert [(one["source"], one["stream"]) for one in report.remapped] == [("crm", "contacts")]
    assert report.remapped[0]["changed"] == 3 and (report.remapped[0]["new"], report.remapped[0]["gone"]) == (0, 0)
    assert report.clients_after > report.clients_before and report.split >= 1 and report.merged == 0
    assert {name for one in report.largest_split for name in one["names"]} & {"Пётр Чайковский", "Чайковский Пётр"}
    gone = {one["attribute"]: one["emptied"] for one in report.values}
    assert gone["city"] >= 1
    with hub.context() as context:
        done = apply(context, by="ada")
    assert (done.clients_after, done.links_moved, done.split) == (
        report.clients_after,
        report.links_moved,
        report.split,
    )
    now = hub.partition()
    assert now != clients and len(now) == report.clients_after
    assert not planned(hub).changes
    hub.configure("crm", CRM)
    back = planned(hub)
    assert back.merged == report.split and back.clients_after == report.clients_before
    with hub.context() as context:
        apply(context, by="ada")
    assert hub.partition() == clients


def test_what_a_run_holds_back_is_planned_and_applied(ready_hub: Hub) -> None:
    hub = ready_hub
    (hub.folder / "config" / "hub.yaml").write_text("limits: {merged: 0.01, at_least: 0}\n", encoding="utf-8")
    clients = hub.partition()
    hub.configure("crm", CRM.replace(", birth_date: born, email: emails, phone: phone, city: city", ""))
    held = hub.run()
    assert held.resolve.held is not None and hub.partition() == clients
    report = planned(hub)
    assert report.split >= 1
    with hub.context() as context:
        apply(context, by="ada")
    assert len(hub.partition()) == report.clients_after
    assert hub.run().resolve.held is None and not planned(hub).changes


def test_what_is_expected_is_checked_by_test_plan_and_apply(ready_hub: Hub) -> None:
    hub = ready_hub
    expect(hub, EXPECTED)
    place = ("--config", hub.folder / "config", "--home", hub.folder / "var", "--database", hub.database_url)
    good = onefold(*place, "--json", "test")
    assert (good.code, good.json) == (0, {"checked": 4, "misses": []})
    hub.configure("crm", CRM.replace(", birth_date: born, email: emails, phone: phone, city: city", ""))
    report = planned(hub)
    assert [miss.expected for miss in report.check.misses] == ["same_client", "values"]
    assert report.check.misses[0].place == "config/expectations.yaml:3" and report.check.misses[0].because
    clients = hub.partition()
    with hub.context() as context, pytest.raises(NotApplied, match="2 of 4 expectations would not hold"):
        apply(context, by="ada")
    assert hub.partition() == clients
    shown = onefold(*place, "plan")
    assert shown.code == 1 and "Largest splits" in shown.out and "expectations.yaml:3" in shown.err
    assert onefold(*place, "apply").code == 1
    forced = onefold(*place, "apply", "--force")
    assert forced.code == 0 and "Applied" in forced.out
    failed = onefold(*place, "test")
    assert failed.code == 1 and "onefold explain crm:contacts:1 erp:customers:C2" in failed.err
    assert "Клин" not in failed.err


def test_expectations_that_name_what_is_not_there_are_told(ready_hub: Hub) -> None:
    expect(
        ready_hub,
        "different_clients: [{records: [crm:contacts:1, erp:customers:C1, crm:contacts:77]}]\n"
        "values: [{record: crm:contacts:1, attribute: city, value: Тверь}]\n"
        "counts: [{view: dim_nothing, at_least: 1}, {view: dim_client, at_most: 1}]\n",
    )
    with ready_hub.context() as context:
        report = check_hub(context)
    said = [miss.message for miss in report.misses]
    assert report.checked == 4 and len(said) == 4
    assert said[0] == "crm:contacts:77: no such client record has come."
    assert "another city than expected" in said[1] and "no view dim_nothing" in said[2] and "at most 1" in said[3]


def test_a_count_without_bounds_is_refused(hub: Hub) -> None:
    expect(hub, "counts:\n  - {view: dim_client}\n")
    failed = onefold("--config", hub.folder / "config", "--home", hub.folder / "var", "test")
    assert failed.code == 3 and "expectations.yaml:2" in failed.err and "neither" in failed.err


def test_what_a_killed_plan_left_behind_goes_with_the_next_and_one_is_made_at_a_time(ready_hub: Hub) -> None:
    hub = ready_hub
    left = with_database(hub.database_url, f"{database_name(hub.database_url)[:40]}_plan_0123ab")
    create_database(left)
    folder = hub.folder / "var" / "plan-killed"
    folder.mkdir(parents=True)
    hub.configure("crm", CRM.replace(", city: city", ""))
    with connect(hub.database_url, application_name="test") as conn:
        assert runs.try_plan_lock(conn)
        with pytest.raises(HubBusy, match="Another plan"):
            planned(hub)
    assert planned(hub).changes
    assert everything(hub)[2] == (0,) and not folder.exists()


def test_a_copy_goes_also_when_the_trial_fails(ready_hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from onefold.steps import resolve as module

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("in mid-plan")

    ready_hub.configure("crm", CRM.replace(", city: city", ""))
    before = everything(ready_hub)
    monkeypatch.setattr(module, "resolve", broken)
    with pytest.raises(RuntimeError, match="in mid-plan"):
        planned(ready_hub)
    assert everything(ready_hub) == before
    assert list((ready_hub.folder / "var").glob("plan-*")) == []

"""Scenes for the kill drill: a hub before a step, the step as a process does it, and what a person types after a kill."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.hub import CRM, FILES, Hub
from warehouse.connect import connect
from warehouse.dump import canonical_dump

PEOPLE = 120
SYLLABLES = ("ba", "du", "fe", "go", "ki", "lam", "mor", "nu", "pes", "rit", "so", "tav", "vil", "zen", "qua", "hol")
HELD_BY_NOTHING = "limits: {deleted: 1.0, emptied: 1.0, changed: 1.0, merged: 1.0}\n"


def surname(number: int) -> str:
    """A name that no other number has."""
    words = random.Random(number)
    return "".join(words.choice(SYLLABLES) for _ in range(4)).title()


def registers(hub: Hub, *, seed: int = 5, changed: bool = False) -> None:
    """Twins in two registers, firms with deals and orders that tell of one sale; `changed`: what comes next."""
    rng = random.Random(seed)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    for n in range(PEOPLE):
        person = {"id": f"{n}", "first": rng.choice(["Иван", "Анна", "Олег", "Вера"]), "last": surname(n),
                  "born": f"{1950 + n % 50}-0{1 + n % 9}-1{n % 10}", "emails": f"p{n}@example.ru",
                  "phone": f"+7 916 555-{n // 100:02d}-{n % 100:02d}", "company": f"{n % 20}", "city": "Клин"}  # fmt: skip
        other = {"code": f"P{n}", "kind": "person", "person": f"{person['last']} {person['first']}",
                 "born": person["born"], "mail": person["emails"]}  # fmt: skip
        if changed and n % 7 == 0:
            person |= {"city": "Тверь", "phone": f"+7 926 111-22-{n % 100:02d}"}
        if changed and n % 11 == 0:
            other["mail"] = f"p{n - 1}@example.ru"
        if not (changed and n % 13 == 0):
            found["crm_contacts"].append(person)
        found["erp_customers"].append(other)
    for n in range(20):
        name = f"ООО {surname(1000 + n)}"
        found["crm_companies"].append(
            {"id": f"{n}", "name": name, "phone": f"+7 495 555-10-{n:02d}", "site": f"r{n}.example.ru"}
        )
        found["erp_customers"].append(
            {"code": f"F{n}", "kind": "company", "name": name, "tel": f"+7 495 555-10-{n:02d}"}
        )
    for n in range(PEOPLE):
        total = f"{1000 + n * 17 + (5 if changed and n % 9 == 0 else 0)}.{n % 100:02d}"
        found["crm_deals"].append(
            {"id": f"D{n}", "company": f"{n % 20}", "closed": f"2026-02-{1 + n % 28:02d}", "sum": total, "stage": "won"}
        )
        found["erp_orders"].append(
            {"no": f"SO-{n}", "customer": f"F{n % 20}", "date": f"2026-02-{1 + n % 28:02d}", "total": total}
        )
    hub.registers = found
    for name in FILES:
        hub.write(name)


def _filled(hub: Hub) -> None:
    (hub.folder / "config" / "hub.yaml").write_text(HELD_BY_NOTHING, encoding="utf-8")
    registers(hub)
    hub.run()


def _changed(hub: Hub) -> None:
    _filled(hub)
    registers(hub, changed=True)


def _steps(hub: Hub, *names: str) -> None:
    from onefold.steps.resolve import resolve
    from onefold.steps.run import enabled_sources
    from onefold.steps.standardise import standardise
    from onefold.steps.sync import sync

    with hub.context() as context:
        if "sync" in names:
            for source in enabled_sources(context):
                sync(context, source)
        if "standardise" in names:
            standardise(context)
        if "resolve" in names:
            resolve(context)


def _synced(hub: Hub) -> None:
    _changed(hub)
    _steps(hub, "sync")


def _standardised(hub: Hub) -> None:
    _changed(hub)
    _steps(hub, "sync", "standardise")


def _resolved(hub: Hub) -> None:
    _changed(hub)
    _steps(hub, "sync", "standardise", "resolve")


def do_run(hub: Hub) -> None:
    hub.run()


def do_sync(hub: Hub) -> None:
    _steps(hub, "sync")


def do_standardise(hub: Hub) -> None:
    _steps(hub, "standardise")


def do_resolve(hub: Hub) -> None:
    _steps(hub, "resolve")


def do_publish(hub: Hub) -> None:
    from onefold.steps.publish import publish

    with hub.context() as context:
        publish(context)


def _other_documents(hub: Hub) -> None:
    _filled(hub)
    (hub.folder / "config" / "documents.yaml").write_text("weights: {client_same: 9}\n", encoding="utf-8")


def do_train(hub: Hub) -> None:
    from onefold.steps.train import train, use

    with hub.context() as context:
        use(context, train(context).version)


def _with_crm(hub: Hub) -> None:
    """A hub over the CRM whose manifest stands in crm.json."""
    source = {
        "source": "crm", "connector": "rest", "defaults": {"country": "RU"}, "trust": 60,
        "settings": {"manifest": json.loads((hub.folder / "crm.json").read_text()), "parameters": {"token": "made-up-token"}},
        "streams": {"contacts": {
            "as": "person",
            "fields": {"given_name": "properties.first", "family_name": "properties.last", "email": "properties.email"},
            "write_back": {"enabled": True, "fields": {"onefold_id": "client_id", "golden_phone": "phone"}},
        }},
    }  # fmt: skip
    hub.configure("crm", json.dumps(source, ensure_ascii=False))
    hub.registers["erp_customers"] = [
        {"code": f"P{n}", "kind": "person", "person": f"{surname(n)} Иван", "mail": f"p{n}@example.ru", "tel": f"+7 916 555-01-{n:02d}"}
        for n in range(40)
    ]  # fmt: skip
    hub.write("erp_customers")
    hub.run()


def do_write_back(hub: Hub) -> None:
    from onefold.steps.write_back import write_back

    with hub.context() as context:
        write_back(context, "crm", apply=True)


def do_backup(hub: Hub) -> None:
    from onefold.steps.backup import backup

    backup(hub.settings, hub.folder / "hub.onefold", clock=hub.clock)


def backup_again(hub: Hub) -> None:
    """A file under the name is a whole one."""
    from warehouse.backup.archive import read_manifest

    if not (hub.folder / "hub.onefold").exists():
        do_backup(hub)
    assert read_manifest(hub.folder / "hub.onefold").dump_bytes > 0


def _with_backup(hub: Hub) -> None:
    """The registers have gone on since the backup."""
    _filled(hub)
    do_backup(hub)
    registers(hub, changed=True)
    hub.run()


def do_restore(hub: Hub) -> None:
    from onefold.steps.backup import restore

    restore(hub.settings, hub.folder / "hub.onefold", replace_hub=True)


def _somebody_is_erased(hub: Hub) -> None:
    """The key of erasures is there, so that both hubs hash alike."""
    from onefold.steps.erase import erase

    _filled(hub)
    with hub.context() as context:
        erase(context, "crm:contacts:5", reason="asked for", by="drill")


def do_erase(hub: Hub) -> None:
    from onefold.steps.erase import erase

    with hub.context() as context:
        erase(context, "crm:contacts:8", reason="asked for", by="drill")


def erase_again(hub: Hub) -> None:
    """An erasure is complete but for a run's work, or it was not begun."""
    if hub.query("SELECT count(*) FROM ops.erasure") == [(1,)]:
        do_erase(hub)


def _old_release(hub: Hub) -> None:
    """Nothing: the database is the one of a former release."""


def do_migrate(hub: Hub) -> None:
    from warehouse.migrate import upgrade

    upgrade(hub.database_url)


def _edited(hub: Hub) -> None:
    _filled(hub)
    hub.configure("crm", CRM.replace(", birth_date: born, email: emails, phone: phone, city: city", ""))


def do_plan(hub: Hub) -> None:
    from onefold.steps.plan import plan

    with hub.context() as context:
        plan(context)


def plan_again(hub: Hub) -> None:
    """A second plan, and nothing of either is left."""
    do_plan(hub)
    pattern = "SELECT count(*) FROM pg_database WHERE starts_with(datname, current_database() || '_plan_')"
    assert hub.query(pattern) == [(0,)]
    assert not list((hub.folder / "var").glob("plan-*"))


def do_apply(hub: Hub) -> None:
    from onefold.steps.plan import apply

    with hub.context() as context:
        apply(context, by="drill")


def _published(hub: Hub) -> None:
    _changed(hub)
    hub.run()


def _last_publication(hub: Hub) -> int:
    return int(hub.query("SELECT max(run_id) FROM ops.run WHERE command = 'publish' AND status = 'done'")[0][0])


def do_rollback(hub: Hub) -> None:
    from onefold.steps.hold import rollback

    number = int((hub.folder / "publication").read_text())
    with hub.context() as context:
        rollback(context, number, by="drill")


def _to_be_rolled_back(hub: Hub) -> None:
    _published(hub)
    (hub.folder / "publication").write_text(str(_last_publication(hub)))


def rollback_again(hub: Hub) -> None:
    """It was taken back and the rest is a run's work, or it was not."""
    if hub.query("SELECT count(*) FROM ops.hold WHERE state = 'rolled_back'") == [(0,)]:
        do_rollback(hub)


def _to_be_released(hub: Hub) -> None:
    _to_be_rolled_back(hub)
    do_rollback(hub)


def do_release(hub: Hub) -> None:
    from onefold.steps.hold import release

    with hub.context() as context:
        release(context, int((hub.folder / "publication").read_text()), by="drill")


def release_again(hub: Hub) -> None:
    """As `rollback_again`."""
    if hub.query("SELECT count(*) FROM ops.hold WHERE state = 'rolled_back'") != [(0,)]:
        do_release(hub)


def do_judge(hub: Hub) -> None:
    from onefold.steps.judge import judge

    with hub.context() as context:
        judge(context, "same", ["crm:contacts:3"], ["crm:contacts:4"], reason="told us", by="drill")


def judge_again(hub: Hub) -> None:
    """A word that is stored is not said twice."""
    if hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]:
        do_judge(hub)


@dataclass(frozen=True)
class Scene:
    """One step to be killed in."""

    name: str
    before: Callable[[Hub], None]
    step: Callable[[Hub], None]
    again: Callable[[Hub], None]
    """What is done after a kill; a run follows."""
    is_run: bool = True
    """A run follows."""


SCENES = (
    Scene("first run", registers, do_run, do_run),
    Scene("sync", _changed, do_sync, do_run),
    Scene("standardise", _synced, do_standardise, do_run),
    Scene("resolve", _standardised, do_resolve, do_run),
    Scene("publish", _resolved, do_publish, do_run),
    Scene("documents", _other_documents, do_publish, do_run),
    Scene("judge", _filled, do_judge, judge_again),
    Scene("train", _filled, do_train, do_train),
    Scene("write-back", _with_crm, do_write_back, do_write_back),
    Scene("backup", _filled, do_backup, backup_again),
    Scene("restore", _with_backup, do_restore, do_restore),
    Scene("erase", _somebody_is_erased, do_erase, erase_again),
    Scene("migrate", _old_release, do_migrate, do_migrate, is_run=False),
    Scene("plan", _edited, do_plan, plan_again, is_run=False),
    Scene("apply", _edited, do_apply, do_apply),
    Scene("rollback", _to_be_rolled_back, do_rollback, rollback_again),
    Scene("release", _to_be_released, do_release, release_again),
)
BY_NAME = {scene.name: scene for scene in SCENES}


def perform(name: str, folder: Path, url: str) -> None:
    """The step of a scene, in the process that is killed."""
    BY_NAME[name].step(Hub.at(folder, url))


def dump_after_kills(url: str) -> dict[str, list[str]]:
    """The canonical dump but for what a kill may leave behind by rights: a number of a judgement that nobody got, and
    versions of facts that readers saw until the next run, published and not linked yet with the documents of other
    registers."""
    with connect(url, application_name="drill") as conn:
        found = canonical_dump(conn)
        numbers = [row[0] for row in conn.execute("SELECT judgement_id FROM identity.judgement ORDER BY 1")]
    for table in ("identity.judgement", "identity.judged_record", "identity.review_case"):
        rows = [json.loads(row) for row in found[table]]
        for row in rows:
            row |= {name: numbers.index(row[name]) for name in ("judgement_id", "lifts") if row.get(name) is not None}
        found[table] = sorted(map(json.dumps, rows))
    versions = [json.loads(row) for row in found["core.interaction_version"]]
    linked = [{**row, "#": None} for row in versions if row["version"]["is_counted"] is not None]
    found["core.interaction_version"] = sorted(map(json.dumps, linked))
    return found

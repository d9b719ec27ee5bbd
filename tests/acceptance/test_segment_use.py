"""Lists made of segments: whom guards keep off, who may override them and who may not, what is written down, and what goes back into a CRM."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from onefold.configuration.load import read_configuration
from onefold.errors import NothingFound, UsageError
from onefold.steps.erase import erase
from onefold.steps.segment_use import end_override, neglected, note_use, override_guard, overrides, segment_list, uses
from onefold.steps.status import status
from onefold.steps.write_plan import wanted_values
from tests.support.cli import onefold
from tests.support.hub import ERP, START, Hub
from tests.support.served import served, token
from warehouse import write_receipts
from warehouse.connect import connect

SEGMENTS = """
schemes:
  stage:
    basis: lifecycle
    labels: Stage
    review: 2026-06-30
    segments:
      active:
        labels: Active
        when: {days_since_last: {at_most: 180}}
        policy: {says: Sent within five days., field: lead_time_days, at_most: 5, from: 2026-01-01}
      dormant: {labels: Dormant, when: {dealings: {at_least: 1}}, policy: A call a year.}
guards:
  pressure: {most: 2, within: 30d}
  bans: {city: [клин]}
"""
SURVIVORSHIP = "fields:\n  newsletter: [most_restrictive, recent]\n"
ATTRIBUTES = (
    "attributes:\n  newsletter: {kind: person, type: boolean, labels: {en: Newsletter}, personal_data: contact}\n"
)
UPSELL = "upsell"


@pytest.fixture
def company(hub: Hub) -> Hub:
    """Eight active customers: one for every reason to be kept off a list, one that has two, and two without any."""
    stream = ERP.replace("    type: sales_order\n", """\
    type: {when: sort, complaint: complaint, delivery: delivery, call: call, else: sales_order}
    promise: {kind: delivery_date, due: due, actual: done}
""").replace("phone: tel}", "phone: tel, newsletter: news, city: town}")  # fmt: skip
    hub.configure("erp", stream)
    for name, text in (("segments", SEGMENTS), ("survivorship", SURVIVORSHIP), ("attributes", ATTRIBUTES)):
        (hub.folder / "config" / f"{name}.yaml").write_text(text, encoding="utf-8")
    said: dict[int, dict[str, Any]] = {4: {"news": "false"}, 5: {"town": "Клин"}, 7: {"news": "true"}}
    hub.registers["erp_customers"] = [
        {
            "code": f"C{n}",
            "kind": "person",
            "person": f"Имя{n} Фамилия{n}",
            "mail": f"a{n}@ex{n}.example",
            **said.get(n, {}),
        }
        for n in range(8)
    ]
    orders = [{"no": f"O{n}", "customer": f"C{n}", "date": day(40), "sort": "order", "total": 5} for n in range(8)]
    orders += [
        {"no": "X1", "customer": "C1", "date": day(10), "sort": "complaint"},
        {"no": "X6", "customer": "C6", "date": day(10), "sort": "complaint", "due": day(8), "done": day(9)},
        {"no": "D2", "customer": "C2", "date": day(10), "sort": "delivery", "due": day(20), "done": day(10)},
        {"no": "K3", "customer": "C3", "date": day(9), "sort": "call"},
        {"no": "K4", "customer": "C3", "date": day(8), "sort": "call"},
        {"no": "X4", "customer": "C4", "date": day(10), "sort": "complaint"},
        {"no": "K0", "customer": "C0", "date": day(8), "sort": "call"},
    ]
    hub.registers["erp_orders"] = orders
    for name in ("erp_customers", "erp_orders"):
        hub.write(name)
    hub.run()
    return hub


def day(ago: int) -> str:
    return (START - timedelta(days=ago)).date().isoformat()


def listed(hub: Hub, purpose: str = UPSELL, **arguments: Any) -> tuple[set[str], dict[str, list[str]]]:
    """Who is on the list, and who is kept off it and why; by the customer's code."""
    with hub.context() as context:
        found = segment_list(context, "stage.active", purpose=purpose, who="ada", how="test", **arguments)
    code = dict(hub.query("SELECT client_id::text, source_key FROM onefold_v1.xref_client_record WHERE source = 'erp'"))
    return {code[one["client_id"]] for one in found.clients}, {
        code[one["client_id"]]: one["left_out"] for one in found.left_out
    }


def test_guards_keep_clients_off_lists_and_bans_keep_them_off_all(company: Hub) -> None:
    on, off = listed(company)
    assert on == {"C0", "C6", "C7"}
    assert off == {
        "C1": ["open_complaint"],
        "C2": ["broken_promise"],
        "C3": ["contact_pressure"],
        "C4": ["banned: newsletter", "open_complaint"],
        "C5": ["banned: city"],
    }
    on, off = listed(company, "service")
    assert on == {"C0", "C1", "C2", "C3", "C6", "C7"} and set(off) == {"C4", "C5"}
    with company.context() as context:
        with pytest.raises(UsageError, match="no purpose `upsel`") as typo:
            segment_list(context, "active", purpose="upsel", who="ada", how="test")
        assert "upsell" in str(typo.value.hint)
        with pytest.raises(NothingFound, match="activ"):
            segment_list(context, "stage.activ", purpose=UPSELL, who="ada", how="test")
        assert segment_list(context, "active", purpose=UPSELL, who="ada", how="test").scheme == "stage"


def test_a_named_person_overrides_guards_until_a_day_and_never_a_ban(company: Hub) -> None:
    until = START.date() + timedelta(days=10)
    said: dict[str, Any] = {"purpose": UPSELL, "by": "ada", "until": until}
    with company.context() as context:
        first = override_guard(context, "erp:customers:C1", reason="they asked for an offer", **said)
        override_guard(context, "erp:customers:C4", reason="they are in a hurry", **said)
        override_guard(context, "erp:customers:C3", reason="they called", only=["open_complaint"], **said)
        for wrong, why in (
            ({"only": ["banned: newsletter"]}, "no guard that can be overridden"),
            ({"reason": " "}, "needs a reason"),
            ({"until": START.date() - timedelta(days=1)}, "no day on which it could end"),
            ({"until": date(2030, 1, 1)}, "no day on which it could end"),
            ({"purpose": "service"}, "none of these guards"),
        ):
            with pytest.raises(UsageError, match=why):
                override_guard(context, "erp:customers:C1", **{**said, "reason": "x", **wrong})
    on, off = listed(company)
    assert on == {"C0", "C1", "C6", "C7"}
    assert off["C3"] == ["contact_pressure"], "another guard was overridden"
    assert off["C4"] == ["banned: newsletter"], "a refused consent stands, whoever says what"
    with company.context() as context:
        found = segment_list(context, "active", purpose=UPSELL, who="ada", how="test")
        assert [(one["overridden"], one["overridden_by"]) for one in found.clients if one["overridden"]] == [
            (["open_complaint"], "ada")
        ]
        assert all(one["is_in_force"] for one in overrides(context))
        end_override(context, first["override_id"], by="bob")
        with pytest.raises(NothingFound):
            end_override(context, first["override_id"], by="bob")
    assert "C1" in listed(company)[1]
    with company.context() as context:
        override_guard(context, "erp:customers:C1", reason="again", **said)
    assert "C1" in listed(company)[0]
    company.ticks += 11 * 86_400
    assert "C1" in listed(company)[1], "its day has passed"


def test_an_erased_client_is_on_no_list(company: Hub) -> None:
    with company.context() as context:
        override_guard(context, "erp:customers:C1", purpose=UPSELL, reason="x", by="ada", until=START.date())
        erase(context, "erp:customers:C1", reason="request", by="ada", ground="kept for audits")
    on, off = listed(company)
    assert "C1" not in on | set(off)
    assert company.query("SELECT count(*) FROM ops.guard_override") == [(0,)]


def test_lists_are_files_and_who_took_them_is_written_down(company: Hub, tmp_path: Path) -> None:
    file, book = tmp_path / "upsell.csv", tmp_path / "upsell.xlsx"
    done = onefold(*company.place, "--json", "segments", "export", "active", "--purpose", UPSELL, "--to", str(file))
    assert done.code == 0, done.said
    told = json.loads(done.out)
    # By the clock of today, when complaints and contacts are long past: bans do not end.
    assert len(told["clients"]) == 6 and told["reasons"] == {"banned: city": 1, "banned: newsletter": 1}
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("client_id,kind,display_name,email") and len(lines) == 7
    assert "a4@ex4.example" not in file.read_text(encoding="utf-8"), "who is kept off is in no file of the others"
    counted = onefold(*company.place, "segments", "export", "active", "--purpose", UPSELL, "--to", str(book))
    assert counted.code == 0 and book.stat().st_size > 0
    assert "banned: city: 1 left out" in counted.out and "Фамилия" not in counted.out
    shown = onefold(*company.place, "segments", "export", "active", "--purpose", UPSELL)
    assert "banned: city: 1 left out" in shown.out and "Имя5 Фамилия5" in shown.out
    assert onefold(*company.place, "segments", "export", "active", "--purpose", UPSELL, "--to", "x.pdf").code == 2
    with company.context() as context:
        found = uses(context, "stage")
        note_use(context, "stage", who="bob", how="console segment", segment="active")
        assert len(uses(context)) == len(found) + 1 == 4
    assert {(one["how"], one["purpose"], one["segment"], one["clients"], one["left_out"]) for one in found} == {
        ("segments export", UPSELL, "active", 6, 2)
    }
    assert company.query(
        "SELECT count(*) FROM ops.access_log WHERE how = 'segments export' AND purpose = 'upsell'"
    ) == [(24,)], "those who are left out are told too"


def test_what_nobody_uses_or_is_to_be_reviewed_is_pointed_out(company: Hub) -> None:
    with company.context() as context:
        assert neglected(context) == {}
    company.ticks += 91 * 86_400
    with company.context() as context:
        assert neglected(context) == {"stage": ["not used, which is 91 days"]}
        note_use(context, "stage", who="ada", how="console segment")
        assert neglected(context) == {}
    company.ticks += 60 * 86_400
    with company.context() as context:
        assert neglected(context) == {"stage": ["its review was due on 2026-06-30"]}
        assert any("its review was due" in line for line in status(context)["next"])
    shown = onefold(*company.place, "--json", "segments", "list")
    (scheme,) = json.loads(shown.out)["schemes"]
    assert scheme["review_on"] == "2026-06-30"
    served = "SELECT segment, policy, policy_field, policy_test, policy_value, policy_from::text, review_on::text FROM onefold_v1.dim_segment ORDER BY segment"
    assert company.query(served) == [
        ("active", "Sent within five days.", "lead_time_days", "at_most", "5", "2026-01-01", "2026-06-30"),
        ("dormant", "A call a year.", None, None, None, None, "2026-06-30"),
    ]


def test_segments_and_needs_are_values_that_a_system_may_be_given(company: Hub) -> None:
    from onefold.configuration.write_back import WriteBack

    rule = WriteBack.model_validate(
        {"fields": {"segment_c": "segment.stage", "hurry_c": "need.urgency", "id": "client_id"}}
    )
    one = company.client_of("erp:customers:C1")
    with connect(company.database_url, application_name="test") as conn:
        conn.execute(
            "INSERT INTO core.client_need (client_id, need, origin, is_held, sightings_for, sightings_against, weight_for,"
            " weight_against, dealings) VALUES (%(id)s, 'urgency', 'observed', true, 1, 0, 1, 0, 1),"
            " (%(id)s, 'urgency', 'declared', false, 0, 1, 0, 1, 1)",
            {"id": one},
        )
        found = {
            candidate.source_key: wanted_values(rule.fields, candidate)
            for candidate in write_receipts.candidates(
                conn, "erp", "customers", write_receipts.NOTHING_SETTLED, derived=True
            )
        }
    assert found["C1"] == {"segment_c": "active", "hurry_c": False, "id": one}, "the client's own word decides"
    assert found["C0"] == {"segment_c": "active", "id": company.client_of("erp:customers:C0")}
    source = (company.folder / "config" / "sources" / "erp.yaml").read_text(encoding="utf-8")
    written = source.replace("  orders:", "    write_back: {fields: {a: segment.stages, b: need.urgency}}\n  orders:")
    company.configure("erp", written)
    problems = [str(one) for one in read_configuration(company.folder / "config")[1]]
    assert any("`segment.stages`" in one and "segment.stage" in one for one in problems)
    assert any("`need.urgency`" in one for one in problems)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("policy: {says: x, field: lead_time_days}", "one of `is`"),
        ("policy: {says: x, at_most: 5}", "measured has `field`"),
        ("policy: {says: x, field: a, at_most: 5, is: 3}", "one of `is`"),
    ],
)
def test_a_policy_is_a_sentence_or_can_be_measured(hub: Hub, said: str, why: str) -> None:
    text = SEGMENTS.replace("policy: A call a year.", said)
    (hub.folder / "config" / "segments.yaml").write_text(text, encoding="utf-8")
    assert any(why in str(one) for one in read_configuration(hub.folder / "config")[1])


def test_programs_get_lists_for_a_purpose_and_are_written_down(company: Hub) -> None:
    with served(company.settings) as address:
        secret = token(company.settings, "crm", ["clients"])

        def ask(path: str) -> httpx.Response:
            return httpx.get(f"{address}/v1{path}", headers={"Authorization": f"Bearer {secret}"}, timeout=60)

        told = {one["segment"]: one for one in ask("/segments").json()["segments"]}
        assert told["active"]["clients"] == 8 and told["active"]["policy_value"] == "5"
        found = ask("/segments/stage/active/clients?purpose=service").json()
        assert len(found["clients"]) == 6 and found["reasons"] == {"banned: city": 1, "banned: newsletter": 1}
        assert "Фамилия" not in ask("/segments/stage/active/clients?purpose=service").text, "the token sees masks"
        pages, after = [], ""
        while not pages or pages[-1]["next"]:
            pages.append(ask(f"/segments/stage/active/clients?purpose=service&limit=3{after}").json())
            after = f"&after={pages[-1]['next']}"
        assert [len(one["clients"]) + len(one["left_out"]) for one in pages] == [3, 3, 2]
        assert [one for page in pages for one in page["clients"]] == found["clients"] and found["next"] is None
        assert ask("/segments/stage/active/clients").status_code == 422, "a list has a purpose"
        assert ask("/segments/stage/active/clients?purpose=fun").status_code == 422
        assert ask("/segments/stage/nope/clients?purpose=service").status_code == 404
    with company.context() as context:
        assert [(one["who"], one["how"], one["purpose"]) for one in uses(context)] == [
            ("token:crm", "api segments", "service")
        ] * 5
    logged = "SELECT count(*) FROM ops.access_log WHERE how = 'api segments'"
    assert company.query(logged) == [(24,)]
    assert company.query(f"{logged} AND fields = '{{}}'") == [(24,)], "the token sees no value"

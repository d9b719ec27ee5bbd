"""`onefold demo`: from five registers of a fictional company to one client's story, and on to changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.access import connection_url, embedded_server
from onefold.cli.commands_cases import show_cases, waiting
from onefold.cli.commands_concerns import show_concerns
from onefold.cli.commands_evaluate import show_evaluation
from onefold.cli.commands_look import show_client
from onefold.cli.commands_run import show_run
from onefold.cli.opening import progress_for
from onefold.context import Context, open_context
from onefold.demo import Change, change
from onefold.demo.hub import CRM_LIFETIME, DemoHub, prepare, start_crm, stop_crm
from onefold.demo.society import TODAY
from onefold.errors import OnefoldError
from onefold.steps.client import client
from onefold.steps.concerns import concerns_on
from onefold.steps.evaluate import EvaluateReport, evaluate
from onefold.steps.explain import explain
from onefold.steps.records import one_record
from onefold.steps.run import run
from onefold.steps.train import train, use
from warehouse import queries

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.settings import Settings
    from onefold.steps.report import RunReport

QUERIES = (
    ("Who are our clients, and in how many records do they stand?",
     "SELECT display_name, inn, email, record_count FROM onefold_v1.dim_client WHERE NOT is_deleted"
     " ORDER BY record_count DESC LIMIT 10;"),
    ("What did every department do with one client, on one timeline?",
     "SELECT occurred_on, source, type, document_number, amount, currency FROM onefold_v1.fct_interaction"
     " WHERE client_id = '{client}' ORDER BY occurred_at;"),
    ("Where does each golden value come from, and what lost?",
     "SELECT attribute, value, source, source_key, rule, losers FROM onefold_v1.client_field_lineage"
     " WHERE client_id = '{client}';"),
)  # fmt: skip


def tour(settings: Settings, output: Output, *, scale: float, seed: int, keep: bool) -> None:
    """Generate, run, show, run again, change, run, show; leaves the database running if `keep`.

    Everything lives under HOME/demo, a folder in which `onefold` can be called afterwards. Raises OnefoldError when
    the client view did not come out as the planted truth says it must.
    """
    folder = settings.home / "demo"
    output.heading("1. Five registers of a fictional company")
    hub = prepare(folder, seed=seed, scale=scale, database_url=settings.database_url)
    if not settings.database_url:
        forget_former_hub(hub)
    show_world(output, hub)
    start_crm(folder)
    facts: dict[str, Any] = {"folder": str(folder), "seed": seed, "scale": scale}
    try:
        with open_hub(hub, output) as context:
            facts |= first_run(context, output, hub)
            facts |= second_run(context, output)
            facts |= after_changes(context, output, hub, seed)
        show_way_on(output, hub, facts, keep=keep)
    finally:
        if not keep:
            stop_crm(folder)
            if not settings.database_url:
                embedded_server(hub.settings).stop()
    output.data(facts)
    missed = [effect for effect in facts["changes"] if not effect["seen"]]
    if missed:
        raise OnefoldError(f"{len(missed)} changes did not reach the client view: {missed[0]['record']} ...")


@contextmanager
def open_hub(hub: DemoHub, output: Output) -> Iterator[Context]:
    """The demo's hub, with the secrets of its own .env."""
    with open_context(hub.settings, environ={}, progress=progress_for(output)) as context:
        yield context


def forget_former_hub(hub: DemoHub) -> None:
    """Begin with an empty database: the world is generated anew, so nothing of a former one may answer."""
    import shutil

    embedded_server(hub.settings).stop()
    shutil.rmtree(hub.settings.home, ignore_errors=True)


def show_world(output: Output, hub: DemoHub) -> None:
    """What was planted."""
    world = hub.world
    output.table(
        ("register", "client records"),
        world.records.items(),
        title="Records of persons and organisations",
        right=(1,),
    )
    output.table(("register", "operations"), world.interactions.items(), title="Operations", right=(1,))
    output.say(
        f"{sum(world.records.values())} client records of {world.entities['all']} true persons and organisations; "
        f"{world.mirrored_orders} of {world.orders} orders also stand in the CRM and in accounting"
    )


def first_run(context: Context, output: Output, hub: DemoHub) -> dict[str, Any]:
    """The cold run, and what came out of it."""
    output.heading("2. onefold run: pull, standardise, resolve, publish")
    report = run(context)
    show_run(output, report)
    check_run(report)
    output.heading("3. How right is it? Against the planted truth")
    quality = evaluate(context, hub.world.truth)
    show_evaluation(output, quality)
    trained = learn(context, output, hub)
    with context.connection("onefold demo") as conn:
        overlap, counts = queries.register_overlap(conn), queries.source_counts(conn)
    output.heading("4. How the registers overlap")
    output.table(
        ("register", "records", "clients and others", "known only here"),
        [(c["source"], c["records"], c["clients"], c["only_here"]) for c in counts],
        right=(1, 2, 3),
    )
    output.table(
        ("register", "and register", "only the first", "only the second", "both"),
        [(o["left_source"], o["right_source"], o["only_left"], o["only_right"], o["both"]) for o in overlap],
        right=(2, 3, 4),
    )
    output.heading("5. What waits for a person's word (onefold cases)")
    show_cases(output, waiting(context, 5))
    output.heading("6. One client's whole story, from all five registers (onefold client)")
    story = [name for names in hub.world.story.records.values() for name in names]
    view = client(context, story[0], limit=12)
    show_client(output, view)
    show_why(context, output, story)
    needs = show_planted_needs(context, output, hub)
    raised = show_worries(context, output)
    return {
        "needs": needs,
        "concerns": raised,
        "run": report.as_dict(),
        "quality": dict(quality.measures),
        "quality_trained": dict(trained.measures),
        "overlap": overlap,
        "cases": report.resolve.cases_open,
        "story": {
            "client_id": view["client_id"],
            "registers": sorted({r["source"] for r in view["records"]}),
        },
    }


def learn(context: Context, output: Output, hub: DemoHub) -> EvaluateReport:
    """Training is never part of a run: it is asked for, and shown."""
    output.heading("   onefold train --use: learn the weights from the company's own records, without labels")
    report = train(context)
    used = use(context, report.version)
    output.say(
        f"Model {report.version}: {used.resolve.moved} records moved, {used.publish.redirected} clients merged away, "
        f"{used.publish.created} new. To go back: onefold model use 1"
    )
    quality = evaluate(context, hub.world.truth)
    show_evaluation(output, quality)
    return quality


def show_why(context: Context, output: Output, records: list[str]) -> None:
    """The evidence for the story's first pair of records from two registers."""
    from onefold.cli.commands_explain import show_explanation

    left = records[0]
    right = next((name for name in records if name.split(":")[0] != left.split(":")[0]), None)
    if right is not None:
        output.heading("7. Why are two of these records one client? (onefold explain)")
        show_explanation(output, explain(context, left, right))


def show_planted_needs(context: Context, output: Output, hub: DemoHub) -> dict[str, Any]:
    """The segments that were found beside the needs that were planted, for clients with enough dealings."""
    from onefold.demo.needs import read_needs
    from onefold.demo.world import read_truth
    from onefold.steps.needs import schemes, segment_of_records

    output.heading("   What do clients need? (onefold segments list; onefold needs show)")
    truth, planted = read_truth(hub.world.folder), read_needs(hub.world.folder)
    told = schemes(context)
    served = next((one for one in told["schemes"] if one["scheme"] == "by_need"), None)
    if served is None or not served["is_served"]:
        why = served["figures"]["why"] if served else ["no scheme"]
        output.say(f"The segments are not served: {'; '.join(why)}. A larger demo has more clients.")
        return {"served": False, "why": list(why)}
    # A client is one row, however many records it has.
    found = {truth[name]: segment for name, segment in segment_of_records(context, "by_need").items() if name in truth}
    need_of = {one["segment"]: one["needs"][0] for one in told["segments"]}
    rows = []
    for segment, need in need_of.items():
        there = [entity for entity in found if planted.get(entity) == need]
        assigned = [entity for entity, name in found.items() if name == segment]
        right = sum(planted.get(entity) == need for entity in assigned)
        rows.append((segment, need, len(there), len(assigned), right))
    output.table(("segment", "need", "planted", "found", "of them right"), rows, right=(2, 3, 4))
    assigned_, right_ = sum(row[3] for row in rows), sum(row[4] for row in rows)
    output.say(
        f"{right_} of {assigned_} are right; {sum(name is None for name in found.values())} clients are unknown, which"
        f" is an answer. Chance would have explained {served['figures']['false_share']:.0%} of the assignments."
    )
    return {"served": True, "assigned": assigned_, "right": right_, "false_share": served["figures"]["false_share"]}


def show_worries(context: Context, output: Output) -> list[str]:
    """What would worry on the last day of the company's data, which lies in the past; those that are raised."""
    output.heading(f"   What worries, on the last day of its data? (onefold concerns list --on {TODAY})")
    rows = concerns_on(context, TODAY)
    show_concerns(output, rows)
    return [str(one["concern"]) for one in rows if one["state"] == "raised"]


def second_run(context: Context, output: Output) -> dict[str, Any]:
    """A run without news."""
    output.heading("8. onefold run again, without news")
    report = run(context)
    check_run(report)
    changed = sum(sync.changed for sync in report.syncs) + report.publish.change_events
    output.say(f"{'Nothing changed' if not changed else f'{changed} changes'}; {report.seconds:.1f} s")
    return {"second_run": {"seconds": report.seconds, "changed": changed}}


def after_changes(context: Context, output: Output, hub: DemoHub, seed: int) -> dict[str, Any]:
    """Records are changed, added and deleted at the sources; the client view follows."""
    output.heading("9. Days later: the sources change, and the client view follows")
    before = Before.of(context, hub)
    done = change(hub.world.folder, seed=seed)
    report = run(context)
    check_run(report)
    rows = []
    for one in done.changes:
        rows.append((one, before.is_seen(context, one)))
    output.table(
        ("at the source", "record", "what happened", "in the client view"),
        [(c.action, c.record, c.what["en"], "seen" if seen else "NOT SEEN") for c, seen in rows],
    )
    output.say(
        f"{report.publish.created} clients new, {report.publish.changed} changed, {report.publish.retired} retired, "
        f"{report.publish.redirected} merged away; {report.seconds:.1f} s"
    )
    quality = evaluate(context, done.world.truth)
    return {
        "third_run": {"seconds": report.seconds, "changed": sum(sync.changed for sync in report.syncs)},
        "changes": [{"record": c.record, "effect": c.effect, "seen": seen} for c, seen in rows],
        "quality_after": dict(quality.measures),
    }


class Before:
    """What the client view said before the change, where that is needed to see it."""

    def __init__(self, clients: dict[str, str]) -> None:
        self._clients = clients

    @classmethod
    def of(cls, context: Context, hub: DemoHub) -> Before:
        """Remember the clients of the records that the plot acts on."""
        plot = hub.world.plot
        names = [name for name in (*plot.apart, plot.leaver, plot.closed, plot.mended) if name]
        with context.connection("onefold demo") as conn:
            found = queries.clients_of_records(conn, [one_record(context, name) for name in names])
        return cls({name: found[one_record(context, name)] for name in names if one_record(context, name) in found})

    def is_seen(self, context: Context, one: Change) -> bool:
        """Whether the client view shows the effect of a change."""
        with context.connection("onefold demo") as conn:
            ids = {name: one_record(context, name) for name in (one.record, one.other) if name}
            clients = queries.clients_of_records(conn, list(ids.values()))
            mine = clients.get(ids[one.record])
            if one.effect == "merge":
                return mine is not None and mine == clients.get(ids[one.other])
            if one.effect == "gone":
                former = self._clients.get(one.record)
                view = queries.client_view(conn, former, limit=1) if former else None
                return mine is None and (view is None or bool(view["is_deleted"]))
            if one.effect == "interaction":
                view = queries.client_view(conn, clients[ids[one.other]], limit=500)
                assert view is not None
                fact = next((i for i in view["interactions"] if i["record_id"] == ids[one.record]), None)
                return fact is not None and (not one.attribute or one.new in shown_values(fact, one.attribute))
            if one.effect in ("value", "repair"):
                view = queries.client_view(conn, mine, limit=1) if mine else None
                value = view["attributes"].get(one.attribute) if view else None
                return one.new in (value if isinstance(value, list) else [value])
            return one.effect == "none" or mine is not None


def shown_values(fact: dict[str, Any], attribute: str) -> set[str]:
    """What an interaction shows under a name: a column, a detail, or the outcome of its promises."""
    promised = [promise["actual_on"] for promise in fact["promises"] or ()] if attribute == "actual_on" else []
    return {str(value) for value in (fact.get(attribute), fact["detail"].get(attribute), *promised)}


def check_run(report: RunReport) -> None:
    """A source of the demo that cannot be read is a fault."""
    errors = [stream.error for sync in report.syncs for stream in sync.streams if stream.error]
    if errors:
        raise OnefoldError(f"The demo could not read its registers: {errors[0]}")


def show_way_on(output: Output, hub: DemoHub, facts: dict[str, Any], *, keep: bool) -> None:
    """How to go on: the database's address, queries, commands."""
    output.heading("10. Look around")
    if keep:
        output.say("The database is running. As the reader that tools get (psql, DBeaver, Metabase):")
        if hub.database_url is None:
            output.say(f"  {connection_url(hub.settings, reader=True)}")
        for question, query in QUERIES:
            output.say(f"\n  -- {question}", style="dim")
            output.say(f"  {query.format(client=facts['story']['client_id'])}")
    where = _short(hub.folder)
    crm = f"stays up for {CRM_LIFETIME // 60} minutes" if keep else "is down: `onefold run` cannot read it"
    output.say(f"\nNext, in {where} (the demo's CRM {crm}):")
    for command, why in (
        (f"cd {where}", ""),
        ("onefold status", "what came from where"),
        ("onefold cases", "what waits for a person's word"),
        (f"onefold concerns list --on {TODAY}", "what worried on the last day of its data"),
        ("onefold explain crm:companies:... erp:customers:...", "why, or why not"),
        ("onefold judge not-same A B --reason ...", "say otherwise; `onefold judge undo N` takes it back"),
        ("onefold db psql", "look into the warehouse"),
        ("onefold db stop", "stop the database"),
    ):
        output.say(f"  {command:<52} {why}")


def _short(folder: Path) -> str:
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)

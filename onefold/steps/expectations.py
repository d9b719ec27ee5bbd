"""test: what `expectations.yaml` says must hold in the result, checked against a hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from onefold.steps.records import one_record
from onefold.steps.report import CheckReport, Miss
from warehouse import plan

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from warehouse.plan import Standing

_FILE = "expectations.yaml"


def check_hub(context: Context) -> CheckReport:
    """Check the hub as it stands."""
    with context.connection("onefold test") as conn:
        return check(context, conn)


def check(context: Context, conn: psycopg.Connection) -> CheckReport:
    """Check the hub of this connection; misses in the file's order."""
    expected = context.configuration.expectations
    names = {name for one in (*expected.same_client, *expected.different_clients) for name in one.records}
    names |= {value.record for value in expected.values}
    standings = plan.standings(conn, sorted({one_record(context, name) for name in names}))
    misses = (*_clients(context, standings), *_values(context, standings), *_counts(context, conn))
    checked = len(expected.same_client) + len(expected.different_clients) + len(expected.values) + len(expected.counts)
    return CheckReport(checked, misses)


def _clients(context: Context, standings: Mapping[str, Standing]) -> Iterator[Miss]:
    expected = context.configuration.expectations
    for kind, sets in (("same_client", expected.same_client), ("different_clients", expected.different_clients)):
        for number, one in enumerate(sets):
            place = _place(context, kind, number)
            absent = [name for name in one.records if name not in standings or standings[name].client_id is None]
            if absent:
                message = f"{', '.join(absent)}: no such client record has come."
                yield Miss(kind, place, message, one.because)
                continue
            clients = {name: standings[name].client_id for name in one.records}
            wrong = [
                (a, b) for a, b in combinations(one.records, 2) if (clients[a] == clients[b]) != (kind == "same_client")
            ]
            if wrong:
                how = "belong to different clients" if kind == "same_client" else "share a client"
                more = f" (and {len(wrong) - 1} more pairs)" if len(wrong) > 1 else ""
                a, b = wrong[0]
                message = f"{a} and {b} {how}{more}. See why: onefold explain {a} {b}"
                yield Miss(kind, place, message, one.because)


def _values(context: Context, standings: Mapping[str, Standing]) -> Iterator[Miss]:
    for number, one in enumerate(context.configuration.expectations.values):
        place, standing = _place(context, "values", number), standings.get(one.record)
        if standing is None or standing.attributes is None:
            yield Miss("values", place, f"{one.record}: no such client record has come.", one.because)
        elif one.value not in _texts(standing.attributes.get(one.attribute)):
            # The value itself is a client's, and goes to no log: `explain` shows it to who may see it.
            why = f"See why: onefold explain {one.record} --field {one.attribute}"
            yield Miss("values", place, f"{one.record} has another {one.attribute} than expected. {why}", one.because)


def _texts(value: Any) -> list[str]:
    """All values of an attribute as texts."""
    values = value if isinstance(value, list) else [value]
    return [str(one["v"] if isinstance(one, dict) and "v" in one else one) for one in values if one is not None]


def _counts(context: Context, conn: psycopg.Connection) -> Iterator[Miss]:
    for number, one in enumerate(context.configuration.expectations.counts):
        place, count = _place(context, "counts", number), plan.count_rows(conn, one.view)
        if count is None:
            yield Miss("counts", place, f"onefold_v1 has no view {one.view}.", one.because)
        elif one.at_least is not None and count < one.at_least:
            yield Miss(
                "counts", place, f"{one.view} has {count} rows, at least {one.at_least} are expected.", one.because
            )
        elif one.at_most is not None and count > one.at_most:
            yield Miss(
                "counts", place, f"{one.view} has {count} rows, at most {one.at_most} are expected.", one.because
            )


def _place(context: Context, kind: str, number: int) -> str:
    problem = context.configuration.documents[_FILE].problem((kind, number), "")
    return f"{problem.file}:{problem.line}"

"""Fix at the source: what is wrong in each register, from when a run shows it until one shows it mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import UsageError
from onefold.nearest import did_you_mean
from onefold.steps.report import Report
from onefold.steps.rules import fingerprint, has_work
from warehouse import fingerprints, queue, source_fixes
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work
from warehouse.source_fixes import Known, Looked, Wanted

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration import Configuration
    from onefold.context import Context

VERSION: Final = 3
"""Raised when the same records show other entries, so that all are looked at anew."""
KINDS: Final = ("duplicate", "invalid", "outvoted", "contradicts", "emptied")
COLUMNS: Final = (
    "source", "owner", "record", "kind", "attribute", "value", "better", "rule", "other", "url", "other_url",
    "opened_at", "closed_at", "closed_as", "client_id",
)  # fmt: skip
"""Of a workbook."""
MOST_ROWS: Final = 50_000
"""Of a workbook: more is nobody's list to work through."""
_PAGE: Final = 5_000
_CHUNK: Final = 20_000
_RANGE: Final = 25_000
"""Records of the clients that are looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class FixFile(Report):
    """A workbook that was written."""

    file: str
    rows: int
    is_cut: bool
    """There are more entries than it holds."""


def fix_rules(configuration: Configuration) -> list[Any]:
    """What the entries depend on beside records and golden values."""
    known = _known(configuration)
    return [VERSION, known.identifying, known.mapped]


def is_idle(context: Context, conn: psycopg.Connection) -> bool:
    """No client waits to be looked at, and the rules are those in force."""
    return not has_work(conn, source_fixes.QUEUE, fix_rules(context.configuration))


def find_fixes(context: Context, conn: psycopg.Connection) -> Looked:
    """Look at the clients that were published since the last look; at all where the rules are new. Each chunk is one
    transaction under the hub lock."""
    if is_idle(context, conn):
        return Looked()
    known, wanted = _known(context.configuration), fingerprint(fix_rules(context.configuration))
    done = Looked()
    if fingerprints.stored(conn, "rules").get(source_fixes.QUEUE) != wanted:
        from warehouse import golden  # Not before: who has nothing to do loads no Arrow.

        # What waits is looked at with all, and a kill before the rules are remembered begins anew.
        with unit_of_work(conn):
            source_fixes.forget_queue(conn)
        for one in golden.client_ranges(conn, _RANGE):
            with unit_of_work(conn):
                hub_lock(conn)
                done += source_fixes.look_at_range(conn, one, known, at=next_as_of(conn, context.clock))
        with unit_of_work(conn):
            fingerprints.remember(conn, "rules", {source_fixes.QUEUE: wanted})
    while True:
        with unit_of_work(conn):
            hub_lock(conn)
            batch = queue.read(conn, source_fixes.QUEUE, _CHUNK)
            if not batch:
                return done
            done += source_fixes.look(conn, batch.record_ids, known, at=next_as_of(conn, context.clock))
            queue.done(conn, batch)


def owner_of(configuration: Configuration, source: str, attribute: str | None) -> str | None:
    """Who is to mend it: who has agreed that the register decides the attribute, else who answers for its data."""
    groups = configuration.survivorship.group_of(configuration.attributes)
    subject = None if attribute is None else groups.get(attribute, attribute)
    for entry in configuration.authority:
        is_theirs = entry.register_ == source and entry.attribute is not None and entry.agreed_by is not None
        if is_theirs and groups.get(str(entry.attribute), str(entry.attribute)) == subject:
            return entry.agreed_by
    known = configuration.sources.get(source)
    return None if known is None else known.owner


def fix_counts(context: Context) -> dict[str, Any]:
    """Open entries by register, owner and kind: `rows` (source, owner, entries, and each of KINDS), `attributes`
    (attribute, entries), `weeks` of the last twelve (week_on, opened, closed, open_at_end)."""
    with context.connection("onefold fix") as conn:
        found = source_fixes.counts(conn)
        weeks = source_fixes.by_week(conn, context.clock())
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    attributes: dict[str, int] = {}
    for one in found:
        owner = owner_of(context.configuration, one["source"], one["attribute"]) or ""
        empty = {"source": one["source"], "owner": owner or None, "entries": 0, **dict.fromkeys(KINDS, 0)}
        row = rows.setdefault((one["source"], owner), empty)
        row["entries"] += one["entries"]
        row[one["kind"]] += one["entries"]
        if one["attribute"] is not None:
            attributes[one["attribute"]] = attributes.get(one["attribute"], 0) + one["entries"]
    return {
        "open": sum(one["entries"] for one in found),
        "rows": [rows[key] for key in sorted(rows)],
        "attributes": [{"attribute": name, "entries": n} for name, n in sorted(attributes.items())],
        "weeks": weeks,
    }


def fixes(
    context: Context, wanted: Wanted, *, owner: str | None = None, after: int = 0, limit: int = 100
) -> tuple[list[dict[str, Any]], int | None]:
    """A page of entries, oldest first, each with `record`, `other` (a record's name or None) and `owner`; and the
    entry after which the next page begins, None: there is none. UsageError: there is no such register."""
    with context.connection("onefold fix") as conn:
        rows = _page(context, conn, wanted, owner, after, limit)
    return rows, rows[-1]["fix_id"] if len(rows) == limit else None


def write_fixes(
    context: Context,
    path: Path,
    wanted: Wanted,
    *,
    owner: str | None = None,
    after: int = 0,
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    about: Callable[[Sequence[str]], None] = lambda _clients: None,
) -> FixFile:
    """Write entries to a workbook at `path`, on from the entry `after`, at most MOST_ROWS, with the counts on a
    second sheet. Each row passes through `shown`; `about` is told of whose clients before any is written.
    No cell is a formula."""
    from onefold.export.excel import Sheet, write_sheets
    from onefold.export.parts import whole_file

    rows: list[Mapping[str, Any]] = []
    place: int | None = after
    while place is not None and len(rows) < MOST_ROWS:
        found, place = fixes(context, wanted, owner=owner, after=place, limit=min(_PAGE, MOST_ROWS - len(rows)))
        rows += found
    about(sorted({row["client_id"] for row in rows}))
    told = [shown(row) for row in rows]
    counts = fix_counts(context)
    by_owner = [(one["source"], one["owner"], one["entries"], *(one[kind] for kind in KINDS)) for one in counts["rows"]]
    with whole_file(path) as temporary:
        write_sheets(
            temporary,
            [
                Sheet("fix", COLUMNS, [tuple(one[name] for name in COLUMNS) for one in told]),
                Sheet("counts", ("register", "owner", "open", *KINDS), by_owner),
            ],
        )
    return FixFile(str(path), len(rows), place is not None)


def _page(
    context: Context, conn: psycopg.Connection, wanted: Wanted, owner: str | None, after: int, limit: int
) -> list[dict[str, Any]]:
    known = context.configuration.sources
    if wanted.source is not None and wanted.source not in known:
        raise UsageError(f"There is no register {wanted.source}.", did_you_mean(wanted.source, known))
    if owner is not None:
        wanted = replace(wanted, pairs=_owned(context.configuration, source_fixes.pairs(conn), owner))
    rows = source_fixes.listed(conn, wanted, after=after, limit=limit)
    for row in rows:
        row["record"] = f"{row['source']}:{row['stream']}:{row['source_key']}"
        is_there = row["other_source"] is not None
        row["other"] = f"{row['other_source']}:{row['other_stream']}:{row['other_source_key']}" if is_there else None
        row["owner"] = owner_of(context.configuration, row["source"], row["attribute"])
    return rows


def _owned(configuration: Configuration, pairs: Iterable[tuple[str, str | None]], owner: str) -> list[str]:
    return [
        source if attribute is None else f"{source}:{attribute}"
        for source, attribute in pairs
        if owner_of(configuration, source, attribute) == owner
    ]


def _known(configuration: Configuration) -> Known:
    attributes: Mapping[str, Any] = configuration.attributes
    identifying = sorted(
        # Not every number: branches of one firm have different ones of some.
        name
        for name, one in attributes.items()
        if one.personal_data == "identity"
    )
    mapped: Sequence[str] = sorted(
        f"{name}:{stream}:{attribute}"
        for name, source in configuration.sources.items()
        for stream, one in source.mapped("party").items()
        for attribute in one.fields or {}
    )
    return Known(identifying, mapped)

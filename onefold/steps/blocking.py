"""blocking: what the blocking rules cost and find, the blocks by name, and rules that the data suggest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from identity.evaluation.block_report import BlockReport, Ground, NamedBlock, block_report, grounds
from identity.evaluation.rule_suggestions import Suggestions, suggest
from identity.generic import generic_values
from identity.population import Rules
from identity.schema import CROSSWALK, IDENTIFIER, JUDGEMENT, PAIR, RECORD
from onefold.charts.bars import Bar, bar_chart
from onefold.charts.canvas import write
from onefold.errors import NothingFound
from onefold.steps.logged import keep_run
from onefold.steps.report import Report
from onefold.steps.resolve import current_model
from onefold.steps.rules import distinct_sources
from warehouse import evidence, judgements, queue, resolution
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import pyarrow as pa

    from identity.model import MatchModel
    from onefold.context import Context

MOST_BLOCKS: Final = 20
"""Of a kind, that are kept by their shape."""


@dataclass(frozen=True, slots=True)
class BlockingReport(Report):
    """The blocking rules of each kind on the stored records, pairs and clients."""

    kinds: tuple[Mapping[str, Any], ...]
    """Per kind: records, points, candidate_pairs, matches, unproposed, rules, largest (blocks by name), suggestions
    (null, or: looked_at, through_clusters, single, add, drop, refine)."""
    waiting: int
    """Records whose changes are not resolved yet: matches and clients are from before them."""


def blocking(context: Context, *, suggestions: bool = False, largest: int = 5) -> BlockingReport:
    """What each rule in force costs (pairs) and finds (matches: plausible pairs within one client), and its `largest`
    blocks by the value that makes them; with `suggestions` rules to add, drop and refine.

    The rules are those of matching.yaml as it stands, so that an edited rule can be seen before a run. Nothing is
    written but a first model, and the report without values in `ops.run`. Raises NothingFound while there are no client
    records.
    """
    with context.progress.stage("blocking", 3 if suggestions else 2) as stage:
        found, waiting = _load(context)
        stage.advance()
        reports = [block_report(ground, largest) for ground in found]
        stage.advance()
        advice = [suggest(ground) if suggestions else None for ground in found]
        stage.advance(len(advice) and int(suggestions))
    refined = [one.largest for of_kind in advice if of_kind for one in of_kind.refine]
    examples = [block.example for block in (*(block for report in reports for block in report.largest), *refined)]
    with context.connection("onefold blocking") as conn:
        names = resolution.names_of(conn, examples)
    kinds = [_plain(report, of_kind, names) for report, of_kind in zip(reports, advice, strict=True)]
    keep(context, reports)
    return BlockingReport(tuple(kinds), waiting)


def keep(context: Context, reports: Sequence[BlockReport]) -> None:
    """Keep what the rules cost and find as a run of `ops.run`, for who looks without counting: the largest blocks by
    the shape of their values, for the values are somebody's."""
    kinds = [
        {
            **{name: getattr(one, name) for name in ("kind", "records", "candidate_pairs", "matches", "unproposed")},
            "rules": [asdict(rule) for rule in one.rules],
            "largest": [
                {"rule": block.rule, "shape": list(map(shape, block.values)), "size": block.size,
                 "is_refused": block.is_refused}
                for block in one.largest[:MOST_BLOCKS]
            ],
        }
        for one in reports
    ]  # fmt: skip
    with context.connection("onefold blocking") as conn:
        keep_run(context, conn, "blocking", {"kinds": kinds})


def keep_blocks(
    context: Context, records: pa.Table, identifiers: pa.Table, crosswalk: pa.Table, said: pa.Table, model: MatchModel
) -> None:
    """Count and keep the same for records that are loaded already, with the plausible pairs as they are stored."""
    settings = context.configuration.matching
    with context.connection("onefold blocking") as conn:
        pairs = evidence.load_pairs(conn, PAIR)
    rules = Rules(
        model, settings, said, distinct_sources(context), generic_values(records, identifiers, settings.generic_names)
    )
    keep(context, [block_report(ground) for ground in grounds(records, identifiers, pairs, crosswalk, rules)])


def shape(value: str) -> str:
    """What a value looks like and not what it says: letters are a, digits 9, the rest as it is; 40 characters at most.

    >>> shape("Иванов 1980-05")
    'aaaaaa 9999-99'
    """
    return "".join("a" if one.isalpha() else "9" if one.isdigit() else one for one in value[:40])


def _load(context: Context) -> tuple[list[Ground], int]:
    settings = context.configuration.matching
    with context.connection("onefold blocking") as conn, unit_of_work(conn):
        hub_lock(conn)
        model = current_model(context, conn)
    with context.connection("onefold blocking") as conn:
        # One moment for all tables, without making anybody wait.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with unit_of_work(conn):
            records = resolution.load_records(conn, RECORD)
            identifiers = resolution.load_identifiers(conn, IDENTIFIER)
            pairs, crosswalk = evidence.load_pairs(conn, PAIR), resolution.load_crosswalk(conn, CROSSWALK)
            said = judgements.load_judgements(conn, JUDGEMENT)
            waiting = queue.size(conn, "resolve")
    if records.num_rows == 0:
        raise NothingFound("There are no client records yet.", "`onefold run` brings them in.")
    generic = generic_values(records, identifiers, settings.generic_names)
    rules = Rules(model, settings, said, distinct_sources(context), generic)
    return grounds(records, identifiers, pairs, crosswalk, rules), waiting


def _plain(report: BlockReport, advice: Suggestions | None, names: Mapping[int, str]) -> dict[str, Any]:
    found = asdict(report)
    found["rules"] = [
        {**rule, "share_only": rule["linked_only"] / report.matches if report.matches else 0.0}
        for rule in found["rules"]
    ]
    found["largest"] = [_block(block, names) for block in report.largest]
    found["suggestions"] = None
    if advice is not None:
        found["suggestions"] = asdict(advice)
        found["suggestions"]["refine"] = [
            {**asdict(one), "largest": _block(one.largest, names)} for one in advice.refine
        ]
    return found


def _block(block: NamedBlock, names: Mapping[int, str]) -> dict[str, Any]:
    return {**asdict(block), "example": names.get(block.example)}


def plot_blocking(report: BlockingReport, path: Path) -> list[Path]:
    """Bars of each kind's rules, the dearest first, written to `path` (.html or .svg); what was written."""
    charts = []
    for kind in report.kinds:
        rules: Sequence[Mapping[str, Any]] = sorted(kind["rules"], key=lambda rule: (-rule["pairs"], rule["rule"]))
        bars = [
            Bar(rule["rule"], rule["pairs"], f"{rule['linked']} matches, {rule['linked_only']} by no other rule")
            for rule in rules
        ]
        said = f"{kind['candidate_pairs']} distinct pairs, {kind['matches']} matches, {kind['records']} records"
        charts.append(bar_chart(f"Blocking rules: {kind['kind']}", said, bars, unit="pairs"))
    return write(path, "What the blocking rules cost and find", charts)

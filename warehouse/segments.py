"""Schemes, segments, and which clients are in which: read for the computation, and stored by difference.

What is read stands in the temporary tables that `needs.look` leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from warehouse import arrow
from warehouse.need_rules import Rules
from warehouse.sql import sql

MEMBER: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),
        pa.field("segment", pa.string()),
        pa.field("entered_reason", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("runner_up", pa.string()),
        pa.field("runner_up_probability", pa.float64()),
    ]
)
"""A client in a scheme; without a segment it is unknown."""
_DEALING: Final = pa.schema([(name, pa.int64()) for name in ("place", "type", "age", "record_id")])
_SIGHTING: Final = pa.schema([(name, pa.int64()) for name in ("record_id", "signal_key")])


@dataclass(frozen=True, slots=True)
class Moved:
    """How many clients entered a segment (or unknown), and how many left one."""

    entered: int = 0
    left: int = 0

    def __add__(self, other: Moved) -> Moved:
        return Moved(self.entered + other.entered, self.left + other.left)


def compositions(conn: psycopg.Connection[Any], rules: Rules) -> pa.Table:
    """Clients with their dealings, and for the n-th need of the catalogue seen_for_n, expected_for_n, seen_against_n,
    expected_against_n (millionths of a sighting) and said_n (the client's own word as -1, 0 or 1); columns of which no
    signal tells are left out."""
    columns: list[Composable] = []
    pivot: list[Composable] = []
    names: list[str] = []

    def add(name: str, value: Composable) -> None:
        names.append(name)
        columns.append(SQL(", ({})::bigint").format(value))

    def add_summed(name: str, value: Composable) -> None:
        pivot.append(SQL(", {} AS {}").format(value, Identifier(name)))
        add(name, SQL("coalesce(w.{}, 0)").format(Identifier(name)))

    for at, need in enumerate(str(need["code"]) for need in rules.needs):
        mine = [signal for signal in rules.signals if signal.need == need]
        for side in ("for", "against"):
            told = {s.origin for s in mine if s.origin != "declared" and s.is_against == (side == "against")}
            channels = [place for place, one in enumerate(rules.channels) if one[0] == need and one[1] in told]
            if channels:
                weight = SQL("sum(w.{}) FILTER (WHERE w.channel = ANY ({}))")
                add_summed(f"seen_{side}_{at}", weight.format(Identifier(f"weight_{side}"), Literal(channels)))
                expected = [SQL("e.{}").format(Identifier(f"e{place}_{side}")) for place in channels]
                add(f"expected_{side}_{at}", SQL(" + ").join(expected))
        said = rules.channel_of(need, "declared")
        if said is not None:
            words = SQL("max(CASE w.says_so WHEN true THEN 1 WHEN false THEN -1 END) FILTER (WHERE w.channel = {})")
            add_summed(f"said_{at}", words.format(Literal(said)))
    schema = pa.schema([("client_id", pa.string()), ("dealings", pa.int64()), *((name, pa.int64()) for name in names)])
    query = sql("needs.compositions").format(columns=SQL("").join(columns), pivot=SQL("").join(pivot))
    return arrow.read(conn, query, schema=schema)


def sample(
    conn: psycopg.Connection[Any], rules: Rules, *, minimum: int, most: int
) -> tuple[list[str], pa.Table, pa.Table]:
    """At most so many clients with the minimum of dealings: their ids; their dealings (place of the client, of the type
    among `rules.dealing_types`, age in days, record_id); what these show (record_id, signal_key), both in order."""
    conn.execute(sql("needs.sample"), {"minimum": minimum, "most": most})
    conn.execute(sql("needs.analyse_sample"))
    ids = [str(row[0]) for row in conn.execute("SELECT client_id FROM need_sample ORDER BY place")]
    types = {"types": rules.dealing_types}
    dealings = arrow.read(conn, sql("needs.sampled_dealings"), types, schema=_DEALING)
    sightings = arrow.read(conn, sql("needs.sampled_sightings"), types, schema=_SIGHTING)
    conn.execute(sql("needs.drop_sample"))
    return ids, dealings, sightings


def moment(conn: psycopg.Connection[Any], now: datetime, *, touched: bool) -> datetime:
    """Now, or a microsecond after the last time that a client entered or left a segment: any, or one in need_client."""
    of = SQL("JOIN need_client AS c ON c.client_id = t.client_id") if touched else SQL("")
    row = conn.execute(sql("segments.moment").format(of=of), {"now": now}).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def store_members(
    conn: psycopg.Connection[Any],
    scheme: str,
    members: pa.Table,
    *,
    touched: bool,
    at: datetime,
    why: str | None = None,
) -> Moved:
    """Make `members` (MEMBER) those of the scheme: all there are, or all of the clients in need_client. Who leaves does
    so for the reason for which it enters the next one, or for `why`."""
    with (
        arrow.indexes_rebuilt(conn, ["core.client_segment"], wanted=not touched, anew=True),
        arrow.staged(conn, "new_segment", "core.client_segment", members),
    ):
        return _move(conn, scheme, touched=touched, at=at, why=why)


def reckon_figures(conn: psycopg.Connection[Any], day: date) -> None:
    """Of each client how lately, how often and for how much it buys, as of `day`: the temporary table client_figure,
    until `drop_figures` or the end of the transaction."""
    conn.execute(sql("segments.figures"), {"day": day})


def drop_figures(conn: psycopg.Connection[Any]) -> None:
    """Take away what `reckon_figures` left."""
    conn.execute(sql("segments.drop_figures"))


def store_by_figures(
    conn: psycopg.Connection[Any],
    scheme: str,
    segments: Mapping[str, Mapping[str, tuple[float | None, float | None]]],
    *,
    at: datetime,
) -> Moved:
    """Bring a scheme of lifecycle or value up to what `reckon_figures` found. `segments`: name -> figure -> from and
    to; the first that fits is taken."""
    cases = [
        SQL("WHEN {} THEN {}").format(SQL(" AND ").join([SQL("true"), *_bounds(figures)]), Literal(name))
        for name, figures in segments.items()
    ]
    conn.execute(sql("segments.by_figures").format(segment=SQL("CASE {} END").format(SQL(" ").join(cases))))
    conn.execute(sql("segments.analyse_new"))
    moved = _move(conn, scheme, touched=False, at=at, why=None)
    conn.execute(sql("segments.drop_new"))
    return moved


def _bounds(figures: Mapping[str, tuple[float | None, float | None]]) -> list[Composable]:
    made: list[Composable] = []
    for name, (least, most) in figures.items():
        made += [SQL("f.{} >= {}").format(Identifier(name), Literal(least))] if least is not None else []
        made += [SQL("f.{} <= {}").format(Identifier(name), Literal(most))] if most is not None else []
    return made


def _move(conn: psycopg.Connection[Any], scheme: str, *, touched: bool, at: datetime, why: str | None) -> Moved:
    """Bring the scheme up to the rows of new_segment, and keep how many clients are in each segment."""
    scope = SQL("need_client AS s") if touched else SQL("(VALUES (true)) AS s (every)")
    in_scope = SQL("s.client_id = t.client_id") if touched else SQL("s.every")
    parameters = {"scheme": scheme, "at": at, "why": why}
    left: Counter[str | None] = Counter()
    if not arrow.is_empty(conn, "core.client_segment"):
        left += _counted(conn, sql("segments.close"), parameters)
        gone = sql("segments.close_gone").format(scope=scope, in_scope=in_scope)
        left += _counted(conn, gone, parameters)
        conn.execute(sql("segments.refresh"), parameters)
    entered = _counted(conn, sql("segments.open"), parameters)
    if touched:
        more = Counter(entered)
        more.subtract(left)
    else:
        more = _counted(conn, sql("segments.sizes_of_new"), {})
    _size(conn, scheme, more, is_whole=not touched)
    return Moved(entered.total(), left.total())


def _counted(
    conn: psycopg.Connection[Any], statement: SQL | Composed, parameters: Mapping[str, Any]
) -> Counter[str | None]:
    """Segment (None: unknown) -> clients, of a statement that tells so."""
    return Counter(dict(conn.execute(statement, parameters).fetchall()))


def _size(conn: psycopg.Connection[Any], scheme: str, more: Mapping[str | None, int], *, is_whole: bool) -> None:
    """Note how many clients are in each segment and how many are unknown: so many, or so many `more`."""
    of_segments = {segment: number for segment, number in more.items() if segment is not None and number}
    parameters = {
        "scheme": scheme, "is_whole": is_whole, "more": Jsonb(of_segments), "unknown": more.get(None, 0),
    }  # fmt: skip
    for name, known in (("size_segments", "size_of_segment"), ("size_unknown", "size_of_unknown")):
        before = SQL("0") if is_whole else sql(f"segments.{known}")
        conn.execute(sql(f"segments.{name}").format(known=before), parameters)


def store_scheme(
    conn: psycopg.Connection[Any], scheme: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]
) -> None:
    """Make these the rows of a scheme and of its segments; who is in them is stored by `store_members`."""
    for statement in ("forget_segments", "forget_scheme"):
        conn.execute(sql(f"segments.{statement}"), scheme)
    figures = scheme["figures"]
    conn.execute(sql("segments.store_scheme"), {**scheme, "figures": None if figures is None else Jsonb(figures)})
    with conn.cursor() as cursor:
        cursor.executemany(sql("segments.store_segment"), list(segments))


def forget_scheme(conn: psycopg.Connection[Any], scheme: str, *, at: datetime) -> Moved:
    """Take a scheme away; who was in it, and when, stays."""
    moved = store_members(conn, scheme, MEMBER.empty_table(), touched=False, at=at, why="rules")
    for statement in ("forget_segments", "forget_scheme"):
        conn.execute(sql(f"segments.{statement}"), {"scheme": scheme})
    return moved


def known(conn: psycopg.Connection[Any]) -> dict[str, tuple[str, bool]]:
    """Scheme -> its basis, and whether it is served; its clients are not looked at."""
    return {scheme: (basis, is_served) for scheme, basis, is_served in conn.execute(sql("segments.known"))}


def schemes(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The schemes with their last check, and how many clients are assigned and unknown."""
    return _dicts(conn, "schemes", {})


def segments(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The segments of all schemes in the order of segments.yaml, each with how many clients are in it."""
    return _dicts(conn, "segments", {})


def of_client(conn: psycopg.Connection[Any], client_id: str) -> list[dict[str, Any]]:
    """In which segments of the served schemes a client is and was, the oldest first."""
    return _dicts(conn, "of_client", {"client_id": client_id})


def of_records(conn: psycopg.Connection[Any], scheme: str) -> dict[str, str | None]:
    """Record (source:stream:key) -> the segment of its client now (None: unknown), where the scheme is served."""
    return dict(conn.execute(sql("segments.of_records"), {"scheme": scheme}).fetchall())


def _dicts(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"segments.{statement}"), parameters).fetchall()

"""Segments: schemes with their sizes and checks, who is in a segment, what its clients have in common, and a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from onefold.errors import NothingFound
from onefold.segments import gate
from onefold.steps.rules import today
from onefold.steps.segment_use import note_use
from onefold.web.console.render import page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.hub import Hub
from warehouse import guards, mirror, segment_pages
from warehouse.segment_pages import LOOKED_AT, Sample

router: Final = APIRouter(include_in_schema=False)
PAGE: Final = 50
DOTS: Final = 500
"""Clients on a map."""
MONTHS: Final = 12
USES: Final = 20
Answer = dict[str, Any]
Name = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@router.get("/segments")
def listed(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """The schemes, how many clients are in each segment, and the catalogue of needs."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        looked = segment_pages.sample(conn, LOOKED_AT)
        schemes = segment_pages.schemes(conn)
        parts = segment_pages.segments(conn)
        sizes, is_exact = segment_pages.counts(conn, None, looked)
        needs = segment_pages.needs(conn, looked)
        used = segment_pages.used(conn, looked)
    for one in schemes:
        one.update(_neglected(hub, used.get(one["scheme"])))
        one["segments"] = _sized([part for part in parts if part["scheme"] == one["scheme"]], sizes)
        one["unknown"] = sizes.get((one["scheme"], None), 0)
    for need in needs:
        need.update({name: looked.of_all(need[name]) for name in ("declared", "observed", "inferred", "disagreeing")})
    return page(
        request,
        "segments.html",
        who,
        schemes=schemes,
        needs=needs,
        is_exact=is_exact,
        needs_are_exact=looked.is_all,
    )


@router.get("/segments/{scheme}")
def of_scheme(request: Request, hub: TheHub, who: Visits, scheme: str) -> HTMLResponse:
    """One scheme: its segments, what their clients need, why clients are unknown, who came and went."""
    who.asker.needs("clients")
    since = _months_before(hub.reading.clock(), MONTHS - 1)
    with hub.reading.connection() as conn:
        looked = segment_pages.sample(conn, LOOKED_AT)
        found = _scheme(segment_pages.schemes(conn), scheme)
        sizes, is_exact = segment_pages.counts(conn, scheme, looked)
        parts = _sized(segment_pages.segments(conn, scheme), sizes)
        needs = segment_pages.needs(conn, Sample(segment_pages.NOBODY, 1))
        composition = segment_pages.composition(conn, scheme, looked)
        of_sample = segment_pages.sizes(conn, scheme, looked)
        reasons = segment_pages.reasons(conn, scheme, looked)
        moves = segment_pages.moves(conn, scheme, looked, since=since)
        # Colleagues' names are for who answers for the data.
        used = guards.uses(conn, scheme=scheme, limit=USES) if "cases" in who.asker.scopes else []
    unknown = sizes.get((scheme, None), 0)
    return page(
        request,
        "segment_scheme.html",
        who,
        scheme=found,
        segments=parts,
        unknown=unknown,
        total=unknown + sum(one["clients"] for one in parts),
        is_exact=is_exact,
        looked_at=looked,
        needs=needs,
        held=_held(composition, of_sample),
        reasons=[{**one, "clients": looked.of_all(one["clients"])} for one in reasons],
        months=_months(since, moves, looked),
        moved=_moved(moves, looked),
        used=used,
    )


@router.get("/segments/{scheme}/map")
def mapped(request: Request, hub: TheHub, who: Visits, scheme: str) -> HTMLResponse:
    """Clients by what they need, without their names: those near a need show more of it than expected."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = _scheme(segment_pages.schemes(conn), scheme)
        among = segment_pages.sample(conn, LOOKED_AT)
        parts = segment_pages.segments(conn, scheme)
        needs = segment_pages.needs(conn, Sample(segment_pages.NOBODY, 1))
        dots = segment_pages.dots(conn, scheme, among, limit=DOTS)
    return page(
        request,
        "segment_map.html",
        who,
        scheme=found,
        segments=parts,
        needs=needs,
        dots=dots,
        is_all=among.is_all and len(dots) < DOTS,
    )


@router.get("/segments/{scheme}/check")
def checked(request: Request, hub: TheHub, who: Visits, scheme: str) -> HTMLResponse:
    """What the last check of a scheme by needs found, test by test."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = _scheme(segment_pages.schemes(conn), scheme)
        parts = segment_pages.segments(conn, scheme)
    limits = {name: getattr(gate, name.upper()) for name in ("stable", "volume", "chance", "smallest")}
    return page(request, "segment_check.html", who, scheme=found, segments=parts, limits=limits)


@router.get("/segments/{scheme}/mirror")
def mirrored(request: Request, hub: TheHub, who: Visits, scheme: str) -> HTMLResponse:
    """Whether the clients of each segment are treated differently, beside what was promised to them."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = _scheme(segment_pages.schemes(conn), scheme)
        rows = [one for one in mirror.found(conn) if one["scheme"] == scheme]
    return page(request, "segment_mirror.html", who, scheme=found, rows=rows)


@router.get("/segments/{scheme}/clients")
def members(
    request: Request,
    hub: TheHub,
    who: Visits,
    scheme: str,
    segment: Name = "",
    after: UUID = segment_pages.NOBODY,
) -> HTMLResponse:
    """The clients of a segment, page by page; without a segment those that are unknown."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = _scheme(segment_pages.schemes(conn), scheme)
        parts = segment_pages.segments(conn, scheme)
        part = next((one for one in parts if one["segment"] == segment), None)
        if segment and part is None:
            raise NothingFound(f"There is no segment {segment} in this scheme.")
        rows = segment_pages.members(conn, scheme, segment or None, limit=PAGE, after=after)
    masks = masks_for(hub, who.asker)
    note(hub, who.asker, "console segment", [row["client_id"] for row in rows], None if masks is None else [])
    if after == segment_pages.NOBODY:  # who turns its pages uses it once
        asker = who.asker
        note_use(
            hub.reading, scheme, who=asker.name, how="console segment", segment=segment or None, purpose=asker.purpose
        )
    if masks is not None:
        rows = [{**row, "display_name": masks.display_name(row["display_name"], row["kind"])} for row in rows]
    return page(
        request,
        "segment_clients.html",
        who,
        scheme=found,
        segment=part,
        rows=rows,
        is_first=after == segment_pages.NOBODY,
        next=rows[-1]["client_id"] if len(rows) == PAGE else None,
    )


def _scheme(schemes: Sequence[Answer], name: str) -> Answer:
    for one in schemes:
        if one["scheme"] == name:
            return one
    raise NothingFound(f"There is no scheme {name} in segments.yaml.")


def _neglected(hub: Hub, use: Answer | None) -> Answer:
    """Since when nobody has used a scheme, if that is long (`unused_since`), and when its review was due
    (`review_due`); None each where there is nothing to say."""
    if use is None:
        return {"unused_since": None, "review_due": None}
    since, review = use["used_at"] or use["began_at"], use["review_on"]
    is_long = since is not None and hub.reading.clock() - since >= hub.reading.configuration.segments.unused_after
    is_due = review is not None and review < today(hub.reading)
    return {"unused_since": since if is_long else None, "review_due": review if is_due else None}


def _sized(parts: Sequence[Answer], sizes: Mapping[tuple[str, str | None], int]) -> list[Answer]:
    """The segments with how many `clients` of all are in each."""
    return [{**one, "clients": sizes.get((one["scheme"], one["segment"]), 0)} for one in parts]


def _held(rows: Sequence[Answer], sizes: Mapping[tuple[str, str | None], int]) -> dict[tuple[str | None, str], float]:
    """(segment, need) -> in which share of its clients the need is held; nothing of a segment that nobody is in."""
    clients = {segment: number for (_, segment), number in sizes.items() if number}
    found = {(row["segment"], row["need"]): row["clients"] for row in rows if row["need"] is not None}
    needs = sorted({need for _, need in found})
    return {
        (segment, need): found.get((segment, need), 0) / number for segment, number in clients.items() for need in needs
    }


def _months_before(now: datetime, months: int) -> datetime:
    number = now.year * 12 + now.month - 1 - months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _months(since: datetime, rows: Sequence[Answer], among: Sample) -> list[Answer]:
    """Every month from `since` on with how many `entered` a segment and how many `left` one."""
    months = [_months_before(since, -number).date() for number in range(MONTHS)]
    return [
        {
            "month": month,
            "entered": among.of_all(sum(row["entered"] for row in rows if row["month"] == month)),
            "left": among.of_all(sum(row["left_it"] for row in rows if row["month"] == month)),
        }
        for month in months
    ]


def _moved(rows: Sequence[Answer], among: Sample) -> dict[str, Answer]:
    """Of each segment how many `entered` and `left` it, and `why` they left: reason -> how many, most first."""
    moved: dict[str, Answer] = {}
    for row in rows:
        one = moved.setdefault(row["segment"], {"entered": 0, "left": 0, "why": {}})
        one["entered"] += row["entered"]
        one["left"] += row["left_it"]
        if row["left_it"]:
            one["why"][row["reason"]] = one["why"].get(row["reason"], 0) + row["left_it"]
    for one in moved.values():
        one["why"] = {reason: among.of_all(n) for reason, n in sorted(one["why"].items(), key=lambda x: -x[1])}
        one.update({name: among.of_all(one[name]) for name in ("entered", "left")})
    return moved

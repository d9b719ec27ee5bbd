"""Looking without landing: check, discover and preview ask a source and write nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from connectors.page import TellsAbsent, TellsHow, TellsVolumes
from onefold.steps.sync import find_source, open_source, stream_request

if TYPE_CHECKING:
    from connectors.page import CheckResult, StreamInfo
    from onefold.context import Context


def check(context: Context, source: str) -> CheckResult:
    """Reach one source with its credentials, count its configured streams where it can tell, and say which it lacks.

    Raises the connector's error, which says what to do.
    """
    configured = find_source(context, source)
    with open_source(context, configured, with_streams=True) as connector:
        found = connector.check()
        if isinstance(connector, TellsVolumes):
            found = replace(found, volumes=connector.volumes(list(configured.streams)))
        if isinstance(connector, TellsAbsent):
            found = replace(found, absent=connector.absent(list(configured.streams)))
        return found


def discover(context: Context, source: str) -> Sequence[StreamInfo]:
    """The streams that a source offers, with fields, types, samples, and how changes and deletes are seen."""
    configured = find_source(context, source)
    # A source of files that names them stream by stream offers nothing else to look at.
    named = configured.connector == "files" and "path" not in configured.settings
    with open_source(context, configured, with_streams=named) as connector:
        found = connector.discover()
        unknown = [info.name for info in found if info.rows is None]
        if not isinstance(connector, TellsVolumes) or not unknown:
            return found
        volumes = connector.volumes(unknown)
        return [replace(info, rows=volumes[info.name]) if info.name in volumes else info for info in found]


def how_it_is_read(context: Context, source: str, streams: Sequence[str]) -> dict[str, str]:
    """A line for each stream of which it is known: its key, how changes and deletions are seen, how many records."""
    configured = find_source(context, source)
    with open_source(context, configured, with_streams=True) as connector:
        if not isinstance(connector, TellsHow):
            return {}
        volumes = connector.volumes(streams) if isinstance(connector, TellsVolumes) else {}
        lines = {}
        for name in streams:
            info = connector.how(stream_request(context, configured, name))
            key = info.key if isinstance(info.key, str | None) else " + ".join(info.key)
            parts = [
                f"key {key}" if key else "",
                f"changes by {info.changes or 'reading all'}",
                f"deletes by {info.deletes}",
            ]
            parts.append(f"{volumes[name]:,} records" if name in volumes else "")
            lines[name] = "; ".join(filter(None, parts))
        return lines


def preview(context: Context, source: str, stream: str, limit: int) -> list[Mapping[str, Any]]:
    """The first records of a stream as they come and as they would be mapped; nothing is written.

    Each row: key, payload (JSON text), mapped (attribute -> [{"v": value, "invalid"?: why}] or an interaction).
    """
    from onefold.errors import NothingFound
    from onefold.mapping import RawRow, compile_source
    from onefold.steps.forms import party_tables
    from warehouse.keys import record_id

    configured = find_source(context, source)
    if stream not in configured.streams:
        raise NothingFound(f"{source} has no stream {stream}.", f"It has: {', '.join(configured.streams)}.")
    with open_source(context, configured) as connector:
        pages = connector.read(stream_request(context, configured, stream), None)
        rows = list(islice((row for page in pages for row in page.rows), limit))
    mapper = compile_source(configured, context.configuration)[stream]
    raws = [RawRow(record_id(source, stream, row.key), row.key, row.payload, row.updated_at, None) for row in rows]
    mapped = mapper.map_batch(raws)
    records, _ = party_tables(context, [mapped])
    standard = {r["source_key"]: r for r in records.to_pylist()}
    facts = {r["source_key"]: r for r in mapped.interactions.to_pylist()}
    rejected = {reject.record_id: reject for reject in mapped.rejects}
    return [
        {
            "key": row.key,
            "payload": row.payload.decode(),
            "client_record": standard.get(row.key),
            "interaction": facts.get(row.key),
            "rejected": rejected[raw.record_id].reason if raw.record_id in rejected else None,
        }
        for row, raw in zip(rows, raws, strict=True)
    ]

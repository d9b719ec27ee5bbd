"""status: how the hub is, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.steps.freshness import freshness
from onefold.steps.hold import next_commands
from onefold.steps.limits import in_words
from onefold.steps.logged import close_dead
from onefold.steps.model_settings import note_on
from onefold.steps.segment_use import neglected
from onefold.steps.watch import concerns, watch
from warehouse import derived_facts, holds, match_models, queries

if TYPE_CHECKING:
    from onefold.context import Context

TRAINING_PAYS_FROM = 1_000
"""Client records; with fewer the shipped weights are as good as what could be learnt."""


def status(context: Context) -> dict[str, Any]:
    """What `warehouse.queries.status` tells, each stream's `freshness`, the `model` in use, amounts without a rate
    (`missing_rates`, by currency), the `holds` that wait for a person, what is watched over time
    (`onefold.steps.watch`), what needs somebody in `concerns`, and advice in `next`."""
    now = context.clock()
    with context.connection("onefold status") as conn:
        close_dead(conn, at=now)
        found = queries.status(conn)
        found["missing_rates"] = derived_facts.missing_rates(conn)
        model = match_models.current_head(conn)
        found["holds"] = [
            {**hold, "words": list(map(in_words, hold["findings"])), "next": list(next_commands(hold))}
            for hold in holds.open_holds(conn)
        ]
        found |= watch(context, conn, now)
    found["model"] = {
        "version": model.version if model else None,
        "kind": model.kind if model else "prior",
        "note": note_on(model, context.configuration.matching),
        "training_would_pay": found["records"] > TRAINING_PAYS_FROM and (model is None or model.kind == "prior"),
    }
    known = {(stream["source"], stream["stream"]) for stream in found["streams"]}
    for name, source in context.configuration.sources.items():
        found["streams"] += [
            {
                "source": name,
                "stream": stream,
                "records": 0,
                "deleted": 0,
                "synced_at": None,
                "newest_record_at": None,
                "rejects": 0,
            }
            for stream in source.streams
            if (name, stream) not in known
        ]
    for stream in found["streams"]:
        stream["freshness"] = freshness(context, stream, now)
    # What is left of sources that are gone or switched off is nobody's trouble.
    read = {name for name, source in context.configuration.sources.items() if source.enabled}
    streams = [one for one in found["streams"] if one["source"] in read]
    runs = [one for one in found["runs"] if one["source"] is None or one["source"] in read]
    found["concerns"] = concerns({**found, "streams": streams, "runs": runs})
    found["neglected_segments"] = neglected(context)
    found["next"] = [
        *_advice(found),
        *(f"Look whether {scheme} is still of use ({'; '.join(said)}): onefold segments list"
          for scheme, said in found["neglected_segments"].items()),
    ]  # fmt: skip
    return found


def _advice(found: dict[str, Any]) -> list[str]:
    advice = [line for hold in found["holds"] for line in hold["next"]]
    if any(stream["freshness"] in ("never", "late", "stale") for stream in found["streams"]):
        advice.append("onefold run                   some sources have not been read, or not lately")
    elif found["queues"]:
        advice.append("onefold run                   records wait in the queues")
    if found["model"]["training_would_pay"]:
        advice.append("onefold train                 weights from your own records instead of the shipped ones")
    elif found["model"]["note"]:
        advice.append("onefold train                 matching.yaml has changed since the model was trained")
    if found["open_rejects"]:
        advice.append("onefold rejects               see what could not be taken in, and why")
    if found["open_cases"]:
        advice.append("onefold cases                 see what waits for a person's word")
    return advice

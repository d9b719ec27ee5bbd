"""discover: suggests needs from what dealings show. A person names them and writes them into needs.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onefold.errors import UsageError
from onefold.segments.discover import Discovery, Feature, Suggested, discover
from onefold.steps.report import Report
from warehouse import discovery
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from onefold.context import Context

CLIENTS: Final = 5_000
FEATURES: Final = 400
JOB: Final = "say it in the client's words"
"""What stands in place of the job until somebody says it."""
_HEAD: Final = """\
# Suggested by `onefold needs discover`: what comes together in the dealings of some clients more often than in those of
# others. It may be a need or something else. Give those that are needs a name, a job in the client's words and a
# dimension, take out what does not belong to them, and write them into config/needs.yaml, or let `onefold needs accept
# NAME --as need` do it. No run reads this file.
"""


@dataclass(frozen=True, slots=True)
class DiscoverReport(Report):
    """Suggestions, and the file that holds them."""

    clients: int
    """With enough dealings to be looked at."""
    agreement: float | None
    """Adjusted Rand index with clusters of clients by the composition of their dealings; None: nothing to compare."""
    suggested: tuple[dict[str, Any], ...]
    file: str | None = None


def discover_needs(context: Context, *, minimum: int = 6, path: Path | None = None) -> DiscoverReport:
    """Suggest needs from clients with at least `minimum` dealings; write them to `path` as they would stand in
    needs.yaml. UsageError where `path` is there already."""
    if path is not None and path.exists():
        raise _taken(path)
    with context.connection("onefold needs") as conn, unit_of_work(conn):
        features, counts, dealings = discovery.read(conn, minimum=minimum, clients=CLIENTS, features=FEATURES)
        found = _discover(features, counts, dealings)
        stems = sorted({f.value for one in found.suggested for f in one.features if f.is_word})
        words = discovery.spelling(conn, stems)
    suggested = tuple(_plain(at, one, words) for at, one in enumerate(found.suggested, 1))
    if path is not None:
        write(path, suggested)
    return DiscoverReport(found.clients, found.agreement, suggested, None if path is None else str(path))


def write(path: Path, suggested: tuple[dict[str, Any], ...]) -> None:
    """The suggestions as YAML, each with what speaks for it as a comment. UsageError where `path` is there already."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.width = 120
    yaml.dump({"needs": {one["code"]: one["need"] for one in suggested}}, text)
    lines = text.getvalue().splitlines()
    notes = {
        f"  {one['code']}:": f"  # {one['clients']} clients; found again in halves: {one['found_again']}"
        for one in suggested
    }
    made = [line for one in lines for line in ([notes[one], one] if one in notes else [one])]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_HEAD + "\n".join(made) + "\n")
    except FileExistsError as error:
        raise _taken(path) from error


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} exists.", "What people have written into it would be lost: say another --out FILE.")


def _discover(features: list[Any], counts: list[Any], dealings: list[Any]) -> Discovery:
    clients = 1 + max((client for client, _, _ in dealings), default=-1)
    types = sorted({type_ for _, type_, _ in dealings})
    by_type = np.zeros((clients, len(types)))
    for client, type_, count in dealings:
        by_type[client, types.index(type_)] = count
    share = np.zeros((len(types), len(features)))
    for at, (feature, value) in enumerate(features):
        share[types.index(feature[0]), at] = value
    return discover(
        np.array([client for client, _, _ in counts], np.int64),
        np.array([feature for _, feature, _ in counts], np.int64),
        np.array([float(count) for _, _, count in counts]),
        by_type @ share,
        [Feature(type_, looked, said, word, share_) for (type_, looked, said, word), share_ in features],
    )


def _plain(at: int, one: Suggested, words: dict[str, str]) -> dict[str, Any]:
    signals: dict[str, Any] = {}
    for number, feature in enumerate(one.features, 1):
        said: dict[str, Any] = {"types": feature.type}
        if feature.is_word:
            said["words"] = words.get(feature.value, feature.value)
            if feature.looked != "summary":
                said["in"] = feature.looked
        else:
            said["when"] = {feature.looked: feature.value}
        signals[f"signal_{number}"] = said
    need = {
        "job": JOB,
        "labels": f"Suggestion {at}",
        "dimension": "name_it",
        "signals": signals,
    }
    return {"code": f"suggestion_{at}", "clients": one.clients, "found_again": one.found_again, "need": need}

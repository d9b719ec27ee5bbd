"""What the matcher learned, for people who look: weights, thresholds, blocking rules, all from what is kept.

A stored model never changes, so that each process reads it once; what is dear to count was kept by the steps that
counted it (`blocking`, `train`, `evaluate --blocking`, `resolve`). No value of a client is in it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from identity.explanation.explain import words_of
from identity.explanation.words import column_words
from onefold.errors import NothingFound
from onefold.steps.logged import keep_run
from onefold.steps.model_settings import note_on
from onefold.steps.models import diff_models, show_model
from warehouse import match_models, source_runs

if TYPE_CHECKING:
    from onefold.context import Context
    from warehouse.match_models import Version

MOST_VERSIONS: Final = 50
MOST_CHANGES: Final = 40
_KEPT: Final = 64
_COMMAND: Final = "model"
_kept: OrderedDict[tuple[str, ...], dict[str, Any]] = OrderedDict()
_lock: Final = Lock()


def model_page(context: Context, version: int | None = None) -> dict[str, Any]:
    """versions (newest first), model (the version asked for, or in use; None before the first), diff (against the
    version before it; None: there is none), note, blocking, recall and weights as they were kept last (None: never).

    NothingFound: there is no version of that number.
    """
    with context.connection("onefold model page") as conn:
        versions = match_models.versions(conn, limit=MOST_VERSIONS)
        blocks, recall = (next(iter(source_runs.kept(conn, name)), None) for name in ("blocking", "evaluate"))
        weights = source_runs.weights(conn)
        head = match_models.current_head(conn)
    wanted = next((one for one in versions if one.version == version or (version is None and one.is_current)), None)
    if wanted is None and (version is not None or versions):
        raise NothingFound(f"There is no model {version}." if version is not None else "No model is in use.")
    shown: dict[str, Any] = {"model": None, "diff": None}
    if wanted is not None:
        shown = _once(context, wanted, _before(versions, wanted))
    model = None if wanted is None else {**shown["model"], "is_current": wanted.is_current}
    return {
        "versions": versions,
        "model": model,
        "diff": shown["diff"],
        "note": note_on(head, context.configuration.matching),
        "blocking": blocks,
        "recall": recall,
        "weights": weights,
    }


def keep_model(context: Context, version: int) -> None:
    """Keep what the page shows of a version as a run of `ops.run`: reading its body takes seconds at a million clients,
    so that who trains it waits for that and who looks does not."""
    with context.connection("onefold model page") as conn:
        versions = match_models.versions(conn, limit=MOST_VERSIONS)
        wanted = next((one for one in versions if one.version == version), None)
        if wanted is None:
            return
        before = _before(versions, wanted)
        report = {"of": list(_key(wanted, before)), **_read(context, wanted, before)}
        keep_run(context, conn, _COMMAND, json.loads(json.dumps(report, default=str)))


def _before(versions: Sequence[Version], wanted: Version) -> Version | None:
    return next((one for one in versions if one.version < wanted.version), None)


def _key(wanted: Version, before: Version | None) -> tuple[str, ...]:
    return (wanted.fingerprint, "" if before is None else before.fingerprint)


def _once(context: Context, wanted: Version, before: Version | None) -> dict[str, Any]:
    """What is shown of a version beside the one before it: as it was kept, else read, once in this process while it is
    among the last that were asked for."""
    key = _key(wanted, before)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    with context.connection("onefold model page") as conn:
        stored = [run["report"] for run in source_runs.kept(conn, _COMMAND, limit=MOST_VERSIONS)]
    made = next((one for one in stored if tuple(one["of"]) == key), None) or _read(context, wanted, before)
    with _lock:
        _kept[key] = made
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


def _read(context: Context, wanted: Version, before: Version | None) -> dict[str, Any]:
    diff = None if before is None else _diff(context, before.version, wanted.version)
    return {"model": _model(context, wanted.version), "diff": diff}


def _model(context: Context, version: int) -> dict[str, Any]:
    found = show_model(context, version)
    for kind in found["kinds"].values():
        for column in kind["columns"]:
            column["words"] = {lang: column_words(column["column"], lang) for lang in ("en", "ru")}
            for level in column["levels"]:
                level["words"] = _level_words(column["column"], level["level"])
            if column["terms"] is not None:
                column["terms"] = _terms(column["terms"])
    return found


def _level_words(column: str, level: str) -> dict[str, str]:
    return {lang: said.partition(": ")[2] or said for lang, said in words_of(column, level).items()}


def _terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Without the values: a rare name among them is somebody's."""
    bits = [one["bits"] for one in (*terms["least"], *terms["most"])]
    return {"values": terms["values"], "unseen": terms["unseen_bits"], "least": min(bits), "most": max(bits)}


def _diff(context: Context, left: int, right: int) -> dict[str, Any]:
    found = diff_models(context, left, right)
    for kind in found["kinds"].values():
        kind["levels"] = [_changed(one) for one in kind["levels"][:MOST_CHANGES]]
        kind["terms"] = [{name: one[name] for name in ("column", "values")} for one in kind["terms"]]
        kind["is_same"] = not _differs(kind["thresholds"].values()) and not kind["levels"] and not kind["terms"]
    return found


def _changed(level: dict[str, Any]) -> dict[str, Any]:
    words = {lang: column_words(level["column"], lang) for lang in ("en", "ru")}
    return {**level, "words": words, "level_words": _level_words(level["column"], level["level"])}


def _differs(thresholds: Sequence[Mapping[str, float]] | Any) -> bool:
    return any(one["left"] != one["right"] for one in thresholds)

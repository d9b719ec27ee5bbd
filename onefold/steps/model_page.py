"""What the matcher learned, for people who look: weights, thresholds, blocking rules, all from what is kept.

A stored model never changes, so that each process reads it once; what is dear to count was kept by the steps that
counted it (`blocking`, `train`, `evaluate --blocking`, `resolve`). No value of a client is in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from identity.explanation.explain import words_of
from identity.explanation.words import column_words
from onefold.errors import NothingFound
from onefold.steps.model_settings import note_on
from onefold.steps.models import diff_models, show_model
from warehouse import match_models, source_runs

if TYPE_CHECKING:
    from onefold.context import Context

MOST_VERSIONS: Final = 50
MOST_CHANGES: Final = 40
_KEPT: Final = 64
_kept: OrderedDict[tuple[str, ...], dict[str, Any]] = OrderedDict()
_lock: Final = Lock()


def model_page(context: Context, version: int | None = None) -> dict[str, Any]:
    """versions (newest first), model (the version asked for, or in use; None before the first), diff (against the
    version before it; None: there is none), note, blocking, recall and weights as they were kept last (None: never).

    NothingFound: there is no version of that number.
    """
    with context.connection("onefold model page") as conn:
        versions = match_models.versions(conn, limit=MOST_VERSIONS)
        blocks, recall = source_runs.kept(conn, "blocking"), source_runs.kept(conn, "evaluate")
        weights = source_runs.weights(conn)
        head = match_models.current_head(conn)
    wanted = next((one for one in versions if one.version == version or (version is None and one.is_current)), None)
    if wanted is None and (version is not None or versions):
        raise NothingFound(f"There is no model {version}." if version is not None else "No model is in use.")
    before = next((one for one in versions if wanted is not None and one.version < wanted.version), None)
    return {
        "versions": versions,
        "model": None if wanted is None else _once((wanted.fingerprint,), lambda: _model(context, wanted.version)),
        "diff": None
        if wanted is None or before is None
        else _once((before.fingerprint, wanted.fingerprint), lambda: _diff(context, before.version, wanted.version)),
        "note": note_on(head, context.configuration.matching),
        "blocking": blocks,
        "recall": recall,
        "weights": weights,
    }


def _once(key: tuple[str, ...], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is made for these fingerprints, made once while it is among the last that were asked for."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = make()
    with _lock:
        _kept[key] = made
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


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

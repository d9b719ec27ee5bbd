"""The stored versions of the match model: read, compared with each other and with the settings in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from identity.comparison.compare import level_names
from identity.model import ColumnModel, KindModel, MatchModel, documents_column, from_json, prior_model, to_json
from identity.schema import KINDS, WEIGHT_ONE_BIT
from identity.settings import DOCUMENTS
from onefold.errors import NothingFound
from onefold.steps.model_settings import edited_since, plain
from warehouse import match_models

if TYPE_CHECKING:
    import psycopg

    from identity.settings import MatchingSettings
    from onefold.context import Context
    from warehouse.match_models import StoredModel

EXTREMES = 10
"""Values and levels that are listed where there are thousands."""


def body_of(model: MatchModel, settings: MatchingSettings, **facts: Any) -> dict[str, Any]:
    """What `identity.model` keeps: the model without its version, and what it was made with.

    The same training gives the same body, and so the version that it has already.
    """
    body: dict[str, Any] = json.loads(to_json(model))
    del body["version"]
    return {**body, "made_with": {"settings": plain(settings), **facts}}


def as_model(stored: StoredModel, settings: MatchingSettings) -> MatchModel:
    """A stored model as it works under these settings.

    It belongs to the settings it was made with: its thresholds and weights stay. A comparison that was edited since,
    or is new, has the shipped weights until the next training; one that is gone is left out.
    """
    model = from_json({**stored.body, "version": stored.version})
    kinds = {}
    for kind in KINDS:
        wanted = level_names(kind, settings.kind(kind))
        own = model.kind(kind).columns
        columns = {
            name: own[name]
            if name in own and _levels(own[name]) == levels
            else _shipped(settings, model.kind(kind), kind, name)
            for name, levels in wanted.items()
        }
        kinds[kind] = replace(model.kind(kind), columns=columns)
    return replace(model, person=kinds["person"], organisation=kinds["organisation"])


def model_in_force(context: Context, conn: psycopg.Connection) -> MatchModel:
    """The model that resolve used last, for what only reads. A version never changes: the last one is kept, since to
    read it may take longer than what it is read for."""
    in_use, settings = match_models.in_use(conn), context.configuration.matching
    version, kind = in_use or (0, "prior")
    name = (context.database_url, version)
    kept = _KEPT.get(name)  # once: another thread may put its own in this one's place
    if kept is None or kept[0] is not settings:
        if kind == "prior":
            model = prior_model(settings, *([] if in_use is None else [version]))
        else:
            stored = match_models.of_version(conn, version)
            assert stored is not None
            model = as_model(stored, settings)
        kept = settings, model
        _KEPT.clear()
        _KEPT[name] = kept
    return kept[1]


_KEPT: dict[tuple[str, int], tuple[MatchingSettings, MatchModel]] = {}


def _shipped(settings: MatchingSettings, model: KindModel, kind: str, name: str) -> ColumnModel:
    """A column's shipped weights, of documents in common those under this model's prior."""
    column = prior_model(settings).kind(kind).columns[name]
    return documents_column(column, model.prior / WEIGHT_ONE_BIT) if name == DOCUMENTS else column


def _levels(column: ColumnModel) -> tuple[str, ...]:
    return tuple(level.name for level in column.levels)


def models(context: Context) -> list[dict[str, Any]]:
    """All versions, oldest first: version, kind, is_current, created_at, records (by kind), edited settings."""
    with context.connection("onefold model") as conn:
        found = match_models.made_with(conn)
    return [_head(stored, context.configuration.matching) for stored in found]


def _head(stored: StoredModel, settings: MatchingSettings) -> dict[str, Any]:
    made_with = stored.body.get("made_with") or {}
    return {
        "version": stored.version,
        "kind": stored.kind,
        "is_current": stored.is_current,
        "created_at": stored.created_at,
        "records": made_with.get("records"),
        "judgements": made_with.get("judgements"),
        "edited_settings": edited_since(stored, settings),
    }


def find_model(conn: psycopg.Connection, version: int | None) -> StoredModel:
    """A version, or (None) the one in use. NothingFound names those that exist."""
    found = match_models.current(conn) if version is None else match_models.of_version(conn, version)
    if found is None:
        known = ", ".join(str(stored.version) for stored in match_models.made_with(conn))
        raise NothingFound(
            f"There is no model {version}." if version is not None else "No model is in use yet.",
            f"Saved: {known}." if known else "`onefold run` saves the first one.",
        )
    return found


def show_model(context: Context, version: int | None = None) -> dict[str, Any]:
    """One version (the one in use) as it was saved: of each kind its thresholds, columns with their levels, terms.

    Weights are in bits. m and u of a supervised model are those of the unsupervised model that judgements corrected.
    """
    with context.connection("onefold model") as conn:
        stored = find_model(conn, version)
    model = from_json({**stored.body, "version": stored.version})
    return {
        **_head(stored, context.configuration.matching),
        "component_bound": model.component_bound,
        "kinds": {kind: _kind(model.kind(kind)) for kind in KINDS},
    }


def _kind(model: KindModel) -> dict[str, Any]:
    return {
        "thresholds": _thresholds(model),
        "columns": [
            {
                "column": name,
                "levels": [
                    {
                        "level": level.name,
                        "m": level.m,
                        "u": level.u,
                        "bits": level.weight / WEIGHT_ONE_BIT,
                        "kin_bits": None if level.kin is None else level.kin / WEIGHT_ONE_BIT,
                    }
                    for level in column.levels
                ],
                "terms": _terms(column),
            }
            for name, column in model.columns.items()
        ],
        "words": len(model.words.weights),
    }


def _thresholds(model: KindModel) -> dict[str, float]:
    weights = {
        "prior": model.prior,
        "link": model.link,
        "review": model.review,
        "plausible": model.plausible,
        "kin": model.kin,
    }
    return {name: weight / WEIGHT_ONE_BIT for name, weight in weights.items()}


def _terms(column: ColumnModel) -> dict[str, Any] | None:
    """How many values have a weight of their own, what others add, and the values that say least and most."""
    if not column.terms:
        return None
    ordered = sorted(column.terms.items(), key=lambda term: (term[1], term[0]))
    return {
        "values": len(ordered),
        "unseen_bits": column.unseen_term / WEIGHT_ONE_BIT,
        "least": _in_bits(ordered[:EXTREMES]),
        "most": _in_bits(ordered[: -EXTREMES - 1 : -1]),
    }


def _in_bits(terms: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"value": value, "bits": weight / WEIGHT_ONE_BIT} for value, weight in terms]


def diff_models(context: Context, left: int, right: int) -> dict[str, Any]:
    """Two versions beside each other: thresholds, every level whose weight differs (most first), and terms."""
    with context.connection("onefold model") as conn:
        stored = find_model(conn, left), find_model(conn, right)
    one, two = (from_json({**found.body, "version": found.version}) for found in stored)
    return {
        "left": _head(stored[0], context.configuration.matching),
        "right": _head(stored[1], context.configuration.matching),
        "kinds": {kind: _kind_diff(one.kind(kind), two.kind(kind)) for kind in KINDS},
    }


def _kind_diff(one: KindModel, two: KindModel) -> dict[str, Any]:
    left, right = _thresholds(one), _thresholds(two)
    return {
        "thresholds": {name: {"left": left[name], "right": right[name]} for name in left},
        "levels": sorted(
            _level_diffs(one, two), key=lambda found: (-abs(found["change"]), found["column"], found["level"])
        ),
        "terms": [
            found
            for name in sorted(one.columns.keys() | two.columns.keys())
            if (found := _term_diff(name, one.columns.get(name), two.columns.get(name))) is not None
        ],
        "words": {"left": len(one.words.weights), "right": len(two.words.weights)},
    }


def _level_diffs(one: KindModel, two: KindModel) -> Iterator[dict[str, Any]]:
    for name in sorted(one.columns.keys() | two.columns.keys()):
        sides = [
            {level.name: level.weight / WEIGHT_ONE_BIT for level in model.columns[name].levels}
            if name in model.columns
            else {}
            for model in (one, two)
        ]
        for level in sides[0].keys() | sides[1].keys():
            left, right = sides[0].get(level), sides[1].get(level)
            if left != right:
                change = (right or 0.0) - (left or 0.0)
                yield {"column": name, "level": level, "left": left, "right": right, "change": change}


def _term_diff(name: str, one: ColumnModel | None, two: ColumnModel | None) -> dict[str, Any] | None:
    """The values whose weights differ most; a value without one counts as unseen."""
    left, right = one or ColumnModel(()), two or ColumnModel(())
    if (left.terms, left.unseen_term) == (right.terms, right.unseen_term):
        return None
    changes = {
        value: right.terms.get(value, right.unseen_term) - left.terms.get(value, left.unseen_term)
        for value in left.terms.keys() | right.terms.keys()
    }
    largest = sorted(changes.items(), key=lambda change: (-abs(change[1]), change[0]))[:EXTREMES]
    return {
        "column": name,
        "values": {"left": len(left.terms), "right": len(right.terms)},
        "unseen_bits": {"left": left.unseen_term / WEIGHT_ONE_BIT, "right": right.unseen_term / WEIGHT_ONE_BIT},
        "largest": [{"value": value, "change": change / WEIGHT_ONE_BIT} for value, change in largest],
    }

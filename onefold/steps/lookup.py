"""lookup: search before create. Which client a record that is not stored yet would belong to, with the evidence."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from identity.accepted import ACCEPTED
from identity.explanation.explain import probability_of, words_of
from identity.features import ADDRESS, natural_keys
from identity.generic import GENERIC
from identity.lookup import MOST_CANDIDATES, Asked, Asking, Found, compare_with
from identity.population import Rules
from identity.schema import IDENTIFIER, JUDGEMENT, KINDS, RECORD, WEIGHT_ONE_BIT
from onefold.errors import UsageError
from onefold.steps.resolve import current_model
from onefold.steps.rules import standard_profile
from warehouse import evidence
from warehouse.clock import one_moment
from warehouse.nearest import Nearest, nearest

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from identity.model import KindModel
    from identity.standard import Profile
    from onefold.context import Context


@dataclass
class Lookup:
    """Looks records up on one connection; what every look needs is read once and again after each resolution."""

    context: Context
    conn: psycopg.Connection
    most: int = MOST_CANDIDATES
    _profile: Profile = field(init=False, repr=False)
    _state: str | None = field(init=False, default=None, repr=False)
    _rules: tuple[Rules, Asking] | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self._profile = standard_profile(self.context)

    def match(
        self,
        kind: str,
        attributes: Sequence[tuple[str, str]],
        *,
        country: str | None = None,
        limit: int = 5,
        doubtful: bool = True,
    ) -> dict[str, Any]:
        """The clients that a record with these values (attribute, value as written) may be, the likeliest first.

        Keys: kind, compared (stored records), truncated (whether more shared a key than are compared), matches: each
        client_id, display_name, record, verdict (link, review, forbidden), bits, link_bits, probability, evidence
        (column, level, bits, words). Without `doubtful` only those that would be linked. UsageError: an unknown kind
        or attribute, or a record without any value.
        """
        self._check(kind, attributes)
        rules, one, near = self._near(kind, attributes, country)
        found = compare_with(one, near.records, near.identifiers, _concerning(rules, one.identifiers, near.identifiers))
        model = rules.model.kind(kind)
        least = model.link if doubtful is False else model.review
        best = [one for one in found if one.weight >= least and (doubtful or not one.forbidden)]
        names = natural_keys(near.records).to_pylist() if best else []
        named = dict(zip(near.records["record_id"].to_pylist() if best else [], names, strict=True))
        matches: dict[str, dict[str, Any]] = {}
        for one_found in best:
            if one_found.record_id in near.clients:
                client, name = near.clients[one_found.record_id]
                matches.setdefault(client, _match(client, name, named[one_found.record_id], one_found, model))
        return {
            "kind": kind,
            "compared": near.records.num_rows,
            "truncated": near.found > near.records.num_rows,
            "matches": list(matches.values())[:limit],
        }

    def _check(self, kind: str, attributes: Sequence[tuple[str, str]]) -> None:
        if kind not in KINDS:
            raise UsageError(f"`{kind}` is no kind of record.", f"It is one of {', '.join(KINDS)}.")
        if not any(value.strip() for _, value in attributes):
            raise UsageError("Nothing is known of this record.", "Give at least one value, as in `phone=+7 916 ...`.")
        known = self.context.configuration.attributes
        for name, _ in attributes:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(sorted(known))}."
                raise UsageError(f"`{name}` is no known attribute.", hint)

    def _near(
        self, kind: str, attributes: Sequence[tuple[str, str]], country: str | None
    ) -> tuple[Rules, Asked, Nearest]:
        """The record in standard form with its keys, and what is stored near it; both under the rules of one
        resolution, however many end meanwhile."""
        while True:
            rules, asking = self._rules or self._read_rules()
            one = asking.of(kind, attributes, country)
            near = nearest(self.conn, one.keys, self.most, RECORD, IDENTIFIER, rules.settings.open_attributes)
            if near.state == self._state:
                return rules, one, near
            self._rules = None

    def _read_rules(self) -> tuple[Rules, Asking]:
        """Model, generic and accepted values as of the last resolution."""
        with one_moment(self.conn):
            self._state = evidence.state(self.conn)
            rules = Rules(
                current_model(self.context, self.conn),
                self.context.configuration.matching,
                JUDGEMENT.empty_table(),
                (),
                evidence.load_generic(self.conn, GENERIC),
                evidence.load_accepted(self.conn, ACCEPTED),
            )
        self._rules = rules, Asking(self._profile, rules)
        _forget_to_collect()
        return self._rules


def _forget_to_collect() -> None:
    """Leave what is alive now, a model of a hundred thousand values among it, out of garbage collections: one that
    walks through all of it takes longer than a lookup."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # some libraries count what the interpreter's end leaves behind


def _concerning(rules: Rules, *identifiers: pa.Table) -> Rules:
    """The rules with the generic values among these identifiers, and generic addresses, only."""
    if rules.generic.num_rows == 0:
        return rules
    values = [table["value"].combine_chunks() for table in identifiers]
    mask = pc.or_(*(pc.is_in(rules.generic["value"], value_set=found) for found in values))
    generic = rules.generic.filter(pc.or_(mask, pc.equal(rules.generic["type"], ADDRESS)))
    return replace(rules, generic=generic)


def _match(client: str, name: str | None, record: str, found: Found, model: KindModel) -> dict[str, Any]:
    verdict = "forbidden" if found.forbidden else "link" if found.weight >= model.link else "review"
    return {
        "client_id": client,
        "display_name": name,
        "record": record,
        "verdict": verdict,
        "bits": found.weight / WEIGHT_ONE_BIT,
        "link_bits": model.link / WEIGHT_ONE_BIT,
        "probability": round(probability_of(model.prior + found.weight), 6),
        "evidence": [
            {"column": column, "level": level, "bits": weight / WEIGHT_ONE_BIT, "words": words_of(column, level)}
            for column, (level, weight) in found.levels.items()
        ],
    }


def lookup(
    context: Context,
    kind: str,
    attributes: Sequence[tuple[str, str]],
    *,
    country: str | None = None,
    limit: int = 5,
) -> dict[str, Any]:
    """`Lookup.match` of one record on a connection of its own."""
    with context.connection("onefold lookup") as conn:
        return Lookup(context, conn).match(kind, attributes, country=country, limit=limit)


def values_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The values of a record as `match` takes them: {"email": ["a@x", "b@x"], "family_name": "Ott"}; null is none.

    UsageError: a value that is neither a text, a number, nor a list of those.
    """
    found = []
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list | bool):
                raise UsageError(f"`{name}` is neither a text nor a number.", "Several values are a list of texts.")
            if one is not None:
                found.append((name, str(one)))
    return found

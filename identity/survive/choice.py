"""The choice of one attribute's golden value, of all its values, or of a group of attributes from one
record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from identity.standard.columns import encode_json_strings
from identity.survive.candidates import Candidates, Ints, Records
from identity.survive.ranking import TIE, Key, Ranking, group_counts, pair_codes, rank
from identity.survive.settings import Rule, SurvivorshipRules

MAX_LOSERS = 50
"""Distinct lost values that lineage names per attribute; further ones are counted as `more`."""
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The golden values of one attribute; aligned, one element per client that has any."""

    client: Ints
    first_value: pa.Array
    value_json: pa.Array
    """A JSON string, or a JSON list where every value is kept."""
    lineage_json: pa.Array


def _codes(values: pa.Array) -> Ints:
    codes: Ints = values.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _flag(values: pa.Array) -> Ints:
    flags: Ints = values.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
    return flags


def _authority(records: Records, named: tuple[str, ...]) -> Ints:
    """Per record, the place of its stream or source among those that decide; behind them all where it is not
    named."""
    place = np.full(len(records.client), len(named), dtype=np.int64)
    if named:
        streams = pc.binary_join_element_wise(records.source, records.stream, ":")
        for number in range(len(named) - 1, -1, -1):
            texts = streams if ":" in named[number] else records.source
            place[pc.equal(texts, named[number]).to_numpy(zero_copy_only=False)] = number
    return place


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the rules look at, one element per candidate."""

    row: Ints
    """Position of the record in `Records`."""
    same: Ints
    """Equal where the values are equal."""
    invalid: Ints
    derived: Ints
    filled: Ints
    """How many fields of the group are filled; 0 for a single attribute."""
    length: Ints
    restriction: Ints | None = None
    """Place among the field's values, the most restrictive first; None for a group."""

    def keys(self, records: Records, name: str, rules: SurvivorshipRules) -> dict[Rule, Key]:
        """The rules as numbers; smaller is better."""
        authority = _authority(records, rules.authority.get(name, ()))
        client = records.client
        restriction = self.length * 0 if self.restriction is None else self.restriction
        return {
            "most_restrictive": lambda at: restriction[at],
            "authority": lambda at: authority[self.row[at]],
            "valid": lambda at: self.invalid[at],
            "stated": lambda at: self.derived[at],
            "complete": lambda at: -self.filled[at],
            "trust": lambda at: -records.trust[self.row[at]],
            "recent": lambda at: -records.updated[self.row[at]],
            "frequent": lambda at: -group_counts(pair_codes(client[self.row[at]], self.same[at])),
            "longest": lambda at: -self.length[at],
        }


def _figures(found: Candidates, codes: Ints, order: tuple[str, ...] = ()) -> _Figures:
    length = pc.utf8_length(found.value).to_numpy(zero_copy_only=False).astype(np.int64)
    flags = _flag(found.invalid), _flag(found.derived)
    return _Figures(found.row, codes, *flags, np.zeros_like(codes), length, _restriction(found, order))


def _restriction(found: Candidates, order: tuple[str, ...]) -> Ints | None:
    """Per candidate the place of its value in `order`, from 1; 0, before them all, for a value that is not in it."""
    if not order:
        return None
    place = pc.fill_null(pc.index_in(found.value, pa.array(order, pa.string())), -1)
    places: Ints = place.to_numpy(zero_copy_only=False).astype(np.int64) + 1
    return places


def _note(name: str, values: pa.Array) -> pa.Array:
    """`,"name":"value"` where there is one, else empty."""
    if values.null_count == len(values):
        return pa.array([""] * len(values), pa.string())
    return pc.fill_null(pc.binary_join_element_wise(f',"{name}":', encode_json_strings(values), ""), "")


def _lists(counts: Ints, texts: pa.Array) -> pa.Array:
    offsets = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), ",")


def _losers(owner: Ints, size: int, record_ids: pa.Array, values: pa.Array, reasons: pa.Array) -> pa.Array:
    """`,"losers":[...]` per owner (ascending in `owner`, best first), else empty; one per distinct value, at
    most 50."""
    if not len(owner):
        return pa.array([""] * size, pa.string())
    pairs = pair_codes(owner, _codes(values))
    _, first = np.unique(pairs, return_index=True)
    first.sort()
    owner, values = owner[first], values.take(pa.array(first))
    record_ids, reasons = record_ids.take(pa.array(first)), reasons.take(pa.array(first))
    starts = np.ones(len(owner), dtype=bool)
    starts[1:] = owner[1:] != owner[:-1]
    place = np.arange(len(owner)) - np.maximum.accumulate(np.where(starts, np.arange(len(owner)), 0))
    named = place < MAX_LOSERS
    counts = np.bincount(owner[named], minlength=size)
    texts = pc.binary_join_element_wise(
        '{"record_id":',
        record_ids.cast(pa.string()),
        ',"value":',
        encode_json_strings(values),
        ',"reason":"',
        reasons,
        '"}',
        "",
    )
    joined = _lists(counts, texts.filter(pa.array(named)) if not named.all() else texts)
    more = np.bincount(owner[~named], minlength=size)
    text = pc.binary_join_element_wise(',"losers":[', joined, "]", "")
    if more.any():
        tail = pc.binary_join_element_wise(',"more":', pa.array(more).cast(pa.string()), "")
        text = pc.binary_join_element_wise(text, pc.if_else(pa.array(more > 0), tail, ""), "")
    return pc.if_else(pa.array(counts > 0), text, "")


def _rule_names(rules: tuple[Rule, ...]) -> pa.Array:
    return pa.array([*rules, TIE, "only", "agreed"], pa.string())


def _winner_rule(ranking: Ranking, owner: Ints, lost: Bools, rules: tuple[Rule, ...]) -> Ints:
    """Per winner, the rule that put it before its strongest rival; `only` or `agreed` where there was
    none."""
    size = int(ranking.is_best.sum())
    rule = np.full(size, len(rules) + 1, dtype=np.int64)
    rivals = np.bincount(owner, minlength=size) > 1
    rule[rivals] = len(rules) + 2
    strongest = np.flatnonzero(lost)[::-1]  # written backwards, so that each winner's first rival stays
    rule[owner[strongest]] = ranking.decided[strongest]
    return rule


def choose_one(
    records: Records, name: str, found: Candidates, rules: SurvivorshipRules, *, told: bool = True
) -> Chosen:
    """One value per client; without lineage where it is not `told`."""
    codes = _codes(found.value)
    order_of_rules = rules.of(name)
    client = records.client[found.row]
    order = rules.order(name) if "most_restrictive" in order_of_rules else ()
    ranking = rank(client, order_of_rules, _figures(found, codes, order).keys(records, name, rules))
    owner = np.cumsum(ranking.is_best) - 1
    best = ranking.order[ranking.is_best]
    value = found.value.take(pa.array(best))
    value_json = encode_json_strings(value)
    if not told:
        return Chosen(client[best], value, value_json, _untold(best))
    lost = codes[ranking.order] != codes[best][owner]
    losers = ranking.order[lost]
    names = _rule_names(order_of_rules)
    reasons = names.take(pa.array(ranking.decided[lost]))
    winner_ids = records.record_id.take(pa.array(found.row[best]))
    lineage = pc.binary_join_element_wise(
        '{"record_id":', winner_ids.cast(pa.string()), ',"rule":"',
        names.take(pa.array(_winner_rule(ranking, owner, lost, order_of_rules))), '"',
        _note("invalid", found.invalid.take(pa.array(best))), _note("derived",
        found.derived.take(pa.array(best))),
        _losers(owner[lost], len(best), records.record_id.take(pa.array(found.row[losers])),
                found.value.take(pa.array(losers)), reasons), "}", "",
    )  # fmt: skip
    return Chosen(client[best], value, value_json, lineage)


def choose_all(
    records: Records, name: str, found: Candidates, rules: SurvivorshipRules, *, told: bool = True
) -> Chosen:
    """Every distinct valid value per client, best first; the best invalid one where none is valid. Without lineage
    where it is not `told`.

    `longest` does not count: what one record lists stays in its order.
    """
    codes = _codes(found.value)
    order_of_rules = tuple(rule for rule in rules.of(name) if rule != "longest")
    client = records.client[found.row]
    ranking = rank(client, order_of_rules, _figures(found, codes).keys(records, name, rules))
    owner = np.cumsum(ranking.is_best) - 1
    order = ranking.order
    pairs = pair_codes(owner, codes[order])
    distinct = np.zeros(len(order), dtype=bool)
    distinct[np.unique(pairs, return_index=True)[1]] = True
    invalid = found.invalid.is_valid().to_numpy(zero_copy_only=False)[order]
    any_valid = np.bincount(owner[~invalid], minlength=int(ranking.is_best.sum())) > 0
    kept = distinct & np.where(any_valid[owner], ~invalid, ranking.is_best)
    # a value that one record holds as valid has not lost where another marks it invalid
    kept_pairs = np.zeros(int(pairs.max()) + 1 if len(pairs) else 0, dtype=bool)
    kept_pairs[pairs[kept]] = True
    if (~kept & ~invalid & any_valid[owner]).any():
        late = ~invalid & any_valid[owner] & ~kept_pairs[pairs]
        first_late = np.zeros(len(order), dtype=bool)
        positions = np.flatnonzero(late)
        first_late[positions[np.unique(pairs[positions], return_index=True)[1]]] = True
        kept |= first_late
        kept_pairs[pairs[kept]] = True
    size = int(ranking.is_best.sum())
    at = pa.array(order[kept])
    values = found.value.take(at)
    encoded = encode_json_strings(values)
    counts = np.bincount(owner[kept], minlength=size)
    value_json = pc.binary_join_element_wise("[", _lists(counts, encoded), "]", "")
    first = np.ones(len(counts), dtype=np.int64).cumsum() - 1
    first_at = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)[first] if size else first
    first_value, clients = values.take(pa.array(first_at)), client[order[ranking.is_best]]
    if not told:
        return Chosen(clients, first_value, value_json, _untold(clients))
    lost = ~kept_pairs[pairs]
    each = pc.binary_join_element_wise(
        '{"value":', encoded, ',"record_id":',
        records.record_id.take(pa.array(found.row[order[kept]])).cast(pa.string()),
        _note("invalid", found.invalid.take(at)), "}", "",
    )  # fmt: skip
    names = _rule_names(order_of_rules)
    losers = order[lost]
    best_ids = (
        records.record_id.take(pa.array(found.row[order[kept][first_at]])) if size else records.record_id.slice(0, 0)
    )
    lineage = pc.binary_join_element_wise(
        '{"record_id":', best_ids.cast(pa.string()), ',"rule":"all","values":[', _lists(counts, each), "]",
        _losers(owner[lost], size, records.record_id.take(pa.array(found.row[losers])),
                found.value.take(pa.array(losers)), names.take(pa.array(ranking.decided[lost]))), "}", "",
    )  # fmt: skip
    return Chosen(clients, first_value, value_json, lineage)


def _untold(clients: Ints) -> pa.Array:
    """The lineage that nobody asks for."""
    return pa.nulls(len(clients), pa.string())


def _first_of_record(found: Candidates, size: int) -> Ints:
    """For each record the position of its first valid candidate, else of its first; -1 without one."""
    position = np.full(size, -1, dtype=np.int64)
    backwards = np.arange(len(found.row))[::-1]
    position[found.row[backwards]] = backwards
    valid = backwards[~found.invalid.is_valid().to_numpy(zero_copy_only=False)[backwards]]
    position[found.row[valid]] = valid
    return position


def choose_group(
    records: Records, group: str, members: dict[str, Candidates], rules: SurvivorshipRules, *, told: bool = True
) -> dict[str, Chosen]:
    """The fields of a group, all from the one record per client that wins the group; without lineage where it is not
    `told`."""
    size = len(records.client)
    at = {name: _first_of_record(found, size) for name, found in members.items()}
    filled_all = np.zeros(size, dtype=np.int64)
    invalid_all, derived_all, length_all = filled_all.copy(), filled_all.copy(), filled_all.copy()
    same_all = filled_all.copy()
    for name, found in members.items():
        has = at[name] >= 0
        positions = at[name][has]
        filled_all[has] += 1
        invalid_all[has] += _flag(found.invalid)[positions]
        derived_all[has] += _flag(found.derived)[positions]
        length_all[has] += pc.utf8_length(found.value).to_numpy(zero_copy_only=False)[positions]
        code = np.full(size, -1, dtype=np.int64)
        code[has] = _codes(found.value)[positions]
        same_all = pair_codes(same_all, code)
    row: Ints = np.flatnonzero(filled_all > 0)
    figures = _Figures(row, same_all[row], invalid_all[row], derived_all[row], filled_all[row], length_all[row])
    keys = figures.keys(records, group, rules)
    order_of_rules = rules.of(group)
    ranking = rank(records.client[row], order_of_rules, keys)
    owner = np.cumsum(ranking.is_best) - 1
    ordered_rows = row[ranking.order]
    best_rows = ordered_rows[ranking.is_best]
    group_lost = same_all[ordered_rows] != same_all[best_rows][owner]
    rule = _winner_rule(ranking, owner, group_lost, order_of_rules)
    names = _rule_names(order_of_rules)
    chosen = {}
    for name, found in members.items():
        mine = at[name][best_rows]
        has = mine >= 0
        if not told:
            if has.any():
                clients, value = records.client[best_rows[has]], found.value.take(pa.array(mine[has]))
                chosen[name] = Chosen(clients, value, encode_json_strings(value), _untold(clients))
            continue
        codes = np.append(_codes(found.value), -1)
        theirs = at[name][ordered_rows]
        lost = (theirs >= 0) & has[owner] & (codes[theirs] != codes[mine[owner]])
        losers = theirs[lost]
        new_owner = np.cumsum(has) - 1
        winner = pa.array(mine[has])
        value = found.value.take(winner)
        value_json = encode_json_strings(value)
        lineage = pc.binary_join_element_wise(
            '{"record_id":', records.record_id.take(pa.array(best_rows[has])).cast(pa.string()), ',"rule":"',
            names.take(pa.array(rule[has])), f'","group":"{group}"', _note("invalid",
            found.invalid.take(winner)),
            _note("derived", found.derived.take(winner)),
            _losers(new_owner[owner[lost]], int(has.sum()),
            records.record_id.take(pa.array(ordered_rows[lost])),
                    found.value.take(pa.array(losers)), names.take(pa.array(ranking.decided[lost]))), "}", "",
        )  # fmt: skip
        if has.any():
            chosen[name] = Chosen(records.client[best_rows[has]], value, value_json, lineage)
    return chosen

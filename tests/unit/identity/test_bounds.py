"""Short cuts that must change nothing: bounds of weights, quick looks at names, many components at a time."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from identity.blocking.pairing import Pairing, blocks_of_rules, in_key_order, sampled_pairs
from identity.clustering.linkage import Linkage, Thresholds, grown_together
from identity.comparison import likeness, names
from identity.comparison.bounds import Bounds
from identity.comparison.names import PersonNames
from identity.comparison.score import Scorer
from identity.comparison.signatures import letter_bits
from identity.features import Features
from identity.model import prior_model
from identity.parallel import in_parallel
from identity.register import Register
from identity.resolve import resolve_register, together
from identity.schema import KINDS
from identity.settings import load_settings
from identity.training.train import train, train_register

SETTINGS = load_settings()
GIVEN = ["ivan", "vanya", "john", "jon", "johnny", "robert", "bob", "b", "anna maria", "maria", "li", "o", "iu", None]
FAMILY = ["smith", "smyth", "schmidt", "shmidt", "de la cruz", "cruz", "garcia lopez", "lopez", "li", "s", "ivan", None]


def slip(text: str | None, draw: random.Random) -> str | None:
    """The text as it is, or with a letter too many, too few, wrong or in its neighbour's place."""
    if not text or len(text) < 3 or draw.random() < 0.6:
        return text
    at = draw.randrange(1, len(text) - 1)
    wrong = draw.choice("aeioukst")
    ways = [text[:at] + text[at + 1 :], text[:at] + wrong + text[at:], text[:at] + wrong + text[at + 1 :]]
    return draw.choice([*ways, text[:at] + text[at + 1] + text[at] + text[at + 2 :]])


@pytest.fixture(scope="module")
def crowd(tables: Any) -> Any:
    """500 persons whose names, dates, addresses and numbers are like one another in many ways."""
    draw = random.Random(3)
    rows = []
    for number in range(500):
        given, family = slip(draw.choice(GIVEN), draw), slip(draw.choice(FAMILY), draw)
        if draw.random() < 0.1:
            given, family = family, given
        day, month = draw.randrange(1, 13), draw.randrange(1, 13)
        rows.append(
            {
                "key": f"{number:03d}",
                "given": given,
                "middle": draw.choice([None, None, "petrovich", "ivanovich", "p"]),
                "family": family,
                "full": draw.choice([None, None, "ivan smith", "smith", "de la cruz li"]),
                "born": draw.choice([None, f"{draw.choice([1980, 1981, 1908])}-{month:02d}-{day:02d}"]),
                "gender": draw.choice([None, "f", "m"]),
                "city": slip(draw.choice([None, "london", "leeds"]), draw),
                "street": slip(draw.choice([None, "high street", "mill lane"]), draw),
                "house": draw.choice([None, "1", "12"]),
                "postcode": draw.choice([None, "ab1 2cd", "ab1 9zz", "zz9 9zz"]),
                "email": [slip(f"{draw.choice('abc')}.smith@example.com", draw) for _ in range(draw.randrange(3))],
                "phone": draw.choice([None, "+79161234567", "+79161234576", "+79169999999"]),
            }
        )
    return tables(rows)


@pytest.fixture(scope="module")
def firms(tables: Any) -> Any:
    """300 firms that share words, forms, places and numbers."""
    draw = random.Random(5)
    words = ["alpha", "beta", "romashka", "trade", "stroy", "group", "a", "nord"]
    rows = []
    for number in range(300):
        name = " ".join(filter(None, (slip(draw.choice(words), draw) for _ in range(draw.randrange(1, 4)))))
        rows.append(
            {
                "key": f"f{number:03d}",
                "org": name,
                "form": draw.choice([None, "llc", "jsc"]),
                "city": slip(draw.choice([None, "moskva", "berlin"]), draw),
                "street": draw.choice([None, "lenina", "mira"]),
                "house": draw.choice([None, "1", "12"]),
                "postcode": draw.choice([None, "101000", "101999", "190000"]),
                "inn": draw.choice([None, "7707083893", "7728168971"]),
                "email": draw.choice([None, f"info@{draw.choice('abc')}.example"]),
                "phone": draw.choice([None, "+74951234567", "+74951234576"]),
            }
        )
    return tables(rows)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("kind", ["person", "organisation"])
def test_a_bound_is_never_below_the_weight(crowd: Any, firms: Any, kind: str, trained: bool) -> None:
    records, identifiers = crowd if kind == "person" else firms
    model = prior_model(SETTINGS)
    if trained:
        model = train(records, identifiers, SETTINGS, model, 2)
    features = Features.of(records, identifiers)
    scorer = Scorer(features, kind, SETTINGS.kind(kind), model.kind(kind))
    bounds = Bounds(scorer, features)
    left, right = np.triu_indices(len(features), 1)
    weights = scorer.score(left, right).weight
    for threshold in (model.kind(kind).plausible, model.kind(kind).link, 0):
        reached = bounds.reaching(left, right, threshold)
        missed = np.setdiff1d(np.flatnonzero(weights >= threshold), reached)
        assert len(missed) == 0
        assert kind == "organisation" or len(reached) < len(left)


def test_a_quick_look_at_names_changes_no_level(crowd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    features = Features.of(*crowd)
    left, right = np.triu_indices(len(features), 1)
    found = PersonNames(features).levels(left, right)
    monkeypatch.setattr(likeness.Likeness, "may_be_alike", lambda *sides: np.ones(len(sides[1]), dtype=np.bool_))
    slowly = PersonNames(features).levels(left, right)
    for column in names.PERSON_NAME:
        assert (found[column] == slowly[column]).all()


@settings(max_examples=200, deadline=None)
@given(st.text("abcé1я@. ", max_size=12), st.text("abcé1я@. ", max_size=12))
def test_letters_differ_by_no_more_than_the_edits_allow(one: str, two: str) -> None:
    bits = letter_bits(pa.array([one, two]))
    assert np.bitwise_count(bits[0] ^ bits[1]) <= 2 * OSA.distance(one, two)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 7), st.booleans(), st.randoms(use_true_random=False))
def test_components_settled_together_are_settled_as_alone(count: int, pooled: bool, draw: random.Random) -> None:
    pairs = count * (count - 1) // 2
    thresholds = Thresholds(plausible=8, link=12, bound=100, pooled=pooled)
    sizes = np.array([[draw.randrange(1, 4) for _ in range(count)] for _ in range(5)])
    weights = np.array([[draw.randrange(-10, 20) for _ in range(pairs)] for _ in range(5)], dtype=np.int32)
    forbidden = np.array([[draw.random() < 0.1 for _ in range(pairs)] for _ in range(5)])
    together = grown_together(sizes, weights, forbidden, thresholds)
    nothing = np.zeros(0, dtype=np.int64)
    for at in range(5):
        alone = Linkage(sizes[at], weights[at], forbidden[at], thresholds).merged(nothing, nothing)
        assert together[at].tolist() == alone.tolist()


def test_a_sample_of_pairs_holds_all_pairs_of_its_rows_and_is_the_same_every_time() -> None:
    draw = np.random.default_rng(4)
    key = draw.integers(0, 200, 3_000) * 256
    row = draw.integers(0, 900, 3_000)
    both = np.unique(np.stack([key, row]), axis=1)
    blocks = blocks_of_rules([(both[0], both[1])], [50])
    number, left, right = Pairing(blocks, 900).chosen()
    assert number == len(left)
    everything = set(zip(left.tolist(), right.tolist(), strict=True))
    assert len(everything) == number
    some_left, some_right, share = sampled_pairs(blocks, 900, 5_000)
    again = sampled_pairs(blocks, 900, 5_000)
    assert 0 < share < 1
    assert (some_left == again[0]).all()
    assert set(zip(some_left.tolist(), some_right.tolist(), strict=True)) == {
        pair for pair in everything if pair[0] in set(some_left.tolist())
    }


@pytest.mark.parametrize("border", [1, 300, 450, 899])
def test_two_parts_propose_the_pairs_across_their_border_and_no_others(border: int) -> None:
    draw = np.random.default_rng(6)
    both = np.unique(np.stack([draw.integers(0, 300, 2_000) * 256, draw.integers(0, 900, 2_000)]), axis=1)
    blocks = blocks_of_rules([(both[0], both[1])], [50])
    _, left, right = Pairing(blocks, 900).chosen()
    across = (left < border) & (right >= border)
    found = Pairing(blocks, 900, border)
    assert across.any() and not across.all()
    number, *pairs = found.chosen()
    assert number == across.sum()
    assert [side.tolist() for side in pairs] == [left[across].tolist(), right[across].tolist()]


def test_keys_whose_leading_bits_are_alike_are_sorted_by_all_of_them() -> None:
    draw = np.random.default_rng(5)
    for count in (0, 1, 2, 60, 3_000):
        key = (draw.integers(0, 3, count) << 61 | draw.integers(0, 4, count)).astype(np.int64)
        row = np.arange(count, dtype=np.int32)
        order = np.lexsort((row, key.view(np.uint64)))
        found = in_key_order(key, row)
        assert (found[0] == key[order]).all()
        assert (found[1] == row[order]).all()
        assert in_key_order(*found)[0] is found[0]


def test_results_come_in_the_order_of_the_work() -> None:
    assert in_parallel(lambda piece: piece * piece, range(50)) == [piece * piece for piece in range(50)]


def test_kinds_alone_give_together_what_a_register_gives(crowd: Any, firms: Any) -> None:
    records, identifiers = (pa.concat_tables(tables) for tables in zip(crowd, firms, strict=True))
    register = Register(records, identifiers, SETTINGS)
    model = train_register(register, prior_model(SETTINGS), 2)
    whole = resolve_register(register, None, model, by_rule=False)
    models, found = {}, []
    for kind in KINDS:
        alone = register.alone(kind)
        trained = train_register(alone, prior_model(SETTINGS), 2)
        models[kind] = trained.kind(kind)
        found.append(resolve_register(alone, None, trained, by_rule=False))
    assert (models["person"], models["organisation"]) == (model.person, model.organisation)
    assert model.person != prior_model(SETTINGS).person
    assert model.organisation != prior_model(SETTINGS).organisation
    joined = together(found, register.records)
    assert joined.report == whole.report
    for name in ("labels", "keys", "pairs", "cases", "generic", "points", "accepted", "refused"):
        assert getattr(joined, name).equals(getattr(whole, name)), name
    assert whole.cases.num_rows

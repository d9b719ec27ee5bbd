"""Organisations as registers write them: from the raw name to the weight of a pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from identity.comparison.organisations import OrganisationNames
from identity.comparison.score import Scorer
from identity.features import Features
from identity.model import prior_model
from identity.schema import WEIGHT_ONE_BIT
from identity.settings import load_settings
from identity.standard.latin import latin_key
from identity.standard.organisations import parse_legal_name
from identity.training.terms import sightings, term_adjustments, word_weights
from identity.training.train import train

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS).organisation


def _row(written: str, key: str, **rest: Any) -> dict[str, Any]:
    name = parse_legal_name(written)
    return {
        "key": key,
        "org": latin_key(name.core or "") or None,
        "org_own": name.core,
        "form": name.legal_form,
        **rest,
    }


def _bits(tables: Any, one: str, two: str) -> float:
    features = Features.of(*tables([_row(one, "1"), _row(two, "2")]))
    scorer = Scorer(features, "organisation", SETTINGS.organisation, MODEL)
    return float(scorer.score(np.array([0]), np.array([1])).weight[0]) / WEIGHT_ONE_BIT


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ООО Ромашка", "ООО Василёк"),
        ("Ромашка, ООО", "«Василёк» ООО"),
        ("АО Торговый дом Ромашка", "АО Торговый дом Василёк"),
        ("Müller GmbH", "Schmidt GmbH"),
        ("МБОУ СОШ № 5", "МБОУ СОШ № 7"),
        ("株式会社日立製作所", "株式会社東芝"),
        ("Sales Services Ltd", "Trade Services Ltd"),
    ],
)
def test_two_firms_that_share_only_form_and_trade_score_low(tables: Any, one: str, two: str) -> None:
    assert _bits(tables, one, two) < MODEL.plausible / WEIGHT_ONE_BIT / 2


@pytest.mark.parametrize("two", ["Ромашка, ООО", "Romashka LLC", "OOO ROMASHKA", "ромашка", "Romashka"])
def test_one_firm_scores_high_however_its_name_is_written(tables: Any, two: str) -> None:
    assert _bits(tables, "ООО «Ромашка»", two) > MODEL.review / WEIGHT_ONE_BIT


def test_a_firm_and_its_sole_proprietor_namesake_differ_by_their_form(tables: Any) -> None:
    assert _bits(tables, "ИП Иванов Иван", "ИП Иванов И.И.") > _bits(tables, "ИП Иванов Иван", "ООО Иванов Иван")


def test_a_name_is_as_common_as_the_firms_behind_it_not_as_its_records(tables: Any) -> None:
    often_written = [{"key": f"a{n}", "org": "romashka"} for n in range(40)]
    often_given = [{"key": f"b{n}", "org": "vektor", "city": f"city {n}"} for n in range(40)]
    features = Features.of(*tables(often_written + often_given))
    terms, unseen = term_adjustments(sightings(features, "org_name"), 0.001)
    assert terms["vektor"] < unseen
    assert terms.get("romashka", unseen) == unseen


def test_many_spellings_of_one_firm_do_not_make_its_words_common(tables: Any) -> None:
    spellings = ["filips elektroniks", "filips elektronniks", "filips eliktroniks", "filips elektronicks"]
    firms = [f"akme {name}" for name in ("gorod", "les", "reka", "dorog")]
    features = Features.of(*tables([{"key": name, "org": name} for name in spellings + firms]))
    found = word_weights(features.values("org_name").unique.to_pylist(), MODEL.words).weights
    assert found["akme"] < found.get("filips", MODEL.words.unseen)


def test_one_firm_written_down_often_does_not_make_names_agree_by_chance(tables: Any) -> None:
    firms = [f"{one}{two}" for one in ["badofu", "kelami", "nirota", "pesuvi"] for two in map(chr, range(97, 123))]
    rows = [{"key": f"f{n}", "org": f"{firm} handel"} for n, firm in enumerate(firms)]
    rows += [{"key": f"p{n}", "org": "filips elektroniks"} for n in range(120)]
    rows += [{"key": f"q{n}", "org": "filips gloilampenfabreken"} for n in range(120)]
    trained = train(*tables(rows), SETTINGS, prior_model(SETTINGS), 2).organisation
    far = next(level for level in trained.columns["name"].levels if level.name == "far")
    assert far.u < 0.01


WORDS = (
    "romashka romashko romasha vasilek vasilok industries industrien ind metallbau metalbau mettalbau petrov petroff "
    "petrova petrow p i a 2000 200 konditerskaya konditerskaia mueller muller myuller stroi stroy stroitelnaya dom "
    "elektro elektronika elektrotekhnika trans transport transportnaya sever severnaya severny yug bau baumaschinen"
)


def test_a_glance_misses_no_two_words_that_are_alike(tables: Any) -> None:
    names = [*WORDS.split(), "stroi dom", "stroidom sever", "petrov i k", "mueller bau 2000", "trans sever yug"]
    rows = [{"key": str(at), "org": name} for at, name in enumerate(names)]
    features = Features.of(*tables(rows))
    compared = OrganisationNames(features, {"industrien": 1000, "industries": 1000}, 8_000, 20_000)
    count = len(compared._words)
    one, two = (side.ravel().astype(np.int32) for side in np.mgrid[:count, :count])
    every, alone = np.arange(count, dtype=np.int32), np.full(count, count)
    glanced = compared._glance.may_be_alike(every, alone, two)
    alike = compared._similarity(one, two) > 0
    assert alike.sum() > count  # others than each with itself
    assert not (alike & ~glanced).any()
    assert glanced.mean() < 0.5

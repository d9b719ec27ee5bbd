"""Makes tests/unit/identity/data/splink_5_trained.json: a Splink model trained on made-up people (needs splink).

python -m tests.support.make_splink_model FILE
"""

from __future__ import annotations

import random
import sys
from typing import Any

CITIES = ("Oxford", "Leeds", "York", "Bath", "Derby", "Ely")
SYLLABLES = ("ba", "ki", "ro", "su", "te", "ma", "ne", "lo", "vi", "da")


def people(entities: int = 1500) -> list[dict[str, Any]]:
    """Invented people, each in one to three records with mistakes."""
    draw = random.Random(3)
    given = ["".join(draw.choice(SYLLABLES) for _ in range(2)) for _ in range(60)]
    family = ["".join(draw.choice(SYLLABLES) for _ in range(3)) for _ in range(250)]

    def mistaken(text: str) -> str:
        if draw.random() >= 0.15:
            return text
        at = draw.randrange(len(text))
        return text[:at] + draw.choice("abcdeimnorst") + text[at + 1 :]

    rows: list[dict[str, Any]] = []
    for _ in range(entities):
        first, last = draw.choice(given), draw.choice(family)
        born = f"19{draw.randrange(50, 99)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 28):02d}"
        mail = f"{first}.{last}{draw.randrange(99)}@{draw.choice(('mail', 'post', 'web'))}.example"
        city, code = draw.choice(CITIES), f"{draw.choice('ABCDE')}{draw.randrange(1, 30)} {draw.randrange(1, 9)}XY"
        rows += [
            {
                "unique_id": len(rows) + copy,
                "first_name": mistaken(first),
                "surname": mistaken(last),
                "dob": born if draw.random() < 0.9 else f"{born[:8]}{draw.randrange(1, 28):02d}",
                "city": city if draw.random() < 0.9 else draw.choice(CITIES),
                "email": mistaken(mail) if draw.random() < 0.8 else None,
                "postcode": code if draw.random() < 0.8 else None,
            }
            for copy in range(draw.choice((1, 1, 2, 2, 3)))
        ]
    return rows


def main(path: str) -> None:
    """Train on these people and save the model."""
    import pandas as pd
    import splink.comparison_library as library
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "dob"),
            block_on("surname", "substr(postcode, 1, 3)"),
            block_on("email"),
            "l.city = r.city and levenshtein(l.surname, r.surname) <= 1 and l.dob = r.dob",
        ],
        comparisons=[
            library.NameComparison("first_name").configure(term_frequency_adjustments=True),
            library.JaroWinklerAtThresholds("surname", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            library.DateOfBirthComparison("dob", input_is_string=True),
            library.EmailComparison("email"),
            library.PostcodeComparison("postcode"),
            library.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
    )
    linker = Linker(DuckDBAPI().register(pd.DataFrame(people()), dataset_display_name="people"), settings)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("email")], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("dob"))
    training.estimate_parameters_using_expectation_maximisation(block_on("surname"))
    linker.misc.save_model_to_json(path, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1])

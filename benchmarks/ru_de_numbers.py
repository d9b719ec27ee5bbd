"""Numbers of the generator ru_de.py: random, with valid check digits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def inn10(rng: random.Random, region: str) -> str:
    """The tax number of a Russian firm with its check digit."""
    body = region + digits(rng, 7)
    return body + str(_weighted(body, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


def inn12(rng: random.Random, region: str) -> str:
    """The tax number of a Russian person with its two check digits."""
    body = region + digits(rng, 8)
    body += str(_weighted(body, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)
    return body + str(_weighted(body, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


def ogrn(rng: random.Random, region: str) -> str:
    """The state register's number of a Russian firm."""
    body = f"1{rng.randrange(2, 24):02d}{region}" + digits(rng, 7)
    return body + str(int(body) % 11 % 10)


def ogrnip(rng: random.Random, region: str) -> str:
    """The state register's number of a sole proprietor."""
    body = f"3{rng.randrange(4, 24):02d}{region}" + digits(rng, 9)
    return body + str(int(body) % 13 % 10)


def vat_de(rng: random.Random) -> str:
    """A German VAT number with its check digit (ISO 7064, mod 11, 10)."""
    body = str(rng.randrange(1, 10)) + digits(rng, 7)
    carry = 10
    for digit in body:
        carry = ((int(digit) + carry) % 10 or 10) * 2 % 11
    return f"DE{body}{(11 - carry) % 10}"


def birth_date(rng: random.Random) -> str:
    """1945 to 2004, ISO."""
    return f"{rng.randrange(1945, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"


def by_rank(rng: random.Random, table: Sequence[Item]) -> Item:
    """A word by its rank: the first ones of a table are several times as frequent as the last."""
    # 1 / (rank + 6): drawn by its cumulative form, which is close enough to a logarithm.
    rank = int(7 * ((len(table) + 7) / 7) ** rng.random() - 7)
    return table[min(rank, len(table) - 1)]


def digits(rng: random.Random, count: int) -> str:
    """`count` random digits."""
    return "".join(rng.choices("0123456789", k=count))


def other_digit(text: str, rng: random.Random) -> str:
    """One of the last four digits is another."""
    at = rng.choice([at for at, letter in enumerate(text) if letter.isdigit()][-4:])
    return text[:at] + str((int(text[at]) + rng.randrange(1, 10)) % 10) + text[at + 1 :]


def _weighted(number: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))

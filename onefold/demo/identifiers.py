"""Numbers that authorities give out, with valid check digits; made up, and by chance only somebody's own."""

from __future__ import annotations

from random import Random

from onefold.demo.words import City

_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12_A = (7, *_INN_10)
_INN_12_B = (3, 7, *_INN_10)


def _weighted(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 % 10)


def _digits(rng: Random, count: int) -> str:
    return f"{rng.randrange(10**count):0{count}d}"


def inn_organisation(rng: Random, region: str) -> str:
    """Ten digits: region and inspection, number, check digit."""
    body = region + f"{rng.randint(1, 29):02d}" + _digits(rng, 5)
    return body + _weighted(body, _INN_10)


def inn_person(rng: Random, region: str) -> str:
    """Twelve digits: region and inspection, number, two check digits."""
    body = region + f"{rng.randint(1, 29):02d}" + _digits(rng, 6)
    body += _weighted(body, _INN_12_A)
    return body + _weighted(body, _INN_12_B)


def kpp(rng: Random, inn: str, *, branch: bool = False) -> str:
    """The inspection's four digits, why it registered the firm there (43: a branch), and a serial number."""
    return f"{inn[:4]}{'43' if branch else '01'}{1 if not branch else rng.randint(1, 9):03d}"


def ogrn(rng: Random, region: str) -> str:
    """Thirteen digits of a legal entity; the last is the rest modulo 11 of the others."""
    body = f"1{rng.randint(2, 24):02d}{region}{_digits(rng, 7)}"
    return body + str(int(body) % 11 % 10)


def ogrnip(rng: Random, region: str) -> str:
    """Fifteen digits of a sole proprietor; the last is the rest modulo 13 of the others."""
    while True:
        body = f"3{rng.randint(4, 24):02d}{region}{_digits(rng, 9)}"
        # A rest of two digits is read in two ways by checkers, so those numbers are passed over.
        if (rest := int(body) % 13) < 10:
            return f"{body}{rest}"


def vat_de(rng: Random) -> str:
    """A German VAT number (USt-IdNr., ISO 7064 modulo 11,10)."""
    body = str(rng.randint(1, 9)) + _digits(rng, 7)
    rest = 10
    for digit in body:
        total = (int(digit) + rest) % 10 or 10
        rest = 2 * total % 11
    return f"DE{body}{(11 - rest) % 10}"


def vat_gb(rng: Random) -> str:
    """A British VAT number of nine digits (modulo 97)."""
    body = f"{rng.randint(1_000_000, 9_999_999)}"
    rest = sum(int(digit) * weight for digit, weight in zip(body, range(8, 1, -1), strict=True)) % 97
    return f"GB{body}{97 - rest:02d}"


_RU_MOBILE = (
    "903",
    "905",
    "909",
    "910",
    "911",
    "912",
    "915",
    "916",
    "921",
    "925",
    "926",
    "950",
    "960",
    "981",
)
_DE_MOBILE = ("151", "160", "170", "171", "172", "175", "176", "179")


def mobile(rng: Random, country: str) -> str:
    """A mobile number in E.164."""
    if country == "DE":
        return f"+49{rng.choice(_DE_MOBILE)}{rng.randint(10_000_000, 99_999_999)}"
    if country == "GB":
        return f"+447{rng.choice('458')}{rng.randint(10, 19)}{_digits(rng, 6)}"
    return f"+7{rng.choice(_RU_MOBILE)}{rng.randint(1_000_000, 9_999_999)}"


def landline(rng: Random, city: City) -> str:
    """A number of the city's exchange in E.164."""
    if city.country == "RU":
        rest = 10 - len(city.dial)
        return f"+7{city.dial}{rng.randint(2, 7)}{_digits(rng, rest - 1)}"
    if city.country == "DE":
        return f"+49{city.dial}{rng.randint(3, 8)}{_digits(rng, 6)}"
    rest = 10 - len(city.dial)
    first = "7" if city.dial == "20" else "2"
    return f"+44{city.dial}{first}{_digits(rng, rest - 1)}"


def phone_as_written(rng: Random, number: str) -> str:
    """The number as people type it: with a trunk prefix, brackets, hyphens, an extension."""
    if number.startswith("+7"):
        code, a, b, c = number[2:5], number[5:8], number[8:10], number[10:12]
        russian = (
            f"+7 ({code}) {a}-{b}-{c}",
            f"8 {code} {a} {b} {c}",
            f"8({code}){a}{b}{c}",
            f"+7{code}{a}{b}{c}",
            f"7{code}{a}{b}{c}",
            f"8-{code}-{a}-{b}-{c}",
        )
        return rng.choice(russian)
    country, rest = number[:3], number[3:]
    forms = (
        f"{country} {rest[:3]} {rest[3:]}",
        f"{country}-{rest[:3]}-{rest[3:]}",
        f"{country} (0){rest[:3]} {rest[3:]}",
        number,
    )
    return rng.choice(forms)

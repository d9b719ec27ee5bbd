"""Person records as registers hold them, with the truth: seeded, columnar, 400,000 records a second.

Realistic in what makes matching hard: given and family names follow Zipf's law, so that namesakes abound;
people move, marry, change phones and have several e-mails; clerks mistype, swap day and month, shorten to a
nickname or an initial and leave fields empty; twins share all but the given name, and a father and a son
all but the birth date. All word tables are this module's own; none is read by the matcher.

    python benchmarks/generate.py --records 100000 --out DIR     writes persons.csv and truth.csv
"""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text
from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FEMALE = """Mary Emma Olivia Sarah Laura Anna Julia Emily Hannah Alice Lucy Sophie Grace Charlotte Kate
Helen Ruth Amy Jane Clara Rachel Megan Ellen Nora Amelia Isabel Martha Eva Rose Diana Paula Irene Lydia Vera
Ida Joan Flora Edith Stella Miriam Celia Agnes Esther Gemma Heidi Ingrid June Karen Lena Mabel Nadia Olga
Petra Quinn Rita Selma Tanya Ursula Wanda Yvonne Zoe Beatrix Daphne Erica Fiona Gloria Hazel Iris Judith
Kirsten Leonie Maeve Nell Odette Pearl Renata Sylvia Thea Una Violet Winifred""".split()
MALE = """James John Thomas William David Daniel Michael Robert Peter Paul George Edward Henry Martin Simon
Andrew Mark Adam Oliver Jack Samuel Joseph Benjamin Philip Stephen Patrick Anthony Alan Brian Colin Dennis
Eric Frank Graham Harold Ian Keith Leo Max Neil Oscar Roger Stuart Trevor Victor Walter Albert Bernard Cecil
Derek Ernest Felix Gerald Hugo Ivan Julian Kurt Lewis Miles Nathan Otto Percy Ralph Sidney Tobias Ulric
Vincent Wilfred Xavier Yannick Zachary Alec Boris Conrad Dominic Elias Fergus""".split()
NICKNAMES = {
    "Emily": "Em", "Hannah": "Hanni", "Charlotte": "Lottie", "Kate": "Katie", "Rachel": "Rach",
    "Amelia": "Millie", "Isabel": "Bella", "Martha": "Patty", "James": "Jim", "John": "Johnny",
    "Thomas": "Tom", "William": "Bill", "David": "Dave", "Daniel": "Dan", "Michael": "Mike", "Robert":
    "Bob", "Edward": "Ted", "Henry": "Harry", "Andrew": "Andy", "Samuel": "Sam", "Joseph": "Joe",
    "Benjamin": "Ben", "Philip": "Phil", "Stephen": "Steve", "Patrick": "Pat", "Anthony": "Tony",
    "Nathan": "Nate", "Vincent": "Vince", "Zachary": "Zach",
}  # fmt: skip
FAMILY = """Smith Jones Taylor Brown Walker Wright Green Hall Wood Clarke Hill Cooper Ward Turner Baker
Morris Cook Bell Parker Lee King Scott Young Allen Davies Harris Evans Lewis Roberts Hughes Edwards Moore
Shaw Price Bennett Gray Cox Howard Russell Fisher Mason Palmer Webb Rogers Hunt Mills Knight Stone Fox
Barnes Grant Ross Reid Murray Kelly Byrne Walsh Burke Nolan Quinn""".split()
STEMS = """Ash Barn Beck Black Brad Bram Brook Burn Cald Carl Chat Crom Dal Den Dray East Elder Farn Fen Gar
Glen Green Hal Hart Haw Hazel Hol Horn Kirk Lang Lin Long Lyn Marl Mead Mil Moor Nor Oak Pem Pres Quar Rad
Rams Red Rock Row San Shel Stan Stock Sut Thorn Ul Wad Wal War Wes Whit Win Wood Yar""".split()
ENDINGS = """bourne bridge brook bury by combe cott croft dale den don field ford gate grave ham head hurst
land ley low man more ridge shaw side son stead stone thorpe ton ville wall well wick wood worth""".split()
STREETS = """High Station Main Park Church Mill Victoria Green School North South East West Manor Kings
Queens Springfield New Grange Chapel York Alexandra Albert Grove Meadow Orchard Bridge Highfield Windsor
Castle River Garden Hill Abbey Priory""".split()
STREET_KINDS = ["Street", "Road", "Lane", "Avenue", "Close", "Way", "Drive", "Court"]
PROVIDERS = (
    "mailbox.example",
    "post.example",
    "inbox.example",
    "letter.example",
    "net.example",
    "home.example",
)

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Generated:
    """Records and their truth, in the same order."""

    records: pa.Table
    """record_id, names, gender, birth_date, email, phone, street, city, postcode: all text."""
    truth: pa.Table
    """record_id, entity_id: text."""


def persons(records: int, seed: int = 1) -> Generated:
    """`records` records of about 0.56 times as many persons; the same arguments give the same bytes."""
    rng = np.random.default_rng(seed)
    entity = _entities(records, rng)
    people = _people(int(entity[-1]) + 1 if records else 0, rng)
    columns = _as_written(people, entity, rng)
    order = rng.permutation(records)
    number = _numbered("P", np.arange(records))
    who = _numbered("E", entity[order])
    shuffled = {name: column.take(pa.array(order)) for name, column in columns.items()}
    return Generated(pa.table({"record_id": number, **shuffled}), pa.table({"record_id": number, "entity_id": who}))


@cache
def family_names() -> tuple[str, ...]:
    """About 2,700 family names, the commonest first."""
    composed = [stem + ending for stem in STEMS for ending in ENDINGS]
    random.Random(7).shuffle(composed)
    return (*FAMILY, *composed)


def zipf(size: int, count: int, rng: np.random.Generator, exponent: float = 0.95, shift: float = 4.0) -> Rows:
    """`count` ranks below `size`; rank r has a share in proportion to 1 / (r + shift) ** exponent."""
    share = 1.0 / (np.arange(size) + shift) ** exponent
    edges = np.cumsum(share / share.sum())
    return np.minimum(np.searchsorted(edges, rng.random(count)), size - 1)


def _entities(records: int, rng: np.random.Generator) -> Rows:
    """The person behind each record: 55 % of persons have one record, 1 % have six."""
    sizes = rng.choice(np.arange(1, 7), size=records, p=[0.55, 0.25, 0.11, 0.05, 0.03, 0.01])
    return np.repeat(np.arange(records), sizes)[:records]


@dataclass(slots=True)
class _People:
    """One row per person: indexes into the word tables, and numbers."""

    given: Rows
    """Below len(FEMALE): female; above: male."""
    family: Rows
    maiden: Rows
    born: Rows
    """Days since 1930-01-01."""
    mail: Rows
    phone: Rows
    place: Rows
    """One of the postcode areas, each of one city."""
    house: Rows
    street: Rows


PLACES_PER_CITY = 60
CITIES = 120


def _people(count: int, rng: np.random.Generator) -> _People:
    female = rng.random(count) < 0.51
    given = np.where(female, zipf(len(FEMALE), count, rng), len(FEMALE) + zipf(len(MALE), count, rng))
    made = _People(
        given=given,
        family=zipf(len(family_names()), count, rng, exponent=1.0, shift=15),
        maiden=zipf(len(family_names()), count, rng, exponent=1.0, shift=15),
        born=rng.integers(0, 365 * 75, count),
        mail=rng.integers(0, 10_000, count),
        phone=rng.integers(4 * 10**8, 6 * 10**8, count),
        place=zipf(CITIES, count, rng) * PLACES_PER_CITY + rng.integers(0, PLACES_PER_CITY, count),
        house=rng.integers(1, 180, count),
        street=rng.integers(0, len(STREETS) * len(STREET_KINDS), count),
    )
    # Relatives: one person in a hundred is a twin of the one before, one in a hundred a child of its name.
    kind = rng.random(count)
    related = np.flatnonzero((kind < 0.02) & (np.arange(count) > 0))
    related = related[~np.isin(related - 1, related)]
    twin = kind[related] < 0.01
    for name in ("family", "place", "house", "street"):
        column = getattr(made, name)
        column[related] = column[related - 1]
    made.born[related] = np.where(twin, made.born[related - 1], (made.born[related - 1] + 9_800) % (365 * 75))
    made.given[related] = np.where(twin, made.given[related], made.given[related - 1])
    same = related[twin & (made.given[related] == made.given[related - 1])]
    # Twins do not share the given name: the next of the table, within their sex.
    made.given[same] = np.where(
        made.given[same] < len(FEMALE),
        (made.given[same] + 1) % len(FEMALE),
        len(FEMALE) + (made.given[same] + 1 - len(FEMALE)) % len(MALE),
    )
    return made


def _as_written(people: _People, entity: Rows, rng: np.random.Generator) -> dict[str, pa.Array]:
    """What the registers say of each person: changed, mistyped, shortened and left out."""
    size = len(entity)

    def some(share: float) -> Mask:
        return rng.random(size) < share

    given, family = people.given[entity], people.family[entity]
    married = some(0.04) & (given < len(FEMALE))
    family = np.where(married, people.maiden[entity], family)
    moved = some(0.14)
    place = np.where(
        moved,
        zipf(CITIES, size, rng) * PLACES_PER_CITY + rng.integers(0, PLACES_PER_CITY, size),
        people.place[entity],
    )
    house = np.where(moved, rng.integers(1, 180, size), people.house[entity])
    street = np.where(moved, rng.integers(0, len(STREETS) * len(STREET_KINDS), size), people.street[entity])
    phone = np.where(some(0.15), rng.integers(4 * 10**8, 6 * 10**8, size), people.phone[entity])
    mail = np.where(some(0.22), rng.integers(0, 10_000, size), people.mail[entity])

    given_text = _words((*FEMALE, *MALE), given)
    family_text = _words(family_names(), family)
    address = pc.binary_join_element_wise(pc.utf8_lower(given_text), pc.utf8_lower(family_text), _text(mail), ".")
    address = pc.binary_join_element_wise(address, _words(PROVIDERS, people.mail[entity] % len(PROVIDERS)), "@")
    written = {
        "given_name": _edited(given_text, some(0.05), rng, lambda text, _: NICKNAMES.get(text, text)),
        "family_name": family_text,
        "gender": _words(("f", "m"), (given >= len(FEMALE)).astype(np.int64)),
        "birth_date": pa.array(np.datetime64("1930-01-01") + people.born[entity], pa.date32()).cast(pa.string()),
        "email": address,
        "phone": pc.binary_join_element_wise("+44", _text(phone), "7"),
        "street": pc.binary_join_element_wise(_text(house), _words(_streets(), street), " "),
        "city": _words(_cities(), place // PLACES_PER_CITY),
        "postcode": _words(_postcodes(), place),
    }
    written["given_name"] = _edited(written["given_name"], some(0.02), rng, lambda text, _: text[:1] + ".")
    for name, share in (
        ("given_name", 0.035),
        ("family_name", 0.045),
        ("email", 0.02),
        ("street", 0.05),
        ("city", 0.02),
    ):
        written[name] = _edited(written[name], some(share), rng, typo)
    for name, share in (("phone", 0.015), ("postcode", 0.02), ("birth_date", 0.015)):
        written[name] = _edited(written[name], some(share), rng, wrong_digit)
    written["birth_date"] = _edited(written["birth_date"], some(0.012), rng, day_and_month_swapped)
    missing = {
        "gender": 0.1,
        "birth_date": 0.12,
        "email": 0.4,
        "phone": 0.35,
        "street": 0.15,
        "city": 0.1,
        "postcode": 0.14,
    }
    for name, share in {**missing, "given_name": 0.01, "family_name": 0.003}.items():
        written[name] = pc.if_else(pa.array(some(share)), pa.scalar(None, pa.string()), written[name])
    return written


def typo(text: str, rng: random.Random) -> str:
    """One letter swapped with its neighbour, left out, doubled or replaced."""
    if len(text) < 3:
        return text
    at = rng.randrange(1, len(text) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    return text[:at] + rng.choice("abcdefghiklmnoprstuvw") + text[at + 1 :]


def wrong_digit(text: str, rng: random.Random) -> str:
    """One of the last digits is another."""
    places = [at for at, letter in enumerate(text) if letter.isdigit()][-4:]
    at = rng.choice(places)
    return text[:at] + str((int(text[at]) + rng.randrange(1, 10)) % 10) + text[at + 1 :]


def day_and_month_swapped(text: str, _: random.Random) -> str:
    """1970-04-09 becomes 1970-09-04, where that is a date at all."""
    year, month, day = text.split("-") if text.count("-") == 2 else (text, "", "")
    return f"{year}-{day}-{month}" if day and int(day) <= 12 else text


def _edited(
    column: pa.Array, where: Mask, rng: np.random.Generator, edit: Callable[[str, random.Random], str]
) -> pa.Array:
    """The column with `edit` applied to the chosen rows."""
    own = random.Random(int(rng.integers(2**62)))
    chosen = pa.array(where)
    return pc.replace_with_mask(
        column, chosen, pa.array([edit(text, own) for text in column.filter(chosen).to_pylist()], pa.string())
    )


def _text(numbers: Rows) -> pa.Array:
    return pa.array(numbers, pa.int64()).cast(pa.string())


def _numbered(letter: str, numbers: Rows) -> pa.Array:
    return pc.binary_join_element_wise(letter, pc.utf8_lpad(_text(numbers), 8, "0"), "")


def _words(table: tuple[str, ...], index: Rows) -> pa.Array:
    return pa.array(table, pa.string()).take(pa.array(index))


@cache
def _streets() -> tuple[str, ...]:
    return tuple(f"{name} {kind}" for name in STREETS for kind in STREET_KINDS)


@cache
def _cities() -> tuple[str, ...]:
    names = [f"{stem}{ending}" for stem in reversed(STEMS) for ending in ("port", "minster", "chester", "mouth")]
    return tuple(names[:CITIES])


@cache
def _postcodes() -> tuple[str, ...]:
    letters = "ABCDEFGHJKLMNPRSTUWY"
    rng = random.Random(11)
    made = []
    for city in range(CITIES):
        area = letters[city // len(letters)] + letters[city % len(letters)]
        for place in range(PLACES_PER_CITY):
            made.append(f"{area}{place // 6 + 1} {place % 6 + 1}{rng.choice(letters)}{rng.choice(letters)}")
    return tuple(made)


def scattered(records: pa.Table, seed: int) -> pa.Table:
    """The records in an order drawn from the seed, so that any part of them holds as much of every person."""
    count = records.num_rows
    return records.take(pc.sort_indices(pa.array(random.Random(seed).choices(range(1 << 30), k=count))))


def write_csv(generated: Generated, folder: Path) -> tuple[Path, Path]:
    """`persons.csv` and `truth.csv` in the folder, UTF-8 with a header."""
    from pyarrow import csv

    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "persons.csv", folder / "truth.csv"
    for path, content in zip(paths, (generated.records, generated.truth), strict=True):
        csv.write_csv(content, path)
    return paths


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, required=True)
    given = options.parse_args()
    for path in write_csv(persons(given.records, given.seed), given.out):
        print(path)

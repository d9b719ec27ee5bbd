"""A chain of veterinary clinics (docs/examples/clinics): three registers as CSV, of owners whose needs are known.

Same seed, same files. The laboratory is faster for those who come at night, as was promised to them; it is faster for
large clients as well, who are in every segment. Those who ask for the price are reminded more often, which no policy
says. To timid animals a senior doctor is promised, and comes no more often than to others.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import exp
from pathlib import Path
from typing import Any, Final

SHARE: Final = {"timid": 0.22, "nightly": 0.22, "calculating": 0.22, None: 0.34}
_NAMES: Final = ("Анна", "Вера", "Дарья", "Зоя", "Инна", "Лидия", "Нина", "Ольга", "Раиса", "Софья", "Тамара", "Яна")
_FAMILIES: Final = (
    "Белова",
    "Волкова",
    "Громова",
    "Демина",
    "Ершова",
    "Жукова",
    "Котова",
    "Лосева",
    "Орлова",
    "Сомова",
)
_CITIES: Final = ("Тверь", "Клин", "Калуга", "Рязань")
_REASONS: Final = ("Прививка", "Осмотр", "Хромает", "Стрижка когтей", "Routine check")
_SAYS: Final = {
    "timid": ("Кот боится чужих, паникует", "Очень пугливая собака", "She is afraid of strangers"),
    "nightly": ("Нужно прямо сейчас", "Срочно, стало хуже", "Please, right now"),
    "calculating": ("Сколько стоит лечение?", "Просим смету заранее", "We need an estimate"),
}
_SHOWN, _BY_CHANCE = 0.5, 0.06
_DAYS: Final = 700
_LAST: Final = date(2026, 2, 20)


def write_clinics(folder: Path, *, seed: int = 7, clients: int = 560) -> dict[str, str | None]:
    """Write the registers into `folder`; card of an owner -> its segment, None: it needs nothing in particular."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    files: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("owners", "appointments", "reminders", "senders", "samples", "results", "cards", "sales")
    }
    truth = {}
    for number in range(clients):
        card = f"K{number}"
        truth[card] = rng.choices(list(SHARE), list(SHARE.values()))[0]
        _client(rng, files, number, truth[card])
    for name, rows in files.items():
        _write(folder / f"{name}.csv", rows)
    return truth


def _client(rng: random.Random, files: Mapping[str, list[dict[str, Any]]], number: int, need: str | None) -> None:
    name = f"{rng.choice(_FAMILIES)} {rng.choice(_NAMES)}"
    phone, email = f"+7 916 {1000000 + number * 37:07d}", f"owner{number}@animals{number}.example"
    city = rng.choice(_CITIES)
    files["owners"].append({"card": f"K{number}", "owner": name, "phone": phone, "email": email, "city": city})
    files["senders"].append({"sender": f"L{number}", "name": name, "telephone": phone, "mail": email})
    files["cards"].append({"number": f"S{number}", "holder": name, "phone": phone, "email": email})
    visits = min(90, max(5, round(rng.lognormvariate(2.5, 0.6))))
    # The laboratory fetches what large clients leave every day.
    slow = 1.6 + rng.gauss(0, 0.15) - (0.5 if visits > 15 else 0.0) + (0.3 if city == "Рязань" else 0.0)
    slow -= 0.6 if need == "nightly" else 0.0
    for at in range(visits):
        day = _LAST - timedelta(days=rng.randrange(_DAYS))
        _visit(rng, files, f"{number}-{at}", day, need)
        if rng.random() < 0.7:
            _sample(rng, files, f"{number}-{at}", day, need, slow)
    for at in range(rng.randint(1, 3 + visits // 4)):
        payment = "instalments" if _shows(rng, need, "calculating") else "card"
        sale = {
            "receipt": f"R{number}-{at}",
            "number": f"S{number}",
            "total": rng.randint(300, 5000),
            "payment": payment,
        }
        files["sales"].append({**sale, "day": _LAST - timedelta(days=rng.randrange(_DAYS))})
    for at in range(round(rng.uniform(2, 6) * (2.2 if need == "calculating" else 1.0))):
        day = _LAST - timedelta(days=rng.randrange(_DAYS))
        files["reminders"].append({"reminder": f"M{number}-{at}", "card": f"K{number}", "day": day, "channel": "sms"})


def _visit(rng: random.Random, files: Any, key: str, day: date, need: str | None) -> None:
    said = [one for one in _SAYS if _shows(rng, need, one)]
    files["appointments"].append(
        {
            "visit": f"V{key}",
            "card": f"K{key.partition('-')[0]}",
            "day": day,
            "reason": rng.choice(_SAYS[said[0]] if said else _REASONS),
            "price": rng.randint(800, 9000),
            "hours": "night" if _shows(rng, need, "nightly") else "day",
            "room": "quiet" if _shows(rng, need, "timid") else "usual",
            "doctor": "senior" if rng.random() < 0.3 else "other",
        }
    )


def _sample(rng: random.Random, files: Any, key: str, day: date, need: str | None, slow: float) -> None:
    note = rng.choice(_SAYS["nightly"]) if _shows(rng, need, "nightly") else "Кровь, общий анализ"
    sender = f"L{key.partition('-')[0]}"
    files["samples"].append({"sample": f"A{key}", "sender": sender, "taken": day, "note": note})
    ready = day + timedelta(days=max(0, round(exp(slow + rng.gauss(0, 0.35)))))
    files["results"].append({"result": f"B{key}", "sender": sender, "sample": f"A{key}", "ready": ready})


def _shows(rng: random.Random, need: str | None, what: str) -> bool:
    return rng.random() < (_SHOWN if need == what else _BY_CHANCE)


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

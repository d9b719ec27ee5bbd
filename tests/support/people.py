"""People in two registers, enough of them for weights to be learnt."""

from __future__ import annotations

import random
from typing import Final

from tests.support.hub import Hub

GIVEN: Final = ("Иван", "Анна", "Ольга", "Пётр", "Мария", "Борис", "Вера", "Олег")


def populate(hub: Hub, people: int = 150, *, first_key: int = 0) -> None:
    """People in two registers. Many share a family name; who has an odd number stands twice, with a mistake."""
    draw = random.Random(17)
    for number in range(first_key, first_key + people):
        family = (
            "Сидоров" if number % 4 == 0 else "".join(draw.choice(["ба", "ки", "ро", "су", "те"]) for _ in range(4))
        )
        first, born = draw.choice(GIVEN), f"19{draw.randrange(50, 99)}-0{draw.randrange(1, 10)}-1{draw.randrange(10)}"
        phone = f"+7916{draw.randrange(10**7):07d}"
        hub.registers["crm_contacts"].append(
            {"id": str(number), "first": first, "last": family.capitalize(), "born": born, "phone": phone}
        )
        if number % 2:
            wrong = family[:2] + family[3:] if draw.random() < 0.5 else family
            hub.registers["erp_customers"].append(
                {"code": f"C{number}", "kind": "person", "person": f"{wrong.capitalize()} {first}",
                 "born": born if draw.random() < 0.6 else None, "tel": phone if draw.random() < 0.4 else None}
            )  # fmt: skip
    for name in ("crm_contacts", "erp_customers"):
        hub.write(name)

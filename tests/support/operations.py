"""Random sequences of operations on a small hub, beside a model of what its records must be then.

A sequence is a list of plain tuples. What an operation means is settled when it is done, by numbers that choose among what is
there, so that a sequence from which some are left out is a sequence too: a failing one is shrunk that way.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from onefold.context import Context
from onefold.errors import NothingFound, OnefoldError
from tests.support.hub import CRM, Hub

Operation = tuple[str, int, int, int]
Name = tuple[str, str]
"""Register and key."""
Record = dict[str, Any]

LENGTH: Final = 8
WEIGHTS: Final = {
    "edit": 20, "rename": 5, "add": 7, "delete": 8, "fact": 7, "sync": 10, "standardise": 4, "resolve": 4, "publish": 4, "run": 10,
    "same": 6, "not_same": 6, "split": 2, "undo": 6, "train": 3, "configure": 4, "apply": 1, "rollback": 6, "release": 3, "erase": 3,
}  # fmt: skip
KEYS: Final = {
    "crm_contacts": "id",
    "crm_companies": "id",
    "crm_deals": "id",
    "erp_customers": "code",
    "erp_orders": "no",
}
PARTIES: Final = ("crm_contacts", "crm_companies", "erp_customers")
FACTS: Final = {"crm_deals": "sum", "erp_orders": "total"}
PARTY_OF: Final = {"crm_deals": ("crm_companies", "company"), "erp_orders": ("erp_customers", "customer")}
PEOPLE: Final = [("Иван", "Петров"), ("Пётр", "Иванов"), ("Anna", "Schmidt"), ("Мария", "Сидорова"), ("Olga", "Smirnova"),
                 ("Lev", "Tolstoy"), ("Вера", "Орлова"), ("Karl", "Weber")]  # fmt: skip
FIRMS: Final = ["Ромашка", "Василёк", "Лютик", "Müller & Söhne"]
INNS: Final = ["7707083893", "5003052454", "7736050003", "7801283931"]
CITIES: Final = ["Клин", "Тверь", "Псков", None]
HUB: Final = "limits: {deleted: 1.0, emptied: 1.0, changed: 1.0, merged: 1.0, at_least: 100}\n"
CONFIGURATIONS: Final[Sequence[dict[str, str]]] = (
    {},
    {"matching.yaml": "person: {link_at: 0.9999, review_at: 0.5}\n"},
    {"survivorship.yaml": "default: [longest, recent]\n"},
    {"sources/crm.yaml": CRM.replace(", birth_date: born", "")},
    {"sources/crm.yaml": CRM.replace("trust: 60", "trust: 95")},
)


def drawn(seed: str) -> list[Operation]:
    """The operations of a seed."""
    rng = random.Random(seed)
    names = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=LENGTH)
    return [(name, rng.randrange(1 << 20), rng.randrange(1 << 20), rng.randrange(1 << 20)) for name in names]


def party(register: str, key: str, rng: random.Random, gone: set[str]) -> Record:
    """A client record; values that an erased person had alone are given to nobody."""

    def one(values: Sequence[Any]) -> Any:
        left = [value for value in values if value not in gone]
        return rng.choice(left) if left else None

    first, last = rng.choice(PEOPLE)
    born = rng.choice(["1980-01-02", "1985-07-30", "1990-12-12", None])
    mail = one([None, *(f"m{n}@mail.example.ru" for n in range(6)), "info@firm.example.ru"])
    phone = one([None, *(f"+7 916 555-00-{n:02d}" for n in range(6))])
    if register == "crm_contacts":
        return {"id": key, "first": first, "last": last, "born": born, "emails": mail, "phone": phone,
                "company": rng.choice([None, "f0", "f1"]), "title": rng.choice([None, "директор"]),
                "city": rng.choice(CITIES), "updated": f"2026-01-{1 + rng.randrange(28):02d}T10:00:00Z"}  # fmt: skip
    firm, inn = rng.choice(FIRMS), one([None, *INNS])
    if register == "crm_companies":
        return {"id": key, "name": f"ООО «{firm}»", "inn": inn, "kpp": None, "phone": phone, "site": None}
    if rng.random() < 0.6:
        return {"code": key, "kind": "person", "person": f"{last} {first}", "born": born, "mail": mail, "tel": phone}
    return {"code": key, "kind": "company", "name": f"{firm}, ООО", "inn": inn, "mail": mail, "tel": phone}


def fact(register: str, key: str, rng: random.Random, erased: Collection[Name] = ()) -> Record:
    """A deal or an order; some tell of the same sale. None is of somebody who was erased."""

    def one(of: str, prefix: str, count: int) -> str:
        return rng.choice([f"{prefix}{n}" for n in range(count) if (of, f"{prefix}{n}") not in erased])

    total = f"{rng.choice([1500, 99, 20, 700])}.{rng.choice(['50', '90', '00'])}"
    day = f"2026-02-0{1 + rng.randrange(5)}"
    if register == "crm_deals":
        return {
            "id": key,
            "company": one("crm_companies", "f", 5),
            "closed": day,
            "sum": total,
            "stage": rng.choice(["won", "lost"]),
        }
    return {"no": key, "customer": one("erp_customers", "c", 14), "date": day, "total": total}


def party_of(register: str, record: Record) -> Name:
    """Whose a deal or an order is."""
    of, name = PARTY_OF[register]
    return of, record[name]


def first_registers(number: int) -> dict[str, dict[str, Record]]:
    """The records that a sequence begins with: thirty, of which some are the same."""
    rng = random.Random(f"world {number}")
    found: dict[str, dict[str, Record]] = {register: {} for register in KEYS}
    for register, prefix, count in (("crm_contacts", "p", 8), ("crm_companies", "f", 3), ("erp_customers", "c", 9)):
        found[register] = {f"{prefix}{n}": party(register, f"{prefix}{n}", rng, set()) for n in range(count)}
    for register, prefix in (("crm_deals", "d"), ("erp_orders", "o")):
        found[register] = {f"{prefix}{n}": fact(register, f"{prefix}{n}", rng) for n in range(5)}
    return found


def hub_name(name: Name) -> str:
    """As people name a record: source:stream:key."""
    return f"{name[0].replace('_', ':', 1)}:{name[1]}"


@dataclass
class Landed:
    """One record as the hub must have it."""

    versions: list[tuple[int, Record | None]] = field(default_factory=list)
    """Run and version, the last one in force; None: deleted, or not there."""
    aside: list[tuple[int, Record | None]] = field(default_factory=list)
    """Versions that a rollback set aside."""

    @property
    def now(self) -> Record | None:
        return self.versions[-1][1] if self.versions else None


@dataclass
class Machine:
    """A hub and its model, and the operations on both."""

    hub: Hub
    registers: dict[str, dict[str, Record]]
    stack: ExitStack
    landed: dict[Name, Landed] = field(default_factory=dict)
    runs: list[tuple[int, str]] = field(default_factory=list)
    """Syncs that landed something and can be taken back."""
    taken_back: list[int] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    erased: set[Name] = field(default_factory=set)
    frozen: Decimal = Decimal(0)
    """Revenue of erased persons."""
    configuration: int = 0
    fresh_keys: int = 100
    context: Context | None = None

    @classmethod
    def at(cls, folder: Path, database_url: str, world: Machine | None, number: int) -> Machine:
        """A hub that has run once; `world`: a copy of that one, in whose database the URL's was copied from."""
        if world is not None:
            shutil.copytree(world.hub.folder, folder)
            hub = Hub.at(folder, database_url)
            hub.ticks = world.hub.ticks
            return cls(hub, deepcopy(world.registers), ExitStack(), deepcopy(world.landed))
        hub = Hub(folder, database_url)
        (folder / "config" / "hub.yaml").write_text(HUB, encoding="utf-8")
        machine = cls(hub, first_registers(number), ExitStack())
        for register in KEYS:
            machine.write(register)
        with machine:
            machine.do(("run", 0, 0, 0))
        machine.runs.clear()
        return machine

    def __enter__(self) -> Machine:
        self.context = self.stack.enter_context(self.hub.context())
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def do(self, operation: Operation) -> None:
        """Do it on the hub and on the model."""
        name, *numbers = operation
        getattr(self, f"_{name}")(*numbers)

    def write(self, register: str) -> None:
        """The file of a register as it is now."""
        self.hub.write(register, list(self.registers[register].values()))

    # What people do in the systems

    def _edit(self, which: int, what: int, seed: int) -> None:
        """A record changes in a field that does not make it somebody else."""
        if (name := self._of(which, PARTIES)) is None:
            return
        register, key = name
        record, new = self.registers[register][key], party(register, key, random.Random(seed), self.gone)
        harmless = {"city", "title", "company", "updated", "site"}
        fields = [
            one
            for one in record
            if one in new and one not in {KEYS[register], "kind", "first", "last", "person", "name"}
        ]
        if self._is_judged(name):
            fields = [one for one in fields if one in harmless]
        if fields:
            changed = fields[what % len(fields)]
            self.registers[register][key] = {**record, changed: new[changed]}
            self.write(register)

    def _rename(self, which: int, _what: int, seed: int) -> None:
        """A key is given to somebody else; not one that somebody has judged: that one is kept beside it."""
        if (name := self._of(which, PARTIES)) is None or self._is_judged(name):
            return
        register, key = name
        self.registers[register][key] = party(register, key, random.Random(seed), self.gone)
        self.write(register)

    def _add(self, which: int, _what: int, seed: int) -> None:
        register, prefix = (("crm_contacts", "p"), ("crm_companies", "f"), ("erp_customers", "c"))[which % 3]
        self.fresh_keys += 1
        key = f"{prefix}{self.fresh_keys}"
        self.registers[register][key] = party(register, key, random.Random(seed), self.gone)
        self.write(register)

    def _delete(self, which: int, _what: int, _seed: int) -> None:
        if (name := self._of(which, (*PARTIES, *FACTS))) is not None:
            del self.registers[name[0]][name[1]]
            self.write(name[0])

    def _fact(self, which: int, what: int, seed: int) -> None:
        """A deal or order comes or changes."""
        register, prefix = (("crm_deals", "d"), ("erp_orders", "o"))[which % 2]
        key = f"{prefix}{what % 9}"
        if (register, key) not in self.erased:
            self.registers[register][key] = fact(register, key, random.Random(seed), self.erased)
            self.write(register)

    # What the hub is asked to do

    def _sync(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.sync import sync

        source = ("crm", "erp")[which % 2]
        self._took(source, sync(self._open, source).run_id)

    def _run(self, *_: int) -> None:
        from onefold.steps.run import run

        report = run(self._open)
        assert report.status == "done", report
        for one in report.syncs:
            self._took(one.source, one.run_id)

    def _standardise(self, *_: int) -> None:
        from onefold.steps.standardise import standardise

        standardise(self._open)

    def _resolve(self, *_: int) -> None:
        from onefold.steps.resolve import resolve

        resolve(self._open)

    def _publish(self, *_: int) -> None:
        from onefold.steps.publish import publish

        publish(self._open)

    def _train(self, *_: int) -> None:
        from onefold.steps.train import train, use

        try:
            use(self._open, train(self._open).version)
        except NothingFound:
            return  # too few records

    def _configure(self, which: int, _what: int, _seed: int) -> None:
        """An edited configuration; the next run notices."""
        self.configuration = which % len(CONFIGURATIONS)
        self.configured()
        self.stack.close()
        self.stack = ExitStack()
        self.__enter__()

    def configured(self) -> None:
        """Write the configuration in force."""
        folder = self.hub.folder / "config"
        for name in ("matching.yaml", "survivorship.yaml"):
            (folder / name).unlink(missing_ok=True)
        self.hub.configure("crm", CRM)
        for name, text in CONFIGURATIONS[self.configuration].items():
            (folder / name).write_text(text, encoding="utf-8")

    def _apply(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.plan import apply

        self._configure(which, 0, 0)
        apply(self._open, by="drill")

    # What stewards do

    def _same(self, left: int, right: int, _seed: int) -> None:
        self._judge("same", left, right)

    def _not_same(self, left: int, right: int, _seed: int) -> None:
        self._judge("not_same", left, right)

    def _judge(self, verdict: str, left: int, right: int) -> None:
        from onefold.steps.judge import judge

        one, other = self._standing(left), self._standing(right)
        if one is None or other is None or one == other:
            return
        try:
            judge(self._open, verdict, [hub_name(one)], [hub_name(other)], reason="a drill says so", by="drill")
        except OnefoldError:
            return  # it opposes another one

    def _split(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.judge import split_off

        if (name := self._standing(which)) is None:
            return
        try:
            split_off(self._open, [hub_name(name)], reason="a drill says so", by="drill")
        except OnefoldError:
            return  # it is alone

    def _undo(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.judge import judgements, lift

        if said := judgements(self._open):
            lift(self._open, said[which % len(said)]["judgement_id"], reason="a drill says so", by="drill")

    def _rollback(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.hold import rollback

        if not self.runs:
            return
        number, source = self.runs.pop(which % len(self.runs))
        mine = [
            one for name, one in self.landed.items() if name[0].startswith(source) and one.versions[-1][0] == number
        ]
        try:
            rollback(self._open, number, by="drill")
        except NothingFound:
            assert not mine, f"run {number} could not be taken back"
            return
        assert mine, f"of run {number} nothing stood, and it was taken back"
        self.taken_back.append(number)
        for one in mine:
            one.aside.append(one.versions.pop())
            if not one.versions:
                one.versions.append((0, None))

    def _release(self, which: int, _what: int, _seed: int) -> None:
        from onefold.steps.hold import release

        if not self.taken_back:
            return
        number = self.taken_back.pop(which % len(self.taken_back))
        mine = [one for one in self.landed.values() if any(run == number for run, _ in one.aside)]
        try:
            release(self._open, number, by="drill")
        except OnefoldError:
            assert not mine, f"run {number} could not be released"
            return
        for one in mine:
            (version,) = (version for run, version in one.aside if run == number)
            one.aside = [each for each in one.aside if each[0] != number]
            one.versions.append((-number, version))

    def _erase(self, which: int, _what: int, _seed: int) -> None:
        """A person is erased here and then in the systems; nothing is taken back to before that."""
        from onefold.steps.erase import erase

        self._run()
        found = [name for name in self._all_standing() if self._is_person(name)]
        if not found:
            return
        report = erase(self._open, hub_name(found[which % len(found)]), reason="a drill says so", by="drill")
        for text in report.records:
            source, stream, key = text.split(":", 2)
            name = (f"{source}_{stream}", key.split("#")[0])
            record = self.registers[name[0]].pop(name[1], None)
            for each in ([record] if record else []) + [
                version for _, version in self.landed[name].versions if version
            ]:
                self.gone |= {str(each[one]) for one in ("emails", "phone", "mail", "tel", "inn") if each.get(one)}
            self.landed[name] = Landed([(0, None)])
            self.erased.add(name)
        for name, one in self.landed.items():
            if one.now is not None and PARTY_OF.get(name[0]) and party_of(name[0], one.now) in self.erased:
                # It stays as it was then, under the bare id, whatever the system says of it.
                self.frozen += Decimal(one.now[FACTS[name[0]]])
                self.erased.add(name)
                one.versions, one.aside = [(0, None)], []
        for register in PARTIES:
            self.write(register)
        # What a rollback has set aside of others stays aside: their erasure is no word on it.
        self.runs.clear()
        self.taken_back.clear()

    # The model

    def _took(self, source: str, run_id: int) -> None:
        """A sync of a source has landed its files."""
        is_news = False
        for register in (one for one in KEYS if one.startswith(source)):
            known = {name[1] for name in self.landed if name[0] == register}
            for key in known | self.registers[register].keys():
                name = (register, key)
                said = deepcopy(self.registers[register].get(key))
                if name in self.erased:
                    continue
                record = self.landed.setdefault(name, Landed([(0, None)]))
                if any(version == said for _, version in record.aside) and said != record.now:
                    continue
                record.aside.clear()
                if said != record.now:
                    record.versions.append((run_id, said))
                    is_news = True
        if is_news:
            self.runs.append((run_id, source))

    def standing(self) -> dict[str, list[Record]]:
        """The records that must be in force, by register."""
        return {
            register: [
                one.now for name, one in sorted(self.landed.items()) if name[0] == register and one.now is not None
            ]
            for register in KEYS
        }

    def revenue(self) -> Decimal:
        """The sum of all deals and orders in force."""
        found = self.standing()
        return sum((Decimal(one[name]) for register, name in FACTS.items() for one in found[register]), self.frozen)

    @property
    def _open(self) -> Context:
        assert self.context is not None
        return self.context

    def _of(self, which: int, registers: Sequence[str]) -> Name | None:
        """One of the records in the systems."""
        found = [(register, key) for register in registers for key in sorted(self.registers[register])]
        return found[which % len(found)] if found else None

    def _all_standing(self) -> list[Name]:
        return sorted(name for name, one in self.landed.items() if name[0] in PARTIES and one.now is not None)

    def _standing(self, which: int) -> Name | None:
        found = self._all_standing()
        return found[which % len(found)] if found else None

    def _is_person(self, name: Name) -> bool:
        record = self.landed[name].now
        return name[0] == "crm_contacts" or (record is not None and record.get("kind") == "person")

    def _is_judged(self, name: Name) -> bool:
        from onefold.steps.judge import judgements

        return any(hub_name(name) in said["records"] for said in judgements(self._open))


def shrunk(operations: Sequence[Operation], fails: Callable[[Sequence[Operation]], bool], most: int) -> list[Operation]:
    """A part of the sequence that still fails, from which none can be left out; at most so many tries."""
    left, place = list(operations), 0
    while place < len(left) and most > 0:
        most -= 1
        fewer = left[:place] + left[place + 1 :]
        if fails(fewer):
            left = fewer
        else:
            place += 1
    return left


def told(operations: Sequence[Operation]) -> str:
    """A sequence as it can be put into ONEFOLD_DRILL_SEQUENCE."""
    return json.dumps(operations)

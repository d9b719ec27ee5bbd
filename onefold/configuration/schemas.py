"""JSON Schemas of the configuration files, for editors: `python -m` this module writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from connectors.manifest_schema import manifest_schema
from onefold.configuration.attributes import STANDARD, AttributesFile
from onefold.configuration.concerns import ConcernsFile
from onefold.configuration.hub import HubConfiguration
from onefold.configuration.interactions import InteractionsFile
from onefold.configuration.load import settings_model
from onefold.configuration.metrics import MetricsFile
from onefold.configuration.needs import NeedsFile
from onefold.configuration.records import AuthorityFile, ExpectationsFile
from onefold.configuration.segments import SegmentsFile
from onefold.configuration.shipped import shipped_interactions
from onefold.configuration.sources import ROLES, SourceConfiguration

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema of every configuration file, by name."""
    models: dict[str, tuple[type[BaseModel], str]] = {
        "source": (
            SourceConfiguration,
            "config/sources/*.yaml: one source system and what its streams become.",
        ),
        "hub": (HubConfiguration, "config/hub.yaml: what holds for the whole hub."),
        "attributes": (AttributesFile, "config/attributes.yaml: golden attributes of your own."),
        "interactions": (InteractionsFile, "config/interactions.yaml: interaction types of your own."),
        "authority": (AuthorityFile, "config/authority.yaml: which register decides what, and who agreed."),
        "expectations": (ExpectationsFile, "config/expectations.yaml: what must hold in the result."),
        "needs": (NeedsFile, "config/needs.yaml: what clients need, and what it is recognised by."),
        "segments": (SegmentsFile, "config/segments.yaml: schemes that divide clients."),
        "metrics": (MetricsFile, "config/metrics.yaml: what is measured, from whose side."),
        "concerns": (ConcernsFile, "config/concerns.yaml: what is asked of the hub after each publish."),
        "matching": (
            settings_model("matching"),
            "config/matching.yaml: laid over the shipped matching rules.",
        ),
        "documents": (
            settings_model("documents"),
            "config/documents.yaml: how documents of different registers are found to record one sale.",
        ),
        "survivorship": (
            settings_model("survivorship"),
            "config/survivorship.yaml: laid over the shipped rules.",
        ),
    }
    made: dict[str, dict[str, Any]] = {}
    for name, (model, title) in sorted(models.items()):
        schema = model.model_json_schema(mode="validation")
        if name in ("documents", "matching", "survivorship"):
            _all_optional(schema)
        if name == "source":
            _without_unknown(schema)
            _suggest_words(schema)
        made[f"{name}.json"] = {"$schema": DIALECT, **schema, "title": title}
    title = "A connector's manifest: where a system is, how it is asked, what it offers."
    made["manifest.json"] = {"$schema": DIALECT, **manifest_schema(), "title": title}
    return made


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema; gives the files whose content changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, schema in schemas().items():
        path, text = folder / name, rendered(schema)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def rendered(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _all_optional(schema: dict[str, Any]) -> None:
    """A file that is laid over shipped rules may leave anything out."""
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("required", None)


def _without_unknown(part: Any) -> None:
    """Take out the form that only exists to be refused with a good sentence."""
    if isinstance(part, dict):
        part.pop("UnknownForm", None)
        for key in ("oneOf", "anyOf"):
            if key in part:
                part[key] = [one for one in part[key] if one.get("$ref") != "#/$defs/UnknownForm"]
        for one in part.values():
            _without_unknown(one)
    elif isinstance(part, list):
        for one in part:
            _without_unknown(one)


def _suggest_words(schema: dict[str, Any]) -> None:
    """Known attributes, types and roles for completion.

    Other words stay possible (they may be declared elsewhere).
    """
    stream = schema["$defs"]["StreamConfiguration"]["properties"]
    fields = next(one for one in stream["fields"]["anyOf"] if one.get("type") == "object")
    schema["$defs"]["FieldSources"] = fields["additionalProperties"]
    reference = {"$ref": "#/$defs/FieldSources"}
    fields["additionalProperties"] = reference
    fields["properties"] = {name: {**reference, "description": _about(name)} for name in STANDARD}
    stream["type"]["examples"] = sorted(shipped_interactions())
    stream["role"]["examples"] = list(ROLES)


def _about(name: str) -> str:
    attribute = STANDARD[name]
    many = "several values" if attribute.multi else "one value"
    return f"{attribute.labels['en']} ({attribute.labels['ru']}); {attribute.kind}, {many}."


if __name__ == "__main__":
    for written in write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas")):
        sys.stdout.write(f"{written}\n")

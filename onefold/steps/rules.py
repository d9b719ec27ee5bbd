"""From configuration to what the pure functions take: profiles, model, and fingerprints of the rules in force.

What reads or writes fingerprints imports the warehouse inside the function: a trial (`onefold.trying`) needs the rules
alone, and no database driver.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from identity.standard import Profile
    from identity.survive import SurvivorshipRules
    from onefold.configuration import Configuration
    from onefold.configuration.sources import StreamConfiguration
    from onefold.context import Context

STANDARD_FORMS_VERSION = 1
"""Raised when a normaliser gives other results, so that stored records are standardised anew."""

RELATED_VERSION = 1
"""Raised when other relationships follow from the same records, so that stored ones are stated anew."""

DOCUMENTS_VERSION = 3
"""Raised when other links follow from the same documents, or more is kept of them, so that all are linked anew."""


def standard_profile(context: Context) -> Profile:
    """What standardisation has to know of this hub."""
    from identity.standard import AttributeType, Profile

    configuration = context.configuration
    own: set[tuple[str, str]] = set()
    domains: set[str] = set()
    for firm in configuration.hub.own_organisations:
        for kind, values in firm.identifiers().items():
            domains.update(values) if kind == "domain" else own.update((kind, value) for value in values)
    for address in configuration.hub.staff_addresses:
        own.add(("email" if "@" in address else "phone", address))
    return Profile(
        own_identifiers=frozenset(own),
        own_domains=frozenset(domains),
        attributes={
            name: AttributeType(attribute.kind, attribute.type, attribute.multi)
            for name, attribute in configuration.attributes.items()
        },
        default_country=configuration.hub.defaults.country,
        time_zone=configuration.hub.defaults.timezone or "UTC",
        today=today(context),
    )


def requeue_changed_mappings(conn: psycopg.Connection, configuration: Configuration) -> list[str]:
    """Queue every record of the streams whose mapping is another one than that which made the stored records."""
    from warehouse import fingerprints, queue

    wanted = mapping_fingerprints(configuration)
    known = fingerprints.stored(conn, "mapping")
    changed = sorted(name for name, value in wanted.items() if known.get(name) != value)
    for name in changed:
        source, stream = name.split(":", 1)
        if name in known:
            queue.enqueue_stream(conn, "standardise", source, stream)
    fingerprints.remember(conn, "mapping", {name: wanted[name] for name in changed})
    return [name for name in changed if name in known]


def requeue_changed_rules(conn: psycopg.Connection, step: str, rules: Any) -> bool:
    """Queue every client record for `step` (resolve, publish) if its rules are others than those in force.

    A step that never had rules has not worked yet, and all that it has to look at is queued already.
    """
    from warehouse import fingerprints, queue

    wanted = {step: fingerprint(rules)}
    known = fingerprints.stored(conn, "rules")
    if known.get(step) == wanted[step]:
        return False
    fingerprints.remember(conn, "rules", wanted)
    return step in known and queue.enqueue_parties(conn, step) > 0


def has_work(conn: psycopg.Connection, step: str, rules: Any) -> bool:
    """Whether `step` (resolve, publish) has queued records, or other rules than those in force. Writes nothing."""
    from warehouse import fingerprints, queue

    return not queue.is_empty(conn, step) or fingerprints.stored(conn, "rules").get(step) != fingerprint(rules)


def resolve_rules(context: Context, model_version: int) -> list[Any]:
    """What resolve depends on beside the records, judgements and the model itself."""
    return [context.configuration.matching, model_version, distinct_sources(context), shipped_data_digest()]


def distinct_sources(context: Context) -> list[str]:
    """Registers that are known to hold each client once, by name."""
    return sorted(name for name, source in context.configuration.sources.items() if source.distinct)


@cache
def shipped_data_digest() -> str:
    """A digest of the weights and word lists that come with Onefold: an upgrade that changes them is noticed."""
    state = hashlib.blake2b(digest_size=16)
    for entry in sorted(files("identity").joinpath("data").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            state.update(entry.name.encode() + b"\x00" + entry.read_bytes())
    return state.hexdigest()


def today(context: Context) -> date:
    """The day in the hub's time zone; served views tell it so by themselves (`core.hub_day`)."""
    return context.configuration.hub.defaults.day(context.clock())


def departments(context: Context) -> dict[str, str]:
    """The department of each source that has one."""
    sources = context.configuration.sources
    return {name: source.department for name, source in sources.items() if source.department}


def publish_rules(context: Context) -> list[Any]:
    """What golden records depend on beside the records and pins."""
    rules = survivorship_rules(context)
    return [
        rules.settings,
        dict(rules.authority),
        sorted(rules.multi),
        trust(context),
        RELATED_VERSION,
        vat_sites(context),
    ]


def reporting_rules(context: Context) -> tuple[str, int]:
    """In which currency the hub reports, and for how many days a rate holds."""
    hub = context.configuration.hub
    return hub.reporting_currency, hub.rate_days


def document_rules(context: Context) -> list[Any]:
    """What links between documents depend on beside the documents, clients and judgements."""
    configuration = context.configuration
    money = {code: [one.money, one.tax] for code, one in configuration.interaction_types.items()}
    settings = configuration.document_rules.plain()
    return [DOCUMENTS_VERSION, settings, document_authority(context), trust(context), money]


def document_authority(context: Context) -> dict[str, list[str]]:
    """Type of document -> the registers that decide it, in their order."""
    found: dict[str, list[str]] = {}
    for entry in context.configuration.authority:
        if entry.document is not None:
            found.setdefault(entry.document, []).append(entry.register_)
    return found


def vat_sites(context: Context) -> bool:
    """Whether the sites of one VAT number are clients of their own, and so related."""
    return context.configuration.hub.grain == "establishment"


def survivorship_rules(context: Context) -> SurvivorshipRules:
    """survivorship.yaml, authority.yaml and the multi-valued open attributes, as `golden` takes them."""
    from identity.survive import SurvivorshipRules

    configuration = context.configuration
    group_of = configuration.survivorship.group_of(configuration.attributes)
    authority: dict[str, list[str]] = {}
    for entry in configuration.authority:
        if entry.attribute is not None:
            # A group is taken from one record, so that who decides one of its fields decides it whole.
            decided = authority.setdefault(group_of.get(entry.attribute, entry.attribute), [])
            if entry.register_ not in decided:
                decided.append(entry.register_)
    multi = frozenset(name for name, a in configuration.open_attributes.items() if a.multi)
    return SurvivorshipRules(
        configuration.survivorship, {name: tuple(sources) for name, sources in authority.items()}, multi
    )


def open_attributes(context: Context) -> list[dict[str, Any]]:
    """The attributes that attributes.yaml adds, as the served views know them."""
    plain = {"number", "boolean", "date"}
    return [
        {
            "name": name,
            "kind": "any" if found.kind == "both" else found.kind,
            "type": found.type if found.type in plain else "text",
            "is_multi": found.multi,
            "label_en": found.labels.get("en") or name,
            "label_ru": found.labels.get("ru"),
            "personal_data": found.personal_data,
        }
        for name, found in context.configuration.open_attributes.items()
    ]


def trust(context: Context) -> dict[str, int]:
    """How far each source is trusted, 0..100."""
    return {name: source.trust for name, source in context.configuration.sources.items()}


def with_trust(context: Context, contributions: pa.Table) -> pa.Table:
    """Contributions with the trust of their sources; 0 for a source that is no longer configured."""
    import pyarrow as pa

    trusted = trust(context)
    sources = contributions["source"].combine_chunks().dictionary_encode()
    by_source = pa.array([trusted.get(name, 0) for name in sources.dictionary.to_pylist()], pa.int32())
    return contributions.append_column("trust", by_source.take(sources.indices))


def mapping_fingerprints(configuration: Configuration) -> dict[str, UUID]:
    """`source:stream` -> fingerprint of everything that mapping and standardising one stream depend on."""
    common = [
        STANDARD_FORMS_VERSION,
        [firm.model_dump(mode="json") for firm in configuration.hub.own_organisations],
        configuration.hub.staff_addresses,
        {name: [a.kind, a.type, a.multi] for name, a in configuration.attributes.items()},
    ]
    return {
        f"{name}:{stream}": fingerprint(
            [
                common,
                configured.model_dump(mode="json", exclude={"title", "limits", "options", "updated_at", "volatile"}),
                configuration.defaults(name, stream).model_dump(mode="json"),
                *_types_read(configuration, configured),
            ]
        )
        for name, source in configuration.sources.items()
        for stream, configured in source.streams.items()
    }


def _types_read(configuration: Configuration, stream: StreamConfiguration) -> list[Any]:
    """What the registry says of how a stream's interactions are read; nothing where it leaves them as they come."""
    said = {}
    for code in stream.type_codes:
        type_ = configuration.interaction_types.get(code)
        fields = {name: field.type for name, field in type_.detail.items() if field.type != "text"} if type_ else {}
        if type_ and (type_.direction or fields):
            said[code] = [type_.direction, fields]
    return [said] if said else []


def fingerprint(rules: Any) -> UUID:
    """BLAKE2b-128 over canonical JSON."""
    text = json.dumps(rules, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    return UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest())


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str)
    return str(value)

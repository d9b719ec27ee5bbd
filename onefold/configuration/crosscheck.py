"""What one file says about another: streams, attributes, interaction types and connectors that must exist."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.paths import PathError, compile_paths
from onefold.configuration.base import When
from onefold.configuration.crosscheck_concerns import check_concerns
from onefold.configuration.crosscheck_metrics import check_metrics
from onefold.configuration.crosscheck_needs import check_needs
from onefold.configuration.crosscheck_write import check_write_back
from onefold.configuration.errors import Problem
from onefold.configuration.model import Configuration
from onefold.configuration.secrets import MALFORMED
from onefold.configuration.sources import (
    INTERACTION_KEYS,
    PARTY_KEYS,
    RATE_KEYS,
    RELATIONSHIP_KEYS,
    ROLES,
    ChildField,
    Reference,
    SourceConfiguration,
    StreamConfiguration,
)
from onefold.configuration.tree import Document
from onefold.configuration.validate import describe
from onefold.nearest import did_you_mean

_KEYS: Final[Mapping[str | None, frozenset[str]]] = {
    "party": PARTY_KEYS,
    "interaction": INTERACTION_KEYS,
    "relationship": RELATIONSHIP_KEYS,
    "rate": RATE_KEYS,
    None: frozenset(),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "party": ("fields",),
    "interaction": ("type",),
    "relationship": ("type", "from", "to"),
    "rate": ("rate",),
}
_SUBPROCESS: Final = ("singer:", "airbyte:")

Path = Sequence[str | int]


def cross_check(configuration: Configuration, streams: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Every problem between files; `streams` names those of all sources, also of mistaken ones."""
    for source in configuration.sources.values():
        document = configuration.documents[source.source]
        yield from _connector(document, source)
        for name, stream in source.streams.items():
            yield from _Stream(configuration, streams, document, source, name, stream).problems()
            yield from check_write_back(configuration, document, source, name)
    yield from _interaction_types(configuration)
    yield from _authority(configuration, streams)
    yield from _expectations(configuration, streams)
    yield from check_needs(configuration)
    yield from check_concerns(configuration)
    yield from check_metrics(configuration)


class _Stream:
    """The checks of one stream."""

    def __init__(
        self,
        configuration: Configuration,
        streams: Mapping[str, Sequence[str]],
        document: Document,
        source: SourceConfiguration,
        name: str,
        stream: StreamConfiguration,
    ) -> None:
        self.configuration, self.streams, self.document = configuration, streams, document
        self.source, self.stream, self.at = source, stream, ("streams", name)

    def problems(self) -> Iterator[Problem]:
        yield from self._kind()
        yield from self._paths()
        yield from self._role()
        yield from self._fields()
        yield from self._types()
        yield from self._references()

    def _problem(self, path: Path, message: str, hint: str | None = None, *, key: bool = False) -> Problem:
        return self.document.problem((*self.at, *path), message, hint, key=key)

    def _kind(self) -> Iterator[Problem]:
        stream, kind = self.stream, self.stream.kind
        every = PARTY_KEYS | INTERACTION_KEYS | RELATIONSHIP_KEYS | RATE_KEYS
        raw = self._raw()
        if stream.as_ is None and "as" in raw:  # mistaken, and told already
            return
        said = stream.as_ if isinstance(stream.as_, str) else "person or organisation"
        for name in sorted((stream.model_fields_set & every) - _KEYS[kind]):
            written = name.rstrip("_")
            if kind is None:
                hint = "Add `as: person`, `organisation`, `interaction`, `relationship` or `rate`."
                yield self._problem((written,), f"`{written}` has no meaning without `as`.", hint, key=True)
            else:
                yield self._problem((written,), f"`{written}` has no meaning for a stream mapped as {said}.", key=True)
        for name in _NEEDED.get(kind or "", ()):
            if not getattr(stream, "from_" if name == "from" else name) and name not in raw:
                yield self._problem((), f"A stream mapped as {said} needs `{name}`.", key=True)

    def _paths(self) -> Iterator[Problem]:
        stream = self.stream
        given: list[tuple[str, Any]] = [
            ("key", stream.key),
            ("updated_at", stream.updated_at),
            ("volatile", stream.volatile),
        ]
        for name, value in given:
            many = [value] if isinstance(value, str) else value or []
            for i, text in enumerate(many):
                try:
                    compile_paths(text)
                except PathError as error:
                    path = (name,) if isinstance(value, str) else (name, i)
                    yield self._problem(path, f"found `{text}`: {error}.")
        if isinstance(stream.key, list) and not stream.key:
            yield self._problem(("key",), "found an empty list; a key has at least one path.")

    def _role(self) -> Iterator[Problem]:
        role = self.stream.role
        if self.stream.kind != "party" or role is None:
            return
        words: list[tuple[Path, str]] = []
        if isinstance(role, When):
            words = [(("role", case), word) for case, word in role.cases.items()]
            words += [(("role", "else"), role.otherwise)] if role.otherwise is not None else []
        else:
            words = [(("role",), role)]
        for path, word in words:
            if word not in ROLES:
                yield self._problem(path, f"found `{word}`; a role is one of {', '.join(ROLES)}.", _guess(word, ROLES))

    def _fields(self) -> Iterator[Problem]:
        known = self.configuration.attributes
        for name, origins in (self.stream.fields or {}).items():
            if name not in known:
                hint = f"{did_you_mean(name, known, limit=0) if _guess(name, known) else ''} ".lstrip()
                hint += f"{'Or declare' if hint else 'Declare'} `{name}` in attributes.yaml."
                yield self._problem(("fields", name), f"`{name}` is no known attribute.", hint, key=True)
            for i, origin in enumerate(origins):
                if isinstance(origin, ChildField) and origin.stream not in self.source.streams:
                    path = ("fields", name, i) if isinstance(self._raw("fields", name), list) else ("fields", name)
                    yield self._unknown_stream((*path, "stream"), origin.stream, self.source.source)
        lines = self.stream.lines
        if lines is not None and lines.stream is not None and lines.stream not in self.source.streams:
            yield self._unknown_stream(("lines", "stream"), lines.stream, self.source.source)

    def _types(self) -> Iterator[Problem]:
        if self.stream.kind != "interaction" or self.stream.type is None:
            return
        known, given = self.configuration.interaction_types, self.stream.type
        words: list[tuple[Path, str]] = [(("type",), given)] if isinstance(given, str) else []
        if isinstance(given, When):
            words = [(("type", case), word) for case, word in given.cases.items()]
            words += [(("type", "else"), given.otherwise)] if given.otherwise is not None else []
        for path, word in words:
            if word not in known:
                hint = f"{did_you_mean(word, known, limit=40)} Or declare `{word}` in interactions.yaml."
                yield self._problem(path, f"`{word}` is no known interaction type.", hint)

    def _references(self) -> Iterator[Problem]:
        stream = self.stream
        single: list[tuple[str, Reference | None, str | None]] = [
            ("parent", stream.parent, "interaction"),
            ("reverses", stream.reverses, "interaction"),
            ("from", stream.from_, "party"),
            ("to", stream.to, "party"),
        ]
        for name, reference, wanted in single:
            if reference is not None:
                yield from self._reference((name,), reference, wanted)
        several: list[tuple[str, Sequence[Reference] | None]] = [
            ("party", stream.party),
            ("works_at", stream.works_at),
            ("relationships", stream.relationships),
        ]
        for name, many in several:
            for i, reference in enumerate(many or []):
                path: Path = (name, i) if isinstance(self._raw(name), list) else (name,)
                yield from self._reference(path, reference, "party")

    def _reference(self, path: Path, reference: Reference, wanted: str | None) -> Iterator[Problem]:
        source = reference.source or self.source.source
        if source not in self.streams:
            hint = did_you_mean(source, self.streams)
            yield self._problem((*path, "source"), f"`{source}` is no configured source.", hint)
            return
        if reference.stream not in self.streams[source]:
            yield self._unknown_stream((*path, "stream"), reference.stream, source)
            return
        configured = self.configuration.sources.get(source)
        target = configured.streams.get(reference.stream) if configured else None
        mistaken = (
            target is not None
            and target.as_ is None
            and "as" in _stream_data(self.configuration, source, reference.stream)
        )
        if target is not None and wanted is not None and target.kind != wanted and not mistaken:
            words = {"party": "persons or organisations", "interaction": "interactions"}[wanted]
            yield self._problem(
                (*path, "stream"),
                f"`{reference.stream}` of {source} is not mapped as {words}, so nothing can refer to it so.",
            )

    def _unknown_stream(self, path: Path, name: str, source: str) -> Problem:
        return self._problem(path, f"{source} has no stream `{name}`.", did_you_mean(name, self.streams[source]))

    def _raw(self, *path: str) -> Any:
        value = self.document.data
        for part in (*self.at, *path):
            value = value[part]
        return value


def _stream_data(configuration: Configuration, source: str, stream: str) -> Mapping[str, Any]:
    """A stream as it is written."""
    found = configuration.documents[source].data["streams"][stream]
    return found if isinstance(found, Mapping) else {}


def _connector(document: Document, source: SourceConfiguration) -> Iterator[Problem]:
    for path, text in _texts(source.settings, ("settings",)):
        if MALFORMED.search(text):
            hint = "Write ${NAME} with letters, digits and _."
            yield document.problem(path, "This reference to the environment is not well formed.", hint)
    try:
        registry = importlib.import_module("connectors.registry")
    except ModuleNotFoundError:  # an installation that only reads the served views
        return
    names = list(registry.names())
    if not source.connector.startswith(_SUBPROCESS) and source.connector not in names:
        hint = did_you_mean(source.connector, [*names, "singer:tap-x", "airbyte:source-x"])
        yield document.problem(("connector",), f"`{source.connector}` is no known connector.", hint)
        return
    yield from _settings(document, source.settings, registry.settings_schema(source.connector))


def _settings(document: Document, settings: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Problem]:
    """The settings' top level against the connector's JSON Schema; the rest is checked on opening."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if schema.get("additionalProperties") is False:
        for name in settings:
            if name not in properties:
                hint = did_you_mean(
                    name, [known for known in properties if known not in ("base_dir", "cache_dir")], limit=40
                )
                yield document.problem(("settings", name), f"`{name}` is no setting of this connector.", hint, key=True)
    for name in schema.get("required", []):
        if name not in settings and name != "base_dir":
            path = ("settings",) if "settings" in document.data else ("connector",)
            yield document.problem(path, f"The connector needs the setting `{name}`.", key=True)
    for name, value in settings.items():
        wanted = properties.get(name, {}).get("type")
        if isinstance(value, str) and "${" in value:
            continue
        if isinstance(wanted, str) and not _has_type(value, wanted):
            yield document.problem(("settings", name), f"found {describe(value)} for `{name}`; allowed: {wanted}.")


def _has_type(value: Any, wanted: str) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str, int, float), "integer": (int,), "number": (int, float), "boolean": (bool,),
        "array": (list, str),        "object": (dict,),
    }  # fmt: skip
    if isinstance(value, bool) and wanted != "boolean":
        return False
    return wanted not in kinds or isinstance(value, kinds[wanted])


def _interaction_types(configuration: Configuration) -> Iterator[Problem]:
    document = configuration.documents.get("interactions.yaml")
    if document is None:
        return
    from warehouse import typed_views  # it comes with the driver, which a mere look at a configuration does not need

    types = configuration.interaction_types
    for code in types:
        if (reason := typed_views.why_not(code, types)) is not None:
            hint = "Give the type another name."
            yield document.problem(("interactions", code), f"`{code}` cannot be a type: {reason}.", hint, key=True)


def _authority(configuration: Configuration, streams: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for i, entry in enumerate(configuration.authority):
        document = configuration.documents["authority.yaml"]
        checks: list[tuple[str, str | None, Iterable[str], str]] = [
            ("attribute", entry.attribute, configuration.attributes, "attribute"),
            ("document", entry.document, configuration.interaction_types, "interaction type"),
            ("register", entry.register_, streams, "source"),
        ]
        for key, name, known, what in checks:
            if name is not None and name not in known:
                yield document.problem(
                    ("authority", i, key), f"`{name}` is no known {what}.", did_you_mean(name, known)
                )


def _expectations(configuration: Configuration, streams: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    expected = configuration.expectations
    listed: list[tuple[Path, str]] = []
    for key, sets in (
        ("same_client", expected.same_client),
        ("different_clients", expected.different_clients),
    ):
        for i, one in enumerate(sets):
            listed += [((key, i, "records", j), record) for j, record in enumerate(one.records)]
    listed += [(("values", i, "record"), value.record) for i, value in enumerate(expected.values)]
    for path, record in listed:
        document = configuration.documents["expectations.yaml"]
        source, stream, _ = record.split(":", 2)
        if source not in streams:
            yield document.problem(path, f"`{source}` is no configured source.", did_you_mean(source, streams))
        elif stream not in streams[source]:
            yield document.problem(path, f"{source} has no stream `{stream}`.", did_you_mean(stream, streams[source]))
    for i, value in enumerate(expected.values):
        if value.attribute not in configuration.attributes:
            hint = did_you_mean(value.attribute, configuration.attributes)
            document = configuration.documents["expectations.yaml"]
            yield document.problem(("values", i, "attribute"), f"`{value.attribute}` is no known attribute.", hint)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, (*path, key))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _texts(one, (*path, i))


def _guess(word: str, known: Iterable[str]) -> str | None:
    hint = did_you_mean(word, known)
    return hint if hint.startswith("Did") else None

"""The manifest: a system described by a small closed set of parts. Unknown names are mistakes.

The parts: `auth.py`, `limits.py`, `paging.py`, `changes.py`, `deletes.py`; short forms of protocols: `protocols/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator

from connectors.auth import AnyAuth, Auths, KeyAuth, NoAuth
from connectors.changes import Changes, DeltaChanges, FilterChanges
from connectors.deletes import ArchivedDeletes, Deletes, FlagDeletes, SweepDeletes, SweepKeys, TombstoneDeletes
from connectors.limits import Limits
from connectors.paging import NoPaging, Paging
from connectors.paths import FieldPath
from connectors.protocols import expand
from connectors.settings import Duration, Settings
from connectors.templates import names_in, unknown_filters
from connectors.write import LOOK_NAMES, ROW_NAMES, Write

Labels = str | dict[str, str]
"""One text, or one per language."""


def in_english(labels: Labels | None) -> str | None:
    """One text of a label that may have several."""
    return labels if isinstance(labels, str | None) else labels.get("en") or next(iter(labels.values()), None)


class ErrorRule(Settings):
    """An error that hides in an answer: something stands at `path`; if given, it must equal one of `equals` and hold a
    word of `contains`."""

    path: FieldPath | None = Field(default=None, description="With `status` alone: any such answer.")
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = Field(default=(), description="Words of which it must hold one.")
    status: tuple[int, ...] = Field(default=(), description="Only in answers with these statuses; any if not given.")
    then: Literal["retry", "fail", "credentials", "login", "expired", "empty", "absent"] = Field(
        default="fail",
        description="login: the session has ended; expired: the delta token has; empty: no records, no error;"
        " absent: this installation lacks what the stream reads.",
    )
    message: FieldPath | None = Field(default=None, description="Path of the source's own words.")
    wait: Duration | None = Field(default=None, description="Before a retry, where the source does not say.")

    @model_validator(mode="after")
    def _tells_something(self) -> ErrorRule:
        if self.path is None and not self.status:
            raise ValueError("give `path` or `status`")
        if self.path is None and (self.equals or self.contains):
            raise ValueError("`equals` and `contains` look at what stands at `path`: give it")
        return self


class Parent(Settings):
    """The stream whose records are asked for one by one (or in batches): {name} of `values` in this stream's request.

    With `batch`, each {name} is a list of that many values: use `{name|list}` or $each.
    """

    stream: str
    values: dict[str, FieldPath] = Field(description="{name}: path in the parent's record.", min_length=1)
    carry: dict[str, FieldPath] = Field(
        default_factory=dict, description="Member to add to each record: path in the parent's; not with `batch`."
    )
    batch: int | None = Field(default=None, ge=1, le=1000)
    changed_only: bool = Field(
        default=True,
        description="Ask only for parents that changed since; false where a child's change is no parent's.",
    )
    where: dict[str, str] = Field(default_factory=dict, description="Only parents with these values: path: text.")

    @model_validator(mode="after")
    def _fits(self) -> Parent:
        if self.batch and self.carry:
            raise ValueError("`carry` has no meaning with `batch`: the answer must say whose each record is")
        return self


class Described(Settings):
    """A question whose answer tells the fields of a stream by the names that its users see; asked by `discover`."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    fields: FieldPath = Field(description="Path of the fields: a list, or an object by name.")
    name: FieldPath | None = Field(default=None, description="Path of a field's name; its member's name if not given.")
    label: FieldPath = Field(description="Path of what users call it.")
    prefix: str = Field(default="", description="Only fields whose names begin so.")


class Count(Settings):
    """A question whose answer is how many records a stream has."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    at: FieldPath | None = Field(default=None, description="Path of the number; the answer itself if not given.")


class Beside(Settings):
    """A further request for the records of each page: what it brings is laid into them, such as a deal's contacts."""

    path: str
    method: Literal["GET", "POST"] = "POST"
    params: dict[str, Any] = Field(default_factory=dict)
    body: Any = Field(default=None, description="{keys}: what stands at `of` in the page's records.")
    of: FieldPath = "id"
    records: FieldPath
    key: FieldPath = Field(description="Whose each found one is: path of a value of `of`.")
    pick: FieldPath = Field(description="Path of what is laid into the record.")
    into: str = Field(description="The record's new member; `a.b` nests it.")


class Stream(Settings):
    """One kind of record and how it is asked for."""

    path: str = Field(description="Below `base_url`.")
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    encoding: Literal["json", "form"] = Field(default="json", description="How `body` is written.")
    records: FieldPath | tuple[FieldPath, ...] | None = Field(
        default=None,
        description="Path of the records in the answer, or several to try; the answer itself if not given.",
    )
    shape: Literal["list", "object", "map"] = Field(
        default="list", description="object: one record; map: records (or lists of them) by name."
    )
    missing_is_empty: bool = Field(default=False, description="An answer without `records` is an empty page.")
    empty_on: tuple[int, ...] = Field(default=(), description="Statuses that mean: no records.")
    key: FieldPath | tuple[FieldPath, ...] | None = Field(
        default=None, validation_alias=AliasChoices("key", "primary_key")
    )
    updated_at: FieldPath | None = None
    timezone: str | None = Field(default=None, description="Of the source's naive times; else the configured one.")
    volatile: tuple[FieldPath, ...] = ()
    paging: Paging = Field(default_factory=NoPaging)
    changes: Changes | None = None
    deletes: Deletes = ()
    parent: Parent | None = None
    beside: tuple[Beside, ...] = ()
    count: Count | None = Field(
        default=None, description="How many records there are, for `check` and `discover`; else the paging's `total`."
    )
    write: Write | None = Field(default=None, description="How its records are written back; not at all if not given.")
    weight: float = Field(default=1, gt=0, description="What one request costs of the budgets.")
    fetch: str | None = Field(default=None, description="Hook that fetches a page instead of one request: bulk jobs.")
    title: Labels | None = None
    is_optional: bool = Field(
        default=False, alias="optional", description="Not every installation has it; the rule `absent` tells."
    )
    labels: dict[str, Labels] = Field(default_factory=dict, description="Path of a field: what users call it.")
    described: Described | None = Field(default=None, description="Where the source tells its fields, custom ones too.")
    mapping: dict[str, Any] = Field(
        default_factory=dict, description="The ready mapping: what a stream has in config/sources/NAME.yaml."
    )

    @model_validator(mode="after")
    def _fits(self) -> Stream:
        if isinstance(self.changes, FilterChanges) and self.changes.is_windowed and self.changes.start is None:
            raise ValueError("`changes` with `window` or `cap` needs `start`: the full read is cut too")
        if self.parent is not None and isinstance(self.changes, DeltaChanges):
            raise ValueError("a stream with `parent` has no delta of its own")
        feeds = [rule for rule in self.deletes if isinstance(rule, ArchivedDeletes | TombstoneDeletes)]
        if self.parent is not None and feeds:
            raise ValueError("a stream with `parent` has no feed of deletions of its own")
        if self.sweep is not None and self.sweep.keys is not None and (self.parent is not None or not self.changes):
            raise ValueError("a sweep by `keys` needs `changes`, and no `parent`: else everything is read anyway")
        return self

    @property
    def flags(self) -> tuple[FlagDeletes, ...]:
        """The rules for flagged records, those of a delta among them."""
        return tuple(rule for rule in self.deletes if isinstance(rule, FlagDeletes))

    @property
    def sweep(self) -> SweepDeletes | None:
        """The rule for sweeps."""
        return next((rule for rule in self.deletes if isinstance(rule, SweepDeletes)), None)

    @property
    def delta(self) -> DeltaChanges | None:
        """The changes, if they come by token."""
        return self.changes if isinstance(self.changes, DeltaChanges) else None

    @property
    def filter(self) -> FilterChanges | None:
        """The changes, if they are asked for by time."""
        return self.changes if isinstance(self.changes, FilterChanges) else None

    def feeds(self) -> list[tuple[Stream, FlagDeletes | None]]:
        """The further questions of a pass, whose records (those with the flag) are deletions."""
        return [
            (self._feed(rule), rule.where) for rule in self.deletes if not isinstance(rule, FlagDeletes | SweepDeletes)
        ]

    def keys_alone(self) -> Stream | None:
        """The question of a sweep that asks for keys alone."""
        rule = self.sweep.keys if self.sweep is not None else None
        if rule is None:
            return None
        given = {name: value for name in SweepKeys.model_fields if (value := getattr(rule, name)) is not None}
        return self.model_copy(update={**given, "changes": None, "deletes": (), "beside": (), "fetch": None})

    def _feed(self, rule: ArchivedDeletes | TombstoneDeletes) -> Stream:
        if isinstance(rule, ArchivedDeletes):
            update: dict[str, Any] = {
                "params": {**self.params, **rule.params},
                "headers": {**self.headers, **rule.headers},
            }
            update |= {"path": rule.path} if rule.path is not None else {}
            update |= {"body": rule.body} if rule.body is not None else {}
            update |= {"changes": rule.changes} if rule.changes is not None else {}
            return self.model_copy(update={**update, "deletes": (), "beside": ()})
        own = {name: getattr(rule, name) for name in ("path", "method", "params", "headers", "body", "records", "key")}
        return self.model_copy(
            update={
                **own, "paging": rule.paging or NoPaging(), "changes": rule.changes or self.changes,
                "deletes": (), "shape": "list", "fetch": None, "beside": (),
            }
        )  # fmt: skip


class Parameter(Settings):
    """A value that the user of the manifest gives, used as {name}."""

    title: Labels | None = None
    description: Labels | None = None
    default: str | None = None
    is_optional: bool = Field(default=False, alias="optional", description="What needs it is left out without it.")
    is_secret: bool = Field(default=False, alias="secret")


class Probe(Settings):
    """A request that answers when all is well."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    body: Any = None


class Hooks(Settings):
    """Code by name, from the entry-point group `onefold.hooks`: only where no part of the manifest can say it."""

    sign: str | None = Field(default=None, description="hook(request, values): signs a request to the source.")
    decode: str | None = Field(default=None, description="hook(body, headers) -> what JSON would hold.")


TIMES = frozenset({"since", "until", "offset", "page", "cursor", "after", "limit", "delta", "owned"})
"""Names that are filled in while reading."""


class Manifest(Settings):
    """A system: where it is, how it is asked, what it offers."""

    extends: str | None = Field(
        default=None,
        description="The manifest NAME.yaml beside this one; what is said here stands over it, streams by member.",
    )
    title: Labels | None = None
    description: Labels | None = None
    protocol: str | dict[str, Any] | None = Field(
        default=None, description="Short forms: odata, jsonrpc, frappe; written out before anything else is read."
    )
    base_url: str
    timezone: str | None = Field(default=None, description="Of the source's naive times, where it is always the same.")
    auth: Auths = Field(default_factory=lambda: (NoAuth(),))
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    limits: Limits = Limits()
    errors: tuple[ErrorRule, ...] = ()
    hooks: Hooks = Hooks()
    check: Probe | None = Field(default=None, description="A path or a request; the first stream if not given.")
    streams: dict[str, Stream] = Field(default_factory=dict)
    department: str | None = Field(default=None, description="Who usually works with the system.")
    defaults: dict[str, str] = Field(default_factory=dict, description="country, timezone, currency, language.")

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        if values.get("extends") is not None:
            raise ValueError("`extends` stands in a manifest's own file: it names another file beside it")
        values = expand(values)
        if isinstance(values.get("check"), str):
            values = {**values, "check": {"path": values["check"]}}
        return values

    @model_validator(mode="after")
    def _known_names(self) -> Manifest:
        known = {*self.parameters, *TIMES}
        for way in self.auth:
            known |= way.gives() | ({way.name} if isinstance(way, KeyAuth) and way.place == "path" else set())
        for place, text, more in self._templates():
            for name in names_in(text):
                if name not in known and name not in more:
                    raise ValueError(f"{place} uses {{{name}}}, which is not among `parameters`")
            for name in unknown_filters(text):
                raise ValueError(f"{place} uses the unknown filter |{name}")
        for name, stream in self.streams.items():
            if stream.parent is not None:
                above = self.streams.get(stream.parent.stream)
                if above is None or above.parent is not None:
                    raise ValueError(f"streams.{name}.parent names no stream without a parent: {stream.parent.stream}")
        return self

    def _templates(self) -> Iterator[tuple[str, Any, set[str]]]:
        yield "base_url", self.base_url, set()
        yield "headers", self.headers, set()
        yield "params", self.params, set()
        if self.check is not None:
            yield "check", self.check.model_dump(), set()
        for name, stream in self.streams.items():
            above = set(stream.parent.values) if stream.parent else set()
            for part in ("path", "params", "headers", "body"):
                yield f"streams.{name}.{part}", getattr(stream, part), above
            for further in stream.beside:
                yield f"streams.{name}.beside", [further.path, further.params, further.body], {"keys"}
            if stream.count is not None:
                yield f"streams.{name}.count", stream.count.model_dump(), set()
            if stream.described is not None:
                yield f"streams.{name}.described", stream.described.model_dump(), set()
            if (write := stream.write) is not None:
                texts = [write.path, write.params, write.headers, write.body, write.value, write.answer.named]
                texts += [write.table.row] if write.table is not None else []
                yield f"streams.{name}.write", texts, {*ROW_NAMES, "item"}
                if write.look is not None:
                    yield f"streams.{name}.write.look", write.look.model_dump(), {*LOOK_NAMES, "item"}
            for rule in stream.deletes:
                if isinstance(rule, SweepDeletes) and rule.keys is not None:
                    yield f"streams.{name}.deletes", [rule.keys.path, rule.keys.params, rule.keys.body], set()
                if isinstance(rule, ArchivedDeletes | TombstoneDeletes):
                    yield f"streams.{name}.deletes", [rule.path, rule.params, rule.headers, rule.body], set()

    def auth_for(self, values: Mapping[str, str]) -> AnyAuth | None:
        """The first way whose names all have values; an empty default is none."""
        empty = {name for name, parameter in self.parameters.items() if parameter.default == "" == values.get(name)}
        known = {name for name, value in values.items() if value is not None} - empty
        return next((way for way in self.auth if way.needs() <= known), None)


class RestSettings(Settings):
    """A source described by a manifest, inline or in a file of its own."""

    base_dir: Path | None = None
    manifest: Manifest | None = None
    manifest_file: Path | None = None
    base_url: str | None = Field(default=None, description="Instead of the manifest's.")
    parameters: dict[str, SecretStr] = Field(default_factory=dict, description="Values for the manifest's {names}.")
    streams: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Options of configured streams, so that `check` and `discover` know them."
    )

    @model_validator(mode="after")
    def _one_manifest(self) -> RestSettings:
        if (self.manifest is None) == (self.manifest_file is None):
            raise ValueError("give either `manifest` or `manifest_file`")
        return self

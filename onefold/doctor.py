"""doctor: looks the configuration over without running anything, and names the next command to type."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from onefold.configuration.authority import authority
from onefold.configuration.base import When, duration_text
from onefold.configuration.load import FILES, read_configuration
from onefold.configuration.model import Configuration
from onefold.configuration.schedule import longest_pause
from onefold.configuration.sources import CHANNELS, DIRECTIONS, SourceConfiguration, StreamConfiguration
from onefold.nearest import nearest

Severity = Literal["error", "warning", "hint"]

_SECRET_KEY: Final = re.compile(
    r"(?:^|_|-)(token|password|passwd|secret|api_?key|access_?key|client_?secret|private_?key)$", re.I
)
_URL_PASSWORD: Final = re.compile(r"://[^/\s:@]+:(?!\$\{)[^/\s@]+@")
_WEBHOOK: Final = re.compile(r"https?://[^/\s]+/rest/\d+/[A-Za-z0-9]{8,}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. Errors keep the hub from running, warnings will hurt, hints may. Line 0: `file` is no file
    but a table, an index, a setting of the hub's database."""

    severity: Severity
    file: str
    line: int
    message: str
    next_command: str | None = None
    column: int = 1

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{self.severity}: {place}: {self.message}"
        return f"{text} Next: {self.next_command}" if self.next_command else text

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)


def diagnose(folder: Path, today: date | None = None) -> list[Finding]:
    """Every problem of the folder as an error, and what else deserves a look; worst first, then by place."""
    configuration, problems = read_configuration(folder)
    findings = [
        Finding(
            "error",
            p.file,
            p.line,
            f"{p.message} {p.hint}" if p.hint else p.message,
            _next(p.message),
            p.column,
        )
        for p in problems
    ]
    findings.extend(_folder(folder))
    if configuration is not None:
        findings.extend(_hub(configuration, today or configuration.hub.defaults.day(datetime.now(UTC))))
        for source in configuration.sources.values():
            findings.extend(_source(configuration, source))
    findings = [one if one.next_command else replace(one, next_command=_edit(folder, one)) for one in findings]
    rank = {"error": 0, "warning": 1, "hint": 2}
    return sorted(set(findings), key=lambda f: (rank[f.severity], f.file, f.line, f.column, f.message))


def _next(message: str) -> str | None:
    if "no such folder" in message:
        return "onefold init ."
    if "There is no source" in message:
        return "onefold source add NAME --connector files --path FILE"
    return None


def _edit(folder: Path, finding: Finding) -> str:
    """The place in an editor, and another look."""
    file = os.path.relpath(folder.resolve().parent / finding.file)
    return f"${{EDITOR:-vi}} +{finding.line} {shlex.quote(file)} && onefold doctor"


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        name = f"{folder.name}/{path.name}"
        if path.is_file() and path.name not in FILES and not path.name.startswith("."):
            if path.suffix in (".yaml", ".yml", ".json"):
                guess = nearest(path.name, FILES)
                said = f"Did you mean {guess}?" if guess else f"Files here are {', '.join(FILES)}."
                command = _move(path, path.with_name(guess) if guess else folder.parent)
                yield Finding("warning", name, 1, f"Nothing reads this file. {said}", command)
            elif path.suffix == ".py":
                message = "config/ holds YAML only; code belongs into a package."
                yield Finding("warning", name, 1, message, _move(path, folder.parent))
        elif path.is_dir() and path.name != "sources" and nearest(path.name, ["sources"]):
            command = _move(path, path.with_name("sources"))
            yield Finding("warning", name, 1, "Nothing reads this folder. Did you mean sources?", command)


def _move(path: Path, to: Path) -> str:
    """-n: what is there already stays."""
    return f"mv -n {shlex.quote(os.path.relpath(path))} {shlex.quote(os.path.relpath(to))} && onefold doctor"


def _hub(configuration: Configuration, today: date) -> Iterator[Finding]:
    if not configuration.hub.own_organisations:
        file, line, column = _file_place(configuration, "hub.yaml", "own_organisations")
        message = "No own_organisations: your own firms and staff would be counted as clients."
        yield Finding("hint", file, line, message, None, column)
    if configuration.hub.notifications.webhook and "${" not in configuration.hub.notifications.webhook:
        file, line, column = _file_place(configuration, "hub.yaml", "notifications", "webhook")
        yield Finding("warning", file, line, "A webhook's address is a secret; name it as ${NAME}.", None, column)
    yield from _authority(configuration, today)
    by_trust: dict[int, list[str]] = {}
    for source in configuration.sources.values():
        if source.enabled and source.mapped("party"):
            by_trust.setdefault(source.trust, []).append(source.source)
    for trust, names in by_trust.items():
        for name in names[1:]:
            message = f"`{names[0]}` and `{name}` have the same trust ({trust}); the newer value will win."
            yield _at(configuration, "hint", name, ("trust",), message)


def _authority(configuration: Configuration, today: date) -> Iterator[Finding]:
    for i, entry in enumerate(configuration.authority):
        what = entry.attribute or entry.document
        if entry.is_overdue(today):
            file, line, column = _file_place(configuration, "authority.yaml", "authority", i, "review_on")
            whom = f" Ask {entry.agreed_by}." if entry.agreed_by else ""
            message = f"The authority over `{what}` was to be reviewed on {entry.review_on}.{whom}"
            yield Finding("hint", file, line, message, "onefold report authority", column)
        if entry.agreed_by is None:
            file, line, column = _file_place(configuration, "authority.yaml", "authority", i)
            message = f"Nobody is named who agreed to the authority over `{what}`."
            yield Finding("hint", file, line, message, None, column)
    undecided = authority(configuration, today).undecided
    if configuration.authority and undecided:
        file, line, column = _file_place(configuration, "authority.yaml", "authority")
        named = ", ".join(one.subject for one in undecided)
        message = f"Several registers state these, and nobody decides: {named}."
        yield Finding("hint", file, line, message, "onefold report authority", column)


def _source(configuration: Configuration, source: SourceConfiguration) -> Iterator[Finding]:
    name = source.source
    for path, message in _secrets(source.settings, ("settings",)):
        yield _at(configuration, "error", name, path, message)
    if not source.streams and source.connector in ("files", "sql", "rest"):
        yield _at(
            configuration,
            "warning",
            name,
            ("source",),
            "It has no streams, so nothing is read.",
            f"onefold discover {name}",
        )
    if not source.enabled:
        yield _at(configuration, "hint", name, ("enabled",), "This source is left out of runs.")
    elif source.schedule is None and configuration.hub.schedule is None:
        yield _at(
            configuration,
            "hint",
            name,
            ("source",),
            "It has no schedule: every `onefold run --due` reads it.",
        )
    if source.owner is None:
        yield _at(configuration, "hint", name, ("source",), "It has no owner to ask about its data.")
    if source.schedule and source.freshness:
        pause = longest_pause(source.schedule)
        for key in ("warn_after", "fail_after"):
            limit = getattr(source.freshness, key)
            if limit is not None and limit < pause:
                message = (
                    f"`{key}` is {duration_text(limit)}, but up to {duration_text(pause)} pass between "
                    "two runs: it would always speak."
                )
                yield _at(configuration, "warning", name, ("freshness", key), message)
    if source.mapped("interaction") and configuration.defaults(name).timezone is None:
        message = "No timezone: the times of its interactions are taken as UTC."
        yield _at(configuration, "warning", name, ("source",), message)
    children = source.children()
    for stream_name, stream in source.streams.items():
        found = _stream(configuration, source, stream_name, stream, stream_name in children)
        for severity, path, message, is_about_fields in found:
            look = f"onefold discover {name} {shlex.quote(stream_name)}" if is_about_fields else None
            yield _at(configuration, severity, name, ("streams", stream_name, *path), message, look)


Found = tuple[Severity, tuple[str | int, ...], str, bool]
"""How bad, where in the stream, what, and whether a look at the source's own fields comes before the editor."""


def _stream(
    configuration: Configuration,
    source: SourceConfiguration,
    name: str,
    stream: StreamConfiguration,
    is_child: bool,
) -> Iterator[Found]:
    if stream.key is None and source.connector in ("files", "sql"):
        yield (
            "warning",
            (),
            f"`{name}` has no key; write `key: PATH`, or `key: content` for rows without one.",
            True,
        )
    if stream.kind is None and not is_child:
        yield "hint", (), f"`{name}` is landed and nothing more: it has no `as` and feeds no other stream.", True
    if stream.kind == "party":
        fields = stream.fields or {}
        if fields and not any(
            configuration.attributes[one].is_identifying for one in fields if one in configuration.attributes
        ):
            yield (
                "warning",
                ("fields",),
                f"`{name}` maps no attribute that tells clients apart (a name, e-mail, phone, tax number).",
                True,
            )
        for attribute in fields:
            known = configuration.attributes.get(attribute)
            if known is not None and isinstance(stream.as_, str) and known.kind not in ("both", stream.as_):
                yield (
                    "warning",
                    ("fields", attribute),
                    f"`{attribute}` is an attribute of a {known.kind}, not of a {stream.as_}.",
                    True,
                )
        if (
            configuration.defaults(source.source, name).country is None
            and "country" not in fields
            and {"phone", "address"} & set(fields)
        ):
            yield (
                "warning",
                ("fields",),
                f"No country: phones of `{name}` without +code cannot be read. Set defaults.country.",
                False,
            )
    if stream.kind == "interaction":
        if stream.party is None:
            yield "warning", (), f"`{name}` names no `party`, so its interactions belong to no client.", True
        if stream.occurred_at is None:
            yield "warning", (), f"`{name}` has no `occurred_at`, so its interactions stand on no timeline.", True
        if (
            stream.amount
            and stream.amount.currency is None
            and configuration.defaults(source.source, name).currency is None
        ):
            yield (
                "warning",
                ("amount",),
                f"Amounts of `{name}` have no currency. Set amount.currency or defaults.currency.",
                False,
            )
        for key, words in (("channel", CHANNELS), ("direction", DIRECTIONS)):
            value = getattr(stream, key)
            if isinstance(value, str) and value not in words and (guess := nearest(value, words)) and value != key:
                yield "hint", (key,), f"`{value}` is taken as a path. Did you mean the word `{guess}`?", False
        if isinstance(stream.type, When) and stream.type.otherwise is None:
            yield "hint", ("type",), "Records with another value become rejects; add `else` to take them in.", False


def _secrets(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            here = (*path, str(key))
            if isinstance(one, str) and one and "${" not in one and _SECRET_KEY.search(str(key)):
                yield (
                    here,
                    f"`{key}` is written here literally. Name it as ${{{_variable(str(key))}}} "
                    "and set that in the environment.",
                )
            else:
                yield from _secrets(one, here)
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _secrets(one, (*path, i))
    elif isinstance(value, str):
        if _URL_PASSWORD.search(value):
            yield path, "This address holds a password. Name it as ${NAME} and set that in the environment."
        elif _WEBHOOK.search(value):
            yield path, "This address holds a webhook's code, which is a secret. Name it as ${NAME}."


def _variable(key: str) -> str:
    return re.sub(r"\W", "_", key).upper()


def _at(
    configuration: Configuration,
    severity: Severity,
    source: str,
    path: tuple[str | int, ...],
    message: str,
    next_command: str | None = None,
) -> Finding:
    file, (line, column) = configuration.place(source, *path)
    return Finding(severity, file, line, message, next_command, column)


def _file_place(configuration: Configuration, name: str, *path: str | int) -> tuple[str, int, int]:
    if name not in configuration.documents:
        return f"{configuration.folder.name}/{name}", 1, 1
    file, (line, column) = configuration.place(name, *path)
    return file, line, column

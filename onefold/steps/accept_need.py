"""accept: a suggestion of `onefold needs discover` becomes a need of needs.yaml, in a person's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onefold.configuration.errors import ConfigurationError
from onefold.configuration.needs import NeedsFile
from onefold.configuration.tree import parse
from onefold.configuration.validate import validate
from onefold.errors import UsageError
from onefold.nearest import did_you_mean
from onefold.steps.discover_needs import JOB
from onefold.steps.report import Report

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

    from onefold.settings import Settings

FILE: Final = "needs.suggested.yaml"
_NEW: Final = "# What clients need: the job they want done, and by which of their dealings it is seen.\n"


@dataclass(frozen=True)
class Words:
    """What a person says of a suggestion. Texts by language."""

    code: str
    job: Mapping[str, str]
    labels: Mapping[str, str]
    dimension: str


@dataclass(frozen=True, slots=True)
class AcceptReport(Report):
    """The need, with so many signals, and the file that holds it now."""

    need: str
    signals: tuple[str, ...]
    file: str


def suggestion(path: Path, name: str, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """The signals of a suggestion as they stand in its file, but for those `without`. UsageError for a file, a
    suggestion or a signal that is not there."""
    if not path.is_file():
        raise UsageError(f"There is no {path}.", f"`onefold needs discover --out {path}` writes one.")
    needs = _needs(path.read_bytes(), str(path))
    if name not in needs:
        raise UsageError(f"{path} has no `{name}`.", did_you_mean(name, needs))
    signals = dict(needs[name].get("signals", {}))
    for one in without:
        if one not in signals:
            raise UsageError(f"`{name}` has no signal `{one}`.", did_you_mean(one, signals))
        del signals[one]
    if not signals:
        raise UsageError(f"Nothing is left of `{name}` by which it could be seen.")
    return signals


def accept(settings: Settings, signals: Mapping[str, Any], words: Words) -> AcceptReport:
    """Write the need into needs.yaml behind those that are there; nothing else of the file changes, and no need is
    written over. UsageError for a name that is taken and for a job that nobody has said; ConfigurationError where the
    file would not be one."""
    path = settings.config / "needs.yaml"
    before = path.read_bytes() if path.is_file() else None
    if words.code in (_needs(before, "needs.yaml") if before else {}):
        raise UsageError(f"needs.yaml has a need `{words.code}`.", "Say another name with --as, or edit the file.")
    if not words.job or JOB in words.job.values():
        raise UsageError("What is the job, in the client's words?", 'Say --job "Get it running before the line stops."')
    need = {
        "job": dict(words.job),
        "labels": dict(words.labels),
        "dimension": words.dimension,
        "signals": dict(signals),
    }
    text = _with(before.decode("utf-8-sig") if before is not None else _NEW, words.code, need)
    _needs(text.encode(), "needs.yaml")
    if (path.read_bytes() if path.is_file() else None) != before:
        raise UsageError(f"{path} was changed meanwhile.", "Nothing was written: accept it again.")
    _replace(path, text)
    return AcceptReport(words.code, tuple(signals), str(path))


def _needs(raw: bytes, file: str) -> dict[str, Any]:
    """The needs of a file as they are written. ConfigurationError where it is no needs.yaml."""
    documents, problems = parse(raw, file)
    if problems and not documents and not raw.replace(b"---", b"").strip():
        return {}
    if problems:
        raise ConfigurationError(problems)
    model, found = validate(documents[0], NeedsFile)
    if model is None:
        raise ConfigurationError(found)
    return dict(documents[0].data.get("needs") or {})


def _with(text: str, code: str, need: Mapping[str, Any]) -> str:
    """The text with the need behind the last one."""
    from ruamel.yaml import YAML

    root = YAML(typ="rt", pure=True).compose(text)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    entry = next((pair for pair in (root.value if root is not None else []) if pair[0].value == "needs"), None)
    if entry is None:
        return "".join([*lines, "needs:\n", *_block(code, need, 2)])
    key, value = entry
    known: Sequence[tuple[Node, Node]] = value.value if isinstance(value.value, list) else []
    if known and value.flow_style:
        raise UsageError(
            f"needs.yaml:{key.start_mark.line + 1}: `needs` stands in braces.", "Write it as indented lines."
        )
    if not known:
        before, behind = text[: value.start_mark.index].rstrip(), text[value.end_mark.index :]
        comment, _, rest = behind.partition("\n")
        return "".join([before, comment.rstrip(), "\n", *_block(code, need, 2), rest])
    end = _end(value)
    return "".join([*lines[:end], *_block(code, need, known[0][0].start_mark.column), *lines[end:]])


def _end(node: Node) -> int:
    """The number of lines up to the end of what is written in it, without comments behind."""
    from ruamel.yaml.nodes import CollectionNode

    if isinstance(node, CollectionNode) and node.value and not node.flow_style:
        return max(_end(one) for pair in node.value for one in (pair if isinstance(pair, tuple) else (pair,)))
    mark = node.end_mark
    return int(mark.line if mark.column == 0 else mark.line + 1)


def _block(code: str, need: Mapping[str, Any], indent: int) -> list[str]:
    from ruamel.yaml import YAML

    yaml, out = YAML(), StringIO()
    yaml.width, yaml.allow_unicode = 120, True
    yaml.dump({code: need}, out)
    return [" " * indent + line for line in out.getvalue().splitlines(keepends=True)]


def _replace(path: Path, text: str) -> None:
    """All of it or nothing. A link stays one."""
    path = path.resolve()
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    if path.is_file():
        new.chmod(path.stat().st_mode & 0o777)
    new.replace(path)

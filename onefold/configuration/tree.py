"""YAML text as plain data that remembers where every key and value stands.

Nodes are composed by ruamel.yaml and built here, because a constructor would lose places, stop at the first
duplicate key, and expand aliases without bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from onefold.configuration.errors import Problem

MAX_NODES: Final = 200_000
"""Far above any honest file; nested aliases reach it in a few lines."""
MAX_BYTES: Final = 5_000_000

Path = tuple[str | int, ...]
Place = tuple[int, int]


@dataclass(frozen=True)
class Document:
    """One YAML document: its data and, for every path in it, the place of the key and of the value."""

    file: str
    data: Any
    keys: Mapping[Path, Place] = field(repr=False)
    values: Mapping[Path, Place] = field(repr=False)

    def key_place(self, path: Sequence[str | int]) -> Place:
        """Line and column (from 1) of the key at `path`, or of its nearest ancestor that has a place."""
        return self._place(self.keys, path)

    def value_place(self, path: Sequence[str | int]) -> Place:
        """Line and column (from 1) of the value at `path`, or of its nearest ancestor that has a place."""
        return self._place(self.values, path)

    @staticmethod
    def _place(places: Mapping[Path, Place], path: Sequence[str | int]) -> Place:
        at = tuple(path)
        while at and at not in places:
            at = at[:-1]
        return places.get(at, (1, 1))

    def problem(
        self, path: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False
    ) -> Problem:
        """A problem at a path of this document: at the key when `key`, else at the value."""
        line, column = self.key_place(path) if key else self.value_place(path)
        return Problem(self.file, line, column, message, hint)


def parse(raw: bytes, file: str) -> tuple[list[Document], list[Problem]]:
    """The documents of one file and every problem that keeps one from being read.

    Empty documents are left out; a file without any document is reported as empty.
    """
    if len(raw) > MAX_BYTES:
        return [], [Problem(file, 1, 1, f"The file has {len(raw)} bytes; at most {MAX_BYTES} are read.")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        return [], [Problem(file, line, column, "The file is not UTF-8.", "Save it as UTF-8.")]
    if (nul := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", text)) is not None:
        return [], [_at_offset(file, text, nul.start(), "A control character stands here; YAML does not allow it.")]
    documents: list[Document] = []
    problems: list[Problem] = []
    yaml = YAML(typ="safe", pure=True)
    try:
        for node in yaml.compose_all(text):
            builder = _Builder(file)
            data = builder.build(node, ())
            problems.extend(builder.problems)
            if data is not None:
                documents.append(Document(file, data, builder.keys, builder.values))
    except MarkedYAMLError as error:
        problems.append(_syntax(file, error, text))
    except (YAMLError, RecursionError) as error:
        problems.append(Problem(file, 1, 1, f"The file is not YAML: {type(error).__name__}."))
    if not documents and not problems:
        problems.append(Problem(file, 1, 1, "The file is empty.", "Write its settings, or delete the file."))
    return documents, problems


def _at_offset(file: str, text: str, offset: int, message: str) -> Problem:
    line = text.count("\n", 0, offset) + 1
    return Problem(file, line, offset - (text.rfind("\n", 0, offset) + 1) + 1, message)


def _syntax(file: str, error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = (error.problem or error.context or "not YAML").strip()
    lines = text.splitlines()
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    return Problem(file, line, column, f"Not YAML: {what}.", _syntax_hint(what, written))


def _syntax_hint(what: str, written: str) -> str | None:
    if "'\\t'" in what:
        return "Indent with spaces; YAML does not allow tabs."
    if "mapping values are not allowed" in what:
        if written.count(": ") > 1:
            return "Quote the value if it holds `: `."
        return "Look at the indentation: keys of one level begin in the same column."
    if "undefined alias" in what:
        return "An alias (*name) needs its anchor (&name) above it; quote the value if a star was meant."
    if "cannot start any token" in what:
        return "Quote the value."
    if "expected <block end>" in what or "did not find expected key" in what:
        return "Look at the indentation: keys of one level begin in the same column."
    if "expected ',' or" in what and "${" in written:
        return 'Inside braces quote a secret\'s name: "${NAME}".'
    if "unexpected end of stream" in what or "expected ',' or" in what:
        return "A quote or a bracket is not closed."
    return None


class _Builder:
    """Plain data from nodes, with places; every problem is collected, none stops the rest."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self._seen = 0
        self._open: set[int] = set()

    def build(self, node: Node | None, path: Path) -> Any:
        if node is None:
            return None
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        self.values[path] = place
        self._seen += 1
        if self._seen >= MAX_NODES:
            if self._seen == MAX_NODES:
                self._report(place, f"The aliases (*name) of this file expand to more than {MAX_NODES} values.")
            return None
        if id(node) in self._open:
            self._report(place, "This alias (*name) stands inside its own anchor.")
            return None
        self._open.add(id(node))
        try:
            return self._content(node, path, place)
        finally:
            self._open.discard(id(node))

    def _content(self, node: Node, path: Path, place: Place) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self._report(place, "A key must be plain text.", "Quote values that begin with { or [.")
                continue
            if key_node.tag == "tag:yaml.org,2002:merge":
                inherited = self.build(value_node, path)
                if isinstance(inherited, dict):
                    merged.update(inherited)
                else:
                    self._report(place, "`<<` merges a mapping (an alias of one) and nothing else.")
                continue
            key = _key_text(key_node)
            if key in result:
                first = self.keys[(*path, key)]
                self._report(place, f"The key `{key}` stands here twice; the first is in line {first[0]}.")
                continue
            self.keys[(*path, key)] = place
            result[key] = self.build(value_node, (*path, key))
            if isinstance(value_node, ScalarNode) and value_node.value == "" and value_node.style is None:
                self.values[(*path, key)] = place  # nothing is written, and YAML would say it stands in the next line
        return {**merged, **result}

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        tag, text = str(node.tag).rpartition(":")[2], str(node.value)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("true", "yes", "on")
        if tag == "int":
            return _integer(text)
        if tag == "float":
            return _float(text)
        if tag in ("str", "timestamp"):
            return text
        self._report(place, f"The tag `{node.tag}` is not allowed; only plain text, numbers, lists and mappings are.")
        return None

    def _report(self, place: Place, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.file, *place, message, hint))


def _key_text(node: ScalarNode) -> str:
    """Keys are text: an unquoted true is the word `true`."""
    text = str(node.value)
    if str(node.tag).endswith(":bool"):
        return text.lower()
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    try:
        # A leading zero is a code (an INN, a postcode), never a number: what was written is kept.
        if len(digits.lstrip("+-")) > 1 and digits.lstrip("+-").startswith("0") and digits.isdigit():
            return text
        return int(digits, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(digits)
    except ValueError:
        return text


def _float(text: str) -> float | str:
    try:
        return float(text.replace("_", ""))
    except ValueError:  # .inf and .nan have no use in a configuration
        return text

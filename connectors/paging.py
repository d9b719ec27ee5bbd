"""How a source hands out its pages. A paging knows the first position, what a position adds to the request,
and the next one.

Positions are small JSON objects that become part of the checkpoint, so a killed run resumes at a page.
"""

# ruff: noqa: ARG002 - every paging takes the same arguments

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from connectors.canonical import NotStorable, canonical, digest
from connectors.errors import SourceDataError
from connectors.paths import as_text, compile_path
from connectors.settings import Settings

if TYPE_CHECKING:
    import httpx

Position = dict[str, Any]
EndRule = Literal["empty", "short", "404", "204"]


class Answer(Protocol):
    """What a paging looks at in an answer."""

    @property
    def data(self) -> Any:
        """The decoded body."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""

    @property
    def url(self) -> httpx.URL:
        """The address that answered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a position adds to a request."""

    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by name, for the query or the body as the paging says."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """For `{offset}`, `{page}`, `{cursor}`, `{after}`, `{limit}` in templates."""
    url: str | None = None
    """The whole address, given by the source."""


class NoPaging(Settings):
    """Everything comes in one answer."""

    kind: Literal["none"] = "none"

    @property
    def into(self) -> Literal["query", "body"]:
        """Where the parameters go."""
        return "query"

    @property
    def ends(self) -> frozenset[str]:
        """Statuses that mean the end."""
        return frozenset({"204"})

    def start(self) -> Position:
        """The first position."""
        return {}

    def turn(self, position: Position) -> Turn:
        """What the request at `position` needs."""
        return Turn()

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """The next position; None at the end."""
        return None

    def total_of(self, answer: Answer) -> int | None:
        """The size of the whole, if the source says it."""
        return None


class NextUrlPaging(NoPaging):
    """The answer gives the next page's address: at `path` (absolute or relative), or in the header `Link:
    <...>; rel=next`."""

    kind: Literal["next_url"] = "next_url"  # type: ignore[assignment]
    path: str | None = None
    header: str | None = Field(default=None, description="Such as Link; used when `path` is not given.")
    keep_host: bool = Field(
        default=False, description="Take only path and query of an address that names another host."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="For the first page only, such as a page size.")

    @model_validator(mode="after")
    def _somewhere(self) -> NextUrlPaging:
        if self.path and self.header:
            raise ValueError("give `path` or `header`, not both")
        return self

    def turn(self, position: Position) -> Turn:
        """The source's own address, or the first page's parameters."""
        return Turn(url=position["url"]) if "url" in position else Turn(params=self.params)

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """Where the answer points."""
        from httpx import InvalidURL  # not before: files are read without it

        found = compile_path(self.path).get(answer.data) if self.path else _link(answer.headers, self.header or "link")
        if not found:
            return None
        if not isinstance(found, str):
            raise SourceDataError(f"the next page's address at `{self.path}` is not a text")
        try:
            url = answer.url.join(found)
        except (InvalidURL, ValueError):
            raise SourceDataError("the next page's address is not a URL") from None
        return {"url": str(url)}


def _link(headers: Mapping[str, str], name: str) -> str | None:
    text = headers.get(name) or ""
    if name.lower() != "link":
        return text or None
    for part in text.split(","):
        address, _, attributes = part.partition(";")
        if 'rel="next"' in attributes.lower() or "rel=next" in attributes.lower():
            return address.strip().removeprefix("<").removesuffix(">")
    return None


class _Sized(NoPaging):
    into_: Literal["query", "body"] = Field(default="query", alias="into")
    limit: int | None = Field(default=None, ge=1, description="Records per page to ask for.")
    limit_param: str | None = None
    total: str | None = Field(default=None, description="Path of the total count in the answer.")

    @property
    def into(self) -> Literal["query", "body"]:
        """Where the parameters go."""
        return self.into_

    def total_of(self, answer: Answer) -> int | None:
        """The number at `total`."""
        text = as_text(compile_path(self.total).get(answer.data)) if self.total else None
        return int(text) if text and text.isdigit() else None

    def _turn(self, name: str, param: str | None, value: Any) -> Turn:
        params = {self.limit_param: self.limit} if self.limit_param and self.limit else {}
        if param and value is not None:
            params[param] = value
        return Turn(params, {name: value, "limit": self.limit})


class CursorPaging(_Sized):
    """The answer holds a cursor at `path` (or in `header`) that the next request sends back."""

    kind: Literal["cursor"] = "cursor"  # type: ignore[assignment]
    path: str | None = None
    header: str | None = None
    param: str | None = None
    has_more: str | None = Field(default=None, description="Path of a flag that says whether there is more.")

    @model_validator(mode="after")
    def _somewhere(self) -> CursorPaging:
        if (self.path is None) == (self.header is None):
            raise ValueError("give either `path` or `header`")
        return self

    def turn(self, position: Position) -> Turn:
        """The cursor of the answer before."""
        return self._turn("cursor", self.param, position.get("cursor"))

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """The answer's cursor, unless the source says that there is no more."""
        cursor = compile_path(self.path).get(answer.data) if self.path else answer.headers.get(self.header or "")
        if self.has_more is not None and not compile_path(self.has_more).get(answer.data):
            return None
        text = as_text(cursor)
        if not text:
            return None
        return {"cursor": cursor if isinstance(cursor, str | int) else text}


class _Counted(_Sized):
    end: tuple[EndRule, ...] = Field(
        default=("empty",), description="`short` only if the source never gives less than `limit`."
    )

    @property
    def ends(self) -> frozenset[str]:
        """Statuses that mean the end."""
        return frozenset({"204", *self.end})

    def _is_last(self, records: Sequence[Any]) -> bool:
        if not records:
            return True
        return "short" in self.end and self.limit is not None and len(records) < self.limit


_MOST_STEPS_BACK = 5
"""A record of the overlap may itself have changed; then no page shows it and the reader goes on after so many steps."""


def _mark(record: Any) -> str:
    try:
        return digest(canonical(record)).hex()
    except NotStorable:
        return digest(repr(record).encode("utf-8", "surrogatepass")).hex()


class OffsetPaging(_Counted):
    """So many records from the n-th on. The next offset counts what really came, so a source that gives less loses
    nothing.

    A record that goes while the set is read moves all behind it forward. With `overlap` the last records of a page are
    asked for again; if none of them comes, the reader steps back until one does, so nothing is missed.
    """

    kind: Literal["offset"] = "offset"  # type: ignore[assignment]
    param: str | None = "offset"
    limit_param: str | None = "limit"
    limit: int | None = Field(default=100, ge=1)
    first: int = Field(default=0, alias="start")
    overlap: int = Field(default=0, ge=0, description="Records read again; less than `limit`.")

    @model_validator(mode="after")
    def _overlap_fits(self) -> OffsetPaging:
        if self.limit is not None and self.overlap >= self.limit:
            raise ValueError("`overlap` is less than `limit`")
        return self

    def start(self) -> Position:
        """The first record."""
        return {"offset": self.first}

    def turn(self, position: Position) -> Turn:
        """Offset and limit."""
        return self._turn("offset", self.param, position["offset"])

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """Behind the records that came, less the overlap; further back when the set has shifted."""
        offset, tail = position["offset"], position.get("tail", [])
        marks, back = [_mark(record) for record in records] if self.overlap else [], position.get("back", 0)
        if tail and offset > self.first and back < _MOST_STEPS_BACK and not set(tail) & set(marks):
            return {"offset": max(self.first, offset - (self.limit or self.overlap)), "tail": tail, "back": back + 1}
        end, total = offset + len(records), self.total_of(answer)
        if self._is_last(records) or (total is not None and end - self.first >= total):
            return None
        if not self.overlap or (len(records) <= self.overlap and not tail):
            return {"offset": end}
        if set(marks) <= set(tail):  # only what was read already
            return None
        return {"offset": max(end - self.overlap, self.first), "tail": marks[-self.overlap :]}


class PagePaging(_Counted):
    """Numbered pages."""

    kind: Literal["page"] = "page"  # type: ignore[assignment]
    param: str | None = "page"
    first: int = Field(default=1, alias="start")
    pages: str | None = Field(default=None, description="Path of the number of pages in the answer.")

    def start(self) -> Position:
        """The first page."""
        return {"page": self.first}

    def turn(self, position: Position) -> Turn:
        """Page number and size."""
        return self._turn("page", self.param, position["page"])

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """The page after."""
        text = as_text(compile_path(self.pages).get(answer.data)) if self.pages else None
        if self._is_last(records):
            return None
        if text and text.isdigit() and position["page"] - self.first + 1 >= int(text):
            return None
        return {"page": position["page"] + 1}


class KeysetPaging(_Counted):
    """Records behind the last key seen, in the order of the key: nothing shifts while the set changes."""

    kind: Literal["keyset"] = "keyset"  # type: ignore[assignment]
    param: str | None = Field(default=None, description="Such as id__gt; or use {after} in params or body.")
    key: str = Field(default="id", description="Path of the ordering key in a record.")
    first: str | int | None = Field(default=None, alias="start", description="Sent on the first page, such as 0.")

    def start(self) -> Position:
        """Before the first key."""
        return {"after": self.first}

    def turn(self, position: Position) -> Turn:
        """The last key seen."""
        return self._turn("after", self.param, position["after"])

    def advance(self, position: Position, answer: Answer, records: Sequence[Any]) -> Position | None:
        """The last record's key."""
        if self._is_last(records):
            return None
        value = compile_path(self.key).get(records[-1])
        text = as_text(value)
        if text is None:
            raise SourceDataError(f"the last record has nothing at `{self.key}` to page on")
        return {"after": value if isinstance(value, int | str) else text}


Paging = Annotated[
    NoPaging | NextUrlPaging | CursorPaging | OffsetPaging | PagePaging | KeysetPaging,
    Field(discriminator="kind"),
]

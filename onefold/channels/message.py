"""What a notice looks like when it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from warehouse.notices import Notice


@dataclass(frozen=True, slots=True)
class Message:
    """Several notices at once, oldest first."""

    hub: str
    notices: Sequence[Notice]

    @property
    def subject(self) -> str:
        """One line."""
        first, *others = self.notices
        more = f" and {len(others)} more" if others else ""
        return f"[{self.hub}] {_headline(first)}{more}"

    @property
    def text(self) -> str:
        """For people: a paragraph each."""
        return "\n\n".join(_paragraph(notice) for notice in self.notices)

    def as_dict(self) -> dict[str, Any]:
        """For machines; `text` is what chat systems show."""
        return {
            "hub": self.hub,
            "text": f"{self.subject}\n\n{self.text}",
            "notices": [
                {
                    "kind": notice.kind,
                    "key": notice.key,
                    "subject": notice.subject,
                    "detail": notice.detail,
                    "since": notice.opened_at.isoformat(timespec="seconds"),
                    "until": notice.closed_at.isoformat(timespec="seconds") if notice.closed_at else None,
                }
                for notice in self.notices
            ],
        }


def _headline(notice: Notice) -> str:
    return f"over: {notice.subject}" if notice.closed_at else notice.subject


def _paragraph(notice: Notice) -> str:
    since = notice.opened_at.strftime("%Y-%m-%d %H:%M UTC")
    if notice.closed_at:
        return f"Over: {notice.subject} (since {since})"
    return f"{notice.subject} (since {since})\n{notice.detail}"

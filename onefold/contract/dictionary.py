"""The data dictionary: every served view and column, in Markdown and as one HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from onefold.contract.queries import Query
from warehouse.contract import Contract, ServedColumn, ServedView

TITLE: Final = "Onefold: data dictionary"
_HEADS: Final = ("Column", "Type", "Meaning", "Label (ru)", "Personal data", "Refers to / values")
_INTRO: Final = (
    "Schema onefold_v1, read with the role that `onefold db url --reader` names. Columns are only appended. Rows that "
    "no longer hold stay, marked is_deleted; changed_seq is the place in the change feed."
)


def markdown(contract: Contract, queries: Sequence[Query]) -> str:
    """The dictionary in Markdown."""
    lines = [f"# {TITLE}", "", _INTRO, ""]
    for view in contract.views:
        lines += [f"## {view.name}", "", f"{view.meaning}. {_facts(view)}", ""]
        lines += _table(_HEADS, (_cells(view, column) for column in view.columns))
    lines += ["## Interaction types", ""]
    lines += _table(("Type", "Department", "Label", "Label (ru)", "Amount", "View"), _types(contract))
    lines += ["## Ten queries", ""]
    for query in queries:
        lines += [f"### {query.question_en}", "", query.question_ru, "", "```sql", query.statement.strip(), "```", ""]
    return "\n".join(lines)


def html(contract: Contract, queries: Sequence[Query]) -> str:
    """The dictionary as one page: searchable, light and dark by the reader's choice, with nothing to load."""
    parts = []
    for view in contract.views:
        rows = _rows(_cells(view, column) for column in view.columns)
        parts.append(_section(view.name, f"{view.meaning}. {_facts(view)}", _HEADS, rows))
    rows = _rows(_types(contract))
    heads = ("Type", "Department", "Label", "Label (ru)", "Amount", "View")
    parts.append(_section("interaction types", "What happens with clients, by the registry.", heads, rows))
    asked = "".join(
        f"<details class=find><summary>{escape(q.question_en)}<br>"
        f"<small lang=ru>{escape(q.question_ru)}</small></summary>"
        f"<pre><code>{escape(q.statement.strip())}</code></pre></details>"
        for q in queries
    )
    parts.append(f'<section id="queries"><h2>Ten queries</h2>{asked}</section>')
    names = [*(view.name for view in contract.views), "interaction types", "queries"]
    menu = "".join(f'<a href="#{escape(_anchor(name))}">{escape(name)}</a>' for name in names)
    page = (files(__package__) / "dictionary.html").read_text("utf-8")
    return (
        page.replace("{{title}}", escape(TITLE))
        .replace("{{intro}}", escape(_INTRO))
        .replace("{{menu}}", menu)
        .replace("{{body}}", "\n".join(parts))
    )


def _section(name: str, text: str, heads: Iterable[str], rows: str) -> str:
    head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
    return (
        f'<section id="{escape(_anchor(name))}"><h2>{escape(name)}</h2><p>{escape(text)}</p>'
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _rows(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _facts(view: ServedView) -> str:
    key = f"Key: {', '.join(view.key)}. " if view.key else ""
    about = "about " if view.is_estimated else ""
    how = "Read on by changed_seq" if view.is_incremental else "Read as a whole"
    by = f", replacing by {', '.join(view.replace_by)}" if view.is_incremental and view.replace_by != view.key else ""
    return f"{key}Rows: {about}{view.rows}. {how}{by}."


def _cells(view: ServedView, column: ServedColumn) -> tuple[str, ...]:
    name = f"{column.column_name} (key)" if column.column_name in view.key else column.column_name
    further = column.refers_to or ", ".join(column.allowed_values or ())
    personal = "" if column.personal_data == "none" else column.personal_data
    return name, column.data_type, column.meaning_en or "", column.label_ru or "", personal, further


def _types(contract: Contract) -> list[tuple[str, ...]]:
    return [
        (
            one["type"],
            one["department"] or "",
            one["label_en"],
            one["label_ru"] or "",
            " ".join(part for part in (one["money"], one["tax"]) if part and part != "none"),
            one["view_name"] or "",
        )
        for one in contract.types
    ]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return [*lines, ""]

"""The report: one page that needs no network, no script and no file beside it; every text in it is escaped."""

from __future__ import annotations

import html
import shlex
from importlib.resources import files
from typing import TYPE_CHECKING

from identity.report import BIN
from identity.schema import WEIGHT_ONE_BIT
from onefold.charts.axes import Mark, percent
from onefold.charts.bars import Shares, distribution_chart
from onefold.charts.upset import MOST as MOST_COMBINATIONS
from onefold.charts.upset import upset_chart
from onefold.trying.cards import card
from onefold.trying.cells import Raw, figure, safe, sentence, short, table
from onefold.trying.findings import MOST_SHOWN
from onefold.trying.outcome import as_word

if TYPE_CHECKING:
    from onefold.trying.outcome import Outcome

_SECTIONS = (
    ("columns", "Columns"), ("duplicates", "Duplicates"), ("overlap", "Overlap"), ("conflicts", "Conflicts"),
    ("merges", "Ten merges"), ("questions", "Ten doubtful pairs"), ("generic", "Values that say nothing"),
    ("more", "What more data would help"), ("next", "What next"),
)  # fmt: skip


def page(found: Outcome, command: str) -> str:
    """The HTML document. `command`: what was typed, for the steps that follow."""
    names = [one.title for one in found.files]
    title = f"What Onefold found in {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    makers = (_columns, _duplicates, _overlap, _conflicts, _merges, _questions, _generic, _more)
    parts = [f"<h1>{safe(title)}</h1>", _tiles(found), _menu()]
    parts += [_section(*section, make(found)) for section, make in zip(_SECTIONS, makers, strict=False)]
    parts.append(_section(*_SECTIONS[-1], _next(found, command)))
    template = (files(__package__) / "report.html").read_text("utf-8")
    head, _, tail = template.partition("{{body}}")
    return head.replace("{{title}}", safe(title)) + "\n".join(parts) + tail


def _section(anchor: str, title: str, body: str) -> str:
    return f'<section id="{anchor}"><h2>{safe(title)}</h2>{body}</section>'


def _menu() -> str:
    links = "".join(f'<a href="#{anchor}">{safe(title)}</a>' for anchor, title in _SECTIONS)
    return f'<nav aria-label="Sections">{links}</nav>'


def _tiles(found: Outcome) -> str:
    tiles = [
        (found.rows, "rows"),
        (found.clients, "clients behind them"),
        (found.duplicates, "duplicate rows inside files"),
        *([(found.in_several, "clients in several files")] if len(found.files) > 1 else []),
        (found.doubtful, "doubtful pairs"),
    ]
    shown = "".join(f"<div class=tile><b>{number:,}</b>{safe(words)}</div>" for number, words in tiles)
    took = f"{found.seconds.get('total', 0):.1f} s, {found.memory_mib:,} MiB at most."
    learnt = ", ".join(f"{kind}s" for kind in found.trained)
    weights = (
        f"Weights for {learnt} were learnt from these rows, without labels."
        if learnt
        else "There are too few rows to learn weights from; the shipped ones were used."
    )
    notes = "".join(f"<p class=doubt>{sentence(note)}</p>" for note in found.notes)
    left = "".join(f"<li>{safe(one.title)}: {sentence(one.because)}</li>" for one in found.left_out)
    return (
        f"<div class=tiles>{shown}</div><p class=faint>{safe(took)} {safe(weights)} Nothing left this "
        f"machine.</p>{notes}"
        + (f"<details><summary>Left out: {len(found.left_out)}</summary><ul>{left}</ul></details>" if left else "")
    )


def _columns(found: Outcome) -> str:
    """The doubtful ones openly, the others file by file on request."""
    titles = dict.fromkeys(one.title for one in found.columns)
    files = ""
    for title in titles:
        mine = [one for one in found.columns if one.title == title]
        used = sum(one.becomes is not None for one in mine)
        rows = [(one.column, one.becomes or "not used", one.because, f"{one.filled:.0%}") for one in mine]
        summary = f"<summary>{safe(title)} <small>{used} of {len(mine)} columns used</small></summary>"
        files += f"<details>{summary}{table(('column', 'taken for', 'because', 'filled'), rows, (3,))}</details>"
    if not found.in_question:
        return f"<p>No guess is doubtful; <code>--as FILE:COLUMN=attribute</code> overrules any.</p>{files}"
    rows = [
        (one.title, one.column, Raw(f"<b class=doubt>{safe(one.becomes)} ?</b>"), one.because)
        for one in found.in_question
    ]
    words = " ".join(as_word(one) for one in found.in_question[:3])
    return (
        f"<p><b class=doubt>{len(found.in_question)} doubtful</b>: where one is wrong, say so and run again, as with "
        f"<code>{sentence(words)}</code></p>{table(('file', 'column', 'taken for', 'because'), rows)}{files}"
    )


def _duplicates(found: Outcome) -> str:
    rows = [
        (one.title, one.rows, one.clients, one.duplicates, percent(one.duplicates / one.rows) if one.rows else "-",
         one.largest, one.unreadable)
        for one in found.files
    ]  # fmt: skip
    heads = ("file", "rows", "clients", "duplicate rows", "share", "most rows of one client", "unreadable rows")
    return table(heads, rows, range(1, 7))


def _overlap(found: Outcome) -> str:
    if len(found.files) < 2:
        return "<p>One file overlaps with no other. Name two or more.</p>"
    several = sum(count for names, count in found.overlap if len(names) > 1)
    said = f"{several:,} of {found.clients:,} clients stand in more than one file."
    chart = upset_chart("Clients by the files they stand in", said, found.overlap)
    more = len(found.overlap) - MOST_COMBINATIONS
    rows = [
        (sentence(" + ".join(map(short, names))), count, percent(count / found.clients))
        for names, count in found.overlap
    ]
    names = [one.title for one in found.files]
    matrix = [(name, *counts) for name, counts in zip(names, found.shared, strict=True)]
    return (
        f"<p>{safe(said)}</p>{figure(chart)}"
        + (
            f"<p class=faint>The chart shows {MOST_COMBINATIONS} combinations of {more + MOST_COMBINATIONS}.</p>"
            if more > 0
            else ""
        )
        + table(("exactly in", "clients", "share"), rows[:60], (1, 2))
        + "<p class=faint>Clients that two files have in common:</p>"
        + table(("", *names), matrix, range(1, len(names) + 1))
    )


def _conflicts(found: Outcome) -> str:
    if not found.conflicts:
        return "<p>The rows of each client agree.</p>"
    rows = [
        (
            one.attribute,
            one.clients,
            one.client,
            sentence(f"{short(one.kept)} ({one.kept_from})"),
            sentence(f"{short(one.lost)} ({one.lost_from})"),
        )
        for one in found.conflicts[:MOST_SHOWN]
    ]
    return (
        "<p>Where rows of one client differ, one value becomes the golden one. The other is kept with its source.</p>"
        + table(("attribute", "clients", "for example", "golden value", "the other"), rows, (1,))
    )


def _merges(found: Outcome) -> str:
    if not found.merges:
        return "<p>No two rows are one client.</p>"
    said = "From the least evidence to the most. Each bit doubles the odds that two rows are one client."
    return f"<p>{said}</p>{_weights(found)}" + "".join(card(one) for one in found.merges)


def _questions(found: Outcome) -> str:
    if not found.questions:
        return "<p>None: what was compared is clearly one client, or clearly two.</p>"
    return "<p>A hub asks a person about these, and keeps the answer.</p>" + "".join(map(card, found.questions))


def _weights(found: Outcome) -> str:
    made = []
    for kind, bins in found.weights.items():
        if sum(bins.values()) < 20:
            continue
        step = BIN / WEIGHT_ONE_BIT
        low, high = min(bins), max(bins)
        total = sum(bins.values())
        edges = [at * step for at in range(low, high + 2)]
        shares = [bins.get(at, 0) / total for at in range(low, high + 1)]
        marks = [Mark(name, value) for name, value in found.thresholds[kind].items()]
        title = f"How strong the evidence is: {kind}s"
        said = f"{total:,} pairs that were compared and may be one client; those right of `link` are."
        made.append(
            figure(
                distribution_chart(
                    title,
                    said,
                    edges,
                    [Shares("pairs", shares)],
                    x_label="bits",
                    y_label="share of the pairs",
                    marks=marks,
                )
            )
        )
    return "".join(made)


def _generic(found: Outcome) -> str:
    if not found.generic:
        return (
            "<p>No e-mail address, phone or number stands at so many names that it says nothing about one client.</p>"
        )
    rows = [(one["kind"], one["type"], one["value"], one["names"]) for one in found.generic[:MOST_SHOWN]]
    more = len(found.generic) - len(rows)
    return (
        "<p>So many different names share these that they are no evidence: switchboards, shared accountants, "
        "placeholders.</p>"
        + table(("kind", "what", "value", "names behind it"), rows, (3,))
        + (f"<p class=faint>... and {more:,} more.</p>" if more > 0 else "")
    )


def _more(found: Outcome) -> str:
    return "<ul>" + "".join(f"<li>{sentence(one)}</li>" for one in found.advice) + "</ul>"


def _next(found: Outcome, command: str) -> str:
    kept = found.written.get("save")
    folder = shlex.quote(kept or "myhub")
    first = "" if kept else f"{command} --save {folder}   # the configuration behind this page\n"
    train = (
        "onefold train --use         # with weights learnt from the rows, as on this page\n" if found.trained else ""
    )
    lines = (
        f"{first}cd {folder}\n"
        "onefold run                 # the same on a database, again whenever the files change\n"
        f"{train}"
        "onefold cases               # the doubtful pairs, to be judged\n"
    )
    return (
        "<p>This page was made in memory and nothing is stored. A hub keeps client ids, people's answers and "
        "history.</p>"
        f"<pre>{html.escape(lines)}</pre>"
    )

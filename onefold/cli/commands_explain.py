"""explain: why two records are one client or not, and why a client is what it is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

Lang = Literal["en", "ru"]


@app.command(rich_help_panel="Clients")
def explain(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="A record (source:stream:key), or a client id.")],
    other: Annotated[
        str | None, typer.Argument(help="The other record or client; without it WHO's client is explained.")
    ] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="The language of words, figures aside.")] = "en",
    svg: Annotated[Path | None, typer.Option("--svg", help="Also draw it: FILE.svg.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also draw it, with its figures: FILE.html.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="Of a client: most links, pairs against and neighbours to tell.")
    ] = 10,
    field: Annotated[
        str | None, typer.Option("--field", help="Why this golden value of WHO's client won, and what lost.")
    ] = None,
) -> None:
    """Why two records are one client or not: evidence in words and bits, and what blocking made of the pair.

    Also for pairs that were never proposed: which keys nearly met, what stood in the way, how many bits are missing.
    With one name: what holds that client together, what speaks against it, and why its neighbours are others.
    Of two clients (by id) their nearest pair is explained, and what keeps the two apart.

    Examples: onefold explain crm:contacts:42 erp:customers:C-7 --svg pair.svg

    onefold explain crm:contacts:42 --lang ru

    onefold explain crm:contacts:42 --field email
    """
    if field is not None:
        explain_field(ctx, who, field)
        return
    from onefold.steps.explain import explain as explain_pair
    from onefold.steps.explain_client import explain_border, explain_client
    from onefold.steps.records import is_client_id

    with opened(ctx) as (context, output):
        if other is None:
            found = explain_client(context, who, limit=limit)
        elif is_client_id(who) or is_client_id(other):
            border = explain_border(context, who, other)
            found = {**explain_pair(context, border["left"], border["right"]), "border": border}
        else:
            found = explain_pair(context, who, other)
    output.data(found)
    if other is None:
        show_client_explanation(output, found, lang, limit)
    else:
        show_explanation(output, found, lang)
    if svg or html:
        draw(output, found, lang, [path for path in (svg, html) if path], is_pair=other is not None)


def explain_field(ctx: typer.Context, who: str, attribute: str) -> None:
    """What every record of a client says of an attribute, what is golden, and by which rule each other value lost."""
    from onefold.steps.explain_value import explain_value

    with opened(ctx) as (context, output):
        found = explain_value(context, who, attribute)
    output.data(found)
    value = ", ".join(map(str, found["value"])) if isinstance(found["value"], list) else found["value"]
    output.heading(f"{found['display_name']}   {found['client_id']}")
    output.say(f"{attribute} = {value if value is not None else '(empty)'}: {found['because']}", style="bold")
    if pin := found["pin"]:
        until = f", until {pin['until']}" if pin["until"] else ""
        said = f": {pin['note']}" if pin["note"] else ""
        output.say(f"judgement {pin['judgement']} ({pin['policy'].replace('_', ' ')}{until}){said}")
    for decides in found["authority"]:
        review = f", review {'was due' if decides['is_overdue'] else 'on'} {decides['review_on']}"
        output.say(
            f"{decides['register']} decides, agreed by {decides['agreed_by'] or 'nobody'}"
            f"{review if decides['review_on'] else ''}"
        )
    whole = f", with all fields of the group {found['group']}" if found["group"] else ""
    output.say(f"rules in order: {', '.join(found['rules'])}{whole}", style="dim")
    output.table(
        ("record", "says", "outcome", "because", "trust", "changed", "run", "trace"),
        [
            (s["record"], s["value"], s["outcome"], s["because"], s["trust"], (s["source_updated_at"] or "")[:16],
             s["run_id"], (s["trace_id"] or "")[:8])
            for s in found["said"]
        ],
        right=(4, 6),
    )  # fmt: skip


def draw(output: Output, found: dict[str, Any], lang: Lang, paths: list[Path], *, is_pair: bool) -> None:
    """The explanation as a chart, in each of the files."""
    from onefold.charts.canvas import write
    from onefold.charts.evidence import client_chart, pair_chart
    from onefold.errors import UsageError

    if found.get("verdict") == "other_kind":
        raise UsageError("A person and an organisation have nothing in common that could be drawn.")
    chart = pair_chart(found, lang) if is_pair else client_chart(found, lang)
    for path in paths:
        for written in write(path, chart.title, [chart], lang=lang):
            output.say(f"wrote {written}")


def show_explanation(output: Output, found: dict[str, Any], lang: Lang = "en") -> None:
    """Evidence as a waterfall of bits."""
    from identity.explanation.words import phrase
    from onefold.charts.evidence import state_words

    output.heading(phrase("pair", lang, left=found["left"], right=found["right"], state=state_words(found, lang)))
    if found["verdict"] == "other_kind":
        output.say(phrase("other_kind", lang))
        return
    rows, running, silent = [], 0.0, []
    for finding in found["findings"]:
        words = finding["words"][lang]
        if finding["level"] == "missing":
            silent.append(words.partition(":")[0])
            continue
        running += finding["bits"]
        bar = ("+" if finding["bits"] >= 0 else "-") * min(30, round(abs(finding["bits"])))
        rows.append((words, finding["left"], finding["right"], f"{finding['bits']:+.1f}", f"{running:+.1f}", bar))
    heads = tuple(phrase(name, lang) for name in ("evidence", "left", "right", "bits", "sum"))
    output.table((*heads, ""), rows, right=(3, 4))
    _show_sum(output, found, lang)
    if silent:
        output.say(phrase("silent", lang, columns=", ".join(silent)), style="dim")
    for reason in found["forbidden"]:
        output.say(reason["words"][lang], style="bold" if reason["reason"] == "judgement" else "yellow")
    _show_suspended(output, found, lang)
    for judgement in found["judgements"]:
        if judgement["verdict"] == "same":
            output.say(phrase("judged_same", lang, number=judgement["judgement_id"]), style="bold")
    if found["together"] and found["verdict"] != "link":
        output.say(phrase("through_others", lang, client=found["clients"][0]))
    if not found["together"] and found["verdict"] == "link" and not found["forbidden"]:
        output.say(phrase("apart_all_the_same", lang, client=found["clients"][0]))
    _show_rules(output, found, lang)
    if border := found.get("border"):
        output.say(f"{phrase('why_apart', lang)}: {border['words'][lang]}", style="bold")


def _show_sum(output: Output, found: dict[str, Any], lang: Lang) -> None:
    from identity.explanation.words import phrase
    from onefold.charts.axes import percent
    from onefold.charts.evidence import verdict_words

    bits = {name: f"{found[f'{name}_bits']:+.1f}" for name in ("total", "link", "review", "prior", "odds")}
    output.say(phrase("total", lang, verdict=verdict_words(found["verdict"], lang), **bits))
    output.say(phrase("odds", lang, probability=percent(found["probability"]), **bits), style="dim")
    if found["missing_bits"] > 0:
        output.say(phrase("missing", lang, bits=f"{found['missing_bits']:.1f}"))


def _show_rules(output: Output, found: dict[str, Any], lang: Lang) -> None:
    from identity.explanation.words import phrase

    shared = [rule["rule"] for rule in found["rules"] if rule["outcome"] == "shared"]
    said = phrase("proposed_by", lang, rules="; ".join(shared)) if shared else phrase("not_proposed", lang)
    output.say(said)
    for rule in found["rules"]:
        if rule["outcome"] == "over_cap":
            output.say(phrase("over_cap", lang, rule=rule["rule"], size=rule["size"]), style="dim")
        elif rule["outcome"] == "differs" and not shared:
            values = ", ".join(rule["hindrances"])
            output.say(phrase("stood_in_the_way", lang, rule=rule["rule"], values=values), style="dim")


def show_client_explanation(output: Output, found: dict[str, Any], lang: Lang = "en", limit: int = 10) -> None:
    """What holds a client together, what speaks against it, and why it ends where it ends."""
    from identity.explanation.words import phrase
    from onefold.charts.evidence import size_words

    output.heading(phrase("client", lang, name=found["display_name"] or "", client=found["client_id"]).strip())
    output.say(size_words(found, lang))
    _show_suspended(output, found, lang)
    if found["is_cut"]:
        output.say(phrase("only_first", lang, count=len(found["held_by"]) + 1), style="yellow")
    if not found["held_by"]:
        output.say(phrase("single", lang))
    for title in ("held_by", "against"):
        _show_pairs(output, found[title], phrase(title, lang), lang, limit)
    if (seam := found["seam"]) and len(found["held_by"]) > 1:
        figures = {"bits": f"{seam['bits']:+.1f}", "mean": f"{seam['mean_bits']:+.1f}"}
        output.say(phrase("seam", lang, **{**seam, **figures}))
        if len(seam["smaller_part"]) <= limit:
            output.say(phrase("part_them", lang, records=shlex.join(seam["smaller_part"])), style="dim")
    for bridge in found["bridges"]:
        parts = " + ".join(map(str, bridge["parts"][:8]))
        output.say(phrase("bridge", lang, record=bridge["record"], parts=parts))
    if not found["borders"]:
        output.say(phrase("no_borders", lang))
        return
    output.table(
        ("", *(phrase(name, lang) for name in ("nearest", "bits", "mean", "why_apart"))),
        [
            (
                f"{border['display_name'] or ''} {border['client_id']}".strip(),
                f"{border['left']} - {border['right']}",
                f"{border['bits']:+.1f}",
                f"{border['mean_bits']:+.1f}",
                border["words"][lang],
            )
            for border in found["borders"]
        ],
        title=phrase("borders", lang),
        right=(2, 3),
    )


def _show_suspended(output: Output, found: dict[str, Any], lang: Lang) -> None:
    """Judgements that records with another identity have left, and each such record as it was and as it is."""
    from identity.explanation.words import phrase

    shown = set()
    for one in found["suspended"]:
        output.say(one["words"][lang], style="yellow")
        if one["compared"] and one["record"] not in shown:
            shown.add(one["record"])
            output.table(
                (phrase("evidence", lang), phrase("was", lang), phrase("is_now", lang), phrase("bits", lang)),
                [(c["words"][lang], c["was"], c["is"], f"{c['bits']:+.1f}") for c in one["compared"]],
                title=f"{one['record']}: {phrase('was_and_is', lang)}",
                right=(3,),
            )


def _show_pairs(output: Output, pairs: list[dict[str, Any]], title: str, lang: Lang, limit: int) -> None:
    from identity.explanation.words import phrase

    if not pairs:
        return
    output.table(
        (phrase("left", lang), phrase("right", lang), phrase("bits", lang), phrase("says_most", lang)),
        [(pair["left"], pair["right"], f"{pair['bits']:+.1f}", _said(pair, lang)) for pair in pairs[:limit]],
        title=title,
        right=(2,),
    )
    if len(pairs) > limit:
        output.say(phrase("cut", lang, more=len(pairs) - limit), style="dim")


def _said(pair: dict[str, Any], lang: Lang) -> str:
    from identity.explanation.words import phrase

    said = [f"{one['words'][lang]} {one['bits']:+.1f}" for one in pair["evidence"]]
    return "; ".join([phrase("judged", lang), *said] if pair["judged"] else said)

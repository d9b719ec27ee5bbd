"""`onefold needs` and `onefold segments`: what clients need, on what grounds, and the segments that follow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

needs_app = typer.Typer(no_args_is_help=True, help="What clients need, on the evidence of their dealings.")
app.add_typer(needs_app, name="needs", rich_help_panel="Clients")
segments_app = typer.Typer(no_args_is_help=True, help="Segments by needs, and the check that a scheme has to pass.")
app.add_typer(segments_app, name="segments", rich_help_panel="Clients")


@needs_app.command("list")
def list_needs(ctx: typer.Context) -> None:
    """The needs of needs.yaml, and how many clients have each: by their own word, by what they do, by what is
    concluded, and how many say one thing and do another.

    Example: onefold needs list --json
    """
    from onefold.steps.needs import overview

    with opened(ctx) as (context, output):
        rows = overview(context)
    output.data(rows)
    if not rows:
        output.say("No needs are known: write config/needs.yaml and `onefold run`.")
        return
    output.table(
        ("need", "label", "declared", "observed", "inferred", "disagree", "sightings"),
        [
            (r["code"], r["label_en"], r["declared"], r["observed"], r["inferred"], r["disagreeing"], r["sightings"])
            for r in rows
        ],
        right=(2, 3, 4, 5, 6),
    )


@needs_app.command("show")
def show_needs(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="A client's id, or a record as source:stream:key.")],
    need: Annotated[str | None, typer.Option("--need", help="Only this need.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Sightings to show.")] = 20,
) -> None:
    """A client's needs: what it shows beside what so many dealings let expect, what it says, the dealings that prove
    it, and what speaks against it.

    Example: onefold needs show crm:companies:10 --need urgency
    """
    from onefold.cli.commands_hub import login_name
    from onefold.steps.needs import needs_of
    from onefold.steps.subject import looked

    with opened(ctx) as (context, output):
        found = needs_of(context, who, need=need, limit=limit)
        looked(context, [found["client_id"]], who=login_name(), how="needs", fields=None)
    output.data(found)
    output.heading(found["display_name"] or found["client_id"])
    output.table(
        ("need", "origin", "held", "for", "expected", "against", "expected", "of dealings", "last"),
        [
            (
                n["label_en"],
                n["origin"],
                n["is_held"],
                _plain(n["weight_for"]),
                _plain(n["expected_for"]),
                _plain(n["weight_against"]),
                _plain(n["expected_against"]),
                n["dealings"],
                n["last_on"],
            )
            for n in found["needs"]
        ],
        right=(3, 4, 5, 6, 7),
    )
    output.table(
        ("day", "need", "what is seen", "speaks", "record", "text"),
        [
            (
                e["occurred_on"],
                e["need"],
                e["label_en"],
                "against" if e["is_against"] else "for",
                f"{e['source']}:{e['stream']}:{e['source_key']}",
                e["summary"],
            )
            for e in found["evidence"]
        ],
    )
    for one in found["segments"]:
        until = "now" if one["left_at"] is None else f"until {one['left_at'][:10]}"
        name = one["label_en"] or f"unknown ({one['entered_reason']})"
        output.say(f"{one['scheme']}: {name}, {one['probability']:.0%}, since {one['entered_at'][:10]}, {until}")


@needs_app.command("discover")
def discover(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", help="Write the suggestions to this YAML file.")] = None,
    minimum: Annotated[int, typer.Option("--minimum", min=1, help="Dealings of a client to be looked at.")] = 6,
) -> None:
    """Suggest needs: fields and words that come together in the dealings of some clients more often than in those of
    others, found in both halves of the clients. Name those that are needs and write them into config/needs.yaml; a run
    reads no suggestion.

    Example: onefold needs discover --out needs.suggested.yaml
    """
    from onefold.steps.discover_needs import discover_needs

    with opened(ctx) as (context, output):
        report = discover_needs(context, minimum=minimum, path=out)
    output.data(report.as_dict())
    for one in report.suggested:
        output.heading(f"{one['code']}: {one['clients']} clients, found again {one['found_again']:.2f}")
        output.table(
            ("type", "looks at", "for"),
            [
                (s["types"], s.get("in", "summary") if "words" in s else next(iter(s["when"])),
                 s.get("words") or next(iter(s["when"].values())))
                for s in one["need"]["signals"].values()
            ],
        )  # fmt: skip
    if not report.suggested:
        output.say(f"Nothing stands out in the dealings of {report.clients} clients.")
    elif report.agreement is not None:
        output.say(f"Clusters by composition agree with them by {report.agreement:.2f} (adjusted Rand index).")
    if report.file:
        output.say(f"Written to {report.file}; nothing of it is in force.")


@needs_app.command("accept")
def accept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A suggestion of the file, such as suggestion_1.")],
    code: Annotated[str, typer.Option("--as", help="What the need is called in needs.yaml, such as urgency.")],
    job: Annotated[str | None, typer.Option("--job", help="The job to be done, in the client's words.")] = None,
    job_ru: Annotated[str | None, typer.Option("--job-ru", help="The same in Russian.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="What it is called on pages.")] = None,
    label_ru: Annotated[str | None, typer.Option("--label-ru", help="The same in Russian.")] = None,
    dimension: Annotated[
        str | None, typer.Option("--dimension", help="What kind of need it is, such as time, price or risk.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="A signal that does not belong to it. May be repeated.")
    ] = None,
    file: Annotated[Path, typer.Option("--file", help="What `onefold needs discover --out FILE` wrote.")] = Path(
        "needs.suggested.yaml"
    ),
) -> None:
    """Take a suggestion into config/needs.yaml under a name and a job that you give it. The rest of the file, comments
    too, stays as it is, and no need is written over. The next run looks for it.

    Example: onefold needs accept suggestion_1 --as urgency --job "Get us running again." --dimension time
    """
    import sys

    from onefold.cli.opening import invocation, settings_of
    from onefold.steps.accept_need import Words, suggestion
    from onefold.steps.accept_need import accept as take

    settings, output = settings_of(ctx), invocation(ctx).output
    signals = suggestion(file, name, without=without or ())
    asks = sys.stdin.isatty() and not output.as_json
    if asks and job is None and job_ru is None:
        job = typer.prompt("What do these clients want done, in their words?", err=True)
    if asks and dimension is None:
        dimension = typer.prompt("What kind of need is it (time, price, knowledge, risk, ...)?", err=True)
    labels = {"en": label or code.replace("_", " ").capitalize(), "ru": label_ru}
    report = take(
        settings,
        signals,
        Words(code, _told(en=job, ru=job_ru), _told(**labels), dimension or "other"),
    )
    output.data(report.as_dict())
    output.say(f"{report.file} has `{report.need}` with {len(report.signals)} signals; `onefold run` looks for it.")


def _told(**texts: str | None) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


@segments_app.command("list")
def list_segments(ctx: typer.Context) -> None:
    """The schemes of segments.yaml, whether they are served, and how many clients are in each segment.

    Example: onefold segments list
    """
    from onefold.steps.needs import schemes

    with opened(ctx) as (context, output):
        found = schemes(context)
    output.data(found)
    show_schemes(output, found)


@segments_app.command("check")
def check_segments(ctx: typer.Context) -> None:
    """Measure anew what is to be expected of dealings, and put every scheme to its check: stable when dealings are
    drawn anew, independent of their amount, and better than chance. A scheme that fails is not served; code 1 then.

    Example: onefold segments check
    """
    from onefold.steps.needs import check_schemes, schemes

    with opened(ctx) as (context, output):
        report = check_schemes(context)
        found = schemes(context)
    output.data({**report.as_dict(), **found})
    show_schemes(output, found)
    if report.refused:
        raise typer.Exit(1)


@segments_app.command("mirror")
def look_into_mirror(
    ctx: typer.Context,
    last: Annotated[bool, typer.Option("--last", help="Show what the last look found, without looking.")] = False,
) -> None:
    """Whether operations treat the clients of served segments differently: lead time, first answer, priority, offers,
    contacts, or what `mirror` of segments.yaml names; with volume, amount, region and items held equal, and beside what
    the policy of the segment promises. Where they do, whether better treatment goes with more business later.

    Example: onefold segments mirror
    """
    from onefold.steps.mirror import findings, look_into_mirror

    with opened(ctx) as (context, output):
        report = None if last else look_into_mirror(context)
        found = findings(context)
    output.data({**({} if report is None else report.as_dict()), "findings": found})
    if not found:
        output.say("There is no served scheme, or nobody has looked yet.")
        return
    for scheme in dict.fromkeys(one["scheme"] for one in found):
        output.heading(scheme)
        output.table(
            ("segment", "outcome", "promised", "verdict", "here", "elsewhere", "difference", "95 %", "p", "business"),
            [_reflected(one) for one in found if one["scheme"] == scheme],
            right=(4, 5, 6, 8),
        )


_VERDICTS = {
    "as_promised": "served as promised",
    "decorative": "promised but served like everyone",
    "opposite": "promised but served worse",
    "without_policy": "treated differently without a policy",
    "like_everyone": "served like everyone",
    "cannot_tell": "cannot tell",
}


def _reflected(one: dict[str, Any]) -> tuple[Any, ...]:
    def part(value: float | None) -> str:
        return "" if value is None else f"{value:+.0%}"

    effect = one["effect"] or ""
    return (
        one["segment_label_en"],
        one["label_en"],
        "yes" if one["is_promised"] else "",
        _VERDICTS[one["verdict"]],
        *("" if one[side] is None else f"{one[side]:.2f}" for side in ("typical", "typical_elsewhere")),
        part(one["difference"]),
        "" if one["difference_low"] is None else f"{part(one['difference_low'])} to {part(one['difference_high'])}",
        "" if one["p_value"] is None else f"{one['p_value']:.3f}",
        effect.replace("_", " ") + (f" ({part(one['effect_difference'])})" if effect in ("more", "less") else ""),
    )


def show_schemes(output: Output, found: dict[str, Any]) -> None:
    """Schemes with their checks, and their segments with clients."""
    if not found["schemes"]:
        output.say("There is no scheme: write config/segments.yaml and `onefold run`.")
        return
    for scheme in found["schemes"]:
        figures = scheme["figures"] or {}
        output.heading(f"{scheme['label_en']} ({scheme['scheme']})")
        output.table(
            ("segment", "needs", "clients", "stability"),
            [
                (s["label_en"], ", ".join(s["needs"]), s["clients"], (figures.get("stability") or {}).get(s["segment"]))
                for s in found["segments"]
                if s["scheme"] == scheme["scheme"]
            ],
            right=(2, 3),
        )
        output.say(f"unknown: {scheme['unknown']}")
        if figures:
            volume = figures["volume"]
            output.say(
                f"Checked with {figures['clients']} clients: chance explains {figures['false_share']:.1%} of the"
                f" assignments; eta squared of volume {'not known' if volume is None else f'{volume:.3f}'};"
                f" unknown {figures['unknown_share']:.0%}"
            )
        for said in scheme["neglected"]:
            output.say(f"To be looked at: {said}", style="yellow")
        for why in figures.get("why", ()):
            output.say(f"Not served: {why}", style="yellow")


def _plain(value: Any) -> str:
    return "" if value is None else f"{float(value):.1f}"

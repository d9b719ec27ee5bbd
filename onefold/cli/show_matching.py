"""What `blocking`, `compare` and `import` show to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onefold.cli.output import Output
    from onefold.steps.blocking import BlockingReport
    from onefold.steps.compare import CompareReport
    from onefold.steps.import_splink import SplinkReport


def show_blocking(output: Output, report: BlockingReport, largest: int) -> None:
    """Rules with what they cost and find, the largest blocks, and what is suggested."""
    if report.waiting:
        output.warn(f"{report.waiting} changed records wait for `onefold resolve`: matches are from before them")
    for kind in report.kinds:
        _show_rules(output, kind)
        output.table(
            ("records", "block", "made by", "proposes", "for example"),
            [
                (b["size"], " + ".join(b["values"]), b["rule"], "nothing" if b["is_refused"] else "pairs", b["example"])
                for b in kind["largest"][:largest]
            ],
            title=f"{kind['kind']}: largest blocks",
            right=(0,),
        )
        if kind["suggestions"]:
            _show_suggestions(output, kind["suggestions"])


def _show_rules(output: Output, kind: Mapping[str, Any]) -> None:
    output.heading(
        f"{kind['kind']}: {kind['records']} records, {kind['candidate_pairs']} pairs proposed, "
        f"{kind['matches']} matches among them"
    )
    if kind["points"] < kind["records"]:
        output.say(f"records that are alike in everything count once: {kind['points']}", style="dim")
    if kind["unproposed"]:
        output.say(f"{kind['unproposed']} matches are proposed by no rule as they stand now", style="yellow")
    working = sorted((rule for rule in kind["rules"] if rule["pairs"] or rule["refused"]), key=lambda r: -r["pairs"])
    output.table(
        ("rule", "keys", "pairs", "matches", "only here", "share", "refused blocks", "records in them"),
        [
            (r["rule"], r["keys"], r["pairs"], r["linked"], r["linked_only"], f"{r['share_only']:.1%}",
             r["refused"] or None, r["refused_records"] or None)
            for r in working
        ],
        title="Rules, the dearest first",
        right=(1, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    if idle := len(kind["rules"]) - len(working):
        output.say(f"{idle} more rules propose no pair here", style="dim")


def _show_suggestions(output: Output, found: Mapping[str, Any]) -> None:
    output.say(
        f"Of {found['looked_at']} pairs within one client {found['through_clusters']} are proposed by no rule "
        f"(they met through other records) and {found['single']} by a single one."
    )
    if not (found["add"] or found["drop"] or found["refine"]):
        output.say("Nothing is suggested.")
    if found["add"]:
        output.table(
            ("add", "pairs", "met through others", "by one rule only", "new links, estimated", "refused blocks"),
            [
                (f"- [{', '.join(a['rule'])}]", a["pairs"], a["through_clusters"], a["single"], a["new_links"],
                 a["refused"] or None)
                for a in found["add"]
            ],
            title=f"{found['kind']}: rules that would secure these pairs",
            right=(1, 2, 3, 4, 5),
        )  # fmt: skip
    if found["drop"]:
        output.table(
            ("take out", "pairs saved, at most", "matches that others propose too"),
            [(d["rule"], d["pairs"], d["linked"]) for d in found["drop"]],
            title=f"{found['kind']}: rules that cost much and find nothing alone (without all of these, too)",
            right=(1, 2),
        )
    if found["refine"]:
        output.table(
            ("rule with refused blocks", "blocks", "records", "largest", "refined", "pairs", "met", "still refused"),
            [
                (r["rule"], r["refused"], r["refused_records"], " + ".join(r["largest"]["values"]),
                 f"- [{', '.join(r['refined'])}]", r["pairs"], r["recovered"], r["still_refused"] or None)
                for r in found["refine"]
            ],
            title=f"{found['kind']}: refused blocks that a further value would divide",
            right=(1, 2, 5, 6, 7),
        )  # fmt: skip


def show_comparison(output: Output, report: CompareReport) -> None:
    """Counts by outcome, and the disagreements with what speaks for and against."""
    output.say(f"{report.records} records that both know: {report.ours} clients here, {report.theirs} there")
    output.table(
        ("outcome", "clients here", "clients there", "records"),
        [(outcome, found["ours"], found["theirs"], found["records"]) for outcome, found in report.extents.items()],
        right=(1, 2, 3),
    )
    if report.records_only_here:
        output.say(f"{report.records_only_here} records of the hub are not in the file.")
    if report.unknown_in_all:
        shown = ", ".join(report.unknown[:5])
        output.warn(f"{report.unknown_in_all} names of the file are unknown to the hub: {shown} ...")
    if not report.disagreements:
        output.say("No disagreement.", style="bold")
        return
    output.heading(
        f"{len(report.disagreements)} of {report.disagreements_in_all} disagreements, those with most impact first"
    )
    for number, one in enumerate(report.disagreements, 1):
        here, there = ("+".join(map(str, one[side][:8])) for side in ("ours", "theirs"))
        output.say(
            f"{number}. {one['outcome']}: {here} records here, {there} there; {one['records']} records, "
            f"{one['interactions']} interactions",
            style="bold",
        )
        output.say(f"   strongest pair  {_evidence(one['strongest'])}")
        if one["weakest"]["left"] != one["strongest"]["left"] or one["weakest"]["right"] != one["strongest"]["right"]:
            output.say(f"   weakest pair    {_evidence(one['weakest'])}")


def _evidence(told: Mapping[str, Any]) -> str:
    """One pair in a line: its bits, what says most, and the command that shows all."""
    command = f"onefold explain {told['left']} {told['right']}"
    if told["verdict"] is None:
        return f"{told['left']} {told['right']}: {told['missing']}"
    if told["verdict"] == "other_kind":
        return f"a person and an organisation, which only {told['joined_by']} join; {command}"
    findings = sorted((f for f in told["findings"] if f["bits"]), key=lambda finding: -abs(finding["bits"]))
    words = "; ".join(f"{finding['words']['en']} {finding['bits']:+.1f}" for finding in findings[:3])
    forbidden = " (forbidden)" if told["verdict"] == "forbidden" else ""
    joined = "one client here" if told["joined_by"] == "us" else "one client there"
    return f"{told['total_bits']:+.1f} of {told['link_bits']:.1f} bits{forbidden}, {joined}: {words}\n      {command}"


def show_import(output: Output, report: SplinkReport) -> None:
    """What was taken over, approximated, and has no counterpart; and what to do with it."""
    output.say(
        f"{len(report.taken)} parts taken over, {len(report.approximated)} approximated, "
        f"{len(report.without_counterpart)} without counterpart"
    )
    output.table(("taken over", "here"), [(one["place"], one["ours"]) for one in report.taken])
    if report.approximated:
        output.table(
            ("approximated", "theirs", "here", "how it differs"),
            [(one["place"], _short(one["theirs"]), one["ours"], one["why"]) for one in report.approximated],
        )
    if report.without_counterpart:
        output.table(
            ("without counterpart", "theirs", "why"),
            [(one["place"], _short(one["theirs"]), one["why"]) for one in report.without_counterpart],
        )
    output.say(f"wrote {report.settings_file}")
    if report.model_version is None:
        output.say("The file holds no trained weights: make the settings config/matching.yaml and `onefold train`.")
        return
    again = "" if report.is_new else ", as by an earlier import"
    output.say(f"Model {report.model_version} is saved and not in use{again}.")
    output.say(
        f"To use it: make {report.settings_file} config/matching.yaml, then onefold model use {report.model_version}",
        style="bold",
    )


def _short(condition: str, most: int = 60) -> str:
    """A condition as far as a table has room; `--json` has all of it."""
    return condition if len(condition) <= most else condition[: most - 3] + "..."

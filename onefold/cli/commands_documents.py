"""document: which papers of different registers are one sale, and people's word about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.app import app
from onefold.cli.commands_hub import By, Reason, login_name
from onefold.cli.opening import opened

if TYPE_CHECKING:
    from onefold.cli.output import Output

document_app = typer.Typer(
    name="document",
    help="Deals, orders, invoices and payments that record one business event: why, and a human's word about it.",
    no_args_is_help=True,
)
app.add_typer(document_app, name="document", rich_help_panel="Clients")
Left = Annotated[str, typer.Argument(help="A document: source:stream:key.")]
Right = Annotated[str, typer.Argument(help="The other document.")]
Language = Annotated[str, typer.Option("--lang", help="Words in English (en) or Russian (ru).")]


@document_app.command("show")
def show(ctx: typer.Context, record: Left, lang: Language = "en") -> None:
    """The business event of a document: all its papers, which of them counts, and the evidence in words and bits.

    Example: onefold document show accounting:invoices:INV-000074
    """
    from onefold.steps.documents import document

    with opened(ctx) as (context, output):
        found = document(context, record)
    output.data(found)
    output.table(
        ("document", "type", "on", "amount", "", "number", "client", "counts"),
        [
            (
                one["record"],
                one["type"],
                one["occurred_on"],
                one["amount"],
                one["currency"],
                one["document_number"],
                one["display_name"],
                "yes" if one["is_counted"] else "",
            )
            for one in found["documents"]
        ],
        title=f"Event {found['event_id']}",
        right=(3,),
    )
    _show_links(output, found["links"], lang)


@document_app.command("cases")
def cases(
    ctx: typer.Context, limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20, lang: Language = "en"
) -> None:
    """Pairs of documents that may be one event: too weak to link, too strong to drop. The largest amounts first."""
    from onefold.steps.documents import document_cases

    with opened(ctx) as (context, output):
        found = document_cases(context, limit)
    output.data(found)
    if not found:
        output.say("No documents wait for a word.")
        return
    _show_links(output, found, lang)
    output.say("Answer with: onefold document same LEFT RIGHT, or onefold document not-same LEFT RIGHT", style="dim")


@document_app.command("same")
def same(ctx: typer.Context, left: Left, right: Right, reason: Reason = "", by: By = None) -> None:
    """These two documents record one event, whatever the evidence says; it then counts once.

    Example: onefold document same crm:deals:70080 erp:orders:SO-2024-00119 --reason "asked the seller"
    """
    _judge(ctx, "same_document", left, right, reason, by)


@document_app.command("not-same")
def not_same(ctx: typer.Context, left: Left, right: Right, reason: Reason = "", by: By = None) -> None:
    """These two documents record different events, whatever the evidence says.

    Example: onefold document not-same crm:deals:70080 erp:orders:SO-2024-00119 --reason "two deliveries"
    """
    _judge(ctx, "not_same_document", left, right, reason, by)


def _judge(ctx: typer.Context, verdict: str, left: str, right: str, reason: str, by: str | None) -> None:
    from onefold.steps.documents import judge_documents

    with opened(ctx) as (context, output):
        report = judge_documents(context, verdict, left, right, reason=reason, by=by or login_name())
    output.data(report.as_dict())
    output.say(
        f"Judgement {report.judgement_id} ({verdict.replace('_', ' ')}): documents moved: "
        f"{report.publish.documents_changed}. To take it back: onefold judge undo {report.judgement_id}"
    )


def _show_links(output: Output, links: list[dict[str, Any]], lang: str) -> None:
    output.table(
        ("document", "other document", "", "bits", "evidence"),
        [
            (
                one["left"],
                one["right"],
                one["kind"] if one["status"] == "linked" else "?",
                f"{one['bits']:+.1f}",
                "; ".join(f"{f['words'][lang if lang == 'ru' else 'en']} {f['bits']:+.1f}" for f in one["findings"]),
            )
            for one in links
        ],
        right=(3,),
    )

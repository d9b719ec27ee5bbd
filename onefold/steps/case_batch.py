"""Cases that are decided together: one after the other, each by a judgement of its own that can be undone by itself.
What is not as it was seen is left out and named.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from onefold import logs
from onefold.errors import HubBusy, NothingFound, Stale, UsageError
from onefold.steps.case_desk import Word, propose
from onefold.steps.case_undo import who_undoes
from onefold.steps.judge import AsSeen, OpposingJudgements, judge, lift
from warehouse import case_batches, figures, runs
from warehouse.at_work import is_worked_at, worked_at

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

log: Final = logging.getLogger(__name__)
Turn = Callable[[], AbstractContextManager["Context"]]
"""The context for one decision, when it is its turn."""
SILENT_FOR: Final = timedelta(minutes=2)
"""One that has not come on for so long and that nobody is at was stopped; what it had done stands."""
_TURNS: Final = 600
"""How often a decision of a batch asks for its turn, a second apart, before it is given up."""
_REFUSED: Final = (
    (Stale, "stale"),
    (OpposingJudgements, "opposed"),
    (NothingFound, "unknown"),
    (UsageError, "refused"),
)


def begin(context: Context, kind: str, total: int, *, by: str) -> str:
    """The number of a new batch: `pattern`, `workbook` or `undo`. UsageError: there is nothing to decide."""
    if not total:
        raise UsageError("There is nothing to decide.")
    batch_id = str(uuid4())
    with context.connection("onefold batch") as conn:
        case_batches.begin(conn, batch_id, kind, by=by, at=context.clock(), total=total)
    return batch_id


def decide_all(
    context: Context, batch_id: str, words: Sequence[Word], *, by: str, turn: Turn | None = None,
    left_out: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[str]]:  # fmt: skip
    """Say each of these words; outcome -> cases: done, held, proposed, stale, opposed, unknown, refused, failed.

    `left_out`: what is known before not to be said, in the same form.
    """

    def said(word: Word) -> str:
        with (turn or _at_once(context))() as own:
            if propose(own, word, by=by):
                return "proposed"
            more: dict[str, Any] = {} if word.relationship is None else {"relationship": word.relationship}
            seen = AsSeen(word.case, word.seen, batch_id)
            report = judge(own, word.verdict, word.left, word.right, reason=word.reason, by=by, seen=seen, **more)
            return "held" if report.is_held else "done"

    return _one_by_one(context, batch_id, words, lambda word: word.case, said, left_out)


def undo_all(
    context: Context, batch_id: str, undone: str, *, by: str, turn: Turn | None = None
) -> dict[str, list[str]]:
    """Take back what batch `undone` decided and nobody has taken back since; `batch_id` is this one's own number."""

    def said(one: tuple[str, int]) -> str:
        whose = who_undoes(context, one[1], by=by)
        if whose is None:
            return "proposed"
        with (turn or _at_once(context))() as own:
            lift(own, one[1], reason="undone together with others", by=whose)
            return "done"

    return _one_by_one(context, batch_id, decisions(context, undone), lambda one: one[0], said)


def decisions(context: Context, batch_id: str) -> list[tuple[str, int]]:
    """Case and judgement of what a batch decided and is in force."""
    with context.connection("onefold batch") as conn:
        return case_batches.in_force(conn, batch_id)


def found(context: Context, batch_id: str) -> dict[str, Any]:
    """How far a batch has come, what became of its cases, `in_force`: how many of its decisions stand, and while it
    goes on `work`: the `steps` that are at work now and how many records wait for each (`waiting`: step, records).

    NothingFound: there is none.
    """
    with context.connection("onefold batch") as conn:
        batch = case_batches.find(conn, batch_id)
        if batch is None:
            raise NothingFound(f"There is no batch {batch_id}.")
        stands = len(case_batches.in_force(conn, batch_id))
        is_silent = batch["finished_at"] is None and context.clock() - batch["seen_at"] > SILENT_FOR
        # It may stand behind a run that takes its time.
        is_stopped = is_silent and not is_worked_at(conn, f"case batch {batch_id}")
        goes_on = batch["finished_at"] is None and not is_stopped
        work = {"steps": runs.at_work(conn), "waiting": figures.waiting(conn)} if goes_on else None
    return {
        **batch,
        "seen_at": batch["seen_at"].isoformat(),
        "in_force": stands,
        "is_stopped": is_stopped,
        "work": work,
    }


def _one_by_one(
    context: Context, batch_id: str, items: Sequence[Any], case_of: Callable[[Any], str], said: Callable[[Any], str],
    left_out: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[str]]:  # fmt: skip
    report = {outcome: list(cases) for outcome, cases in (left_out or {}).items()}
    with context.progress.stage("cases", total=len(items)) as stage, at_work(context, batch_id) as conn:
        for item in items:
            report.setdefault(_outcome(said, item), []).append(case_of(item))
            case_batches.came_on(conn, batch_id, report, at=context.clock(), is_over=False)
            stage.advance()
        case_batches.came_on(conn, batch_id, report, at=context.clock(), is_over=True)
    return report


def _outcome(said: Callable[[Any], str], item: Any) -> str:
    for _ in range(_TURNS):
        try:
            return said(item)
        except HubBusy:
            time.sleep(1)  # others decide too
        except Exception as error:
            outcome = outcome_of(error)
            if outcome == "failed":
                logs.tell(log, logging.ERROR, "batch.failed", "a decision failed", error=type(error).__name__)
            return outcome
    return "failed"


def outcome_of(error: BaseException) -> str:
    """What an error is told as in a report: stale, opposed, unknown, refused, failed."""
    return next((name for kind, name in _REFUSED if isinstance(error, kind)), "failed")


@contextmanager
def at_work(context: Context, batch_id: str) -> Iterator[psycopg.Connection]:
    """A connection by which everybody sees that somebody is at this batch, until the end of the block."""
    with context.connection("onefold batch") as conn, worked_at(conn, f"case batch {batch_id}"):
        yield conn


def end(context: Context, batch_id: str, outcome: str, case: str) -> None:
    """The one case of a batch is through."""
    with context.connection("onefold batch") as conn:
        case_batches.came_on(conn, batch_id, {outcome: [case]}, at=context.clock(), is_over=True)


def _at_once(context: Context) -> Turn:
    @contextmanager
    def turn() -> Iterator[Context]:
        yield context

    return turn

"""The thin seam between a task and a step: open a context, call, return the report."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from onefold.context import Context

log = logging.getLogger(__name__)

CODES: Final = frozenset(
    {"at_priors", "closed", "error_class", "kind", "not_served", "opened", "remapped_streams", "retry_at", "schemes"}
    | {"source", "status", "stream", "vacuumed"}
)
"""Of a report, what is a code, a name of the configuration or a moment, or a list of them."""
COUNTS: Final = frozenset({"deleted", "events", "records", "told", "verdicts"})
"""What is a number for each such name."""
PARTS: Final = frozenset({"effect", "publish", "resolve", "streams", "used"})
"""What is a report itself, or several."""
MOST: Final = 100
"""Entries of a list or a mapping that travel; what is behind them stays."""
_CODE: Final = re.compile(r"[\w.:+-]{1,120}", re.ASCII)
"""Without spaces and in Latin letters: no sentence, and no name as registers write it."""


@contextmanager
def hub(source: str | None = None) -> Iterator[Context]:
    """The hub with the secrets of `source`, as Airflow's connections and variables and the environment name them."""
    from dags.secrets import hub_environment, hub_settings
    from onefold.context import open_context

    with open_context(hub_settings()) as context:
        environ = hub_environment(context.configuration, source, context.environ)
        yield replace(context, environ=environ)


def call_step(
    name: str, *, keys: Sequence[str] = (), skips: tuple[type[Exception], ...] = (), **arguments: Any
) -> dict[str, Any]:
    """Run a step of `onefold.steps` (`name`, or `module:name`) in a context of its own; what of its report may travel.

    `keys` name the notices that are over when the step has ended well. Raises AirflowFailException where another try
    cannot help, AirflowException where it may, AirflowSkipException for the errors of `skips`, HubBusy where another
    process is at the same.
    """
    module, _, function = name.rpartition(":")
    step = getattr(import_module(f"onefold.steps.{module or name}"), function)

    def work() -> dict[str, Any]:
        with hub(arguments.get("source")) as context:
            report: dict[str, Any] = step(context, **arguments).as_dict()
            _refuse_what_failed(report)
            # What a source put off is not well again yet.
            if keys and all(one["status"] != "deferred" for one in streams_of(report)):
                from onefold.steps.orchestrated import settle

                settle(context, *keys)
        return report

    return travelling(told(function, work, skips))


def told(name: str, work: Callable[[], dict[str, Any]], skips: tuple[type[Exception], ...] = ()) -> dict[str, Any]:
    """What `work` gives; its errors as Airflow acts on them, with the message that a data engineer needs."""
    import psycopg
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

    from onefold.errors import HubBusy
    from onefold.failures import describe, frames, is_expected

    try:
        return work()
    except (AirflowException, HubBusy):
        raise
    except psycopg.Error as error:
        # Task logs show the whole message, and PostgreSQL's DETAIL quotes the row's values.
        raise AirflowException(f"{name}: the hub's database says: {describe(error)}") from None
    except skips as error:
        raise AirflowSkipException(f"{name}: {describe(error)}") from None
    except Exception as error:
        if not is_expected(error):
            # Frames only: what the exception says may quote a record.
            log.error("%s: %s\n%s", name, type(error).__name__, frames(error.__traceback__))
        kind = AirflowException if is_retriable(error) else AirflowFailException
        raise kind(f"{name}: {describe(error)}") from None


def is_retriable(error: BaseException) -> bool:
    """Another try, a little later, may find it otherwise: a busy or absent database, a full disk, no memory."""
    from onefold.errors import NewerHub
    from onefold.failures import EXIT_DATABASE, EXIT_TRY_AGAIN, exit_code

    if isinstance(error, NewerHub):
        return False
    return exit_code(error) in (EXIT_TRY_AGAIN, EXIT_DATABASE) or isinstance(error, OSError | MemoryError)


def _refuse_what_failed(report: Mapping[str, Any]) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    streams = streams_of(report)
    # A person has to decide: another try would find the same.
    held = [str(stream["error"]) for stream in streams if stream["status"] == "held"]
    if report.get("held"):
        held.append(str(report["held"]["message"]))
    if held:
        raise AirflowFailException("; ".join(held))
    failed = [stream for stream in streams if stream["status"] == "failed"]
    if failed:
        message = "; ".join(str(stream["error"]) for stream in failed)
        retriable = all(stream["error_class"] == "RetriableError" for stream in failed)
        raise (AirflowException if retriable else AirflowFailException)(message)


def streams_of(report: Any) -> Sequence[Mapping[str, Any]]:
    """What a sync's report says of each stream; of other steps nothing."""
    streams = report.get("streams") if isinstance(report, Mapping) else None
    return streams if isinstance(streams, list | tuple) else ()


def travelling(report: Mapping[str, Any]) -> dict[str, Any]:
    """What of a report goes through XCom into Airflow's database: numbers, and what is named above. All else, whatever
    a step may come to report, stays in `ops.run`: it may be long, or name a client.
    """
    found: dict[str, Any] = {}
    for name, value in islice(report.items(), MOST):
        if not _is_code(name):
            continue
        if _is_number(value):
            found[name] = value
        elif name in PARTS and isinstance(value, Mapping):
            found[name] = travelling(value)
        elif name in PARTS and isinstance(value, list | tuple):
            found[name] = [travelling(one) for one in value[:MOST] if isinstance(one, Mapping)]
        elif name in COUNTS and isinstance(value, Mapping):
            counts = [(key, number) for key, number in value.items() if _is_code(key) and _is_number(number)]
            found[name] = dict(counts[:MOST])
        elif name in CODES and isinstance(value, list | tuple):
            found[name] = [one for one in value if _is_code(one)][:MOST]
        elif name in CODES and _is_code(value):
            found[name] = value
    return found


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None

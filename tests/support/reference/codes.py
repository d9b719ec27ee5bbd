"""Exit codes as a page: what each means, and the errors that end with it, with what they say of themselves."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from onefold.failures import exit_code

MEANINGS = {
    0: "done",
    1: "something failed; of a run: at least one source, the others are up to date",
    2: "wrong usage",
    3: "the configuration has mistakes, a secret is missing, or an engine or extra that is asked for is not installed",
    4: "no such client, record, source or stream",
    5: "a source refused its credentials",
    6: "the hub's database; or a newer version has migrated it",
    7: "a run would change too much and is held for your decision: [change limits](../safety.md)",
    8: "`onefold version --check`: the hub is behind",
    9: "`onefold version --check`: the hub is newer",
    10: "the change feed is no longer kept from where you want to go on: read anew",
    11: "what was decided on is not as it was: look again",
    75: "try again later: busy, or the source asked for a pause",
    130: "stopped by Ctrl-C",
}


def codes_page() -> str:
    """The table of codes, then the classes by code."""
    lines = [
        "# Exit codes",
        "",
        "Made from the code by `python -m tests.support.reference`. With `--json` an error is one JSON object on standard",
        "error, with its class as `error`, its `message` and its `exit_code`.",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()),
        "",
        "A scheduler tells a person of 1, 3, 5, 6 and 7, and tries again by itself after 75.",
        "",
        "## Errors by code",
        "",
        "| code | error | what it says of itself |",
        "|---|---|---|",
    ]
    found = {error for package in ("onefold", "connectors", "warehouse") for error in _errors(package)}
    # 1 is what everything else ends with, and tells a scheduler nothing more.
    for error in sorted(
        (one for one in found if _code(one) != 1), key=lambda one: (_code(one), one.__name__, one.__module__)
    ):
        about = " ".join((error.__doc__ or "").split()).replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| {_code(error)} | `{error.__name__}` | {about} |")
    return "\n".join(lines) + "\n"


def _code(error: type[Exception]) -> int:
    return exit_code(error.__new__(error))


def _errors(package: str) -> Iterator[type[Exception]]:
    for module in _modules(importlib.import_module(package)):
        for value in vars(module).values():
            known = isinstance(value, type) and issubclass(value, Exception) and value.__module__ == module.__name__
            if known and not value.__name__.startswith("_"):
                yield value


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if info.name.endswith("__main__") or ".versions" in info.name or info.name.endswith(".env"):
            continue
        yield importlib.import_module(info.name)

"""The hub's address and the sources' secrets from Airflow: connections, variables, and any secrets backend behind them.

What the process's own environment (or the `.env` file beside config/) says is used as it is, and Airflow is not asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.settings import Settings

HUB: Final = "onefold"
"""The connection that names the hub's database."""

_known: Final[list[str]] = []


def known_address() -> str | None:
    """The database's URL, without asking Airflow: of the environment, or what `hub_settings` found in this process."""
    from onefold.settings import Settings

    return Settings.from_environment(os.environ, {}).database_url or next(iter(_known), None)


def hub_settings() -> Settings:
    """Where the hub is: ONEFOLD_DATABASE_URL, else the connection `onefold`, else (ONEFOLD_HOME) an embedded server.

    AirflowFailException where none of the three is there: an empty hub would be made beside whatever runs the task.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from onefold.settings import Settings

    settings = Settings.from_environment(os.environ, {})
    if settings.database_url:
        return settings
    found = _connection(HUB)
    if found is not None:
        address = address_of(found)
        _known.append(address)
        return Settings.from_environment(os.environ, {"database_url": address})
    if not os.environ.get("ONEFOLD_HOME"):
        raise AirflowFailException(
            f"Nothing says where the hub is. Make the connection `{HUB}` (type postgres) in Airflow or its secrets "
            "backend, or set ONEFOLD_DATABASE_URL; ONEFOLD_HOME where every task runs on one machine."
        )
    return settings


def address_of(connection: Any) -> str:
    """The URL by which PostgreSQL's library connects; the connection's extras are its parameters (`sslmode`).

    Airflow's own `get_uri` puts extras that are not all text into one of a name that only Airflow knows; those of
    its database and of secrets backends have numbers.
    """
    who = quote(connection.login or "", safe="")
    if connection.password:
        who += f":{quote(connection.password, safe='')}"
    where = quote(connection.host or "", safe=",[]:") + (f":{connection.port}" if connection.port else "")
    extras = connection.extra_dejson.items()
    more = urlencode({name: int(value) if isinstance(value, bool) else value for name, value in extras})
    place = f"{who}@{where}" if who else where
    return f"postgresql://{place}/{quote(connection.schema or '', safe='')}{'?' if more else ''}{more}"


def hub_environment(configuration: Configuration, source: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with what `${NAME}` in the settings of `source`, and in `notifications`, stands for in Airflow.

    A name of a source's is looked up in the extras of the connection `onefold_SOURCE`, then as a variable. What is
    nowhere stays out: the step says which names are missing.
    """
    from onefold.configuration import environment
    from onefold.configuration.secrets import secret_names

    known = environment(_folder(), environ)
    found: dict[str, str] = {}
    if source is not None and source in configuration.sources:
        wanted = _missing(secret_names(configuration.sources[source].settings), known)
        if wanted:
            connection = _connection(configuration.sources[source].pool)
            extras = connection.extra_dejson if connection is not None else {}
            found |= {name: str(extras[name]) for name in wanted if name in extras}
            found |= _variables(name for name in wanted if name not in found)
    found |= _variables(_missing(secret_names(configuration.hub.notifications.model_dump()), {**known, **found}))
    _mask(found)
    return {**environ, **found}


def _folder() -> Any:
    from onefold.settings import Settings

    return Settings.from_environment(os.environ, {}).config


def _missing(names: Iterable[str], known: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name not in known]


def _variables(names: Iterable[str]) -> dict[str, str]:
    from airflow.sdk import Variable

    found = {name: Variable.get(name, default=None) for name in names}
    return {name: str(value) for name, value in found.items() if value is not None}


def _connection(name: str) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return None


def _mask(values: Mapping[str, str]) -> None:
    """Airflow writes stars in the task's log wherever one of these would stand."""
    from airflow.sdk.log import mask_secret

    for value in values.values():
        mask_secret(value)

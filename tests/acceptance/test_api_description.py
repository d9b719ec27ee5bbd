"""The OpenAPI description of the API is true: what is sent by it is answered as it says, and never by a fault."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import CHECKS

from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.hub import Hub
from tests.support.served import served, token

WHAT_HOLDS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
SCOPES = ("clients", "values", "match", "changes", "cases", "judge")


@pytest.fixture(scope="module")
def description(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[schemathesis.BaseSchema, str]]:
    """The description of a served hub, and a token that may ask all of it."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("described"), url)
        fill(hub)
        hub.run()
        with served(hub.settings) as address:
            found = schemathesis.openapi.from_url(f"{address}/v1/openapi.json")
            yield found, token(hub.settings, "schemathesis", SCOPES)


def test_whatever_the_description_allows_is_answered_as_it_says(
    description: tuple[schemathesis.BaseSchema, str],
) -> None:
    schema, secret = description
    operations = [one.ok() for one in schema.get_all_operations()]
    assert {one.path for one in operations} == {
        "/v1/clients",
        "/v1/clients/{client_id}",
        "/v1/clients/{client_id}/interactions",
        "/v1/clients/{client_id}/explain",
        "/v1/clients/{client_id}/as-of",
        "/v1/clients/{client_id}/as-client",
        "/v1/concerns",
        "/v1/concerns/{name}",
        "/v1/concerns/{name}/acknowledge",
        "/v1/segments",
        "/v1/segments/{scheme}/{segment}/clients",
        "/v1/fixes",
        "/v1/loyalty",
        "/v1/metrics",
        "/v1/fixes/counts",
        "/v1/match",
        "/v1/changes",
        "/v1/cases",
        "/v1/judgements",
        "/v1/judgements/{judgement_id}",
        "/v1/judgements/{judgement_id}/undo",
    }
    for operation in operations:

        @hypothesis.settings(
            max_examples=20, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(
                headers={"Authorization": f"Bearer {secret}"},
                checks=[CHECKS.get_one(name) for name in WHAT_HOLDS],
                timeout=60,
            )

        ask()

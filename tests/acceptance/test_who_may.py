"""Every route of the application says who may, and holds to it: nobody, whoever has no such right, a form from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute

from onefold.context import open_context
from onefold.steps.accounts import SCOPES, create_token
from onefold.web.asking import OF_ROLE
from onefold.web.console.session import form_key
from tests.support import database as databases
from tests.support.console_hub import Place, people
from tests.support.hub import Hub
from tests.support.served import served, token
from tests.support.walking import routes

PUBLIC, SIGNED_IN = "public", "signed in"
NEEDS: Final = {
    "GET /health/live": PUBLIC,
    "GET /health/ready": PUBLIC,
    "GET /static/{name}": PUBLIC,
    "GET /sign-in": PUBLIC,
    "GET /oidc": PUBLIC,
    "GET /oidc/back": PUBLIC,
    "POST /sign-in": PUBLIC,
    "GET /sign-in/{secret}": PUBLIC,
    "POST /sign-out": SIGNED_IN,
    "POST /language": SIGNED_IN,
    "GET /": SIGNED_IN,
    "GET /v1/clients": "clients",
    "GET /v1/clients/{client_id}": "clients",
    "GET /v1/clients/{client_id}/interactions": "clients",
    "GET /v1/clients/{client_id}/explain": "clients",
    "GET /v1/clients/{client_id}/as-of": "clients",
    "GET /v1/clients/{client_id}/as-client": "clients",
    "GET /v1/metrics": "clients",
    "GET /v1/loyalty": "clients",
    "GET /v1/concerns": "clients",
    "GET /v1/concerns/{name}": "clients",
    "POST /v1/concerns/{name}/acknowledge": "judge",
    "GET /v1/segments": "clients",
    "GET /v1/segments/{scheme}/{segment}/clients": "clients",
    "GET /v1/fixes": "clients",
    "GET /v1/fixes/counts": "clients",
    "POST /v1/match": "match",
    "GET /v1/changes": "changes",
    "GET /v1/cases": "cases",
    "POST /v1/judgements": "judge",
    "GET /v1/judgements/{judgement_id}": "judge",
    "POST /v1/judgements/{judgement_id}/undo": "judge",
    "GET /clients": "clients",
    "GET /clients/{client_id}": "clients",
    "GET /clients/{client_id}/print": "clients",
    "GET /clients/{client_id}/why/{attribute}": "clients",
    "GET /clients/{client_id}/explain": "clients",
    "GET /clients/{client_id}/story/{record_id}": "clients",
    "GET /clients/{client_id}/raw/{record_id}": "clients",
    "GET /clients/{client_id}/history": "clients",
    "POST /clients/{client_id}/judgements/{judgement_id}/undo": "judge",
    "GET /fix": "clients",
    "GET /fix.xlsx": "clients",
    "GET /cases": "cases",
    "GET /cases/next": "cases",
    "GET /metrics": "metrics",
    "GET /quality/invalid": "cases",
    "GET /quality/generic": "cases",
    "GET /sources": "cases",
    "GET /sources/{name}": "cases",
    "GET /sources/{name}/rejects": "cases",
    "GET /held/{run_id}": "cases",
    "POST /held/{run_id}": "admin",
    "GET /model": "cases",
    "GET /overlap": "clients",
    "GET /clients/{client_id}/needs/{need}": "clients",
    "GET /clients/{client_id}/as-client": "clients",
    "GET /measures": "clients",
    "GET /measures/{name}": "clients",
    "GET /concerns": "clients",
    "GET /concerns/{name}": "clients",
    "POST /concerns/{name}/acknowledge": "judge",
    "GET /segments": "clients",
    "GET /segments/{scheme}": "clients",
    "GET /segments/{scheme}/map": "clients",
    "GET /segments/{scheme}/check": "clients",
    "GET /segments/{scheme}/mirror": "clients",
    "GET /segments/{scheme}/clients": "clients",
    "GET /cases/patterns": "cases",
    "GET /cases/patterns/{pattern}": "cases",
    "POST /cases/patterns/{pattern}": "judge",
    "GET /cases/batches/{batch}": "cases",
    "POST /cases/batches/{batch}/undo": "judge",
    "GET /cases/workbook": "cases",
    "GET /cases/workbook.xlsx": "cases",
    "POST /cases/workbook": "judge",
    "POST /cases/workbook/apply": "judge",
    "GET /cases/planner": "cases",
    "GET /cases/planner.svg": "cases",
    "POST /cases/{case}/assign": "judge",
    "POST /cases/{case}/defer": "judge",
    "POST /cases/{case}/comment": "judge",
    "POST /cases/{case}/answer": "judge",
    "GET /cases/{case}": "cases",
    "POST /cases/{case}": "judge",
    "POST /cases/{case}/reveal": "judge",
    "POST /cases/{case}/would/{verdict}": "judge",
    "GET /cases/{case}/before": "cases",
    "GET /cases/{case}/cut": "judge",
    "GET /keys": SIGNED_IN,
    "POST /judgements/{judgement_id}/undo": "judge",
    "GET /judgements/{judgement_id}/would": "judge",
}
"""What each route needs. A new one is entered here: whoever adds it says who may."""
ROLES: Final = {"ron": "reader", "eve": "steward", "amy": "admin"}


@pytest.fixture(scope="module")
def place(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An empty hub: who is refused is refused before anything is looked for."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("may"), url)
        people(hub)
        with served(hub.settings) as address:
            yield Place(hub, address)


def named(route: APIRoute) -> str:
    (method,) = route.methods
    return f"{method} {route.path}"


def is_for_programs(route: APIRoute) -> bool:
    """Asked with a token; else by a person in a browser."""
    return route.path.startswith(("/v1/", "/metrics"))


def some(annotation: Any) -> Any:
    """A value that fits a parameter."""
    if get_origin(annotation) is not None and not isinstance(annotation, type):
        options = [one for one in get_args(annotation) if one is not type(None)]
        return options[0] if isinstance(options[0], str) else some(options[0])
    return {int: "1", UUID: str(UUID(int=7)), bool: "true"}.get(annotation, "x")


def asked(route: APIRoute, key: str | None = None) -> dict[str, Any]:
    """A request that fits this route's description: path, query, and form or document."""
    path = route.path
    for one in route.dependant.path_params:
        path = path.replace(f"{{{one.name}}}", str(some(one.field_info.annotation)))
    query = {
        one.alias: some(one.field_info.annotation)
        for one in route.dependant.query_params
        if one.field_info.is_required()
    }
    request: dict[str, Any] = {"method": next(iter(route.methods)), "url": path, "params": query}
    if request["method"] == "POST" and path.startswith("/v1/"):
        request["json"] = {
            "/v1/match": {"kind": "person", "attributes": {}},
            "/v1/judgements": {"verdict": "same", "left": ["a:b:c"], "right": ["a:b:d"]},
        }.get(path, {})
    elif request["method"] == "POST":
        form = {
            one.alias: some(one.field_info.annotation)
            for one in route.dependant.body_params
            if one.field_info.is_required()
        }
        request["data"] = {**form, "key": key or ""}
    return request


def test_every_route_says_who_may() -> None:
    assert {named(one) for one in routes()} - NEEDS.keys() == set(), "say in NEEDS who may, and show it there"


def test_who_is_not_signed_in_gets_nothing_but_the_door(place: Place) -> None:
    # Through a proxy, as all are who are not on this machine: its figures are open to who is.
    with httpx.Client(base_url=place.address, timeout=60, headers={"Via": "1.1 proxy"}) as nobody:
        for route in routes():
            answer = nobody.request(**asked(route))
            if NEEDS[named(route)] == PUBLIC:
                assert answer.status_code not in (401, 500) and "sign-in" not in answer.headers.get("location", ""), (
                    named(route)
                )
            elif is_for_programs(route):
                assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer", named(route)
            else:
                assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?to="), named(route)


def test_who_has_not_the_right_is_refused_wherever_they_ask(place: Place) -> None:
    tried = 0
    for login, role in ROLES.items():
        cookie = place.cookie(login)
        with httpx.Client(base_url=place.address, timeout=60, cookies={"onefold_session": cookie}) as visitor:
            for route in routes():
                need = NEEDS[named(route)]
                if need in (PUBLIC, SIGNED_IN) or is_for_programs(route):
                    continue
                answer = visitor.request(**asked(route, form_key(cookie)))
                is_refused = answer.status_code == 403 and f"`{need}`" in answer.text
                assert is_refused is (need not in OF_ROLE[role]), f"{login}, {named(route)}: {answer.status_code}"
                tried += 1
    with open_context(place.hub.settings) as context, httpx.Client(base_url=place.address, timeout=60) as program:
        for need in sorted(set(NEEDS.values()) & set(SCOPES)):
            others = sorted(set(SCOPES) - {need})
            made = create_token(context, f"not {need}", others, purpose="tests", by="tester", valid_for=None)
            program.headers["Authorization"] = f"Bearer {made.token}"
            for route in routes():
                if is_for_programs(route) and NEEDS[named(route)] == need:
                    answer = program.request(**asked(route))
                    assert answer.status_code == 403 and f"`{need}`" in answer.json()["detail"], named(route)
                    tried += 1
    assert tried > 20


def test_a_form_that_no_page_of_the_session_holds_does_nothing_on_any_route(place: Place) -> None:
    cookie, other = place.cookie("adm"), place.cookie("eve")
    with httpx.Client(base_url=place.address, timeout=60, cookies={"onefold_session": cookie}) as admin:
        for route in routes():
            if route.methods != {"POST"} or NEEDS[named(route)] == PUBLIC or is_for_programs(route):
                continue
            for key in ("", "0" * 64, form_key(other)):
                answer = admin.request(**asked(route, key))
                assert answer.status_code == 403 and "This form is not of a page of this session" in answer.text, named(
                    route
                )


def test_a_session_is_no_token_and_a_token_no_session(place: Place) -> None:
    cookie = place.cookie("adm")
    secret = token(place.hub.settings, "everything", ("clients", "values", "cases", "judge"))
    with httpx.Client(base_url=place.address, timeout=60) as one:
        for answer in (
            one.get("/v1/cases", headers={"Cookie": f"onefold_session={cookie}"}),
            one.get("/v1/cases", headers={"Authorization": f"Bearer {cookie}"}),
            one.get("/v1/cases", params={"token": secret, "access_token": secret}),
            one.get("/v1/cases", headers={"Authorization": f"Basic {secret}"}),
        ):
            assert answer.status_code == 401
        assert one.get("/cases", headers={"Authorization": f"Bearer {secret}"}).status_code == 303
        assert one.get("/cases", headers={"Cookie": f"onefold_session={secret}"}).status_code == 303

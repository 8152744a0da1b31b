from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from sqlmodel import SQLModel

from app.permissions import Role, Scope
from tests.conftest import connect
from tests.contract.campaign import API, Campaign
from tests.factories import Workshop

pytestmark = pytest.mark.anyio

SAVES_NOTHING = {("POST", f"{API}/merge/preview"), ("POST", f"{API}/approved/batch")}
BODIES = {
    "/pages": {"title": "Trains", "text": "Trains.\n"},
    "/pages/{slug}": {"title": "Homes"},
    "/pages/{slug}/revisions": {"base": 1, "text": "Words.\n"},
    "/pages/{slug}/drafts": {},
    "/drafts/{draft_id}/revisions": {"base": 1, "text": "Words.\n"},
    "/drafts/{draft_id}/join": {"with": 1},
    "/drafts/{draft_id}/autosave": {"base": 1, "text": "Words.\n"},
    "/pages/{slug}/hold": {"reason": "Wrong."},
    "/pages/{slug}/release": {"reason": "Checked."},
    "/pages/{slug}/correct": {"revision": 1, "reason": "Wrong."},
    "/pages/{slug}/withdraw": {"reason": "Wrong."},
    "/pages/{slug}/restore": {"reason": "Right after all."},
    "/webhooks": {"url": "https://192.0.2.1/hook"},
    "/webhooks/{webhook_id}": {"enabled": False},
    "/webhooks/{webhook_id}/redeliver": {"delivery": 1},
    "/tokens": {"scopes": ["read"]},
    "/voidings": {"member": "bob", "void": True, "reason": "Not one person."},
    "/rule/changes": {"setting": "vouches", "value": 3, "reason": "Be careful."},
    "/revisions/{revision_id}/vote": {"value": "support", "sha256": "0" * 64},
    "/revisions/{revision_id}/answer": {"value": "support"},
}


def writing_routes(campaign: Campaign) -> Iterator[tuple[str, str, Scope]]:
    """Method, path and scope of every route of the API that writes, as the OpenAPI document names them."""
    paths = campaign.app.openapi()["paths"]
    for route in iter_route_contexts(campaign.app.routes):
        for method in sorted(route.methods or ()):
            path = route.path or ""
            if path.startswith(API) and method not in ("GET", "HEAD") and (method, path) not in SAVES_NOTHING:
                yield method, path, Scope(paths[path][method.lower()]["security"][0]["token"][0])


def address(campaign: Campaign, path: str) -> str:
    known = {"draft_id": campaign.fork, "revision_id": campaign.candidate, "change_id": 1, "token_id": 1}
    return path.format(slug="housing", name="bob", webhook_id=1, **known)


def test_the_routes_that_write_are_known_by_name(campaign: Campaign) -> None:
    found = {(method, path.removeprefix(API)) for method, path, _ in writing_routes(campaign)}
    assert found >= {
        ("POST", "/pages"),
        ("PATCH", "/pages/{slug}"),
        ("POST", "/pages/{slug}/revisions"),
        ("POST", "/pages/{slug}/drafts"),
        ("POST", "/drafts/{draft_id}/revisions"),
        ("PUT", "/drafts/{draft_id}/autosave"),
        ("DELETE", "/drafts/{draft_id}/autosave"),
        ("POST", "/drafts/{draft_id}/update"),
        ("POST", "/drafts/{draft_id}/join"),
        ("POST", "/drafts/{draft_id}/withdraw"),
        ("POST", "/drafts/{draft_id}/reopen"),
        ("POST", "/drafts/{draft_id}/put-forward"),
        ("PUT", "/revisions/{revision_id}/vote"),
        ("DELETE", "/revisions/{revision_id}/vote"),
        ("POST", "/pages/{slug}/hold"),
        ("POST", "/pages/{slug}/release"),
        ("POST", "/pages/{slug}/correct"),
        ("POST", "/pages/{slug}/withdraw"),
        ("POST", "/pages/{slug}/restore"),
        ("POST", "/pages/{slug}/rapid"),
        ("POST", "/webhooks"),
        ("PATCH", "/webhooks/{webhook_id}"),
        ("DELETE", "/webhooks/{webhook_id}"),
        ("POST", "/webhooks/{webhook_id}/redeliver"),
        ("POST", "/webhooks/{webhook_id}/test"),
        ("POST", "/webhooks/{webhook_id}/rotate-secret"),
        ("POST", "/rule/changes"),
        ("POST", "/voidings"),
        ("POST", "/rule/changes/{change_id}/confirm"),
        ("DELETE", "/rule/changes/{change_id}"),
    }


async def test_nobody_writes_without_signing_in(campaign: Campaign) -> None:
    async with connect(campaign.app) as client:
        for method, path, _ in writing_routes(campaign):
            answer = await client.request(method, address(campaign, path), json=BODIES.get(path.removeprefix(API)))
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/sign-in-needed"), (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_token_without_the_scope_writes_nothing(campaign: Campaign) -> None:
    workshop = Workshop(campaign.app.state.database, campaign.app.state.follower)
    owner = campaign.owner
    for method, path, scope in writing_routes(campaign):
        token = workshop.token(owner, *(set(Scope) - {scope}))
        async with connect(campaign.app, token) as client:
            answer = await client.request(method, address(campaign, path), json=BODIES.get(path.removeprefix(API)))
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope-missing"), (method, path)
        assert f"“{scope}”" in answer.json()["detail"]


async def test_only_writers_make_and_rename_pages(campaign: Campaign) -> None:
    workshop = Workshop(campaign.app.state.database, campaign.app.state.follower)
    async with connect(campaign.app, workshop.token(workshop.member("dora", role=Role.MEMBER))) as client:
        made = await client.post(f"{API}/pages", json=BODIES["/pages"])
        renamed = await client.patch(f"{API}/pages/housing", json=BODIES["/pages/{slug}"])
    for answer in (made, renamed):
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
        assert "writers" in answer.json()["detail"]


async def test_a_token_that_does_not_work_is_an_error_where_it_matters(campaign: Campaign) -> None:
    async with connect(campaign.app, "mw_nonsense") as client:
        for answer in (await client.get(f"{API}/me"), await client.post(f"{API}/pages", json=BODIES["/pages"])):
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-refused")


async def test_a_caller_can_ask_who_they_are(campaign: Campaign) -> None:
    async with connect(campaign.app, campaign.token) as client:
        found = (await client.get(f"{API}/me")).json()
    assert found.pop("votes_count_from").endswith("Z")
    assert found == {"name": "anna", "role": "writer", "chapter": "north", "scopes": ["read", "write"]}


def test_no_table_stands_in_a_signature(campaign: Campaign) -> None:
    for route in iter_route_contexts(campaign.app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            types = [field.field_info.annotation for field in dependant.body_params]
            types.append(getattr(route, "response_model", None))
            assert not any(isinstance(found, type) and issubclass(found, SQLModel) for found in types), route.path

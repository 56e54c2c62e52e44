"""What the studio does by hand, and that it lasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.tokens import Viewer
from subgraphs.kernel.pagination import PageRequest
from tests.subgraphs.titles.conftest import ADULT, STUDIO, OpenService, Service

TITLES = "query($of: [_Any!]!) { _entities(representations: $of) { __typename } }"


async def entities(service: Service, viewer: Viewer, *of: dict[str, str]) -> list[Any]:
    found: list[Any] = (await service.data(TITLES, viewer, of=list(of)))["_entities"]
    return found


CREATE = """mutation($input: CreateTitleInput!) { createTitle(input: $input) { __typename
  ... on CreateTitleSuccess { title { id displayName kind mediaStatus isKids certificate { code minimumAge } genres { id } } }
  ... on NotPermitted { message } ... on InvalidInput { fields { path message } } } }"""
WITHDRAW = """mutation($id: ID!) { withdrawTitle(id: $id) { __typename ... on WithdrawTitleSuccess { id }
  ... on NotPermitted { message } ... on TitleNotFound { titleId } } }"""


async def test_the_studio_creates_and_withdraws(own_service: Service) -> None:
    """A new film is there for everybody at once, also in search; a withdrawn one for nobody; both are on record."""
    given = {"displayName": "The Paper Moth", "genres": ["Drama", "Drama"], "certificate": "PG-13", "releaseYear": 2026}
    created = (await own_service.data(CREATE, STUDIO, input=given))["createTitle"]["title"]
    title_id = created.pop("id")
    assert created == {
        "displayName": "The Paper Moth",
        "kind": "MOVIE",
        "mediaStatus": "NONE",
        "isKids": False,
        "certificate": {"code": "PG-13", "minimumAge": 13},
        "genres": [{"id": "gen_drama"}],
    }
    await own_service.settled()
    search = '{ search(query: "paper moth") { edges { node { id } } } }'
    assert title_id == (await own_service.data(search))["search"]["edges"][0]["node"]["id"]
    again = await own_service.data(WITHDRAW, STUDIO, id=title_id)
    assert {"__typename": "WithdrawTitleSuccess", "id": title_id} == again["withdrawTitle"]
    await own_service.settled()
    assert title_id not in str(await own_service.data(search))
    assert await entities(own_service, ADULT, {"__typename": "Title", "id": title_id}) == [None]
    assert (await own_service.data(WITHDRAW, STUDIO, id=title_id))["withdrawTitle"]["__typename"] == "TitleNotFound"
    entries = await own_service.resources.store.audit_entries(title_id, PageRequest(10))
    assert {"create", "withdraw"} == {entry.action for entry in entries}


async def test_withdrawing_a_series_withdraws_its_episodes(own_service: Service) -> None:
    """Nothing of it is left."""
    await own_service.data(WITHDRAW, STUDIO, id="ser_fantomas-1913")
    found = await entities(
        own_service,
        ADULT,
        {"__typename": "Title", "id": "ser_fantomas-1913"},
        {"__typename": "Title", "id": "epi_fantomas-1913-s1e1"},
        {"__typename": "Season", "id": "sea_fantomas-1913-s1"},
    )
    assert found == [None, None, None]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("viewer", [ADULT, None, replace(STUDIO, scopes=frozenset())])
async def test_others_may_not_change_the_catalogue(service: Service, viewer: Viewer | None) -> None:
    """A typed refusal, whoever it is that is not the studio."""
    created = await service.data(CREATE, viewer, input={"displayName": "Mine"})
    withdrawn = await service.data(WITHDRAW, viewer, id="mov_cops-1922")
    assert "NotPermitted" == created["createTitle"]["__typename"] == withdrawn["withdrawTitle"]["__typename"]
    assert (await service.data('{ title(id: "mov_cops-1922") { id } }'))["title"] is not None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"displayName": "  "}, "input.displayName"),
        ({"displayName": "x" * 501}, "input.displayName"),
        ({"displayName": "A", "synopsis": "x" * 5_001}, "input.synopsis"),
        ({"displayName": "A", "releaseYear": 1700}, "input.releaseYear"),
        ({"displayName": "A", "genres": ["x"] * 11}, "input.genres"),
        ({"displayName": "A", "genres": [" "]}, "input.genres"),
        ({"displayName": "A", "certificate": "XXX"}, "input.certificate"),
        ({"displayName": "A", "isKids": True}, "input.certificate"),
        ({"displayName": "A", "isKids": True, "certificate": "R"}, "input.isKids"),
    ],
)
async def test_a_bad_title_is_refused_field_by_field(service: Service, given: dict[str, Any], path: str) -> None:
    """The result names the field; nothing is created."""
    result = (await service.data(CREATE, STUDIO, input=given))["createTitle"]
    assert ("InvalidInput", [path]) == (result["__typename"], [field["path"] for field in result["fields"]])


async def test_a_restart_keeps_everything(open_service: OpenService, redis: Any) -> None:
    """What was created is there after a restart, in the store and in the index."""
    async with open_service() as first:
        created = await first.data(CREATE, STUDIO, input={"displayName": "The Paper Moth"})
        title_id = created["createTitle"]["title"]["id"]
    async with open_service() as second:
        answer = await second.data('{ search(query: "paper moth") { edges { node { id } } } }')
        assert title_id == answer["search"]["edges"][0]["node"]["id"]


async def test_a_lost_index_is_rebuilt(open_service: OpenService, redis: Any) -> None:
    """With its folder removed, the next start makes it again from the store."""
    async with open_service() as first:
        folder = first.state_dir / "titles" / "search"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    async with open_service(seed_demo=False) as second:
        answer = await second.data('{ search(query: "nosfratu") { edges { node { displayName } } } }')
        assert answer["search"]["edges"][0]["node"]["displayName"] == "Nosferatu"

"""Planned operations answer as graphql-core does, on the whole schema of this subgraph and for different viewers."""

from __future__ import annotations

from typing import Any

import pytest

from common.tokens import Viewer
from subgraphs.kernel import entities
from tests.subgraphs.titles.conftest import ADULT, CHILD, STUDIO, Service

GERMAN = Viewer(account_id="acc_2", country="DE", profile_id="prof_3", maturity=18, subscription="ACTIVE")
pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = """fragment Card on Title { __typename id kind displayName short: synopsis(maxLength: 40) releaseYear durationSeconds
  genres { id displayName } certificate { code minimumAge } availability { isAvailable from until } mediaStatus isKids
  credits(role: CAST, first: 2) { person { id displayName } role character }
  poster: artwork(role: POSTER, widthPx: 200, format: WEBP) { id url altText inRole(role: BACKDROP, widthPx: 1280) { id } }
  artworkVariants { name weight artwork(role: POSTER, widthPx: 300) { url } }
  ... on Series { seasonCount seasons(first: 2) { edges { cursor node { id number episodeCount
    episodes(first: 3) { edges { node { id displayName series { id displayName seasonCount } } } } } } } }
  ... on Episode { series { ...Name seasonCount } season { number } } }
  fragment Name on Title { displayName }"""
DOCUMENTS = (
    "{ titles(first: 12) { pageInfo { hasNextPage endCursor } edges { cursor node { ...Card } } } } " + CARD,
    'query($wide: Boolean!) { search(query: "the", first: 8) { totalCount edges { score '
    "node { ...Card @include(if: $wide) ...Name } } facets { kinds { kind titleCount } "
    "genres { genre { id displayName } titleCount } } } genres { id displayName } } " + CARD,
    "query($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Title { ...Card } ... on Season { id "
    "series { seasonCount } } ... on Genre { displayName } ... on Artwork { url widthPx } } } " + CARD,
    'mutation { withdrawTitle(id: "mov_metropolis-1927") { __typename ... on NotPermitted { message } } }',
)
REPRESENTATIONS: list[Any] = [
    {"__typename": "Movie", "id": "mov_nosferatu-1922"},
    {"__typename": "Series", "id": "ser_judex-1916"},
    {"__typename": "Movie", "id": "mov_nobody"},
    {"__typename": "Nothing", "id": "x"},
    {"__typename": "Genre"},
    {"__typename": "Genre", "id": "gen_horror"},
    {"__typename": "Artwork", "id": "mov_nosferatu-1922~POSTER~main~240x360~WEBP"},
    {"__typename": "Artwork", "id": "mov_nosferatu-1922~POSTER~main~1x1~WEBP"},
    "text",
]


@pytest.mark.parametrize("viewer", [ADULT, GERMAN, CHILD, None], ids=["adult", "german", "child", "nobody"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=["titles", "search", "entities", "mutation"])
async def test_an_operation_answers_as_without_a_plan(
    service: Service, document: str, viewer: Viewer | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"of": REPRESENTATIONS, "wide": viewer is not CHILD}
    given = {name: value for name, value in variables.items() if f"${name}" in document}
    planned = await service.ask(document, viewer, **given)
    # Of what the first time, and other viewers before, left to be kept.
    assert await service.ask(document, viewer, **given) == planned or "mutation" in document or "search" in document
    with monkeypatch.context() as patched:
        patched.setattr(entities._Document, "plan", lambda *_: None)
        general = await service.ask(document, viewer, **given)
    assert planned["data"] is not None
    assert planned["data"] == general["data"]
    told = [sorted(map(_bare, answer.get("errors", ()))) for answer in (planned, general)]
    assert told[0] == told[1]
    assert "errors" not in planned or "_Any" in document or "mutation" in document, planned["errors"]


async def test_kept_answers_are_of_the_title_as_it_is(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renamed by the studio it has its new name for everybody, in each country with that country's certificate."""
    rename = (
        "mutation($id: ID!, $name: String!, $revision: Int!) { updateTitle(input: {id: $id, revision: $revision, "
        "displayName: $name}) { ... on EditTitleSuccess { entry { revision title { ...Card } } } } } " + CARD
    )
    seen = await service.data('{ catalogueEntry(id: "mov_nosferatu-1922") { revision } }', STUDIO)
    revision = seen["catalogueEntry"]["revision"]
    certificates = set()
    for name in ("Nosferatu again", "Nosferatu", "Nosferatu again"):
        edited = await service.data(rename, STUDIO, id="mov_nosferatu-1922", revision=revision, name=name)
        entry = edited["updateTitle"]["entry"]
        revision = entry["revision"]
        assert entry["title"]["displayName"] == name
        for viewer in (ADULT, GERMAN, ADULT):
            answer = await service.ask(DOCUMENTS[2], viewer, of=REPRESENTATIONS)
            card = answer["data"]["_entities"][0]
            assert card["displayName"] == name
            assert card["poster"]["altText"].startswith(f"Poster of {name} (")
            certificates.add((viewer.country, card["certificate"]["code"]))
            with monkeypatch.context() as patched:
                patched.setattr(entities._Document, "plan", lambda *_: None)
                general = await service.ask(DOCUMENTS[2], viewer, of=REPRESENTATIONS)
            assert answer["data"] == general["data"]
    assert len(certificates) == len({country for country, _ in certificates}) == 2


def _bare(error: dict[str, Any]) -> str:
    """An error without what differs from request to request."""
    return repr((error["message"], error.get("path"), error.get("extensions", {}).get("code")))

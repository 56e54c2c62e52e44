"""GraphQL: every door to a title, through the application as it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from common.tokens import VIEWER_HEADER, Viewer
from subgraphs.titles.demo import load_demo
from tests.subgraphs.titles.conftest import ADULT, CHILD, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = "__typename id displayName isKids certificate { code minimumAge }"
ENTITIES = f"""query Entities($of: [_Any!]!) {{ _entities(representations: $of) {{
  __typename ... on Title {{ {CARD} }} ... on Season {{ id number series {{ id }} }} ... on Genre {{ id displayName }}
  ... on Artwork {{ id url widthPx heightPx format role altText placeholderColor }} }} }}"""


async def entities(service: Service, viewer: Viewer | None, *of: dict[str, Any]) -> list[Any]:
    found: list[Any] = (await service.data(ENTITIES, viewer, of=list(of)))["_entities"]
    return found


async def test_a_title_has_everything(service: Service) -> None:
    """One film, all its fields."""
    query = """{ title(id: "mov_nosferatu-1922") { __typename id kind displayName synopsis short: synopsis(maxLength: 30)
      releaseYear durationSeconds genres { id displayName } certificate { code minimumAge } mediaStatus isKids
      availability { isAvailable from until } credits(role: CAST, first: 1) { person { id displayName } role character }
      artwork(role: POSTER, widthPx: 200, format: WEBP) { id url widthPx heightPx format altText placeholderColor } } }"""
    title = (await service.data(query))["title"]
    assert title["synopsis"].startswith("A clerk travels to the Carpathians")
    assert len(title["short"]) <= 30
    assert title["short"].endswith("…")
    person = title["credits"][0]["person"].pop("id")
    assert person.startswith("per_")
    assert title["artwork"].pop("placeholderColor").startswith("#")
    del title["synopsis"], title["short"]
    assert title == {
        "__typename": "Movie",
        "id": "mov_nosferatu-1922",
        "kind": "MOVIE",
        "displayName": "Nosferatu",
        "releaseYear": 1922,
        "durationSeconds": 94 * 60,
        "genres": [{"id": "gen_horror", "displayName": "Horror"}, {"id": "gen_fantasy", "displayName": "Fantasy"}],
        "certificate": {"code": "PG-13", "minimumAge": 12},
        "mediaStatus": "NONE",
        "isKids": False,
        "availability": {"isAvailable": True, "from": None, "until": None},
        "credits": [{"person": {"displayName": "Max Schreck"}, "role": "CAST", "character": "Count Orlok"}],
        "artwork": {
            "id": "mov_nosferatu-1922~POSTER~main~240x360~WEBP",
            "url": "http://127.0.0.1:4010/artwork/mov_nosferatu-1922/poster/main/240x360.webp",
            "widthPx": 240,
            "heightPx": 360,
            "format": "WEBP",
            "altText": "Poster of Nosferatu (1922)",
        },
    }


async def test_seasons_and_episodes(service: Service) -> None:
    """A series opens into seasons, episodes and what follows, also across the seasons' border."""
    query = """{ title(id: "ser_judex-1916") { ... on Series { seasonCount durationSeconds seasons { edges { node {
      id number displayName episodeCount episodes(first: 50) { pageInfo { hasNextPage } edges { node {
      id number season { number } series { id } nextEpisode { id } } } } } } } } } }"""
    series = (await service.data(query))["title"]
    first, second = (edge["node"] for edge in series["seasons"]["edges"])
    assert (series["seasonCount"], first["episodeCount"], second["episodeCount"]) == (2, 13, 12)
    last = first["episodes"]["edges"][-1]["node"]
    assert last["nextEpisode"] == {"id": "epi_judex-1916-s2e1"}
    assert last["season"] == {"number": 1}
    assert second["episodes"]["edges"][-1]["node"]["nextEpisode"] is None


async def test_pages_of_episodes(service: Service) -> None:
    """Five at a time, none twice, none left out."""
    query = """query($after: String) { title(id: "ser_judex-1916") { ... on Series { seasons(first: 1) { edges { node {
      episodes(first: 5, after: $after) { pageInfo { hasNextPage endCursor } edges { node { number } } } } } } } } }"""
    numbers: list[int] = []
    after = None
    while True:
        data = await service.data(query, after=after)
        episodes = data["title"]["seasons"]["edges"][0]["node"]["episodes"]
        numbers += [edge["node"]["number"] for edge in episodes["edges"]]
        if not episodes["pageInfo"]["hasNextPage"]:
            break
        after = episodes["pageInfo"]["endCursor"]
    assert list(range(1, 14)) == numbers


async def test_entities_resolve_to_their_kind(service: Service) -> None:
    """Title becomes the concrete type; what is missing, misnamed or not offered is null in its own place."""
    found = await entities(
        service,
        ADULT,
        {"__typename": "Title", "id": "mov_the-kid-1921"},
        {"__typename": "Title", "id": "ser_fantomas-1913"},
        {"__typename": "Title", "id": "mov_no-such-film"},
        {"__typename": "Episode", "id": "epi_fantomas-1913-s1e2"},
        {"__typename": "Movie", "id": "ser_fantomas-1913"},
        {"__typename": "Season", "id": "sea_fantomas-1913-s1"},
        {"__typename": "Genre", "id": "gen_comedy"},
        {"__typename": "Genre", "id": "gen_nothing"},
        {"__typename": "Artwork", "id": "mov_the-kid-1921~LOGO~main~400x160~PNG"},
        {"__typename": "Artwork", "id": "mov_the-kid-1921~LOGO~main~401x160~PNG"},
        {"__typename": "Artwork", "id": "mov_no-such-film~LOGO~main~400x160~PNG"},
    )
    names = [entity and entity["__typename"] for entity in found]
    assert names == ["Movie", "Series", None, "Episode", None, "Season", "Genre", None, "Artwork", None, None]


async def test_one_bad_representation_does_not_touch_its_neighbours(service: Service) -> None:
    """Null and an error at its index, the rest as asked for."""
    of = [{"__typename": "Title", "id": "mov_the-kid-1921"}, {"__typename": "Starship", "id": "1"}]
    answer = await service.ask(ENTITIES, of=of)
    assert answer["data"]["_entities"][0]["id"] == "mov_the-kid-1921"
    assert answer["data"]["_entities"][1] is None
    assert answer["errors"][0]["path"] == ["_entities", 1]


DOORS = """query Doors($id: ID!, $ids: [ID!]!, $of: [_Any!]!, $text: String!) {
  title(id: $id) { id } titlesByIds(ids: $ids) { id }
  _entities(representations: $of) { __typename ... on Title { id } ... on Artwork { id } ... on Season { id } }
  search(query: $text, first: 50) { totalCount edges { node { id isKids certificate { minimumAge } } } }
  searchSuggestions(query: $text, first: 10) { text title { id isKids certificate { minimumAge } } } }"""


@pytest.mark.parametrize(
    ("title_id", "text", "viewer"),
    [
        ("mov_nosferatu-1922", "nosferatu", CHILD),
        ("mov_un-chien-andalou-1929", "un chien andalou", replace(ADULT, maturity=16)),
        ("mov_charade-1963", "charade", replace(ADULT, country="DE")),
        ("mov_charade-1963", "charade", None),
        ("mov_the-stranger-1946", "the stranger", replace(ADULT, country="DE")),
        ("mov_the-stranger-1946", "the stranger", None),
        ("mov_the-bat-whispers-1930", "bat whispers", ADULT),
        ("mov_swing-high-swing-low-1937", "swing high", ADULT),
    ],
)
async def test_what_a_viewer_may_not_see_is_behind_no_door(
    service: Service, title_id: str, text: str, viewer: Viewer | None
) -> None:
    """By id, in lists, as an entity, as artwork, in search and in suggestions it does not exist."""
    of = [{"__typename": "Title", "id": title_id}, {"__typename": "Movie", "id": title_id}]
    of.append({"__typename": "Artwork", "id": f"{title_id}~POSTER~main~240x360~JPEG"})
    data = await service.data(DOORS, viewer, id=title_id, ids=[title_id], of=of, text=text)
    assert data["title"] is None
    assert data["titlesByIds"] == [None]
    assert data["_entities"] == [None, None, None]
    shown = [edge["node"]["id"] for edge in data["search"]["edges"]]
    shown += [each["title"]["id"] for each in data["searchSuggestions"] if each["title"]]
    assert title_id not in shown


async def test_a_forbidden_series_hides_its_seasons_and_episodes(service: Service) -> None:
    """A child gets none of Les Vampires, whichever part is asked for."""
    found = await entities(
        service,
        CHILD,
        {"__typename": "Title", "id": "ser_les-vampires-1915"},
        {"__typename": "Season", "id": "sea_les-vampires-1915-s1"},
        {"__typename": "Episode", "id": "epi_les-vampires-1915-s1e1"},
    )
    assert found == [None, None, None]


async def test_a_child_never_meets_what_is_not_for_children(service: Service) -> None:
    """Every list, walked to its end: browse, genres, search and suggestions for every word of the catalogue's names."""
    allowed = {title.id for title in load_demo().titles if title.is_kids}
    query = f"""query Walk($after: String) {{ titles(first: 50, after: $after) {{ edges {{ node {{ {CARD} }} }}
      pageInfo {{ hasNextPage endCursor }} }}
      genres {{ titles(first: 50) {{ edges {{ node {{ id }} }} }} }} }}"""
    seen: set[str] = set()
    after = None
    while True:
        data = await service.data(query, CHILD, after=after)
        seen |= {edge["node"]["id"] for edge in data["titles"]["edges"]}
        for genre in data["genres"]:
            ids = {edge["node"]["id"] for edge in genre["titles"]["edges"]}
            assert ids
            assert ids <= allowed
        if not data["titles"]["pageInfo"]["hasNextPage"]:
            break
        after = data["titles"]["pageInfo"]["endCursor"]
    assert allowed == seen
    words = sorted({word for title in load_demo().titles for word in title.display_name.lower().split()})
    searches = "".join(
        f"""s{number}: search(query: "{word.replace('"', "")}", first: 50) {{ edges {{ node {{ id }} }} }}
            t{number}: searchSuggestions(query: "{word.replace('"', "")}", first: 10) {{ title {{ id }} }} """
        for number, word in enumerate(words[::4])
    )
    data = await service.data("{" + searches + "}", CHILD)
    for name, answer in data.items():
        nodes = (
            [edge["node"] for edge in answer["edges"]]
            if name[0] == "s"
            else [each["title"] for each in answer if each["title"]]
        )
        assert {node["id"] for node in nodes} <= allowed


@pytest.mark.parametrize(
    ("country", "code"), [("US", "PG-13"), ("DE", "FSK 12"), ("FR", "12"), ("ZZ", "12+"), (None, "12+")]
)
async def test_the_certificate_is_the_viewers_countrys(service: Service, country: str | None, code: str) -> None:
    """The code changes, the age that is enforced does not."""
    query = '{ title(id: "mov_nosferatu-1922") { certificate { code minimumAge } } }'
    title = (await service.data(query, replace(ADULT, country=country)))["title"]
    assert {"code": code, "minimumAge": 12} == title["certificate"]


async def test_availability_names_the_open_window(service: Service) -> None:
    """Berlin is open in Britain for ten years, in Germany without end, elsewhere not at all."""
    query = '{ title(id: "mov_berlin-symphony-of-a-metropolis-1927") { availability { isAvailable from until } } }'
    british = (await service.data(query, replace(ADULT, country="GB")))["title"]["availability"]
    german = (await service.data(query, replace(ADULT, country="DE")))["title"]["availability"]
    assert british == {"isAvailable": True, "from": "2026-01-01T00:00:00+00:00", "until": "2036-01-01T00:00:00+00:00"}
    assert german == {"isAvailable": True, "from": None, "until": None}
    assert (await service.data(query, replace(ADULT, country="FR")))["title"] is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ titles(first: 51) { pageInfo { hasNextPage } } }", "first is 51; ask for 0 to 50"),
        ('{ titles(after: "bogus") { pageInfo { hasNextPage } } }', "no cursor of this list"),
        ('{ search(query: "a", first: -1) { totalCount } }', "first is -1"),
        ('{ searchSuggestions(query: "a", first: 11) { text } }', "ask for 0 to 10 suggestions"),
        ('{ search(query: "' + "x" * 201 + '") { totalCount } }', "at most 200"),
        ('{ title(id: "mov_cops-1922") { credits(first: 51) { role } } }', "0 to 50 credits"),
        ('{ title(id: "mov_cops-1922") { synopsis(maxLength: 0) } }', "1 character or more"),
        ('{ title(id: "mov_cops-1922") { artwork(role: POSTER, widthPx: 0) { id } } }', "1 to 7680 pixels"),
        ("{ titlesByIds(ids: [" + '"x",' * 51 + "]) { id } }", "at most 50 at once"),
    ],
)
async def test_bounds_are_named(service: Service, query: str, words: str) -> None:
    """What is asked beyond a bound is refused with the bound."""
    error = (await service.ask(query))["errors"][0]
    assert words in error["message"]
    assert error["extensions"]["code"] == "INVALID_ARGUMENT"


async def test_browse_orders(service: Service) -> None:
    """The four orders put different films first; films in a genre come by the genre's connection too."""
    query = """query($sort: TitleSort!) { titles(sort: $sort, first: 1) { edges { node { id } } }
      genre(id: "gen_western") { titles(sort: $sort, first: 1) { edges { node { id } } } } }"""
    firsts = {}
    for sort in ("POPULARITY", "NEWEST", "RELEASE_YEAR", "NAME"):
        data = await service.data(query, sort=sort)
        nodes = data["titles"]["edges"][0], data["genre"]["titles"]["edges"][0]
        firsts[sort] = tuple(edge["node"]["id"] for edge in nodes)
    assert "mov_marquee-demo" == firsts["POPULARITY"][0] == firsts["NEWEST"][0] == firsts["RELEASE_YEAR"][0]
    assert (
        firsts["NAME"][0] == "mov_20000-leagues-under-the-sea-1916"
        or firsts["NAME"][0] == "mov_20-000-leagues-under-the-sea-1916"
    )
    assert firsts["POPULARITY"][1] == "mov_the-great-train-robbery-1903"


@pytest_asyncio.fixture(loop_scope="module")
async def statements(service: Service) -> AsyncIterator[list[str]]:
    """SQL that the service runs, as it comes."""
    seen: list[str] = []
    engine = service.resources.store._engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def test_the_lists_of_all_genres_are_read_together(service: Service, statements: list[str]) -> None:
    """A page of genres with their first titles costs as many statements as one genre with its own."""
    await service.data("{ genres { titles(first: 5) { edges { node { id } } } } }", ADULT)
    statements.clear()
    one = await service.data('{ genre(id: "gen_horror") { titles(first: 5) { edges { node { id } } } } }', ADULT)
    statement_count = len(statements)
    statements.clear()
    every = await service.data("{ genres { id titles(first: 5) { edges { node { id } } } } }", ADULT)
    assert len(every["genres"]) > 5
    assert statement_count == len(statements)
    assert one["genre"]["titles"] in [genre["titles"] for genre in every["genres"]]


async def test_query_counts_do_not_grow_with_the_batch(service: Service, statements: list[str]) -> None:
    """Twenty-five cold titles with all their fields cost as many statements as one, warm ones none."""
    ids = [title.id for title in load_demo().titles if title.kind == "MOVIE"]
    fields = "genres { displayName } credits { person { displayName } } certificate { code } artwork(role: POSTER, widthPx: 100) { url }"
    query = f"query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on Title {{ displayName {fields} }} }} }}"
    service.resources.catalogue._cached.clear()
    statements.clear()
    await service.data(query, of=[{"__typename": "Title", "id": ids[0]}])
    one = len(statements)
    service.resources.catalogue._cached.clear()
    statements.clear()
    of = [{"__typename": "Title", "id": each} for each in ids[1:26]]
    await service.data(query, of=of)
    assert 0 < len(statements) <= one
    statements.clear()
    await service.data(query, of=of)
    assert statements == []


async def test_a_series_page_has_a_constant_number_of_queries(service: Service, statements: list[str]) -> None:
    """Judex with 25 episodes costs no more than Fantômas with five."""
    query = """query($id: ID!) { title(id: $id) { ... on Series { seasonCount seasons { edges { node { episodeCount
      episodes(first: 50) { edges { node { displayName season { number } series { displayName } nextEpisode { id } } } } } } } } } }"""
    counts = []
    for title_id in ("ser_fantomas-1913", "ser_judex-1916"):
        service.resources.catalogue._cached.clear()
        statements.clear()
        await service.data(query, id=title_id)
        counts.append(len(statements))
    assert counts[1] <= counts[0]


async def test_a_forged_viewer_is_refused(service: Service) -> None:
    """A bare or foreign header is no viewer."""
    response = await service.http.post(
        "/graphql", json={"query": "{ __typename }"}, headers={VIEWER_HEADER: '{"scopes": ["studio"]}'}
    )
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_anonymous_viewer_browses(service: Service) -> None:
    """Facts about films are public where every country may see them."""
    data = await service.data("{ titles(first: 3) { edges { node { id } } } genres { id } }", None)
    assert len(data["titles"]["edges"]) == 3
    assert data["genres"]

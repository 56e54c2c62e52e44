"""What an operation asks of the stores does not depend on how many items its lists have, for every list of the schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from graphql import GraphQLSchema, build_schema

from subgraphs.titles.domain.title import Title, TitleKind
from tests.support.authorization_targets import DEVICE, usual_argument
from tests.support.households import SCOPES, SignedIn, add_profile, log_in, sign_up, watch
from tests.support.list_doors import ListDoor, items_at, list_doors, write_list_operation
from tests.support.planted_catalogue import COMMON_WORD, MANY, plant_pairs
from tests.support.store_queries import counted_stores, counting
from tests.support.valkey_server import valkey_server
from tests.support.whole_graph import WholeGraph, whole_graph

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

TRIES = 6
FEW, MIXED = 2, 6
"""Items of a list that has as many as its owner, and of one whose length is an argument: then also enough of all kinds."""
ENTRY = "query Entry($id: ID!) { catalogueEntry(id: $id) { revision } }"
TAKE = "mutation Take($input: AuthoriseDownloadInput!) { authoriseDownload(input: $input) { __typename } }"
UPDATE = "mutation Update($input: UpdateTitleInput!) { updateTitle(input: $input) { __typename } }"
ONE_LENGTH = {
    "Query.collections": "all of them, by one statement that reads each whole",
    "Collection.titleIds": "ids that the collection itself holds",
    "Collection.countries": "codes that the collection itself holds",
    "Query.experiments": "all of them, by one statement that reads each whole",
    **{
        f"Experiment.{name}": "part of the definition, which is read whole"
        for name in ("arms", "countries", "formFactors", "plans", "guardrailMetrics")
    },
    "ExperimentArm.values": "part of the definition, which is read whole",
    "Account.consents": "one for each purpose that there is",
    "Account.exports": "what was asked for lately, a few at most",
    "Account.payments": "money moves once a month; tests of profiles read its pages",
    "ErasureCertificate.places": "one for each place in which anything is kept",
    "HeroSection.items": "a hero is one title",
    "Onboarding.picks": "ids that the profile's taste itself holds, ten at most",
    "InvalidInput.fields": "stands in answers to mutations, made of the input alone",
    "PlaybackSession.manifests": "one for each protocol, made when the session started",
    "PlaybackSession.pathways": "those of the settings, ordered when the session started",
    "Query.genres": "all of the catalogue's",
    **{
        f"SearchFacets.{name}": "counted by the search engine in one question, whatever there is"
        for name in ("kinds", "genres", "decades", "ages", "languages", "countries", "durations")
    },
    "TitleFacets.decades": "counted by one statement, whatever there is",
    "TitleFacets.initials": "counted by one statement, whatever there is",
    "Query.plans": "the whole plan table, the same for everybody",
}
"""Lists that can't be had in two lengths, each with the reason."""
ONE_LENGTH |= {
    f"PageChange.{part}": "stands in answers to a mutation, made of two pages in memory"
    for part in ("removed", "changed", "added", "moved")
}
ONE_LENGTH |= {
    f"{kind}.artworkVariants": "every title has the same variants" for kind in ("Movie", "Series", "Episode", "Video")
}
ONE_LENGTH |= {
    f"{kind}.{name}": "videos belong to films and series"
    for kind in ("Episode", "Video")
    for name in ("trailers", "bonus")
}
LONGEST = {"Page.sections": 5, "Query.searchSuggestions": 10}
"""Of lists that give fewer than MANY items at a time, or on these pages have no more."""
SHORTEST = {"Page.sections": 2, "Query.search": 12}
"""Of lists that begin with one kind of what they hold: a profile's own order of hits may have films alone at first."""


@dataclass(frozen=True)
class World:
    """One of two sets of things to ask for: that with few and that with many of everything."""

    length: int
    viewer: SignedIn
    account: SignedIn
    """Whose lists that take no length are asked for."""
    arguments: Mapping[tuple[str, str], Mapping[str, object]]
    """Of root fields, on the way to an object type."""

    def root(self, field: str, type_name: str) -> str | None:
        """See list_doors.RootArguments."""
        given = self.arguments.get((field, type_name), self.arguments.get((field, "")))
        if given is None:
            return None
        written = ", ".join(f"{name}: {_literal(value)}" for name, value in given.items())
        return f"({written})" if written else ""


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(each) for each in value) + "]"
    # Names of enum values are the only texts in capitals.
    return str(value) if isinstance(value, str) and value.isupper() else json.dumps(value)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def graph(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> AsyncIterator[WholeGraph]:
    # Nothing from memory: a title that is known already would hide that it is asked for alone.
    state = tmp_path_factory.mktemp("state")
    with counted_stores():
        async with whole_graph(state, valkey_url, cache_titles=0, plant=plant_pairs) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(graph: WholeGraph) -> tuple[World, World]:
    """The same viewer for both, but where a list's length is a viewer's and no argument."""
    few = await sign_up(graph, "few@planted.example")
    many = await sign_up(graph, "many@planted.example")
    for viewer, profile_count in ((few, FEW), (many, 5)):
        for number in range(1, profile_count):
            await add_profile(graph, viewer, f"Profile {number}")
    for number in range(MANY):
        await log_in(graph, many.email, device=f"Device {number}", device_id=f"many {number}")
    for account, session_count in ((few, FEW), (many, MANY)):
        for _ in range(session_count):
            await log_in(graph, account.email, device="Last", device_id="last")
    pairs = _pairs(graph)
    await _live(graph, few, pairs[:FEW])
    await _live(graph, many, pairs)
    for account, tablet_count in ((few, 1), (many, 4)):
        for number, (movie, _) in enumerate(pairs):
            values = {"titleId": movie.id, "deviceId": f"tablet {number % tablet_count}"}
            told = (await graph.ask(TAKE, {"input": values}, token=account.token)).data["authoriseDownload"]
            assert told["__typename"] == "DownloadSuccess", told
    # Of films with few and with many markers and tracks.
    few_session = await watch(graph, few, graph.catalogue.film, 600)
    many_session = await watch(graph, many, graph.catalogue.rich_film, 600)
    await graph.settled()
    few, many = (replace(each, token=graph.access_token(replace(each.viewer, scopes=SCOPES))) for each in (few, many))
    await _edit(graph, many, graph.catalogue.film, 1)
    for _ in range(MANY):
        await _edit(graph, many, graph.catalogue.rich_film, 3)
    return _world(graph, few, many, few_session, FEW), _world(graph, many, many, many_session, MANY)


async def _live(graph: WholeGraph, viewer: SignedIn, pairs: Sequence[tuple[Title, Title]]) -> None:
    """Watch, list and rate film, episode, film, episode."""
    for movie, episode in pairs:
        for watched, listed in ((movie, movie), (episode, episode.series_id)):
            await watch(graph, viewer, watched.id, 600)
            text = 'mutation { addToMyList(titleId: "%s") { __typename } rateTitle(titleId: "%s", stars: 4) { __typename } }'
            await graph.ask(text % (listed if isinstance(listed, str) else listed.id, watched.id), token=viewer.token)


async def _edit(graph: WholeGraph, studio: SignedIn, title_id: str, field_count: int) -> None:
    """One act of the studio on a title, on so many of its fields."""
    entry = (await graph.ask(ENTRY, {"id": title_id}, token=studio.token)).data["catalogueEntry"]
    words = {
        "synopsis": f"After revision {entry['revision']}.",
        "releaseYear": 1900 + entry["revision"],
        "originCountry": "FR",
    }
    changed = dict(list(words.items())[:field_count])
    values = {"id": title_id, "revision": entry["revision"], **changed}
    told = (await graph.ask(UPDATE, {"input": values}, token=studio.token)).data["updateTitle"]
    assert told["__typename"] == "EditTitleSuccess", told


def _pairs(graph: WholeGraph) -> list[tuple[Title, Title]]:
    """Films with the first episode of the series that comes after each."""
    titles = [title for title in graph.catalogue.titles if title.media.asset is not None]
    rich = {graph.catalogue.film, graph.catalogue.rich_film}
    movies = [title for title in titles if title.kind is TitleKind.MOVIE and title.id not in rich]
    return [
        (movie, next(title for title in titles[titles.index(movie) :] if title.kind is TitleKind.EPISODE))
        for movie in movies
    ]


def _world(graph: WholeGraph, account: SignedIn, viewer: SignedIn, session_id: str, length: int) -> World:
    catalogue = graph.catalogue
    is_many = length == MANY
    movie = catalogue.rich_film if is_many else catalogue.film
    series = catalogue.long_series if is_many else catalogue.series
    first = next(title for title in catalogue.titles if title.series_id == series)
    pairs = [each for movie, episode in _pairs(graph) for each in (movie.id, str(episode.series_id))]
    return World(
        length,
        viewer,
        account,
        {
            ("viewer", ""): {},
            ("onboarding", ""): {},
            ("playbackSession", ""): {"id": session_id},
            ("title", "Movie"): {"id": movie},
            ("title", "Series"): {"id": series},
            ("title", "Episode"): {"id": first.id},
            ("title", "Video"): {"id": catalogue.adult_trailer if is_many else catalogue.trailer},
            ("titlesByIds", ""): {"ids": pairs[: MANY if is_many else MIXED]},
            ("genre", ""): {"id": _pairs(graph)[0][0].genres[0].id},
            ("person", ""): {"id": _pairs(graph)[0][0].credits[1].person.id},
            ("search", ""): {"query": COMMON_WORD},
            ("searchSuggestions", ""): {"query": COMMON_WORD},
            ("page", ""): {"kind": "HOME", "device": DEVICE},
            ("titles", ""): {},
            ("titleFacets", ""): {},
            ("genres", ""): {},
            ("comingSoon", ""): {},
            ("auditLog", ""): {"subjectId": movie},
            ("catalogueEntry", ""): {"id": movie},
        },
    )


async def _count(
    graph: WholeGraph, schema: GraphQLSchema, door: ListDoor, world: World
) -> tuple[int, Counter[str]] | str:
    """Items of the list and what was asked for them, by an operation that was asked once before; or what failed."""
    type_name, _, name = door.coordinate.partition(".")
    is_few = world.length == FEW
    length = SHORTEST.get(door.coordinate, MIXED) if is_few else LONGEST.get(door.coordinate, MANY)
    own: dict[str, str] = {"first": str(length)} if door.takes_first else {}
    if type_name == "Query":
        given = world.arguments.get((name, ""), {})
        own |= {each: _literal(value) for each, value in given.items()}
    text = write_list_operation(schema, door, usual_argument, own)
    has_own = type_name in {"Account", "Device", "PlaybackSession"} and not door.takes_first
    token = (world.account if has_own else world.viewer).token
    await graph.ask(text, token=token)
    with counting() as count:
        answer = await graph.ask(text, token=token)
    # What other profiles of the household watched is refused, for each of them.
    failed = [error for error in answer.body.get("errors", ()) if error["extensions"]["code"] != "NOT_FOUND"]
    if failed:
        return f"{door.coordinate}: {failed[:2]}"
    return items_at(answer.body["data"], door.key), count


async def _compare(
    graph: WholeGraph, schema: GraphQLSchema, door: ListDoor, door_of_many: ListDoor, few: World, many: World
) -> tuple[int, Counter[str], int, Counter[str]] | str:
    """Items and counts of both worlds, each the least of some tries.

    Two stores that answer at the same moment let one batch go out where otherwise two do: which, is the machine's
    matter and has nothing to do with the number of items.
    """
    least_few: Counter[str] | None = None
    least_many: Counter[str] | None = None
    for _ in range(TRIES):
        of_few, of_many = await _count(graph, schema, door, few), await _count(graph, schema, door_of_many, many)
        if isinstance(of_few, str) or isinstance(of_many, str):
            return f"{of_few} {of_many}"
        least_few = of_few[1] if least_few is None else least_few & of_few[1]
        least_many = of_many[1] if least_many is None else least_many & of_many[1]
        if least_few == least_many:
            break
    return of_few[0], least_few or Counter(), of_many[0], least_many or Counter()


async def test_every_list_costs_the_same_for_few_and_for_many(graph: WholeGraph, worlds: tuple[World, World]) -> None:
    """As many statements, commands, calls and requests for 20 items as for 2."""
    few, many = worlds
    schema = build_schema(graph.artifacts["api.graphql"])
    doors_of_few, doors_of_many = (list_doors(schema, usual_argument, world.root) for world in worlds)
    problems = []
    for door, door_of_many in zip(doors_of_few, doors_of_many, strict=True):
        if door.coordinate in ONE_LENGTH:
            continue
        if not door.way and not door.coordinate.startswith("Query."):
            problems.append(f"{door.coordinate}: nothing leads there; add a way to the worlds")
            continue
        # Where the length is an argument, both lengths are of the same list.
        door_of_both = door_of_many if door.takes_first else door
        compared = await _compare(graph, schema, door_of_both, door_of_many, few, many)
        if isinstance(compared, str):
            problems.append(compared)
            continue
        few_items, few_count, many_items, many_count = compared
        if not 0 < few_items < many_items:
            problems.append(f"{door.coordinate}: {few_items} and {many_items} items tell nothing")
        if few_count != many_count:
            differing = {
                what: (few_count[what], many_count[what])
                for what in few_count | many_count
                if few_count[what] != many_count[what]
            }
            problems.append(f"{door.coordinate}: {few_items} and {many_items} items cost {differing}")

    print(f"{len(doors_of_few)} lists")
    assert not problems, "\n".join(problems)

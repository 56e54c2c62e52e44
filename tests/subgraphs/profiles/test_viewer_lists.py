"""My List and ratings through the graph: the policy at the door, pages, and a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.events import Event
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.domain.lists import KnownTitle
from subgraphs.profiles.services.title_news import TitleNews
from tests.subgraphs.profiles.conftest import FILMS, START, Graph

MARKS = "{ id inMyList rating { stars ratedAt } }"
ADD = f"""mutation($id: ID!) {{ addToMyList(titleId: $id) {{ __typename
  ... on MyListSuccess {{ title {MARKS} profile {{ myList {{ edges {{ node {{ id }} }} }} }} }}
  ... on TitleNotFound {{ message titleId }} ... on MyListFull {{ limit }} }} }}"""
REMOVE = ADD.replace("addToMyList", "removeFromMyList")
RATE = f"""mutation($id: ID!, $stars: Int) {{ rateTitle(titleId: $id, stars: $stars) {{ __typename
  ... on RateTitleSuccess {{ title {MARKS} }} ... on TitleNotFound {{ message titleId }}
  ... on InvalidInput {{ fields {{ path message }} }} }} }}"""
MY_LIST = """query($first: Int! = 20, $after: String) { viewer { profile { myList(first: $first, after: $after) {
  edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }"""
ENTITIES = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on Title {MARKS} }} }}"


async def add(graph: Graph, token: str | None, title_id: str) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(ADD, {"id": title_id}, token=token))["addToMyList"]
    return result


async def rate(graph: Graph, token: str | None, title_id: str, stars: int | None) -> dict[str, Any]:
    result: dict[str, Any] = (await graph.data(RATE, {"id": title_id, "stars": stars}, token=token))["rateTitle"]
    return result


async def list_of(graph: Graph, token: str) -> list[str]:
    profile = (await graph.data(MY_LIST, token=token))["viewer"]["profile"]
    return [edge["node"]["id"] for edge in profile["myList"]["edges"]]


async def test_adding_and_removing_shows_at_once_and_twice_is_once(
    graph: Graph, films: Sequence[str], clock: FakeClock, engine: AsyncEngine
) -> None:
    """The answer has the title's mark and the list, newest first; the events tell each change once."""
    token = await graph.viewer_token()
    await add(graph, token, "mov_film")
    clock.advance(timedelta(seconds=1))
    result = await add(graph, token, "mov_cartoon")
    assert result["title"] == {"id": "mov_cartoon", "inMyList": True, "rating": None}
    assert [edge["node"]["id"] for edge in result["profile"]["myList"]["edges"]] == ["mov_cartoon", "mov_film"]
    clock.advance(timedelta(seconds=1))
    again = await add(graph, token, "mov_film")
    assert [edge["node"]["id"] for edge in again["profile"]["myList"]["edges"]] == ["mov_cartoon", "mov_film"]
    for _ in range(2):
        removed = (await graph.data(REMOVE, {"id": "mov_film"}, token=token))["removeFromMyList"]
        assert removed["title"]["inMyList"] is False
    assert await list_of(graph, token) == ["mov_cartoon"]
    async with reading(engine) as connection:
        rows = (await connection.execute(select(OUTBOX.table).order_by(OUTBOX.table.c.sequence))).mappings().all()
    told = [(row["data"]["titleId"], row["data"]["inList"]) for row in rows if row["topic"] == "feedback"]
    assert told == [("mov_film", True), ("mov_cartoon", True), ("mov_film", False)]


async def test_rating_overwrites_and_null_clears(graph: Graph, films: Sequence[str]) -> None:
    """With the instant."""
    token = await graph.viewer_token()
    await rate(graph, token, "mov_film", 2)
    result = await rate(graph, token, "mov_film", 5)
    assert result["title"]["rating"] == {"stars": 5, "ratedAt": graph.clock.now().isoformat()}
    assert (await rate(graph, token, "mov_film", None))["title"]["rating"] is None


@pytest.mark.parametrize("stars", [0, 6, -1, 2**31 - 1])
async def test_stars_are_one_to_five(graph: Graph, films: Sequence[str], stars: int) -> None:
    """The result names the bounds."""
    result = await rate(graph, await graph.viewer_token(), "mov_film", stars)
    assert result["fields"] == [{"path": "stars", "message": f"is {stars}; give 1 to 5, or null to clear"}]


@pytest.mark.parametrize("title_id", ["mov_film", "mov_adult", "mov_german", "mov_withdrawn", "mov_unknown", ""])
async def test_unknown_and_forbidden_titles_look_the_same(graph: Graph, films: Sequence[str], title_id: str) -> None:
    """To a kids profile in the US: no door tells which of them exist, and nothing is noted."""
    token = await graph.kid_token(await graph.sign_up())
    expected = {"__typename": "TitleNotFound", "message": f"There is no title {title_id!r}.", "titleId": title_id}
    assert await add(graph, token, title_id) == expected
    assert await rate(graph, token, title_id, 5) == expected
    assert (await graph.data(REMOVE, {"id": title_id}, token=token))["removeFromMyList"] == expected
    profile_id = ProfileId(str(graph.viewer(token).profile_id))
    assert await graph.services.lists.marks(profile_id, [TitleId(id_) for id_ in FILMS]) == {}


async def test_without_a_profile_nothing_is_noted(graph: Graph, films: Sequence[str]) -> None:
    """Account-level tokens, anonymous requests and ended sessions alike."""
    session = await graph.sign_up()
    selected = (await graph.select(session))["accessToken"]
    await graph.data("mutation { logOut { loggedOut } }", token=selected)
    for token in (None, session["accessToken"], selected):
        assert (await add(graph, token, "mov_film"))["__typename"] == "NoProfileSelected"
        assert (await rate(graph, token, "mov_film", 5))["__typename"] == "NoProfileSelected"
        marks = await graph.data(ENTITIES, {"r": [{"__typename": "Title", "id": "mov_film"}]}, token=token)
        assert marks["_entities"] == [{"id": "mov_film", "inMyList": False, "rating": None}]


async def test_what_became_forbidden_leaves_the_list_without_being_forgotten(
    graph: Graph, films: Sequence[str], engine: AsyncEngine
) -> None:
    """A title that is withdrawn, or given a higher age, is not shown; when it comes back, it is."""
    token = await graph.viewer_token()
    await add(graph, token, "mov_film")
    titles = SqlTitleFactsStore(engine)
    await titles.withdraw_titles([TitleId("mov_film")], START)
    assert await list_of(graph, token) == []
    await titles.put_titles([KnownTitle(TitleId("mov_film"), "MOVIE", FILMS["mov_film"])], START + timedelta(days=1))
    assert await list_of(graph, token) == ["mov_film"]


async def test_a_kids_profile_that_reads_a_parents_list_learns_no_forbidden_title(
    graph: Graph, films: Sequence[str]
) -> None:
    """Through the account's other profiles."""
    session = await graph.sign_up()
    adult = (await graph.select(session))["accessToken"]
    for title_id in ("mov_film", "mov_adult", "mov_cartoon"):
        await add(graph, adult, title_id)
    kid = await graph.kid_token(session)
    everything = "{ viewer { account { profiles { name myList { edges { node { id } } } } } } }"
    seen = str(await graph.data(everything, token=kid))
    assert "mov_cartoon" in seen
    assert "mov_film" not in seen
    assert "mov_adult" not in seen


async def test_a_lowered_limit_holds_here_at_once(graph: Graph, films: Sequence[str]) -> None:
    """The token in use still carries the old limit; the list and its mutations go by the profile as it is."""
    session = await graph.sign_up()
    token = (await graph.select(session))["accessToken"]
    await add(graph, token, "mov_adult")
    change = "mutation($id: ID!) { updateProfile(input: {id: $id, maturityLimit: 12}) { __typename } }"
    await graph.data(change, {"id": session["account"]["profiles"][0]["id"]}, token=session["accessToken"])
    assert graph.viewer(token).maturity == 18
    assert await list_of(graph, token) == []
    assert (await rate(graph, token, "mov_adult", 5))["__typename"] == "TitleNotFound"


async def test_a_lists_bound_is_a_result(graph: Graph, films: Sequence[str], engine: AsyncEngine) -> None:
    """Six in this test's settings."""
    token = await graph.viewer_token()
    titles = [KnownTitle(TitleId(f"mov_{number}"), "MOVIE", FILMS["mov_film"]) for number in range(7)]
    await SqlTitleFactsStore(engine).put_titles(titles, START)
    results = [await add(graph, token, title.id) for title in titles]
    assert [result["__typename"] for result in results] == ["MyListSuccess"] * 6 + ["MyListFull"]
    assert results[-1]["limit"] == 6


async def test_pages_in_a_row_are_the_list(graph: Graph, engine: AsyncEngine, clock: FakeClock) -> None:
    """Two of the five were added at the same instant; none comes twice, none is left out."""
    token = await graph.viewer_token()
    titles = [KnownTitle(TitleId(f"mov_{number}"), "MOVIE", FILMS["mov_film"]) for number in range(5)]
    await SqlTitleFactsStore(engine).put_titles(titles, START)
    for number, title in enumerate(titles):
        if number != 3:
            clock.advance(timedelta(microseconds=1))
        await add(graph, token, title.id)
    read: list[str] = []
    after = None
    for position in range(3):
        answer = await graph.data(MY_LIST, {"first": 2, "after": after}, token=token)
        page = answer["viewer"]["profile"]["myList"]
        read += [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"]["hasNextPage"] is (position < 2)
        assert page["pageInfo"]["hasPreviousPage"] is (position > 0)
        after = page["pageInfo"]["endCursor"]
    assert read == ["mov_4", "mov_3", "mov_2", "mov_1", "mov_0"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"first": 51}, "first is 51; ask for 0 to 50"),
        ({"first": -1}, "first is -1"),
        ({"after": "nonsense"}, "no cursor of this list"),
    ],
)
async def test_wrong_page_arguments_are_errors_in_words(graph: Graph, variables: dict[str, Any], words: str) -> None:
    """With a code that clients may see."""
    answer = await graph(MY_LIST, variables, token=await graph.viewer_token())
    [error] = answer["errors"]
    assert words in error["message"]
    assert error["extensions"]["code"] == "INVALID_ARGUMENT"


async def statements_for(graph: Graph, query: str, variables: dict[str, Any] | None, token: str) -> int:
    await graph.data(query, variables, token=token)
    return sum(statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE")) for statement in graph.statements)


async def test_title_fields_cost_the_same_for_one_title_and_for_five_hundred(
    graph: Graph, films: Sequence[str]
) -> None:
    """The session's account, the profile, and one statement for all marks and ratings."""
    token = await graph.viewer_token()
    await rate(graph, token, "mov_film", 4)
    counts = []
    for count in (1, 500):
        references = [{"__typename": "Title", "id": f"mov_{number}"} for number in range(count)]
        counts.append(await statements_for(graph, ENTITIES, {"r": references}, token))
    assert counts == [3, 3]


async def test_nested_lists_cost_the_same_for_one_profile_and_for_five(graph: Graph, films: Sequence[str]) -> None:
    """All profiles' lists by one statement, all their titles' marks by another."""
    session = await graph.sign_up()
    query = f"{{ viewer {{ account {{ plan {{ id }} profiles {{ name myList {{ edges {{ node {MARKS} }} }} }} }} }} }}"
    token = (await graph.select(session))["accessToken"]
    await add(graph, token, "mov_film")
    one = await statements_for(graph, query, None, token)
    for number in range(4):
        create = f'mutation {{ createProfile(input: {{name: "P{number}"}}) {{ ... on CreateProfileSuccess {{ profile {{ id }} }} }} }}'
        profile_id = (await graph.data(create, token=token))["createProfile"]["profile"]["id"]
        other = (await graph.select(session, profile_id))["accessToken"]
        await add(graph, other, "mov_cartoon")
        await add(graph, other, "mov_adult")
    assert await statements_for(graph, query, None, token) == one


async def test_titles_news_make_titles_known_changed_and_gone(graph: Graph, engine: AsyncEngine) -> None:
    """As topic `titles` brings them; repeated events do no harm, other kinds pass by, malformed ones are refused."""
    news = TitleNews(SqlTitleFactsStore(engine))
    token = await graph.viewer_token()
    snapshot = {
        "id": "mov_new",
        "kind": "MOVIE",
        "displayName": "Metropolis",
        "minimumAge": 12,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "blockedCountries": [],
    }
    changed = Event("titles", "title.changed", {"titles": [snapshot]}, START)
    for event in (changed, changed, Event("titles", "title.praised", {}, START)):
        await news.handle(event)
    assert (await add(graph, token, "mov_new"))["__typename"] == "MyListSuccess"
    await news.handle(Event("titles", "title.withdrawn", {"titleIds": ["mov_new"]}, START + timedelta(seconds=1)))
    await news.handle(changed)
    assert (await add(graph, token, "mov_new"))["__typename"] == "TitleNotFound"
    broken = {name: value for name, value in snapshot.items() if name != "minimumAge"}
    with pytest.raises(KeyError):
        await news.handle(replace(changed, data={"titles": [broken]}))

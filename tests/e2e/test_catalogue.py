"""Titles through the gateway: details, seasons, search, lists, ratings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.running_stack import RunningStack
from tests.support.viewers import Viewers

FIND = "query Find($query: String!) { search(query: $query, first: 5) { edges { node { id displayName kind } } } }"


def find(stack: RunningStack, query: str, token: str | None = None) -> list[dict[str, Any]]:
    return [edge["node"] for edge in stack.graphql(FIND, {"query": query}, token=token).data["search"]["edges"]]


@pytest.mark.parametrize(
    ("typed", "meant"), [("nosfratu", "Nosferatu"), ("metroplis", "Metropolis"), ("the genral", "The General")]
)
def test_search_forgives_a_typing_error(stack: RunningStack, typed: str, meant: str) -> None:
    """One wrong or missing letter still finds the film first."""
    names = [title["displayName"] for title in find(stack, typed)]

    assert names
    assert names[0].startswith(meant)


def test_a_series_has_seasons_and_episodes(stack: RunningStack, viewers: Viewers) -> None:
    """The details operation brings a series with its seasons and their first episodes, in order."""
    series = next(title for title in find(stack, "Les Vampires") if title["kind"] == "SERIES")

    title = stack.operation("shared/details", {"id": series["id"]}, token=viewers.premium.token).data["title"]

    seasons = [edge["node"] for edge in title["seasons"]["edges"]]
    assert title["seasonCount"] == len(seasons) >= 1
    numbers = [edge["node"]["number"] for edge in seasons[0]["episodes"]["edges"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5


def test_an_unknown_id_is_null_without_an_error(stack: RunningStack, viewers: Viewers) -> None:
    """What does not exist is null, like what may not be seen."""
    answer = stack.operation("shared/details", {"id": "mov_that-is-not-there"}, token=viewers.premium.token)

    assert answer.data == {"title": None}


def test_my_list_is_kept_and_shown(stack: RunningStack, viewers: Viewers) -> None:
    """Adding twice is adding once; removing takes it away; the flag on the title follows at once."""
    viewer = viewers.fresh()
    title_id = find(stack, "Metropolis")[0]["id"]
    my_list = "{ viewer { profile { myList(first: 10) { edges { node { id displayName inMyList } } } } } }"

    for _ in range(2):
        added = stack.operation("shared/my_list_add", {"titleId": title_id}, token=viewer.token).data
        assert added["addToMyList"]["title"]["inMyList"] is True
    listed = stack.graphql(my_list, token=viewer.token).data["viewer"]["profile"]["myList"]["edges"]
    stack.operation("shared/my_list_remove", {"titleId": title_id}, token=viewer.token)
    after = stack.graphql(my_list, token=viewer.token).data["viewer"]["profile"]["myList"]["edges"]

    assert [edge["node"]["id"] for edge in listed] == [title_id]
    assert listed[0]["node"]["displayName"].startswith("Metropolis")
    assert after == []


def test_a_rating_is_kept_and_bounded(stack: RunningStack, viewers: Viewers) -> None:
    """One to five stars; anything else is a typed refusal that names the value."""
    viewer = viewers.fresh()
    title_id = find(stack, "Metropolis")[0]["id"]

    rate = """mutation($titleId: ID!, $stars: Int) { rateTitle(titleId: $titleId, stars: $stars) {
      __typename ... on RateTitleSuccess { title { rating { stars } } }
    } }"""

    rated, refused, unknown = (
        stack.graphql(rate, {"titleId": titled, "stars": stars}, token=viewer.token).data["rateTitle"]
        for titled, stars in ((title_id, 4), (title_id, 6), ("mov_no", 3))
    )

    assert rated["title"]["rating"]["stars"] == 4
    assert refused["__typename"] == "InvalidInput"
    assert unknown["__typename"] == "TitleNotFound"

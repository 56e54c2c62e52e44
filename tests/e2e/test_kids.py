"""A kids profile sees and plays only what is made for kids, through every door."""

from __future__ import annotations

from tests.support.devices import TV, title_ids_of
from tests.support.running_stack import RunningStack
from tests.support.viewers import Viewers

ADULT_FILM = "Night of the Living Dead"


def adult_title(stack: RunningStack, viewers: Viewers) -> str:
    found = stack.operation("shared/search", {"query": ADULT_FILM, "first": 1}, token=viewers.premium.token).data
    node = found["search"]["edges"][0]["node"]
    assert node["displayName"] == ADULT_FILM
    return str(node["id"])


def test_home_shows_kids_only(stack: RunningStack, viewers: Viewers) -> None:
    """Every title on a kids home page is one for kids."""
    page = stack.operation("tv/home", {"device": TV}, token=viewers.kids.token).data["page"]
    ids = title_ids_of(page)

    titles = stack.graphql(
        "query Facts($ids: [ID!]!) { titlesByIds(ids: $ids) { id isKids } }",
        {"ids": sorted(set(ids))[:50]},
        token=viewers.premium.token,
    ).data["titlesByIds"]

    assert ids
    assert all(title["isKids"] for title in titles)


def test_an_adult_title_is_not_there(stack: RunningStack, viewers: Viewers) -> None:
    """Details by id, search and play answer as if the film did not exist."""
    title_id = adult_title(stack, viewers)
    token = viewers.kids.token

    details = stack.operation("shared/details", {"id": title_id}, token=token)
    found = stack.operation("shared/search", {"query": ADULT_FILM}, token=token).data["search"]["edges"]
    suggested = stack.graphql(
        "query S($query: String!) { searchSuggestions(query: $query) { text } }", {"query": "Night of the"}, token=token
    ).data["searchSuggestions"]
    started = stack.operation(
        "shared/start_playback",
        {"input": {"titleId": title_id, "device": {"id": "d", "formFactor": "TV"}}},
        token=token,
    ).data["startPlayback"]
    listed = stack.operation("shared/my_list_add", {"titleId": title_id}, token=token).data["addToMyList"]

    assert details.data == {"title": None}
    assert all(edge["node"]["id"] != title_id for edge in found)
    assert all(ADULT_FILM not in suggestion["text"] for suggestion in suggested)
    assert started["__typename"] == "PlaybackRefused"
    assert started["reason"] in {"NOT_FOUND", "RESTRICTED_BY_MATURITY"}
    assert listed["__typename"] == "TitleNotFound"

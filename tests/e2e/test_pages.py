"""Home pages: one operation each, made for the device and the profile."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest

from tests.support.devices import PHONE, TV, cards_of, sections_of, title_ids_of
from tests.support.running_stack import RunningStack
from tests.support.viewers import Viewers

TV_FIRST_ANSWER_BYTES = 14_000
PHONE_FIRST_ANSWER_BYTES = 6_000
HISTORY_DEADLINE_S = 60.0


def home(stack: RunningStack, form: str, device: dict[str, Any], token: str | None) -> dict[str, Any]:
    page: dict[str, Any] = stack.operation(f"{form}/home", {"device": device}, token=token).data["page"]
    return page


def test_one_intent_gives_each_device_its_own_layout(stack: RunningStack, viewers: Viewers) -> None:
    """The TV gets landscape artwork and more of it, the phone portrait posters."""
    tv = home(stack, "tv", TV, viewers.premium.token)
    phone = home(stack, "phone", PHONE, viewers.premium.token)

    tv_rows = [section for section in sections_of(tv) if section["__typename"] == "RowSection"]
    phone_rows = [section for section in sections_of(phone) if section["__typename"] == "RowSection"]
    assert len(tv_rows) >= 3
    assert len(phone_rows) >= 3
    assert len(title_ids_of(tv)) > len(title_ids_of(phone))
    assert all(row["layout"]["cardWidthPx"] > row["layout"]["cardHeightPx"] for row in tv_rows)
    assert any(row["layout"]["cardWidthPx"] < row["layout"]["cardHeightPx"] for row in phone_rows)


@pytest.mark.parametrize(
    ("form", "device", "limit_bytes"),
    [("tv", TV, TV_FIRST_ANSWER_BYTES), ("phone", PHONE, PHONE_FIRST_ANSWER_BYTES)],
)
def test_the_first_answer_fits_the_first_flight(
    stack: RunningStack, viewers: Viewers, form: str, device: dict[str, Any], limit_bytes: int
) -> None:
    """Compressed, the first answer stays within the size that one round trip carries."""
    answer = stack.operation(f"{form}/home", {"device": device}, token=viewers.premium.token)

    assert len(gzip.compress(answer.content, 6)) <= limit_bytes


def test_artwork_of_a_page_can_be_fetched(stack: RunningStack, viewers: Viewers) -> None:
    """The addresses on a page lead to images of the format and size that they name."""
    page = home(stack, "tv", TV, viewers.premium.token)
    card = cards_of(sections_of(page)[1])[0]

    answer = stack.client.get(card["artwork"]["url"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] in {"image/webp", "image/jpeg"}
    assert "max-age" in answer.headers["cache-control"]


def test_no_title_appears_twice_in_the_first_three_rows(stack: RunningStack, viewers: Viewers) -> None:
    """Rows repeat nothing where everybody looks."""
    page = home(stack, "tv", TV, viewers.premium.token)
    rows = [section for section in sections_of(page) if section["__typename"] == "RowSection"][:3]
    ids = [card["title"]["id"] for row in rows for card in cards_of(row)]

    assert len(ids) == len(set(ids))


def test_a_kind_that_the_client_does_not_list_is_never_sent(stack: RunningStack, viewers: Viewers) -> None:
    """Old clients stay safe: only kinds that they can draw arrive."""
    device = {**TV, "supports": ["TRENDING", "NEW_RELEASES"]}

    page = home(stack, "tv", device, viewers.premium.token)

    assert {section["kind"] for section in sections_of(page)} <= {"TRENDING", "NEW_RELEASES"}
    assert sections_of(page)


def test_an_anonymous_visitor_gets_a_page(stack: RunningStack) -> None:
    """Before anybody signs in there is something to look at, and nothing personal."""
    page = home(stack, "tv", TV, None)

    kinds = {section["kind"] for section in sections_of(page)}
    assert kinds
    assert not kinds & {"CONTINUE_WATCHING", "BECAUSE_YOU_WATCHED", "MY_LIST", "WATCH_AGAIN"}


def test_reasons_name_something_that_was_watched(stack: RunningStack, viewers: Viewers) -> None:
    """A "because you watched" row's cause is in the profile's history."""
    rows: list[dict[str, Any]] = []
    deadline = time.monotonic() + HISTORY_DEADLINE_S
    # The demo's history comes in after the stack is ready, by events.
    while not rows and time.monotonic() < deadline:
        page = home(stack, "tv", TV, viewers.premium.token)
        rows = [section for section in sections_of(page) if section["kind"] == "BECAUSE_YOU_WATCHED"]
    history = stack.graphql(
        """{ viewer { profile { history(first: 50) { edges { node { title { displayName ... on Episode { series { displayName } } } } } } } } }""",
        token=viewers.premium.token,
    ).data["viewer"]["profile"]["history"]["edges"]
    titles = [edge["node"]["title"] for edge in history]
    watched = {
        name for title in titles for name in (title["displayName"], title.get("series", {}).get("displayName")) if name
    }

    assert rows
    assert all(any(name in row["heading"] for name in watched) for row in rows)

"""Windows that open and close: told at their instant, announced before it, and no door opens early."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ServiceError
from common.event_catalogue import check_published
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest, read_cursor
from subgraphs.kernel.policy import EVERYWHERE, Window, decide
from subgraphs.titles.domain.title import Origin, Title, TitleKind
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.coming import ComingSoon
from subgraphs.titles.services.openings import OpeningsAnnouncer
from tests.subgraphs.titles.catalogue_strategies import catalogues, windows
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, STUDIO, Parts, Service

DAY = timedelta(days=1)


def film(key: str, *windows: Window, **facts: Any) -> Title:
    return Title(
        id=TitleId(f"mov_{key}"),
        kind=TitleKind.MOVIE,
        display_name=key,
        origin=Origin("test", key),
        added_at=NOW - DAY,
        windows=windows,
        **facts,
    )


class RememberingStream:
    """An event stream in memory that can be away."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str, bool]] = []
        self.failures = 0

    async def publish(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        told = json.loads(json.dumps(data))["changes"]
        check_published("titles", kind, {"changes": told})
        self.changes += [(change["titleId"], change["country"], change["isOpen"]) for change in told]


@given(of=st.lists(windows, max_size=4).map(tuple))
def test_the_calendar_tells_exactly_when_a_country_gains_or_loses_a_title(of: tuple[Window, ...]) -> None:
    """Replayed over what was open before, the changes give what is open after, in every country that a window names."""
    title = film("x", *of)
    calendar = AvailabilityCalendar()
    calendar.update([title])
    start, end = NOW - timedelta(days=5), NOW + timedelta(days=5)
    changes = calendar.changes(start, end)
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    for country in {window.country for window in of}:
        is_open = _is_open(title, country, start)
        for change in changes:
            if change.country == country:
                assert change.is_open is not is_open
                is_open = change.is_open
        assert is_open == _is_open(title, country, end)


@given(catalogue=catalogues())
def test_openings_are_closed_titles_whose_windows_begin(catalogue: list[Title]) -> None:
    """For each country the soonest beginning of what is closed now, in order, and the next edge is the nearest of all."""
    calendar = AvailabilityCalendar()
    calendar.update(catalogue)
    for country in ("US", None):
        found = calendar.openings(country, NOW, NOW + 3 * DAY)
        assert found == sorted(found)
        for opens_at, title_id in found:
            title = next(each for each in catalogue if each.id == title_id)
            assert not _is_open(title, country or EVERYWHERE, NOW)
            assert opens_at in {window.opens_at for window in title.windows}
    edges = {
        instant
        for title in catalogue
        if not title.is_gone
        for window in title.windows
        for instant in (window.opens_at, window.closes_at)
        if instant is not None and instant > NOW
    }
    assert calendar.next_edge(NOW) == min(edges, default=None)


async def test_each_opening_is_told_once_at_its_instant_also_after_a_restart(parts: Parts) -> None:
    """Nothing before; a stream that is away delays it; what a process missed while it was down is told at its start."""
    calendar, stream = AvailabilityCalendar(), RememberingStream()
    calendar.update([film("a", Window("US", NOW + DAY, NOW + 3 * DAY)), film("b", Window("*", None, NOW + 2 * DAY))])
    first = OpeningsAnnouncer(calendar, parts.store, stream, parts.clock)
    assert await first.announce_due() == 0
    parts.clock.advance(timedelta(hours=23))
    assert await first.announce_due() == 0
    parts.clock.advance(timedelta(hours=1))
    stream.failures = 1
    with pytest.raises(ConnectionError):
        await first.announce_due()
    assert await first.announce_due() == 1
    assert await first.announce_due() == 0
    assert stream.changes == [("mov_a", "US", True)]
    parts.clock.advance(2 * DAY)
    again = OpeningsAnnouncer(calendar, parts.store, stream, parts.clock)
    assert await again.announce_due() == 2
    assert stream.changes[1:] == [("mov_b", "*", False), ("mov_a", "US", False)]


async def test_what_comes_soon_is_told_to_whom_it_is_for(parts: Parts) -> None:
    """Soonest first and in pages; not to others' countries, nor to children what is not for them, nor what is open."""
    titles = [
        film("soon", Window("US", NOW + 2 * DAY)),
        film("sooner", Window("*", NOW + DAY), is_kids=True),
        film("later", Window("US", NOW + 40 * DAY)),
        film("abroad", Window("DE", NOW + DAY)),
        film("blocked", Window("US", NOW + DAY), blocked_countries=frozenset({"US"})),
        film("open", Window("*"), Window("US", NOW + DAY)),
        film("rough", Window("US", NOW + DAY), minimum_age=18),
    ]
    calendar = AvailabilityCalendar()
    calendar.update(titles)
    await parts.store.save(titles)
    coming = ComingSoon(parts.catalogue, calendar)

    async def names(viewer: Any, days: int = 14) -> list[str]:
        page = await coming.upcoming(viewer, NOW, days, PageRequest(50))
        return [one.title.display_name for one in page.items]

    assert await names(ADULT) == ["rough", "sooner", "soon"]
    assert await names(ADULT, 60) == ["rough", "sooner", "soon", "later"]
    assert await names(CHILD) == ["sooner"]
    assert await names(replace(ADULT, country="DE")) == ["abroad", "sooner"]
    paged: list[str] = []
    request = PageRequest(1)
    while True:
        page = await coming.upcoming(ADULT, NOW, 60, request)
        paged += [one.title.display_name for one in page.items]
        if not page.has_next_page:
            break
        request = PageRequest(1, read_cursor(page.cursors[-1]))
    assert paged == await names(ADULT, 60)
    for days, page_request in ((0, PageRequest(1)), (91, PageRequest(1)), (7, PageRequest(1, ("NAME", "a", "mov_a")))):
        with pytest.raises(ServiceError):
            await coming.upcoming(ADULT, NOW, days, page_request)


async def test_an_announcement_opens_no_door_before_its_time(own_service: Service) -> None:
    """Announced with name and picture, and null by id until the instant; then it is a title like any other."""
    query = """mutation { createTitle(input: { displayName: "Xenolith" }) {
      ... on CreateTitleSuccess { title { id } } } }"""
    title_id = (await own_service.data(query, STUDIO))["createTitle"]["title"]["id"]
    windows = [{"country": "US", "from": {"at": "2026-11-22T09:00", "zone": "America/New_York"}}]
    await own_service.data(
        "mutation($input: SetWindowsInput!) { setWindows(input: $input) { __typename } }",
        STUDIO,
        input={"titleId": title_id, "revision": 1, "windows": windows},
    )
    await own_service.settled()
    query = """query($id: ID!) { comingSoon { edges { node { id displayName opensAt
      artwork(role: POSTER, widthPx: 100) { url } } } } title(id: $id) { id } search(query: "xenolith") { totalCount } }"""
    before = await own_service.data(query, id=title_id)
    announced = {edge["node"]["displayName"]: edge["node"] for edge in before["comingSoon"]["edges"]}
    assert announced["Xenolith"]["opensAt"] == "2026-11-22T14:00:00+00:00"
    assert (before["title"], before["search"]["totalCount"]) == (None, 0)
    own_service.clock.advance(2 * DAY)
    after = await own_service.data(query, id=title_id)
    assert "Xenolith" not in str(after["comingSoon"])
    assert (after["title"], after["search"]["totalCount"]) == ({"id": title_id}, 1)


def _is_open(title: Title, country: str, at: datetime) -> bool:
    """The policy's word, blocks and ages aside."""
    facts = replace(title.facts, blocked_countries=frozenset(), minimum_age=0, is_withdrawn=False)
    viewer = replace(ADULT, country=None if country == EVERYWHERE else country)
    return decide(viewer, facts, at).may_see

"""Pages through the whole subgraph: paging by cursors, events, feedback, similar, match, what is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from common.tokens import Viewer
from subgraphs.recommendations.adapters.valkey.tastes import GONE_FOR_S
from subgraphs.recommendations.api import pages as api_pages
from subgraphs.recommendations.services import keep_models, match_titles, serve_pages

PAGE = """query ($kind: PageKind! = HOME, $device: DeviceInput!, $genre: ID, $title: ID, $first: Int, $after: String, $cards: Int) {
  page(kind: $kind, device: $device, genreId: $genre, titleId: $title) { id kind revision expiresAt
    sections(first: $first, after: $after) {
      pageInfo { hasNextPage hasPreviousPage endCursor }
      edges { cursor node { __typename id kind heading tracking reason { text becauseOf { id } }
        ... on RowSection { layout { artworkRole cardWidthPx cardHeightPx visibleCards } }
        items(first: $cards) { pageInfo { hasNextPage endCursor } edges { cursor node { __typename id tracking title { id } artwork { id }
          ... on TitleCard { reason { text becauseOf { id } } } ... on ContinueWatchingCard { series { id } } } } } } } } } }"""
SECTION = """query ($id: ID!, $first: Int, $after: String) { section(id: $id) { id
  items(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { title { id } } } } } }"""
KINDS = [
    "HERO", "CONTINUE_WATCHING", "BECAUSE_YOU_WATCHED", "TOP_PICKS", "TRENDING", "NEW_RELEASES", "POPULAR_IN_COUNTRY",
    "GENRE", "MY_LIST", "WATCH_AGAIN", "LEAVING_SOON", "COLLECTION",
]  # fmt: skip
TV = {
    "formFactor": "TV",
    "widthPx": 1920,
    "heightPx": 1080,
    "imageFormats": ["WEBP", "JPEG"],
    "supports": KINDS,
}


def sections_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in data["page"]["sections"]["edges"]]


def titles_of(section: dict[str, Any]) -> list[str]:
    return [edge["node"]["title"]["id"] for edge in section["items"]["edges"]]


async def page(subgraph: Any, viewer: Viewer | None, **variables: Any) -> dict[str, Any]:
    return await subgraph.data(PAGE, {"device": TV, **variables}, viewer)


async def test_a_first_answer_is_cut_for_the_device(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """As many sections and cards as the form factor shows at once, artwork by an id that titles can resolve."""
    await subgraph.tell_titles(catalogue_snapshots)

    found = sections_of(await page(subgraph, viewer))
    card = found[1]["items"]["edges"][0]["node"]

    assert len(found) == 8
    assert all(len(titles_of(section)) <= 10 for section in found)
    assert found[0]["__typename"] == "HeroSection"
    assert card["artwork"]["id"] == f"{card['title']['id']}~BACKDROP~main~320x180~WEBP"


async def test_paging_neither_repeats_nor_skips_while_the_page_changes(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer
) -> None:
    """The pages of a revision together are the whole revision, though the profile watches and titles change meanwhile."""
    await subgraph.tell_titles(catalogue_snapshots)
    await subgraph.watch("mov_000", 0.97)
    whole = await page(subgraph, viewer, first=50)
    pieces, after = [], None
    while True:
        piece = await page(subgraph, viewer, first=2, after=after)
        pieces += sections_of(piece)
        info = piece["page"]["sections"]["pageInfo"]
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
        await subgraph.watch(f"mov_{len(pieces) * 7:03}", 0.97)
        await subgraph.tell_titles([{**catalogue_snapshots[len(pieces)], "popularity": 1.0}])

    assert [section["id"] for section in pieces] == [section["id"] for section in sections_of(whole)]
    assert [titles_of(section) for section in pieces] == [titles_of(section) for section in sections_of(whole)]


async def test_a_row_goes_on_by_its_id(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """section(id) continues in the row of the same revision, to its end."""
    await subgraph.tell_titles(catalogue_snapshots)
    row = next(section for section in sections_of(await page(subgraph, viewer, cards=3)) if section["kind"] == "GENRE")
    whole = (await subgraph.data(SECTION, {"id": row["id"], "first": 50}, viewer))["section"]
    await subgraph.watch("mov_003", 0.97)
    seen, after = titles_of(row), row["items"]["pageInfo"]["endCursor"]
    while after is not None:
        answer = await subgraph.data(SECTION, {"id": row["id"], "first": 4, "after": after}, viewer)
        seen += titles_of(answer["section"])
        info = answer["section"]["items"]["pageInfo"]
        after = info["endCursor"] if info["hasNextPage"] else None

    assert seen == titles_of(whole)
    assert len(seen) == len(set(seen)) > 3


async def test_an_old_cursor_says_so(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """After the page expired, or with somebody else's cursor: PAGE_EXPIRED, and what to do."""
    await subgraph.tell_titles(catalogue_snapshots)
    first = await page(subgraph, viewer, first=2)
    after = first["page"]["sections"]["pageInfo"]["endCursor"]
    await subgraph.watch("mov_000", 0.97)

    stranger = await subgraph.ask(PAGE, {"device": TV, "after": after}, replace(viewer, profile_id="prof_2"))
    subgraph.clock.advance(timedelta(minutes=11))
    await subgraph.redis.flushall()
    late = await subgraph.ask(PAGE, {"device": TV, "after": after}, viewer)

    for body in (stranger, late):
        assert body["errors"][0]["extensions"]["code"] == "PAGE_EXPIRED"
        assert "load the page again" in body["errors"][0]["message"]


async def test_a_kept_page_ends_with_a_right(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """A page that holds a title which was closed since is not gone on with: its cursors are PAGE_EXPIRED."""
    await subgraph.tell_titles(catalogue_snapshots)
    first = await page(subgraph, viewer, first=2)
    after = first["page"]["sections"]["pageInfo"]["endCursor"]
    again = await subgraph.ask(PAGE, {"device": TV, "after": after}, viewer)

    shown = titles_of(first["page"]["sections"]["edges"][0]["node"])
    closed = next(each for each in catalogue_snapshots if each["id"] == shown[0])
    await subgraph.tell_titles([{**closed, "windows": []}])
    ended = await subgraph.ask(PAGE, {"device": TV, "after": after}, viewer)

    assert "errors" not in again
    assert ended["errors"][0]["extensions"]["code"] == "PAGE_EXPIRED"


BAD_WISHES = [
    ({"first": 51}, "first is 51"),
    ({"cards": -1}, "first is -1"),
    ({"after": "nonsense"}, "no cursor"),
    ({"device": {**TV, "widthPx": 0}}, "device.widthPx is 0"),
    ({"device": {**TV, "pixelRatio": 99}}, "device.pixelRatio is 99"),
    ({"device": {**TV, "imageFormats": ["AVIF"]}}, "device.imageFormats names AVIF"),
    ({"device": {**TV, "supports": []}}, "device.supports is empty"),
    ({"kind": "GENRE"}, "needs genreId"),
    ({"kind": "MORE_LIKE_THIS"}, "needs titleId"),
    ({"kind": "GENRE", "genre": "gen_none"}, "no genre"),
    ({"kind": "MORE_LIKE_THIS", "title": "mov_none"}, "no title"),
]


async def test_bad_wishes_name_what_is_wrong(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """The argument, the value seen, the value wanted."""
    await subgraph.tell_titles(catalogue_snapshots)

    for variables, words in BAD_WISHES:
        body = await subgraph.ask(PAGE, {"device": TV, **variables}, viewer)

        assert words in body["errors"][0]["message"]
        assert body["errors"][0]["extensions"]["code"] in {"INVALID_ARGUMENT", "NOT_FOUND"}


async def test_more_like_a_hidden_title_looks_like_an_unknown_one(
    subgraph: Any, make_snapshot: Any, viewer: Viewer
) -> None:
    """Forbidden and missing are the same to who asks."""
    await subgraph.tell_titles([make_snapshot("mov_x", minimumAge=18)])
    limited = replace(viewer, maturity=12)

    bodies = [
        await subgraph.ask(PAGE, {"device": TV, "kind": "MORE_LIKE_THIS", "title": title_id}, limited)
        for title_id in ("mov_x", "mov_y")
    ]

    messages = [body["errors"][0]["message"].replace("mov_x", "mov_y") for body in bodies]
    assert messages[0] == messages[1]


async def test_watching_changes_the_next_page(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """A film in progress is there to go on with; when it is finished it explains others; late events change nothing."""
    await subgraph.tell_titles(catalogue_snapshots)
    await subgraph.watch("mov_000", 0.5)
    begun = {section["kind"]: section for section in sections_of(await page(subgraph, viewer, first=50))}
    at = subgraph.clock.now().isoformat()
    await subgraph.watch("mov_000", 0.97)
    await subgraph.watch("mov_000", 0.2, occurredAt=at)
    done = {section["kind"]: section for section in sections_of(await page(subgraph, viewer, first=50))}

    assert titles_of(begun["CONTINUE_WATCHING"]) == ["mov_000"]
    assert "CONTINUE_WATCHING" not in done
    assert done["BECAUSE_YOU_WATCHED"]["reason"] == {
        "text": "Because you watched Film 0",
        "becauseOf": {"id": "mov_000"},
    }
    assert titles_of(done["WATCH_AGAIN"]) == ["mov_000"]


async def test_list_and_ratings_arrive(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """The list is a row, newest first; taken off, it is gone; five stars count as taste."""
    await subgraph.tell_titles(catalogue_snapshots)
    for title_id in ("mov_001", "mov_006", "mov_000"):
        subgraph.clock.advance(timedelta(seconds=1))
        data = {"profileId": "prof_1", "titleId": title_id, "inList": True}
        await subgraph.tell("feedback", "list.changed", data)
    subgraph.clock.advance(timedelta(seconds=1))
    await subgraph.tell("feedback", "list.changed", {"profileId": "prof_1", "titleId": "mov_006", "inList": False})
    await subgraph.tell("feedback", "title.rated", {"profileId": "prof_1", "titleId": "mov_012", "stars": 5})

    kinds = {section["kind"]: section for section in sections_of(await page(subgraph, viewer, first=50))}

    assert titles_of(kinds["MY_LIST"]) == ["mov_000", "mov_001"]
    assert "TOP_PICKS" in kinds


async def test_not_interested_means_not_shown(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """Everywhere on discovery rows, until it is taken back."""
    await subgraph.tell_titles(catalogue_snapshots)
    shown = titles_of(sections_of(await page(subgraph, viewer))[1])[0]
    thumb = {"profileId": "prof_1", "titleId": shown}

    async def all_shown() -> set[str]:
        found = sections_of(await page(subgraph, viewer, first=50, cards=50))
        return {title_id for section in found for title_id in titles_of(section)}

    await subgraph.tell("feedback", "title.thumbed", {**thumb, "thumb": "NOT_INTERESTED"})
    assert shown not in await all_shown()
    subgraph.clock.advance(timedelta(seconds=1))
    await subgraph.tell("feedback", "title.thumbed", {**thumb, "thumb": None})
    assert shown in await all_shown()


async def test_a_kids_profile_meets_nothing_forbidden(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """On every kind of page, in similar titles, in reasons and artwork: only titles for kids, whatever it watched."""
    await subgraph.tell_titles(catalogue_snapshots)
    kids = replace(viewer, profile_id="prof_kid", is_kids=True, maturity=7)
    allowed = {row["id"] for row in catalogue_snapshots if row["isKids"] and row["minimumAge"] <= 7}
    for number in range(0, 120, 9):
        await subgraph.watch(f"mov_{number:03}", 0.97 if number % 2 else 0.4, profile_id="prof_kid")
        data = {"profileId": "prof_kid", "titleId": f"mov_{number + 1:03}", "inList": True}
        await subgraph.tell("feedback", "list.changed", data)
    similar = """query ($r: [_Any!]!) { _entities(representations: $r) { ... on Title { id similar(first: 50) { edges { node { id } } } } } }"""

    met: set[str] = set()
    for kind in ("HOME", "MOVIES", "SERIES", "KIDS"):
        data = await page(subgraph, kids, kind=kind, first=50, cards=50)
        for section in sections_of(data):
            met |= set(titles_of(section))
            met |= {edge["node"]["artwork"]["id"].split("~")[0] for edge in section["items"]["edges"]}
            reasons = [section["reason"], *[edge["node"].get("reason") for edge in section["items"]["edges"]]]
            met |= {reason["becauseOf"]["id"] for reason in reasons if reason and reason["becauseOf"]}
    representations = [{"__typename": "Title", "id": row["id"]} for row in catalogue_snapshots]
    for entity in (await subgraph.data(similar, {"r": representations}, kids))["_entities"]:
        met |= {edge["node"]["id"] for edge in entity["similar"]["edges"]}

    assert met
    assert met - allowed == set()


async def test_match_and_similar(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """Horror suits who watches horror more than comedy does; no taste, no match; similar is paged and never itself."""
    await subgraph.tell_titles(catalogue_snapshots)
    query = """query ($r: [_Any!]!, $after: String) { _entities(representations: $r) { ... on Title { id match
      similar(first: 5, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } } } }"""
    ids = ["mov_018", "mov_019", "mov_none"]
    variables = {"r": [{"__typename": "Title", "id": title_id} for title_id in ids]}
    before = (await subgraph.data(query, variables, viewer))["_entities"]
    for number in (0, 6, 12):
        await subgraph.watch(f"mov_{number:03}", 0.97)
    horror, comedy, unknown = (await subgraph.data(query, variables, viewer))["_entities"]
    more = (await subgraph.data(query, {**variables, "after": horror["similar"]["pageInfo"]["endCursor"]}, viewer))[
        "_entities"
    ][0]

    assert [entity["match"] for entity in before] == [None, None, None]
    assert 1 >= horror["match"] > comedy["match"] >= 0
    assert (unknown["match"], unknown["similar"]["edges"]) == (None, [])
    both = [edge["node"]["id"] for edge in horror["similar"]["edges"] + more["similar"]["edges"]]
    assert len(both) == len(set(both)) > 5
    assert "mov_018" not in both


async def test_matches_are_kept_until_something_changes(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison for many requests; another for more titles, after a new watch, and when time has passed."""
    scored = []
    spread = match_titles.spread_matches

    def counted(*arguments: Any) -> Any:
        scored.append(1)
        return spread(*arguments)

    monkeypatch.setattr(match_titles, "spread_matches", counted)
    # Only this test rebuilds the catalogue.
    monkeypatch.setattr(keep_models, "SETTLE_S", 600)
    query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Title { match } } }"
    films = {"r": [{"__typename": "Title", "id": f"mov_{number:03}"} for number in range(40)]}
    await subgraph.tell_titles(catalogue_snapshots)
    await subgraph.watch("mov_000", 1.0)
    first = await subgraph.data(query, films, viewer)
    assert await subgraph.data(query, films, viewer) == first
    assert len(scored) == 1

    await subgraph.watch("mov_001", 1.0)
    changed = await subgraph.data(query, films, viewer)
    assert changed != first
    assert await subgraph.data(query, films, replace(viewer, maturity=12)) != changed
    subgraph.clock.advance(timedelta(seconds=match_titles.MATCHES_LIFE_S))
    await subgraph.data(query, films, viewer)
    assert len(scored) == 4


async def test_a_match_is_the_same_whatever_else_is_asked(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of titles asked for together, one by one, again, or from a process that knows nothing yet."""
    query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Title { id match } } }"
    ids = [*(f"mov_{number:03}" for number in range(0, 120, 7)), "mov_none", "ser_000"]
    # Only this test rebuilds the catalogue.
    monkeypatch.setattr(keep_models, "SETTLE_S", 600)
    await subgraph.tell_titles(catalogue_snapshots)
    for number in (0, 6, 12):
        await subgraph.watch(f"mov_{number:03}", 0.97)

    async def ask(*title_ids: str) -> dict[str, float | None]:
        wanted = {"r": [{"__typename": "Title", "id": title_id} for title_id in title_ids]}
        return {each["id"]: each["match"] for each in (await subgraph.data(query, wanted, viewer))["_entities"]}

    together = await ask(*ids)
    assert len({*together.values()}) > 5
    monkeypatch.setattr(match_titles, "MATCHES_LIFE_S", 1.0)  # from here on nothing is known
    one_by_one = [await ask(title_id) for title_id in ids]
    assert {title_id: match for each in one_by_one for title_id, match in each.items()} == together
    assert await ask(*reversed(ids)) == together


async def test_visitors_see_the_default_countrys_charts(subgraph: Any, catalogue_snapshots: Any) -> None:
    """Nothing personal, and nothing that is offered or blocked by country: every other door would hide it."""
    nowhere_else = {**catalogue_snapshots[0], "windows": [{"country": "US", "from": None, "until": None}]}
    blocked = {**catalogue_snapshots[1], "blockedCountries": ["DE"]}
    await subgraph.tell_titles([nowhere_else, blocked, *catalogue_snapshots[2:]])

    data = await page(subgraph, None, first=50)

    headings = {section["heading"] for section in sections_of(data)}
    assert "Popular in the United States" in headings
    assert not {section["kind"] for section in sections_of(data)} & {"CONTINUE_WATCHING", "MY_LIST", "WATCH_AGAIN"}
    shown = {edge["node"]["title"]["id"] for section in sections_of(data) for edge in section["items"]["edges"]}
    assert shown
    assert not shown & {nowhere_else["id"], blocked["id"]}


async def test_a_title_plays_as_soon_as_its_film_is_published(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer
) -> None:
    """Whichever of the two events comes first."""
    await subgraph.tell("assets", "asset.published", {"titleId": "mov_001"})
    await subgraph.tell_titles([{**row, "minimumAge": 0} for row in catalogue_snapshots[:2]])
    await subgraph.tell("assets", "asset.published", {"titleId": "mov_000"})
    await subgraph.models.rebuild()

    assert subgraph.models.models.catalogue.is_playable.tolist() == [True, True]


async def test_a_restart_knows_the_catalogue(subgraph: Any, catalogue_snapshots: Any) -> None:
    """Titles, films and withdrawals are read back from the store."""
    from subgraphs.recommendations.services.keep_models import KeepModels

    await subgraph.tell_titles(catalogue_snapshots)
    await subgraph.tell("assets", "asset.published", {"titleId": "mov_003"})
    await subgraph.tell("titles", "title.withdrawn", {"titleIds": ["mov_004"]})
    again = KeepModels(subgraph.models._titles, subgraph.models._tastes, subgraph.clock)
    await again.load()
    catalogue = again.models.catalogue

    assert len(catalogue) == len(catalogue_snapshots)
    assert set(catalogue.records) == set(subgraph.models._records.values())
    # What titles have in common is in memory once.
    assert len({id(record.facts) for record in catalogue.records}) == len(catalogue.policy_facts)
    names = [name for record in catalogue.records for name in record.cast]
    assert len({id(name) for name in names}) == len(set(names))
    assert catalogue.is_playable[catalogue.index_by_id["mov_003"]]
    assert catalogue.records[catalogue.index_by_id["mov_004"]].facts.is_withdrawn


async def test_without_valkey_there_is_a_page_all_the_same(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less personal, but there; and not for as long as a page that has everything."""
    from redis.exceptions import ConnectionError as RedisConnectionError

    await subgraph.tell_titles(catalogue_snapshots)

    async def fail(*_: Any, **__: Any) -> Any:
        raise RedisConnectionError("away")

    with monkeypatch.context() as away:
        away.setattr("redis.asyncio.client.Redis.execute_command", fail)
        away.setattr("redis.asyncio.client.Pipeline.execute", fail)
        without = await page(subgraph, viewer)
    began = subgraph.clock.now()
    subgraph.clock.advance(serve_pages.LIFE_WITHOUT_TRENDS)
    with_all = await page(subgraph, viewer)

    assert sections_of(without)
    assert datetime.fromisoformat(without["page"]["expiresAt"]) == began + serve_pages.LIFE_WITHOUT_TRENDS
    assert datetime.fromisoformat(with_all["page"]["expiresAt"]) == subgraph.clock.now() + timedelta(minutes=10)


async def test_a_known_page_is_written_once(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the match of its cards, and until it is another page; others write their own."""
    # Only this test rebuilds the catalogue.
    monkeypatch.setattr(keep_models, "SETTLE_S", 600)
    await subgraph.tell_titles(catalogue_snapshots)
    write, written = api_pages._card_of, []

    def counted(*arguments: Any) -> Any:
        written.append(1)
        return write(*arguments)

    monkeypatch.setattr(api_pages, "_card_of", counted)
    text = PAGE.replace("title { id }", "title { id match }")

    async def ask(whose: Viewer) -> Any:
        written.clear()
        return await subgraph.data(text, {"device": TV}, whose)

    await subgraph.watch("mov_000", 0.97)
    first = await ask(viewer)
    assert written
    assert await ask(viewer) == first
    assert not written
    other = await ask(replace(viewer, profile_id="prof_2"))
    assert written
    assert other != first
    await subgraph.watch("mov_001", 0.97)
    changed = await ask(viewer)
    assert written
    matches = [edge["node"]["title"]["match"] for each in sections_of(changed) for edge in each["items"]["edges"]]
    assert None not in matches
    assert len({*matches}) > 5


async def test_pages_of_many_are_built_in_turns(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pages everything else gets its turn; a page that is asked for twice at once is built once."""
    # Only this test rebuilds the catalogue.
    monkeypatch.setattr(keep_models, "SETTLE_S", 600)
    await subgraph.tell_titles(catalogue_snapshots)
    build, turns, others = serve_pages.build_page, [0], []

    def counted(*arguments: Any) -> Any:
        others.append(turns[0])
        return build(*arguments)

    async def look_on() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(serve_pages, "build_page", counted)
    looking = asyncio.create_task(look_on())
    viewers = [replace(viewer, profile_id=f"prof_{number}") for number in range(12)]
    pages = await asyncio.gather(*(page(subgraph, each) for each in (*viewers, *viewers)))
    looking.cancel()

    assert len(others) == len(set(others)) == len(viewers)
    revisions = [each["page"]["revision"] for each in pages]
    assert revisions[: len(viewers)] == revisions[len(viewers) :]


async def test_a_deleted_profile_is_forgotten(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """Nothing of its taste stays, nor of what a device says that still holds a token of it."""
    await subgraph.tell_titles(catalogue_snapshots)
    await subgraph.watch("mov_000", 0.5)
    await page(subgraph, viewer)

    await subgraph.tell("accounts", "profile.deleted", {"profileId": "prof_1", "accountId": "acc_1"})
    await subgraph.watch("mov_001", 0.5)
    await subgraph.tell("feedback", "title.rated", {"profileId": "prof_1", "titleId": "mov_000", "stars": 5})
    consent = {"accountId": "acc_1", "profileIds": ["prof_1"], "purpose": "PERSONALISATION", "textVersion": 1}
    await subgraph.tell("accounts", "consent.changed", {**consent, "granted": True})

    assert "CONTINUE_WATCHING" not in {section["kind"] for section in sections_of(await page(subgraph, viewer))}
    assert set(await subgraph.redis.hgetall("marquee:taste:prof_1")) == {b"v", b"gone"}
    assert 0 < await subgraph.redis.ttl("marquee:taste:prof_1") <= GONE_FOR_S
    assert await subgraph.redis.keys("marquee:artwork-context:*") == []

    await subgraph.tell("accounts", "account.erased", {"accountId": "acc_1", "profileIds": ["prof_1"]})
    assert await subgraph.redis.keys("marquee:taste:*") == []

"""What the studio changes by hand, through GraphQL, and that imports and other people's changes leave it alone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from common.events import Event
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.titles.domain.browsing import BrowseRequest, TitleFilter, TitleSort
from subgraphs.titles.domain.title import Credit, CreditRole, Title, TitleKind, person_named
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.neighbours import NeighbourNews
from subgraphs.titles.services.studio import NewPart, StudioService
from subgraphs.titles.services.writing import CatalogueWriter
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, STUDIO, Parts, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESULT = """{ __typename
  ... on EditTitleSuccess { entry { revision isWithdrawn blockedCountries editedFields sourceKey
    windows { country from until } certificates { country code } markers { kind startSeconds endSeconds }
    title { __typename id displayName synopsis releaseYear genres { displayName } isKids } } }
  ... on StaleRevision { message entry { revision } }
  ... on InvalidInput { fields { path message } } ... on TitleNotFound { titleId } ... on NotPermitted { message } }"""
ENTRY = """query($id: ID!) { catalogueEntry(id: $id) { revision title { id displayName }
  auditLog(first: 100) { edges { node { action accountId at changes { field before after } } } } } }"""


async def act(service: Service, name: str, **given: Any) -> Any:
    """A mutation's result, as the studio gets it."""
    type_name = {"blockCountries": "CountriesInput", "unblockCountries": "CountriesInput"}.get(
        name, f"{name[0].upper()}{name[1:]}Input"
    )
    query = f"mutation($input: {type_name}!) {{ {name}(input: $input) {RESULT} }}"
    return (await service.data(query, STUDIO, input=given))[name]


async def created(service: Service, name: str, **given: Any) -> str:
    query = """mutation($input: CreateTitleInput!) { createTitle(input: $input) {
      ... on CreateTitleSuccess { title { id } entry { revision } } ... on InvalidInput { message } } }"""
    answer = await service.data(query, STUDIO, input={"displayName": name, **given})
    title_id: str = answer["createTitle"]["title"]["id"]
    return title_id


async def entry(service: Service, title_id: str) -> Any:
    return (await service.data(ENTRY, STUDIO, id=title_id))["catalogueEntry"]


async def test_what_is_absent_stays_and_null_clears(service: Service) -> None:
    """One field changes and one is cleared; the revision grows by one and the record says both."""
    title_id = await created(service, "Tin Sky", synopsis="Rain.", releaseYear=2001, genres=["Drama"])
    result = await act(service, "updateTitle", id=title_id, revision=1, displayName=" Tin  Skies ", releaseYear=None)
    assert result["entry"] == {
        "revision": 2,
        "isWithdrawn": False,
        "blockedCountries": [],
        "editedFields": ["display_name", "release_year"],
        "sourceKey": title_id,
        "windows": [{"country": "*", "from": None, "until": None}],
        "certificates": [],
        "markers": [],
        "title": {
            "__typename": "Movie",
            "id": title_id,
            "displayName": "Tin Skies",
            "synopsis": "Rain.",
            "releaseYear": None,
            "genres": [{"displayName": "Drama"}],
            "isKids": False,
        },
    }
    log = [edge["node"] for edge in (await entry(service, title_id))["auditLog"]["edges"]]
    update = next(record for record in log if record["action"] == "update")
    assert {"create", "update"} == {record["action"] for record in log}
    assert (update["accountId"], update["at"]) == ("acc_9", NOW.isoformat())
    changes = {each["field"]: (json.loads(each["before"]), each["after"]) for each in update["changes"]}
    assert changes == {"displayName": ("Tin Sky", '"Tin Skies"'), "releaseYear": (2001, None), "revision": (1, "2")}


async def test_a_change_of_what_was_not_seen_is_refused(service: Service) -> None:
    """Two people look at revision 1; the second one's change is answered with the title as it is, and not written."""
    title_id = await created(service, "Slow Ferry")
    await act(service, "updateTitle", id=title_id, revision=1, synopsis="First.")
    stale = await act(service, "updateTitle", id=title_id, revision=1, synopsis="Second.")
    assert (stale["__typename"], stale["entry"]["revision"]) == ("StaleRevision", 2)
    seen = await act(service, "updateTitle", id=title_id, revision=2)
    assert (seen["entry"]["revision"], seen["entry"]["title"]["synopsis"]) == (2, "First.")


async def test_nobody_else_changes_or_reads_the_record(service: Service) -> None:
    """Neither by mutation nor by query; another scope that may, may."""
    query = f'mutation {{ updateTitle(input: {{ id: "mov_cops-1922", revision: 1, synopsis: "x" }}) {RESULT} }}'
    for viewer in (None, ADULT, CHILD):
        assert (await service.data(query, viewer))["updateTitle"]["__typename"] == "NotPermitted"
        for read in ('{ catalogueEntry(id: "mov_cops-1922") { revision } }', "{ auditLog { edges { cursor } } }"):
            answer = await service.ask(read, viewer)
            assert answer["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED"
    editor = replace(STUDIO, scopes=frozenset({"catalogue:write"}))
    assert (await service.data('{ catalogueEntry(id: "mov_cops-1922") { revision } }', editor))["catalogueEntry"]


async def test_a_withdrawn_series_comes_back_with_what_went_with_it(service: Service) -> None:
    """Its episodes and trailers go and come with it; an episode withdrawn by itself stays away."""
    series_id = await created(service, "Harbour Lights", kind="SERIES")
    season = await _season(service, series_id, 1)
    first = (await act(service, "createEpisode", seasonId=season, number=1, displayName="One"))["entry"]["title"]["id"]
    second = (await act(service, "createEpisode", seasonId=season, number=2, displayName="Two"))["entry"]["title"]["id"]
    video = (await act(service, "createVideo", of=season, kind="TRAILER", displayName="Soon"))["entry"]["title"]["id"]
    await service.data("mutation($id: ID!) { withdrawTitle(id: $id) { __typename } }", STUDIO, id=second)
    ids = [series_id, first, second, video]
    seen = "query($ids: [ID!]!) { titlesByIds(ids: $ids) { id } }"
    assert [series_id, first, None, video] == _ids(await service.data(seen, ids=ids))
    await service.data("mutation($id: ID!) { withdrawTitle(id: $id) { __typename } }", STUDIO, id=series_id)
    assert _ids(await service.data(seen, ids=ids)) == [None] * 4
    restored = await service.data(f"mutation($id: ID!) {{ restoreTitle(id: $id) {RESULT} }}", STUDIO, id=series_id)
    assert restored["restoreTitle"]["entry"]["isWithdrawn"] is False
    assert [series_id, first, None, video] == _ids(await service.data(seen, ids=ids))


async def test_trailers_and_bonus_stand_with_their_title(service: Service) -> None:
    """Trailers of a season under the season too, bonus in pages, and none of it in lists or search."""
    series_id = await created(service, "Glass Harbour", kind="SERIES")
    season = await _season(service, series_id, 1)
    for of, kind, name in (
        (series_id, "TRAILER", "All of it"),
        (season, "TEASER", "First season"),
        (series_id, "BEHIND_THE_SCENES", "Making one"),
        (series_id, "INTERVIEW", "Making xylographers"),
    ):
        assert (await act(service, "createVideo", of=of, kind=kind, displayName=name))[
            "__typename"
        ] == "EditTitleSuccess"
    query = """query($id: ID!, $after: String) { title(id: $id) { trailers { displayName videoKind of { id } }
      bonus(first: 1, after: $after) { edges { node { displayName mediaStatus } } pageInfo { hasNextPage endCursor } }
      ... on Series { seasons { edges { node { trailers { displayName season { number } } } } } } } }"""
    title = (await service.data(query, id=series_id))["title"]
    assert {"All of it", "First season"} == {each["displayName"] for each in title["trailers"]}
    assert {series_id} == {each["of"]["id"] for each in title["trailers"]}
    [edge] = title["seasons"]["edges"]
    assert edge["node"]["trailers"] == [{"displayName": "First season", "season": {"number": 1}}]
    again = (await service.data(query, id=series_id, after=title["bonus"]["pageInfo"]["endCursor"]))["title"]["bonus"]
    assert title["bonus"]["pageInfo"]["hasNextPage"]
    assert not again["pageInfo"]["hasNextPage"]
    assert {"Making one", "Making xylographers"} == {
        page["edges"][0]["node"]["displayName"] for page in (title["bonus"], again)
    }
    await service.settled()
    lists = '{ titles(first: 50, sort: NEWEST) { edges { node { displayName } } } search(query: "xylographers") { totalCount } }'
    found = await service.data(lists)
    assert "Making" not in str(found["titles"])
    assert found["search"]["totalCount"] == 0


async def test_a_block_beats_every_window_and_reaches_what_belongs_to_a_series(service: Service) -> None:
    """Blocked at home, free abroad; the episode's snapshot says it as well, and unblocking frees both."""
    series_id = await created(service, "Far Mill", kind="SERIES")
    season = await _season(service, series_id, 1)
    episode = (await act(service, "createEpisode", seasonId=season, number=1, displayName="One"))["entry"]["title"][
        "id"
    ]
    revision = (await entry(service, series_id))["revision"]
    blocked = await act(service, "blockCountries", titleId=series_id, revision=revision, countries=["US"])
    assert blocked["entry"]["blockedCountries"] == ["US"]
    seen = "query($ids: [ID!]!) { titlesByIds(ids: $ids) { id } }"
    german = replace(ADULT, country="DE")
    assert _ids(await service.data(seen, ids=[series_id, episode])) == [None, None]
    assert [series_id, episode] == _ids(await service.data(seen, german, ids=[series_id, episode]))
    freed = await act(service, "unblockCountries", titleId=series_id, revision=revision + 1, countries=["US"])
    assert freed["entry"]["blockedCountries"] == []
    assert [series_id, episode] == _ids(await service.data(seen, ids=[series_id, episode]))


async def test_windows_are_given_by_wall_clocks(service: Service) -> None:
    """Kept as instants; what can't be read is refused with its place, and nothing is written."""
    title_id = await created(service, "Night Boat")
    given = [
        {"country": "US", "from": {"at": "2026-11-20T12:00", "zone": "America/New_York"}},
        {"country": "DE", "until": {"at": "2026-10-25T02:30", "zone": "Europe/Berlin"}},
    ]
    result = await act(service, "setWindows", titleId=title_id, revision=1, windows=given)
    assert result["entry"]["windows"] == [
        {"country": "US", "from": "2026-11-20T17:00:00+00:00", "until": None},
        {"country": "DE", "from": None, "until": "2026-10-25T00:30:00+00:00"},
    ]
    wrong = [{"country": "usa"}, {"country": "US", "from": {"at": "soon"}, "until": {"at": "2026-01-01T00:00"}}]
    refused = await act(service, "setWindows", titleId=title_id, revision=2, windows=wrong)
    assert [field["path"] for field in refused["fields"]] == [
        "input.windows.0.country", "input.windows.1.from", "input.windows.1.until",
    ]  # fmt: skip
    assert (await entry(service, title_id))["revision"] == 2
    assert _ids(
        await service.data(
            "query($ids: [ID!]!) { titlesByIds(ids: $ids) { id } }", replace(ADULT, country="DE"), ids=[title_id]
        )
    ) == [None]


async def test_the_strictest_certificate_makes_the_age(service: Service) -> None:
    """The viewer's country's own code is shown; without any the title is for grown-ups."""
    title_id = await created(service, "Paper Crown")
    given = [{"country": "DE", "code": "FSK 6"}, {"country": "US", "code": "G"}]
    result = await act(service, "setCertificates", titleId=title_id, revision=1, certificates=given, isKids=True)
    assert result["entry"]["title"]["isKids"]
    shown = "query($id: ID!) { title(id: $id) { certificate { code minimumAge } } }"
    codes = [
        (await service.data(shown, replace(CHILD, country=country), id=title_id))["title"]["certificate"]
        for country in ("DE", "US", "KR")
    ]
    assert codes == [
        {"code": "FSK 6", "minimumAge": 6}, {"code": "G", "minimumAge": 6}, {"code": "ALL", "minimumAge": 6},
    ]  # fmt: skip
    for certificates, is_kids, path in (
        ([{"country": "DE", "code": "PG-13"}], False, "input.certificates.0"),
        ([{"country": "DE", "code": "FSK 16"}], True, "input.isKids"),
        ([], True, "input.certificates"),
    ):
        refused = await act(
            service, "setCertificates", titleId=title_id, revision=2, certificates=certificates, isKids=is_kids
        )
        assert [path] == [field["path"] for field in refused["fields"]]


async def test_what_had_its_series_age_limit_keeps_having_it(service: Service) -> None:
    """An episode made before the series was certified is certified with it; one with its own certificate is not."""
    series_id = await created(service, "Toy Theatre", kind="SERIES")
    season = await _season(service, series_id, 1)
    ids = [
        (await act(service, "createEpisode", seasonId=season, number=number, displayName=f"{number}"))["entry"][
            "title"
        ]["id"]
        for number in (1, 2)
    ]
    own = [{"country": "US", "code": "PG-13"}]
    await act(service, "setCertificates", titleId=ids[1], revision=1, certificates=own, isKids=False)
    revision = (await entry(service, series_id))["revision"]
    all_ages = [{"country": "US", "code": "G"}]
    await act(service, "setCertificates", titleId=series_id, revision=revision, certificates=all_ages, isKids=True)
    shown = "query($ids: [ID!]!) { titlesByIds(ids: $ids) { isKids certificate { minimumAge } } }"
    assert (await service.data(shown, ids=ids))["titlesByIds"] == [
        {"isKids": True, "certificate": {"minimumAge": 0}}, {"isKids": False, "certificate": {"minimumAge": 13}},
    ]  # fmt: skip


async def test_facets_count_what_lists_hold_and_hear_of_changes(own_service: Service) -> None:
    """By letter and decade, for this viewer; a new title is counted at once."""
    query = """query($f: TitleFilter) { titleFacets(filter: $f) { totalCount initials { initial titleCount }
      decades { decade titleCount } } titles(filter: $f, first: 50) { edges { node { id } } } }"""
    chosen = {"initial": "n", "releaseYearTo": 1929}
    before = await own_service.data(query, f=chosen)
    count = before["titleFacets"]["totalCount"]
    assert count == len(before["titles"]["edges"]) > 0
    assert before["titleFacets"]["initials"] == [{"initial": "N", "titleCount": count}]
    assert count == sum(each["titleCount"] for each in before["titleFacets"]["decades"])
    await created(own_service, "Nothing Much", releaseYear=1925)
    assert (await own_service.data(query, f=chosen))["titleFacets"]["totalCount"] == count + 1
    children = await own_service.data(query, CHILD, f=chosen)
    assert children["titleFacets"]["totalCount"] == len(children["titles"]["edges"]) < count


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{ initial: "12" }', "send one letter"),
        ("{ decade: 1925 }", "as 1920"),
        ("{ maximumAge: 21 }", "0 to 18"),
        ("{ personRole: CAST }", "send both"),
        ("{ addedWithinDays: 0 }", "1 to 3650"),
        ('{ namePrefix: " " }', "1 to 100"),
    ],
)
async def test_a_filter_that_can_not_be_is_refused(service: Service, given: str, words: str) -> None:
    """Saying what to send."""
    answer = await service.ask(f"{{ titles(filter: {given}) {{ edges {{ cursor }} }} }}")
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"
    assert words in answer["errors"][0]["message"]


async def test_lists_go_both_ways_and_narrow_by_everything(service: Service) -> None:
    """Upside down it is the same list; search says which narrowing it does not know."""
    query = "query($d: SortDirection) { titles(sort: NAME, direction: $d, first: 50, filter: { decade: 1920, maximumAge: 7 }) { edges { node { id releaseYear certificate { minimumAge } } } } }"
    up, down = [(await service.data(query, d=d))["titles"]["edges"] for d in ("ASCENDING", "DESCENDING")]
    assert 1 < len(up) < 50
    assert up == down[::-1]
    assert all(1920 <= each["node"]["releaseYear"] <= 1929 for each in up)
    assert all(each["node"]["certificate"]["minimumAge"] <= 7 for each in up)
    refused = await service.ask('{ search(query: "moon", filter: { initial: "M" }) { totalCount } }')
    assert "can't be narrowed by initial" in refused["errors"][0]["message"]


async def test_markers_lie_inside_the_running_time(service: Service) -> None:
    """They come back in order; one behind the end is refused."""
    title_id = await created(service, "Long Walk", durationSeconds=100)
    intro = {"kind": "INTRO", "startSeconds": 1.5, "endSeconds": 20.0}
    end = {"kind": "CREDITS", "startSeconds": 90.0, "endSeconds": 100.0}
    result = await act(service, "setMarkers", titleId=title_id, revision=1, markers=[end, intro])
    assert [intro, end] == result["entry"]["markers"]
    refused = await act(service, "setMarkers", titleId=title_id, revision=2, markers=[{**end, "endSeconds": 101.0}])
    assert refused["fields"][0] == {"path": "input.markers.0", "message": "ends at 101 s; the title runs 100 s"}


async def test_artwork_variants_have_shares(service: Service) -> None:
    """Those set by hand; at first the same for all."""
    title_id = await created(service, "Blue Door")
    query = """query($id: ID!) { title(id: $id) { artworkVariants { name weight
      artwork(role: POSTER, widthPx: 100, format: WEBP) { id variant } }
      artwork(role: POSTER, widthPx: 100, variant: "second") { id
        inRole(role: BACKDROP, widthPx: 1280, format: WEBP) { id inRole(role: LOGO, widthPx: 1) { id } } } } }"""
    title = (await service.data(query, id=title_id))["title"]
    assert [(v["name"], v["weight"]) for v in title["artworkVariants"]] == [("main", 1), ("second", 1), ("third", 1)]
    assert [f"{title_id}~POSTER~{name}~120x180~WEBP" for name in ("main", "second", "third")] == [
        variant["artwork"]["id"] for variant in title["artworkVariants"]
    ]
    wide = title["artwork"]["inRole"]
    assert wide["id"] == f"{title_id}~BACKDROP~second~1280x720~WEBP"
    assert wide["inRole"]["id"] == f"{title_id}~LOGO~second~200x80~PNG"
    weights = [{"variant": "second", "weight": 3}, {"variant": "main", "weight": 1}]
    assert (await act(service, "setArtworkWeights", titleId=title_id, revision=1, weights=weights))["entry"][
        "revision"
    ] == 2
    title = (await service.data(query, id=title_id))["title"]
    assert [variant["weight"] for variant in title["artworkVariants"]] == [1, 3, 0]
    refused = await act(
        service, "setArtworkWeights", titleId=title_id, revision=2, weights=[{"variant": "fourth", "weight": 1}]
    )
    assert "there are main, second, third" in refused["fields"][0]["message"]


async def test_people_have_filmographies_and_can_be_renamed_and_merged(own_service: Service) -> None:
    """Two names of one person become one, under either id; the policy holds for what they had a part in."""
    titles = [await created(own_service, name) for name in ("Alpha Road", "Beta Road")]
    for title_id, name in zip(titles, ("Ada Lund", "A. Lund"), strict=True):
        lines = [
            {"displayName": name, "role": "DIRECTOR"},
            {"displayName": name, "role": "CAST", "character": "Herself"},
        ]
        assert (await act(own_service, "setCredits", titleId=title_id, revision=1, credits=lines))["entry"][
            "revision"
        ] == 2
    ada, short = person_named("Ada Lund").id, person_named("A. Lund").id
    query = """query($id: ID!, $role: CreditRole) { person(id: $id) { id displayName
      titles(role: $role, sort: NAME) { edges { node { id } } } } }"""
    person = (await own_service.data(query, id=ada, role="CAST"))["person"]
    assert [titles[0]] == [edge["node"]["id"] for edge in person["titles"]["edges"]]
    assert (await own_service.data(query, id=ada, role="WRITER"))["person"]["titles"]["edges"] == []
    assert (await own_service.data(query, CHILD, id=ada))["person"] is None

    merge = """mutation($input: MergePeopleInput!) { mergePeople(input: $input) { __typename
      ... on PersonSuccess { person { id displayName } } ... on InvalidInput { fields { path } } } }"""
    merged = await own_service.data(merge, STUDIO, input={"mergedId": short, "intoId": ada})
    assert merged["mergePeople"]["person"] == {"id": ada, "displayName": "Ada Lund"}
    rename = """mutation($input: RenamePersonInput!) { renamePerson(input: $input) { __typename
      ... on PersonSuccess { person { id } } } }"""
    await own_service.data(rename, STUDIO, input={"id": ada, "displayName": "Ada Lund-Ek"})
    for asked in (ada, short):
        person = (await own_service.data(query, id=asked))["person"]
        assert (person["id"], person["displayName"]) == (ada, "Ada Lund-Ek")
        assert titles == [edge["node"]["id"] for edge in person["titles"]["edges"]]
    by_filter = "query($id: ID!) { titles(filter: { personId: $id }) { edges { node { id } } } }"
    assert set(titles) == {
        edge["node"]["id"] for edge in (await own_service.data(by_filter, id=short))["titles"]["edges"]
    }
    unknown = await own_service.data(merge, STUDIO, input={"mergedId": "per_nobody", "intoId": ada})
    itself = await own_service.data(merge, STUDIO, input={"mergedId": ada, "intoId": ada})
    assert [unknown["mergePeople"]["__typename"], itself["mergePeople"]["__typename"]] == [
        "PersonNotFound",
        "InvalidInput",
    ]
    log = await own_service.data(
        "query($id: ID!) { auditLog(subjectId: $id) { edges { node { action } } } }", STUDIO, id=ada
    )
    assert {"mergePeople", "renamePerson"} == {edge["node"]["action"] for edge in log["auditLog"]["edges"]}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_source_does_not_undo_what_was_done_by_hand(demo: Parts) -> None:
    """Edited fields, merged people and weights stay as they are; what was not edited still follows the source."""
    title_id = TitleId("mov_nosferatu-1922")
    original = (await demo.store.titles([title_id]))[title_id]
    schreck = next(credit.person for credit in original.credits if credit.person.display_name == "Max Schreck")
    await demo.editor.edit(title_id, 1, "acc_9", "update", lambda title: replace(title, synopsis="By hand."))
    await demo.editor.rename_person(schreck.id, "Maximilian Schreck", "acc_9")
    edited = (await demo.store.titles([title_id]))[title_id]
    assert edited.revision == 3

    assert (await demo.writer.take([original])).unchanged == 1
    assert edited == (await demo.store.titles([title_id]))[title_id]
    taken = await demo.writer.take([replace(original, synopsis="From the source.", release_year=1923)])
    after = (await demo.store.titles([title_id]))[title_id]
    assert (taken.updated, after.synopsis, after.release_year, after.revision) == (1, "By hand.", 1923, 4)
    assert "Maximilian Schreck" in {credit.person.display_name for credit in after.credits}


@pytest.mark.asyncio(loop_scope="function")
async def test_a_delisted_title_comes_back_when_its_source_lists_it_again(demo: Parts) -> None:
    """Gone from every door and not deleted; withdrawn by hand it would stay away."""
    title_id = TitleId("mov_cops-1922")
    original = (await demo.store.titles([title_id]))[title_id]
    assert await demo.writer.delist([title_id, TitleId("mov_nobody")]) == 1
    assert await demo.catalogue.visible_titles(ADULT, NOW, [title_id]) == {}
    assert await demo.writer.delist([title_id]) == 0
    assert (await demo.writer.take([original])).updated == 1
    assert title_id in await demo.catalogue.visible_titles(ADULT, NOW, [title_id])


@pytest.mark.asyncio(loop_scope="function")
async def test_a_number_is_taken_once_however_often_somebody_presses(demo: Parts) -> None:
    """Of three at once one makes the episode, and the others hear that it is there."""
    studio = StudioService(demo.editor, demo.store, demo.clock)
    judex = TitleId("ser_judex-1916")
    season = (await demo.store.seasons_of([judex]))[judex][0]
    tries = [studio.create_episode(STUDIO, season.id, 99, NewPart("Ninety-nine")) for _ in range(3)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    slots = (await demo.store.episodes_of([judex]))[judex]
    assert sorted(type(each).__name__ for each in outcomes) == ["BadInput", "BadInput", "Title"]
    assert sum(slot.number == 99 for slot in slots) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_what_another_process_renamed_is_known_here(demo: Parts) -> None:
    """Its event ends what is kept: old ids lead to the person, and an import brings the name by hand, not its own."""
    murnau = person_named("F. W. Murnau")
    film = TitleId("mov_nosferatu-1922")
    other = Catalogue(demo.store, demo.clock, cache_size=100)
    news = NeighbourNews(other, AvailabilityCalendar())
    writer = CatalogueWriter(demo.store, other, lambda: None)
    original = (await other.titles([film]))[film]
    assert await other.person_edits() == {}

    await demo.editor.rename_person(murnau.id, "Friedrich Wilhelm Murnau", "acc_9")
    await news.handle(Event("titles", "title.changed", {"titles": [{"id": film}]}, NOW, "1-1"))
    await writer.take([replace(original, synopsis="Told anew.")])

    stored = (await demo.store.titles([film]))[film]
    assert stored.synopsis == "Told anew."
    assert "Friedrich Wilhelm Murnau" in stored.credited(CreditRole.DIRECTOR)


@pytest.mark.asyncio(loop_scope="function")
async def test_what_is_part_of_something_hidden_speaks_for_nobody_and_ends_no_list(demo: Parts) -> None:
    """A guest of one episode is gone with its series; pages of episodes go on behind those of the series."""
    judex, guest = TitleId("ser_judex-1916"), person_named("Zoltan Guest")
    slots = (await demo.store.episodes_of([judex]))[judex]
    by_newest = BrowseRequest(TitleFilter(kind=TitleKind.EPISODE), TitleSort.RELEASE_YEAR, PageRequest(5))

    def add_guest(title: Title) -> Title:
        return replace(title, credits=(*title.credits, Credit(guest, CreditRole.CAST)))

    async def known_and_listed() -> tuple[bool, set[TitleId | None], int, bool]:
        page = (await demo.catalogue.browse(ADULT, NOW, [by_newest]))[by_newest]
        people = await demo.catalogue.people(ADULT, NOW, [guest.id])
        return guest.id in people, {each.series_id for each in page.items}, len(page.items), page.has_next_page

    await demo.editor.edit(slots[0].title_id, None, "acc_9", "setCredits", add_guest)
    assert await known_and_listed() == (True, {judex}, 5, True)
    await demo.editor.edit(
        judex, None, "acc_9", "block", lambda title: replace(title, blocked_countries=frozenset({"*"}))
    )
    is_known, series_ids, length, has_more = await known_and_listed()
    assert not is_known
    assert judex not in series_ids
    assert (length, has_more) == (5, True)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_season_that_gets_another_number_takes_its_episodes_along(demo: Parts) -> None:
    """In the order of the series, too; a number that is taken is refused."""
    judex = TitleId("ser_judex-1916")
    first, second = (await demo.store.seasons_of([judex]))[judex]
    await demo.editor.put_season(replace(first, number=3), "acc_9")
    slots = (await demo.store.episodes_of([judex]))[judex]
    assert [slot.season_number for slot in slots] == [2] * 12 + [3] * 13
    with pytest.raises(Exception, match="has that season already"):
        await demo.editor.put_season(replace(second, number=3), "acc_9")


async def _season(service: Service, series_id: str, number: int) -> str:
    query = """mutation($input: CreateSeasonInput!) { createSeason(input: $input) {
      ... on SeasonSuccess { season { id } } } }"""
    given = {"seriesId": series_id, "number": number, "displayName": f"Season {number}"}
    season_id: str = (await service.data(query, STUDIO, input=given))["createSeason"]["season"]["id"]
    return season_id


def _ids(data: Any) -> list[Any]:
    return [None if each is None else each["id"] for each in data["titlesByIds"]]

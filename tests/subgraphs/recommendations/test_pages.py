"""Pages as a pure function: rules hold for every viewer, taste, device and catalogue; the same inputs give the same page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokens import Viewer
from subgraphs.kernel.policy import decide
from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.devices import budget_of
from subgraphs.recommendations.domain.page import Page, PageWish, Section
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleKind, record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.choose import FIRST_ROWS, MIN_CARDS
from subgraphs.recommendations.services.country_trends import views_by_work
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
LIFE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def models(catalogue_snapshots: list[dict[str, Any]]) -> Models:
    return build_models([record_from_snapshot(row) for row in catalogue_snapshots], (), 1, NOW.timestamp())


def watched(fraction: float, hours_ago: float = 1.0) -> Watched:
    return Watched(fraction * 5000, 5000, fraction >= 0.9, fraction >= 0.9, NOW.timestamp() - hours_ago * 3600)


def build(
    models: Models,
    viewer: Viewer,
    device: Any,
    taste: Taste | None = None,
    trends: dict[TrendWindow, dict[str, float]] | None = None,
    kind: PageKind = PageKind.HOME,
    now: datetime = NOW,
    **options: Any,
) -> Page:
    owner = viewer.profile_id or "anonymous"
    request = PageRequest(PageWish(kind, device, **options), viewer, viewer.country, owner)
    return build_page(request, PageFacts(models, taste or Taste(), by_work(models, trends or {})), now, LIFE)


def by_work(models: Models, trends: dict[TrendWindow, dict[str, float]]) -> Trends:
    return Trends({window: views_by_work(models.catalogue, views) for window, views in trends.items()})


def rows_of(page: Page) -> list[Section]:
    return [section for section in page.sections if section.kind is not SectionKind.HERO]


def ids_of(section: Section) -> list[str]:
    return [card.title_id for card in section.cards]


def works_of(section: Section) -> list[str]:
    return [card.series_id or card.title_id for card in section.cards]


FILMS = st.integers(0, 119).map(lambda number: f"mov_{number:03}")
TITLES = st.one_of(FILMS, st.sampled_from([f"epi_{series}_{episode}" for series in (1, 2) for episode in range(1, 5)]))
TASTES = st.builds(
    Taste,
    version=st.just(1),
    watched=st.dictionaries(TITLES, st.builds(watched, st.floats(0, 1), st.floats(0, 2000)), max_size=25),
    opinions=st.dictionaries(
        FILMS,
        st.builds(
            Opinion,
            stars=st.none() | st.integers(1, 5),
            feedback=st.none() | st.sampled_from(Feedback),
            listed_at_s=st.none() | st.floats(1, 1e9),
        ),
        max_size=12,
    ),
    picks=st.lists(TITLES, max_size=10, unique=True).map(tuple),
    picked_at_s=st.none() | st.floats(1, 1e9),
)
VIEWERS = st.builds(
    Viewer,
    account_id=st.just("acc_1"),
    country=st.sampled_from(["US", "DE", "BR", None]),
    subscription=st.just("ACTIVE"),
    profile_id=st.just("prof_1"),
    is_kids=st.booleans(),
    maturity=st.sampled_from([0, 7, 12, 16, 18]),
)
DEVICES = st.tuples(
    st.sampled_from(["TV", "PHONE", "TABLET", "BROWSER"]),
    st.frozensets(st.sampled_from(SectionKind), min_size=1),
)
KINDS = st.sampled_from([PageKind.HOME, PageKind.MOVIES, PageKind.SERIES, PageKind.KIDS])
TRENDS = st.dictionaries(st.sampled_from(TrendWindow), st.dictionaries(FILMS, st.floats(0.01, 1), max_size=20))


@settings(max_examples=250, deadline=None)
@given(viewer=VIEWERS, taste=TASTES, drawn=DEVICES, kind=KINDS, trends=TRENDS, minutes=st.integers(0, 20))
def test_the_rules_hold_on_every_page(
    models: Models,
    make_device: Any,
    viewer: Viewer,
    taste: Taste,
    drawn: Any,
    kind: PageKind,
    trends: Any,
    minutes: int,
) -> None:
    """Policy, kind of page, what is refused or known, repetition, budgets, supported kinds; and twice is the same."""
    device = make_device(drawn[0], supports=drawn[1])
    now = NOW + timedelta(minutes=minutes)
    page = build(models, viewer, device, taste, trends, kind, now)
    records = {record.id: record for record in models.catalogue.records}
    refused = {
        title_id
        for title_id, opinion in taste.opinions.items()
        if opinion.feedback in {Feedback.NOT_INTERESTED, Feedback.THUMBS_DOWN} or opinion.stars in {1, 2}
    }
    completed = {title_id for title_id, place in taste.watched.items() if place.ever_completed}

    for title_id in named_on(page):
        assert decide(viewer, records[title_id].facts, now).may_see
    for section in page.sections:
        assert section.kind in device.supports
        assert len(set(works_of(section))) == len(section.cards)
        for card in section.cards:
            record = records[card.title_id]
            assert record.kind is not TitleKind.EPISODE or section.kind is SectionKind.CONTINUE_WATCHING
            assert kind is not PageKind.MOVIES or record.kind is TitleKind.MOVIE
            assert kind is not PageKind.SERIES or record.kind is not TitleKind.MOVIE
            assert kind is not PageKind.KIDS or record.facts.is_kids
            if section.kind not in PERSONAL_KINDS:
                assert not {card.title_id} & (refused | completed)
    check_repetition(page)
    budget = budget_of(device.form_factor)
    assert len(page.sections) <= budget.max_sections
    assert all(len(section.cards) <= budget.max_cards for section in page.sections)
    assert is_scarce(page) or all(len(section.cards) >= MIN_CARDS for section in discovery_rows_of(page))
    assert page == build(models, viewer, device, taste, trends, kind, now)


def named_on(page: Page) -> Iterator[str]:
    """Every title that a page speaks of."""
    for section in page.sections:
        for reason in (section.reason, *[card.reason for card in section.cards]):
            if reason is not None and reason.because_of is not None:
                yield reason.because_of
        for card in section.cards:
            yield card.title_id
            if card.series_id is not None:
                yield card.series_id


def discovery_rows_of(page: Page) -> list[Section]:
    return [section for section in rows_of(page) if section.kind not in PERSONAL_KINDS]


def is_scarce(page: Page) -> bool:
    """All rows that could propose something have one row's worth of titles together."""
    return len({work for section in discovery_rows_of(page) for work in works_of(section)}) <= MIN_CARDS


def check_repetition(page: Page) -> None:
    hero = [work for section in page.sections if section.kind is SectionKind.HERO for work in works_of(section)]
    rows = rows_of(page)
    first = [work for section in rows[:FIRST_ROWS] for work in works_of(section)]
    assert len(first) == len(set(first))
    visible: set[str] = set() if is_scarce(page) else set(hero)
    for section in rows:
        works = works_of(section)
        if section.kind not in PERSONAL_KINDS:
            assert not visible & set(works)
        visible |= set(works[: page.budget.first_cards])


@settings(max_examples=100, deadline=None)
@given(viewer=VIEWERS, minutes=st.integers(-1, 500_000))
def test_what_is_visible_is_what_the_policy_says(models: Models, viewer: Viewer, minutes: int) -> None:
    """The mask equals one decision per title, whatever was asked before at other instants."""
    now = NOW + timedelta(minutes=minutes)
    expected = [decide(viewer, record.facts, now).may_see for record in models.catalogue.records]

    assert expected == models.catalogue.visible(viewer, now).tolist()


def test_visibility_changes_at_the_very_instant(make_snapshot: Any, viewer: Viewer) -> None:
    """A window that closes at 20:05 is open a microsecond before and closed at 20:05."""
    closes = datetime(2026, 3, 1, 20, 5, tzinfo=UTC)
    window = {"country": "*", "from": None, "until": closes.isoformat()}
    catalogue = build_catalogue([record_from_snapshot(make_snapshot("mov_1", windows=[window]))], 1)

    before, at = catalogue.visible(viewer, closes - timedelta(microseconds=1)), catalogue.visible(viewer, closes)

    assert (before.tolist(), at.tolist()) == ([True], [False])


def horror_fan() -> Taste:
    return Taste(version=1, watched={f"mov_{number:03}": watched(0.97, number) for number in (0, 6, 12)})


def test_a_taste_shows_on_the_page(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Somebody who watches horror gets horror where a row says because, before all else, and can watch it again."""
    page = build(models, viewer, make_device(), horror_fan())
    by_kind = {section.kind: section for section in page.sections}
    records = {record.id: record for record in models.catalogue.records}
    because = next(section for section in page.sections if section.kind is SectionKind.BECAUSE_YOU_WATCHED)

    assert [records[title_id].genres[0][1] for title_id in ids_of(because)[:5]] == ["Horror"] * 5
    assert because.heading in {f"Because you watched Film {number}" for number in (0, 6, 12)}
    assert because in page.sections[1:3]
    assert by_kind[SectionKind.WATCH_AGAIN].cards


@pytest.mark.parametrize("form_factor", ["TV", "PHONE"])
def test_what_is_listed_is_no_discovery(models: Models, viewer: Viewer, make_device: Any, form_factor: str) -> None:
    """Top picks that are put on the list go there, and other titles come in their place, above the list and below."""
    before = build(models, viewer, make_device(form_factor), horror_fan())
    [picks] = [section for section in before.sections if section.kind is SectionKind.TOP_PICKS]
    liked = ids_of(picks)[:5]
    listed = {title_id: Opinion(listed_at_s=NOW.timestamp() - place) for place, title_id in enumerate(liked)}
    page = build(models, viewer, make_device(form_factor), replace(horror_fan(), opinions=listed))

    [own] = [section for section in page.sections if section.kind is SectionKind.MY_LIST]
    discovery = [row for row in rows_of(page) if row.kind not in PERSONAL_KINDS]
    assert liked == ids_of(own)
    assert SectionKind.TOP_PICKS in {row.kind for row in discovery}
    assert not set(liked) & {work for row in discovery for work in works_of(row)[: page.budget.first_cards]}


def test_reasons_are_true(models: Models, viewer: Viewer, make_device: Any) -> None:
    """The cause that is named was watched, and without it the title is less wanted."""
    taste = horror_fan()
    page = build(models, viewer, make_device(), taste)
    picks = next(section for section in page.sections if section.kind is SectionKind.TOP_PICKS)
    reasoned = [(card, card.reason.because_of) for card in picks.cards if card.reason is not None]
    assert reasoned
    for card, cause in reasoned:
        assert cause in taste.watched
        without = {title_id: place for title_id, place in taste.watched.items() if title_id != cause}
        assert score_of(models, card.title_id, taste) > score_of(models, card.title_id, Taste(watched=without))


def score_of(models: Models, title_id: str, taste: Taste) -> float:
    """How much of the taste's pull on a title there is, before scaling."""
    index = models.catalogue.index_by_id[title_id]
    vector = models.content.vectors[index]
    return sum(float(models.content.vectors[models.catalogue.index_by_id[known]] @ vector) for known in taste.watched)


def test_visitors_get_a_page_of_nothing_personal(models: Models, make_device: Any) -> None:
    """Popular, new and genres; no reasons that speak of a history."""
    page = build(models, Viewer(country="US"), make_device(), trends={TrendWindow.DAY: {"mov_003": 1.0}})

    kinds = {section.kind for section in page.sections}
    assert {SectionKind.HERO, SectionKind.NEW_RELEASES, SectionKind.POPULAR_IN_COUNTRY, SectionKind.GENRE} <= kinds
    assert not kinds & {*PERSONAL_KINDS, SectionKind.TOP_PICKS, SectionKind.BECAUSE_YOU_WATCHED}


def test_a_title_that_plays_stands_at_the_top(
    catalogue_snapshots: list[dict[str, Any]], viewer: Viewer, make_device: Any
) -> None:
    """The hero has a film when any title has one that suits the viewer."""
    records = [
        record_from_snapshot(row, is_playable=row["id"] == "mov_077" or row["id"].startswith("mov_00"))
        for row in catalogue_snapshots
    ]
    models = build_models(records, (), 1, NOW.timestamp())

    hero = build(models, viewer, make_device()).sections[0]

    assert hero.kind is SectionKind.HERO
    assert models.catalogue.is_playable[models.catalogue.index_by_id[hero.cards[0].title_id]]


def test_the_hero_plays_however_far_down_it_stands(make_titles: Any, viewer: Viewer, make_device: Any) -> None:
    """Among more titles than are looked at for rows, the only one that plays; the best one when none does."""
    rows = sorted(make_titles(9, 240), key=lambda row: row["popularity"])
    for playing in (0, 120, 239, None):
        records = [record_from_snapshot(row, is_playable=place == playing) for place, row in enumerate(rows)]
        models = build_models(records, [], 1, NOW.timestamp())
        visible = models.catalogue.visible(viewer, NOW)
        wanted = [row["id"] for row in rows if visible[models.catalogue.index_by_id[row["id"]]]]
        played = [] if playing is None else [rows[playing]["id"]]
        hero = build(models, viewer, make_device()).sections[0].cards[0].title_id
        assert hero == next((each for each in played if each in wanted), wanted[-1])


def test_a_few_series_make_a_page(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Where there is less than a row of new things to show, the page shows what there is, below a hero of it."""
    series = [record for record in models.catalogue.records if record.kind is TitleKind.SERIES][:3]
    few = build_models(series, (), 1, NOW.timestamp())

    hero, *rows = build(few, viewer, make_device(), kind=PageKind.SERIES).sections

    assert hero.heading == "Tonight's series"
    assert [{record.id for record in series}] == [set(ids_of(row)) for row in rows]


@pytest.mark.parametrize("width_px", [360, 375, 390, 430])
def test_phones_show_three_posters_side_by_side(
    models: Models, viewer: Viewer, make_device: Any, width_px: int
) -> None:
    """From the narrowest common phone on; none of them a stamp."""
    device = replace(make_device("PHONE"), width_px=width_px)
    layouts = [section.layout for section in rows_of(build(models, viewer, device, horror_fan()))]

    assert {layout.visible_cards for layout in layouts} == {3}
    assert all(90 <= layout.card_width_px <= width_px / 3 for layout in layouts)


def test_each_device_has_its_layout(models: Models, viewer: Viewer, make_device: Any) -> None:
    """A TV draws wide cards, a phone posters; images are those of the offered sizes that fit the physical pixels."""
    tv = build(models, viewer, make_device("TV"), horror_fan()).sections
    phone = build(models, viewer, make_device("PHONE"), horror_fan()).sections

    assert {section.layout.artwork_role.value for section in tv} == {"BACKDROP"}
    assert {section.layout.artwork_role.value for section in phone} == {"POSTER"}
    assert tv[0].layout.artwork_size == (1920, 1080)
    assert tv[1].layout.artwork_size == (320, 180)
    assert tv[1].layout.visible_cards == 5
    assert phone[1].layout.artwork_size == (342, 513)
    assert phone[1].layout.visible_cards == 3


def test_going_on_with_a_series_names_the_episode(models: Models, viewer: Viewer, make_device: Any) -> None:
    """A finished episode makes room for the next; the card tells the series."""
    taste = Taste(version=1, watched={"epi_1_1": watched(0.95, 2), "mov_001": watched(0.5, 1)})

    row = build(models, viewer, make_device(), taste).sections[1]

    assert row.kind is SectionKind.CONTINUE_WATCHING
    assert row.layout.artwork_role.value == "THUMBNAIL"
    assert [(card.title_id, card.series_id) for card in row.cards] == [("mov_001", None), ("epi_1_2", "ser_1")]


def test_a_genre_page_and_more_like_this(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Everything on them is of the genre; the first row is like the title and says so."""
    genre = build(models, viewer, make_device(), kind=PageKind.GENRE, genre_id="gen_horror")
    like = build(models, viewer, make_device(), kind=PageKind.MORE_LIKE_THIS, title_id="mov_000")
    horror = {models.catalogue.records[index].id for index in models.catalogue.genres_by_id["gen_horror"].members}
    first = next(section for section in like.sections if section.key == "more-like-mov_000")

    assert {title_id for section in genre.sections for title_id in ids_of(section)} <= horror
    assert first.heading == "More like Film 0"
    assert set(ids_of(first)[:4]) <= horror


def test_an_empty_catalogue_gives_an_empty_page(viewer: Viewer, make_device: Any) -> None:
    """Before the first import there is nothing to show, and that is no error."""
    page = build(build_models((), (), 1, 0.0), viewer, make_device())

    assert page.sections == ()


def test_the_revision_follows_the_content(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Built later, the same page has the same revision; another taste has another."""
    same = build(models, viewer, make_device(), now=NOW + timedelta(seconds=30))

    assert build(models, viewer, make_device()).revision == same.revision
    assert build(models, viewer, make_device(), horror_fan()).revision != same.revision


def test_content_finds_what_is_alike(models: Models) -> None:
    """The nearest titles of nearly every film share its genre, people or words."""
    catalogue = models.catalogue
    films = np.flatnonzero(catalogue.is_movie)
    hits = 0
    for index in films.tolist():
        scores = models.content.vectors @ models.content.vectors[index]
        scores[index] = -1
        nearest = int(np.argmax(scores))
        hits += catalogue.records[nearest].genres == catalogue.records[index].genres

    assert hits / len(films) > 0.9
    lengths = np.linalg.norm(models.content.vectors, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


def until(when: datetime, country: str = "*", start: datetime | None = None) -> dict[str, Any]:
    return {"country": country, "from": None if start is None else start.isoformat(), "until": when.isoformat()}


OPEN_ENDED = {"country": "*", "from": None, "until": None}
IN_A_WEEK, IN_A_MONTH = NOW + timedelta(days=7), NOW + timedelta(days=30)


@pytest.mark.parametrize(
    ("windows", "leaves"),
    [
        ([until(IN_A_WEEK)], True),
        ([until(IN_A_MONTH)], False),
        ([OPEN_ENDED], False),
        ([until(IN_A_WEEK), OPEN_ENDED], False),
        ([until(IN_A_WEEK, "US"), until(IN_A_MONTH)], False),
        ([until(IN_A_WEEK, "DE"), OPEN_ENDED], False),
        ([until(IN_A_WEEK), until(IN_A_MONTH, start=IN_A_WEEK)], False),
        ([until(IN_A_WEEK), until(IN_A_MONTH, start=IN_A_WEEK + timedelta(hours=1))], True),
        ([until(NOW), until(IN_A_MONTH, start=IN_A_WEEK)], False),
        ([], False),
    ],
)
def test_what_is_leaving_soon(make_snapshot: Any, windows: list[dict[str, Any]], leaves: bool) -> None:
    """Open in the viewer's country now, and closed there within two weeks, whatever window follows on another."""
    catalogue = build_catalogue([record_from_snapshot(make_snapshot("mov_1", windows=windows))], 1)

    assert catalogue.leaving("US", NOW, timedelta(days=14)).tolist() == [0] * leaves


def test_an_open_collection_is_a_row(models: Models, viewer: Viewer, make_device: Any) -> None:
    """In the editor's order, of what the viewer may see; not in other countries, and not after its time."""
    allowed = models.catalogue.visible(viewer, NOW) & models.catalogue.is_listable
    titles = [models.catalogue.records[place].id for place in np.flatnonzero(allowed)[20:10:-1].tolist()]
    hidden = models.catalogue.records[int(np.flatnonzero(~allowed & models.catalogue.is_listable)[0])].id
    here = Collection("col_1", "Long shadows", (hidden, *titles), frozenset({"US"}))
    elsewhere = replace(here, id="col_2", countries=frozenset({"DE"}))
    past = replace(here, id="col_3", closes_at=NOW)
    facts = PageFacts(models, horror_fan(), Trends(), (here, elsewhere, past))
    supports = frozenset(SectionKind) - {SectionKind.HERO}
    request = PageRequest(PageWish(PageKind.HOME, make_device(supports=supports)), viewer, "US", "prof_1")

    rows = [row for row in build_page(request, facts, NOW, LIFE).sections if row.kind is SectionKind.COLLECTION]

    assert [(row.key, row.heading) for row in rows] == [("collection-col_1", "Long shadows")]
    shown = ids_of(rows[0])
    assert len(shown) >= MIN_CARDS
    assert shown == [title_id for title_id in titles if title_id in set(shown)]

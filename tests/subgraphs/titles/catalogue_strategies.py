"""Random catalogues and viewers that meet each other's edges often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.browsing import DurationBand, TitleFilter
from subgraphs.titles.domain.text import initial, sort_name
from subgraphs.titles.domain.title import (
    Credit,
    CreditRole,
    GenreId,
    Origin,
    Title,
    TitleKind,
    genre_named,
    person_named,
)
from tests.subgraphs.titles.conftest import NOW

COUNTRIES = ("US", "DE", "FR")
GENRES = ("Drama", "Comedy", "Film Noir")
WORDS = ("moon", "river", "clock", "9")

credit_lines = st.builds(
    Credit,
    st.sampled_from([person_named("Ada Lund"), person_named("Bo Berg")]),
    st.sampled_from(CreditRole),
    st.sampled_from([None, "The moon"]),
)
instants = st.sampled_from([None, *(NOW + timedelta(days=days) for days in (-2, -1, 0, 1, 2))])
windows = st.builds(Window, st.sampled_from(["*", *COUNTRIES]), instants, instants)


@st.composite
def titles(draw: st.DrawFn, number: int) -> Title:
    kind = draw(st.sampled_from([TitleKind.MOVIE, TitleKind.MOVIE, TitleKind.SERIES]))
    age = draw(st.sampled_from([0, 7, 12, 16, 18]))
    return Title(
        id=TitleId(f"{kind.id_prefix}_{number}"),
        kind=kind,
        display_name=f"{draw(st.sampled_from(WORDS))} {draw(st.sampled_from(WORDS))}",
        origin=Origin("test", str(number)),
        added_at=NOW - timedelta(days=draw(st.integers(0, 3))),
        synopsis="a tale of stone",
        release_year=draw(st.sampled_from([None, 1920, 1921, 1950])),
        duration_seconds=draw(st.sampled_from([None, 0, 1_799, 1_800, 7_200, 90_000])),
        genres=tuple(genre_named(name) for name in draw(st.lists(st.sampled_from(GENRES), unique=True))),
        credits=tuple(dict.fromkeys(draw(st.lists(credit_lines, min_size=1, max_size=2)))),
        minimum_age=age,
        is_kids=age <= 7 and draw(st.booleans()),
        windows=tuple(draw(st.lists(windows, max_size=2))),
        blocked_countries=draw(st.frozensets(st.sampled_from(["*", *COUNTRIES]), max_size=1)),
        popularity=draw(st.sampled_from([0.0, 0.3, 0.30001, 1.0])),
        origin_country=draw(st.sampled_from([None, "US", "FR"])),
        original_language=draw(st.sampled_from([None, "en", "fr"])),
        is_withdrawn=draw(st.sampled_from([False, False, False, False, False, True])),
        is_delisted=draw(st.sampled_from([False, False, False, False, False, True])),
        revision=draw(st.integers(1, 3)),
        edited_fields=draw(st.sampled_from([frozenset(), frozenset({"synopsis", "windows"})])),
        artwork_weights=draw(st.sampled_from([(), (("main", 2), ("night", 1))])),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> list[Title]:
    return [draw(titles(number)) for number in range(draw(st.integers(1, 12)))]


viewers = st.builds(
    Viewer,
    account_id=st.just("acc_1"),
    country=st.sampled_from([None, *COUNTRIES]),
    profile_id=st.sampled_from([None, "prof_1"]),
    maturity=st.sampled_from([None, 0, 7, 12, 18]),
    is_kids=st.booleans(),
)
filters = st.builds(
    TitleFilter,
    kind=st.sampled_from([None, None, TitleKind.MOVIE, TitleKind.SERIES]),
    genre_id=st.sampled_from([None, None, GenreId("gen_drama"), GenreId("gen_film-noir")]),
    release_year_from=st.sampled_from([None, 1921]),
    release_year_to=st.sampled_from([None, 1921]),
    kids_only=st.booleans(),
    maximum_age=st.sampled_from([None, None, None, 12]),
    original_language=st.sampled_from([None, None, None, "fr"]),
    origin_country=st.sampled_from([None, None, None, "FR"]),
)
search_filters = st.builds(
    replace,
    filters,
    duration=st.sampled_from([None, None, None, DurationBand.UNDER_30_MINUTES, DurationBand.FROM_120_MINUTES]),
)
"""With what only search knows."""
list_filters = st.builds(
    replace,
    filters,
    person_id=st.sampled_from([None, None, person_named("Bo Berg").id]),
    person_role=st.sampled_from([None, CreditRole.CAST]),
    initial=st.sampled_from([None, None, None, "M", "#"]),
    name_prefix=st.sampled_from([None, None, None, "ri"]),
    added_since=st.sampled_from([None, None, None, NOW - timedelta(days=1)]),
)
"""With what only lists know."""


def passes(title: Title, chosen: TitleFilter) -> bool:
    """The filter, said plainly."""
    if title.kind not in chosen.kinds:
        return False
    if chosen.genre_id is not None and chosen.genre_id not in {genre.id for genre in title.genres}:
        return False
    if chosen.release_year_from is not None and (title.release_year or 0) < chosen.release_year_from:
        return False
    if chosen.release_year_to is not None and not 1 <= (title.release_year or 0) <= chosen.release_year_to:
        return False
    if chosen.maximum_age is not None and title.minimum_age > chosen.maximum_age:
        return False
    if chosen.original_language not in {None, title.original_language}:
        return False
    if chosen.origin_country not in {None, title.origin_country}:
        return False
    if chosen.duration not in {None, DurationBand.of(title.duration_seconds)}:
        return False
    if chosen.person_id is not None and not any(
        credit.person.id == chosen.person_id and chosen.person_role in {None, credit.role} for credit in title.credits
    ):
        return False
    if chosen.initial not in {None, initial(title.display_name)}:
        return False
    if chosen.name_prefix is not None and not sort_name(title.display_name).startswith(chosen.name_prefix):
        return False
    if chosen.added_since is not None and title.added_at < chosen.added_since:
        return False
    return title.is_kids or not chosen.kids_only

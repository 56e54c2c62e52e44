"""Random catalogues and viewers that meet each other's edges often."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.browsing import TitleFilter
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
WORDS = ("moon", "river", "clock")

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
        genres=tuple(genre_named(name) for name in draw(st.lists(st.sampled_from(GENRES), unique=True))),
        credits=(Credit(person_named("Ada Lund"), CreditRole.CAST, draw(st.sampled_from([None, "The moon"]))),),
        minimum_age=age,
        is_kids=age <= 7 and draw(st.booleans()),
        windows=tuple(draw(st.lists(windows, max_size=2))),
        blocked_countries=draw(st.frozensets(st.sampled_from(["*", *COUNTRIES]), max_size=1)),
        popularity=draw(st.sampled_from([0.0, 0.3, 0.30001, 1.0])),
        is_withdrawn=draw(st.sampled_from([False, False, False, True])),
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
)


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
    return title.is_kids or not chosen.kids_only

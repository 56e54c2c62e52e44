"""The demo catalogue's data."""

from __future__ import annotations

from collections import Counter

from subgraphs.titles.demo import DEMO_FILM_ID, load_demo, seed_demo
from subgraphs.titles.domain.title import CreditRole, TitleKind
from tests.subgraphs.titles.conftest import NOW, Parts

DEMO = load_demo()
FILMS = [title for title in DEMO.titles if title.kind is TitleKind.MOVIE]
SERIES = [title for title in DEMO.titles if title.kind is TitleKind.SERIES]
EPISODES = [title for title in DEMO.titles if title.kind is TitleKind.EPISODE]


def test_is_large_enough() -> None:
    """Over a hundred films, three series, one of them in two seasons, and enough for children."""
    assert len(FILMS) >= 100
    assert len(SERIES) == 3
    assert sorted(Counter(season.series_id for season in DEMO.seasons).values()) == [1, 1, 2]
    assert len([film for film in FILMS if film.is_kids]) >= 15


def test_ids_are_unique_and_places_are_whole() -> None:
    """No id twice; each season's episodes are numbered from one without a gap."""
    assert len(DEMO.titles) == len({title.id for title in DEMO.titles})
    for season in DEMO.seasons:
        numbers = [episode.episode_number for episode in EPISODES if episode.season_id == season.id]
        assert list(range(1, len(numbers) + 1)) == numbers


def test_facts_are_sane() -> None:
    """Years, lengths, texts and ages are in the ranges of real films."""
    for title in DEMO.titles:
        assert 1900 <= (title.release_year or 0) <= (2026 if title.id == DEMO_FILM_ID else 1968), title.id
        assert title.duration_seconds is None or 60 <= title.duration_seconds <= 6 * 3600, title.id
        assert 20 <= len(title.synopsis) <= 400, title.id
        assert title.synopsis.endswith((".", "?", "!", '"')), title.id
        assert title.minimum_age in {0, 7, 12, 16, 18}, title.id
        assert not title.is_kids or title.minimum_age <= 7, title.id
        assert title.genres, title.id
        assert title.added_at <= NOW, title.id
        assert len(title.genres) == len(set(title.genres)), title.id
    for film in FILMS:
        assert film.credited(CreditRole.DIRECTOR) or film.id == DEMO_FILM_ID, film.id


def test_has_films_that_countries_and_time_tell_apart() -> None:
    """Some for one country, one blocked, one expired, one to come."""
    assert any({window.country for window in film.windows} == {"US"} for film in FILMS)
    assert any(film.blocked_countries for film in FILMS)
    assert any(window.closes_at and window.closes_at < NOW for film in FILMS for window in film.windows)
    assert any(window.opens_at and window.opens_at > NOW for film in FILMS for window in film.windows)


def test_our_own_film_has_its_fixed_id() -> None:
    """What the first upload publishes to."""
    film = next(film for film in FILMS if film.id == DEMO_FILM_ID)
    assert (film.display_name, film.is_kids, film.minimum_age) == ("First Light", True, 0)


async def test_seeding_again_changes_nothing(demo: Parts) -> None:
    """163 titles, once."""
    again = await seed_demo(demo.writer)
    assert (0, 0, len(DEMO.titles)) == (again.created, again.updated, again.unchanged)

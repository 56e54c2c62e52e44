"""Weak signs: what was begun and left says nothing, what was looked for and not begun a little, beside others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.domain.taste import (
    SOUGHT_WEIGHT,
    Feedback,
    Opinion,
    Taste,
    Watched,
    read_likes,
    read_signals,
)
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models.blend import score_titles
from subgraphs.recommendations.pages.reasons import Reasons
from subgraphs.recommendations.services.keep_models import build_models

NOW_S = datetime(2026, 3, 1, 20, 0, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3600.0, 24 * 3600.0


@pytest.fixture
def catalogue(make_snapshot: Callable[..., dict[str, Any]]) -> Catalogue:
    titles = [make_snapshot("mov_1"), make_snapshot("ser_1", kind="SERIES")]
    titles += [make_snapshot(f"epi_{number}", kind="EPISODE", seriesId="ser_1") for number in (1, 2)]
    return build_catalogue([record_from_snapshot(each) for each in titles], 1)


def weight(catalogue: Catalogue, work: str, **watched: tuple[float, float]) -> float:
    """Of a work, by title: the fraction that was watched, and seconds since then."""
    taste = Taste(
        watched={
            title_id: Watched(5000 * fraction, 5000, completed=False, ever_completed=False, at_s=NOW_S - age_s)
            for title_id, (fraction, age_s) in watched.items()
        }
    )
    index = catalogue.work(work)
    assert index is not None
    assert read_likes(taste, catalogue) == {}
    return read_signals(taste, catalogue, NOW_S).weights[index]


def test_the_first_tenth_counts_for_a_day_and_then_nothing(catalogue: Catalogue) -> None:
    """Neither for nor against it; half an hour ago somebody may just be interrupted."""
    assert weight(catalogue, "mov_1", mov_1=(0.05, HOUR_S)) > 0
    assert weight(catalogue, "mov_1", mov_1=(0.05, 2 * DAY_S)) == 0
    assert weight(catalogue, "mov_1", mov_1=(0.05, 90 * DAY_S)) == 0


def test_more_of_it_counts_and_so_does_coming_back(catalogue: Catalogue) -> None:
    """A third of a film was a choice; a series of which another episode went on was not left."""
    assert weight(catalogue, "mov_1", mov_1=(0.33, 2 * DAY_S)) > 0.3
    left, gone_on = (0.05, 9 * DAY_S), (0.45, 2 * DAY_S)
    assert weight(catalogue, "ser_1", epi_1=left) == 0
    assert weight(catalogue, "ser_1", epi_1=left, epi_2=gone_on) == weight(catalogue, "ser_1", epi_2=gone_on) > 0.4


@pytest.mark.parametrize(
    "said",
    [
        Opinion(stars=1),
        Opinion(stars=2),
        Opinion(feedback=Feedback.THUMBS_DOWN),
        Opinion(feedback=Feedback.NOT_INTERESTED),
        Opinion(stars=1, feedback=Feedback.THUMBS_DOWN, listed_at_s=NOW_S),
    ],
)
def test_a_dislike_takes_from_watching_and_no_more(catalogue: Catalogue, said: Opinion) -> None:
    """The title is offered no more, and nothing is held against what is like it: that makes rankings worse."""
    film = catalogue.work("mov_1")
    assert film is not None
    signals = read_signals(Taste(opinions={"mov_1": said}), catalogue, NOW_S)
    assert signals.weights[film] == 0
    assert signals.refused == {film}
    seen = {"mov_1": Watched(5000, 5000, completed=True, ever_completed=True, at_s=NOW_S)}
    assert 0 <= read_signals(Taste(watched=seen, opinions={"mov_1": said}), catalogue, NOW_S).weights[film] < 1


def test_one_bad_episode_takes_no_series_away(catalogue: Catalogue) -> None:
    """Who gives it one star may go on with the next."""
    assert read_signals(Taste(opinions={"epi_1": Opinion(stars=1)}), catalogue, NOW_S).refused == frozenset()


def test_what_was_said_of_a_series_counts_whichever_word_is_read_first(catalogue: Catalogue) -> None:
    """Stars for an episode, a thumb for the series: one sum."""
    said = {"epi_1": Opinion(feedback=Feedback.THUMBS_DOWN), "ser_1": Opinion(stars=5)}
    series = catalogue.work("ser_1")
    assert series is not None
    for order in (said, dict(reversed(said.items()))):
        assert read_signals(Taste(opinions=order), catalogue, NOW_S).weights[series] == pytest.approx(0.2)


def test_what_was_left_is_not_offered_as_new(catalogue: Catalogue) -> None:
    """It stays what the profile can go on with."""
    left = Watched(400, 5000, completed=False, ever_completed=False, at_s=NOW_S - timedelta(days=30).total_seconds())
    signals = read_signals(Taste(watched={"mov_1": left}), catalogue, NOW_S)
    assert signals.started == {catalogue.work("mov_1")}


def test_what_was_looked_for_counts_a_little_and_never_alone(catalogue: Catalogue) -> None:
    """Less the longer ago, nothing where the profile did more with the title, nothing where it is not to be used."""
    film, series = catalogue.work("mov_1"), catalogue.work("ser_1")
    seen = Watched(5000, 5000, completed=True, ever_completed=True, at_s=NOW_S)
    alone = read_signals(Taste(sought={"mov_1": NOW_S}), catalogue, NOW_S)
    assert (alone.weights, alone.sought) == ({}, frozenset())
    watched = Taste(watched={"mov_1": seen}, sought={"mov_1": NOW_S, "epi_1": NOW_S - 60 * DAY_S, "gone": NOW_S})
    beside = read_signals(watched, catalogue, NOW_S)
    assert film is not None
    assert series is not None
    assert beside.weights == {film: 1.0, series: pytest.approx(SOUGHT_WEIGHT / 2)}
    assert beside.sought == {series}
    assert beside.started == frozenset()
    assert read_likes(watched, catalogue).keys() == {film}
    private = read_signals(replace(watched, is_personal=False), catalogue, NOW_S)
    assert (private.weights, private.sought) == ({}, frozenset())


def test_a_reason_says_that_it_was_looked_for(make_snapshot: Callable[..., dict[str, Any]]) -> None:
    """Not that it was watched, nor that it is on the list."""

    def film(title_id: str, genre: str, popularity: float) -> dict[str, Any]:
        genres = [{"id": f"gen_{genre}", "name": genre}]
        return make_snapshot(title_id, genres=genres, synopsis=f"{genre} story", popularity=popularity)

    titles = [film("mov_begun", "western", 0.5), film("mov_sought", "romance", 0.5), film("mov_new", "romance", 0.1)]
    titles += [film("mov_western", "western", 0.2), *(film(f"mov_{number}", "comedy", 0.5) for number in range(3))]
    titles += [film(f"mov_other{number}", f"other{number}", 0.1) for number in range(20)]
    models = build_models([record_from_snapshot(each) for each in titles], (), 1, NOW_S)
    begun = Watched(2000, 5000, completed=False, ever_completed=False, at_s=NOW_S)
    taste = Taste(watched={"mov_begun": begun}, sought={"mov_sought": NOW_S})
    profile = score_titles(models, read_signals(taste, models.catalogue, NOW_S))
    fresh = models.catalogue.is_listable.copy()
    fresh[models.catalogue.index_by_id["mov_begun"]] = False
    reason = Reasons(profile, models.catalogue.is_listable, fresh).of(models.catalogue.index_by_id["mov_new"])
    assert reason is not None
    assert reason.text == "Because you looked for mov_sought"

"""Reasons are true: without the cause that one names, what it explains is gone or stands further down."""

from __future__ import annotations

import gc
import random
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from common.tokens import Viewer
from subgraphs.recommendations.domain.ordering import best_places
from subgraphs.recommendations.domain.page import Page, PageWish
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Opinion, Taste, Watched, read_signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page, draft_page, write_page
from subgraphs.recommendations.pages.reasons import POOL, Reasons
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
LIFE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def models(make_titles: Any) -> Models:
    """With neighbours of 80 profiles, which like mostly one genre each."""
    chance = random.Random(8)
    crowd = [taste_of(chance, chance.randrange(6)) for _ in range(80)]
    return build_models([record_from_snapshot(row) for row in make_titles(9, 240)], crowd, 1, NOW.timestamp())


def taste_of(chance: random.Random, genre: int) -> Taste:
    """Mostly films of one genre (a film's genre is its number modulo six), some rated, some listed."""
    films = {
        f"mov_{(chance.randrange(40) * 6 + (genre if chance.random() < 0.75 else chance.randrange(6))):03}"
        for _ in range(chance.randrange(1, 9))
    }
    watched, opinions = {}, {}
    for film in sorted(films):
        at_s = NOW.timestamp() - chance.random() * 40 * 86_400
        if chance.random() < 0.75:
            watched[film] = Watched(4900, 5000, True, True, at_s)
        elif chance.random() < 0.5:
            opinions[film] = Opinion(stars=5)
        else:
            opinions[film] = Opinion(listed_at_s=at_s)
    return Taste(1, watched, opinions)


def without(taste: Taste, title_id: str) -> Taste:
    watched = {each: place for each, place in taste.watched.items() if each != title_id}
    return Taste(1, watched, {each: said for each, said in taste.opinions.items() if each != title_id})


def rank(models: Models, taste: Taste, viewer: Viewer, title_id: str) -> int:
    """The title's place among all that rows may show to the viewer, by what the profile wants; 0 is the first."""
    catalogue = models.catalogue
    signals = read_signals(taste, catalogue, NOW.timestamp())
    scores = score_titles(models, signals).scores
    fresh = catalogue.visible(viewer, NOW) & catalogue.is_listable
    fresh[[*signals.seen, *signals.started, *signals.refused]] = False
    return int((scores[fresh] > scores[catalogue.index_by_id[title_id]]).sum())


def page_of(models: Models, taste: Taste, viewer: Viewer, make_device: Any) -> Page:
    request = PageRequest(PageWish(PageKind.HOME, make_device()), viewer, "US", "prof_1")
    return build_page(request, PageFacts(models, taste, Trends()), NOW, LIFE)


def test_without_its_cause_a_pick_falls(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Of 60 generated profiles: every card's reason, and every row's, each tried by taking its cause out of the history."""
    chance = random.Random(4)
    adult = replace(viewer, maturity=18)
    cards = rows = 0
    for _ in range(60):
        taste = taste_of(chance, chance.randrange(6))
        page = page_of(models, taste, adult, make_device)
        for section in page.sections:
            if section.reason is not None and section.kind is SectionKind.BECAUSE_YOU_WATCHED:
                assert section.reason.because_of in taste.watched
                less = page_of(models, without(taste, str(section.reason.because_of)), adult, make_device)
                assert section.key not in {other.key for other in less.sections}
                rows += 1
            for card in section.cards:
                if card.reason is None or card.reason.because_of is None:
                    continue
                cause = card.reason.because_of
                assert cause in {*taste.watched, *taste.opinions}
                before = rank(models, taste, adult, card.title_id)
                after = rank(models, without(taste, cause), adult, card.title_id)
                assert after > before, f"{card.title_id} because of {cause}: place {before}, without it {after}"
                cards += 1
    assert cards > 200
    assert rows > 60


def test_scores_go_with_their_page(models: Models, viewer: Viewer, make_device: Any) -> None:
    """Nothing of a page keeps them in a circle, though its reasons were found: they are a megabyte for each profile."""
    taste = taste_of(random.Random(1), 2)
    request = PageRequest(PageWish(PageKind.HOME, make_device()), viewer, "US", "prof_1")
    gc.collect()
    gc.disable()
    try:
        draft = draft_page(request, PageFacts(models, taste, Trends()), NOW)
        page = write_page(draft, NOW, LIFE)
        scores = weakref.ref(draft.profile)
        del draft
        models.forget_scores()
        assert any(card.reason for section in page.sections for card in section.cards)
        assert scores() is None
    finally:
        gc.enable()


def test_places_are_told_by_exact_scores(models: Models, viewer: Viewer) -> None:
    """The profile's scores may be off where nobody looks; what a title falls from is not."""
    chance = random.Random(5)
    visible = models.catalogue.visible(viewer, NOW) & models.catalogue.is_listable
    tried = 0
    for genre in range(6):
        profile = score_titles(models, read_signals(taste_of(chance, genre), models.catalogue, NOW.timestamp()))
        pool = best_places(profile.scores, visible, POOL)
        noise = np.random.default_rng(genre).normal(0, 0.02, len(profile.scores)).astype(np.float32)
        off = replace(profile, scores=np.clip(profile.scores + noise, 0, 1))
        exact, told = Reasons(profile, visible, visible, best=pool), Reasons(off, visible, visible, best=pool)
        for title in pool[:12].tolist():
            wanted, found = exact.trial(title), told.trial(title)
            if wanted is not None and found is not None:
                assert found.rank == wanted.rank == int((profile.scores[pool] > profile.scores[title]).sum())
                tried += 1
    assert tried > 20

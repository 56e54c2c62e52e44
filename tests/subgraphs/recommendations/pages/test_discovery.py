"""Titles that nobody has watched get a chance: one card, drawn by profile and day, with a known probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from common.tokens import Viewer
from subgraphs.recommendations.domain.devices import Device
from subgraphs.recommendations.domain.page import PageWish
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Taste, Watched, read_signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends
from subgraphs.recommendations.models.blend import Models, ProfileScores, score_titles
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.discovery import BEST, BEST_SHARE, PLACE, Discovery, discover
from subgraphs.recommendations.pages.picks import Picks
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
NOW_S = NOW.timestamp()
NEW = [f"mov_new{number:02}" for number in range(24)]
GENRES = ("Horror", "Comedy", "Western")


@pytest.fixture(scope="module")
def models(make_snapshot: Callable[..., dict[str, Any]]) -> Models:
    """Sixty known films, and 24 that came in the last four weeks, of which nobody has heard."""

    def film(title_id: str, number: int, **changes: Any) -> dict[str, Any]:
        name = GENRES[number % len(GENRES)]
        genres = [{"id": f"gen_{name.lower()}", "name": name}]
        return make_snapshot(title_id, genres=genres, synopsis=f"{name} {number % 5}", **changes)

    old = [film(f"mov_{number:02}", number, popularity=0.3 + number / 100) for number in range(60)]
    days = [NOW - timedelta(days=1 + number) for number in range(len(NEW))]
    new = [film(id_, number, popularity=0.0, addedAt=days[number].isoformat()) for number, id_ in enumerate(NEW)]
    return build_models([record_from_snapshot(each) for each in (*old, *new)], (), 1, NOW_S)


def taste(*title_ids: str) -> Taste:
    seen = Watched(5000, 5000, completed=True, ever_completed=True, at_s=NOW_S - 3600)
    return Taste(version=1, watched=dict.fromkeys(title_ids, seen))


def scored(models: Models, *title_ids: str) -> tuple[ProfileScores, Any]:
    profile = score_titles(models, read_signals(taste(*title_ids), models.catalogue, NOW_S))
    fresh = models.catalogue.is_listable.copy()
    fresh[list(profile.signals.seen)] = False
    return profile, fresh


def test_the_stated_probability_is_the_frequency(models: Models) -> None:
    """Of every new title, over many profiles with one taste; old ones are never drawn."""
    profile, fresh = scored(models, "mov_02", "mov_05")
    draws = [discover(profile, fresh, f"prof_{number}", NOW_S) for number in range(4000)]
    stated = {draw.index: draw.probability for draw in draws if draw is not None}
    drawn = Counter(draw.index for draw in draws if draw is not None)
    assert {models.catalogue.records[index].id for index in drawn} == set(NEW)
    assert sum(stated.values()) == pytest.approx(1.0)
    for index, probability in stated.items():
        deviation = (probability * (1 - probability) / len(draws)) ** 0.5
        assert abs(drawn[index] / len(draws) - probability) < 5 * deviation
    best = sorted(stated.values())[-BEST:]
    assert best == pytest.approx([BEST_SHARE / BEST + (1 - BEST_SHARE) / len(NEW)] * BEST)


def test_a_day_has_one_draw_and_the_next_another(models: Models) -> None:
    """Whatever the hour; another profile draws for itself."""
    profile, fresh = scored(models, "mov_02")
    morning, evening = (NOW.replace(hour=hour).timestamp() for hour in (0, 23))
    assert discover(profile, fresh, "prof_1", morning) == discover(profile, fresh, "prof_1", evening)
    days = {discover(profile, fresh, "prof_1", NOW_S + 86_400 * day) for day in range(5)}
    assert len(days) > 1


def test_what_the_profile_may_not_see_or_knows_is_not_drawn(models: Models) -> None:
    """With nothing left to draw from there is no draw."""
    profile, fresh = scored(models, "mov_02")
    index = models.catalogue.index_by_id
    fresh[[index[id_] for id_ in NEW[1:]]] = False
    draw = discover(profile, fresh, "prof_1", NOW_S)
    assert draw == Discovery(index[NEW[0]], 1.0)
    fresh[index[NEW[0]]] = False
    assert discover(profile, fresh, "prof_1", NOW_S) is None


def test_one_card_is_drawn_and_the_others_keep_their_order(models: Models) -> None:
    """Its code tells the probability; a title that stands higher anyway changes nothing."""
    profile, _ = scored(models, "mov_02")
    items = np.arange(10, dtype=np.int32)
    row = Picks(items, np.linspace(1, 0.1, 10, dtype=np.float32), (profile,), (0,) * 10, ("",))
    for drawn, rest in ((70, [5, 6, 7, 8]), (7, [5, 6, 8, 9])):
        shown = row.with_discovery(Discovery(drawn, 0.03125), profile)
        assert shown.items.tolist() == [0, 1, 2, 3, 4, drawn, *rest]
        assert [shown.code_of(team) for team in shown.teams[:10]] == [""] * PLACE + ["new-31250"] + [""] * (9 - PLACE)
        assert shown.relevance[PLACE] == profile.scores[drawn]
        assert len(shown.relevance) == 10
    assert row.with_discovery(Discovery(2, 0.5), profile) is row
    assert row.with_discovery(None, profile) is row


def test_titles_without_any_watch_are_seen_within_the_first_rows(
    models: Models, make_device: Callable[..., Device]
) -> None:
    """Each by somebody within a week, at the same place of every page, whatever is popular."""
    wish, seen = PageWish(PageKind.HOME, make_device("PHONE")), set[str]()
    for number in range(30):
        owner = f"prof_{number}"
        viewer = Viewer(account_id="acc_1", country="US", subscription="ACTIVE", profile_id=owner, maturity=18)
        facts = PageFacts(models, taste(f"mov_{number:02}", f"mov_{number + 3:02}"), Trends())
        for day in range(7):
            now = NOW + timedelta(days=day)
            page = build_page(PageRequest(wish, viewer, "US", owner), facts, now, timedelta(minutes=10))
            rows = [section for section in page.sections if section.kind is not SectionKind.HERO][:3]
            [picks] = [section for section in rows if section.kind is SectionKind.TOP_PICKS]
            drawn = [card for card in picks.cards if card.team.startswith("new-")]
            assert len(drawn) <= 1
            seen |= {card.title_id for card in drawn}
    assert seen >= set(NEW[:20])

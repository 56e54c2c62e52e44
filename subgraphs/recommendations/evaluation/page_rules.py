"""Pages of generated worlds, held to every rule: how many were made, and what was broken.

A world is a catalogue with series, windows, blocks, ages and collections. On each, pages of all kinds are made for
generated viewers, tastes, devices (old ones too, which draw few kinds), arms of experiments and instants. All from one
seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from common.tokens import Viewer
from subgraphs.recommendations.domain.artwork_sizes import ImageFormat
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.devices import Device, FormFactor
from subgraphs.recommendations.domain.page import PageWish
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleRecord, record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.experiments.assign import NOBODY, Assigned
from subgraphs.recommendations.experiments.definition import Arm, Experiment, ExperimentKind
from subgraphs.recommendations.experiments.parameters import PARAMETERS, TOP_PICKS_RANKER, ParameterValue, Ranker
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.check_page import find_violations
from subgraphs.recommendations.services.country_trends import views_by_work
from subgraphs.recommendations.services.keep_models import build_models

__all__ = ["RuleReport", "check_generated_pages"]

PAGES_PER_WORLD = 250
NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
LIFE = timedelta(minutes=10)
GENRES = ("Horror", "Comedy", "Drama", "Science Fiction", "Western", "Romance", "Crime")
COUNTRIES = ("US", "DE", "BR", None)
WORDS = tuple(f"{first}{second}" for first in ("ba", "do", "ki", "lu", "re") for second in ("mar", "ton", "vis", "zeh"))
MAX_SHOWN = 20
"""Violations that are kept in words."""


@dataclass(frozen=True, slots=True)
class RuleReport:
    """`kinds`: pages by kind; `cards`: in all; `violations`: how many; `examples`: the first ones, to be repeated."""

    pages: int
    cards: int
    kinds: Mapping[PageKind, int]
    violations: int
    examples: Sequence[str]


def check_generated_pages(count: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> RuleReport:
    """Makes `count` pages and checks each; the same seed makes the same pages. `progress` is told how many are done."""
    kinds = dict.fromkeys(PageKind, 0)
    examples: list[str] = []
    made = cards = violations = 0
    while made < count:
        world_seed = f"{seed}/{made // PAGES_PER_WORLD}"
        for number, (request, facts, now) in enumerate(_pages(world_seed, min(PAGES_PER_WORLD, count - made))):
            page = build_page(request, facts, now, LIFE)
            found = find_violations(page, request, facts, now)
            violations += len(found)
            examples += [f"world {world_seed}, page {number}: {text}" for text in found[: MAX_SHOWN - len(examples)]]
            kinds[page.kind] += 1
            cards += sum(len(section.cards) for section in page.sections)
            made += 1
        progress(made)
    return RuleReport(made, cards, kinds, violations, examples)


def _pages(seed: str, count: int) -> Iterator[tuple[PageRequest, PageFacts, datetime]]:
    chance, arms = random.Random(seed), random.Random(f"{seed}/arms")
    models = build_models(_records(chance), [], 1, NOW.timestamp())
    collections = tuple(_collection(chance, models, number) for number in range(chance.randrange(4)))
    for _ in range(count):
        viewer = Viewer(
            account_id="acc_1",
            country=chance.choice(COUNTRIES),
            subscription="ACTIVE",
            profile_id=chance.choice(["prof_1", "prof_1", "prof_1", None]),
            is_kids=chance.random() < 0.2,
            maturity=chance.choice([0, 7, 12, 16, 18, 18]),
        )
        taste = Taste() if viewer.profile_id is None else _taste(chance, models)
        trends = {window: _views(chance, models) for window in TrendWindow if chance.random() < 0.7}
        now = NOW + timedelta(minutes=chance.choice([0, 0, 3, 5, 20, 60 * 24 * 9]))
        wish = _wish(chance, models, viewer, now)
        request = PageRequest(wish, viewer, viewer.country or "US", viewer.profile_id or "")
        yield request, PageFacts(models, taste, Trends(trends), collections, _assigned(arms)), now


def _assigned(chance: random.Random) -> Sequence[Assigned]:
    """Nothing, or an arm that sets every parameter to anything that it may be, or a row drafted from two rankers."""
    if chance.random() < 0.5:
        return NOBODY
    values: dict[str, ParameterValue] = {}
    for each in PARAMETERS.values():
        if each.choices:
            text = chance.choice(each.choices)
        elif isinstance(each.default, int):
            text = str(chance.randint(int(each.low), int(each.high)))
        else:
            text = str(chance.uniform(each.low, each.high))
        values[each.name] = each.read(text)
    is_drafted = chance.random() < 0.5
    drafted: tuple[Arm, ...] = (Arm("a", 1, {}), Arm("b", 1, {TOP_PICKS_RANKER.name: Ranker.CONTENT.value}))
    experiment = Experiment(
        id="any",
        description="any",
        kind=ExperimentKind.INTERLEAVED if is_drafted else ExperimentKind.AB,
        arms=drafted if is_drafted else (Arm("a", 1, values), Arm("b", 1, {})),
        traffic=1,
        primary="hours",
    )
    return [Assigned(experiment, None if is_drafted else experiment.arms[0])]


def _records(chance: random.Random) -> list[TitleRecord]:
    films = [_snapshot(chance, f"mov_{number:03}", "MOVIE") for number in range(chance.choice([4, 12, 60, 160]))]
    series, episodes = [], []
    for number in range(chance.choice([0, 2, 8])):
        parent = _snapshot(chance, f"ser_{number}", "SERIES")
        series.append(parent)
        length = chance.randrange(1, 6)
        episodes += [
            {
                **parent,
                "id": f"epi_{number}_{place}",
                "kind": "EPISODE",
                "seriesId": parent["id"],
                "seasonNumber": 1,
                "episodeNumber": place,
                "nextEpisodeId": f"epi_{number}_{place + 1}" if place + 1 < length else None,
                "minimumAge": chance.choice([parent["minimumAge"], 18]),
            }
            for place in range(length)
        ]
    return [record_from_snapshot(each, is_playable=chance.random() < 0.3) for each in (*films, *series, *episodes)]


def _snapshot(chance: random.Random, title_id: str, kind: str) -> dict[str, Any]:
    age = chance.choice([0, 0, 7, 12, 16, 18])
    return {
        "id": title_id,
        "kind": kind,
        "displayName": title_id,
        "synopsis": " ".join(chance.sample(WORDS, 5)),
        "genres": [{"id": f"gen_{name}", "name": name} for name in chance.sample(GENRES, chance.randrange(0, 4))],
        "cast": chance.sample(WORDS, 2),
        "minimumAge": age,
        "isKids": age <= 7 and chance.random() < 0.7,
        "windows": chance.choice(_WINDOWS),
        "blockedCountries": chance.choice([[], [], [], ["DE"]]),
        "popularity": chance.random() ** 2,
        "addedAt": (NOW - timedelta(days=chance.randrange(400))).isoformat(),
    }


def _window(country: str = "*", opens: timedelta | None = None, closes: timedelta | None = None) -> dict[str, Any]:
    return {
        "country": country,
        "from": None if opens is None else (NOW + opens).isoformat(),
        "until": None if closes is None else (NOW + closes).isoformat(),
    }


_WINDOWS: tuple[list[dict[str, Any]], ...] = (
    [_window()],
    [_window()],
    [_window("US")],
    [_window(opens=timedelta(days=300))],
    [_window(closes=timedelta(minutes=5))],
    [_window(closes=timedelta(days=10))],
    [_window("US", closes=timedelta(days=3)), _window("US", opens=timedelta(days=3))],
    [],
)


def _collection(chance: random.Random, models: Models, number: int) -> Collection:
    ids = [record.id for record in models.catalogue.records]
    return Collection(
        id=f"col_{number}",
        heading=f"Collection {number}",
        title_ids=tuple(chance.sample(ids, min(len(ids), chance.randrange(3, 30)))),
        countries=frozenset(chance.choice([(), ("US",), ("DE", "BR")])),
        closes_at=chance.choice([None, NOW + timedelta(minutes=3), NOW + timedelta(days=3)]),
    )


def _taste(chance: random.Random, models: Models) -> Taste:
    ids = [record.id for record in models.catalogue.records]
    watched = {
        title_id: Watched(
            5000 * (fraction := chance.random() ** 0.5),
            5000,
            fraction >= 0.9,
            fraction >= 0.9 or chance.random() < 0.05,
            NOW.timestamp() - chance.expovariate(1 / 300) * 3600,
        )
        for title_id in chance.sample(ids, min(len(ids), chance.choice([0, 1, 5, 30])))
    }
    opinions = {
        title_id: Opinion(
            stars=chance.choice([None, None, 1, 3, 5]),
            feedback=chance.choice([None, None, *Feedback]),
            listed_at_s=chance.choice([None, NOW.timestamp() - chance.random() * 1e7]),
        )
        for title_id in chance.sample(ids, min(len(ids), chance.choice([0, 3, 12])))
    }
    picks = tuple(chance.sample(ids, min(len(ids), 6))) if chance.random() < 0.3 else ()
    picked_at_s = NOW.timestamp() - chance.random() * 1e7 if picks else None
    return Taste(version=1, watched=watched, opinions=opinions, picks=picks, picked_at_s=picked_at_s)


def _views(chance: random.Random, models: Models) -> dict[int, float]:
    ids = [record.id for record in models.catalogue.records]
    views = {title_id: chance.random() for title_id in chance.sample(ids, min(len(ids), chance.randrange(30)))}
    return views_by_work(models.catalogue, views)


def _wish(chance: random.Random, models: Models, viewer: Viewer, now: datetime) -> PageWish:
    kind = chance.choice(list(PageKind))
    genre_id = title_id = None
    if kind is PageKind.GENRE:
        genre_id = chance.choice([*models.catalogue.genres_by_id, "gen_Horror"])
    if kind is PageKind.MORE_LIKE_THIS:
        visible = models.catalogue.visible(viewer, now)
        seen = [record.id for record, may_see in zip(models.catalogue.records, visible, strict=True) if may_see]
        kind, title_id = (kind, chance.choice(seen)) if seen else (PageKind.HOME, None)
    every = list(SectionKind)
    drawn = every if chance.random() < 0.6 else chance.sample(every, chance.randrange(1, len(every)))
    device = Device(
        form_factor=chance.choice(list(FormFactor)),
        width_px=chance.choice([360, 820, 1440, 1920]),
        height_px=1080,
        pixel_ratio=chance.choice([1.0, 2.0, 3.0]),
        image_formats=(ImageFormat.JPEG,),
        supports=frozenset(drawn),
    )
    return PageWish(kind, device, genre_id, title_id)

"""A catalogue with plain structure, viewers, and the recommendations subgraph as it runs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from common.clock import FakeClock
from common.events import Event, EventPublisher
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, SigningKey, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.recommendations.app import create_app
from subgraphs.recommendations.domain.artwork_sizes import ImageFormat
from subgraphs.recommendations.domain.devices import Device, FormFactor
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.settings import RecommendationsSettings
from tests.support.valkey_server import valkey_server

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
GENRES = ["Horror", "Comedy", "Drama", "Science Fiction", "Western", "Romance"]
WORDS = {
    "Horror": "vampire castle shadow curse midnight coffin",
    "Comedy": "bumbling waiter chase mistaken banana laughter",
    "Drama": "family sorrow village letter betrayal winter",
    "Science Fiction": "rocket planet machine inventor robot voyage",
    "Western": "sheriff saloon desert outlaw horses showdown",
    "Romance": "sweetheart dance moonlight wedding longing paris",
}


def snapshot(title_id: str, **overrides: Any) -> dict[str, Any]:
    return {
        "id": title_id,
        "kind": "MOVIE",
        "displayName": title_id,
        "synopsis": "",
        "releaseYear": 1925,
        "durationSeconds": 5000,
        "genres": [],
        "cast": [],
        "directors": [],
        "minimumAge": 0,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "blockedCountries": [],
        "seriesId": None,
        "popularity": 0.5,
        "addedAt": "2026-01-01T00:00:00+00:00",
        "asset": None,
        "markers": [],
        **overrides,
    }


def make_catalogue(seed: int = 1, count: int = 120) -> list[dict[str, Any]]:
    """Films of six genres with their words and people, all ages and regions, and two series of four episodes."""
    chance = random.Random(seed)
    titles = []
    for number in range(count):
        genre = GENRES[number % len(GENRES)]
        words = WORDS[genre].split()
        age = chance.choice([0, 0, 7, 12, 16, 18])
        titles.append(
            snapshot(
                f"mov_{number:03}",
                displayName=f"Film {number}",
                synopsis=" ".join(chance.sample(words, 4)),
                releaseYear=1900 + chance.randrange(60),
                genres=[{"id": f"gen_{genre.lower().replace(' ', '-')}", "name": genre}],
                directors=[f"Director {genre} {chance.randrange(3)}"],
                cast=[f"Actor {chance.randrange(30)}" for _ in range(3)],
                minimumAge=age,
                isKids=age <= 7 and chance.random() < 0.7,
                windows=chance.choice(
                    [
                        [{"country": "*", "from": None, "until": None}],
                        [{"country": "*", "from": None, "until": None}],
                        [{"country": "US", "from": None, "until": None}],
                        [{"country": "*", "from": "2027-01-01T00:00:00+00:00", "until": None}],
                        [{"country": "*", "from": None, "until": "2026-03-01T20:05:00+00:00"}],
                    ]
                ),
                blockedCountries=chance.choice([[], [], [], ["DE"]]),
                popularity=round(chance.random() ** 2, 4),
                addedAt=(NOW - timedelta(days=chance.randrange(400))).isoformat(),
            )
        )
    for number in (1, 2):
        genre = {"id": "gen_drama", "name": "Drama"}
        titles.append(snapshot(f"ser_{number}", kind="SERIES", displayName=f"Series {number}", genres=[genre]))
        titles.extend(
            snapshot(
                f"epi_{number}_{episode}",
                kind="EPISODE",
                displayName=f"Episode {episode}",
                genres=[genre],
                seriesId=f"ser_{number}",
                seasonNumber=1,
                episodeNumber=episode,
                nextEpisodeId=f"epi_{number}_{episode + 1}" if episode < 4 else None,
            )
            for episode in range(1, 5)
        )
    return titles


@pytest.fixture(scope="session")
def catalogue_snapshots() -> list[dict[str, Any]]:
    return make_catalogue()


@pytest.fixture(scope="session")
def make_titles() -> Callable[..., list[dict[str, Any]]]:
    return make_catalogue


@pytest.fixture(scope="session")
def make_snapshot() -> Callable[..., dict[str, Any]]:
    return snapshot


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(
        account_id="acc_1",
        session_id="ses_1",
        country="US",
        plan="STANDARD",
        subscription="ACTIVE",
        profile_id="prof_1",
        maturity=18,
        language="en",
    )


def device(form_factor: str = "TV", **changes: Any) -> Device:
    sizes = {"TV": (1920, 1080, 1.0), "PHONE": (390, 844, 3.0), "TABLET": (820, 1180, 2.0), "BROWSER": (1440, 900, 1.0)}
    width, height, ratio = sizes[form_factor]
    values: dict[str, Any] = {
        "form_factor": FormFactor(form_factor),
        "width_px": width,
        "height_px": height,
        "pixel_ratio": ratio,
        "image_formats": (ImageFormat.WEBP, ImageFormat.JPEG),
        "supports": frozenset(SectionKind),
        **changes,
    }
    return Device(**values)


@pytest.fixture(scope="session")
def make_device() -> Callable[..., Device]:
    return device


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()


@dataclass
class Subgraph:
    """A running recommendations subgraph."""

    client: httpx.AsyncClient
    clock: FakeClock
    key: SigningKey
    redis: Redis
    models: Any
    follow: Any
    numbers: int = 0

    async def ask(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer | None = None) -> Any:
        headers = {}
        if viewer is not None:
            headers[VIEWER_HEADER] = sign_viewer_context(self.key, viewer.to_claims(), self.clock.now())
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return answer.json()

    async def data(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer | None = None) -> Any:
        body = await self.ask(query, variables, viewer)
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def tell(self, topic: str, kind: str, data: dict[str, Any]) -> None:
        """Deliver an event as the consumer would."""
        self.numbers += 1
        event = Event(topic, kind, data, self.clock.now(), f"{self.numbers}-1")
        await self.follow.handlers()[topic](event)

    async def tell_titles(self, snapshots: list[dict[str, Any]]) -> None:
        for start in range(0, len(snapshots), 200):
            await self.tell("titles", "title.changed", {"titles": snapshots[start : start + 200]})
        await self.models.rebuild()

    async def watch(self, title_id: str, fraction: float, profile_id: str = "prof_1", **changes: Any) -> None:
        self.clock.advance(timedelta(seconds=1))
        data = {
            "profileId": profile_id,
            "accountId": "acc_1",
            "titleId": title_id,
            "seriesId": None,
            "positionSeconds": 5000.0 * fraction,
            "durationSeconds": 5000.0,
            "completed": fraction >= 0.9,
            "occurredAt": self.clock.now().isoformat(),
            **changes,
        }
        await self.tell("viewing", "title.watched", data)


@pytest.fixture
async def subgraph(tmp_path: Path, valkey_url: str, redis: Redis) -> AsyncIterator[Subgraph]:
    from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
    from subgraphs.recommendations.adapters.valkey.artwork_contexts import ValkeyArtworkContexts
    from subgraphs.recommendations.adapters.valkey.interactions import ValkeyInteractionEvents
    from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
    from subgraphs.recommendations.adapters.valkey.trends import ValkeyTrendCounters
    from subgraphs.recommendations.services.choose_artwork import ChooseArtwork
    from subgraphs.recommendations.services.follow_events import FollowEvents
    from subgraphs.recommendations.services.report_interactions import ReportInteractions

    key = ensure_key_file(tmp_path / "keys" / "viewer.pem")
    clock = FakeClock(NOW)
    settings = RecommendationsSettings(shared=SharedSettings(state_dir=tmp_path, valkey_url=valkey_url))
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://recommendations.test") as client:
            models = app.state.resources
            assert isinstance(models._titles, SqlTitleStore)
            assert isinstance(models._tastes, ValkeyTasteStore)
            artwork = ChooseArtwork(ValkeyArtworkContexts(redis, timedelta(days=15)))
            interactions = ReportInteractions(
                models, artwork, ValkeyInteractionEvents(redis, EventPublisher(redis)), ValkeyTasteStore(redis)
            )
            trends = ValkeyTrendCounters(redis)
            follow = FollowEvents(models, models._titles, models._tastes, trends, interactions)
            yield Subgraph(client=client, clock=clock, key=key, redis=redis, models=models, follow=follow)

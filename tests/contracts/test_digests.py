"""A digest from the wish to the mail and to its end, through both services that make it, and nothing but events between."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from common.clock import FakeClock
from common.events import Event, EventPublisher
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.sql import open_engine, reading
from subgraphs.profiles.app import create_app as create_profiles
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.recommendations.adapters.sqlalchemy.digests import subscribers
from subgraphs.recommendations.app import create_app as create_recommendations
from subgraphs.recommendations.services import compose_digests
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.settings import RecommendationsSettings
from tests.support.households import claims_of
from tests.support.valkey_server import valkey_server

WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DEADLINE_S = 20.0
SIGN_UP = """mutation { signUp(input: {email: "ada@example.org", password: "correct horse", country: "US",
  profileName: "Ada"}) { ... on SignUpSuccess { session { accessToken } } } }"""
CONSENT = """mutation { setConsent(input: {purpose: DIGEST, granted: true, textVersion: 1}) { __typename } }"""
ASSET = {
    "assetId": "ast_1",
    "hls": "a",
    "dash": "b",
    "durationSeconds": 5000,
    "maxHeightPx": 1080,
    "encryption": "clear",
}


def film(number: int) -> dict[str, Any]:
    return {
        "id": f"mov_{number}",
        "kind": "MOVIE",
        "displayName": f"Film {number}",
        "synopsis": "",
        "genres": [],
        "cast": [],
        "directors": [],
        "minimumAge": 18 if number == 9 else 0,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "blockedCountries": [],
        "popularity": 0.5,
        "addedAt": WEDNESDAY.isoformat(),
        "asset": ASSET,
        "markers": [],
    }


@dataclass
class Services:
    """Profiles and recommendations on one Valkey and one clock."""

    shared: SharedSettings
    clock: FakeClock
    redis: Redis
    profiles: httpx.AsyncClient
    kept: KeepModels

    async def ask(self, query: str, viewer: Viewer | None = None) -> Any:
        """Profiles, as the gateway does."""
        key, headers = ensure_key_file(self.shared.keys_dir / "viewer.pem"), {}
        if viewer is not None:
            headers[VIEWER_HEADER] = sign_viewer_context(key, viewer.to_claims(), self.clock.now())
        answer = await self.profiles.post("/graphql", json={"query": query}, headers=headers)
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    async def subscriptions(self) -> list[bool]:
        """Of the profiles that recommendations knows, whether they get digests."""
        settings = RecommendationsSettings(shared=self.shared)
        engine = open_engine(settings.resolved_database_url)
        try:
            async with reading(engine) as connection:
                return list((await connection.execute(select(subscribers.c.is_wanted))).scalars())
        finally:
            await engine.dispose()

    async def digests(self) -> list[Any]:
        """The mails with a link in their head, as they lie in the folder."""
        folder = self.shared.state_dir / "profiles" / "mail"
        found = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in folder.glob("*.eml")
        ]
        return [message for message in found if message["List-Unsubscribe"]]


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await reached():  # noqa: ASYNC110  # what services did behind events is only to be looked at
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def services(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setattr(compose_digests, "LOOK_S", 0.05)
    shared, clock = SharedSettings(state_dir=tmp_path, valkey_url=valkey_url), FakeClock(WEDNESDAY)
    ensure_key_file(shared.keys_dir / "viewer.pem")
    profiles = create_profiles(ProfilesSettings(shared=shared, argon2_memory_kib=64, argon2_passes=1), clock=clock)
    recommendations = create_recommendations(RecommendationsSettings(shared=shared, train_every_s=0), clock)
    async with AsyncExitStack() as stack:
        for app in (profiles, recommendations):
            await stack.enter_async_context(app.router.lifespan_context(app))
        redis = await stack.enter_async_context(Redis.from_url(valkey_url))
        transport = httpx.ASGITransport(profiles)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://profiles"))
        yield Services(shared, clock, redis, client, recommendations.state.resources)


async def test_from_the_wish_to_the_mail_and_to_its_end(services: Services) -> None:
    """Consent, subscription, Friday, mail, link, no subscription; what the profile may not see is not in it."""
    titles = [film(number) for number in range(5)] + [film(9)]
    await EventPublisher(services.redis).publish(
        Event("titles", "title.changed", {"titles": titles}, services.clock.now())
    )
    token = (await services.ask(SIGN_UP))["signUp"]["session"]["accessToken"]
    viewer = Viewer.from_claims(claims_of(token))
    profiles = await services.ask("{ viewer { account { profiles { id } } } }", viewer)
    [profile] = profiles["viewer"]["account"]["profiles"]
    limit = 'mutation { updateProfile(input: {id: "%s", maturityLimit: 12}) { __typename } }'
    await services.ask(limit % profile["id"], viewer)
    assert (await services.ask(CONSENT, viewer))["setConsent"]["__typename"] == "SetConsentSuccess"

    async def is_known() -> bool:
        return len(services.kept.models.catalogue) == len(titles)

    async def is_subscribed() -> bool:
        return await services.subscriptions() == [True]

    async def is_mailed() -> bool:
        return bool(await services.digests())

    async def is_stopped() -> bool:
        return await services.subscriptions() == [False]

    # Both: who is composed for before the titles are there has had a week without news.
    await until(is_known)
    await until(is_subscribed)
    assert await services.digests() == []
    services.clock.advance(FRIDAY - services.clock.now())
    await until(is_mailed)
    [mail] = await services.digests()
    text = mail.get_body(("plain",)).get_content()
    assert [line.strip(" *") for line in text.splitlines() if "*" in line] == [f"Film {number}" for number in range(5)]
    path = mail["List-Unsubscribe"].strip("<>").removeprefix(services.shared.public_gateway_url)
    answer = await services.profiles.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    await until(is_stopped)

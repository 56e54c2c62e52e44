"""Wires exports and erasures: the store, the services that hold personal data, and the background work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import Clock
from common.signing_keys import KeyRing
from subgraphs.kernel.personal_data import PersonalDataStore
from subgraphs.kernel.rate_limit import RateLimiter
from subgraphs.profiles.adapters.event_streams import ValkeyEventStreams
from subgraphs.profiles.adapters.http.personal_data import HttpPersonalDataHolder, ServiceCaller
from subgraphs.profiles.adapters.mail.personal_data import SpoolPersonalData
from subgraphs.profiles.adapters.sqlalchemy.personal_data import personal_data_of
from subgraphs.profiles.adapters.sqlalchemy.privacy import SqlPrivacyStore
from subgraphs.profiles.api.context import ProfilesServices
from subgraphs.profiles.ports_privacy import PersonalDataHolder
from subgraphs.profiles.services.erasing import Erasing, ErasureNotes
from subgraphs.profiles.services.exporting import Exporting
from subgraphs.profiles.services.holders import OwnPersonalData
from subgraphs.profiles.services.passwords import Passwords
from subgraphs.profiles.services.privacy import Privacy
from subgraphs.profiles.services.privacy_rounds import PrivacyRounds
from subgraphs.profiles.settings import ProfilesSettings

__all__ = ["build_privacy", "open_privacy_rounds", "personal_stores"]


def personal_stores(settings: ProfilesSettings, engine: AsyncEngine) -> tuple[PersonalDataStore, ...]:
    """All of profiles' stores that hold personal data."""
    return SpoolPersonalData(settings.mail_folder), personal_data_of(engine)


def build_privacy(
    settings: ProfilesSettings, engine: AsyncEngine, passwords: Passwords, rate_limiter: RateLimiter
) -> Privacy:
    """What account holders can ask."""
    return Privacy(
        store=SqlPrivacyStore(engine),
        passwords=passwords,
        rate_limiter=rate_limiter,
        exports=settings.export_limit,
        grace=timedelta(seconds=settings.erasure_grace_s),
        awake=asyncio.Event(),
    )


@asynccontextmanager
async def open_privacy_rounds(
    settings: ProfilesSettings,
    engine: AsyncEngine,
    redis: Redis,
    services: ProfilesServices,
    clock: Clock,
) -> AsyncIterator[PrivacyRounds]:
    """The work over the services that the settings name; it does not run yet."""
    ring = KeyRing(settings.shared.keys_dir / "viewer.pem", clock=clock)
    async with aiohttp.ClientSession() as client:
        caller = ServiceCaller(client, ring, clock, settings.personal_data_timeout_s)
        holders: list[PersonalDataHolder] = [
            HttpPersonalDataHolder(name, url, caller) for name, url in settings.personal_data_urls.items()
        ]
        holders.append(OwnPersonalData("profiles", personal_stores(settings, engine)))
        store, lease = SqlPrivacyStore(engine), timedelta(seconds=settings.privacy_lease_s)
        erasing = Erasing(
            store=store,
            holders=holders,
            streams=ValkeyEventStreams(redis),
            notices=services.notices,
            accounts=services.accounts,
            clock=clock,
            notes=ErasureNotes(settle=timedelta(seconds=settings.erasure_settle_s), lease=lease),
            on_commit=services.households.on_commit,
        )
        yield PrivacyRounds(
            store=store,
            exporting=Exporting(store, holders, timedelta(days=settings.export_days)),
            erasing=erasing,
            accounts=services.accounts,
            notices=services.notices,
            clock=clock,
            lease=lease,
            awake=services.privacy.awake,
        )

"""Ends sessions from outside: when a device was signed out, a profile deleted or an account erased.

A session knows its device by the id in the viewer's token, or by what the player calls it where the token names none;
downloads are always on what the device calls itself. Its own name may come back with a new log-in, so that an event
which is heard late or twice ends by name only what is older than itself.

The player hears of it at its next heartbeat, which finds no session; its stream slot is free at once. Entitlements end
with their playback tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.playback.domain.downloads import AccountDownloads, without_profile
from subgraphs.playback.domain.sessions import PlaybackSession
from subgraphs.playback.ports import RemovedIds, SessionStore, StreamLeases
from subgraphs.playback.services.manage_downloads import ManageDownloads

__all__ = ["EndSessions", "client_hash"]

log = structlog.get_logger(__name__)


def client_hash(account_id: AccountId, device_id: str) -> str:
    """How `device.removed` names a device: SHA-256 of account, unit separator and the device's own id."""
    return hashlib.sha256(f"{account_id}\x1f{device_id}".encode()).hexdigest()


class EndSessions:
    """By device, by profile, by account."""

    def __init__(
        self,
        sessions: SessionStore,
        leases: StreamLeases,
        downloads: ManageDownloads,
        removed: RemovedIds,
    ) -> None:
        self._sessions = sessions
        self._leases = leases
        self._downloads = downloads
        self._removed = removed

    async def of_device(self, account_id: AccountId, device_id: str, device_hash: str, removed_at: datetime) -> int:
        """End what a removed device plays, forget its downloads and let it start nothing more.

        `device_id` is the one in tokens, `device_hash` tells the device's own. How many sessions there were.
        """

        def is_meant(session: PlaybackSession) -> bool:
            is_named = client_hash(account_id, session.device_id) == device_hash
            return session.device_id == device_id or (is_named and session.started_at <= removed_at)

        def without_removed(account: AccountDownloads) -> AccountDownloads:
            kept = tuple(
                each
                for each in account.downloads
                if each.authorised_at > removed_at or client_hash(account_id, each.device_id) != device_hash
            )
            return replace(account, downloads=kept)

        # First of all: what starts from now on is refused, what started before is found below.
        await self._removed.add(account_id, device_id)
        await self._downloads.change_account(account_id, without_removed)
        return await self._end(account_id, is_meant, removed_at)

    async def of_deleted_profile(self, account_id: AccountId, profile_id: ProfileId, now: datetime) -> int:
        """As `of_profile`, and let it start nothing more while its access tokens are still good."""
        await self._removed.add(account_id, profile_id)
        return await self.of_profile(account_id, profile_id, now)

    async def of_profile(self, account_id: AccountId, profile_id: ProfileId, now: datetime) -> int:
        """End what a profile plays and forget its downloads; how many sessions there were."""
        await self._downloads.change_account(account_id, lambda account: without_profile(account, profile_id))
        return await self._end(account_id, lambda each: each.profile_id == profile_id, now)

    async def of_account(self, account_id: AccountId, now: datetime) -> int:
        """End all sessions of an account; how many there were."""
        return await self._end(account_id, lambda _: True, now)

    async def _end(self, account_id: AccountId, is_meant: Callable[[PlaybackSession], bool], now: datetime) -> int:
        count = 0
        for session in await self._sessions.of_account(account_id):
            if session.ended_at is None and is_meant(session):
                await self._sessions.put(replace(session, ended_at=now))
                await self._leases.release(account_id, session.device_id, session.id)
                count += 1
        if count:
            log.info("sessions.ended", account_id=account_id, count=count)
        return count

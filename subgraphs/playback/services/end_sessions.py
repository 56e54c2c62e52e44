"""Ends sessions from outside: when a device was signed out, a profile deleted or an account erased.

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
from subgraphs.playback.domain.downloads import AccountDownloads, without_device, without_profile
from subgraphs.playback.domain.sessions import PlaybackSession
from subgraphs.playback.ports import SessionStore, StreamLeases
from subgraphs.playback.services.manage_downloads import ManageDownloads

__all__ = ["EndSessions", "client_hash"]

log = structlog.get_logger(__name__)


def client_hash(account_id: AccountId, device_id: str) -> str:
    """How `device.removed` names a device: SHA-256 of account, unit separator and the device's own id."""
    return hashlib.sha256(f"{account_id}\x1f{device_id}".encode()).hexdigest()


class EndSessions:
    """By device, by profile, by account."""

    def __init__(self, sessions: SessionStore, leases: StreamLeases, downloads: ManageDownloads) -> None:
        self._sessions = sessions
        self._leases = leases
        self._downloads = downloads

    async def of_device(self, account_id: AccountId, device_hash: str, now: datetime) -> int:
        """End what a removed device plays and forget its downloads; how many sessions there were."""

        def without_removed(account: AccountDownloads) -> AccountDownloads:
            for device_id in {each.device_id for each in account.downloads}:
                if client_hash(account_id, device_id) == device_hash:
                    account = without_device(account, device_id)
            return account

        await self._downloads.change_account(account_id, without_removed)
        return await self._end(account_id, lambda each: client_hash(account_id, each.device_id) == device_hash, now)

    async def of_profile(self, account_id: AccountId, profile_id: ProfileId, now: datetime) -> int:
        """End what a deleted profile plays and forget its downloads; how many sessions there were."""
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

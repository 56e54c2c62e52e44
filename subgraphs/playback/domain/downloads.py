"""Films that devices keep for watching without a network: who may have how many, on what, for how long.

All downloads of an account are one value, so that its limits are decided on one state: every rule takes the whole and
returns the next whole. A download is bound to the device that asked and lasts DOWNLOAD_LIFE unless it is renewed there;
an expired one no longer counts and may not be played, but can be renewed while there is room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.plans import max_download_devices

__all__ = [
    "DOWNLOAD_LIFE",
    "MAX_DOWNLOADS_PER_DEVICE",
    "AccountDownloads",
    "Download",
    "DownloadRefusal",
    "DownloadState",
    "authorise_download",
    "complete_download",
    "delete_download",
    "renew_download",
    "without_device",
    "without_profile",
]

DOWNLOAD_LIFE = timedelta(days=7)
MAX_DOWNLOADS_PER_DEVICE = 100
MAX_EXPIRED_KEPT = 50
"""Expired downloads that an account still sees, to renew them."""


class DownloadState(StrEnum):
    """Where a download is in its life."""

    AUTHORISED = "AUTHORISED"
    """The device may fetch it."""
    COMPLETE = "COMPLETE"
    """The device has all of it."""
    EXPIRED = "EXPIRED"
    """It may not be played until it is renewed."""


class DownloadRefusal(StrEnum):
    """Limits of downloads; what forbids a title forbids its download with play's own reasons."""

    TOO_MANY_DEVICES = "TOO_MANY_DOWNLOAD_DEVICES"
    TOO_MANY_DOWNLOADS = "TOO_MANY_DOWNLOADS"
    OTHER_DEVICE = "OTHER_DEVICE"


@dataclass(frozen=True, slots=True)
class Download:
    """One title on one device, for the profile that asked."""

    id: str
    profile_id: ProfileId
    title_id: TitleId
    asset_id: str
    device_id: str
    authorised_at: datetime
    expires_at: datetime
    completed_at: datetime | None = None

    def state_at(self, now: datetime) -> DownloadState:
        """The state at an instant."""
        if now >= self.expires_at:
            return DownloadState.EXPIRED
        return DownloadState.AUTHORISED if self.completed_at is None else DownloadState.COMPLETE


@dataclass(frozen=True, slots=True)
class AccountDownloads:
    """All of an account, oldest first; `version` is the store's, 0 when nothing was ever kept."""

    account_id: AccountId
    downloads: tuple[Download, ...] = ()
    version: int = 0

    def by_id(self, download_id: str, profile_id: ProfileId) -> Download | None:
        """The profile's own download; None for unknown and foreign ones."""
        return next((each for each in self.downloads if each.id == download_id and each.profile_id == profile_id), None)

    def live(self, now: datetime) -> tuple[Download, ...]:
        """Those that count."""
        return tuple(each for each in self.downloads if now < each.expires_at)

    def devices(self, now: datetime) -> tuple[str, ...]:
        """Devices that hold live downloads, the one that came first leading."""
        return tuple(dict.fromkeys(each.device_id for each in self.live(now)))


def authorise_download(
    account: AccountDownloads, wanted: Download, plan: str | None, now: datetime
) -> AccountDownloads | DownloadRefusal:
    """With one more download; a live or expired one of the same title, profile and device is replaced by it."""
    others = tuple(each for each in account.downloads if not _is_same_film(each, wanted))
    refusal = _room(replace(account, downloads=others), wanted.device_id, plan, now)
    if refusal is not None:
        return refusal
    return replace(account, downloads=_without_old((*others, wanted), now))


def renew_download(
    account: AccountDownloads, download: Download, device_id: str, plan: str | None, now: datetime
) -> AccountDownloads | DownloadRefusal:
    """The download lasts its whole life again from now; only on its own device, and while there is room for it."""
    if download.device_id != device_id:
        return DownloadRefusal.OTHER_DEVICE
    others = tuple(each for each in account.downloads if each.id != download.id)
    refusal = _room(replace(account, downloads=others), device_id, plan, now)
    if refusal is not None:
        return refusal
    renewed = replace(download, expires_at=now + DOWNLOAD_LIFE)
    return _replaced(account, renewed)


def complete_download(
    account: AccountDownloads, download: Download, device_id: str, now: datetime
) -> AccountDownloads | DownloadRefusal:
    """The device says that it has all of it; saying it twice keeps the first time."""
    if download.device_id != device_id:
        return DownloadRefusal.OTHER_DEVICE
    return _replaced(account, replace(download, completed_at=download.completed_at or now))


def delete_download(account: AccountDownloads, download: Download) -> AccountDownloads:
    """Without it; the last one of a device makes room for another device."""
    return replace(account, downloads=tuple(each for each in account.downloads if each.id != download.id))


def without_device(account: AccountDownloads, device_id: str) -> AccountDownloads:
    """Without all that a device held."""
    return replace(account, downloads=tuple(each for each in account.downloads if each.device_id != device_id))


def without_profile(account: AccountDownloads, profile_id: ProfileId) -> AccountDownloads:
    """Without all of a profile."""
    return replace(account, downloads=tuple(each for each in account.downloads if each.profile_id != profile_id))


def _room(account: AccountDownloads, device_id: str, plan: str | None, now: datetime) -> DownloadRefusal | None:
    """Whether one more fits on this device beside those of `account`."""
    devices = account.devices(now)
    if device_id not in devices and len(devices) >= max_download_devices(plan):
        return DownloadRefusal.TOO_MANY_DEVICES
    if sum(each.device_id == device_id for each in account.live(now)) >= MAX_DOWNLOADS_PER_DEVICE:
        return DownloadRefusal.TOO_MANY_DOWNLOADS
    return None


def _is_same_film(one: Download, other: Download) -> bool:
    return (one.profile_id, one.title_id, one.device_id) == (other.profile_id, other.title_id, other.device_id)


def _replaced(account: AccountDownloads, changed: Download) -> AccountDownloads:
    return replace(account, downloads=tuple(changed if each.id == changed.id else each for each in account.downloads))


def _without_old(downloads: tuple[Download, ...], now: datetime) -> tuple[Download, ...]:
    expired = [each for each in downloads if now >= each.expires_at]
    dropped = {each.id for each in sorted(expired, key=lambda each: each.expires_at)[:-MAX_EXPIRED_KEPT]}
    return tuple(each for each in downloads if each.id not in dropped)

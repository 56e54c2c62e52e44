"""Downloads: asked for, renewed, finished and deleted, within the plan's devices and the one policy.

The limits of an account are decided on one state of all its downloads and stored at the version that was read; whoever
comes second decides again on the new state. Licences for playing without a network are not issued yet (the licensing
service has none), and every download says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId, new_id
from subgraphs.kernel.policy import decide
from subgraphs.playback.domain.downloads import (
    DOWNLOAD_LIFE,
    MAX_DOWNLOADS_PER_DEVICE,
    AccountDownloads,
    Download,
    DownloadRefusal,
    authorise_download,
    complete_download,
    delete_download,
    renew_download,
    without_device,
)
from subgraphs.playback.domain.plans import max_download_devices
from subgraphs.playback.domain.rights import refusal_message
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.domain.titles import Asset, TitleKind
from subgraphs.playback.ports import DownloadStore, RemovedIds, TitleCatalogue
from subgraphs.playback.services.check_viewer import check_viewer

__all__ = ["DownloadRefused", "DownloadUnknown", "ManageDownloads", "require_device_id"]

MAX_DEVICE_ID_LENGTH = 128
MAX_TRIES = 20
"""Times that another change of the same account may come in between."""

Change = Callable[[AccountDownloads], AccountDownloads | DownloadRefusal]


@dataclass(frozen=True, slots=True)
class DownloadRefused:
    """Why not, with words for people; `limit` is set where a number was reached."""

    reason: PlayRefusal | DownloadRefusal
    message: str
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class DownloadUnknown:
    """No such download of this profile."""

    download_id: str


def require_device_id(device_id: str) -> None:
    """Raises ServiceError INVALID_ARGUMENT for an id that no honest device sends."""
    if not 1 <= len(device_id) <= MAX_DEVICE_ID_LENGTH:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"deviceId has {len(device_id)} characters; send 1 to {MAX_DEVICE_ID_LENGTH}, always the same",
        )


class ManageDownloads:
    """The use cases; the viewer is who asks, `now` the request's instant."""

    def __init__(self, downloads: DownloadStore, catalogue: TitleCatalogue, removed: RemovedIds) -> None:
        self._downloads = downloads
        self._catalogue = catalogue
        self._removed = removed

    async def of_viewer(self, viewer: Viewer) -> AccountDownloads:
        """All downloads of the viewer's account; an empty value for strangers."""
        if viewer.account_id is None:
            return AccountDownloads(AccountId(""))
        return await self._downloads.of_account(AccountId(viewer.account_id))

    async def authorise(
        self, viewer: Viewer, title_id: TitleId, device_id: str, now: datetime
    ) -> Download | DownloadRefused:
        """A download of a title for a device; asking again for the same starts it anew."""
        asset = await self._check(viewer, title_id, now)
        if isinstance(asset, DownloadRefused):
            return asset
        wanted = Download(
            id=new_id("dwn", now),
            profile_id=ProfileId(viewer.profile_id or ""),
            title_id=title_id,
            asset_id=asset.asset_id,
            device_id=device_id,
            authorised_at=now,
            expires_at=now + DOWNLOAD_LIFE,
        )
        refusal = await self._change(viewer, lambda account: authorise_download(account, wanted, viewer.plan, now))
        if refusal is not None:
            return _refused(refusal, viewer)
        # Asked once more after the write: whoever removes a profile or a device remembers it first and deletes what it
        # holds then, so that one of both sees the other.
        gone = await check_viewer(viewer, now, self._removed)
        if gone is not None:
            await self._change(viewer, lambda account: delete_download(account, wanted))
            return _refused(gone, viewer)
        return wanted

    async def renew(
        self, viewer: Viewer, download_id: str, device_id: str, now: datetime
    ) -> Download | DownloadRefused | DownloadUnknown:
        """Its whole life again, when everything still allows it."""
        found = await self._own(viewer, download_id)
        if isinstance(found, DownloadUnknown):
            return found
        asset = await self._check(viewer, found.title_id, now)
        if isinstance(asset, DownloadRefused):
            return asset
        return await self._change_one(
            viewer, download_id, lambda account, one: renew_download(account, one, device_id, viewer.plan, now)
        )

    async def complete(
        self, viewer: Viewer, download_id: str, device_id: str, now: datetime
    ) -> Download | DownloadRefused | DownloadUnknown:
        """The device has all of it."""
        return await self._change_one(
            viewer, download_id, lambda account, one: complete_download(account, one, device_id, now)
        )

    async def delete(self, viewer: Viewer, download_id: str) -> DownloadUnknown | None:
        """From any device; the room is free at once."""
        deleted = await self._change_one(viewer, download_id, delete_download)
        return deleted if isinstance(deleted, DownloadUnknown) else None

    async def remove_device(self, account_id: AccountId, device_id: str) -> bool:
        """Delete all that a device holds; False when it held nothing."""
        account = await self._downloads.of_account(account_id)
        if without_device(account, device_id) == account:
            return False
        await self._store(account_id, lambda current: without_device(current, device_id))
        return True

    async def change_account(
        self, account_id: AccountId, change: Callable[[AccountDownloads], AccountDownloads]
    ) -> None:
        """Apply a change that is never refused."""
        await self._store(account_id, change)

    async def _check(self, viewer: Viewer, title_id: TitleId, now: datetime) -> Asset | DownloadRefused:
        """The questions of pressing play, in their order, up to the film."""
        refusal = await check_viewer(viewer, now, self._removed)
        if refusal is not None:
            return _refused(refusal, viewer)
        title = (await self._catalogue.titles_by_id([title_id])).get(title_id)
        if title is None or title.kind is TitleKind.SERIES:
            return _refused(PlayRefusal.NOT_FOUND, viewer)
        if not decide(viewer, title.facts, now).may_see:
            # Nobody learns by downloading that a title exists which they may not see.
            return _refused(PlayRefusal.NOT_FOUND, viewer)
        asset = await self._catalogue.asset_of(title_id)
        return _refused(PlayRefusal.NOT_READY, viewer) if asset is None else asset

    async def _own(self, viewer: Viewer, download_id: str) -> Download | DownloadUnknown:
        if viewer.profile_id is None:
            return DownloadUnknown(download_id)
        account = await self.of_viewer(viewer)
        return account.by_id(download_id, ProfileId(viewer.profile_id)) or DownloadUnknown(download_id)

    async def _change_one(
        self,
        viewer: Viewer,
        download_id: str,
        change: Callable[[AccountDownloads, Download], AccountDownloads | DownloadRefusal],
    ) -> Download | DownloadRefused | DownloadUnknown:
        """Change one download of the viewer's profile; the download after it, or as it was when it was deleted."""
        found = await self._own(viewer, download_id)
        if isinstance(found, DownloadUnknown):
            return found

        def on_current(account: AccountDownloads) -> AccountDownloads | DownloadRefusal:
            current = account.by_id(download_id, found.profile_id)
            return account if current is None else change(account, current)

        refusal = await self._change(viewer, on_current)
        if refusal is not None:
            return _refused(refusal, viewer)
        after = await self._own(viewer, download_id)
        return found if isinstance(after, DownloadUnknown) else after

    async def _change(self, viewer: Viewer, change: Change) -> DownloadRefusal | None:
        return await self._store(AccountId(viewer.account_id or ""), change)

    async def _store(self, account_id: AccountId, change: Change) -> DownloadRefusal | None:
        """Decide on the current state and store it; the refusal, if that is what was decided."""
        for _ in range(MAX_TRIES):
            current = await self._downloads.of_account(account_id)
            changed = change(current)
            if isinstance(changed, DownloadRefusal):
                return changed
            if changed == current or await self._downloads.put(changed):
                return None
        raise ServiceError(ErrorKind.ABORTED, "this account's downloads change too often at the moment; try again")


def _refused(reason: PlayRefusal | DownloadRefusal, viewer: Viewer) -> DownloadRefused:
    match reason:
        case DownloadRefusal.TOO_MANY_DEVICES:
            limit = max_download_devices(viewer.plan)
            words = f"This plan allows downloads on {limit} at once; delete those of another device first."
            return DownloadRefused(reason, words, limit)
        case DownloadRefusal.TOO_MANY_DOWNLOADS:
            words = f"A device keeps at most {MAX_DOWNLOADS_PER_DEVICE} downloads; delete one first."
            return DownloadRefused(reason, words, MAX_DOWNLOADS_PER_DEVICE)
        case DownloadRefusal.OTHER_DEVICE:
            return DownloadRefused(reason, "This download belongs to another device; download it again on this one.")
        case _:
            return DownloadRefused(reason, refusal_message(reason))

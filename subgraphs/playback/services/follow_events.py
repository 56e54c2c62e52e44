"""Keeps the local facts up to date from the topics titles, assets and accounts.

Every handler only sets what an event says, unless later news is there, so that events may come twice and out of order.
A snapshot that can't be read is logged and left out: its neighbours in the same event are good.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from common.events import Event, EventHandler
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.titles import (
    Asset,
    PlayableTitle,
    asset_from_published,
    asset_from_snapshot,
    title_from_snapshot,
)
from subgraphs.playback.ports import BookmarkStore, TitleCatalogue
from subgraphs.playback.services.end_sessions import EndSessions

__all__ = ["FollowEvents"]

log = structlog.get_logger(__name__)


class FollowEvents:
    """The handlers by topic."""

    def __init__(self, catalogue: TitleCatalogue, bookmarks: BookmarkStore, sessions: EndSessions) -> None:
        self._catalogue = catalogue
        self._bookmarks = bookmarks
        self._sessions = sessions

    def handlers(self) -> Mapping[str, EventHandler]:
        """For the event consumer."""
        return {"titles": self.on_titles, "assets": self.on_assets, "accounts": self.on_accounts}

    async def on_titles(self, event: Event) -> None:
        """`title.changed` and `title.withdrawn`."""
        if event.kind == "title.withdrawn":
            ids = [TitleId(str(title_id)) for title_id in event.data["titleIds"]]
            await self._catalogue.withdraw(ids, event.occurred_at)
        if event.kind != "title.changed":
            return
        titles: list[PlayableTitle] = []
        assets: list[Asset] = []
        for snapshot in event.data["titles"]:
            try:
                titles.append(title_from_snapshot(snapshot))
                asset = asset_from_snapshot(snapshot, event.occurred_at)
            except (KeyError, TypeError, ValueError):
                log.exception("event.snapshot_unreadable", event_id=event.id, title=_id_of(snapshot))
                continue
            if asset is not None:
                assets.append(asset)
        await self._catalogue.put_titles(titles, event.occurred_at)
        for asset in assets:
            await self._catalogue.put_asset(asset)

    async def on_assets(self, event: Event) -> None:
        """`asset.published`; a failed asset leaves the one that plays."""
        if event.kind == "asset.published":
            await self._catalogue.put_asset(asset_from_published(event.data, event.occurred_at))

    async def on_accounts(self, event: Event) -> None:
        """`profile.deleted` and `account.erased`: nothing stays; `device.removed`: it stops playing."""
        account_id = AccountId(str(event.data.get("accountId", "")))
        if event.kind == "profile.deleted":
            profile_id = ProfileId(str(event.data["profileId"]))
            # Sessions first: a heartbeat that is under way looks afterwards whether its profile is there.
            await self._sessions.of_deleted_profile(account_id, profile_id, event.occurred_at)
            count = await self._bookmarks.erase_profile(profile_id)
            log.info("profile.erased", profile_id=profile_id, bookmarks=count)
        if event.kind == "account.erased":
            await self._sessions.of_account(account_id, event.occurred_at)
            for each in event.data["profileIds"]:
                await self._sessions.of_profile(account_id, ProfileId(str(each)), event.occurred_at)
                await self._bookmarks.erase_profile(ProfileId(str(each)))
        if event.kind == "device.removed":
            device_id, device_hash = str(event.data["deviceId"]), str(event.data["clientHash"])
            await self._sessions.of_device(account_id, device_id, device_hash, event.occurred_at)


def _id_of(snapshot: object) -> str:
    return str(snapshot.get("id")) if isinstance(snapshot, Mapping) else type(snapshot).__name__

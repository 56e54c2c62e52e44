"""What keeps a viewer from playing or downloading anything at all, asked before any title is looked at."""

from __future__ import annotations

from datetime import datetime

from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId
from subgraphs.playback.domain.rights import check_account
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.ports import RemovedIds

__all__ = ["check_viewer"]


async def check_viewer(viewer: Viewer, now: datetime, removed: RemovedIds) -> PlayRefusal | None:
    """The first reason: account, profile, subscription, and a token whose device or profile is gone since."""
    refusal = check_account(viewer, now)
    if refusal is not None or viewer.account_id is None:
        return refusal
    named = [each for each in (viewer.device_id, viewer.profile_id) if each is not None]
    gone = await removed.among(AccountId(viewer.account_id), named)
    if viewer.device_id in gone:
        return PlayRefusal.NOT_SIGNED_IN
    return PlayRefusal.NO_PROFILE if viewer.profile_id in gone else None

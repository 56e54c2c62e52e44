"""What keeps a viewer from playing or downloading anything at all, asked before any title is looked at."""

from __future__ import annotations

from datetime import datetime

from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId
from subgraphs.playback.domain.rights import check_account
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.ports import RemovedDevices

__all__ = ["check_viewer"]


async def check_viewer(viewer: Viewer, now: datetime, removed_devices: RemovedDevices) -> PlayRefusal | None:
    """The first reason: account, profile, subscription, and a token of a device that was signed out since."""
    refusal = check_account(viewer, now)
    if refusal is not None or viewer.device_id is None or viewer.account_id is None:
        return refusal
    is_removed = await removed_devices.has(AccountId(viewer.account_id), viewer.device_id)
    return PlayRefusal.NOT_SIGNED_IN if is_removed else None

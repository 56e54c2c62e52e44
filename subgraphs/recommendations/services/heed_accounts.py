"""Keeps with each profile's taste what its account decided, whichever group of this service hears of it first.

Groups read the topic accounts each at its own pace. One that forgets what it kept of a profile must first see to it
that nothing more is made of that profile by the others, which may not have heard of it yet; decisions carry their
instant, so that hearing one twice or late changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from common.events import Event
from subgraphs.recommendations.ports import TasteStore

__all__ = ["forgotten_profiles", "heed_account"]


async def heed_account(tastes: TasteStore, event: Event) -> None:
    """Of topic accounts: a consent to personalisation or counting, and that a profile is no more; nothing else."""
    if event.kind == "profile.deleted":
        await tastes.end(str(event.data["profileId"]))
    if event.kind != "consent.changed":
        return
    granted, purpose = bool(event.data["granted"]), event.data["purpose"]
    for profile_id in event.data["profileIds"]:
        if purpose == "PERSONALISATION":
            await tastes.allow(str(profile_id), event.occurred_at, is_personal=granted)
        elif purpose == "ANALYTICS":
            await tastes.measure(str(profile_id), event.occurred_at, is_measured=granted)


def forgotten_profiles(event: Event, purposes: Collection[str]) -> Sequence[str]:
    """Of topic accounts: whose data, kept for these purposes, must go now: they are gone, or a consent is withdrawn."""
    data = event.data
    if event.kind == "profile.deleted":
        return [str(data["profileId"])]
    is_withdrawn = event.kind == "consent.changed" and data["purpose"] in purposes and not data["granted"]
    if event.kind == "account.erased" or is_withdrawn:
        return [str(profile_id) for profile_id in data["profileIds"]]
    return ()

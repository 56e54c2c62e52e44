"""The events that this subgraph tells, in the shapes that the others read."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.personal_data import Subject
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.consents import ConsentRecord, Purpose
from subgraphs.profiles.domain.devices import Device
from subgraphs.profiles.domain.lists import Thumb

__all__ = [
    "account_erased",
    "consent_changed",
    "device_removed",
    "list_changed",
    "profile_changed",
    "profile_created",
    "profile_deleted",
    "signed_up",
    "subscription_changed",
    "title_rated",
    "title_thumbed",
]


def account_erased(subject: Subject, at: datetime) -> Event:
    """Everybody who still keeps something of these ids deletes it."""
    data = {"accountId": subject.account_id, "profileIds": list(subject.profile_ids)}
    return Event(topic="accounts", kind="account.erased", data=data, occurred_at=at)


def signed_up(account: Account, at: datetime) -> Event:
    """Without the e-mail: nobody else needs it."""
    data = {"accountId": account.id, "country": account.country, "plan": account.plan_id.value}
    return Event(topic="accounts", kind="account.signed_up", data=data, occurred_at=at)


def profile_created(profile: Profile, account: Account, at: datetime, granted: AbstractSet[Purpose]) -> Event:
    """A new profile; `granted`: what the account agrees to."""
    return _profile_event("profile.created", profile, account, at, **_agreed(granted))


def profile_changed(profile: Profile, account: Account, at: datetime, granted: AbstractSet[Purpose]) -> Event:
    """The profile as it is now; `granted`: what the account agrees to."""
    return _profile_event("profile.changed", profile, account, at, **_agreed(granted))


def profile_deleted(profile: Profile, account: Account, at: datetime) -> Event:
    """The profile as it was."""
    return _profile_event("profile.deleted", profile, account, at)


def title_rated(profile_id: ProfileId, title_id: TitleId, stars: int | None, at: datetime) -> Event:
    """`stars` None: cleared."""
    data = {"profileId": profile_id, "titleId": title_id, "stars": stars}
    return Event(topic="feedback", kind="title.rated", data=data, occurred_at=at)


def title_thumbed(profile_id: ProfileId, title_id: TitleId, thumb: Thumb | None, at: datetime) -> Event:
    """`thumb` None: cleared."""
    data = {"profileId": profile_id, "titleId": title_id, "thumb": None if thumb is None else thumb.value}
    return Event(topic="feedback", kind="title.thumbed", data=data, occurred_at=at)


def consent_changed(account_id: AccountId, profile_ids: Sequence[ProfileId], record: ConsentRecord) -> Event:
    """With the profiles that it holds for, so that nobody has to know whose they are."""
    data = {
        "accountId": account_id,
        "profileIds": list(profile_ids),
        "purpose": record.purpose.value,
        "granted": record.is_granted,
        "textVersion": record.version,
    }
    return Event(topic="accounts", kind="consent.changed", data=data, occurred_at=record.recorded_at)


def list_changed(profile_id: ProfileId, title_id: TitleId, at: datetime, *, in_list: bool) -> Event:
    """Added or removed."""
    data = {"profileId": profile_id, "titleId": title_id, "inList": in_list}
    return Event(topic="feedback", kind="list.changed", data=data, occurred_at=at)


def subscription_changed(account: Account, at: datetime) -> Event:
    """The plan and the subscription as they are now."""
    ends_at = account.subscription.period_ends_at
    data = {
        "accountId": account.id,
        "country": account.country,
        "plan": account.plan_id.value,
        "status": account.subscription.status_at(at).value,
        "periodEndsAt": None if ends_at is None else ends_at.isoformat(),
    }
    return Event(topic="accounts", kind="subscription.changed", data=data, occurred_at=at)


def device_removed(device: Device, at: datetime) -> Event:
    """The device's sessions have ended; what was downloaded to it counts no more."""
    data = {"accountId": device.account_id, "deviceId": device.id, "clientHash": device.client_hash}
    return Event(topic="accounts", kind="device.removed", data=data, occurred_at=at)


def _agreed(granted: AbstractSet[Purpose]) -> dict[str, bool]:
    """What those who make something for a profile must know."""
    return {
        "personalisation": Purpose.PERSONALISATION in granted,
        "analytics": Purpose.ANALYTICS in granted,
        "digest": Purpose.DIGEST in granted,
    }


def _profile_event(kind: str, profile: Profile, account: Account, at: datetime, **more: bool) -> Event:
    data: dict[str, Any] = {
        **more,
        "profileId": profile.id,
        "accountId": profile.account_id,
        "isKids": profile.is_kids,
        "maturity": profile.maturity_limit,
        "country": account.country,
        "language": profile.language,
    }
    return Event(topic="accounts", kind=kind, data=data, occurred_at=at)

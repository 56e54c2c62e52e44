"""Access tokens: what a client shows to the gateway, and the key set by which it is verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from common.clock import Clock
from common.signing_keys import MAX_TOKEN_LIFE, KeyRing
from common.tokens import Viewer, sign_access_token
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.sessions import Session

__all__ = ["AccessTokens", "viewer_of"]


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs with the ring's key of the instant, and publishes the ring."""

    ring: KeyRing
    life: timedelta

    @classmethod
    def open(cls, key_path: Path, life: timedelta, clock: Clock | None = None) -> AccessTokens:
        """The ring of `key_path`, with a first key when there is none; `marquee keys rotate` adds the next."""
        return cls(KeyRing(key_path, max(life, MAX_TOKEN_LIFE), clock), life)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set to publish, as it is now."""
        return self.ring.public_jwks()

    def issue(self, session: Session, account: Account, profile: Profile | None, now: datetime) -> tuple[str, datetime]:
        """A token and when it expires (whole seconds)."""
        key = self.ring.signing_key()
        token = sign_access_token(key, viewer_of(session, account, profile, now), now, self.life)
        return token, now.replace(microsecond=0) + self.life


def viewer_of(session: Session, account: Account, profile: Profile | None, now: datetime) -> Viewer:
    """The claims of a session; account-level without a profile."""
    return Viewer(
        account_id=account.id,
        session_id=session.id,
        country=account.country,
        plan=account.plan_id.value,
        subscription=account.subscription.status_at(now).value,
        scopes=account.scopes,
        profile_id=None if profile is None else profile.id,
        is_kids=profile is not None and profile.is_kids,
        maturity=None if profile is None else profile.maturity_limit,
        language=None if profile is None else profile.language,
        device_id=session.device_id,
    )
